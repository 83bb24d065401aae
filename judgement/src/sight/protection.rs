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

/// The flag was switched on by this very word: whatever the spec says afterwards is younger.
fn raised(before: Option<Flag>) -> Option<Flag> {
    before.or(Some(Flag { word: Some(true), changed: false }))
}

/// What is kept of the flag when a create request is sealed: no earlier cluster's, and raised by this word where it asks for it.
pub fn sealed(word: Option<bool>) -> Option<Flag> {
    if word == Some(true) { raised(None) } else { None }
}

/// What is kept once the cloud shows `flag`. `quiet`: no change is under way that may just be raising it. `switched`: ACK took a
/// request in this pass to switch it so. One of which nobody knows whether it got there counts for nothing, or the console's
/// flag would be taken for ours.
pub fn seen(
    before: Option<Flag>,
    word: Option<bool>,
    flag: Option<bool>,
    quiet: bool,
    switched: Option<bool>,
) -> Option<Flag> {
    let before = if switched == Some(true) { raised(before) } else { before };
    match (flag, before) {
        // Whoever switches it on from here on is told apart by what ACK takes of us, also under a word that asks for it.
        (Some(false), _) if quiet && (word, switched) != (Some(true), Some(true)) => None,
        // ACK took the lowering: the word is used up by it, and where nothing else is shown the flag is off.
        (None, _) if switched == Some(false) => None,
        (Some(true), _) if switched == Some(false) => Some(Flag { word, changed: false }),
        // A word is given to a flag that is on. Where that is not shown, it may be another one that is on the next time.
        (Some(true), Some(before)) if before.word != word => Some(Flag { word, changed: true }),
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
        /// ACK took the raising, and the look after it shows the flag so.
        Raised(Option<bool>),
        /// A create request is sealed.
        Seals,
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
            ("made so by the spec, false before it is shown", &[YES, Seals, NO], true),
            ("raised by the spec, false before it is shown", &[YES, OFF, NO, Raised(Some(true))], true),
            (
                "asked for by the spec, off, and the console raises it under false",
                &[YES, ON, NO, YES, OFF, NO, ON],
                false,
            ),
            ("raised by the spec, false and off", &[YES, OFF, NO, Raised(Some(false)), ON], false),
            ("and off in between", &[YES, Seals, OFF, NO, OFF, ON], false),
            ("sealed anew under false", &[YES, Seals, NO, Seals, ON], false),
            ("once it was off, the console's next one is new", &[YES, ON, NO, ON, OFF, ON], false),
            ("a word is used up by the request that it allowed", &[YES, ON, NO, Lowered(Some(true)), ON], false),
            ("nor is it new where ACK does not show what it took", &[YES, ON, NO, Lowered(None), ON], false),
            ("what is not shown changes nothing", &[YES, ON, Shows(None), NO, Shows(None)], true),
        ] {
            let (mut word, mut flag) = (None, None);
            for step in then {
                match step {
                    Says(said) => word = *said,
                    Shows(shown) => flag = seen(flag, word, *shown, true, None),
                    Lowered(shown) => flag = seen(flag, word, *shown, true, Some(false)),
                    Raised(shown) => flag = seen(flag, word, *shown, true, Some(true)),
                    Seals => flag = sealed(word),
                }
            }
            assert_eq!(guard(word, flag), Guard { word, newer }, "{what}");
        }
    }

    #[test]
    fn a_new_request_begins_with_the_word_of_its_own() {
        assert_eq!(sealed(Some(true)), Some(Flag { word: Some(true), changed: false }));
        assert_eq!((sealed(Some(false)), sealed(None)), (None, None));
    }

    #[test]
    fn a_change_under_way_may_just_be_raising_it() {
        let before = Some(Flag { word: Some(false), changed: false });
        assert_eq!(seen(before, Some(false), Some(false), false, None), before);
        assert_eq!(seen(before, Some(false), Some(false), true, None), None);
    }
}
