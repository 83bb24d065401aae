//! What holds of views that nobody thought of: any standing with any evidence, whether or not it can come about. Cases that
//! were found stay in the source, as rows.

/// Views, drawn at random.
mod drawn;

use ack_judgement::decide::{Act, Goal, Rules, Sent, Standing, Step, decide};
use libtest_mimic::Trial;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::views::total::sound;
use drawn::{Draw, answer, done, rules, view};

pub fn tests() -> Vec<Trial> {
    let row = |name: &str, test: fn()| {
        Trial::test(format!("properties: {name}"), move || {
            test();
            Ok(())
        })
    };
    vec![
        row("the judgement has one answer for any view and comes to an end", one_answer),
        row("nothing is sent but what was sealed here and in time", sent),
        row("what was done is not done again", not_again),
    ]
}

/// Tries `holds` with so many inputs, and shrinks the first that fails.
fn check<S: Strategy>(cases: u32, inputs: &S, holds: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    if let Err(error) = TestRunner::new(config).run(inputs, holds) {
        panic!("{error}");
    }
}

/// More looks than any pass needs.
const LOOKS: usize = 16;

fn dice() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 160)
}

fn one_answer() {
    check(5_000, &dice(), |dice| {
        let mut draw = Draw::new(&dice);
        let (rules, mut view) = (rules(&mut draw), view(&mut draw));
        for _ in 0..LOOKS {
            let step = decide(&view, &rules);
            prop_assert_eq!(&step, &decide(&view.clone(), &rules));
            prop_assert_eq!(sound(&view, &step, &rules), Ok(()));
            let Step::Look(look) = step else { return Ok(()) };
            view.seen.take(answer(&look, &mut draw));
        }
        Err(TestCaseError::fail("it never ends"))
    });
}

fn sent() {
    let rules = Rules::default();
    check(5_000, &dice(), |dice| {
        let view = view(&mut Draw::new(&dice));
        let step = decide(&view, &rules);
        let sends = matches!(step, Step::Act(Act::Send { .. }));
        let Standing::Sealed { intent, mine, said: _ } = &view.standing else {
            prop_assert!(!sends, "without a seal");
            return Ok(());
        };
        let answered = matches!(&view.seen.sent, Some((nonce, _)) if *nonce == intent.nonce);
        let created = matches!(&view.seen.sent, Some((_, Sent::Created(..))));
        let held = !view.finalizer || view.goal != Goal::Manage;
        prop_assert!(!(sends && (!mine || answered || created || held)));
        if let Step::Act(Act::Send { not_after }) = step {
            prop_assert!(not_after < intent.date + rules.window, "the gateway would still take a copy after W");
        }
        Ok(())
    });
}

fn not_again() {
    check(5_000, &dice(), |dice| {
        let mut draw = Draw::new(&dice);
        let (rules, mut view) = (rules(&mut draw), view(&mut draw));
        for _ in 0..LOOKS {
            match decide(&view, &rules) {
                Step::Rest(_) => return Ok(()),
                Step::Look(look) => view.seen.take(answer(&look, &mut draw)),
                Step::Act(act) => {
                    let Some(after) = done(&view, &act, &mut draw) else { return Ok(()) };
                    prop_assert_ne!(decide(&after, &rules), Step::Act(act));
                    return Ok(());
                }
            }
        }
        Err(TestCaseError::fail("it never ends"))
    });
}
