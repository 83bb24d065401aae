//! Where calls wait for their turn: a queue with its pace, and slots for those under way. One task hands out the turns of a queue
//! as long as somebody waits; nobody holds a slot while waiting.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, oneshot};

use super::budget::{Limits, Queue, Rate, TooLong, Urgency};

/// What one region, or STS, bears of one identity. Each has its own, so that one that hangs or throttles holds up no other.
pub(super) struct Budget {
    pub reads: Gate,
    pub changes: Gate,
}

/// Budgets by the place and by whose they are: a caller has one, whichever keys he uses, once STS has told who calls; before
/// that an access key has one, once ACK has taken a call that is signed with its secret; and before that each set of keys has
/// its own, or anybody could use up the one of a key of which he knows the id.
#[derive(Default)]
pub(super) struct Budgets(Mutex<HashMap<(String, String), Weak<Budget>>>);

impl Budgets {
    pub fn of(&self, identity: &str, place: &str, limits: Limits) -> Arc<Budget> {
        let mut known = self.0.lock().expect("nothing panics while it holds this lock");
        let key = (identity.to_owned(), place.to_owned());
        if let Some(budget) = known.get(&key).and_then(Weak::upgrade) {
            return budget;
        }
        known.retain(|_, budget| budget.strong_count() > 0);
        let budget = Arc::new(Budget {
            reads: Gate::new(limits.reads, limits.slots),
            changes: Gate::new(limits.changes, limits.slots),
        });
        known.insert(key, Arc::downgrade(&budget));
        budget
    }
}

/// Lets calls through one after the other, each in its turn, and so many at once.
pub(super) struct Gate {
    pub queue: Arc<Mutex<Queue<oneshot::Sender<()>>>>,
    pub slots: Semaphore,
}

impl Gate {
    fn new(rate: Rate, slots: usize) -> Gate {
        Gate { queue: Arc::new(Mutex::new(Queue::new(rate))), slots: Semaphore::new(slots.max(1)) }
    }

    pub async fn pass(&self, lane: &Arc<str>, urgency: Urgency, patience: Duration) -> Result<(), TooLong> {
        let turn = {
            let mut queue = lock(&self.queue);
            let now = Instant::now();
            if queue.at_once(now) {
                return Ok(());
            }
            let (call, turn) = oneshot::channel();
            queue.join(now, lane, urgency, patience, call)?;
            if !std::mem::replace(&mut queue.served, true) {
                tokio::spawn(serve(self.queue.clone()));
            }
            turn
        };
        // The pace may have slowed down since, and others may have come: no longer than was agreed to.
        match tokio::time::timeout(patience, turn).await {
            Ok(_) => Ok(()),
            Err(_) => Err(TooLong::Queued(lock(&self.queue).expected(Instant::now(), lane, urgency))),
        }
    }
}

/// Hands out turns until nobody waits for one.
async fn serve(queue: Arc<Mutex<Queue<oneshot::Sender<()>>>>) {
    loop {
        let wait = {
            let mut queue = lock(&queue);
            match queue.next(Instant::now(), |call| call.send(()).is_ok()) {
                Ok(Some(())) => continue,
                Ok(None) => {
                    queue.served = false;
                    return;
                }
                Err(wait) => wait,
            }
        };
        // A timer may be early by its own fineness.
        tokio::time::sleep(wait.max(Duration::from_millis(1))).await;
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("nothing panics while it holds this lock")
}
