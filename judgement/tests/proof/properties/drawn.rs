//! Views drawn from a row of dice, so that a shorter row is a simpler view: any standing with any evidence, whether or not
//! it can come about. Also what follows from an answer and from an act.

use ack_judgement::decide::{
    Act, Answer, Asked, Change, Closed, Cluster, Deed, Drift, End, Ended, Evidence, Existence, Followed, Glance, Goal,
    Guard, Known, Listing, Look, Mark, Memo, Owner, Progress, Published, Rival, Rules, Seen, Sent, Standing, State,
    Trouble, Undecided, Via, View, Word, keys,
};
use ack_judgement::terms::{Class, ClusterId, Intent, Nonce, Outcome, Reason, Site};
use jiff::{SignedDuration, Timestamp};

/// A row of dice; once it is used up every die shows its first side.
pub struct Draw<'a>(std::slice::Iter<'a, u8>);

impl<'a> Draw<'a> {
    pub fn new(dice: &'a [u8]) -> Draw<'a> {
        Draw(dice.iter())
    }

    fn of<T: Clone>(&mut self, sides: &[T]) -> T {
        let die = usize::from(*self.0.next().unwrap_or(&0));
        sides[die % sides.len()].clone()
    }

    fn yes(&mut self) -> bool {
        self.of(&[false, true])
    }

    fn maybe<T>(&mut self, draw: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.yes() { Some(draw(self)) } else { None }
    }

    fn seen<T>(&mut self, draw: impl FnOnce(&mut Self) -> T) -> Seen<T> {
        match self.of(&[0, 0, 1, 2]) {
            0 => None,
            1 => Some(Err(self.trouble())),
            _ => Some(Ok(draw(self))),
        }
    }

    fn time(&mut self) -> Timestamp {
        let seconds =
            [0, -1, -5, -29, -30, -60, -300, -840, -899, -900, -960, -1260, -1290, -7200, 1, 30, 900, 1_000_000];
        // The ends of what is believed to be a time at all.
        let far = [Timestamp::UNIX_EPOCH, Timestamp::constant(253_370_764_799, 0)];
        let near = NOW + SignedDuration::from_secs(self.of(&seconds));
        self.of(&[near, near, near, near, near, near, far[0], far[1]])
    }

    fn class(&mut self) -> Class {
        use Class::*;
        self.of(&[
            NotFound,
            Throttled,
            Transient,
            Busy,
            Credentials,
            Permission,
            User,
            Taken,
            Refused,
            Quota,
            Account,
            Clock,
            Unknown,
        ])
    }

    fn trouble(&mut self) -> Trouble {
        let wait = self.maybe(|draw| SignedDuration::from_secs(draw.of(&[1, 120])));
        let reason = self.of(&[None, None, Some(Reason::CredentialsMissing)]);
        Trouble { class: self.class(), reason, note: "as drawn".into(), wait, unsent: self.yes() }
    }

    fn id(&mut self) -> ClusterId {
        self.of(&["c1", "c2"]).into()
    }

    fn nonce(&mut self) -> Nonce {
        self.of(&["n1", "n2"]).into()
    }

    fn site(&mut self) -> Site {
        let region = self.of(&["cn-hangzhou", "cn-beijing"]).into();
        Site { account: self.of(&["100", "200"]).into(), region }
    }

    fn intent(&mut self) -> Intent {
        Intent {
            attempt: self.of(&[1, 2, 64]),
            nonce: self.nonce(),
            date: self.time(),
            believe_after: self.time(),
            site: self.site(),
            group: self.maybe(|_| "rg-1".into()),
            outcome: Outcome::Open,
        }
    }

    fn closed(&mut self) -> Closed {
        let refused =
            Closed::Refused { class: self.class(), at: self.time(), corrected: self.yes(), note: "as drawn".into() };
        let absent = Closed::Absent { at: self.time() };
        self.of(&[refused, absent, Closed::Unsent])
    }

    fn ended(&mut self) -> Ended {
        Ended { nonce: self.nonce(), site: self.site(), how: self.closed() }
    }

    fn standing(&mut self) -> Standing {
        match self.of(&[0, 1, 2, 2]) {
            0 => {
                let last = self.maybe(Draw::ended);
                // Only a status that tells of no attempt is blank.
                let blank = last.is_none() && self.yes();
                Standing::New { adopt: self.maybe(Draw::id), attempts: self.of(&[0, 1, 2, 3]), last, blank }
            }
            1 => Standing::Sealed { intent: self.intent(), mine: self.yes(), said: self.maybe(|_| "something".into()) },
            _ => Standing::Known(Known {
                id: self.id(),
                site: self.site(),
                adopted: self.yes(),
                met: self.yes(),
                moving: self.yes(),
                mark: self.of(&[Mark::Seen, Mark::Unseen, Mark::Another]),
                recorded: self.time(),
                believe_after: self.time(),
                asked: self.asked(),
            }),
        }
    }

    /// A wish: what it is written down as.
    fn wish(&mut self) -> (String, String) {
        let wishes = [
            ("timezone", "d1"),
            ("tags", "d2"),
            (keys::MARKS, "n1"),
            (keys::PROTECTION, "true"),
            (keys::PROTECTION, "false"),
            (keys::DELETION, "options"),
            (keys::DELETION, "others"),
        ];
        let (key, digest) = self.of(&wishes);
        (key.to_owned(), digest.to_owned())
    }

    /// What was asked for: one wish a key.
    fn asked(&mut self) -> Vec<Asked> {
        let mut asked: Vec<Asked> = vec![];
        for _ in 0..self.of(&[0, 1, 3]) {
            let (key, digest) = self.wish();
            let end = self.of(&[
                None,
                Some(End::Shown),
                Some(End::Unshown),
                Some(End::Refused("as drawn".into())),
                Some(End::Lost("as drawn".into())),
            ]);
            let (at, times) = (self.time(), self.of(&[1, 2, 3, u32::MAX]));
            if asked.iter().all(|before| before.key != key) {
                asked.push(Asked { key, digest, at, times, end });
            }
        }
        asked
    }

    fn memo(&mut self) -> Memo {
        let (id, nonce, at, wish) = (self.id(), self.nonce(), self.time(), self.wish());
        self.of(&[Memo::Absent { nonce, began: at }, Memo::Gone { id, at }, Memo::Taken(vec![wish])])
    }

    fn words(&mut self) -> Vec<Word> {
        let (id, nonce) = (self.id(), self.nonce());
        let all = [
            Word::ConfirmAbsent(nonce.clone()),
            Word::Recreate(id.clone()),
            Word::TakeOver(nonce),
            Word::ConfirmDelete(id),
        ];
        all.into_iter().filter(|_| self.yes()).collect()
    }

    fn cluster(&mut self) -> Existence {
        use State::*;
        let other = Owner::Other { nonce: self.nonce(), namesake: self.yes() };
        let cluster = Cluster {
            state: self.of(&[Running, Making, ChangeFailed, Busy, Down, Failed, Deleting, DeleteFailed]),
            word: "word".into(),
            guarded: self.of(&[None, Some(true), Some(false)]),
            owner: self.of(&[Owner::Mine, Owner::Nobody, other, Owner::Claimed("another".into())]),
            read: self.time(),
        };
        self.of(&[Existence::Here(cluster), Existence::Unknown])
    }

    fn listing(&mut self) -> Listing {
        Listing {
            began: self.time(),
            ahead: SignedDuration::from_secs(self.of(&[0, 59, 61, -3600])),
            whole: self.yes(),
            trusted: self.yes(),
            ours: self.of(&[vec![], vec!["c1".into()], vec!["c2".into()], vec!["c1".into(), "c2".into()]]),
            rival: self.maybe(|draw| Rival {
                id: "c9".into(),
                nonce: draw.nonce(),
                namesake: draw.yes(),
                going: draw.yes(),
            }),
            undecided: self.maybe(|draw| Undecided { id: "c9".into(), until: draw.maybe(Draw::time) }),
        }
    }

    fn published(&mut self) -> Published {
        let fresh = Published::Fresh { renew: self.time() };
        self.of(&[Published::Absent, fresh, Published::Foreign("a".into()), Published::NoEndpoint("b".into())])
    }

    fn sent(&mut self) -> Sent {
        let (id, site, class) = (self.id(), self.site(), self.class());
        self.of(&[Sent::Created(id, site), Sent::Refused(class, "as drawn".into()), Sent::Unknown("as drawn".into())])
    }

    fn drift(&mut self) -> Drift {
        Drift {
            changes: self.changes(),
            differs: self.maybe(|_| "fields".into()),
            workers: self.maybe(|_| "workers".into()),
            fixed: self.yes(),
        }
    }

    fn changes(&mut self) -> Vec<Change> {
        let change = |(key, digest): (&str, &str), via| Change {
            key: key.to_owned(),
            digest: digest.to_owned(),
            words: key.into(),
            via,
        };
        let all = [
            change(("timezone", "d1"), Via::Modify),
            change(("tags", "d2"), Via::Tags),
            change(("name", "d3"), Via::Modify),
        ];
        all.into_iter().filter(|_| self.yes()).collect()
    }

    fn deed(&mut self) -> Deed {
        let change = Deed::Change(self.changes());
        let protect = Deed::Protect(self.yes());
        self.of(&[Deed::Hold, Deed::Claim, protect, change, Deed::Delete, Deed::Publish])
    }

    fn outcome(&mut self) -> Result<(), Trouble> {
        if self.yes() { Err(self.trouble()) } else { Ok(()) }
    }

    fn glance(&mut self) -> Glance {
        let moving = [State::Making, State::Busy, State::Deleting].map(Glance::Moving);
        let others = [Glance::Changed, Glance::Same, Glance::Absent, Glance::Crowded];
        if self.yes() { self.of(&moving) } else { self.of(&others) }
    }

    fn progress(&mut self) -> Progress {
        Progress { note: "".into(), over: self.yes() }
    }

    fn followed(&mut self) -> Followed {
        Followed { closely: self.maybe(Draw::time), task: self.maybe(Draw::time) }
    }

    fn evidence(&mut self) -> Evidence {
        Evidence {
            account: self.seen(|draw| draw.of(&["100", "200"]).into()),
            glance: self.seen(Draw::glance),
            cluster: self.seen(Draw::cluster),
            fresh: self.yes(),
            listing: self.seen(Draw::listing),
            elsewhere: self.seen(Draw::listing),
            fence: self.seen(Draw::yes),
            body: self.seen(|_| ()),
            uprooted: self.seen(Draw::yes),
            drift: self.seen(Draw::drift),
            progress: self.seen(Draw::progress),
            cause: self.seen(|_| "".into()),
            trace: self.seen(Draw::yes),
            turn: self.seen(|_| ()),
            leftovers: self.seen(|_| "".into()),
            kubeconfig: self.seen(Draw::published),
            sent: self.maybe(|draw| (draw.nonce(), draw.sent())),
            acted: self.maybe(|draw| (draw.deed(), draw.outcome())).into_iter().collect(),
        }
    }
}

/// Rules with what an administrator may say.
pub fn rules(draw: &mut Draw<'_>) -> Rules {
    Rules { adopt_owned: draw.yes(), lists_complete: draw.yes(), ..Rules::default() }
}

const NOW: Timestamp = Timestamp::constant(1_800_000_000, 0);

pub fn view(draw: &mut Draw<'_>) -> View {
    View {
        now: NOW,
        since: NOW - SignedDuration::from_secs(5),
        offset: SignedDuration::from_secs(draw.of(&[0, 59, 61, -3600])),
        goal: draw.of(&[Goal::Manage, Goal::Observe, Goal::Pause, Goal::Destroy, Goal::Release]),
        guard: Guard { word: draw.of(&[None, Some(true), Some(false)]), newer: draw.yes() },
        finalizer: !draw.yes(),
        kubeconfig: draw.maybe(Draw::time),
        region: "cn-hangzhou".into(),
        nonce: draw.nonce(),
        delete_options: draw.of(&["options", "others"]).to_owned(),
        standing: draw.standing(),
        words: draw.words(),
        streak: draw.of(&[0, 1, 7, u32::MAX]),
        memo: draw.maybe(Draw::memo),
        followed: draw.followed(),
        seen: draw.evidence(),
    }
}

/// What may be seen where the look points.
pub fn answer(look: &Look, draw: &mut Draw<'_>) -> Answer {
    fn seen<'d, T>(draw: &mut Draw<'d>, answer: impl FnOnce(&mut Draw<'d>) -> T) -> Result<T, Trouble> {
        if draw.of(&[false, false, false, true]) { Err(draw.trouble()) } else { Ok(answer(draw)) }
    }
    match look {
        Look::Account => Answer::Account(seen(draw, |draw| draw.of(&["100", "200"]).into())),
        Look::Glance { .. } => Answer::Glance(seen(draw, Draw::glance)),
        Look::Cluster(_) => Answer::Cluster(seen(draw, Draw::cluster)),
        Look::Listing { .. } => Answer::Listing(seen(draw, Draw::listing)),
        Look::Elsewhere { .. } => Answer::Elsewhere(seen(draw, Draw::listing)),
        Look::Fence => Answer::Fence(seen(draw, Draw::yes)),
        Look::Body => Answer::Body(seen(draw, |_| ())),
        Look::Uprooted => Answer::Uprooted(seen(draw, Draw::yes)),
        Look::Drift => Answer::Drift(seen(draw, Draw::drift)),
        Look::Progress => Answer::Progress(seen(draw, Draw::progress)),
        Look::Cause => Answer::Cause(seen(draw, |_| "".into())),
        Look::Trace(_) => Answer::Trace(seen(draw, Draw::yes)),
        Look::Turn => Answer::Turn(seen(draw, |_| ())),
        Look::Leftovers(_) => Answer::Leftovers(seen(draw, |_| "".into())),
        Look::Kubeconfig => Answer::Kubeconfig(seen(draw, Draw::published)),
    }
}

/// The view after the act was done; `None` where there is no object any more.
pub fn done(view: &View, act: &Act, draw: &mut Draw<'_>) -> Option<View> {
    let mut after = view.after(act, draw.outcome());
    let new = |last| Standing::New { adopt: None, attempts: 1, last, blank: false };
    match act {
        Act::Release(_) => return None,
        Act::Seal { attempt } => {
            let date = view.now - SignedDuration::from_secs(60);
            let intent = Intent { attempt: *attempt, date, nonce: "n3".into(), ..draw.intent() };
            after.standing = Standing::Sealed { intent, mine: true, said: None };
        }
        Act::Send { .. } => {
            let Standing::Sealed { intent, .. } = &view.standing else { return None };
            after.seen.sent = Some((intent.nonce.clone(), draw.sent()));
        }
        Act::Record { id, site, adopted } => {
            after.standing = Standing::Known(Known {
                id: id.clone(),
                site: site.clone(),
                adopted: *adopted,
                met: false,
                moving: false,
                mark: Mark::Unseen,
                recorded: view.now,
                believe_after: draw.time(),
                asked: vec![],
            });
        }
        Act::Close(how) => {
            let Standing::Sealed { intent, .. } = &view.standing else { return None };
            let (nonce, site) = (intent.nonce.clone(), intent.site.clone());
            after.standing = new(Some(Ended { nonce, site, how: how.clone() }));
        }
        Act::Forget(_) => after.standing = new(None),
        Act::Publish(_) => after.seen.take(Answer::Kubeconfig(Ok(draw.published()))),
        Act::AddFinalizer | Act::Ask(_) => {}
    }
    Some(after)
}
