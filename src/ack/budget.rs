//! How often an account may call: for each region, reads and changes apart, a pace that learns what ACK bears, and a queue that
//! is fair among those who wait. What ACK bears is not published (ack-api f.4), so a pace begins low, grows while nothing is
//! throttled, and is halved when something is. Knows time only as an argument.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::terms::Region;

/// Bounds of one account.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub reads: Rate,
    pub changes: Rate,
    /// Calls under way at once in one region, of reads and of changes each: what ACK answers slowly must not hold up what is
    /// sealed.
    pub slots: usize,
    /// How long keys that ACK did not accept are not tried again. Other keys are another account, and tried at once.
    pub barred: Duration,
}

/// Calls a second in the long run.
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    /// In the beginning.
    pub first: u32,
    /// However well ACK bears it.
    pub most: u32,
    /// So many at once after a silence.
    pub burst: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            reads: Rate { first: 5, most: 20, burst: 20 },
            changes: Rate { first: 1, most: 10, burst: 10 },
            slots: 4,
            barred: Duration::from_secs(300),
        }
    }
}

/// A change's turn in one region, waited for before the request was made. It is used up by one attempt.
#[derive(Debug)]
pub struct Turn(pub(super) Region);

impl Turn {
    /// Where the request may be sent.
    pub fn region(&self) -> &Region {
        &self.0
    }
}

/// What comes first of those who wait in one lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// Deletions, protection, changes of what is there.
    Change,
    Create,
    /// Reads are all alike.
    Read,
}

/// Growth: so many calls a second more with each second in which the pace was a bound and nothing was throttled.
const GROWTH: f64 = 1.0;

/// A call in so many seconds at least, however often ACK throttles.
const FLOOR: f64 = 0.2;

/// One throttle may be told by several answers that were under way together; the pace is halved once.
const TOGETHER: Duration = Duration::from_secs(1);

/// A wait that the server asks for is sat out up to this; a longer one is told, since a person may do something about it.
const HELD: Duration = Duration::from_secs(30);

/// No server is left alone for longer than this without being asked again.
const LONGEST: Duration = Duration::from_secs(3600);

/// A bucket of tokens whose rate is learnt.
struct Pace {
    /// Tokens a second.
    rate: f64,
    most: f64,
    burst: f64,
    tokens: f64,
    /// When they were counted. In the future while the server wants to be left alone.
    at: Option<Instant>,
    grown: Option<Instant>,
    halved: Option<Instant>,
}

impl Pace {
    fn new(Rate { first, most, burst }: Rate) -> Pace {
        let (most, burst) = (f64::from(most.max(1)), f64::from(burst.max(1)));
        let rate = f64::from(first.max(1)).min(most);
        Pace { rate, most, burst, tokens: burst, at: None, grown: None, halved: None }
    }

    /// How long so many calls take while nothing is throttled.
    fn lasts(&self, calls: u32) -> Duration {
        let (calls, growing) = (f64::from(calls), (self.most - self.rate) / GROWTH);
        let meanwhile = (self.rate + self.most) / 2.0 * growing;
        Duration::from_secs_f64(if calls > meanwhile {
            growing + (calls - meanwhile) / self.most
        } else {
            ((self.rate.powi(2) + 2.0 * GROWTH * calls).sqrt() - self.rate) / GROWTH
        })
    }

    fn tokens(&self, now: Instant) -> f64 {
        let since = self.at.map_or(Duration::ZERO, |at| now.saturating_duration_since(at));
        (self.tokens + since.as_secs_f64() * self.rate).min(self.burst)
    }

    /// How long the next call must wait.
    fn wait(&self, now: Instant) -> Duration {
        let lacks = (1.0 - self.tokens(now.max(self.at.unwrap_or(now)))).max(0.0);
        self.held(now) + Duration::from_secs_f64(lacks / self.rate)
    }

