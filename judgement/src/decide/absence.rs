//! What proves that something is not there: a list that came whole, began late enough by a clock that is right, and is read by
//! credentials that would see it. Also the opposite: what such a list finds is recorded.

use super::*;

/// A listed cluster with one of our nonces is believed at once; between two nobody here can choose.
pub(super) fn recorded(v: &View, list: &Listing, site: &Site, rules: &Rules) -> Result<(), Step> {
    match list.ours.as_slice() {
        [] => Ok(()),
        [id] => {
            if matches!(v.goal, Goal::Manage | Goal::Observe) {
                held(v, rules)?;
            }
            Err(Step::Act(Act::Record { id: id.clone(), site: site.clone(), adopted: false }))
        }
        [first, second, ..] => {
            Err(Step::Rest(duplicate(&format!("clusters {first} and {second}")).at(v.now + rules.slow)))
        }
    }
}

/// `Ok` unless a fresh list shows a second living cluster with one of our nonces: then neither is touched. The shared
/// list only raises the suspicion, since it may be minutes old. Where it may not be read, nothing is asked of ACK either:
/// [`asked::step`] sees to that.
pub(super) fn alone(v: &View, known: &Known, rules: &Rules) -> Result<(), Step> {
    match &v.seen.glance {
        None => return Err(Step::Look(follow::glance(v, known, rules))),
        Some(Ok(Glance::Crowded)) => {}
        Some(Ok(Glance::Same | Glance::Moving(_) | Glance::Changed | Glance::Absent)) => return Ok(()),
        Some(Err(trouble)) if trouble.class == Class::Permission => return Ok(()),
        Some(Err(trouble)) => return Err(Step::Rest(troubled(v, rules, trouble))),
    }
    let list = ask(v, rules, &v.seen.listing, Look::Listing { began_after: v.since })?;
    match list.ours.iter().find(|other| **other != known.id) {
        // A list that is torn, or older than the suspicion, does not clear it.
        None if !list.whole => Err(Step::Rest(torn(v, &known.site.region, rules))),
        None if list.began < v.since => {
            let note = "waiting for a list of clusters that is recent enough";
            Err(Step::Rest(Verdict::under_way(None, Reason::Unreachable, note).at(v.now + rules.apart).still(&v.memo)))
        }
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

/// The attempt of which a copy may have fared otherwise than the one that was refused, and from when on a list of its own
/// site tells. A person's word ends the waiting.
pub(super) fn copies<'a>(v: &View, last: Option<&'a Ended>, rules: &Rules) -> Option<(&'a Ended, Timestamp)> {
    let last = last?;
    match &last.how {
        Closed::Refused { class, at, .. } if class.momentary() => {
            let told = v.said(&Word::ConfirmAbsent(last.nonce.clone()));
            (!told).then(|| (last, v.since.max(*at + rules.copied())))
        }
        Closed::Refused { .. } | Closed::Absent { .. } | Closed::Unsent => None,
    }
}

/// `Ok` once nothing of an earlier attempt can come to light any more: its own site was listed, wherever the spec points now.
pub(super) fn no_copies(v: &View, last: Option<&Ended>, rules: &Rules) -> Result<(), Step> {
    let Some((last, from)) = copies(v, last, rules) else { return Ok(()) };
    if from > v.now {
        return Err(late(from, Some(&last.nonce), from));
    }
    pinned(v, rules, &last.site.account)?;
    let list = if last.site.region == v.region {
        ask(v, rules, &v.seen.listing, Look::Listing { began_after: from })?
    } else {
        let region = last.site.region.clone();
        ask(v, rules, &v.seen.elsewhere, Look::Elsewhere { region, began_after: from })?
    };
    settled(v, list, &last.site, from, Some(&last.nonce), rules)
}

/// A whole list of the region where the spec wants the cluster, which shows no cluster of this uid and none that may be; or
/// the step that gets it.
pub(super) fn owner_list<'a>(v: &'a View, rules: &Rules) -> Result<&'a Listing, Step> {
    let account = ask(v, rules, &v.seen.account, Look::Account)?;
    let list = ask(v, rules, &v.seen.listing, Look::Listing { began_after: v.since })?;
    let site = Site { account: account.clone(), region: v.region.clone() };
    settled(v, list, &site, v.since, None, rules)?;
    Ok(list)
}

