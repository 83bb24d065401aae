//! Proving that there is no cluster, and what people answer. Data only.

use super::Mutant;

pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "unknown taken for refused",
        stands_for: "a lost answer closes the attempt",
        row: "an operator that crashes and sleeps",
        edits: &[(
            "src/decide/once.rs",
            "    let Some(Sent::Refused(class, note)) = sent else { return None };\n",
            r"    let (class, note) = match sent {
        Some(Sent::Refused(class, note)) => (class, note),
        Some(Sent::Unknown(note)) => (&Class::User, note),
        _ => return None,
    };
",
        )],
    },
    Mutant {
        name: "a torn list proves an absence",
        stands_for: "pages that do not fit are taken for whole",
        row: "lists torn",
        edits: &[(
            "src/decide/once.rs",
            r"    if !list.whole {
        return Err(Step::Rest(torn(v, &intent.site.region, rules)));
    }
",
            "",
        )],
    },
    Mutant {
        name: "one list proves an absence",
        stands_for: "a cluster that slipped between two pages",
        row: "lists filtered",
        edits: &[("src/decide/once.rs", "if first.is_none() {", "if false {")],
    },
    Mutant {
        name: "a list begun too early is believed",
        stands_for: "what counts is when it was read",
        row: "two lists without a pause",
        edits: &[("src/decide/once.rs", "if list.began < late_enough {", "if v.now < late_enough {")],
    },
    Mutant {
        name: "a filtered list is believed",
        stands_for: "credentials that see nothing of ours",
        row: "lists filtered",
        edits: &[("src/decide/once.rs", "if !list.trusted && !rules.lists_complete {", "if false {")],
    },
    Mutant {
        name: "the first of two lists may be filtered",
        stands_for: "only the second must show a cluster of ours",
        row: "lists filtered",
        edits: &[(
            "src/decide/once.rs",
            "    believed(v, intent, list, rules)?;",
            "    if first.is_some() {\n        believed(v, intent, list, rules)?;\n    }",
        )],
    },
    Mutant {
        name: "a person's word beside an old list",
        stands_for: "the list was read before the word counts",
        row: "a person who is wrong",
        edits: &[(
            "src/decide/once.rs",
            "if !(confirmed && list.began >= counts) {",
            "if !(confirmed && v.now >= counts) {",
        )],
    },
    Mutant {
        name: "a person's word counts at once",
        stands_for: "while a copy may live",
        row: "a person who is wrong",
        edits: &[("src/decide/once.rs", "if !(confirmed && list.began >= counts) {", "if !confirmed {")],
    },
    Mutant {
        name: "a person's word for any attempt",
        stands_for: "an old answer confirms a new attempt",
        row: "a person who is wrong",
        edits: &[(
            "src/decide/once.rs",
            "let confirmed = v.said(&Word::ConfirmAbsent(intent.nonce.clone()));",
            "let confirmed = v.words.iter().any(|word| matches!(word, Word::ConfirmAbsent(_)));",
        )],
    },
    Mutant {
        name: "a second attempt without the fence",
        stands_for: "a gateway that takes old dates",
        row: "a gateway that takes old dates",
        edits: &[("src/decide/once.rs", "if !*ask(v, rules, &v.seen.fence, Look::Fence)? {", "if false {")],
    },
    Mutant {
        name: "a request is sent again",
        stands_for: "while its outcome is unknown",
        row: "an operator that crashes and sleeps",
        edits: &[
            (
                "src/decide/once.rs",
                "if mine && sent.is_none() {",
                "if mine && !matches!(sent, Some(Sent::Refused(..))) {",
            ),
            (
                "tests/proof/model/world.rs",
                "Pass { sent: Some((attempt, sent)), ..Pass::new",
                "Pass { sent: Some((attempt, sent)), token: true, ..Pass::new",
            ),
        ],
    },
    Mutant {
        name: "another's seal is sent",
        stands_for: "whoever finds it sends it",
        row: "an operator that crashes and sleeps",
        edits: &[("src/decide/once.rs", "if mine && sent.is_none() {", "if sent.is_none() {")],
    },
    Mutant {
        name: "a late answer is taken for the present attempt",
        stands_for: "its nonce is not compared",
        row: "two operators, all copies",
        edits: &[("src/decide/once.rs", ".filter(|(nonce, _)| *nonce == intent.nonce)", ".filter(|_| true)")],
    },
    Mutant {
        name: "throttled for good",
        stands_for: "no copy is feared after throttling",
        row: "requests refused",
        edits: &[(
            "src/terms.rs",
            "    pub fn momentary(self) -> bool {\n        use Class::*;\n",
            "    pub fn momentary(self) -> bool {\n        use Class::*;\n        if self == Throttled {\n            return false;\n        }\n",
        )],
    },
    Mutant {
        name: "a list dated ahead of our clock is believed",
        stands_for: "a gateway whose clock is wrong",
        row: "",
        edits: &[("src/decide/absence.rs", "if list.ahead <= rules.skew {", "if true {")],
    },
    Mutant {
        name: "a stored bound shortens our own",
        stands_for: "changed constants undo a proof",
        row: "",
        edits: &[(
            "src/decide/once.rs",
            "intent.believe_after.max(intent.date + rules.believable())",
            "intent.believe_after",
        )],
    },
];
