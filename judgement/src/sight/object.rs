//! How far an object has come, by its status alone. The input is filled by the shell without a branch; what a member means is
//! said here.

use jiff::Timestamp;

use super::{Me, Sought};
use crate::decide::{Asked, Closed, Ended, Known, Mark, Rules, Standing};
use crate::terms::{ClusterId, Intent, Nonce, Note, Outcome, Sealer, Site};

/// The object, as far as its metadata and spec say how far it has come.
#[derive(Clone, Debug)]
pub struct Object {
    /// Our finalizer is on it.
    pub finalizer: bool,
    /// The cluster that the spec names to be adopted.
    pub adopt: Option<String>,
    /// A digest of the spec, and of what the administrator adds to it.
    pub spec_hash: String,
    /// The token of the seal that this process made, if it made one in this pass.
    pub sealer: Option<Sealer>,
}

/// The status as it is stored.
#[derive(Clone, Debug, Default)]
pub struct Status {
    pub cluster_id: Option<String>,
    pub account_id: Option<String>,
    pub region_id: Option<String>,
    pub adopted: bool,
    /// ACK's word for the cluster's state.
    pub state: Option<String>,
    /// ACK is at work in that state.
    pub moving: bool,
    /// The mark that ACK has shown on the cluster.
    pub mark_seen: Option<String>,
    pub intent: Option<StoredIntent>,
    pub asked: Vec<Asked>,
}

#[derive(Clone, Debug)]
pub struct StoredIntent {
    pub intent: Intent,
    /// The name of the cluster that it asks for.
    pub name: String,
    pub spec_hash: String,
    pub sealer: String,
    /// The installation under which it was sealed.
    pub installation: String,
    /// What ACK said where it refused, or what came back instead of an outcome.
    pub message: Option<String>,
}

/// What the status says cannot be understood; nothing is done with such an object.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the status cannot be understood: it has a cluster_id without accountId and regionId; restore it from a backup"
)]
pub struct Unclear;

/// Our finalizer is there and nothing says why: the status was lost, or the pass that was about to seal died.
pub fn blank(object: &Object, status: &Status) -> bool {
    object.finalizer && status.intent.is_none() && status.cluster_id.is_none()
}

/// What the status knows of the mark on the cluster. One that it holds for another uid, as after a restore, proves nothing.
pub fn marked(status: &Status, me: &Me) -> Mark {
    let seen = status.mark_seen.as_deref();
    match seen {
        Some(mark) if me.made(mark) => Mark::Seen,
        Some(_) => Mark::Another,
        None if me.inherited.is_some() => Mark::Another,
        None => Mark::Unseen,
    }
}

/// The mark by which a cluster becomes this object's: that of its attempt, or of the one that a seal would make next. Never
/// one of another uid.
pub fn mark(status: &Status, me: &Me) -> Nonce {
    let stored = status.intent.as_ref();
    let own = stored.map(|stored| &stored.intent).filter(|intent| me.made(intent.nonce.as_str()));
    match (own, &status.cluster_id) {
        (Some(intent), Some(_)) => intent.nonce.clone(),
        (Some(intent), None) if intent.outcome == Outcome::Open => intent.nonce.clone(),
        (None, Some(_)) => me.nonce(1),
        (Some(_) | None, None) => me.nonce(stored.map_or(0, |stored| stored.intent.attempt) + 1),
    }
}

/// What the object asks for by its spec as it is now.
#[derive(Clone, Debug)]
pub struct Wanted {
    pub name: String,
    pub group: Option<String>,
    pub site: Site,
}

/// What is looked for in the list of the region where the cluster is, or is wanted.
pub fn sought(standing: &Standing, status: &Status, wanted: &Wanted) -> Sought {
    let asked = status.intent.as_ref();
    let group = asked.map(|stored| stored.intent.group.as_deref().map(str::to_owned));
    match standing {
        // What comes next is asked for under the spec's name of now, whatever the last attempt was asked for under.
        Standing::New { .. } => Sought {
            site: wanted.site.clone(),
            names: named(asked).chain([(wanted.name.clone(), None)]).collect(),
            group: wanted.group.clone(),
        },
        Standing::Sealed { intent, .. } => {
            Sought { site: intent.site.clone(), names: named(asked).collect(), group: group.flatten() }
        }
        Standing::Known(known) => {
            Sought { site: known.site.clone(), names: vec![], group: group.unwrap_or_else(|| wanted.group.clone()) }
        }
    }
}

/// What is looked for in the list of a site where an earlier attempt was sent.
pub fn sought_elsewhere(status: &Status, site: &Site) -> Sought {
    let asked = status.intent.as_ref();
    let group = asked.and_then(|stored| stored.intent.group.as_deref().map(str::to_owned));
    Sought { site: site.clone(), names: named(asked).collect(), group }
}

fn named(asked: Option<&StoredIntent>) -> impl Iterator<Item = (String, Option<Timestamp>)> {
    asked.map(|stored| (stored.name.clone(), Some(stored.intent.date))).into_iter()
}

