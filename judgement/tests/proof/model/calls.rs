//! What is asked of ACK about a cluster that is there, and whether that was allowed: by the promises, and by the object as it is
//! stored when the call arrives, not as the pass has read it. Nothing can keep a call back that is on its way, so what was
//! allowed until `S` ago is allowed.

use super::given::{DELETION, ELSEWHERE, FIELD, MARKS, PROTECTION};
use super::*;

/// What may be allowed, by number: a mark put on, the protection raised, lowered, a field changed, the cluster deleted.
const CLAIM: usize = 0;
const RAISE: usize = 1;
const LOWER: usize = 2;
const CHANGE: usize = 3;
const DELETE: usize = 4;

/// Longer ago than counts.
pub(super) const LONG_AGO: Tick = -SKEW - 1;

/// How far calls lie apart for something that is refused, not begun, or whose answer is lost: the slow pace is two ticks where this is counted, and the
/// first call may have been made `S` after it was written down.
const APART: Tick = 1;

/// How often the same may be asked for within a day, which is longer than anything here: at once, at once again when it was
/// undone or its fate is not known, and after the slow pace.
const A_DAY: u8 = 3;

impl World {
    /// What this object may do to its cluster, as it is stored now.
    fn allows(&self, sim: &Sim) -> [bool; 5] {
        let Some((o, known)) = self.object.and_then(|o| Some((o, o.status.known?))) else { return [false; 5] };
        let Some(c) = self.clusters[usize::from(known.id)] else { return [false; 5] };
        let own = |mark: u8| mark != ELSEWHERE && mark / ATTEMPTS == o.uid;
        let mine = c.mark.is_some_and(own) && !sim.claimed;
        let (manage, destroy) = (o.goal() == Goal::Manage, o.goal() == Goal::Destroy);
        let doubt = sim.doubt && known.adopted && !destroy;
        let given = match c.mark {
            // Given by the spec, by a person's word, or made for it and lost its tags.
            None => known.adopted || c.uid == o.uid || o.take_over == Some(o.mark()),
            Some(mark) => own(mark) || o.take_over == Some(mark) || sim.rules.adopt_owned && mark != ELSEWHERE,
        };
        let recreate = manage && c.state == State::Failed && o.recreate == Some(known.id);
        let unguarded = match o.guard {
            Some(word) => !word,
            None => !c.guarded,
        };
        let mut allows = [false; 5];
        allows[CLAIM] = (manage || destroy) && given && !sim.claimed && !doubt;
        allows[RAISE] = (manage || destroy) && mine && !doubt && o.guard == Some(true);
        allows[LOWER] = (manage || destroy) && mine && !doubt && o.guard == Some(false) && !c.upheld;
        allows[CHANGE] = manage && mine && !doubt;
        allows[DELETE] = (destroy || recreate) && mine && unguarded;
        allows
    }
}

impl Sim {
    /// Keeps how long ago each thing was last allowed.
    pub(super) fn watch(&self, w: &mut World, ticked: bool) {
        use May::*;
        // Where nobody takes anything back, nothing counts that was allowed once.
        let bends = [Protect, Pause, Retain, Observe, Strip, Rival, Lose, Restore, Wrong, TakeOver, Edit];
        let bends = bends.into_iter().any(|may| self.can(may));
        let now = w.allows(self);
        for (ago, now) in w.allowed.iter_mut().zip(now) {
            *ago = match (now, ticked) {
                (true, _) => 0,
                _ if !bends => LONG_AGO,
                (false, true) => (*ago - 1).max(LONG_AGO),
                (false, false) => *ago,
            };
        }
    }

    /// The call that is written down is made, and goes like that. `None`: it cannot.
    pub(super) fn call(&self, w: &mut World, me: u8, how: How) -> Option<()> {
        let At::Pass(pass) = w.workers[usize::from(me)].at else { return None };
        let call = pass.call?;
        let late = call.not_after < pass.skew;
        let how = match how {
            How::Took if late => How::Unsent,
            _ if late => return None,
            How::Took | How::Void | How::Lost => self.effect(w, call, how),
            How::Dropped | How::Refused | How::Busy | How::Unsent => how,
        };
        if how != How::Unsent {
            self.pace(w, call, how);
        }
        let mut next = Pass { call: None, ..pass };
        next.acted[usize::from(call.key)] = Some((call.digest, how));
        let there = w.object.is_some_and(|o| o.uid == pass.uid);
        w.workers[usize::from(me)].at = if there { At::Pass(next) } else { At::Idle };
        Some(())
    }

    /// What ACK makes of it.
    fn effect(&self, w: &mut World, call: Call, how: How) -> How {
        let uid = w.object.map_or(0, |o| o.uid);
        let c = w.clusters[usize::from(call.id)].filter(|c| c.place == call.place && c.shown);
        let Some(mut c) = c else { return How::Busy };
        let (deed, wrong) = match (call.key, call.digest) {
            (MARKS, _) => (CLAIM, "the mark of another is overwritten, or put where it does not belong"),
            (PROTECTION, 1) => (RAISE, "what is another's, or only watched, is protected"),
            (PROTECTION, _) => (LOWER, "old words undo a protection"),
            (FIELD, _) => (CHANGE, "what is another's, or only watched, is changed"),
            _ => (DELETE, "a delete is sent against the protection, the word or the mark"),
        };
        if w.allowed[deed] < -SKEW {
            w.wrong = Some(wrong);
        }
        let serves = c.state == State::Running;
        match (call.key, call.digest) {
            _ if how == How::Void => {}
            (MARKS, mark) => {
                (c.mark, c.tagged, c.marked, c.kept) = (Some(mark), true, true, false);
                c.uid = uid;
            }
            (PROTECTION | FIELD, _) if !serves => return How::Busy,
            (PROTECTION, on) => (c.guarded, c.upheld) = (on == 1, false),
            (FIELD, value) => c.value = value,
            (DELETION, _) if c.guarded => return How::Refused,
            (DELETION, _) if serves || c.state == State::Failed => c.state = State::Deleting,
            _ => return How::Busy,
        }
        w.clusters[usize::from(call.id)] = Some(c);
        how
    }

    /// Nothing is asked for twice within its pace.
    fn pace(&self, w: &mut World, call: Call, how: How) {
        if !self.paced {
            return;
        }
        let asks = &mut w.asks[usize::from(call.key)];
        if asks.digest != call.digest {
            *asks = NOT_ASKED;
        }
        let soon = (asks.times > 0 || asks.refused) && asks.last > -APART;
        let often = match (call.key, asks.refused) {
            (DELETION, _) | (_, true) => soon,
            _ => asks.times >= A_DAY || asks.times == A_DAY - 1 && soon,
        };
        if often {
            w.wrong = Some("the same is asked for again and again");
        }
        // Of a lost answer nobody knows more than of a refusal: it is tried again at that pace.
        let refused = matches!(how, How::Refused | How::Dropped | How::Lost);
        let times = if refused { asks.times } else { (asks.times + 1).min(A_DAY) };
        *asks = Asks { digest: call.digest, times, last: 0, refused };
    }
}

pub(super) const NOT_ASKED: Asks = Asks { digest: 0, times: 0, last: 0, refused: false };
