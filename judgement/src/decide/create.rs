//! Beginning: the owner check, the seal, and adoption. Seals nothing that an earlier attempt could still become.

use super::*;

/// No open intent and no id: look whose the name is, then seal the next attempt.
pub(super) fn begin(v: &View, attempts: u32, last: Option<&Closed>, rules: &Rules) -> Result<Step, Step> {
    rested(v, attempts, last, rules)?;
    ask(v, rules, &v.seen.account, Look::Account)?;
    ask(v, rules, &v.seen.body, Look::Body)?;

    let list = owner_list(v, copies_until(v, last, rules).unwrap_or(v.since), rules)?;
    if let Some(rival) = &list.rival {
        return rivalry(v, rival, rules);
    }
    if v.offset.abs() > rules.skew {
        let note = format!("the clock here is {:#} off the gateway's; mend it, then the cluster is made", v.offset);
        return Err(Step::Rest(Verdict::under_way(Some(false), Reason::ClockSkew, note).at(v.now + rules.poll_busy)));
    }
    Ok(Step::Act(Act::Seal { attempt: attempts + 1 }))
}

/// Where a refusal depended on the moment, another copy of that request may have fared better: only a list begun from
/// then on tells. `None`: there is no such copy.
pub(super) fn copies_until(v: &View, last: Option<&Closed>, rules: &Rules) -> Option<Timestamp> {
    match last {
        Some(Closed::Refused { class, at, .. }) if class.momentary() => Some(v.since.max(*at + rules.copied())),
        Some(Closed::Refused { .. } | Closed::Absent { .. } | Closed::Unsent) | None => None,
    }
}

/// A whole list of the region that began late enough and shows no cluster of this uid, or the step that gets it.
pub(super) fn owner_list<'a>(v: &'a View, began_after: Timestamp, rules: &Rules) -> Result<&'a Listing, Step> {
    let late = |at| {
        let note =
            format!("making sure that no copy of the refused request was executed, by a list from {began_after:.0} on");
        Step::Rest(Verdict::under_way(Some(false), Reason::AwaitingOutcome, note).at(at))
    };
    if began_after > v.now {
        return Err(late(began_after));
    }
    let account = ask(v, rules, &v.seen.account, Look::Account)?;
    let list = ask(v, rules, &v.seen.listing, Look::Listing { began_after })?;
    once::recorded(list, &Site { account: account.clone(), region: v.region.clone() }, rules, v.now)?;
    once::dated(v, list, rules)?;
    if !list.whole {
        return Err(Step::Rest(once::torn(v, rules)));
    }
    // A list dated by whole seconds may seem to have begun a second or two early; then look once more.
    if list.began < began_after { Err(late(v.now + rules.apart)) } else { Ok(list) }
}

/// The pace between attempts: by the class of a refusal until spec or keys change; after an absence 0, 10 min, 1 h.
fn rested(v: &View, attempts: u32, last: Option<&Closed>, rules: &Rules) -> Result<(), Step> {
    let (until, verdict) = match last {
        None | Some(Closed::Unsent | Closed::Refused { mended: true, .. }) => return Ok(()),
        Some(Closed::Refused { class, at, note, .. }) => {
            let until = *at + rules.pace(*class, None, attempts);
            let note = format!("{note}. Tried again at {until:.0}, or as soon as the spec changes").into();
            (until, troubled(v, rules, &Trouble { class: *class, reason: None, note, wait: None }))
        }
        Some(Closed::Absent { at }) => {
            let pause = match attempts {
                0 | 1 => SignedDuration::ZERO,
                2 => rules.slow,
                _ => rules.slow * 6,
            };
            let note = format!("attempt {attempts} left no cluster; the next one follows at {}", *at + pause);
            (*at + pause, Verdict::under_way(Some(false), Reason::Creating, note))
        }
    };
    if v.now < until { Err(Step::Rest(verdict.at(until))) } else { Ok(()) }
}

/// A cluster of our name that another object made. Never create beside it.
fn rivalry(v: &View, rival: &Rival, rules: &Rules) -> Result<Step, Step> {
    let id = &rival.id;
    if rules.adopt_owned && !rival.going {
        return Ok(claim(v, id, Reason::Creating, rules));
    }
    let note = if rival.going {
        format!("cluster {id}, made for an earlier object of this name, is being deleted; waiting until it is gone")
    } else {
        format!(
            "cluster {id} was made for another object of this name and installation; none is made beside it. To take \
             it over set spec.adoptClusterId: {id}, or run the operator with --adopt-owned; if it belongs to another \
             management cluster, give each its own --installation"
        )
    };
    Err(Step::Rest(Verdict::stuck(Some(false), Reason::OwnershipConflict, note).at(v.now + rules.apart)))
}

/// The spec names a cluster: record it, unless it is somebody else's.
pub(super) fn adopt(v: &View, id: &ClusterId, rules: &Rules) -> Result<Step, Step> {
    let account = ask(v, rules, &v.seen.account, Look::Account)?;
    let later = v.now + rules.slow;
    let Existence::Here(cluster) = ask(v, rules, &v.seen.cluster, Look::Cluster(id.clone()))? else {
        let note = format!("ACK knows no cluster {id} in {}; mend spec.adoptClusterId or spec.region_id", v.region);
        return Err(Step::Rest(Verdict::stuck(Some(false), Reason::InvalidSpec, note).at(later)));
    };
    match &cluster.owner {
        Owner::Mine | Owner::Nobody => {
            let site = Site { account: account.clone(), region: v.region.clone() };
            Ok(Step::Act(Act::Record { id: id.clone(), site, adopted: true }))
        }
        Owner::Other(nonce) if v.goal == Goal::Manage && v.said(&Word::TakeOver(nonce.clone())) => {
            Ok(claim(v, id, Reason::Creating, rules))
        }
        other => Err(Step::Rest(foreign(id, other).at(later))),
    }
}

/// Put our mark on the cluster, once a pass: ACK may be slow to show it, or refuse.
pub(super) fn claim(v: &View, id: &ClusterId, reason: Reason, rules: &Rules) -> Step {
    match &v.seen.acted {
        Some((Deed::Claim, Err(trouble))) => Step::Rest(troubled(v, rules, trouble)),
        Some((Deed::Claim, Ok(()))) => {
            let note = "the cluster was marked as this object's; waiting until ACK shows the mark";
            Step::Rest(Verdict::under_way(None, reason, note).at(v.now + rules.apart))
        }
        Some((Deed::Protect | Deed::Change(_) | Deed::Delete | Deed::Publish, _)) | None => {
            Step::Act(Act::Claim(id.clone()))
        }
    }
}

/// The words for a cluster that is not ours.
pub(super) fn foreign(id: &ClusterId, owner: &Owner) -> Verdict {
    let note = match owner {
        Owner::Claimed(by) => format!("cluster {id} is recorded by {by} as well; only one of them may have it"),
        Owner::Other(nonce) => format!(
            "cluster {id} carries the mark of another object. If it is yours: kubectl annotate ackcluster NAME \
             ackoperator.dev/take-over={nonce}"
        ),
        Owner::Nobody | Owner::Mine => format!(
            "cluster {id} does not carry this object's mark any more, so it is not deleted; set deletionPolicy: Retain \
             to let it go"
        ),
    };
    Verdict::stuck(Some(false), Reason::OwnershipConflict, note)
}
