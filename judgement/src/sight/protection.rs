//! The word of protection: whether the spec's `deletion_protection` is younger than the cloud's flag. Protection has its one
//! home here; an emergency protection from the console is never undone by a word that stood before it.

use crate::decide::Guard;

/// What the status keeps of the cloud's flag, from the moment in which it was first seen on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Flag {
    /// What the spec said of it when last looked at; absent is a word too.
    pub word: Option<bool>,
    /// That word was given after the flag was first seen on.
    pub changed: bool,
}

/// Lowering needs a word that is younger than the flag. Only the word itself counts: another edit of the spec says nothing of
/// the protection, nor does the mark of a deletion.
pub fn guard(word: Option<bool>, seen: Option<Flag>) -> Guard {
    Guard { word, newer: seen.is_some_and(|seen| seen.changed || seen.word != word) }
}

/// The flag is being switched on by this very word: whatever the spec says afterwards is younger.
pub fn raised(word: Option<bool>, before: Option<Flag>) -> Option<Flag> {
    before.or(Some(Flag { word, changed: false }))
}

/// What is kept once the cloud shows `flag`. `quiet`: no change is under way that may just be raising it. `lowered`: ACK took a
/// request to lower it in this pass, by which the word is used up.
pub fn seen(before: Option<Flag>, word: Option<bool>, flag: Option<bool>, quiet: bool, lowered: bool) -> Option<Flag> {
    match (flag, before) {
        (Some(false), _) if word != Some(true) && quiet => None,
        (Some(true), Some(_)) if lowered => Some(Flag { word, changed: false }),
        (_, Some(before)) if before.word != word => Some(Flag { word, changed: true }),
        (Some(true), None) => Some(Flag { word, changed: false }),
        (Some(_) | None, before) => before,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What happens one after the other.
    enum Then {
        /// The spec says so from now on.
        Says(Option<bool>),
        /// A look shows the flag so.
        Shows(Option<bool>),
        /// ACK took the lowering, and the look after it shows the flag so.
        Lowered(Option<bool>),
        /// The flag is switched on by the operator.
        Raises,
    }
    use Then::*;

    const ON: Then = Shows(Some(true));
    const OFF: Then = Shows(Some(false));

    #[test]
    fn only_a_word_that_was_given_after_the_flag_was_seen_lowers_it() {
        const YES: Then = Says(Some(true));
        const NO: Then = Says(Some(false));
        for (what, then, newer) in [
            ("the console raised it under false", &[NO, ON][..], false),
            ("and nothing else about the protection was said since", &[NO, ON, ON, ON], false),
            ("true, seen, then false", &[NO, ON, YES, ON, NO], true),
            ("true that was never seen says nothing", &[NO, ON, YES, NO], false),
            ("the word goes, and comes back", &[NO, ON, Says(None), ON, NO], true),
            ("a silent spec, then false", &[Says(None), ON, NO], true),
            ("a spec that asked for it, then false", &[YES, ON, NO], true),
            ("raised by the spec, false before it is shown", &[YES, Raises, NO], true),
            ("and seen in between", &[YES, Raises, OFF, NO, OFF, ON], false),
            ("once it was off, the console's next one is new", &[YES, ON, NO, ON, OFF, ON], false),
            ("a word is used up by the request that it allowed", &[YES, ON, NO, Lowered(Some(true)), ON], false),
            ("what is not shown changes nothing", &[YES, ON, Shows(None), NO, Shows(None)], true),
        ] {
            let (mut word, mut flag) = (None, None);
            for step in then {
                match step {
                    Says(said) => word = *said,
                    Shows(shown) => flag = seen(flag, word, *shown, true, false),
                    Lowered(shown) => flag = seen(flag, word, *shown, true, true),
                    Raises => flag = raised(word, flag),
                }
            }
            assert_eq!(guard(word, flag), Guard { word, newer }, "{what}");
        }
    }

    #[test]
    fn a_change_under_way_may_just_be_raising_it() {
        let before = Some(Flag { word: Some(false), changed: false });
        assert_eq!(seen(before, Some(false), Some(false), false, false), before);
        assert_eq!(seen(before, Some(false), Some(false), true, false), None);
    }
}