    /// How long the server wants to be left alone.
    fn held(&self, now: Instant) -> Duration {
        self.at.map_or(Duration::ZERO, |at| at.saturating_duration_since(now))
    }

    /// Counts the tokens as they are now, so that another rate counts from now on only.
    fn count(&mut self, now: Instant) {
        (self.tokens, self.at) = (self.tokens(now), self.at.max(Some(now)));
    }

    fn take(&mut self, now: Instant) {
        self.count(now);
        self.tokens -= 1.0;
    }

    /// Somebody had to wait, and nothing was throttled meanwhile.
    fn grow(&mut self, now: Instant) {
        self.count(now);
        let since = self.grown.replace(now).map_or(Duration::ZERO, |last| now.saturating_duration_since(last));
        self.rate = (self.rate + GROWTH * since.min(TOGETHER).as_secs_f64()).min(self.most);
    }

    /// The server throttled a call, and said how long it wants to be left alone. Afterwards calls come one by one.
    fn throttled(&mut self, now: Instant, wait: Duration) {
        let wait = wait.min(LONGEST);
        self.count(now);
        if self.halved.is_none_or(|last| now.saturating_duration_since(last) > TOGETHER) {
            (self.rate, self.halved) = ((self.rate / 2.0).max(FLOOR), Some(now));
        }
        (self.grown, self.tokens) = (Some(now + wait), self.tokens.min(1.0));
        self.at = self.at.max(Some(now + wait));
    }
}

/// A namespace, and who waits in it.
type Lane<T> = (Arc<str>, VecDeque<(Urgency, T)>);

/// Those who wait, each in the lane of its namespace. Lanes take turns, so that nobody waits for the length of another's; in a
/// lane the more urgent come first, and else who came first.
pub(super) struct Queue<T> {
    pace: Pace,
    lanes: VecDeque<Lane<T>>,
    /// Somebody hands out the turns.
    pub served: bool,
}

/// Why a call does not get its turn in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TooLong {
    /// So many others are before it.
    Queued(Duration),
    /// The server wants to be left alone.
    Held(Duration),
}

impl<T> Queue<T> {
    pub fn new(rate: Rate) -> Queue<T> {
        Queue { pace: Pace::new(rate), lanes: VecDeque::new(), served: false }
    }

    /// The turn at once, where nobody waits and the pace allows it.
    pub fn at_once(&mut self, now: Instant) -> bool {
        let free = self.lanes.is_empty() && self.pace.wait(now).is_zero();
        if free {
            self.pace.take(now);
        }
        free
    }

    /// How long the server wants to be left alone, where that is not sat out.
    pub fn held(&self, now: Instant) -> Option<Duration> {
        Some(self.pace.held(now)).filter(|held| *held > HELD)
    }

    /// About how long one who came now would wait.
    pub fn expected(&self, now: Instant, lane: &Arc<str>, urgency: Urgency) -> Duration {
        let mine = self.lanes.iter().find(|(name, _)| name == lane).map(|(_, waiting)| waiting);
        let before = mine.map_or(0, |waiting| waiting.iter().filter(|(other, _)| *other <= urgency).count());
        let others = self.lanes.iter().filter(|(name, _)| name != lane);
        let others: usize = others.map(|(_, waiting)| waiting.len().min(before + 1)).sum();
        let ahead = u32::try_from(before + others).unwrap_or(u32::MAX);
        self.pace.wait(now).saturating_add(self.pace.lasts(ahead))
    }

    /// Queues. Refused where the turn would come later than `patience`.
    pub fn join(
        &mut self,
        now: Instant,
        lane: &Arc<str>,
        urgency: Urgency,
        patience: Duration,
        waiter: T,
    ) -> Result<(), TooLong> {
        let held = self.pace.held(now);
        if held > patience.min(HELD) {
            return Err(TooLong::Held(held));
        }
        let wait = self.expected(now, lane, urgency);
        if wait > patience {
            return Err(TooLong::Queued(wait));
        }
        let place = match self.lanes.iter().position(|(name, _)| name == lane) {
            Some(place) => place,
            None => {
                self.lanes.push_back((lane.clone(), VecDeque::new()));
                self.lanes.len() - 1
            }
        };
        let waiting = &mut self.lanes[place].1;
        let at = waiting.iter().position(|(other, _)| *other > urgency).unwrap_or(waiting.len());
        waiting.insert(at, (urgency, waiter));
        Ok(())
    }

