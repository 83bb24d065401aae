//! The seal, the writes of the shell, the constants, and who comes first. Data only.

use super::Mutant;

pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "a seal without resourceVersion",
        stands_for: "two operators seal the same attempt",
        row: "two operators, the object deleted",
        edits: &[(
            "tests/proof/model/shell.rs",
            "let landed = current && w.write(seal);",
            "let landed = w.object.is_some_and(|o| o.uid == pass.uid) && w.write(seal);",
        )],
    },
    Mutant {
        name: "signed with now",
        stands_for: "a process that wakes late sends a request that still lives",
        row: "an operator that crashes and sleeps",
        edits: &[("tests/proof/model/shell.rs", "date: intent.date,", "date: pass.skew,")],
    },
    Mutant {
        name: "no W in the bound",
        stands_for: "the window is not waited for",
        row: "an operator that crashes and sleeps",
        edits: &[("src/decide/rules.rs", "self.window + self.listed + self.skew", "self.listed + self.skew")],
    },
    Mutant {
        name: "no L in the bound",
        stands_for: "the lag of the list is not waited for",
        row: "a list that lags more or less",
        edits: &[("src/decide/rules.rs", "self.window + self.listed + self.skew", "self.window + self.skew")],
    },
    Mutant {
        name: "no S in the bound",
        stands_for: "clocks are taken for equal",
        row: "two lists without a pause",
        edits: &[("src/decide/rules.rs", "self.window + self.listed + self.skew", "self.window + self.listed")],
    },
    Mutant {
        name: "no backdate",
        stands_for: "a date ahead of the gateway outlives its nonce",
        row: "clocks a tick off",
        edits: &[("tests/proof/model/shell.rs", "let date = pass.skew - SKEW;", "let date = pass.skew;")],
    },
    Mutant {
        name: "finalizer after the cluster",
        stands_for: "an object can be deleted while its cluster is asked for",
        row: "an operator that crashes and sleeps",
        edits: &[
            (
                "src/decide/mod.rs",
                "(Manage | Observe | Pause, Sealed { .. } | Known(_)) if !v.finalizer",
                "(Manage | Observe | Pause, Known(_)) if !v.finalizer",
            ),
            ("src/decide/make.rs", "    held(v, rules)?;\n    Ok(Step::Act(Act::Seal", "    Ok(Step::Act(Act::Seal"),
        ],
    },
    Mutant {
        name: "an open intent is let go",
        stands_for: "the finalizer goes while a request may live",
        row: "an operator that crashes and sleeps",
        edits: &[
            (
                "src/decide/mod.rs",
                "        (_, Sealed { intent, mine, said })",
                r"        (Destroy, Sealed { mine: false, .. }) => Step::Act(Act::Release(delete_free())),
        (_, Sealed { intent, mine, said })",
            ),
            (
                "src/decide/mod.rs",
                "fn paused(rules: &Rules) -> Verdict {",
                r"fn delete_free() -> Free {
    Free::NeverMade
}

fn paused(rules: &Rules) -> Verdict {",
            ),
        ],
    },
    Mutant {
        name: "a record over another id",
        stands_for: "an answer that comes late replaces the id that is stored",
        row: "two operators, a failed cluster made anew",
        edits: &[(
            "tests/proof/model/shell.rs",
            "let free = there.filter(|o| o.status.known.is_none());",
            "let free = there;",
        )],
    },
    Mutant {
        name: "the account is not compared",
        stands_for: "whoever the credentials belong to",
        row: "other credentials at any moment",
        edits: &[(
            "src/decide/mod.rs",
            "if now == account {",
            "if !now.as_str().is_empty() && !account.as_str().is_empty() {",
        )],
    },
    Mutant {
        name: "the region is not pinned",
        stands_for: "the spec's region instead of the cluster's",
        row: "another region",
        edits: &[(
            "tests/proof/model/world.rs",
            "pinned.map_or(self.region, |place| place.region)",
            "pinned.map_or(self.region, |_| self.region)",
        )],
    },
    Mutant {
        name: "a release without resourceVersion",
        stands_for: "after delete and recreate the new object loses its finalizer",
        row: "two operators, an object of the same name",
        edits: &[(
            "tests/proof/model/shell.rs",
            r"            Act::Release(free) => {
                if current {",
            r"            Act::Release(free) => {
                if w.object.is_some() {",
        )],
    },
    Mutant {
        name: "a close without resourceVersion",
        stands_for: "a late answer closes the next attempt",
        row: "two operators, all copies",
        edits: &[(
            "tests/proof/model/shell.rs",
            "current && w.write(|o| o.close(given::closed(&how)))",
            "w.write(|o| o.close(given::closed(&how)))",
        )],
    },
];
