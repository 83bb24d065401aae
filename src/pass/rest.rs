//! Verdict -> the end of a pass: one status write if the status differs, an event if the reason changed, when to look again, and
//! what is remembered until then.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use kube::ResourceExt;
use kube_runtime::reflector::ObjectRef;

use super::marks::{self, Marks};
use super::memory::{Listed, Rest};
use super::state::{Flow, Pass};
use super::{Error, report};
use crate::cache::Edition;
use crate::decide::{Verdict, Work};
use crate::terms::Reason;

/// How a rest ended.
pub(super) enum Ended {
    /// Look again after that long.
    Resting(Duration),
    /// Somebody wrote in between: the object is judged anew, with what this pass asked of ACK still known.
    Overtaken(Flow),
}

impl Pass<'_> {
    /// Ends the pass: one status write if the status differs, an event if the reason changed, and when to look again.
    pub(super) async fn rest(&mut self, verdict: Verdict) -> Result<Ended, Error> {
        let now = self.now();
        let mut status = report::status(&self.object, &verdict, &self.learnt, Timestamp::now());
        // The task of a request is worth no write of its own.
        if self.object.status.as_ref() != Some(&status)
            && let Some((_, task)) = self.entry.task.as_ref().filter(|(of, _)| Some(of) == self.cluster_id().as_ref())
        {
            status.task_id = Some(task.to_string());
        }
        if verdict.work != Work::Same {
            status.settled = self.settled(&verdict);
        }
        match self.store.write_status(&self.object, &status).await {
            Ok(None) => {}
            Ok(Some(_)) => {
                self.entry.task = None;
                self.announce(&status).await;
            }
            Err(error) if error.is_conflict() => return Ok(Ended::Overtaken(self.reread_patiently().await?)),
            Err(error) if error.is_not_found() => return Ok(Ended::Overtaken(Flow::End)),
            // What came of what was asked for is known here only, so it is tried again as long as there are steps.
            Err(error) if self.asked() && !error.is_forbidden() && !error.is_invalid() => {
                tracing::info!(%error, "the status could not be written; trying again");
                return Ok(Ended::Overtaken(self.reread_patiently().await?));
            }
            Err(error) => return Err(error.into()),
        }
        let wait = self.wait(&verdict, now);
        self.remember(verdict, now, wait);
        Ok(Ended::Resting(wait))
    }

    /// What tells the next process that there is nothing to do.
    fn settled(&self, verdict: &Verdict) -> Option<String> {
        let cluster = &self
            .learnt
            .detail
            .as_ref()
            .filter(|_| verdict.by_list.as_ref().is_some_and(|by| by.followed.is_none()))?;
        let uid = self.object.uid().unwrap_or_default();
        Some(marks::settled(&uid, Edition::of(&self.object), &cluster.listed, &self.env.settings))
    }

    fn wait(&self, verdict: &Verdict, now: Timestamp) -> Duration {
        let rules = &self.env.settings.rules;
        // However it was judged, no object is looked at without a pause.
        let again = verdict.again.unwrap_or(now + rules.poll_idle).max(now + rules.apart / 10);
        let wait = Duration::try_from(again.duration_since(now).max(SignedDuration::ZERO)).unwrap_or_default();
        match verdict.work.reason() {
            // The Secret may be corrected at any time, and reading it costs ACK nothing.
            Some(Reason::InvalidCredentials | Reason::CredentialsMissing) => {
                wait.min(self.env.settings.secret_interval())
            }
            _ => wait,
        }
    }

    fn remember(&mut self, verdict: Verdict, now: Timestamp, wait: Duration) {
        let edition = Edition::of(&self.object);
        let mut entry = std::mem::take(&mut self.entry);
        let troubled = verdict.work.reason().is_some_and(Reason::passes_by_itself);
        entry.streak = if troubled { entry.streak.saturating_add(1) } else { 0 };
        entry.memo = verdict.memo;
        match (verdict.by_list.as_deref().copied(), &verdict.work) {
            (Some(by_list), _) => {
                let seen = self.learnt.detail.as_ref().map(|detail| &detail.listed).or(self.learnt.listed.as_ref());
                let marks = seen.and_then(|cluster| Marks::seen(cluster, now));
                entry.listed = marks.map(|marks| Listed { edition, marks, by_list });
            }
            // Nothing was learnt.
            (None, Work::Same) => {}
            (None, _) => entry.listed = None,
        }
        entry.rest = Some(Rest { edition, until: Instant::now() + wait });
        self.entry = entry;
        self.keep();
    }

    /// Keeps what is known of the object for the next pass.
    pub(super) fn keep(&mut self) {
        let uid = self.object.uid().unwrap_or_default();
        let namespace = self.object.namespace().unwrap_or_default();
        let reference = ObjectRef::new(&self.object.name_any()).within(&namespace);
        let entry = std::mem::take(&mut self.entry);
        self.env.memory.put(&uid, entry, || self.env.objects.has(&reference, &uid));
    }
}
