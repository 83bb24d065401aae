//! The numbering of a run's calls, and what is to happen at which number. Does no I/O: the doors ask it and obey.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::str::FromStr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::call::Call;

/// How long a call is on its way that is held or comes late: well inside the date window of the playground's ACK.
pub const ON_ITS_WAY: Duration = Duration::from_secs(3);

/// Between two changes the same read is numbered so often: a poll that goes on is no new place to cut.
const REPEATED: usize = 2;

/// What happens to one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cut {
    /// It is not forwarded, and its connection breaks.
    Lost,
    /// It is forwarded, and its connection breaks before the answer.
    Withheld,
    /// It is answered, and the process is killed before it reads the answer.
    Killed,
    /// It is forwarded twice; the second answer is the one that is read.
    Twice,
    /// It is held for [`ON_ITS_WAY`], then forwarded.
    Held,
    /// Its connection breaks, and [`ON_ITS_WAY`] later it is forwarded all the same.
    Late,
    /// The process is stopped before it reads the answer.
    Stopped,
}

impl Cut {
    /// All that a plain campaign makes; a stopped process takes too long for that.
    pub const ALL: [Cut; 6] = [Cut::Lost, Cut::Withheld, Cut::Killed, Cut::Twice, Cut::Held, Cut::Late];

    /// Whether it is another event than one of the others: a read has no effect, so it makes no difference whether it or
    /// its answer is lost, or whether Kubernetes reads once or twice.
    pub fn differs(self, call: &Call) -> bool {
        match self {
            Cut::Withheld | Cut::Late => call.changes(),
            Cut::Twice => call.changes() || call.signed,
            Cut::Lost | Cut::Killed | Cut::Held | Cut::Stopped => true,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Cut::Lost => "lost",
            Cut::Withheld => "withheld",
            Cut::Killed => "killed",
            Cut::Twice => "twice",
            Cut::Held => "held",
            Cut::Late => "late",
            Cut::Stopped => "stopped",
        }
    }
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Cut {
    type Err = String;

    fn from_str(text: &str) -> Result<Cut, String> {
        let known = || Cut::ALL.into_iter().chain([Cut::Stopped]);
        known()
            .find(|cut| cut.word() == text)
            .ok_or_else(|| format!("{text} is no cut; known are {:?}", Vec::from_iter(known())))
    }
}

/// What a cut asks of whoever keeps the processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blow {
    Kill,
    Stop,
}

type Keeper = Box<dyn Fn(usize, Blow) + Send + Sync>;
type Filter = Box<dyn Fn(&Call) -> bool + Send>;

/// All calls of one run, whoever makes them. From [`Book::begin`] on they are numbered from 1, save watch streams and
/// reads that only repeat.
pub struct Book {
    pages: Mutex<Pages>,
    /// Strikes the process of that number, and comes back when it is struck.
    keeper: Keeper,
    /// Whether a call that [`Book::bar`] names has to wait.
    barred: watch::Sender<bool>,
}

#[derive(Default)]
struct Pages {
    begun: bool,
    cuts: BTreeMap<usize, Cut>,
    calls: Vec<Call>,
    numbered: usize,
    /// How often each read came since the last change.
    reads: HashMap<(usize, String), usize>,
    struck: usize,
    under_way: usize,
    /// How many calls came to the bar.
    held: usize,
    changed: Option<Instant>,
    bar: Option<Filter>,
}

/// What a door has to know of a call that came.
pub(super) struct Entry {
    index: usize,
    pub cut: Option<Cut>,
}

impl Book {
    /// `keeper` strikes processes; it may block.
    pub fn new(cuts: &[(usize, Cut)], keeper: impl Fn(usize, Blow) + Send + Sync + 'static) -> Book {
        let pages = Pages { cuts: cuts.iter().copied().collect(), ..Pages::default() };
        Book { pages: Mutex::new(pages), keeper: Box::new(keeper), barred: watch::Sender::new(false) }
    }

    fn pages(&self) -> std::sync::MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// The next call is number 1. Calls before are neither numbered nor cut.
    pub fn begin(&self) {
        self.pages().begun = true;
    }

    pub fn has_begun(&self) -> bool {
        self.pages().begun
    }

    /// Calls that the filter names wait, before anything else, until the bar is lifted.
    pub fn bar(&self, filter: impl Fn(&Call) -> bool + Send + 'static) {
        self.pages().bar = Some(Box::new(filter));
        self.barred.send_replace(true);
    }

