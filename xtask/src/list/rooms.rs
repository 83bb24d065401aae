//! Beginning, keeping and letting go. Data only.

use super::Mutant;

pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "attempt number forgotten",
        stands_for: "each attempt has the nonce of the first",
        row: "an operator that crashes and sleeps",
        edits: &[("src/decide/make.rs", "Act::Seal { attempt: attempts + 1 }", "Act::Seal { attempt: 1 }")],
    },
    Mutant {
        name: "a torn list proves that the name is free",
        stands_for: "the owner check takes any list",
        row: "a status lost",
        edits: &[(
            "src/decide/absence.rs",
            r"    if !list.whole {
        return Err(Step::Rest(torn(v, &site.region, rules)));
    }
    // A list dated",
            "    // A list dated",
        )],
    },
    Mutant {
        name: "a torn list proves a cluster gone",
        stands_for: "the third proof is not whole",
        row: "details missed",
        edits: &[("src/decide/absence.rs", "if list.began < first || !list.whole {", "if list.began < first {")],
    },
    Mutant {
        name: "any 404 is gone",
        stands_for: "not only ErrorClusterNotFound",
        row: "",
        edits: &[(
            "src/decide/leave.rs",
            "    match ask(v, rules, &v.seen.cluster, Look::Cluster(known.id.clone()))? {",
            r"    let seen = match &v.seen.cluster {
        Some(Err(trouble)) if matches!(trouble.class, Class::NotFound | Class::Unknown) => &Existence::Unknown,
        _ => ask(v, rules, &v.seen.cluster, Look::Cluster(known.id.clone()))?,
    };
    match seen {",
        )],
    },
    Mutant {
        name: "one 404 is gone",
        stands_for: "a detail that was missed once",
        row: "a detail missed and a list slipped",
        edits: &[(
            "src/decide/absence.rs",
            "_ => return Err(unknown(v, id, v.now + later(rules), v.now)),",
            "_ => v.now - rules.apart,",
        )],
    },
    Mutant {
        name: "gone without a list",
        stands_for: "details alone are believed",
        row: "details missed",
        edits: &[(
            "src/decide/absence.rs",
            "    let list = ask(v, rules, &v.seen.listing, Look::Listing { began_after: first })?;",
            r"    if first <= v.now {
        return Ok(());
    }
    let list = ask(v, rules, &v.seen.listing, Look::Listing { began_after: first })?;",
        )],
    },
    Mutant {
        name: "gone by a list from before",
        stands_for: "a list that began before the first 404",
        row: "",
        edits: &[
            ("src/decide/absence.rs", "Look::Listing { began_after: first }", "Look::Listing { began_after: v.since }"),
            ("src/decide/absence.rs", "if list.began < first || !list.whole {", "if !list.whole {"),
        ],
    },
    Mutant {
        name: "what was never seen is gone at once",
        stands_for: "the lag of the detail is not waited for",
        row: "a list that lags more or less",
        edits: &[("src/decide/absence.rs", "if !known.met && v.now < known.believe_after {", "if false {")],
    },
    Mutant {
        name: "protection is not read first",
        stands_for: "DELETE is left to ACK to refuse",
        row: "protection here",
        edits: &[(
            "src/decide/leave.rs",
            r"    unprotected(v, known, cluster, rules)?;
",
            "",
        )],
    },
    Mutant {
        name: "a missing flag is off",
        stands_for: "an answer that does not tell the protection",
        row: "a protection that ACK does not",
        edits: &[(
            "src/decide/leave.rs",
            r#"(None, None) => waits("deletion waits: ACK does not say whether the cluster's deletion protection is on"),"#,
            "(None, None) => Ok(()),",
        )],
    },
    Mutant {
        name: "a silent spec does not protect",
        stands_for: "the flag in the cloud counts for nothing",
        row: "protection here",
        edits: &[(
            "src/decide/leave.rs",
            r#"(None, Some(true)) => waits("deletion waits: the cluster's deletion protection is on in ACK"),"#,
            "(None, Some(true)) => Ok(()),",
        )],
    },
    Mutant {
        name: "old words lift a protection, deleting",
        stands_for: "an emergency protection is undone",
        row: "protection here",
        edits: &[(
            "src/decide/leave.rs",
            "(Some(false), Some(true)) if v.guard.newer => lower(",
            "(Some(false), Some(true)) if v.guard.newer || v.finalizer => lower(",
        )],
    },
    Mutant {
        name: "old words lift a protection, living",
        stands_for: "an emergency protection is undone",
        row: "protection here",
        edits: &[(
            "src/decide/keep.rs",
            "(Some(false), Some(true)) if v.guard.newer => false,",
            "(Some(false), Some(true)) if v.guard.newer || v.finalizer => false,",
        )],
    },
    Mutant {
        name: "no owner check",
        stands_for: "a lost status makes a second cluster",
        row: "a status lost",
        edits: &[(
            "src/decide/make.rs",
            r"    no_copies(v, last, rules)?;
    let list = owner_list(v, rules)?;
    if let Some(rival) = &list.rival {
        return rivalry(v, rival, rules);
    }
",
            "",
        )],
    },
    Mutant {
        name: "an owner check before the first attempt only",
        stands_for: "what the first attempt left is not looked for",
        row: "requests refused",
        edits: &[(
            "src/decide/make.rs",
            r"    no_copies(v, last, rules)?;
    let list = owner_list(v, rules)?;
    if let Some(rival) = &list.rival {
        return rivalry(v, rival, rules);
    }
",
            r"    if attempts == 0 {
    let list = owner_list(v, rules)?;
    if let Some(rival) = &list.rival {
        return rivalry(v, rival, rules);
    }
    }
",
        )],
    },
    Mutant {
        name: "a rival's cluster is passed over",
        stands_for: "a cluster is made beside one of the same name",
        row: "",
        edits: &[(
            "src/decide/make.rs",
            r"    if let Some(rival) = &list.rival {
        return rivalry(v, rival, rules);
    }
",
            "",
        )],
    },
    Mutant {
        name: "adoption without regard to the nonce",
        stands_for: "another object's cluster is adopted",
        row: "another's cluster adopted",
        edits: &[(
            "src/decide/make.rs",
            "Owner::Mine | Owner::Nobody => true,\n        Owner::Other { nonce, namesake } => {",
            "Owner::Mine | Owner::Nobody => true,\n        Owner::Other { nonce, namesake } => {\n            !nonce.as_str().is_empty() ||",
        )],
    },
    Mutant {
        name: "deletion without a mark",
        stands_for: "a cluster that lost our mark is deleted",
        row: "tags taken off by somebody else",
        edits: &[(
            "src/decide/owner.rs",
            "        Owner::Mine => Ok(()),",
            "        Owner::Mine | Owner::Nobody => Ok(()),",
        )],
    },
    Mutant {
        name: "half a minute after a refusal of the moment",
        stands_for: "a slow list hides the copy that was executed",
        row: "a copy after its twin was refused",
        edits: &[("src/decide/absence.rs", "*at + rules.copied()", "*at + rules.apart")],
    },
    Mutant {
        name: "let go at once after a refusal of the moment",
        stands_for: "the copy that was executed stays",
        row: "requests refused",
        edits: &[("src/decide/leave.rs", "    absence::no_copies(v, last, rules).map_err(blind)?;\n", "")],
    },
    Mutant {
        name: "let go at once after a lost status",
        stands_for: "nobody looks for its cluster",
        row: "a status lost",
        edits: &[(
            "src/decide/leave.rs",
            "    if blank {\n        lost",
            "    if blank && v.now < v.since {\n        lost",
        )],
    },
    Mutant {
        name: "a vanished cluster is made anew",
        stands_for: "without a word",
        row: "a failed cluster, made anew at a person's word",
        edits: &[(
            "src/decide/keep.rs",
            r"    if v.goal == Goal::Manage && v.said(&Word::Recreate(id.clone())) {
        return Ok(Step::Act(Act::Forget",
            r"    if v.goal == Goal::Manage {
        return Ok(Step::Act(Act::Forget",
        )],
    },
    Mutant {
        name: "a failed cluster is made anew",
        stands_for: "without a word",
        row: "a failed cluster, made anew at a person's word",
        edits: &[(
            "src/decide/keep.rs",
            r"    if v.goal == Goal::Manage && v.said(&Word::Recreate(id.clone())) {
        return leave::remove",
            r"    if v.goal == Goal::Manage {
        return leave::remove",
        )],
    },
    Mutant {
        name: "a foreign cluster is changed",
        stands_for: "the mark is not read before a change",
        row: "tags taken off, put back",
        edits: &[("src/decide/keep.rs", "        owner::owned(v, known, cluster, Reason::Updating, rules)?;\n", "")],
    },
    Mutant {
        name: "a doubtful cluster is changed",
        stands_for: "an adopted one that may be another than the one that was meant",
        row: "a cluster adopted that differs",
        edits: &[("src/decide/keep.rs", "let doubtful = known.adopted && drift.fixed;", "let doubtful = false;")],
    },
    Mutant {
        name: "a change is asked for at each look",
        stands_for: "what ACK takes and does not show",
        row: "",
        edits: &[(
            "src/decide/asked.rs",
            "    if v.now >= again { ask(before.times.saturating_add(1)) } else { May::Rest",
            "    if v.now >= at && again >= at { ask(before.times.saturating_add(1)) } else { May::Rest",
        )],
    },
];
