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
        begins: Begins::New,
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

/// One that never sleeps on a list through a tick.
fn brief(may: &'static [May]) -> Sim {
    Sim { sleep: 0, ..one(may) }
}

fn calm(may: &'static [May]) -> Sim {
    Sim { calm: true, ..brief(may) }
}

/// One whose cluster runs already.
fn begun(may: &'static [May]) -> Sim {
    Sim { begins: Begins::Running, sleep: 1, ..one(may) }
}

/// By an operator with `--adopt-owned`.
fn owned(sim: Sim) -> Sim {
    Sim { rules: Rules { adopt_owned: true, ..sim.rules.clone() }, ..sim }
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
const KEEP: &[&str] = &[RUNS, RELEASED, KEPT];
const HIDE: &[&str] = &[RUNS, LATE, AGAIN, RELEASED, HIDDEN];
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
        row("paused, confirmed absent, deleted in the console", brief(&[Crash, Delete, Pause, Confirm, Vanish]), LIFE),
        row("a person who is wrong", one(&[Crash, Delete, Confirm, Wrong]), LIFE),
        row("a status lost, metadata wiped", awake(&[Crash, Delete, Lose, Wipe, Tear]), LIFE),
        row(
            "protection here and in the console",
            Sim { sleep: 0, ..begun(&[Crash, Delete, Protect]) },
            &[RUNS, RELEASED, WAITS],
        ),
        row("other credentials at any moment", awake(&[Crash, Delete, Swap]), &[RUNS, LATE, AGAIN, RELEASED, STRANGE]),
        row(
            "other credentials after a refusal, while a copy was executed",
            one(&[Refuse, Twin, Swap]),
            &[RUNS, LATE, AGAIN, TWICE, STRANGE],
        ),
        row(
            "another region once the spec is unlocked",
            brief(&[Delete, Move, Fail]),
            &[RUNS, LATE, AGAIN, RELEASED, ANEW],
        ),
        row(
            "a failed cluster, made anew at a person's word",
            Sim { begins: Begins::Failed, ..brief(&[Crash, Delete, Fail, Wrong]) },
            &[RUNS, LATE, AGAIN, RELEASED, ANEW],
        ),
        row(
            "a cluster kept, an object of the same name made anew",
            Sim { sleep: 0, ..begun(&[Delete, Retain, Renew]) },
            &[RUNS, LATE, AGAIN, RELEASED, KEPT],
        ),
        row("a gateway that takes old dates, while the fence is probed", one(&[Crash, Delete, Old]), LIFE),
        row("each state comes to rest by itself", calm(&[Delete, Refuse, Twin, Share]), COPIES),
        row("each state comes to rest after losses", calm(&[Lose, Wipe]), &[RUNS, LATE, AGAIN]),
        row("each state comes to rest whoever's credentials", calm(&[Swap]), &[RUNS, LATE, AGAIN, STRANGE]),
        row("two operators, the object deleted at any moment", Sim { sleep: 0, ..two(&[Delete]) }, LIFE),
        row(
            "two operators, requests refused and delivered twice",
            two(&[Crash, Refuse, Twin]),
            &[RUNS, LATE, AGAIN, TWICE],
        ),
    ]
}

