//! One answer, fetched once for everybody who wants it at the same time. Never runs two fetches at once.

use std::future::Future;
use std::time::Instant;

use tokio::sync::Mutex;

use super::error::Error;

/// The last outcome, and when its fetch ended.
pub(super) struct Shared<T> {
    last: Mutex<Option<(Instant, Result<T, Error>)>>,
}

impl<T> Default for Shared<T> {
    fn default() -> Self {
        Self { last: Mutex::new(None) }
    }
}

impl<T: Clone> Shared<T> {
    /// The last value, if `good`; the outcome of a fetch that was under way when this was called, if that is `good` or
    /// an error; else what `fetch` gives. Whoever waits meanwhile gets the same, so that 64 callers who meet an outage
    /// do not try it 64 times one after the other.
    pub async fn get(
        &self,
        good: impl Fn(&T) -> bool,
        fetch: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let asked = Instant::now();
        let mut last = self.last.lock().await;
        match &*last {
            Some((_, Ok(value))) if good(value) => return Ok(value.clone()),
            Some((ended, Err(error))) if *ended > asked => return Err(error.clone()),
            _ => {}
        }
        let outcome = fetch.await;
        *last = Some((Instant::now(), outcome.clone()));
        outcome
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use futures::future::join_all;

    use super::*;

    async fn ask_64(shared: &Shared<u32>, fetches: &AtomicU32, outcome: Result<u32, Error>, wanted: u32) -> u32 {
        let before = fetches.load(Ordering::SeqCst);
        let ask = || {
            let outcome = outcome.clone();
            shared.get(move |&value| value >= wanted, async {
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
        assert_eq!(ask_64(&shared, &fetches, Ok(1), 1).await, 1);
        assert_eq!(ask_64(&shared, &fetches, Ok(1), 1).await, 0, "a value serves as long as it is good");
        assert_eq!(ask_64(&shared, &fetches, Ok(2), 2).await, 1, "one that is too old does not");
        assert_eq!(ask_64(&shared, &fetches, Err(Error::Slots), 3).await, 1, "an error serves those who waited");
        assert_eq!(ask_64(&shared, &fetches, Err(Error::Slots), 3).await, 1, "and nobody who comes later");
    }
}
