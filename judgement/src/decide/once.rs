//! Doing once what must not happen twice: a sealed request is sent by its sealer only, once, and an outcome that is
//! not known is resolved by looking until a copy of it could not live any more. Never sends anything twice.

use super::absence::{dated, recorded, torn};
use super::*;

/// A create request is sealed. Send it if it is ours to send and has not been sent; else find out what became of it.
pub(super) fn resolve(v: &View, intent: &Intent, mine: bool, said: Option<&Note>, rules: &Rules) -> Result<Step, Step> {
    // An answer that comes late, when the object has come to another attempt, says nothing about that one.
    let sent = v.seen.sent.as_ref().filter(|(nonce, _)| *nonce == intent.nonce).map(|(_, sent)| sent);
    if let Some(act) = known(v, intent, mine, sent, rules) {
        return Ok(Step::Act(act));
    }
    let said = match sent {
        Some(Sent::Unknown(note)) => Some(note),
        Some(Sent::Created(..) | Sent::Refused(..)) | None => said,
    };
    let confirmed = v.said(&Word::ConfirmAbsent(intent.nonce.clone()));
    // A person's word counts once no copy lives any more.
    let counts = intent.date + rules.window + rules.skew;
    let blind = |step| blind(v, &intent.nonce, confirmed && v.now >= counts, step);
    pinned(v, rules, &intent.site.account).map_err(blind)?;

    // The larger of the stored bound and our own, so that no change of constants shortens a proof.
    let dead = intent.believe_after.max(intent.date + rules.believable());
    // What must be seen to believe an absence: a list begun late enough, then another one `apart` from it.
    let first = match &v.memo {
        // One from the future was dated by a clock that was wrong.
        Some(Memo::Absent { nonce, began }) if *nonce == intent.nonce && (dead..=v.now).contains(began) => Some(*began),
        _ => None,
    };
    let late_enough = first.map_or(dead, |began| began + rules.apart);
    // A person's word is believed beside a list begun since.
    let least = if v.now >= late_enough {
        late_enough
    } else if confirmed && v.now >= counts {
        counts
    } else {
        v.since
    };
    // Always a list of this pass: an older one did not settle it already, however late it began.
    let list = ask(v, rules, &v.seen.listing, Look::Listing { began_after: v.since.max(least) }).map_err(blind)?;
    recorded(v, list, &intent.site, rules)?;
    if v.goal == Goal::Pause {
        return Err(Step::Rest(paused(rules).at(v.now + rules.poll_busy)));
    }
    // Another uid's intent, as a restore brings it: its cluster is there, and it is not this object's.
    if let Some(rival) = list.rival.as_ref().filter(|rival| rival.nonce == intent.nonce) {
        return Ok(inherited(v, intent, rival, confirmed && v.now >= counts, rules));
    }

    dated(v, list, rules)?;
    if !(confirmed && list.began >= counts) {
        absent(v, intent, said, list, (first, late_enough), rules)?;
    }
    Ok(match v.goal {
        Goal::Destroy | Goal::Release => Step::Act(Act::Release(Free::NeverMade)),
        Goal::Manage | Goal::Observe | Goal::Pause => Step::Act(Act::Close(Closed::Absent { at: v.now })),
    })
}

/// What is to be done where it is known what became of the request, if only that it was not sent yet.
fn known(v: &View, intent: &Intent, mine: bool, sent: Option<&Sent>, rules: &Rules) -> Option<Act> {
    if mine && sent.is_none() {
        // Only the account whose list showed that nothing is there may be asked to make it.
        let theirs = matches!(&v.seen.account, Some(Ok(account)) if *account != intent.site.account);
        return Some(match v.goal {
            Goal::Manage if !theirs => Act::Send { not_after: intent.date + rules.window - rules.skew },
            // The object was deleted or paused, or its keys changed, between seal and first byte: it was never made.
            Goal::Manage | Goal::Observe | Goal::Pause | Goal::Destroy | Goal::Release => Act::Close(Closed::Unsent),
        });
    }
    let Some(Sent::Refused(class, note)) = sent else { return None };
    // By then no copy of the request lives any more, so no later time, which a wrong clock may tell, is needed; and it
    // would be waited for.
    let at = v.now.min(intent.date + rules.believable());
    Some(Act::Close(Closed::Refused { class: *class, at, corrected: false, note: note.clone() }))
}