/// What `sight` makes of it, and what is asked of a cluster that is there: one dimension each, with crash, refusal and twin where
/// a request is on its way.
pub(super) fn dimensions() -> Vec<Row> {
    let row = |name, sim, reached| Row { name, sim, reached };
    let moment = |class, sim| Sim { moment: class, ..sim };
    let adopts = |sim| Sim { stranger: Some(None), adopt: true, ..sim };
    let theirs = |mark, sim| Sim { stranger: Some(Some(mark)), adopt: true, ..sim };
    let paced = |sim: Sim| {
        let rules = Rules { listed: ticks(2), slow: ticks(2), ..sim.rules.clone() };
        Sim { paced: true, rules, ..sim }
    };
    let begins = |begins, may| Sim { begins, ..brief(may) };
    vec![
        row(
            "tags that come after the cluster, a copy refused beside one that was executed",
            Sim { sleep: 1, spread: SKEW, ..one(&[Crash, Delete, Refuse, Twin, Late]) },
            COPIES,
        ),
        row("tags that come late after a status was lost", brief(&[Delete, Late, Lose]), LIFE),
        row("keys that see another resource group only", Sim { sleep: 1, ..one(&[Crash, Delete, Narrow]) }, HIDE),
        row(
            "the region moved after a refusal, while a copy was executed",
            Sim { sleep: 1, ..one(&[Crash, Delete, Refuse, Twin, Move]) },
            COPIES,
        ),
        row(
            "a name that is taken already, by a copy",
            moment(Class::Taken, brief(&[Crash, Delete, Refuse, Twin, Correct])),
            COPIES,
        ),
        row(
            "a refusal in words that no table knows, the spec corrected or the word given",
            moment(Class::Refused, brief(&[Delete, Refuse, Twin, Correct, Confirm])),
            COPIES,
        ),
        row("another field edited under the console's protection", begun(&[Protect, Correct]), &[RUNS]),
        row("paused or kept while a deletion is under way", begun(&[Crash, Delete, Pause, Retain]), KEEP),
        row("observed while a change is under way", begun(&[Crash, Observe, Edit]), &[RUNS]),
        row(
            "a status restored under another uid, taken over or not",
            begins(Begins::Restored, &[Crash, Delete, Retain, TakeOver, Publish]),
            &[RUNS, RELEASED, KEPT, RESTORED, TAKEN],
        ),
        row(
            "a status restored under another uid, by an operator that takes over what is owned",
            owned(begins(Begins::Restored, &[Crash, Delete, Publish, Vanish])),
            &[RUNS, RELEASED, RESTORED, TAKEN],
        ),
        row(
            "a name that had a cluster before, by an operator that takes over what is owned",
            owned(begins(Begins::Kept, &[Crash, Delete, Retain])),
            &[RUNS, RELEASED, KEPT, RIVAL, RESTORED, TAKEN],
        ),
        row("keys of another account that are said to be ours", begun(&[Crash, Delete, Lie]), &[RUNS, RELEASED]),
        row(
            "no keys, and an object that is let go nonetheless",
            brief(&[Delete, Retain, Keyless]),
            &[RUNS, LATE, AGAIN, RELEASED, KEPT, STRANGE],
        ),
        row("a cluster adopted by two operators", adopts(brief(&[Crash, Delete, Rival])), &[RUNS, MARKED, OTHERS]),
        row("a cluster adopted, observed and managed", adopts(brief(&[Delete, Observe, Publish])), &[RUNS, MARKED]),
        row("a cluster adopted and protected", adopts(brief(&[Protect])), &[RUNS, MARKED]),
        row(
            "a cluster adopted that differs in what cannot be changed",
            adopts(Sim { doubt: true, ..brief(&[Crash, Protect, Edit, Publish]) }),
            &[RUNS],
        ),
        row(
            "a cluster adopted that another object records",
            adopts(Sim { claimed: true, ..brief(&[Crash, Delete]) }),
            &[],
        ),
        row(
            "another's cluster adopted, at a person's word",
            theirs(given::ELSEWHERE, brief(&[Crash, Delete, TakeOver, Publish])),
            &[RUNS, MARKED, OTHERS],
        ),
        row(
            "a cluster adopted after a refusal, while a copy was executed",
            Sim { stranger: Some(None), ..brief(&[Crash, Delete, Refuse, Twin, Adopt]) },
            &[RUNS, LATE, AGAIN, TWICE, MARKED],
        ),
        row(
            "an answer that names another's cluster",
            Sim { stranger: Some(Some(given::ELSEWHERE)), ..brief(&[Delete, Mislead, Publish]) },
            &[RUNS, LATE, AGAIN, OTHERS],
        ),
        row(
            "an answer that names nobody's cluster",
            Sim { stranger: Some(None), ..brief(&[Delete, Mislead, Publish]) },
            &[RUNS, LATE, AGAIN],
        ),
        row("tags taken off by somebody else", paced(begun(&[Crash, Delete, Strip])), &[RUNS, RELEASED, STRIPPED]),
        row(
            "tags taken off, put back, refused and not shown",
            paced(Sim { sleep: 0, ..begun(&[Strip, Void, Deny, Publish]) }),
            &[RUNS, STRIPPED],
        ),
        row(
            "a change asked, lost, refused, not shown and undone",
            paced(begun(&[Crash, Edit, Undo, Void, Deny, Lossy])),
            &[RUNS, UNDONE],
        ),
        row(
            "a deletion asked, lost, refused and not begun",
            paced(begun(&[Crash, Delete, Void, Deny, Lossy])),
            &[RUNS, RELEASED],
        ),
    ]
}

/// At least 20 million states together.
pub(super) fn large() -> Vec<Row> {
    let row = |name, sim, reached| Row { name, sim, reached };
    vec![
        row("three operators", Sim { sleep: 0, ..three(&[]) }, &[RUNS, LATE, AGAIN]),
        row(
            "two operators that crash, the object deleted at any moment",
            Sim { sleep: 0, ..two(&[Crash, Delete]) },
            LIFE,
        ),
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
        row(
            "a protection that ACK does not always tell",
            Sim { sleep: 0, ..begun(&[Delete, Protect, Mute]) },
            &[RUNS, RELEASED, WAITS],
        ),
        row("two operators, clocks off", two(&[Skew]), &[RUNS, LATE, AGAIN]),
        row("two operators that may sleep, the object deleted at any moment", two(&[Crash, Delete]), LIFE),
        row(
            "one operator that may sleep, a failed cluster made anew at a person's word",
            awake(&[Crash, Delete, Fail, Wrong]),
            &[RUNS, LATE, AGAIN, RELEASED, ANEW],
        ),
        row(
            "a cluster made, kept, and an object of the same name made anew",
            brief(&[Delete, Retain, Renew]),
            &[RUNS, LATE, AGAIN, RELEASED, KEPT],
        ),
        row(
            "tags taken off and put back, with every trouble of calls",
            Sim { paced: true, ..begun(&[Crash, Delete, Strip, Void, Deny, Lossy, Publish]) },
            &[RUNS, RELEASED, STRIPPED],
        ),
        row(
            "two operators, protection here and in the console",
            Sim { workers: 2, sleep: 0, ..begun(&[Crash, Delete, Protect]) },
            &[RUNS, RELEASED, WAITS],
        ),
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

/// What is not survived, and shows that the model would see it. Where keys see a part of the account only, a list is believed
/// after a refusal and by an object without any status: nothing else would ever let an account's first cluster go on.
pub(super) fn gaps() -> Vec<(&'static str, Sim)> {
    vec![
        (
            "keys that see another resource group only, a copy refused beside one that was executed",
            brief(&[Delete, Refuse, Twin, Narrow]),
        ),
        ("keys that see another resource group only, while the status is lost", brief(&[Lose, Narrow])),
    ]
}
