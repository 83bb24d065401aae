//! Every arm of `decide`, one small case each: what is so, and what it does about it. The names are the promises. No I/O.

use ack_judgement::decide::{
    Act, Change, Closed, Cluster, Deed, Drift, Evidence, Existence, Free, Glance, Goal, Guard, Known, Listing, Look,
    Memo, Owner, Published, Rival, Rules, Seen, Sent, Standing, State, Step, Trouble, View, Word, Work, decide,
};
use ack_judgement::terms::{Class, ClusterId, Intent, Note, Outcome, Reason, Site};
use jiff::{SignedDuration, Timestamp};
use libtest_mimic::Trial;

/// Keeping a cluster: settled, changed, failed, vanished.
mod keep;
/// Publishing the kubeconfig.
mod kubeconfig;
/// Letting go: protection, ownership, proof of absence.
mod leave;
/// Making: owner check, seal, send, resolve, adopt.
mod make;
/// Acts, gone through over a world that does not change.
mod standstill;
/// Every view that can come about at all, and what never follows from it.
pub mod total;

pub fn tests() -> Vec<Trial> {
    let cases = [make::cases(), keep::cases(), kubeconfig::cases(), leave::cases()].into_iter().flatten();
    let cases = cases.map(|Case { name, view, rules, want }| {
        Trial::test(format!("views: {name}"), move || want.check(&decide(&view, &rules), &view).map_err(Into::into))
    });
    cases.chain(total::tests()).collect()
}

struct Case {
    name: &'static str,
    view: View,
    rules: Rules,
    want: Want,
}

fn case(name: &'static str, view: View, want: Want) -> Case {
    Case { name, view, rules: Rules::default(), want }
}

/// A step, as far as a case tells it.
#[derive(Debug)]
struct Want {
    step: What,
    says: Option<&'static str>,
    again: Option<SignedDuration>,
    /// `Some(None)`: nothing is remembered.
    memo: Option<Option<Memo>>,
    ready: Option<Option<bool>>,
}

#[derive(Debug)]
enum What {
    Look(Look),
    Act(Act),
    Done,
    UnderWay(Reason),
    Stuck(Reason),
    Held(Reason),
    Same,
}

use What::{Done, Held, Same, Stuck, UnderWay};

fn rests(step: What) -> Want {
    Want { step, says: None, again: None, memo: None, ready: None }
}
fn looks(look: Look) -> Want {
    rests(What::Look(look))
}
fn acts(act: Act) -> Want {
    rests(What::Act(act))
}

impl Want {
    /// The sentence for people holds this.
    fn saying(self, words: &'static str) -> Want {
        Want { says: Some(words), ..self }
    }
    /// Looked at again so long from now.
    fn again(self, wait: SignedDuration) -> Want {
        Want { again: Some(wait), ..self }
    }
    fn keeping(self, memo: Memo) -> Want {
        Want { memo: Some(Some(memo)), ..self }
    }
    fn keeping_nothing(self) -> Want {
        Want { memo: Some(None), ..self }
    }
    fn ready(self, ready: Option<bool>) -> Want {
        Want { ready: Some(ready), ..self }
    }

    fn check(&self, step: &Step, view: &View) -> Result<(), String> {
        let as_wanted = match (&self.step, step) {
            (What::Look(want), Step::Look(look)) => want == look,
            (What::Act(want), Step::Act(act)) => want == act,
            (_, Step::Rest(verdict)) => {
                let note = match (&self.step, &verdict.work) {
                    (Done, Work::Done) | (Same, Work::Same) => Some(Note::from("")),
                    (UnderWay(want), Work::UnderWay(reason, note))
                    | (Stuck(want), Work::Stuck(reason, note))
                    | (Held(want), Work::Held(reason, note)) => (want == reason).then(|| note.clone()),
                    _ => None,
                };
                note.is_some_and(|note| self.says.is_none_or(|says| note.as_str().contains(says)))
                    && self.again.is_none_or(|wait| verdict.again == Some(view.now + wait))
                    && self.memo.as_ref().is_none_or(|memo| *memo == verdict.memo)
                    && self.ready.is_none_or(|ready| ready == verdict.ready)
            }
            _ => false,
        };
        if as_wanted { Ok(()) } else { Err(format!("wanted {self:?}\n   got {step:?}")) }
    }
}

const NOW: Timestamp = Timestamp::constant(1_800_000_000, 0);

fn secs(n: i64) -> SignedDuration {
    SignedDuration::from_secs(n)
}
fn mins(n: i64) -> SignedDuration {
    SignedDuration::from_mins(n)
}
fn ago(wait: SignedDuration) -> Timestamp {
    NOW - wait
}
fn id() -> ClusterId {
    "c1".into()
}
fn site() -> Site {
    Site { account: "100".into(), region: "cn-hangzhou".into() }
}
fn trouble(class: Class) -> Trouble {
    Trouble { class, reason: None, note: "as ACK tells it".into(), wait: None }
}

