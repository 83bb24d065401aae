//! Who takes part in what. The small spaces are walked by every run of the tests, the large ones by `make prove`.

use super::promises::*;
use super::*;

use May::*;

/// One operator, which may sleep through a whole resolution.
fn one(may: &'static [May]) -> Sim {
    let rules =
        Rules { apart: ticks(APART), slow: ticks(1), ..Rules::timed(ticks(WINDOW), ticks(LISTED), ticks(SKEW)) };
    let sleep = WINDOW + LISTED + SKEW + APART + 1;
    Sim {
        rules,
        workers: 1,
        may,
        lag: LISTED,
        sleep,
        spread: 0,
        calm: false,
        moment: Class::Throttled,
        begun: false,
        stranger: None,
        adopt: false,
        doubt: false,
        claimed: false,
        paced: false,
    }
}

/// One that sleeps less.
fn awake(may: &'static [May]) -> Sim {
    Sim { sleep: 2, ..one(may) }
}

fn calm(may: &'static [May]) -> Sim {
    Sim { calm: true, ..awake(may) }
}

/// One whose cluster runs already.
fn begun(may: &'static [May]) -> Sim {
    Sim { begun: true, sleep: 1, ..one(may) }
}

fn two(may: &'static [May]) -> Sim {
    Sim { workers: 2, sleep: 1, ..one(may) }
}

fn three(may: &'static [May]) -> Sim {
    Sim { workers: 3, ..two(may) }
}

/// A list that lags two ticks, and rules that know it.
fn slower(sim: Sim) -> Sim {
    Sim { lag: 2, rules: Rules { listed: ticks(2), ..sim.rules.clone() }, ..sim }
}

/// The second list follows the first at once.
fn hasty(sim: Sim) -> Sim {
    Sim { rules: Rules { apart: ticks(0), ..sim.rules.clone() }, ..sim }
}

const LIFE: &[&str] = &[RUNS, LATE, AGAIN, RELEASED];
const COPIES: &[&str] = &[RUNS, LATE, AGAIN, RELEASED, TWICE];

pub(super) fn small() -> Vec<Row> {
    let row = |name, sim, reached| Row { name, sim, reached };
    vec![
        row("an operator that crashes and sleeps, on lists as old as they may be", one(&[Crash, Delete, Share]), LIFE),
        row("a list without lag", Sim { lag: 0, ..one(&[Crash, Delete, Refuse, Twin]) }, COPIES),
        row("a list that lags more or less", slower(one(&[Crash, Delete, Early])), LIFE),
        row("two lists without a pause", hasty(one(&[Crash, Delete, Share])), LIFE),
        row("requests refused, delivered twice, either in any order", one(&[Crash, Delete, Refuse, Twin]), COPIES),
        row(
            "a copy after its twin was refused, on a slow list",
            Sim { spread: SKEW, ..slower(one(&[Delete, Refuse, Twin])) },
            COPIES,
        ),
        row("clocks a tick off", awake(&[Crash, Delete, Skew, Refuse, Twin]), COPIES),
        row("lists torn, looks failed", awake(&[Crash, Delete, Trouble, Tear]), LIFE),
        row("lists filtered, and one that a cluster slipped out of", awake(&[Crash, Delete, Filter, Slip]), LIFE),
        row("details missed, lists torn", awake(&[Delete, Blind, Tear]), LIFE),
        row("a detail missed and a list slipped", Sim { lag: 0, ..awake(&[Delete, Miss, Slip]) }, LIFE),
        row("a stale cache", awake(&[Crash, Delete, Stale]), LIFE),
        row("paused, confirmed absent, deleted in the console", awake(&[Crash, Delete, Pause, Confirm, Vanish]), LIFE),
        row("a person who is wrong", one(&[Crash, Delete, Confirm, Wrong]), LIFE),
        row("a status lost, metadata wiped", awake(&[Crash, Delete, Lose, Wipe, Tear]), LIFE),
        row("protection here and in the console", begun(&[Crash, Delete, Protect, Mute]), &[RUNS, RELEASED, WAITS]),
        row("other credentials at any moment", awake(&[Crash, Delete, Swap]), &[RUNS, LATE, AGAIN, RELEASED, STRANGE]),
        row(
            "other credentials after a refusal, while a copy was executed",
            one(&[Refuse, Twin, Swap]),
            &[RUNS, LATE, AGAIN, TWICE, STRANGE],
        ),
        row(
            "another region once the spec is unlocked",
            awake(&[Delete, Move, Fail]),
            &[RUNS, LATE, AGAIN, RELEASED, ANEW],
        ),
        row(
            "a failed cluster, made anew at a person's word",
            awake(&[Crash, Delete, Fail, Wrong]),
            &[RUNS, LATE, AGAIN, RELEASED, ANEW],
        ),
        row(
            "a cluster kept, an object of the same name made anew",
            Sim { sleep: 0, ..one(&[Delete, Retain, Renew]) },
            &[RUNS, LATE, AGAIN, RELEASED, KEPT, RIVAL],
        ),
        row("a gateway that takes old dates, while the fence is probed", one(&[Crash, Delete, Old]), LIFE),
        row("each state comes to rest by itself", calm(&[Crash, Delete, Refuse, Twin, Share]), COPIES),
        row("each state comes to rest after losses", calm(&[Crash, Delete, Lose, Wipe]), LIFE),
        row(
            "each state comes to rest whoever's credentials",
            calm(&[Delete, Swap]),
            &[RUNS, LATE, AGAIN, RELEASED, STRANGE],
        ),
        row("two operators, the object deleted at any moment", two(&[Crash, Delete]), LIFE),
        row(
            "two operators, requests refused and delivered twice",
            two(&[Crash, Refuse, Twin]),
            &[RUNS, LATE, AGAIN, TWICE],
        ),
    ]
}

