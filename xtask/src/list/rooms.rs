//! Beginning, keeping and letting go. Data only.

use super::Mutant;

pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "attempt number forgotten",
        stands_for: "each attempt has the nonce of the first",
        row: "an operator that crashes and sleeps",
        edits: &[("src/decide/create.rs", "Act::Seal { attempt: attempts + 1 }", "Act::Seal { attempt: 1 }")],
    },
    Mutant {
        name: "a torn list proves that the name is free",
        stands_for: "the owner check takes any list",
        row: "a status lost",
        edits: &[(
            "src/decide/create.rs",
            r"    if !list.whole {
        return Err(Step::Rest(once::torn(v, rules)));
    }
",
            "",
        )],
    },
    Mutant {
        name: "a torn list proves a cluster gone",
        stands_for: "the third proof is not whole",
        row: "details missed",
        edits: &[("src/decide/delete.rs", "if list.began < first || !list.whole {", "if list.began < first {")],
    },
    Mutant {
        name: "any 404 is gone",
        stands_for: "not only ErrorClusterNotFound",
        row: "",
        edits: &[(
            "src/decide/delete.rs",
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
            "src/decide/delete.rs",
            "_ => return Err(again(v.now + rules.apart, v.now)),",
            "_ => v.now - rules.apart,",
        )],
    },
    Mutant {
        name: "gone without a list",
        stands_for: "details alone are believed",
        row: "details missed",
        edits: &[(
            "src/decide/delete.rs",
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
            ("src/decide/delete.rs", "Look::Listing { began_after: first }", "Look::Listing { began_after: v.since }"),
            ("src/decide/delete.rs", "if list.began < first || !list.whole {", "if !list.whole {"),
        ],
    },
    Mutant {
        name: "what was never seen is gone at once",
        stands_for: "the lag of the detail is not waited for",
        row: "a list that lags more or less",
        edits: &[("src/decide/delete.rs", "if !known.met && v.now < known.believe_after {", "if false {")],
    },
    Mutant {
        name: "protection is not read first",
        stands_for: "DELETE is left to ACK to refuse",
        row: "protection here",
        edits: &[(
            "src/decide/delete.rs",
            r"    unprotected(v, id, cluster, rules)?;
",
            "",
        )],
    },
    Mutant {
        name: "a missing flag is off",
        stands_for: "an answer that does not tell the protection",
        row: "protection here",
        edits: &[(
            "src/decide/delete.rs",
            r#"(None, None) => Err(waits("deletion waits: ACK does not say whether the cluster's deletion protection is on")),"#,
            "(None, None) => Ok(()),",
        )],
    },
    Mutant {
        name: "a silent spec does not protect",
        stands_for: "the flag in the cloud counts for nothing",
        row: "protection here",
        edits: &[(
            "src/decide/delete.rs",
            r#"(None, Some(true)) => Err(waits("deletion waits: the cluster's deletion protection is on in ACK")),"#,
            "(None, Some(true)) => Ok(()),",
        )],
    },
    Mutant {
        name: "old words lift a protection, deleting",
        stands_for: "an emergency protection is undone",
        row: "protection here",
        edits: &[(
            "src/decide/delete.rs",
            "(Some(false), Some(true)) if !v.guard.newer => Err(waits(",
            "(Some(false), Some(true)) if false => Err(waits(",
        )],
    },
    Mutant {
        name: "old words lift a protection, living",
        stands_for: "an emergency protection is undone",
        row: "protection here",
        edits: &[(
            "src/decide/change.rs",
            "(Some(false), Some(true)) if v.guard.newer => false,",
            "(Some(false), Some(true)) => false,",
        )],
    },
    Mutant {
        name: "no owner check",
        stands_for: "a lost status makes a second cluster",
        row: "a status lost",
        edits: &[(
            "src/decide/create.rs",
            r"    let list = owner_list(v, copies_until(v, last, rules).unwrap_or(v.since), rules)?;
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
            "src/decide/create.rs",
            r"    let list = owner_list(v, copies_until(v, last, rules).unwrap_or(v.since), rules)?;
    if let Some(rival) = &list.rival {
        return rivalry(v, rival, rules);
    }
",
            r"    if attempts == 0 {
    let list = owner_list(v, copies_until(v, last, rules).unwrap_or(v.since), rules)?;
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
            "src/decide/create.rs",
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
        row: "",
        edits: &[(
            "src/decide/create.rs",
            "Owner::Mine | Owner::Nobody => {\n            let site",
            "Owner::Mine | Owner::Nobody | Owner::Other(_) => {\n            let site",
        )],
    },
    Mutant {
        name: "deletion without a mark",
        stands_for: "a cluster that lost our mark is deleted",
        row: "",
        edits: &[("src/decide/delete.rs", "Owner::Nobody => known.adopted,", "Owner::Nobody => return Ok(()),")],
    },
    Mutant {
        name: "half a minute after a refusal of the moment",
        stands_for: "a slow list hides the copy that was executed",
        row: "a copy after its twin was refused",
        edits: &[("src/decide/create.rs", "*at + rules.copied()", "*at + rules.apart")],
    },
    Mutant {
        name: "let go at once after a refusal of the moment",
        stands_for: "the copy that was executed stays",
        row: "requests refused",
        edits: &[(
            "src/decide/delete.rs",
            "create::copies_until(v, last, rules).or(blank.then_some(v.since))",
            "blank.then_some(v.since)",
        )],
    },
    Mutant {
        name: "let go at once after a lost status",
        stands_for: "nobody looks for its cluster",
        row: "a status lost",
        edits: &[(
            "src/decide/delete.rs",
            "create::copies_until(v, last, rules).or(blank.then_some(v.since))",
            "create::copies_until(v, last, rules)",
        )],
    },
    Mutant {
        name: "a vanished cluster is made anew",
        stands_for: "without a word",
        row: "a failed cluster, made anew at a person's word",
        edits: &[(
            "src/decide/change.rs",
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
            "src/decide/change.rs",
            r"    if v.goal == Goal::Manage && v.said(&Word::Recreate(id.clone())) {
        return delete::remove",
            r"    if v.goal == Goal::Manage {
        return delete::remove",
        )],
    },
    Mutant {
        name: "a foreign cluster is changed",
        stands_for: "the mark is not read before a change",
        row: "",
        edits: &[(
            "src/decide/change.rs",
            r"    owned(v, known, cluster, rules)?;
    if let Some((Deed::Change(_), Err(trouble))) = &v.seen.acted",
            "    if let Some((Deed::Change(_), Err(trouble))) = &v.seen.acted",
        )],
    },
    Mutant {
        name: "a doubtful cluster is changed",
        stands_for: "an adopted one that may be another than the one that was meant",
        row: "",
        edits: &[("src/decide/change.rs", "let doubtful = known.adopted && drift.fixed;", "let doubtful = false;")],
    },
    Mutant {
        name: "a change is asked for at each look",
        stands_for: "what ACK takes and does not show",
        row: "",
        edits: &[(
            "src/decide/change.rs",
            "if v.now >= again {\n        return ask();",
            "if v.now >= at {\n        return ask();",
        )],
    },
    Mutant {
        name: "a change and a kubeconfig in one pass",
        stands_for: "each takes the other's memory",
        row: "",
        edits: &[("src/decide/change.rs", "Some((Deed::Publish | Deed::Change(_), _)))", "Some((Deed::Publish, _)))")],
    },
];