/// `Ok` where the list settles that no cluster of this object is there.
fn settled(
    v: &View,
    list: &Listing,
    site: &Site,
    from: Timestamp,
    nonce: Option<&Nonce>,
    rules: &Rules,
) -> Result<(), Step> {
    recorded(v, list, site, rules)?;
    dated(v, list, rules)?;
    if !list.whole {
        return Err(Step::Rest(torn(v, &site.region, rules)));
    }
    // A list dated by whole seconds may seem to have begun a second or two early; then look once more.
    if list.began < from {
        return Err(late(from, nonce, v.now + rules.apart));
    }
    undecided(v, list, nonce, rules)
}

fn late(from: Timestamp, nonce: Option<&Nonce>, again: Timestamp) -> Step {
    let word = nonce.map_or_else(String::new, |nonce| {
        format!(
            ". If you know that there is none: kubectl annotate ackcluster NAME ackoperator.dev/confirm-absent={nonce}"
        )
    });
    // A time, and no count of what is left of it, which would change the status at each look.
    let note =
        format!("making sure that no copy of the refused request made a cluster, by a list from {from:.0} on{word}");
    Step::Rest(Verdict::under_way(Some(false), Reason::AwaitingOutcome, note).at(again))
}

/// `Ok` unless the list shows a cluster without tags that could be ours: ACK may show the tags later than the cluster.
fn undecided(v: &View, list: &Listing, nonce: Option<&Nonce>, rules: &Rules) -> Result<(), Step> {
    let Some(Undecided { id, until }) = &list.undecided else { return Ok(()) };
    let word = nonce.map_or_else(String::new, |nonce| {
        format!("; if it is not, kubectl annotate ackcluster NAME ackoperator.dev/confirm-absent={nonce}")
    });
    let cure = format!("If it is the one that you want, set spec.adoptClusterId: {id}{word}");
    Err(Step::Rest(match until {
        Some(until) => {
            let note = format!(
                "cluster {id} has this cluster's name and no tags yet: it could be the one that was asked for. Looking \
                 again until {until:.0}. {cure}"
            );
            Verdict::under_way(Some(false), Reason::AwaitingOutcome, note).at(v.now + rules.poll_busy)
        }
        None => {
            let note = format!(
                "cluster {id} has this cluster's name and no tags, and ACK does not say when it was made: it could be \
                 the one that was asked for. {cure}"
            );
            Verdict::stuck(Some(false), Reason::ListNotTrusted, note).at(v.now + rules.slow)
        }
    }))
}

/// `Ok` unless the list says that it began later than our own clock can have it. Absence is a matter of time, so it is
/// not proven while one of the two clocks is wrong.
pub(super) fn dated(v: &View, list: &Listing, rules: &Rules) -> Result<(), Step> {
    if list.ahead <= rules.skew {
        return Ok(());
    }
    let note = format!(
        "the clock here is {:#} behind the date of ACK's list, so what the list lacks proves nothing; set this machine's \
         clock (NTP), then this goes on",
        SignedDuration::from_secs(list.ahead.as_secs())
    );
    Err(Step::Rest(Verdict::under_way(None, Reason::ClockSkew, note).at(v.now + rules.poll_busy).still(&v.memo)))
}

/// A list whose pages do not fit together proves nothing; nor does it take back what an earlier one proved.
pub(super) fn torn(v: &View, region: &Region, rules: &Rules) -> Verdict {
    let note = format!("the list of clusters in {region} did not come whole; asking again");
    Verdict::under_way(None, Reason::Unreachable, note).at(v.now + rules.apart).still(&v.memo)
}

