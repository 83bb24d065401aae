//! Whose a cluster is. Nothing is changed, published or deleted before ACK has shown this object's own mark on it; a mark of
//! another is never overwritten without a person's word.

use super::asked::{May, Pace, Pause, Why};
use super::*;

/// `Ok` only for a cluster that shows this object's mark now. `reason` is what the object says while it waits for that.
pub(super) fn owned(v: &View, known: &Known, cluster: &Cluster, reason: Reason, rules: &Rules) -> Result<(), Step> {
    let wanted = || Err(claim(v, known, cluster, reason, rules));
    let conflict = || Err(Step::Rest(foreign(v, &known.id, &cluster.owner).at(v.now + rules.slow)));
    match &cluster.owner {
        Owner::Mine => Ok(()),
        // Somebody took it off, or it was never ours to see.
        Owner::Nobody if known.mark == Mark::Seen || known.adopted && known.mark == Mark::Unseen => wanted(),
        Owner::Nobody if v.said(&Word::TakeOver(v.nonce.clone())) => wanted(),
        Owner::Nobody if known.mark == Mark::Unseen && v.now < known.recorded + rules.copied() => {
            let note = "waiting until ACK shows this object's tags on the cluster";
            Err(Step::Rest(Verdict::under_way(None, reason, note).at(v.now + rules.poll_busy)))
        }
        Owner::Other { nonce, .. } if v.said(&Word::TakeOver(nonce.clone())) => wanted(),
        Owner::Other { namesake: true, .. } if rules.adopt_owned => wanted(),
        Owner::Nobody | Owner::Other { .. } | Owner::Claimed(_) => conflict(),
    }
}

/// Puts our mark on the cluster, and waits until ACK shows it.
fn claim(v: &View, known: &Known, cluster: &Cluster, reason: Reason, rules: &Rules) -> Step {
    let waiting = || {
        let note = "putting this object's tags on the cluster, and waiting until ACK shows them";
        Verdict::under_way(serving(cluster), reason, note).at(v.now + rules.apart)
    };
    let stuck = |reason, note: String| Verdict::stuck(serving(cluster), reason, note);
    let pace = Pace { failed: false, unshown: asked::day(rules) };
    Step::Rest(match asked::may(v, known, rules, (keys::MARKS, v.nonce.as_str()), pace) {
        May::Ask(remember) => {
            return asked::step(v, known, cluster, rules, Deed::Claim, waiting(), vec![remember]);
        }
        May::Wait => waiting(),
        May::Troubled(trouble) => Verdict { ready: serving(cluster), ..troubled(v, rules, &trouble) },
        May::Rest(Pause { again, why }) => match why {
            Why::Refused(note) => stuck(
                Reason::UpdateFailed,
                format!(
                    "ACK refused this object's tags: {note}. Until the cluster carries them it is only observed. Tried \
                     again at {again:.0}"
                ),
            ),
            Why::Undone(times) => stuck(
                Reason::SpecDiffers,
                format!(
                    "somebody else takes this object's tags off the cluster (put on it {times} times), so it is only \
                     observed. Put back at {again:.0}"
                ),
            ),
            Why::Unshown | Why::Failed => stuck(
                Reason::UpdateFailed,
                format!(
                    "this object's tags were put on the cluster and ACK does not show them. Tried again at {again:.0}"
                ),
            ),
        }
        // Meanwhile ACK may show the tags all the same.
        .at(again.min(v.now + rules.poll_idle)),
    })
}

/// Whether the cluster serves, by its state alone.
pub(super) fn serving(cluster: &Cluster) -> Option<bool> {
    Some(matches!(cluster.state, State::Running | State::ChangeFailed | State::Busy))
}

/// The words for a cluster that is not ours.
pub(super) fn foreign(v: &View, id: &ClusterId, owner: &Owner) -> Verdict {
    let take_over =
        |nonce: &Nonce| format!("If it is yours: kubectl annotate ackcluster NAME ackoperator.dev/take-over={nonce}");
    let note = match owner {
        Owner::Claimed(by) => format!("cluster {id} is recorded by {by} as well; only one of them may have it"),
        Owner::Other { nonce, .. } => {
            format!("cluster {id} carries the mark of another object, so nothing is done with it. {}", take_over(nonce))
        }
        Owner::Nobody | Owner::Mine => format!(
            "cluster {id} does not carry this object's mark, so nothing is done with it. {}; to let it go: \
             deletionPolicy: Retain",
            take_over(&v.nonce)
        ),
    };
    Verdict::stuck(Some(false), Reason::OwnershipConflict, note)
}

/// A cluster of our name that another uid made. Never create beside it.
pub(super) fn rivalry(v: &View, rival: &Rival, rules: &Rules) -> Verdict {
    let id = &rival.id;
    let note = if rival.going {
        format!("cluster {id}, made for an earlier object of this name, is being deleted; waiting until it is gone")
    } else {
        format!(
            "cluster {id} was made for another object of this name and installation; none is made beside it. To take \
             it over set spec.adoptClusterId: {id} and kubectl annotate ackcluster NAME ackoperator.dev/take-over={}, or \
             run the operator with --adopt-owned; if it belongs to another management cluster, give each its own \
             --installation",
            rival.nonce
        )
    };
    Verdict::stuck(Some(false), Reason::OwnershipConflict, note).at(v.now + rules.apart)
}