/// At least 20 million states together.
pub(super) fn large() -> Vec<Row> {
    let row = |name, sim, reached| Row { name, sim, reached };
    vec![
        row("three operators", Sim { sleep: 0, ..three(&[]) }, &[RUNS, LATE, AGAIN]),
        row("two operators, an object of the same name made anew", Sim { sleep: 0, ..two(&[Delete, Renew]) }, LIFE),
        row(
            "one operator, clocks off, copies refused and doubled, old lists",
            awake(&[Crash, Delete, Skew, Refuse, Twin, Share]),
            COPIES,
        ),
        row(
            "one operator, every trouble of requests and lists",
            awake(&[Crash, Delete, Refuse, Twin, Share, Early, Trouble, Tear]),
            COPIES,
        ),
        row("two operators, a stale cache", two(&[Crash, Delete, Stale]), LIFE),
        row("two operators, other credentials", two(&[Delete, Swap]), &[RUNS, LATE, AGAIN, RELEASED, STRANGE]),
        row("two operators, a status lost", two(&[Delete, Lose]), LIFE),
        row("two operators, false lists", two(&[Tear, Filter, Slip]), &[RUNS, LATE, AGAIN]),
        row(
            "one operator, people who change their mind",
            awake(&[Delete, Pause, Retain, Protect]),
            &[RUNS, LATE, AGAIN, RELEASED, WAITS, KEPT],
        ),
        row(
            "one operator, a failed cluster, protected, made anew",
            awake(&[Delete, Fail, Protect]),
            &[RUNS, LATE, AGAIN, RELEASED, WAITS, ANEW],
        ),
        row(
            "one operator, an old copy restored over wiped metadata",
            awake(&[Crash, Delete, Restore, Wipe]),
            &[RUNS, LATE, AGAIN, RELEASED, RESTORED],
        ),
        row("two operators, all copies", two(&[Crash, Delete, Refuse, Twin]), COPIES),
        row("two operators, clocks off", two(&[Skew]), &[RUNS, LATE, AGAIN]),
        row("three operators, one copy refused", Sim { sleep: 0, ..three(&[Refuse]) }, &[RUNS, LATE, AGAIN]),
        row(
            "each state comes to rest under protection",
            calm(&[Delete, Protect]),
            &[RUNS, LATE, AGAIN, RELEASED, WAITS],
        ),
    ]
}

/// Too large to be walked to its end; what a mutant breaks is found early.
pub(super) fn endless() -> Vec<Row> {
    vec![Row {
        name: "two operators, a failed cluster made anew",
        sim: two(&[Fail]),
        reached: &[RUNS, LATE, AGAIN, ANEW],
    }]
}

/// What is not survived, and shows that the model would see it.
pub(super) fn gaps() -> Vec<(&'static str, Sim)> {
    vec![]
}
