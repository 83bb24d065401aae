//! One mutation a promise that was once broken, and one a function of sight. Data only.

use super::Mutant;

pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "trust ignores the group",
        stands_for: "keys that see another resource group vouch for all",
        row: "keys that see another resource group",
        edits: &[(
            "src/sight/list.rs",
            "(None, Group::Named(_) | Group::Unknown) => false,",
            "(None, Group::Named(_) | Group::Unknown) => true,",
        )],
    },
    Mutant {
        name: "trust ignores the region",
        stands_for: "a neighbour anywhere vouches",
        row: "",
        edits: &[(
            "src/sight/list.rs",
            r#"            && other.region.as_ref() == Some(&sought.site.region)
"#,
            "",
        )],
    },
    Mutant {
        name: "undecided is ignored after a refusal",
        stands_for: "a cluster whose tags come late is another one",
        row: "tags that come after the cluster",
        edits: &[(
            "src/decide/absence.rs",
            r#"    undecided(v, list, nonce, rules)
}"#,
            r#"    if nonce.is_some_and(|nonce| nonce.as_str().is_empty()) { undecided(v, list, nonce, rules) } else { Ok(()) }
}"#,
        )],
    },
    Mutant {
        name: "no cluster without tags is undecided",
        stands_for: "a list is believed before it shows tags",
        row: "tags that come after the cluster",
        edits: &[
            (
                "src/sight/list.rs",
                "(named && cluster.bare() && open)",
                "(named && cluster.bare() && open && list_is_early())",
            ),
            (
                "src/sight/list.rs",
                "/// Living clusters of this installation that",
                r#"fn list_is_early() -> bool {
    false
}

/// Living clusters of this installation that"#,
            ),
        ],
    },
    Mutant {
        name: "the refused site is not listed",
        stands_for: "the region of the spec instead",
        row: "the region moved after a refusal",
        edits: &[(
            "src/decide/absence.rs",
            "if last.site.region == v.region {",
            "if last.site.region == v.region || !v.region.as_str().is_empty() {",
        )],
    },
    Mutant {
        name: "a name taken counts as definite",
        stands_for: "a copy has made the cluster of that name",
        row: "a name that is taken already",
        edits: &[(
            "src/terms.rs",
            r#"    pub fn momentary(self) -> bool {
        use Class::*;
"#,
            r#"    pub fn momentary(self) -> bool {
        use Class::*;
        if self == Taken {
            return false;
        }
"#,
        )],
    },
    Mutant {
        name: "a refusal in unknown words counts as definite",
        stands_for: "a copy may have fared otherwise",
        row: "a refusal in words",
        edits: &[(
            "src/terms.rs",
            r#"    pub fn momentary(self) -> bool {
        use Class::*;
"#,
            r#"    pub fn momentary(self) -> bool {
        use Class::*;
        if self == Refused {
            return false;
        }
"#,
        )],
    },
    Mutant {
        name: "a stored nonce is believed",
        stands_for: "a restored status owns production",
        row: "a status restored under another uid, taken over",
        edits: &[(
            "src/sight/marks.rs",
            "self.nonces.contains(&Nonce::from(nonce))",
            "self.nonces.contains(&Nonce::from(nonce)) || self.inherited.as_ref().is_some_and(|own| own.as_str() == nonce)",
        )],
    },
    Mutant {
        name: "a mark seen by another uid counts",
        stands_for: "a restored status proves a mark",
        row: "",
        edits: &[("src/sight/object.rs", "Some(_) => Mark::Another,", "Some(_) => Mark::Seen,")],
    },
    Mutant {
        name: "another's mark is as good",
        stands_for: "an answer named a stranger's cluster",
        row: "an answer that names another's cluster",
        edits: &[(
            "src/decide/owner.rs",
            "        Owner::Mine => Ok(()),",
            "        Owner::Mine | Owner::Other { .. } => Ok(()),",
        )],
    },
    Mutant {
        name: "another's mark is overwritten",
        stands_for: "without a person's word",
        row: "a cluster adopted by two operators",
        edits: &[(
            "src/decide/owner.rs",
            "Owner::Other { nonce, .. } if v.said(&Word::TakeOver(nonce.clone())) => wanted(),",
            "Owner::Other { nonce, .. } if !nonce.as_str().is_empty() => wanted(),",
        )],
    },
    Mutant {
        name: "adoption without a mark",
        stands_for: "two objects manage one cluster",
        row: "a cluster adopted by two operators",
        edits: &[(
            "src/decide/owner.rs",
            "        Owner::Nobody if known.mark == Mark::Seen ||",
            r#"        Owner::Nobody if known.adopted => Ok(()),
        Owner::Nobody if known.mark == Mark::Seen ||"#,
        )],
    },
    Mutant {
        name: "a claim is not seen",
        stands_for: "another object records the cluster",
        row: "a cluster adopted that another object records",
        edits: &[(
            "src/sight/list.rs",
            "let other = recorded.iter().find(|other| other.uid != me.uid && other.id == *cluster.id);",
            "let other = recorded.iter().find(|other| other.uid == me.name && other.id == *cluster.id);",
        )],
    },
    Mutant {
        name: "a second cluster in the list is not seen",
        stands_for: "the glance looks for its own id only",
        row: "",
        edits: &[("src/sight/list.rs", "        return Glance::Crowded;", "        return Glance::Changed;")],
    },
    Mutant {
        name: "adopting hides an attempt",
        stands_for: "a copy of a refused request was executed",
        row: "a cluster adopted after a refusal",
        edits: &[(
            "src/decide/make.rs",
            r#"    let account = ask(v, rules, &v.seen.account, Look::Account)?;
    no_copies(v, last, rules)?;
"#,
            r#"    let account = ask(v, rules, &v.seen.account, Look::Account)?;
    if v.goal == Goal::Observe {
        no_copies(v, last, rules)?;
    }
"#,
        )],
    },
    Mutant {
        name: "every look is a new word of protection",
        stands_for: "an edit, or nothing at all, undoes the console's flag",
        row: "protection here and in the console",
        edits: &[(
            "src/sight/protection.rs",
            "(Some(true), Some(before)) if before.word != word =>",
            "(Some(true), Some(before)) if before.word != word || word.is_some() =>",
        )],
    },
    Mutant {
        name: "a flag that was seen off is still the old one",
        stands_for: "what the console raises next goes by an old word",
        row: "protection here and in the console",
        edits: &[(
            "src/sight/protection.rs",
            "(Some(false), _) if quiet && (word, switched) != (Some(true), Some(true)) => None,",
            "(Some(false), _) if quiet && word != Some(true) => None,",
        )],
    },
    Mutant {
        name: "a lowering of which nobody knows is repeated",
        stands_for: "the console's flag goes by a word that was used",
        row: "protection here and in the console",
        edits: &[("src/decide/asked.rs", "asked.times > 1 && !known", "asked.times > 2 && !known")],
    },
    Mutant {
        name: "a call is sent however late",
        stands_for: "a process that sleeps between the write and the call",
        row: "protection here and in the console",
        edits: &[(
            "src/decide/asked.rs",
            "not_after: cluster.read + rules.allowed()",
            "not_after: cluster.read + rules.window",
        )],
    },
    Mutant {
        name: "the detail is not read last",
        stands_for: "a slow list lies between it and the call",
        row: "",
        edits: &[(
            "src/decide/asked.rs",
            "    if !v.seen.fresh {",
            "    if !v.seen.fresh && v.finalizer && v.streak == u32::MAX {",
        )],
    },
    Mutant {
        name: "what is asked is not remembered",
        stands_for: "a restart asks again",
        row: "a change asked, lost",
        edits: &[(
            "src/decide/asked.rs",
            "        remember,\n        date: cluster.read,",
            "        remember: remember.into_iter().take(0).collect(),\n        date: cluster.read,",
        )],
    },
    Mutant {
        name: "what somebody undoes is set back each time",
        stands_for: "two writers without end",
        row: "a change asked, lost",
        edits: &[(
            "src/decide/asked.rs",
            "Some(End::Shown) if before.times < 2 => return ask(2),",
            "Some(End::Shown) if before.times < 9 => return ask(2),",
        )],
    },
    Mutant {
        name: "a refused request is made again at once",
        stands_for: "ACK's no is not remembered",
        row: "a change asked, lost",
        edits: &[(
            "src/decide/asked.rs",
            "Some(End::Refused(note)) => (at + rules.slow, Why::Refused(note)),",
            "Some(End::Refused(note)) => (at, Why::Refused(note)),",
        )],
    },
    Mutant {
        name: "a lost status is not blank",
        stands_for: "a finalizer without an intent says nothing",
        row: "a status lost, metadata wiped",
        edits: &[(
            "src/sight/object.rs",
            "object.finalizer && status.intent.is_none()",
            "object.finalizer && status.adopted && status.intent.is_none()",
        )],
    },
    Mutant {
        name: "the finalizer goes although a rival stands there",
        stands_for: "what a lost status may have made is left",
        row: "",
        edits: &[(
            "src/decide/leave.rs",
            r#"    if let Some(rival) = &list.rival {
        let note = format!(
            "the status"#,
            r#"    if let Some(rival) = list.rival.as_ref().filter(|rival| rival.going) {
        let note = format!(
            "the status"#,
        )],
    },
    Mutant {
        name: "no keys, so it goes",
        stands_for: "nobody said that there is no cluster",
        row: "no keys, and an object",
        edits: &[(
            "src/decide/once.rs",
            "        Goal::Destroy | Goal::Release if confirmed =>",
            "        Goal::Destroy | Goal::Release if confirmed || v.finalizer =>",
        )],
    },
    Mutant {
        name: "what is known where the keys are others' is gone",
        stands_for: "another account's list is believed",
        row: "keys of another account that are said",
        edits: &[(
            "src/decide/absence.rs",
            "if list.trusted || *ask(v, rules, &v.seen.trace",
            "if list.trusted || list.whole || *ask(v, rules, &v.seen.trace",
        )],
    },
];
