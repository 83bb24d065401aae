//! Beginning: the owner check, the seal, and adoption. Seals nothing that an earlier attempt could still become.

use super::absence::{no_copies, owner_list};
use super::*;

/// No open intent and no id: look whose the name is, then seal the next attempt.
pub(super) fn begin(v: &View, attempts: u32, last: Option<&Ended>, rules: &Rules) -> Result<Step, Step> {
    rested(v, attempts, last, rules)?;
    ask(v, rules, &v.seen.account, Look::Account)?;
    ask(v, rules, &v.seen.body, Look::Body)?;
    no_copies(v, last, rules)?;
    let list = owner_list(v, rules)?;
    if let Some(rival) = &list.rival {
        return rivalry(v, rival, rules);
    }
    if v.offset.abs() > rules.skew {
        let note = format!(
            "the clock here is {:#} off the gateway's; set this machine's clock (NTP), then the cluster is made",
            v.offset
        );
        return Err(Step::Rest(Verdict::under_way(Some(false), Reason::ClockSkew, note).at(v.now + rules.poll_busy)));
    }
    held(v, rules)?;
    Ok(Step::Act(Act::Seal { attempt: attempts + 1 }))
}

/// A cluster of our name that another uid made: taken over where the administrator wants that, else left alone.
fn rivalry(v: &View, rival: &Rival, rules: &Rules) -> Result<Step, Step> {
    if !rules.adopt_owned || !rival.namesake || rival.going {
        return Err(Step::Rest(owner::rivalry(v, rival, rules)));
    }
    held(v, rules)?;
    let account = ask(v, rules, &v.seen.account, Look::Account)?;
    let site = Site { account: account.clone(), region: v.region.clone() };
    Ok(Step::Act(Act::Record { id: rival.id.clone(), site, adopted: false }))
}

/// The pace between attempts: by the class of a refusal until spec or keys change; after an absence 0, 10 min, 1 h.
fn rested(v: &View, attempts: u32, last: Option<&Ended>, rules: &Rules) -> Result<(), Step> {
    let Some(Ended { nonce, how, .. }) = last else { return Ok(()) };
    let (until, verdict) = match how {
        Closed::Unsent | Closed::Refused { corrected: true, .. } => return Ok(()),
        Closed::Refused { .. } if v.said(&Word::ConfirmAbsent(nonce.clone())) => return Ok(()),
        Closed::Refused { class, note, .. } if !class.repeats() => {
            let note = format!(
                "{note}. Not asked for again until the spec changes; to have the same spec asked for again: kubectl \
                 annotate ackcluster NAME ackoperator.dev/confirm-absent={nonce}"
            );
            return Err(Step::Rest(troubled(v, rules, &Trouble::new(*class, note))));
        }
        Closed::Refused { class, at, note, .. } => {
            // Not before a copy would be listed; one reason until then, for what only a person ends does not change by itself.
            let until = *at + rules.pace(*class, None, attempts).max(rules.copied());
            let note = format!("{note}. Tried again at {until:.0}, or as soon as the spec changes");
            (until, troubled(v, rules, &Trouble::new(*class, note)))
        }
        Closed::Absent { at } => {
            let pause = match attempts {
                0 | 1 => SignedDuration::ZERO,
                2 => rules.slow,
                _ => rules.slow * 6,
            };
            let note = format!("attempt {attempts} left no cluster; the next one follows at {:.0}", *at + pause);
            (*at + pause, Verdict::under_way(Some(false), Reason::Creating, note))
        }
    };
    if v.now < until { Err(Step::Rest(verdict.at(until))) } else { Ok(()) }
}

/// The spec names a cluster: record it, unless it is somebody else's. Its mark is put on it once it is recorded.
pub(super) fn adopt(v: &View, id: &ClusterId, last: Option<&Ended>, rules: &Rules) -> Result<Step, Step> {
    let account = ask(v, rules, &v.seen.account, Look::Account)?;
    no_copies(v, last, rules)?;
    let later = v.now + rules.slow;
    let Existence::Here(cluster) = ask(v, rules, &v.seen.cluster, Look::Cluster(id.clone()))? else {
        let note = format!("ACK knows no cluster {id} in {}; check spec.adoptClusterId and spec.region_id", v.region);
        return Err(Step::Rest(Verdict::stuck(Some(false), Reason::InvalidSpec, note).at(later)));
    };
    let taken_over = match &cluster.owner {
        Owner::Mine | Owner::Nobody => true,
        Owner::Other { nonce, namesake } => {
            v.goal == Goal::Manage && v.said(&Word::TakeOver(nonce.clone())) || rules.adopt_owned && *namesake
        }
        Owner::Claimed(_) => false,
    };
    if !taken_over {
        return Err(Step::Rest(owner::foreign(v, id, &cluster.owner).at(later)));
    }
    held(v, rules)?;
    let site = Site { account: account.clone(), region: v.region.clone() };
    Ok(Step::Act(Act::Record { id: id.clone(), site, adopted: true }))
}

/// What the object says while ACK is asked for its cluster. `None`, the same request again: what it says of the last refusal
/// stays until the outcome of this one is known.
pub fn asking(v: &View) -> Option<Verdict> {
    match &v.standing {
        Standing::New { last: Some(Ended { how: Closed::Refused { corrected: false, .. }, .. }), .. } => None,
        _ => Some(Verdict::under_way(Some(false), Reason::Creating, "asking ACK for the cluster")),
    }
}

/// What an object says of which nothing is known yet, while it waits for its turn.
pub fn queued(wait: SignedDuration) -> Verdict {
    let note = format!(
        "queued: the calls that share this account and region go one after the other; its turn comes in about {} s",
        wait.as_secs()
    );
    Verdict::under_way(Some(false), Reason::Creating, note)
}
