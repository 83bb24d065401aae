//! One answer, fetched once for everybody who wants it at the same time. Never runs two fetches at once, and never lets
//! somebody wait whom the last answer serves.

use std::future::Future;
use std::sync;
use std::time::Instant;

use tokio::sync::Mutex;

use super::error::Error;

/// What the last fetch gave, and the last value that any gave.
pub(super) struct Shared<T> {
    /// Held by whoever fetches.
    turn: Mutex<()>,
    last: sync::Mutex<Last<T>>,
}

struct Last<T> {
    value: Option<T>,
    fetch: Option<Fetch<T>>,
}

/// A fetch that has ended.
#[derive(Clone)]
struct Fetch<T> {
    began: Instant,
    ended: Instant,
    outcome: Result<T, Error>,
}

/// What a value is to one who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Serves {
    /// As well as one that is fetched now.
    Always,
    /// Only one who waited while it was fetched: another fetch could be better, but not for each of them.
    WhoWaited,
    Nobody,
}

impl<T> Default for Shared<T> {
    fn default() -> Self {
        let last = Last { value: None, fetch: None };
        Self { turn: Mutex::new(()), last: sync::Mutex::new(last) }
    }
}

impl<T: Clone> Shared<T> {
    /// The last value, where it serves; the outcome of a fetch that was under way when this was called, where that serves
    /// or is an error; else what `fetch` gives. Whoever waits meanwhile gets the same, so that 64 callers who meet an
    /// outage, or a value that serves for nothing more, do not fetch it 64 times one after the other.
    pub async fn get(
        &self,
        serves: impl Fn(&T) -> Serves,
        fetch: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let asked = Instant::now();
        if let Some(value) = self.value(&serves) {
            return Ok(value);
        }
        let _turn = self.turn.lock().await;
        if let Some(value) = self.value(&serves) {
            return Ok(value);
        }
        let met = self.lock().fetch.clone().filter(|fetch| fetch.ended > asked);
        if let Some(Fetch { began, outcome, .. }) = met {
            let taken = match &outcome {
                // Begun later than this was asked for: it is what a fetch of our own would have given.
                _ if began >= asked => true,
                Ok(value) => serves(value) != Serves::Nobody,
                Err(_) => true,
            };
            if taken {
                return outcome;
            }
        }
        let began = Instant::now();
        let outcome = fetch.await;
        let mut last = self.lock();
        last.value = outcome.as_ref().ok().cloned().or(last.value.take());
        last.fetch = Some(Fetch { began, ended: Instant::now(), outcome: outcome.clone() });
        outcome
    }

    /// The last value that any fetch gave.
    pub fn last(&self) -> Option<T> {
        self.lock().value.clone()
    }

    fn value(&self, serves: impl Fn(&T) -> Serves) -> Option<T> {
        self.lock().value.clone().filter(|value| serves(value) == Serves::Always)
    }

    fn lock(&self) -> sync::MutexGuard<'_, Last<T>> {
        self.last.lock().expect("nothing panics while it holds this lock")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use futures::future::join_all;

    use super::*;

    fn at_least(wanted: u32) -> impl Fn(&u32) -> Serves {
        move |&value| if value >= wanted { Serves::Always } else { Serves::Nobody }
    }

    async fn ask_64(
        shared: &Shared<u32>,
        fetches: &AtomicU32,
        outcome: Result<u32, Error>,
        serves: impl Fn(&u32) -> Serves,
    ) -> u32 {
        let before = fetches.load(Ordering::SeqCst);
        let ask = || {
            let outcome = outcome.clone();
            shared.get(&serves, async {
                fetches.fetch_add(1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                outcome
            })
        };
        let got = join_all((0..64).map(|_| ask())).await;
        assert!(got.iter().all(|one| one.is_ok() == outcome.is_ok()));
        fetches.load(Ordering::SeqCst) - before
    }

    #[tokio::test]
    async fn whoever_waits_gets_what_is_fetched_values_and_errors_alike() {
        let (shared, fetches) = (Shared::default(), AtomicU32::new(0));
        assert_eq!(ask_64(&shared, &fetches, Ok(1), at_least(1)).await, 1);
        assert_eq!(ask_64(&shared, &fetches, Ok(1), at_least(1)).await, 0, "a value serves as long as it is good");
        assert_eq!(ask_64(&shared, &fetches, Ok(2), at_least(2)).await, 1, "one that is too old does not");
        assert_eq!(ask_64(&shared, &fetches, Err(Error::Slots), at_least(3)).await, 1, "an error serves who waited");
        assert_eq!(ask_64(&shared, &fetches, Err(Error::Slots), at_least(3)).await, 1, "and nobody who comes later");
        assert_eq!(ask_64(&shared, &fetches, Ok(1), at_least(3)).await, 2, "what nobody wanted is fetched once more");
    }

    #[tokio::test]
    async fn a_value_that_is_not_good_serves_who_waited_for_it_and_nobody_who_comes_later() {
        let (shared, fetches) = (Shared::default(), AtomicU32::new(0));
        for _ in 0..2 {
            assert_eq!(ask_64(&shared, &fetches, Ok(1), |_| Serves::WhoWaited).await, 1);
        }
    }

    #[tokio::test]
    async fn nobody_waits_for_a_fetch_whom_the_last_value_serves() {
        let shared = Shared::default();
        shared.get(|_| Serves::Nobody, async { Ok(1) }).await.unwrap();
        let mut hangs = Box::pin(shared.get(|_| Serves::Nobody, std::future::pending()));
        assert!(futures::poll!(&mut hangs).is_pending());
        let fetch = async { panic!("a fetch is under way") };
        assert_eq!(shared.get(|_| Serves::Always, fetch).await.unwrap(), 1);
    }
}
