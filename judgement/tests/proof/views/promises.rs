//! What never follows from any view. Told from the promises, one function each, and not from the code that keeps them: whatever a
//! view shows, an act for which its promise does not hold is wrong.

use super::*;
use ack_judgement::decide::Verdict;

/// The promise that this act breaks, if it breaks one.
pub fn broken(act: &Act, v: &View, rules: &Rules) -> Option<&'static str> {
    let facts = Facts { v, rules };
    let kept = match act {
        Act::AddFinalizer => facts.may_hold(),
        Act::Seal { attempt } => facts.may_seal(*attempt),
        Act::Send { not_after } => facts.may_send(*not_after),
        Act::Record { id, site, adopted } => facts.may_record(id, site, *adopted),
        Act::Close(how) => facts.may_close(how),
        Act::Ask(ask) => facts.may_ask(ask),
        Act::Publish(id) => facts.may_publish(id),
        Act::Forget(id) => {
            facts.only(&[Goal::Manage])
                && facts.said(Word::Recreate(id.clone()))
                && facts.gone().is_some_and(|gone| gone == *id)
        }
        Act::Release(free) => facts.only(&[Goal::Destroy, Goal::Release]) && v.finalizer && facts.may_let_go(free),
    };
    (!kept).then_some("a broken promise")
}

/// The promise that this rest breaks, if it breaks one.
pub fn broken_rest(verdict: &Verdict, v: &View) -> Option<&'static str> {
    use Reason::*;
    let (reason, waits) = match &verdict.work {
        Work::UnderWay(reason, _) | Work::Stuck(reason, _) => (Some(*reason), true),
        Work::Held(reason, _) => (Some(*reason), false),
        Work::Done | Work::Same => (None, true),
    };
    let shown = v.seen.cluster.as_ref().and_then(|cluster| cluster.as_ref().ok());
    let ours = matches!(shown, Some(Existence::Here(cluster)) if cluster.owner == Owner::Mine);
    let down = match shown {
        Some(Existence::Here(cluster)) => !matches!(cluster.state, State::Running | State::ChangeFailed | State::Busy),
        Some(Existence::Unknown) => true,
        None => false,
    };
    let about_us = [
        InvalidCredentials,
        CredentialsMissing,
        PermissionDenied,
        QuotaExceeded,
        AccountProblem,
        AccountChanged,
        Throttled,
        Unreachable,
        ClockSkew,
    ];
    let recorded = matches!(v.standing, Standing::Known(_));
    let not_asked = match &v.standing {
        Standing::Known(known) => verdict.ends.iter().any(|(key, end)| {
            !known.asked.iter().any(|asked| asked.key == *key && (end.is_none() || asked.end != *end))
        }),
        Standing::New { .. } | Standing::Sealed { .. } => !verdict.ends.is_empty(),
    };
    [
        (verdict.again.is_some_and(|again| again <= v.now) && verdict.memo == v.memo, "it does not rest"),
        (waits && verdict.again.is_none(), "it waits for nothing"),
        (
            recorded
                && verdict.ready == Some(false)
                && reason.is_some_and(|reason| about_us.contains(&reason))
                && !down,
            "trouble of ours makes the cluster unready",
        ),
        (verdict.work == Work::Done && !ours, "running, without our mark"),
        (not_asked, "an end of what was not asked for, or nothing new of it"),
    ]
    .into_iter()
    .find_map(|(broken, what)| broken.then_some(what))
}

pub struct Facts<'a> {
    pub v: &'a View,
    pub rules: &'a Rules,
}