/// What is said of a cluster that ACK does not know, before that is believed.
fn unknown(v: &View, id: &ClusterId, at: Timestamp, first: Timestamp) -> Step {
    let note = format!("ACK does not know cluster {id}; looking again before that is believed");
    let reason = if v.goal == Goal::Destroy { Reason::Deleting } else { Reason::Unreachable };
    let memo = Memo::Gone { id: id.clone(), at: first };
    // What the list lacks of a cluster that goes is as it was told.
    let verdict = if v.seen.cluster.is_some() {
        Verdict::under_way(Some(false), reason, note)
    } else {
        Verdict::new(None, Work::Same)
    };
    Step::Rest(verdict.at(at).keeping(memo))
}

/// Dates of whole seconds let the time jump back a little: a look just in time would come too early for what it finds.
fn later(rules: &Rules) -> SignedDuration {
    rules.apart + (rules.apart / 2).min(SignedDuration::from_secs(1))
}

/// When ACK first did not know the cluster, where that is at least `apart` ago. Where its deletion was asked for, a list that
/// lacks it is the first time.
pub(super) fn twice(v: &View, known: &Known, rules: &Rules) -> Result<Timestamp, Step> {
    let id = &known.id;
    let first = match &v.memo {
        // A clock that was set back meanwhile shall not put the second look off.
        Some(Memo::Gone { id: before, at }) if before == id => (*at).min(v.now),
        _ => return Err(unknown(v, id, v.now + later(rules), v.now)),
    };
    if v.now < first + rules.apart { Err(unknown(v, id, first + later(rules), first)) } else { Ok(first) }
}

/// `Ok` only when the cluster is proven gone: unknown twice, at least `apart`, and absent from a whole list begun
/// after the first time, in which no cluster carries a nonce of this uid; all of it told by the cluster's own region.
pub(super) fn gone(v: &View, known: &Known, rules: &Rules) -> Result<(), Step> {
    let id = &known.id;
    let again = |at: Timestamp, first: Timestamp| unknown(v, id, at, first);
    if !known.met && v.now < known.believe_after {
        let note = format!("ACK has not shown cluster {id} yet; its record may lag until {:.0}", known.believe_after);
        let reason = if v.goal == Goal::Destroy { Reason::Deleting } else { Reason::Creating };
        return Err(Step::Rest(Verdict::under_way(Some(false), reason, note).at(v.now + rules.poll_busy)));
    }
    let first = twice(v, known, rules)?;
    let list = ask(v, rules, &v.seen.listing, Look::Listing { began_after: first })?;
    // A list that proves nothing is not asked for again: lists are shared, and one begun after `first` is what we have.
    // So the looking begins anew.
    if list.began < first || !list.whole {
        return Err(again(v.now + later(rules), v.now));
    }
    match list.ours.iter().find(|other| *other != id) {
        Some(other) => {
            let which = format!("recorded cluster {id}, which is gone, and living cluster {other}");
            Err(Step::Rest(duplicate(&which).at(v.now + rules.slow).still(&v.memo)))
        }
        // The list lags behind the detail, or the other way round.
        None if list.ours.contains(id) => Err(again(v.now + later(rules), v.now)),
        None => here(v, known, list, first, rules),
    }
}

/// `Ok` only when the answers surely come from the cluster's own region, for another's endpoint knows no cluster either
/// and its list is empty (ack-api a.1): a living cluster of ours is listed there, or this one left a trace.
fn here(v: &View, known: &Known, list: &Listing, first: Timestamp, rules: &Rules) -> Result<(), Step> {
    dated(v, list, rules)?;
    let Known { id, site, .. } = known;
    if list.trusted || *ask(v, rules, &v.seen.trace, Look::Trace(id.clone()))? {
        return Ok(());
    }
    let note = format!(
        "ACK's answers know neither cluster {id} nor its task nor any other cluster of ours in {}, so they may come from \
         another region, or from credentials that cannot see it: check --ack-endpoint and the credentials. If you know \
         that the cluster is gone, or want to keep it: deletionPolicy: Retain lets this object be deleted",
        site.region
    );
    let memo = Memo::Gone { id: id.clone(), at: first };
    Err(Step::Rest(Verdict::stuck(Some(false), Reason::ListNotTrusted, note).at(v.now + rules.slow).keeping(memo)))
}
