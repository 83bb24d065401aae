//! Views drawn from a row of dice, so that a shorter row is a simpler view: any standing with any evidence, whether or not
//! it can come about. Also what follows from an answer and from an act.

use ack_judgement::decide::{
    Act, Change, Closed, Cluster, Deed, Drift, Evidence, Existence, Glance, Goal, Guard, Known, Listing, Look, Memo,
    Owner, Published, Rival, Seen, Sent, Standing, State, Trouble, View, Word,
};
use ack_judgement::terms::{Class, ClusterId, Intent, Nonce, Outcome, Site};
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
        self.of(&[NotFound, Throttled, Transient, Busy, Credentials, Permission, User, Quota, Account, Clock, Unknown])
    }

    fn trouble(&mut self) -> Trouble {
        let wait = self.maybe(|draw| SignedDuration::from_secs(draw.of(&[1, 120])));
        Trouble { class: self.class(), reason: None, note: "as drawn".into(), wait }
    }

    fn id(&mut self) -> ClusterId {
        self.of(&["c1", "c2"]).into()
    }

    fn nonce(&mut self) -> Nonce {
        self.of(&["n1", "n2"]).into()
    }

    fn site(&mut self) -> Site {
        Site { account: self.of(&["100", "200"]).into(), region: "cn-hangzhou".into() }
    }

    fn intent(&mut self) -> Intent {
        Intent {
            attempt: self.of(&[1, 2, 64]),
            nonce: self.nonce(),
            date: self.time(),
            believe_after: self.time(),
            site: self.site(),
            outcome: Outcome::Open,
        }
    }

    fn closed(&mut self) -> Closed {
        let refused =
            Closed::Refused { class: self.class(), at: self.time(), mended: self.yes(), note: "as drawn".into() };
        let absent = Closed::Absent { at: self.time() };
        self.of(&[refused, absent, Closed::Unsent])
    }

    fn standing(&mut self) -> Standing {
        match self.of(&[0, 1, 2, 3]) {
            0 => Standing::New { attempts: self.of(&[0, 1, 2, 3]), last: self.maybe(Draw::closed), blank: self.yes() },
            1 => Standing::Sealed { intent: self.intent(), mine: self.yes() },
            2 => Standing::Adopting(self.id()),
            _ => Standing::Known(Known {
                id: self.id(),
                site: self.site(),
                adopted: self.yes(),
                met: self.yes(),
                believe_after: self.time(),
            }),
        }
    }

    fn memo(&mut self) -> Memo {
        let (id, nonce, at) = (self.id(), self.nonce(), self.time());
        let (change, refusal) = (self.change(), self.maybe(|_| "refused".into()));
        self.of(&[
            Memo::Absent { nonce, began: at },
            Memo::Gone { id: id.clone(), at },
            Memo::Asked { id, at },
            Memo::Changed { change, at, refusal },
        ])
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
        let other = Owner::Other(self.nonce());
        let cluster = Cluster {
            state: self.of(&[Running, Making, ChangeFailed, Busy, Down, Failed, Deleting, DeleteFailed]),
            word: "word".into(),
            guarded: self.of(&[None, Some(true), Some(false)]),
            owner: self.of(&[Owner::Mine, Owner::Nobody, other, Owner::Claimed("another".into())]),
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
            rival: self.maybe(|draw| Rival { id: "c9".into(), going: draw.yes() }),
            undecided: self.maybe(|_| "c9".into()),
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
            change: self.maybe(Draw::change),
            differs: self.maybe(|_| "fields".into()),
            workers: self.maybe(|_| "workers".into()),
            fixed: self.yes(),
        }
    }

    fn change(&mut self) -> Change {
        let (words, key) = self.of(&[("timezone", "k1"), ("name", "k2")]);
        Change { words: words.into(), key: key.into() }
    }

    fn deed(&mut self) -> (Deed, Result<(), Trouble>) {
        let change = Deed::Change(self.change());
        let deed = self.of(&[Deed::Claim, Deed::Protect, change, Deed::Delete, Deed::Publish]);
        (deed, if self.yes() { Err(self.trouble()) } else { Ok(()) })
    }

    fn evidence(&mut self) -> Evidence {
        Evidence {
            account: self.seen(|draw| draw.of(&["100", "200"]).into()),
            glance: self.seen(|draw| draw.of(&[Glance::Changed, Glance::Same, Glance::Crowded])),
            cluster: self.seen(Draw::cluster),
            listing: self.seen(Draw::listing),
            fence: self.seen(Draw::yes),
            body: self.seen(|_| ()),
            uprooted: self.seen(Draw::yes),
            drift: self.seen(Draw::drift),
            progress: self.seen(|_| "".into()),
            cause: self.seen(|_| "".into()),
            trace: self.seen(Draw::yes),
            leftovers: self.seen(|_| "".into()),
            kubeconfig: self.seen(Draw::published),
            sent: self.maybe(|draw| (draw.nonce(), draw.sent())),
            acted: self.maybe(Draw::deed),
        }
    }
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
        standing: draw.standing(),
        words: draw.words(),
        streak: draw.of(&[0, 1, 7, u32::MAX]),
        memo: draw.maybe(Draw::memo),
        seen: draw.evidence(),
    }
}

