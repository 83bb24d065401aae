//! Every arm of `decide`, one small case each: what is so, and what it does about it. The names are the promises. No I/O.

use ack_judgement::decide::{
    Act, Answer, Ask, Asked, Change, Closed, Cluster, Deed, Drift, End, Ended, Evidence, Existence, Followed, Free,
    Glance, Goal, Guard, Known, Listing, Look, Mark, Memo, Owner, Progress, Published, Rival, Rules, Sent, Standing,
    State, Step, Trouble, Undecided, Via, View, Word, Work, decide, keys,
};
use ack_judgement::terms::{Class, ClusterId, Intent, Nonce, Note, Outcome, Reason, Site};
use jiff::{SignedDuration, Timestamp};
use libtest_mimic::Trial;

/// Adopting a cluster instead of making one.
mod adopt;
/// Asking ACK for something: what is written down, what is read last, and how often.
mod asking;
/// Whatever may be so when a pass begins.
mod beginnings;
/// Deleting a cluster: its state, the CRD, the protection, the request.
mod delete;
/// Following a cluster at which ACK works.
mod follow;
/// Keeping a cluster: settled, failed, vanished.
mod keep;
/// Publishing the kubeconfig.
mod kubeconfig;
/// Letting go: what was never made, what is kept, proof of absence.
mod leave;
/// Making: owner check, seal, send.
mod make;
/// The cluster's mark: seen before it is trusted, put on, put back, another's.
mod marks;
/// The promises about what is asked of ACK for a recorded cluster.
mod promised;
/// What never follows from any view, told from the promises.
mod promises;
/// Finding out what became of a sealed request.
mod resolve;
/// Acts, gone through over a world that does not change.
mod standstill;
/// Every view that can come about at all, and what never follows from it.
pub mod total;