impl Facts<'_> {
    pub fn only(&self, goals: &[Goal]) -> bool {
        goals.contains(&self.v.goal)
    }

    pub fn said(&self, word: Word) -> bool {
        self.v.words.contains(&word)
    }

    pub fn here(&self) -> Option<&Cluster> {
        match &self.v.seen.cluster {
            Some(Ok(Existence::Here(cluster))) => Some(cluster),
            Some(Ok(Existence::Unknown) | Err(_)) | None => None,
        }
    }

    pub fn account(&self, site: &Site) -> bool {
        self.v.seen.account == Some(Ok(site.account.clone()))
    }

    pub fn known(&self) -> Option<&Known> {
        match &self.v.standing {
            Standing::Known(known) => Some(known),
            Standing::New { .. } | Standing::Sealed { .. } => None,
        }
    }

    /// The list of this site, where one was read by its own account.
    fn list(&self, site: &Site) -> Option<&Listing> {
        let home = match &self.v.standing {
            Standing::Known(known) => &known.site.region,
            Standing::Sealed { intent, .. } => &intent.site.region,
            Standing::New { .. } => &self.v.region,
        };
        let seen = if *home == site.region { &self.v.seen.listing } else { &self.v.seen.elsewhere };
        seen.as_ref().and_then(|list| list.as_ref().ok()).filter(|_| self.account(site))
    }

    /// A whole list, late enough and by a right clock, that shows none of ours.
    fn shows_none(&self, list: &Listing, from: Timestamp) -> bool {
        list.whole && list.began >= from && list.ahead <= self.rules.skew && list.ours.is_empty()
    }

    /// P1, P2: no copy of an earlier request can come to light any more: it was never executed, its own site shows nothing, or a
    /// person says so.
    fn no_copies(&self, last: Option<&Ended>) -> bool {
        let Some(Ended { nonce, site, how }) = last else { return true };
        match how {
            Closed::Unsent | Closed::Absent { .. } | Closed::Refused { class: Class::User, .. } => true,
            Closed::Refused { at, .. } => {
                let shows_none = |list: &Listing| {
                    self.shows_none(list, *at + self.rules.listed + self.rules.skew) && list.undecided.is_none()
                };
                self.said(Word::ConfirmAbsent(nonce.clone())) || self.list(site).is_some_and(shows_none)
            }
        }
    }

    /// P1: the name is free.
    fn free(&self) -> bool {
        let Some(Ok(account)) = &self.v.seen.account else { return false };
        let here = Site { account: account.clone(), region: self.v.region.clone() };
        self.list(&here)
            .is_some_and(|list| self.shows_none(list, self.v.since) && list.undecided.is_none() && list.rival.is_none())
    }

    /// A finalizer is put where a cluster may be, and right before the first thing that must not be lost.
    fn may_hold(&self) -> bool {
        let v = self.v;
        let first = match &v.standing {
            Standing::Sealed { .. } | Standing::Known(_) => true,
            Standing::New { .. } => {
                let shows = |list: &&Listing| !list.ours.is_empty() || list.rival.is_some();
                let lists = [&v.seen.listing, &v.seen.elsewhere].into_iter().flatten().flatten();
                let found = lists.filter(shows).count() > 0;
                matches!(v.seen.account, Some(Ok(_)))
                    && (v.seen.body == Some(Ok(())) && self.free() || found || self.here().is_some())
            }
        };
        !v.finalizer && self.only(&[Goal::Manage, Goal::Observe, Goal::Pause]) && first
    }

    fn may_seal(&self, attempt: u32) -> bool {
        let v = self.v;
        let Standing::New { adopt: None, attempts, last, .. } = &v.standing else { return false };
        let rested = match last {
            None | Some(Ended { how: Closed::Unsent | Closed::Refused { corrected: true, .. }, .. }) => true,
            Some(Ended { how: Closed::Absent { at }, .. }) => {
                let waits = [0, 0, 10].get(*attempts as usize).copied().unwrap_or(60);
                v.now >= *at + mins(waits)
            }
            // The same body is not sent again by itself where ACK would refuse it again, and slowly where it is full.
            Some(Ended { how: Closed::Refused { class, at, .. }, nonce, .. }) => {
                let by_itself = match class {
                    Class::User | Class::Refused => false,
                    Class::Quota | Class::Account | Class::Taken => v.now >= *at + mins(10),
                    _ => true,
                };
                by_itself || self.said(Word::ConfirmAbsent(nonce.clone()))
            }
        };
        let ready = v.finalizer && v.seen.body == Some(Ok(())) && v.offset.abs() <= self.rules.skew;
        self.only(&[Goal::Manage])
            && attempt == attempts + 1
            && ready
            && rested
            && self.no_copies(last.as_ref())
            && self.free()
    }

    fn may_send(&self, not_after: Timestamp) -> bool {
        let v = self.v;
        let Standing::Sealed { intent, mine: true, .. } = &v.standing else { return false };
        let sent = v.seen.sent.as_ref().is_some_and(|(nonce, _)| *nonce == intent.nonce);
        let theirs = matches!(&v.seen.account, Some(Ok(account)) if *account != intent.site.account);
        self.only(&[Goal::Manage]) && v.finalizer && !sent && !theirs && not_after < intent.date + self.rules.window
    }

    fn may_record(&self, id: &ClusterId, site: &Site, adopted: bool) -> bool {
        let v = self.v;
        let answered = matches!(&v.seen.sent, Some((_, Sent::Created(made, at))) if made == id && at == site);
        let listed = |rival: bool| {
            self.list(site).is_some_and(|list| match (&list.rival, rival) {
                (Some(rival), true) => {
                    rival.id == *id && !rival.going && list.ours.is_empty() && self.takes(&rival.nonce, rival.namesake)
                }
                _ => list.ours == [id.clone()],
            })
        };
        // An id beside a recorded one is a duplicate.
        let found = match &v.standing {
            Standing::Known(_) => false,
            Standing::Sealed { intent, .. } => *site == intent.site && (listed(false) || listed(true)),
            Standing::New { adopt, last, .. } if adopted => {
                let may = self.here().is_some_and(|cluster| match &cluster.owner {
                    Owner::Mine | Owner::Nobody => true,
                    Owner::Other { nonce, namesake } => self.takes(nonce, *namesake),
                    Owner::Claimed(_) => false,
                });
                adopt.as_ref() == Some(id) && may && self.account(site) && self.no_copies(last.as_ref())
            }
            Standing::New { .. } => listed(false) || listed(true),
        };
        self.known().is_none()
            && (!adopted && answered || found && (v.finalizer || !self.only(&[Goal::Manage, Goal::Observe])))
    }

    /// P7: another's cluster is taken over by a person's word for its mark, or by the administrator's where the names agree.
    pub fn takes(&self, nonce: &Nonce, namesake: bool) -> bool {
        self.said(Word::TakeOver(nonce.clone())) || self.rules.adopt_owned && namesake
    }

    fn may_close(&self, how: &Closed) -> bool {
        let v = self.v;
        let Standing::Sealed { intent, mine, .. } = &v.standing else { return false };
        let answer = v.seen.sent.as_ref().filter(|(nonce, _)| *nonce == intent.nonce).map(|(_, sent)| sent);
        match how {
            Closed::Unsent => *mine && answer.is_none() && (!self.only(&[Goal::Manage]) || !self.account(&intent.site)),
            Closed::Refused { class, at, corrected, note } => {
                answer == Some(&Sent::Refused(*class, note.clone())) && *at <= v.now && !corrected
            }
            Closed::Absent { .. } => self.only(&[Goal::Manage, Goal::Observe]) && self.absent(intent),
        }
    }

    /// P1, P2: two whole lists, apart and late enough, by credentials that would see it, and a gateway that refuses what is old; or a
    /// person's word beside a list that is late enough.
    fn absent(&self, intent: &Intent) -> bool {
        let (v, rules) = (self.v, self.rules);
        let Some(list) = self.list(&intent.site) else { return false };
        let dead = intent.believe_after.max(intent.date + rules.window + rules.listed + rules.skew);
        let person = self.said(Word::ConfirmAbsent(intent.nonce.clone()))
            && list.began >= intent.date + rules.window + rules.skew
            && list.ours.is_empty()
            && list.ahead <= rules.skew;
        let proof = matches!(&v.memo, Some(Memo::Absent { nonce, began })
            if *nonce == intent.nonce && *began >= dead && self.shows_none(list, *began + rules.apart))
            && list.undecided.is_none()
            && (list.trusted || rules.lists_complete)
            && v.seen.fence == Some(Ok(true));
        let theirs = list.rival.as_ref().is_some_and(|rival| rival.nonce == intent.nonce);
        person && (!theirs || self.only(&[Goal::Destroy, Goal::Release])) || proof && !theirs
    }

    /// Which cluster is proven gone: unknown twice, absent from a list that is of its own region, and no other of ours.
    fn gone(&self) -> Option<ClusterId> {
        let (v, rules) = (self.v, self.rules);
        let known = self.known()?;
        let list = self.list(&known.site)?;
        let unknown = v.seen.cluster == Some(Ok(Existence::Unknown));
        let twice = matches!(&v.memo, Some(Memo::Gone { id, at })
            if *id == known.id && *at <= v.now - rules.apart && self.shows_none(list, *at));
        let its_own = list.trusted || v.seen.trace == Some(Ok(true));
        let late = !known.met && v.now < known.believe_after;
        (unknown && twice && its_own && !late).then(|| known.id.clone())
    }

    fn may_let_go(&self, free: &Free) -> bool {
        let v = self.v;
        // Of what may be read at all: a list by the keys of another account is none.
        let here =
            v.seen.account.clone().and_then(Result::ok).map(|account| Site { account, region: v.region.clone() });
        let sites = match &v.standing {
            Standing::Known(_) => vec![],
            Standing::Sealed { intent, .. } => vec![intent.site.clone()],
            Standing::New { last, blank, .. } => {
                let here = here.iter().filter(|_| *blank).cloned();
                here.chain(last.iter().map(|last| last.site.clone())).collect()
            }
        };
        let nothing_of_ours = sites.iter().all(|site| self.list(site).is_none_or(|list| list.ours.is_empty()));
        let kept = self.only(&[Goal::Release]);
        // The finalizer is as young as this pass, and a list came before it.
        let held = nothing_of_ours && v.seen.acted.contains(&(Deed::Hold, Ok(())));
        let person = |nonce: &Nonce| self.said(Word::ConfirmAbsent(nonce.clone()));
        match (free, &v.standing) {
            (Free::Kept(id, _), Standing::Known(known)) => kept && *id == known.id,
            (Free::Kept(id, _), Standing::Sealed { intent, .. }) => {
                let theirs = |list: &Listing| matches!(&list.rival, Some(rival) if rival.id == *id && rival.nonce == intent.nonce);
                kept && self.list(&intent.site).is_some_and(theirs) && nothing_of_ours
            }
            (Free::Gone, Standing::Known(known)) => !kept && self.gone().as_ref() == Some(&known.id),
            (Free::NeverMade, Standing::Sealed { intent, .. }) => {
                let unread = self.list(&intent.site).is_none();
                let dead = v.now >= intent.date + self.rules.window + self.rules.skew;
                nothing_of_ours && (self.absent(intent) || unread && dead && person(&intent.nonce))
            }
            // A list is looked at where one must be; what nobody had to read says nothing.
            (Free::NeverMade, Standing::New { last: Some(last), blank, .. }) => {
                (!blank || held || nothing_of_ours) && self.no_copies(Some(last))
            }
            (Free::NeverMade, Standing::New { last: None, .. }) => nothing_of_ours && person(&v.nonce),
            (Free::NeverSealed, Standing::New { last, blank, .. }) => {
                let trusted = || {
                    here.as_ref()
                        .and_then(|here| self.list(here))
                        .is_some_and(|list| list.trusted || self.rules.lists_complete)
                };
                last.is_none() && (!blank || held || self.free() && trusted())
            }
            (Free::Untraced(nonce), Standing::Sealed { intent, .. }) => {
                kept && nothing_of_ours && *nonce == intent.nonce && self.list(&intent.site).is_none()
            }
            (Free::Untraced(nonce), Standing::New { last, .. }) => {
                kept && nothing_of_ours && nonce == last.as_ref().map_or(&v.nonce, |last| &last.nonce)
            }
            (
                Free::Kept(..) | Free::Gone | Free::NeverMade | Free::NeverSealed | Free::Untraced(_),
                Standing::New { .. } | Standing::Sealed { .. } | Standing::Known(_),
            ) => false,
        }
    }

    fn may_publish(&self, id: &ClusterId) -> bool {
        let v = self.v;
        let Some(known) = self.known() else { return false };
        let serves = self.here().is_some_and(|cluster| {
            matches!(cluster.state, State::Running | State::ChangeFailed | State::Busy) && cluster.owner == Owner::Mine
        });
        let due = match &v.seen.kubeconfig {
            Some(Ok(Published::Absent)) => true,
            Some(Ok(Published::Fresh { renew })) => *renew <= v.now,
            Some(Ok(Published::Foreign(_) | Published::NoEndpoint(_)) | Err(_)) | None => false,
        };
        let once = v.seen.acted.iter().all(|(deed, _)| *deed != Deed::Publish);
        self.only(&[Goal::Manage])
            && known.id == *id
            && self.account(&known.site)
            && v.finalizer
            && v.kubeconfig.is_some()
            && serves
            && due
            && once
            && self.alone(known)
    }

    /// P7, S8: no second living cluster with our mark is known of.
    pub fn alone(&self, known: &Known) -> bool {
        match &self.v.seen.glance {
            Some(Ok(Glance::Same | Glance::Moving(_) | Glance::Changed | Glance::Absent)) => true,
            Some(Ok(Glance::Crowded)) => self.list(&known.site).is_some_and(|list| {
                list.whole && list.began >= self.v.since && list.ours.iter().all(|id| *id == known.id)
            }),
            Some(Err(_)) => true,
            None => false,
        }
    }
}
