//! Doing once what must not happen twice: a sealed request is sent by its sealer only, once, and an outcome that is
//! not known is resolved by looking until a copy of it could not live any more. Never sends anything twice.

use super::*;

/// A create request is sealed. Send it if it is ours to send and has not been sent; else find out what became of it.
pub(super) fn resolve(v: &View, intent: &Intent, mine: bool, rules: &Rules) -> Result<Step, Step> {
    // An answer that comes late, when the object has come to another attempt, says nothing about that one.
    let sent = v.seen.sent.as_ref().filter(|(nonce, _)| *nonce == intent.nonce).map(|(_, sent)| sent);
    if mine && sent.is_none() {
        return Ok(Step::Act(match v.goal {
            Goal::Manage => Act::Send { not_after: intent.date + rules.window - rules.skew },
            // The object was deleted or paused between seal and first byte: this attempt was never made.
            _ => Act::Close(Closed::Unsent),
        }));
    }
    if let Some(Sent::Refused(class, note)) = sent {
        let (class, note) = (*class, note.clone());
        // By then no copy of the request lives any more, so no later time, which a wrong clock may tell, is needed; and
        // it would be waited for.
        let at = v.now.min(intent.date + rules.believable());
        return Ok(Step::Act(Act::Close(Closed::Refused { class, at, mended: false, note })));
    }
    pinned(v, rules, &intent.site.account)?;

    // The larger of the stored bound and our own, so that no change of constants shortens a proof.
    let dead = intent.believe_after.max(intent.date + rules.believable());
    // What must be seen to believe an absence: a list begun late enough, then another one `apart` from it.
    let first = match &v.memo {
        // One from the future was dated by a clock that was wrong.
        Some(Memo::Absent { nonce, began }) if *nonce == intent.nonce && (dead..=v.now).contains(began) => Some(*began),
        _ => None,
    };
    let late_enough = first.map_or(dead, |began| began + rules.apart);
    // A person's word counts once no copy lives any more, and only beside a list begun since.
    let confirmed = v.said(&Word::ConfirmAbsent(intent.nonce.clone()));
    let counts = intent.date + rules.window + rules.skew;
    let least = if v.now >= late_enough {
        late_enough
    } else if confirmed && v.now >= counts {
        counts
    } else {
        v.since
    };
    // Never the list of an earlier pass: what that one did not settle it would not settle again, however late it began.
    let list = ask(v, rules, &v.seen.listing, Look::Listing { began_after: v.since.max(least) })?;
    recorded(list, &intent.site, rules, v.now)?;
    if v.goal == Goal::Pause {
        return Err(Step::Rest(paused(rules).at(v.now + rules.poll_busy)));
    }

    dated(v, list, rules)?;
    if !(confirmed && list.began >= counts) {
        absent(v, intent, list, first, late_enough, rules)?;
    }
    Ok(match v.goal {
        Goal::Destroy | Goal::Release => Step::Act(Act::Release(Free::NeverMade)),
        Goal::Manage | Goal::Observe | Goal::Pause => Step::Act(Act::Close(Closed::Absent { at: v.now })),
    })
}

/// A listed cluster with one of our nonces is believed at once; two are nobody's to choose from.
pub(super) fn recorded(list: &Listing, site: &Site, rules: &Rules, now: Timestamp) -> Result<(), Step> {
    match list.ours.as_slice() {
        [] => Ok(()),
        [id] => Err(Step::Act(Act::Record { id: id.clone(), site: site.clone(), adopted: false })),
        [first, second, ..] => {
            Err(Step::Rest(duplicate(&format!("clusters {first} and {second}")).at(now + rules.slow)))
        }
    }
}

/// `Ok` unless a fresh list shows a second living cluster with one of our nonces: then neither is touched. The shared
/// list only raises the suspicion, since it may be minutes old.
pub(super) fn alone(v: &View, known: &Known, rules: &Rules) -> Result<(), Step> {
    if *ask(v, rules, &v.seen.glance, Look::Glance(known.id.clone()))? != Glance::Crowded {
        return Ok(());
    }
    let list = ask(v, rules, &v.seen.listing, Look::Listing { began_after: v.since })?;
    match list.ours.iter().find(|other| **other != known.id) {
        None => Ok(()),
        Some(other) => {
            let which = format!("recorded cluster {} and cluster {other}", known.id);
            Err(Step::Rest(duplicate(&which).at(v.now + rules.slow)))
        }
    }
}