/// How far the object has come.
///
/// # Errors
/// The status contradicts itself.
pub fn standing(object: &Object, status: &Status, me: &Me, rules: &Rules) -> Result<Standing, Unclear> {
    let stored = status.intent.as_ref();
    if let Some(id) = &status.cluster_id {
        let (Some(account), Some(region)) = (&status.account_id, &status.region_id) else { return Err(Unclear) };
        let of = |time: fn(&Intent) -> Timestamp| stored.map_or(Timestamp::UNIX_EPOCH, |stored| time(&stored.intent));
        let believable = stored.map_or(Timestamp::UNIX_EPOCH, |stored| stored.intent.date + rules.believable());
        return Ok(Standing::Known(Known {
            id: id.as_str().into(),
            site: Site { account: account.as_str().into(), region: region.as_str().into() },
            adopted: status.adopted,
            met: status.state.is_some(),
            moving: status.moving,
            mark: marked(status, me),
            recorded: of(|intent| if let Outcome::Made { at } = intent.outcome { at } else { intent.date }),
            believe_after: of(|intent| intent.believe_after).max(believable),
            asked: status.asked.clone(),
        }));
    }
    let said = |stored: &StoredIntent| stored.message.as_deref().map(Note::from);
    Ok(match stored {
        Some(stored) if stored.intent.outcome == Outcome::Open => Standing::Sealed {
            intent: stored.intent.clone(),
            mine: object.sealer.as_ref().is_some_and(|token| token.as_str() == stored.sealer),
            said: said(stored),
        },
        _ => Standing::New {
            adopt: object.adopt.as_deref().map(ClusterId::from),
            attempts: stored.map_or(0, |stored| stored.intent.attempt),
            last: stored.and_then(|stored| ended(object, stored)),
            blank: blank(object, status),
        },
    })
}