    /// Hands out a turn: `Ok(None)` where nobody waits, `Err` where the pace does not allow one yet. `accept` tells whether the
    /// waiter is still there; one that has gone uses up nothing.
    pub fn next(&mut self, now: Instant, accept: impl Fn(T) -> bool) -> Result<Option<()>, Duration> {
        loop {
            let wait = self.pace.wait(now);
            if self.lanes.is_empty() {
                return Ok(None);
            }
            if !wait.is_zero() {
                return Err(wait);
            }
            let Some((lane, mut waiting)) = self.lanes.pop_front() else { return Ok(None) };
            let first = waiting.pop_front();
            if !waiting.is_empty() {
                self.lanes.push_back((lane, waiting));
            }
            if first.is_some_and(|(_, waiter)| accept(waiter)) {
                self.pace.take(now);
                self.pace.grow(now);
                return Ok(Some(()));
            }
        }
    }

    pub fn throttled(&mut self, now: Instant, wait: Duration) {
        self.pace.throttled(now, wait);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(30);

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    fn queue(first: u32, most: u32, burst: u32) -> Queue<&'static str> {
        Queue::new(Rate { first, most, burst })
    }

    /// Hands out turns for that long, looking every 10 ms: who got one, and when.
    fn run(queue: &mut Queue<&'static str>, from: Instant, lasts: Duration) -> Vec<(&'static str, Duration)> {
        let (mut now, mut got) = (from, vec![]);
        while now < from + lasts {
            let who = std::cell::Cell::new("");
            let accept = |waiter| {
                who.set(waiter);
                true
            };
            if let Ok(Some(())) = queue.next(now, accept) {
                got.push((who.get(), now - from));
            } else {
                now += Duration::from_millis(10);
            }
        }
        got
    }

    fn join(queue: &mut Queue<&'static str>, now: Instant, lane: &str, urgency: Urgency, name: &'static str) {
        queue.join(now, &lane.into(), urgency, seconds(3600), name).expect("patience");
    }

    #[test]
    fn a_burst_goes_at_once_and_the_rest_in_turn() {
        let (mut queue, now) = (queue(1, 1, 3), Instant::now());
        assert_eq!((0..5).filter(|_| queue.at_once(now)).count(), 3);
        join(&mut queue, now, "a", Urgency::Create, "first");
        join(&mut queue, now, "a", Urgency::Create, "second");
        let got: Vec<_> = run(&mut queue, now, seconds(4)).into_iter().map(|(who, at)| (who, at.as_secs())).collect();
        assert_eq!(got, [("first", 1), ("second", 2)]);
        assert!(!queue.at_once(now + seconds(2)));
        assert!(queue.at_once(now + seconds(60)), "a silence fills it again");
    }

    #[test]
    fn nobody_waits_for_the_length_of_anothers_queue() {
        let (mut queue, now) = (queue(1, 1, 1), Instant::now());
        assert!(queue.at_once(now));
        (0..1000).for_each(|_| join(&mut queue, now, "busy", Urgency::Create, "busy"));
        join(&mut queue, now, "quiet", Urgency::Create, "quiet");
        let quiet = run(&mut queue, now, seconds(10)).into_iter().find(|(who, _)| *who == "quiet").expect("a turn");
        assert!(quiet.1 <= seconds(3), "{quiet:?}");
        let told = queue.join(now, &"other".into(), Urgency::Create, PATIENCE, "other");
        assert_eq!(told, Ok(()), "nor is it told that it would");
        let told = queue.join(now, &"busy".into(), Urgency::Create, PATIENCE, "busy");
        assert!(matches!(told, Err(TooLong::Queued(wait)) if wait > seconds(900)), "{told:?}");
    }