pub(super) fn duplicate(which: &str) -> Verdict {
    let note = format!(
        "{which} both carry this object's marks; neither is touched: delete the wrong one in the console or take the \
         tag ackoperator.dev/intent off it"
    );
    Verdict::stuck(Some(false), Reason::DuplicateDetected, note)
}

/// Absence, proven: two whole lists begun late enough, by credentials that see our clusters, with nothing in them
/// that could be it, and a gateway that really refuses old and repeated requests.
fn absent(
    v: &View,
    intent: &Intent,
    list: &Listing,
    first: Option<Timestamp>,
    late_enough: Timestamp,
    rules: &Rules,
) -> Result<(), Step> {
    let nonce = &intent.nonce;
    let wait = |again: Timestamp, first: Option<Timestamp>| {
        let note = format!(
            "CreateCluster was sent at about {}; whether ACK made a cluster is not known yet. Watching the list until \
             {:.0} before anything else is done. If you know that there is none: kubectl annotate ackcluster NAME \
             ackoperator.dev/confirm-absent={nonce}",
            intent.date + rules.skew,
            intent.believe_after + rules.apart,
        );
        let verdict = Verdict::under_way(Some(false), Reason::AwaitingOutcome, note).at(again);
        Step::Rest(match first {
            Some(began) => verdict.keeping(Memo::Absent { nonce: nonce.clone(), began }),
            None => verdict,
        })
    };
    if list.began < late_enough {
        // A list dated by whole seconds may seem to have begun a second or two early; then look once more.
        let again = if v.now < late_enough { late_enough.min(v.now + rules.poll_busy) } else { v.now + rules.apart };
        return Err(wait(again, first));
    }
    if !list.whole {
        return Err(Step::Rest(torn(v, rules)));
    }
    let person = format!(
        "look into the console: if there is no such cluster, kubectl annotate ackcluster NAME \
         ackoperator.dev/confirm-absent={nonce}"
    );
    let stuck = |reason, note: String| Verdict::stuck(Some(false), reason, note).at(v.now + rules.slow);
    if let Some(id) = &list.undecided {
        let note = format!(
            "cluster {id} has the name of this object and no tags: it could be the one that was asked for; {person}"
        );
        return Err(Step::Rest(stuck(Reason::ListNotTrusted, note).still(&v.memo)));
    }
    if !list.trusted && !rules.lists_complete {
        let note = format!(
            "the list of region {} shows no cluster that this operator made, so it may hide one; {person}; or run the \
             operator with --lists-are-complete if its credentials see every cluster of the account",
            v.region
        );
        return Err(Step::Rest(stuck(Reason::ListNotTrusted, note).still(&v.memo)));
    }
    if first.is_none() {
        return Err(wait(list.began + rules.apart, Some(list.began)));
    }
    if !*ask(v, rules, &v.seen.fence, Look::Fence)? {
        let note = format!("the gateway accepts requests that it must refuse, so absence proves nothing; {person}");
        // Remembered, or the next look would begin with the waiting again and the object would say so.
        let memo = Memo::Absent { nonce: nonce.clone(), began: list.began };
        return Err(Step::Rest(stuck(Reason::FenceInert, note).keeping(memo)));
    }
    Ok(())
}

/// `Ok` unless the list says that it began later than our own clock can have it. Absence is a matter of time, so it is
/// not proven while one of the two clocks is wrong.
pub(super) fn dated(v: &View, list: &Listing, rules: &Rules) -> Result<(), Step> {
    if list.ahead <= rules.skew {
        return Ok(());
    }
    let note = format!(
        "the clock here is {:#} behind the date of ACK's list, so what the list lacks proves nothing; mend it, then this \
         goes on",
        SignedDuration::from_secs(list.ahead.as_secs())
    );
    Err(Step::Rest(Verdict::under_way(None, Reason::ClockSkew, note).at(v.now + rules.poll_busy).still(&v.memo)))
}

/// A list whose pages do not fit together proves nothing; nor does it take back what an earlier one proved.
pub(super) fn torn(v: &View, rules: &Rules) -> Verdict {
    let note = format!("the list of clusters in {} did not come whole; asking again", v.region);
    Verdict::under_way(None, Reason::Unreachable, note).at(v.now + rules.apart).still(&v.memo)
}