fn ended(object: &Object, stored: &StoredIntent) -> Option<Ended> {
    let Intent { nonce, site, outcome, .. } = &stored.intent;
    let how = match *outcome {
        // Made, and no id is recorded: a person had it forgotten.
        Outcome::Open | Outcome::Made { .. } => return None,
        Outcome::Refused { class, at } => Closed::Refused {
            class,
            at,
            corrected: stored.spec_hash != object.spec_hash,
            note: stored.message.as_deref().unwrap_or("ACK refused the request").into(),
        },
        Outcome::Absent { at } => Closed::Absent { at },
        Outcome::Unsent => Closed::Unsent,
    };
    Some(Ended { nonce: Nonce::clone(nonce), site: site.clone(), how })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terms::Class;

    const T0: Timestamp = Timestamp::constant(1_800_000_000, 0);

    fn object() -> Object {
        Object { finalizer: true, adopt: None, spec_hash: "h1".into(), sealer: Some("token".into()) }
    }

    fn intent(outcome: Outcome) -> Option<StoredIntent> {
        let site = Site { account: "100".into(), region: "cn-x".into() };
        let nonce = crate::sight::nonce("prod", "u1", 2);
        let intent = Intent { attempt: 2, nonce, date: T0, believe_after: T0, site, group: None, outcome };
        let word = str::to_owned;
        Some(StoredIntent {
            intent,
            name: word("demo"),
            spec_hash: word("h1"),
            sealer: word("token"),
            installation: word("prod"),
            message: Some(word("said")),
        })
    }

    fn known() -> Status {
        let word = |word: &str| Some(word.to_owned());
        Status { cluster_id: word("c1"), account_id: word("100"), region_id: word("cn-x"), ..Status::default() }
    }

    fn stand(object: &Object, status: &Status) -> Result<Standing, Unclear> {
        let stored = status.intent.as_ref().map(|stored| ("prod", stored.intent.attempt, &stored.intent.nonce));
        standing(object, status, &Me::new("u1", "prod", "ns", "demo", stored), &Rules::default())
    }

    #[test]
    fn an_object_that_never_sealed_is_blank_only_with_our_finalizer() {
        for (what, finalizer, status, want) in [
            ("nothing was done yet", false, Status::default(), false),
            ("it was about to seal, or its status was lost", true, Status::default(), true),
            ("an attempt is known", true, Status { intent: intent(Outcome::Unsent), ..Status::default() }, false),
            ("a cluster is known", true, known(), false),
        ] {
            assert_eq!(blank(&Object { finalizer, ..object() }, &status), want, "{what}");
        }
    }

    #[test]
    fn only_the_try_that_sealed_may_send() {
        let open = Status { intent: intent(Outcome::Open), ..Status::default() };
        for (sealer, may) in [(Some("token"), true), (Some("another"), false), (None, false)] {
            let object = Object { sealer: sealer.map(Sealer::from), ..object() };
            assert!(matches!(stand(&object, &open), Ok(Standing::Sealed { mine, .. }) if mine == may), "{sealer:?}");
        }
    }

    #[test]
    fn an_open_intent_and_a_recorded_id_come_before_an_adoption_and_an_ended_attempt_stays_known_beside_one() {
        let adopts = Object { adopt: Some("c9".into()), ..object() };
        let open = Status { intent: intent(Outcome::Open), ..Status::default() };
        assert!(matches!(stand(&adopts, &open), Ok(Standing::Sealed { .. })));
        assert!(matches!(stand(&adopts, &known()), Ok(Standing::Known(known)) if known.id.as_str() == "c1"));
        let refused = Outcome::Refused { class: Class::Quota, at: T0 };
        let refused = Status { intent: intent(refused), ..Status::default() };
        let Ok(Standing::New { adopt: Some(id), last: Some(last), attempts: 2, blank: false }) =
            stand(&adopts, &refused)
        else {
            panic!("{:?}", stand(&adopts, &refused));
        };
        assert_eq!((id.as_str(), last.site.region.as_str()), ("c9", "cn-x"));
    }

    #[test]
    fn a_refusal_is_corrected_once_the_spec_is_another() {
        let refused = intent(Outcome::Refused { class: Class::User, at: T0 });
        let status = Status { intent: refused, ..Status::default() };
        for (hash, want) in [("h1", false), ("h2", true)] {
            let object = Object { spec_hash: hash.into(), ..object() };
            let Ok(Standing::New { last: Some(Ended { how: Closed::Refused { corrected, note, .. }, .. }), .. }) =
                stand(&object, &status)
            else {
                panic!("{hash}");
            };
            assert_eq!((corrected, note.as_str()), (want, "said"), "{hash}");
        }
    }

    #[test]
    fn a_mark_that_was_seen_counts_for_its_own_uid_only() {
        let (own, theirs) = (crate::sight::nonce("prod", "u1", 1), crate::sight::nonce("prod", "u2", 1));
        let me = |stored| Me::new("u1", "prod", "ns", "demo", stored);
        let seen = |mark: Option<&Nonce>| Status { mark_seen: mark.map(Nonce::to_string), ..known() };
        assert_eq!(marked(&seen(None), &me(None)), Mark::Unseen);
        assert_eq!(marked(&seen(Some(&own)), &me(None)), Mark::Seen);
        assert_eq!(marked(&seen(Some(&theirs)), &me(None)), Mark::Another);
        assert_eq!(marked(&seen(None), &me(Some(("prod", 1, &theirs)))), Mark::Another);
    }

    #[test]
    fn a_mark_is_that_of_the_attempt_and_never_another_uids() {
        let nonce = |attempt| crate::sight::nonce("prod", "u1", attempt);
        let with = |outcome, status: Status| Status { intent: intent(outcome), ..status };
        let made = Outcome::Made { at: T0 };
        for (what, status, want) in [
            ("none was made yet", Status::default(), nonce(1)),
            ("one is open", with(Outcome::Open, Status::default()), nonce(2)),
            ("one ended", with(Outcome::Unsent, Status::default()), nonce(3)),
            ("its cluster is known", with(made, known()), nonce(2)),
            ("its cluster was forgotten", with(made, Status::default()), nonce(3)),
            ("an adopted cluster is known", known(), nonce(1)),
        ] {
            let stored = status.intent.as_ref().map(|stored| ("prod", stored.intent.attempt, &stored.intent.nonce));
            assert_eq!(mark(&status, &Me::new("u1", "prod", "ns", "demo", stored)), want, "{what}");
        }
        let restored = with(Outcome::Open, Status::default());
        let stored = restored.intent.as_ref().map(|stored| ("prod", 2, &stored.intent.nonce));
        let other = Me::new("u2", "prod", "ns", "demo", stored);
        assert!(other.made(mark(&restored, &other).as_str()));
    }

    #[test]
    fn a_renamed_object_looks_for_both_names_and_each_request_in_its_own_group() {
        let site = |region: &str| Site { account: "100".into(), region: region.into() };
        let wanted = Wanted { name: "new".into(), group: Some("rg-now".into()), site: site("cn-y") };
        let status = Status { intent: intent(Outcome::Refused { class: Class::Taken, at: T0 }), ..Status::default() };
        let standing = stand(&object(), &status).unwrap();
        let here = sought(&standing, &status, &wanted);
        assert_eq!(here.names, [("demo".to_owned(), Some(T0)), ("new".to_owned(), None)]);
        assert_eq!((here.site, here.group.as_deref()), (site("cn-y"), Some("rg-now")));
        let there = sought_elsewhere(&status, &site("cn-x"));
        assert_eq!((there.names.len(), there.site, there.group), (1, site("cn-x"), None));
    }

    #[test]
    fn a_cluster_id_without_its_place_is_not_believed() {
        assert_eq!(stand(&object(), &Status { account_id: None, ..known() }), Err(Unclear));
        assert_eq!(stand(&object(), &Status { region_id: None, ..known() }), Err(Unclear));
    }
}