pub fn tests() -> Vec<Trial> {
    let cases = [
        make::cases(),
        adopt::cases(),
        resolve::cases(),
        keep::cases(),
        marks::cases(),
        asking::cases(),
        kubeconfig::cases(),
        leave::cases(),
        delete::cases(),
        follow::cases(),
    ];
    let cases = cases.into_iter().flatten();
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
/// Where the administrator has clusters of the same installation, namespace and name taken over.
fn adopting_owned(name: &'static str, view: View, want: Want) -> Case {
    Case { rules: Rules { adopt_owned: true, ..Rules::default() }, ..case(name, view, want) }
}
/// Where the administrator vouches for the lists.
fn vouching(name: &'static str, view: View, want: Want) -> Case {
    Case { rules: Rules { lists_complete: true, ..Rules::default() }, ..case(name, view, want) }
}

/// A step, as far as a case tells it.
#[derive(Debug)]
struct Want {
    step: What,
    says: Vec<&'static str>,
    again: Option<SignedDuration>,
    /// The list alone is enough until so long from now.
    until: Option<SignedDuration>,
    /// `Some(None)`: nothing is remembered.
    memo: Option<Option<Memo>>,
    ready: Option<Option<bool>>,
    /// How often each was asked for then, by what is written down.
    times: Option<u32>,
    ends: Option<Vec<(String, Option<End>)>>,
}

#[derive(Debug)]
enum What {
    Look(Look),
    Act(Act),
    /// ACK is asked for this, and the object says so.
    Ask(Deed, Reason),
    Done,
    UnderWay(Reason),
    Stuck(Reason),
    Held(Reason),
    Same,
}

use What::{Done, Held, Same, Stuck, UnderWay};

fn rests(step: What) -> Want {
    Want { step, says: vec![], again: None, until: None, memo: None, ready: None, times: None, ends: None }
}
fn looks(look: Look) -> Want {
    rests(What::Look(look))
}
fn acts(act: Act) -> Want {
    rests(What::Act(act))
}
fn asks(deed: Deed, reason: Reason) -> Want {
    rests(What::Ask(deed, reason))
}

impl Want {
    /// The sentence for people holds this fact.
    fn saying(mut self, words: &'static str) -> Want {
        self.says.push(words);
        self
    }
    /// Looked at again so long from now.
    fn again(self, wait: SignedDuration) -> Want {
        Want { again: Some(wait), ..self }
    }
    fn until(self, wait: SignedDuration) -> Want {
        Want { until: Some(wait), ..self }
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
    fn times(self, times: u32) -> Want {
        Want { times: Some(times), ..self }
    }
    /// What became of what was asked for.
    fn ends(self, key: &str, end: Option<End>) -> Want {
        Want { ends: Some(vec![(key.to_owned(), end)]), ..self }
    }
    /// Nothing new is known of what was asked for.
    fn ends_nothing(self) -> Want {
        Want { ends: Some(vec![]), ..self }
    }

    fn check(&self, step: &Step, view: &View) -> Result<(), String> {
        let as_wanted = match (&self.step, step) {
            (What::Look(want), Step::Look(look)) => want == look,
            (What::Ask(deed, reason), Step::Act(Act::Ask(ask))) => self.asked(deed, *reason, ask, view),
            (What::Act(want), Step::Act(act)) => want == act,
            (_, Step::Rest(verdict)) => {
                let note = match (&self.step, &verdict.work) {
                    (Done, Work::Done) | (Same, Work::Same) => Some(Note::from("")),
                    (UnderWay(want), Work::UnderWay(reason, note))
                    | (Stuck(want), Work::Stuck(reason, note))
                    | (Held(want), Work::Held(reason, note)) => (want == reason).then(|| note.clone()),
                    _ => None,
                };
                note.is_some_and(|note| self.holds(&note))
                    && self.again.is_none_or(|wait| verdict.again == Some(view.now + wait))
                    && self.until.is_none_or(|wait| {
                        verdict.by_list.as_ref().is_some_and(|by_list| by_list.until == Some(view.now + wait))
                    })
                    && self.memo.as_ref().is_none_or(|memo| *memo == verdict.memo)
                    && self.ready.is_none_or(|ready| ready == verdict.ready)
                    && self.ends.as_ref().is_none_or(|ends| *ends == verdict.ends)
            }
            _ => false,
        };
        if as_wanted { Ok(()) } else { Err(format!("wanted {self:?}\n   got {step:?}")) }
    }

    fn holds(&self, note: &Note) -> bool {
        self.says.iter().all(|says| note.as_str().contains(says))
    }

    /// Whatever is asked for is dated by the detail, which is read last, and may not be sent long after it.
    fn asked(&self, deed: &Deed, reason: Reason, ask: &Ask, view: &View) -> bool {
        let Some(Ok(Existence::Here(cluster))) = &view.seen.cluster else { return false };
        let (Work::UnderWay(says, note) | Work::Stuck(says, note)) = &ask.verdict.work else { return false };
        let now = ask.remember.iter().all(|asked| asked.at == view.now && asked.end.is_none());
        (&ask.deed, &ask.id, *says) == (deed, &id(), reason)
            && (ask.date, ask.not_after) == (cluster.read, cluster.read + mins(1))
            && now
            && self.holds(note)
            && self.ready.is_none_or(|ready| ready == ask.verdict.ready)
            && self.times.is_none_or(|times| ask.remember.iter().all(|asked| asked.times == times))
    }
}

const NOW: Timestamp = Timestamp::constant(1_800_000_000, 0);

fn secs(n: i64) -> SignedDuration {
    SignedDuration::from_secs(n)
}
fn mins(n: i64) -> SignedDuration {
    SignedDuration::from_mins(n)
}
fn hours(n: i64) -> SignedDuration {
    SignedDuration::from_hours(n)
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
/// The site of an attempt that was refused before the spec moved.
fn abroad() -> Site {
    Site { region: "cn-beijing".into(), ..site() }
}
fn trouble(class: Class) -> Trouble {
    Trouble::new(class, "as ACK tells it")
}

/// An object with our finalizer, and nothing seen but whose credentials these are.
fn view(goal: Goal, standing: Standing) -> View {
    let nonce = match &standing {
        Standing::Sealed { intent, .. } => intent.nonce.clone(),
        Standing::New { .. } | Standing::Known(_) => "n2".into(),
    };
    View {
        now: NOW,
        since: ago(secs(5)),
        offset: SignedDuration::ZERO,
        goal,
        guard: Guard { word: None, newer: false },
        finalizer: true,
        kubeconfig: None,
        region: site().region,
        nonce,
        delete_options: "options".to_owned(),
        standing,
        words: vec![],
        streak: 0,
        memo: None,
        followed: Followed::default(),
        seen: Evidence { account: Some(Ok(site().account)), ..Evidence::default() },
    }
}

fn new(attempts: u32, last: Option<Closed>) -> Standing {
    let last = last.map(|how| Ended { nonce: "n1".into(), site: site(), how });
    Standing::New { adopt: None, attempts, last, blank: false }
}
/// Our finalizer is there, and nothing says why.
fn blank() -> Standing {
    Standing::New { adopt: None, attempts: 0, last: None, blank: true }
}
fn refused(class: Class, wait: SignedDuration) -> Closed {
    Closed::Refused { class, at: ago(wait), corrected: false, note: "as ACK tells it".into() }
}
fn corrected(class: Class, wait: SignedDuration) -> Closed {
    Closed::Refused { class, at: ago(wait), corrected: true, note: "as ACK tells it".into() }
}

/// An open intent, dated so long ago.
fn intent(age: SignedDuration) -> Intent {
    Intent {
        attempt: 1,
        nonce: "n1".into(),
        date: ago(age),
        believe_after: ago(age) + mins(21),
        site: site(),
        group: None,
        outcome: Outcome::Open,
    }
}
fn sealed(age: SignedDuration) -> Standing {
    Standing::Sealed { intent: intent(age), mine: false, said: None }
}
fn mine(age: SignedDuration) -> Standing {
    Standing::Sealed { intent: intent(age), mine: true, said: None }
}

/// A cluster that was made for this object an hour ago, and has shown its mark.
fn known() -> Known {
    Known {
        id: id(),
        site: site(),
        adopted: false,
        met: true,
        moving: false,
        mark: Mark::Seen,
        recorded: ago(hours(1)),
        believe_after: ago(mins(1)),
        asked: vec![],
    }
}
/// A cluster is recorded, and the list shows a change.
fn recorded(goal: Goal) -> View {
    view(goal, Standing::Known(known())).with(|v| v.seen.glance = Some(Ok(Glance::Changed)))
}

fn cluster(state: State) -> Cluster {
    Cluster { state, word: "word".into(), guarded: Some(false), owner: Owner::Mine, read: ago(secs(2)) }
}
/// A whole list that can be trusted, begun so long ago, without anything of ours.
fn list(age: SignedDuration) -> Listing {
    let ahead = SignedDuration::ZERO;
    Listing { began: ago(age), ahead, whole: true, trusted: true, ours: vec![], rival: None, undecided: None }
}
/// A cluster of this object's name with another uid's mark.
fn rival(going: bool) -> Rival {
    Rival { id: "c9".into(), nonce: "n9".into(), namesake: true, going }
}
/// A cluster of this object's name without tags, which cannot be told from ours until then.
fn untagged(until: Option<SignedDuration>) -> Undecided {
    Undecided { id: "c9".into(), until: until.map(|wait| NOW + wait) }
}

/// A change that the spec wants, and one of another call.
fn wanted() -> Change {
    Change { key: "timezone".into(), digest: "d1".into(), words: "timezone: UTC -> Shanghai".into(), via: Via::Modify }
}
fn another() -> Change {
    Change { key: "tags".into(), digest: "d2".into(), words: "tags: team=blue".into(), via: Via::Tags }
}
fn drift(changes: &[Change]) -> Drift {
    Drift { changes: changes.to_vec(), ..Drift::default() }
}

/// Something that was asked for once, so long ago, of which nothing was heard.
fn asked(key: &str, digest: &str, wait: SignedDuration) -> Asked {
    Asked { key: key.to_owned(), digest: digest.to_owned(), at: ago(wait), times: 1, end: None }
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
    fn known(self, change: impl FnOnce(&mut Known)) -> View;
    fn shows(self, cluster: Cluster) -> View;
    fn drifts(self, drift: Drift) -> View;
    fn unknown(self) -> View;
    fn lists(self, list: Listing) -> View;
    fn word(self, word: Word) -> View;
    fn guard(self, word: bool, newer: bool) -> View;
    fn remembers(self, memo: Memo) -> View;
    fn asked(self, asked: Asked) -> View;
    fn did(self, deed: Deed, result: Result<(), Trouble>) -> View;
    fn sent(self, nonce: &str, sent: Sent) -> View;
}

impl Told for View {
    fn known(self, change: impl FnOnce(&mut Known)) -> View {
        self.with(|v| {
            if let Standing::Known(known) = &mut v.standing {
                change(known);
            }
        })
    }
    /// Whatever ACK tells, and then the detail.
    fn shows(self, cluster: Cluster) -> View {
        self.with(|v| {
            v.seen.take(Answer::Uprooted(Ok(false)));
            v.seen.take(Answer::Progress(Ok(Progress { note: "as ACK tells it".into(), over: false })));
            v.seen.take(Answer::Cause(Ok("as ACK tells it".into())));
            v.seen.take(Answer::Leftovers(Ok("as ACK tells it".into())));
            v.seen.take(Answer::Cluster(Ok(Existence::Here(cluster))));
            v.seen.take(Answer::Drift(Ok(Drift::default())));
        })
    }
    fn drifts(self, drift: Drift) -> View {
        self.with(|v| v.seen.take(Answer::Drift(Ok(drift))))
    }
    fn unknown(self) -> View {
        self.with(|v| v.seen.take(Answer::Cluster(Ok(Existence::Unknown))))
    }
    fn lists(self, list: Listing) -> View {
        self.with(|v| v.seen.take(Answer::Listing(Ok(list))))
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
    /// The status tells of this request.
    fn asked(self, asked: Asked) -> View {
        self.known(|known| known.asked.push(asked))
    }
    fn did(self, deed: Deed, result: Result<(), Trouble>) -> View {
        self.with(|v| v.seen.acted.push((deed, result)))
    }
    fn sent(self, nonce: &str, sent: Sent) -> View {
        self.with(|v| v.seen.sent = Some((nonce.into(), sent)))
    }
}
