//! The promises about what is asked of ACK for a recorded cluster.

use super::promises::Facts;
use super::*;

impl Facts<'_> {
    /// P3, P5, P7, P8: only of a living cluster that was looked at last and shows our mark, by its own account's keys, written down
    /// first and bound to that look; never while observing, against the protection, or more often than its pace.
    pub fn may_ask(&self, ask: &Ask) -> bool {
        let v = self.v;
        let (Some(known), Some(cluster)) = (self.known(), self.here()) else { return false };
        let says = matches!(ask.verdict.work, Work::UnderWay(..) | Work::Stuck(..));
        let bound = ask.date == cluster.read && ask.not_after <= cluster.read + self.rules.skew;
        let listed = !matches!(v.seen.glance, Some(Err(_))) || known.adopted;
        let fits = match &ask.deed {
            Deed::Claim => self.may_claim(known, cluster),
            Deed::Protect(on) => self.may_protect(*on, cluster),
            Deed::Change(changes) => self.may_change(known, cluster, changes),
            Deed::Delete => self.may_delete(&ask.id, cluster),
            Deed::Hold | Deed::Publish => false,
        };
        let owned = cluster.owner == Owner::Mine || ask.deed == Deed::Claim;
        v.seen.fresh
            && self.only(&[Goal::Manage, Goal::Destroy])
            && v.finalizer
            && ask.id == known.id
            && self.account(&known.site)
            && says
            && bound
            && listed
            && self.alone(known)
            && owned
            && fits
            && self.wishes(&ask.deed)
                == ask.remember.iter().map(|asked| (asked.key.clone(), asked.digest.clone())).collect::<Vec<_>>()
            && ask
                .remember
                .iter()
                .all(|asked| asked.at == v.now && asked.end.is_none() && self.paced(known, cluster, asked))
    }

    /// What must be written down of it.
    fn wishes(&self, deed: &Deed) -> Vec<(String, String)> {
        let one = |key: &str, digest: &str| vec![(key.to_owned(), digest.to_owned())];
        match deed {
            Deed::Claim => one(keys::MARKS, self.v.nonce.as_str()),
            Deed::Protect(on) => one(keys::PROTECTION, &on.to_string()),
            Deed::Change(changes) => changes.iter().map(|change| (change.key.clone(), change.digest.clone())).collect(),
            Deed::Delete => one(keys::DELETION, &self.v.delete_options),
            Deed::Hold | Deed::Publish => vec![],
        }
    }

    /// Once; once more where the answer was lost or somebody undid it; then at the slow pace, and once a day.
    fn paced(&self, known: &Known, cluster: &Cluster, wish: &Asked) -> bool {
        let (v, rules) = (self.v, self.rules);
        let same = |before: &&Asked| before.key == wish.key && before.digest == wish.digest;
        let Some(before) = known.asked.iter().find(same) else { return wish.times == 1 };
        let (slow, day) = (mins(10), hours(24));
        let passed = v.now.duration_since(before.at);
        // Told by a wrong clock, or long ago.
        if passed < -rules.skew || passed >= day * 2 {
            return wish.times == 1;
        }
        let deletes = wish.key == keys::DELETION;
        let failed = match cluster.state {
            State::ChangeFailed => ![keys::DELETION, keys::MARKS, keys::PROTECTION].contains(&wish.key.as_str()),
            State::DeleteFailed => deletes,
            _ => false,
        };
        let taken =
            matches!(&v.memo, Some(Memo::Taken(taken)) if taken.contains(&(wish.key.clone(), wish.digest.clone())));
        let least = match (&before.end, before.times) {
            (Some(End::Shown), 0 | 1) => secs(0),
            (Some(End::Shown), 2) | (Some(End::Refused(_)), _) => slow,
            (Some(End::Shown), _) => day,
            (None, _) if failed => slow,
            (Some(End::Lost(_)), 0 | 1) => rules.listed,
            (Some(End::Lost(_)), _) => slow,
            (None, 0 | 1) if !taken => rules.listed,
            (None | Some(End::Unshown), _) => {
                if deletes {
                    slow
                } else {
                    day
                }
            }
        };
        passed >= least && wish.times == before.times.saturating_add(1) && !self.done(&wish.key, &wish.digest)
    }

    /// It was asked for in this pass.
    fn done(&self, key: &str, digest: &str) -> bool {
        let wish = (key.to_owned(), digest.to_owned());
        self.v.seen.acted.iter().any(|(deed, _)| self.wishes(deed).contains(&wish))
    }

    /// P7: our mark is put on what a person gave, and put back where it was seen; never over another's without a word.
    fn may_claim(&self, known: &Known, cluster: &Cluster) -> bool {
        let doubtful = known.adopted && matches!(&self.v.seen.drift, Some(Ok(drift)) if drift.fixed);
        let given = match &cluster.owner {
            Owner::Mine | Owner::Claimed(_) => false,
            Owner::Nobody => {
                known.mark == Mark::Seen
                    || known.adopted && known.mark == Mark::Unseen
                    || self.said(Word::TakeOver(self.v.nonce.clone()))
            }
            Owner::Other { nonce, namesake } => self.takes(nonce, *namesake),
        };
        given && (self.only(&[Goal::Destroy]) || !doubtful)
    }

    /// P3: lowered only at a word that is younger than the flag.
    fn may_protect(&self, on: bool, cluster: &Cluster) -> bool {
        let guard = self.v.guard;
        guard.word == Some(on) && (on || guard.newer) && cluster.guarded == Some(!on)
    }

    fn may_change(&self, known: &Known, cluster: &Cluster, changes: &[Change]) -> bool {
        let Some(Ok(drift)) = &self.v.seen.drift else { return false };
        let one_call = changes.iter().all(|change| change.via == changes[0].via);
        self.only(&[Goal::Manage])
            && matches!(cluster.state, State::Running | State::ChangeFailed)
            && !changes.is_empty()
            && one_call
            && changes.iter().all(|change| drift.changes.contains(change))
            && !(known.adopted && drift.fixed)
    }

    /// P3, P5: a deletion that was asked for, of a cluster that neither spec nor cloud protects.
    fn may_delete(&self, id: &ClusterId, cluster: &Cluster) -> bool {
        let (v, guard) = (self.v, self.v.guard);
        // ACK itself refuses a protected one; it changes no flag of a cluster that does not run.
        let lift_refused = v.seen.acted.iter().any(|(deed, went)| *deed == Deed::Protect(false) && went.is_err())
            || self.known().is_some_and(|known| {
                known.asked.iter().any(|asked| {
                    asked.key == keys::PROTECTION
                        && asked.digest == "false"
                        && matches!(asked.end, Some(End::Refused(_)))
                })
            });
        let open = match (guard.word, cluster.guarded) {
            (Some(true), _) | (None, Some(true) | None) => false,
            (Some(false), Some(true)) => guard.newer && lift_refused && cluster.state != State::Running,
            (None | Some(false), Some(false)) | (Some(false), None) => true,
        };
        let wanted =
            self.only(&[Goal::Destroy]) || cluster.state == State::Failed && self.said(Word::Recreate(id.clone()));
        let rooted = v.seen.uprooted == Some(Ok(false)) || self.said(Word::ConfirmDelete(id.clone()));
        let ready = !matches!(cluster.state, State::Making | State::Busy | State::Deleting);
        open && wanted && rooted && ready
    }
}