/// An object with our finalizer, and nothing seen but whose credentials these are.
fn view(goal: Goal, standing: Standing) -> View {
    View {
        now: NOW,
        since: ago(secs(5)),
        offset: SignedDuration::ZERO,
        goal,
        guard: Guard { word: None, newer: false },
        finalizer: true,
        kubeconfig: None,
        region: site().region,
        standing,
        words: vec![],
        streak: 0,
        memo: None,
        seen: Evidence { account: Some(Ok(site().account)), ..Evidence::default() },
    }
}

fn new(attempts: u32, last: Option<Closed>) -> Standing {
    Standing::New { attempts, last, blank: false }
}
fn refused(class: Class, wait: SignedDuration) -> Closed {
    Closed::Refused { class, at: ago(wait), mended: false, note: "as ACK tells it".into() }
}

/// An open intent, dated so long ago.
fn intent(age: SignedDuration) -> Intent {
    Intent {
        attempt: 1,
        nonce: "n1".into(),
        date: ago(age),
        believe_after: ago(age) + mins(21),
        site: site(),
        outcome: Outcome::Open,
    }
}
fn sealed(age: SignedDuration) -> Standing {
    Standing::Sealed { intent: intent(age), mine: false }
}
fn mine(age: SignedDuration) -> Standing {
    Standing::Sealed { intent: intent(age), mine: true }
}

fn known() -> Known {
    Known { id: id(), site: site(), adopted: false, met: true, believe_after: ago(mins(1)) }
}
/// A cluster is recorded, and the list shows a change.
fn recorded(goal: Goal) -> View {
    view(goal, Standing::Known(known())).with(|v| v.seen.glance = Some(Ok(Glance::Changed)))
}

fn cluster(state: State) -> Cluster {
    Cluster { state, word: "word".into(), guarded: Some(false), owner: Owner::Mine }
}
/// A whole list that can be trusted, begun so long ago, without anything of ours.
fn list(age: SignedDuration) -> Listing {
    let ahead = SignedDuration::ZERO;
    Listing { began: ago(age), ahead, whole: true, trusted: true, ours: vec![], rival: None, undecided: None }
}

/// A change that the spec wants, and one that it may want later.
fn wanted() -> Change {
    Change { words: "timezone: UTC -> Asia/Shanghai".into(), key: "k1".into() }
}
fn another() -> Change {
    Change { words: "name: a -> b".into(), key: "k2".into() }
}

/// How a case differs from the common one.
trait With: Sized {
    fn with(self, change: impl FnOnce(&mut Self)) -> Self;
}

impl<T> With for T {
    fn with(mut self, change: impl FnOnce(&mut T)) -> T {
        change(&mut self);
        self
    }
}

trait Told {
    fn shows(self, cluster: Cluster) -> View;
    fn unknown(self) -> View;
    fn lists(self, list: Listing) -> View;
    fn word(self, word: Word) -> View;
    fn guard(self, word: bool, newer: bool) -> View;
    fn remembers(self, memo: Memo) -> View;
    fn did(self, deed: Deed, result: Result<(), Class>) -> View;
    fn sent(self, nonce: &str, sent: Sent) -> View;
}

impl Told for View {
    /// The detail, and whatever ACK tells beside it.
    fn shows(self, cluster: Cluster) -> View {
        self.with(|v| {
            v.seen.cluster = Some(Ok(Existence::Here(cluster)));
            v.seen.uprooted = Some(Ok(false));
            v.seen.drift = Some(Ok(Drift::default()));
            for note in [&mut v.seen.progress, &mut v.seen.cause, &mut v.seen.leftovers] {
                *note = Some(Ok("as ACK tells it".into()));
            }
        })
    }
    fn unknown(self) -> View {
        self.with(|v| v.seen.cluster = Some(Ok(Existence::Unknown)))
    }
    fn lists(self, list: Listing) -> View {
        self.with(|v| v.seen.listing = Some(Ok(list)))
    }
    fn word(self, word: Word) -> View {
        self.with(|v| v.words.push(word))
    }
    fn guard(self, word: bool, newer: bool) -> View {
        self.with(|v| v.guard = Guard { word: Some(word), newer })
    }
    fn remembers(self, memo: Memo) -> View {
        self.with(|v| v.memo = Some(memo))
    }
    fn did(self, deed: Deed, result: Result<(), Class>) -> View {
        self.with(|v| v.seen.acted = Some((deed, result.map_err(trouble))))
    }
    fn sent(self, nonce: &str, sent: Sent) -> View {
        self.with(|v| v.seen.sent = Some((nonce.into(), sent)))
    }
}