/// The intent that is stored is another uid's, and its cluster lives: nothing of this object was ever asked for. It is taken over
/// by a person's word, or by the administrator's where the names agree; else it stays what it is.
fn inherited(v: &View, intent: &Intent, rival: &Rival, confirmed: bool, rules: &Rules) -> Step {
    let Rival { id, nonce, namesake, going } = rival;
    match v.goal {
        Goal::Release => {
            Step::Act(Act::Release(Free::Kept(id.clone(), "it stays, with the mark of another object".into())))
        }
        Goal::Destroy if confirmed => Step::Act(Act::Release(Free::NeverMade)),
        Goal::Manage if !going && (v.said(&Word::TakeOver(nonce.clone())) || rules.adopt_owned && *namesake) => {
            Step::Act(Act::Record { id: id.clone(), site: intent.site.clone(), adopted: false })
        }
        Goal::Manage | Goal::Observe | Goal::Pause | Goal::Destroy => {
            let note = format!(
                "the status tells of an attempt of another object, as after a restore, and its cluster {id} exists. To \
                 take it over: kubectl annotate ackcluster NAME ackoperator.dev/take-over={nonce}, or run the operator \
                 with --adopt-owned; to let this object go and leave the cluster: deletionPolicy: Retain"
            );
            let verdict = Verdict::stuck(Some(false), Reason::OwnershipConflict, note);
            Step::Rest(verdict.at(v.now + rules.apart))
        }
    }
}

/// Where nothing can be read and only a person gets further, a going object has two exits, which are named: a person's word that
/// there is no cluster, and `deletionPolicy: Retain`, by which it goes although nobody knows. Neither lets go of clusters that a
/// list does show.
pub(super) fn blind(v: &View, nonce: &Nonce, confirmed: bool, step: Step) -> Step {
    let verdict = match step {
        Step::Rest(verdict) => verdict,
        step @ (Step::Look(_) | Step::Act(_)) => return step,
    };
    let Work::Stuck(reason, note) = &verdict.work else { return Step::Rest(verdict) };
    if *reason == Reason::DuplicateDetected {
        return Step::Rest(verdict);
    }
    match v.goal {
        Goal::Destroy | Goal::Release if confirmed => Step::Act(Act::Release(Free::NeverMade)),
        Goal::Release => Step::Act(Act::Release(Free::Untraced(nonce.clone()))),
        Goal::Destroy => {
            let note = format!(
                "{note}. A create request may have been executed: look into the console for a cluster with the tag \
                 ackoperator.dev/intent={nonce}. If there is none: kubectl annotate ackcluster NAME \
                 ackoperator.dev/confirm-absent={nonce}; to leave it there: deletionPolicy: Retain"
            );
            Step::Rest(Verdict { work: Work::Stuck(*reason, note.into()), ..verdict })
        }
        Goal::Manage | Goal::Observe | Goal::Pause => Step::Rest(verdict),
    }
}

/// Absence, proven: two whole lists begun late enough, by credentials that see our clusters, with nothing in them
/// that could be it, and a gateway that really refuses old and repeated requests.
fn absent(
    v: &View,
    intent: &Intent,
    said: Option<&Note>,
    list: &Listing,
    (first, late_enough): (Option<Timestamp>, Timestamp),
    rules: &Rules,
) -> Result<(), Step> {
    let nonce = &intent.nonce;
    let why = said.map_or_else(String::new, |said| format!(" (what came back: {said})"));
    let wait = |again: Timestamp, first: Option<Timestamp>| {
        let note = format!(
            "CreateCluster was sent at about {:.0}; whether ACK made a cluster is not known yet{why}. Watching the list until \
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
        return Err(Step::Rest(torn(v, &intent.site.region, rules)));
    }
    believed(v, intent, list, rules)?;
    if first.is_none() {
        return Err(wait(list.began + rules.apart, Some(list.began)));
    }
    if !*ask(v, rules, &v.seen.fence, Look::Fence)? {
        let note =
            format!("the gateway accepts requests that it must refuse, so absence proves nothing; {}", person(nonce));
        // Remembered, or the next look would begin with the waiting again and the object would say so.
        let memo = Memo::Absent { nonce: nonce.clone(), began: list.began };
        let verdict = Verdict::stuck(Some(false), Reason::FenceInert, note).at(v.now + rules.slow);
        return Err(Step::Rest(verdict.keeping(memo)));
    }
    Ok(())
}

/// Whose word ends the waiting.
fn person(nonce: &Nonce) -> String {
    format!(
        "look into the console: if there is no such cluster, kubectl annotate ackcluster NAME \
         ackoperator.dev/confirm-absent={nonce}"
    )
}

/// `Ok` where nothing in the list could be what is looked for, and these credentials would see it.
fn believed(v: &View, intent: &Intent, list: &Listing, rules: &Rules) -> Result<(), Step> {
    let person = person(&intent.nonce);
    let stuck = |note: String| {
        let verdict = Verdict::stuck(Some(false), Reason::ListNotTrusted, note).at(v.now + rules.slow);
        Err(Step::Rest(verdict.still(&v.memo)))
    };
    if let Some(Undecided { id, .. }) = &list.undecided {
        let note = format!(
            "cluster {id} has the name of this object and no tags: it could be the one that was asked for; {person}"
        );
        return stuck(note);
    }
    if !list.trusted && !rules.lists_complete {
        let note = format!(
            "the list of region {} shows no other cluster of the same resource group that this operator made, so these \
             credentials may not see this one; {person}; or run the operator with --lists-are-complete if its credentials \
             see every cluster of the account",
            intent.site.region
        );
        return stuck(note);
    }
    Ok(())
}