/// The view once the look is answered. An answer that was there shall not be asked for.
pub fn answered(mut view: View, look: &Look, draw: &mut Draw<'_>) -> Result<View, String> {
    fn fill<'d, T>(slot: &mut Seen<T>, draw: &mut Draw<'d>, answer: impl FnOnce(&mut Draw<'d>) -> T) -> bool {
        let was_open = slot.is_none();
        *slot = Some(if draw.of(&[false, false, false, true]) { Err(draw.trouble()) } else { Ok(answer(draw)) });
        was_open
    }
    let seen = &mut view.seen;
    let was_open = match look {
        Look::Account => fill(&mut seen.account, draw, |draw| draw.of(&["100", "200"]).into()),
        Look::Glance(_) => {
            fill(&mut seen.glance, draw, |draw| draw.of(&[Glance::Changed, Glance::Same, Glance::Crowded]))
        }
        Look::Cluster(_) => fill(&mut seen.cluster, draw, Draw::cluster),
        Look::Listing { .. } => fill(&mut seen.listing, draw, Draw::listing),
        Look::Fence => fill(&mut seen.fence, draw, Draw::yes),
        Look::Body => fill(&mut seen.body, draw, |_| ()),
        Look::Uprooted => fill(&mut seen.uprooted, draw, Draw::yes),
        Look::Drift => fill(&mut seen.drift, draw, Draw::drift),
        Look::Progress => fill(&mut seen.progress, draw, |_| "".into()),
        Look::Cause => fill(&mut seen.cause, draw, |_| "".into()),
        Look::Trace(_) => fill(&mut seen.trace, draw, Draw::yes),
        Look::Leftovers(_) => fill(&mut seen.leftovers, draw, |_| "".into()),
        Look::Kubeconfig => fill(&mut seen.kubeconfig, draw, Draw::published),
    };
    if was_open { Ok(view) } else { Err(format!("{look:?} is asked for twice")) }
}

/// The view after the act was done; `None` where there is no object any more.
pub fn done(mut view: View, act: &Act, draw: &mut Draw<'_>) -> Option<View> {
    // What a pass keeps when it reads the object afresh.
    let Evidence { account, sent, acted, .. } = std::mem::take(&mut view.seen);
    view.seen = Evidence { account, sent, acted, ..Evidence::default() };
    let site = draw.site();
    let deed = |deed, draw: &mut Draw<'_>| Some((deed, draw.deed().1));
    match act {
        Act::Release(_) => return None,
        Act::AddFinalizer => view.finalizer = true,
        Act::Seal { attempt } => {
            let date = view.now - SignedDuration::from_secs(60);
            let intent = Intent { attempt: *attempt, date, nonce: "n3".into(), site, ..draw.intent() };
            view.standing = Standing::Sealed { intent, mine: true };
        }
        Act::Send { .. } => {
            let Standing::Sealed { intent, .. } = &view.standing else { return None };
            view.seen.sent = Some((intent.nonce.clone(), draw.sent()));
        }
        Act::Record { id, site, adopted } => {
            let known =
                Known { id: id.clone(), site: site.clone(), adopted: *adopted, met: false, believe_after: draw.time() };
            view.standing = Standing::Known(known);
        }
        Act::Close(closed) => view.standing = Standing::New { attempts: 1, last: Some(closed.clone()), blank: false },
        Act::Forget(_) => view.standing = Standing::New { attempts: 1, last: None, blank: false },
        Act::Claim(_) => view.seen.acted = deed(Deed::Claim, draw),
        Act::Protect { .. } => view.seen.acted = deed(Deed::Protect, draw),
        Act::Change { change, .. } => view.seen.acted = deed(Deed::Change(change.clone()), draw),
        Act::Delete { .. } => view.seen.acted = deed(Deed::Delete, draw),
        Act::Publish(_) => {
            view.seen.acted = deed(Deed::Publish, draw);
            view.seen.kubeconfig = Some(Ok(draw.published()));
        }
    }
    Some(view)
}