    /// Whether a call has come to the bar.
    pub fn holds(&self) -> bool {
        self.pages().held > 0
    }

    pub fn lift(&self) {
        self.barred.send_replace(false);
    }

    /// Every call since [`Book::begin`], in the order in which they came.
    pub fn calls(&self) -> Vec<Call> {
        self.pages().calls.clone()
    }

    /// How many numbers were given.
    pub fn numbered(&self) -> usize {
        self.pages().numbered
    }

    /// How many of the cuts met a call.
    pub fn struck(&self) -> usize {
        self.pages().struck
    }

    /// Whether no call is under way and none that changes something came within `time`.
    pub fn quiet_for(&self, time: Duration) -> bool {
        let pages = self.pages();
        pages.under_way == 0 && pages.changed.is_none_or(|changed| changed.elapsed() >= time)
    }

    pub(super) async fn enter(&self, mut call: Call) -> Entry {
        let waits = self.pages().bar.as_ref().is_some_and(|bar| bar(&call));
        if waits {
            self.pages().held += 1;
            let _ = self.barred.subscribe().wait_for(|barred| !barred).await;
        }
        let mut pages = self.pages();
        pages.under_way += 1;
        if call.changes() {
            pages.changed = Some(Instant::now());
        }
        if !pages.begun {
            return Entry { index: usize::MAX, cut: None };
        }
        let fresh = if call.changes() {
            pages.reads.clear();
            true
        } else {
            let times = pages.reads.entry((call.whose, call.kind.clone())).or_default();
            *times += 1;
            *times <= REPEATED
        };
        if fresh {
            pages.numbered += 1;
            call.number = Some(pages.numbered);
        }
        let cut = call.number.and_then(|number| pages.cuts.remove(&number));
        (call.cut, call.came) = (cut, Instant::now());
        pages.struck += usize::from(cut.is_some());
        pages.calls.push(call);
        Entry { index: pages.calls.len() - 1, cut }
    }

    /// The server's answer to a call.
    pub(super) fn answered(&self, entry: &Entry, status: u16) {
        if let Some(call) = self.pages().calls.get_mut(entry.index) {
            (call.status, call.answered) = (status, Some(Instant::now()));
        }
    }

    /// Nothing of a call is under way any more.
    pub(super) fn leave(&self) {
        let mut pages = self.pages();
        pages.under_way -= 1;
    }

    pub(super) fn strike(&self, whose: usize, blow: Blow) {
        (self.keeper)(whose, blow);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Calls as `VERB KIND`, and the number that each gets.
    const DAY: &[(&str, Option<usize>)] = &[
        ("GET ackclusters", Some(1)),
        ("GET ackclusters", Some(2)),
        ("GET ackclusters", None),
        ("GET secrets", Some(3)),
        ("PATCH ackclusters/status", Some(4)),
        ("PATCH ackclusters/status", Some(5)),
        ("GET ackclusters", Some(6)),
    ];

    fn call(line: &str) -> Call {
        let (method, kind) = line.split_once(' ').expect("two words");
        Call::new(0, method, kind)
    }

    #[tokio::test]
    async fn a_read_that_only_repeats_has_no_number_and_a_cut_meets_its_call_once() {
        let book = Book::new(&[(3, Cut::Lost), (9, Cut::Killed)], |_, _| {});
        assert!(book.enter(call("GET secrets")).await.cut.is_none(), "nothing counts before it begins");
        book.begin();
        for (line, number) in DAY {
            let cut = book.enter(call(line)).await.cut;
            assert_eq!(cut, (*number == Some(3)).then_some(Cut::Lost), "{line}");
        }
        let numbers: Vec<_> = book.calls().iter().map(|call| call.number).collect();
        assert_eq!(numbers, DAY.iter().map(|(_, number)| *number).collect::<Vec<_>>());
        assert_eq!((book.numbered(), book.struck()), (6, 1));
    }

    #[test]
    fn a_cut_that_would_repeat_another_is_left_out() {
        let words =
            |line: &str| Cut::ALL.iter().filter(|cut| cut.differs(&call(line))).map(Cut::to_string).collect::<Vec<_>>();
        assert_eq!(words("GET ackclusters"), ["lost", "killed", "held"]);
        assert_eq!(words("PATCH ackclusters").len(), Cut::ALL.len());
        assert_eq!("late".parse(), Ok(Cut::Late));
        assert!("early".parse::<Cut>().is_err());
    }
}