    #[test]
    fn what_is_there_is_changed_and_deleted_before_more_is_made() {
        let (mut queue, now) = (queue(1, 1, 1), Instant::now());
        assert!(queue.at_once(now));
        for (urgency, name) in [(Urgency::Create, "create"), (Urgency::Create, "create"), (Urgency::Change, "delete")] {
            join(&mut queue, now, "a", urgency, name);
        }
        let got: Vec<_> = run(&mut queue, now, seconds(5)).into_iter().map(|(who, _)| who).collect();
        assert_eq!(got, ["delete", "create", "create"]);
    }

    #[test]
    fn one_who_went_away_uses_up_no_turn() {
        let (mut queue, now) = (queue(1, 1, 1), Instant::now());
        assert!(queue.at_once(now));
        join(&mut queue, now, "a", Urgency::Create, "gone");
        join(&mut queue, now, "a", Urgency::Create, "there");
        assert_eq!(queue.next(now + seconds(1), |waiter| waiter == "there"), Ok(Some(())));
    }

    #[test]
    fn the_pace_grows_while_it_is_a_bound_and_is_halved_by_a_throttle() {
        let (mut queue, now) = (queue(1, 10, 1), Instant::now());
        assert!(queue.at_once(now));
        (0..400).for_each(|_| join(&mut queue, now, "a", Urgency::Create, "one"));
        let got = run(&mut queue, now, seconds(20));
        let within =
            |from: u64, to: u64| got.iter().filter(|(_, at)| *at >= seconds(from) && *at < seconds(to)).count();
        assert!(within(0, 5) < 20, "it begins low: {}", within(0, 5));
        assert!((45..=55).contains(&within(15, 20)), "and ends at what it may: {}", within(15, 20));
        let later = now + seconds(20);
        (0..3).for_each(|_| queue.throttled(later, seconds(2)));
        let got = run(&mut queue, later, seconds(4));
        assert!(got.iter().all(|(_, at)| *at >= seconds(2)), "the server is left alone: {got:?}");
        assert!((5..=14).contains(&got.len()), "halved once, however many answers told of it: {}", got.len());
    }

    #[test]
    fn a_pace_that_recovers_does_not_pay_for_the_calls_of_before() {
        let (mut queue, now) = (queue(5, 20, 20), Instant::now());
        while queue.at_once(now) {}
        let last = (0..5).map(|n| now + Duration::from_millis(1100 * n)).inspect(|at| queue.throttled(*at, seconds(0)));
        let last = last.last().expect("five");
        (0..400).for_each(|_| join(&mut queue, last, "a", Urgency::Read, "one"));
        let got = run(&mut queue, last, seconds(20));
        let gaps: Vec<_> = got.windows(2).map(|pair| pair[1].1 - pair[0].1).collect();
        assert!(gaps.iter().all(|gap| *gap <= seconds(6)), "{gaps:?}");
        assert!(got.len() > 60, "{}", got.len());
    }

    #[test]
    fn the_servers_wait_holds_everybody_and_is_told_as_such() {
        let (mut queue, now) = (queue(1, 1, 3), Instant::now());
        queue.throttled(now, seconds(60));
        assert!(!queue.at_once(now));
        assert_eq!(queue.join(now, &"a".into(), Urgency::Read, PATIENCE, "x"), Err(TooLong::Held(seconds(60))));
        queue.throttled(now, seconds(1));
        let told = queue.join(now + seconds(15), &"a".into(), Urgency::Read, PATIENCE, "x");
        assert_eq!(told, Err(TooLong::Held(seconds(45))), "a shorter wait does not shorten it");
        assert_eq!(queue.join(now + seconds(40), &"a".into(), Urgency::Read, PATIENCE, "x"), Ok(()));
    }
}
