//! What a list of clusters, or one cluster's detail, says about one object: whose each cluster is, whether the list may prove
//! that something is absent, and what in it could still turn out to be this object's.

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;

use super::Me;
use crate::decide::{Glance, Listing, Owner, Rival, Rules, State, Undecided};
use crate::terms::{AccountId, ClusterId, Nonce, Region, Site, tag};

/// A cluster as ACK shows it.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    pub id: &'a ClusterId,
    pub name: &'a str,
    /// `None`: ACK says that it is deleted.
    pub state: Option<State>,
    pub tags: &'a BTreeMap<String, String>,
    pub created: Option<Timestamp>,
    pub group: Option<&'a str>,
}

/// A list as it was read.
#[derive(Clone, Copy, Debug)]
pub struct List<'a> {
    /// Gateway time just before its first page was asked for, at the latest.
    pub began: Timestamp,
    /// That moment by our own clock.
    pub here: Timestamp,
    pub whole: bool,
    pub clusters: &'a [Shown<'a>],
}

/// A cluster id that some AckCluster of this operator records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    pub uid: String,
    /// `namespace/name`, for people.
    pub name: String,
    pub id: ClusterId,
    pub account: Option<AccountId>,
    pub region: Option<Region>,
    pub group: Group,
}

/// The resource group for which a create request asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Group {
    Named(String),
    /// None was named, so the account's default one.
    Default,
    /// The cluster was adopted, or made by an earlier version.
    Unknown,
}

/// What is looked for in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sought {
    pub site: Site,
    /// The names under which it was, or would be, asked for, each with the date of the request where there was one.
    pub names: Vec<(String, Option<Timestamp>)>,
    /// The resource group that was, or would be, asked for; `None`: the default one.
    pub group: Option<String>,
}

impl<'a> Shown<'a> {
    fn tag(&self, key: &str) -> Option<&'a str> {
        self.tags.get(key).map(String::as_str).filter(|value| !value.is_empty())
    }

    fn mine(&self, me: &Me) -> bool {
        self.tag(tag::INTENT).is_some_and(|mark| me.made(mark))
    }

    /// Made for an object of this installation, namespace and name.
    fn namesake(&self, me: &Me) -> bool {
        self.tag(tag::INSTALLATION) == Some(me.installation.as_str())
            && self.tag(tag::NAMESPACE) == Some(me.namespace.as_str())
            && self.tag(tag::NAME) == Some(me.name.as_str())
    }

    /// Nothing but what ACK itself puts on clusters (ack-api d.2).
    fn bare(&self) -> bool {
        let system = |key: &String| ["acs:", "aliyun", "ack.aliyun.com"].iter().any(|prefix| key.starts_with(prefix));
        self.tags.keys().all(system)
    }
}

/// Whose marks the cluster carries. The mark decides: another object that records the id, as one that a backup brought back
/// with its status does, takes nothing from the one whose mark is there.
pub fn owner(cluster: &Shown<'_>, me: &Me, recorded: &[Recorded]) -> Owner {
    if cluster.mine(me) {
        return Owner::Mine;
    }
    let other = recorded.iter().find(|other| other.uid != me.uid && other.id == *cluster.id);
    match (other, cluster.tag(tag::INTENT)) {
        (Some(other), _) => Owner::Claimed(format!("AckCluster {}", other.name).into()),
        (None, None) => Owner::Nobody,
        (None, Some(mark)) => Owner::Other { nonce: mark.into(), namesake: cluster.namesake(me) },
    }
}

/// The cluster's entry in the shared list, against what it looked like when it was last read closely.
pub fn glance(clusters: &[Shown<'_>], id: &ClusterId, me: &Me, same: impl Fn(&ClusterId) -> bool) -> Glance {
    let beside = |cluster: &&Shown<'_>| cluster.state.is_some() && cluster.mine(me) && cluster.id != id;
    if clusters.iter().any(|cluster| beside(&cluster)) {
        return Glance::Crowded;
    }
    let Some(cluster) = clusters.iter().find(|cluster| cluster.id == id) else { return Glance::Absent };
    match cluster.state {
        Some(state @ (State::Making | State::Busy | State::Deleting)) if same(id) || cluster.mine(me) => {
            Glance::Moving(state)
        }
        _ if same(id) => Glance::Same,
        _ => Glance::Changed,
    }
}

/// The list, as far as it concerns this object.
pub fn listing(list: &List<'_>, me: &Me, recorded: &[Recorded], sought: &Sought, rules: &Rules) -> Listing {
    let living = || list.clusters.iter().filter(|cluster| cluster.state.is_some());
    let rival = |cluster: &&Shown<'_>| {
        let mark = cluster.tag(tag::INTENT);
        let inherited = me.inherited.as_ref().is_some_and(|nonce| mark == Some(nonce.as_str()));
        !cluster.mine(me) && (cluster.namesake(me) || inherited)
    };
    Listing {
        began: list.began,
        ahead: list.began.duration_since(list.here),
        whole: list.whole,
        trusted: living().any(|cluster| vouches(cluster, me, recorded, sought)),
        ours: living().filter(|cluster| cluster.mine(me)).map(|cluster| cluster.id.clone()).collect(),
        rival: living().find(rival).map(|cluster| Rival {
            id: cluster.id.clone(),
            nonce: Nonce::from(cluster.tag(tag::INTENT).unwrap_or_default()),
            namesake: cluster.namesake(me),
            going: cluster.state == Some(State::Deleting),
        }),
        undecided: living().find_map(|cluster| undecided(cluster, list.began, sought, rules)),
    }
}

/// Whether this cluster, which another object records, shows that these credentials would see the one that is sought: rights
/// may end at an account, a region or a resource group. A group that ACK does not name is the one that was asked for.
fn vouches(cluster: &Shown<'_>, me: &Me, recorded: &[Recorded], sought: &Sought) -> bool {
    let same = |other: &&Recorded| {
        other.uid != me.uid
            && other.id == *cluster.id
            && other.account.as_ref() == Some(&sought.site.account)
            && other.region.as_ref() == Some(&sought.site.region)
    };
    recorded.iter().find(same).is_some_and(|other| match (&sought.group, &other.group) {
        (Some(wanted), Group::Named(asked)) => cluster.group.unwrap_or(asked) == wanted,
        (Some(wanted), Group::Default | Group::Unknown) => cluster.group == Some(wanted),
        (None, Group::Default) => true,
        (None, Group::Named(_) | Group::Unknown) => false,
    })
}

/// A cluster of a name that was asked for, without tags, could be the one that was made: ACK may show its tags later. It no
/// longer could once a list begun `L + S` after its creation still shows none, nor if it is older than the request.
pub fn undecided(cluster: &Shown<'_>, began: Timestamp, sought: &Sought, rules: &Rules) -> Option<Undecided> {
    let until = cluster.created.and_then(|created| created.checked_add(rules.copied()).ok());
    let named = sought.names.iter().any(|(name, asked)| {
        let older = asked.zip(cluster.created).is_some_and(|(asked, created)| created < asked);
        name == cluster.name && !older
    });
    let open = until.is_none_or(|until| began < until);
    (named && cluster.bare() && open).then(|| Undecided { id: cluster.id.clone(), until })
}

/// Living clusters of this installation that no object knows as its own. `made` tells whether an object of that namespace and
/// name has made a cluster with that nonce, `watched` whether the objects of a namespace are seen at all.
pub fn orphans<'a, 'b>(
    clusters: &'b [Shown<'a>],
    installation: &str,
    known: &HashSet<&str>,
    watched: impl Fn(&str) -> bool,
    made: impl Fn(&str, &str, &str) -> bool,
) -> Vec<&'b Shown<'a>> {
    let orphan = |cluster: &&Shown<'_>| {
        let word = |key| cluster.tag(key).unwrap_or_default();
        let namespace = word(tag::NAMESPACE);
        cluster.state.is_some_and(|state| state != State::Deleting)
            && word(tag::INSTALLATION) == installation
            && !namespace.is_empty()
            && watched(namespace)
            && !made(namespace, word(tag::NAME), word(tag::INTENT))
            && !known.contains(cluster.id.as_str())
    };
    clusters.iter().filter(orphan).collect()
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    const T0: Timestamp = Timestamp::constant(1_800_000_000, 0);

    fn me() -> Me {
        Me::new("u1", "prod", "ns", "demo", None)
    }

    fn tags(of: &[(&str, &str)]) -> BTreeMap<String, String> {
        of.iter().map(|(key, value)| (format!("ackoperator.dev/{key}"), (*value).to_owned())).collect()
    }

    /// The four tags of the first attempt of an object.
    fn marks(uid: &str, namespace: &str) -> BTreeMap<String, String> {
        let mark = crate::sight::nonce("prod", uid, 1);
        tags(&[("installation", "prod"), ("namespace", namespace), ("name", "demo"), ("intent", mark.as_str())])
    }

    fn site() -> Site {
        Site { account: "100".into(), region: "cn-x".into() }
    }

    fn sought(group: Option<&str>) -> Sought {
        Sought { site: site(), names: vec![("demo".into(), Some(T0))], group: group.map(str::to_owned) }
    }

    fn recorded(id: &str, group: Option<&str>) -> Recorded {
        let group = group.map_or(Group::Default, |group| Group::Named(group.to_owned()));
        Recorded {
            uid: "u9".into(),
            name: "ns/neighbour".into(),
            id: id.into(),
            account: Some(site().account),
            region: Some(site().region),
            group,
        }
    }

    fn see(clusters: &[Shown<'_>], recorded: &[Recorded], sought: &Sought) -> Listing {
        let list = List { began: T0, here: T0, whole: true, clusters };
        listing(&list, &me(), recorded, sought, &Rules::default())
    }

    #[test]
    fn a_list_vouches_only_for_the_set_in_which_the_request_would_land() {
        let (id, none) = (ClusterId::from("c9"), BTreeMap::new());
        let shown =
            |group| Shown { id: &id, name: "n", state: Some(State::Running), tags: &none, created: None, group };
        let elsewhere = Recorded { account: Some("200".into()), ..recorded("c9", None) };
        let abroad = Recorded { region: Some("cn-y".into()), ..recorded("c9", None) };
        let adopted = Recorded { group: Group::Unknown, ..recorded("c9", None) };
        let myself = Recorded { uid: "u1".into(), ..recorded("c9", None) };
        for (what, shown, recorded, wanted, trusted) in [
            ("a neighbour of the default group", shown(Some("rg-0")), recorded("c9", None), None, true),
            ("a neighbour of another group", shown(Some("rg-a")), recorded("c9", Some("rg-a")), None, false),
            ("a neighbour of the same group", shown(Some("rg-a")), recorded("c9", Some("rg-a")), Some("rg-a"), true),
            ("one of the default group for another", shown(Some("rg-0")), recorded("c9", None), Some("rg-a"), false),
            ("one that was moved there", shown(Some("rg-a")), recorded("c9", None), Some("rg-a"), true),
            ("one of a group that ACK does not name", shown(None), recorded("c9", Some("rg-a")), Some("rg-a"), true),
            ("one that is not listed", shown(Some("rg-0")), recorded("c8", None), None, false),
            ("one of another account", shown(Some("rg-0")), elsewhere, None, false),
            ("one of another region", shown(Some("rg-0")), abroad, None, false),
            ("an adopted one, which may be anywhere", shown(Some("rg-0")), adopted.clone(), None, false),
            ("an adopted one in the group that is asked for", shown(Some("rg-a")), adopted, Some("rg-a"), true),
            ("its own, which it lost", shown(Some("rg-0")), myself, None, false),
            ("one that is gone", Shown { state: None, ..shown(None) }, recorded("c9", None), None, false),
        ] {
            assert_eq!(see(&[shown], &[recorded], &sought(wanted)).trusted, trusted, "{what}");
        }
    }

    #[test]
    fn an_untagged_namesake_counts_until_its_tags_would_show() {
        let (id, none, system) =
            (ClusterId::from("c1"), BTreeMap::new(), BTreeMap::from([("acs:x".into(), "y".into())]));
        let theirs = BTreeMap::from([("team".to_owned(), "blue".to_owned())]);
        let minutes = SignedDuration::from_mins;
        let shown = |created: Option<Timestamp>| Shown {
            id: &id,
            name: "demo",
            state: Some(State::Making),
            tags: &none,
            created,
            group: None,
        };
        for (what, shown, began, counts) in [
            ("made just now", shown(Some(T0)), T0, true),
            ("a moment before its tags must show", shown(Some(T0)), T0 + minutes(6) - minutes(1), true),
            ("its tags would show", shown(Some(T0)), T0 + minutes(6), false),
            ("nobody knows when it was made", shown(None), T0 + minutes(600), true),
            ("older than the request", shown(Some(T0 - minutes(1))), T0, false),
            ("of another name", Shown { name: "other", ..shown(Some(T0)) }, T0, false),
            ("with a tag of ACK's own", Shown { tags: &system, ..shown(Some(T0)) }, T0, true),
            ("with somebody's tag", Shown { tags: &theirs, ..shown(Some(T0)) }, T0, false),
            ("a cluster that is gone", Shown { state: None, ..shown(Some(T0)) }, T0, false),
        ] {
            let list = List { began, here: began, whole: true, clusters: &[shown] };
            let listing = listing(&list, &me(), &[], &sought(None), &Rules::default());
            assert_eq!(listing.undecided.is_some(), counts, "{what}");
        }
    }

    #[test]
    fn a_cluster_is_whose_mark_it_carries() {
        let id = ClusterId::from("c1");
        let (mine, theirs, moved, none) = (marks("u1", "ns"), marks("u2", "ns"), marks("u2", "other"), BTreeMap::new());
        let shown =
            |tags| Shown { id: &id, name: "demo", state: Some(State::Running), tags, created: None, group: None };
        let other = |namesake| Owner::Other { nonce: crate::sight::nonce("prod", "u2", 1), namesake };
        for (what, tags, objects, want) in [
            ("ours", &mine, vec![], Owner::Mine),
            ("nobody's", &none, vec![], Owner::Nobody),
            ("an earlier object's of this name", &theirs, vec![], other(true)),
            ("an object's elsewhere", &moved, vec![], other(false)),
            (
                "nobody's, and recorded by another",
                &none,
                vec![recorded("c1", None)],
                Owner::Claimed("AckCluster ns/neighbour".into()),
            ),
            ("ours, whoever records it as well", &mine, vec![recorded("c1", None)], Owner::Mine),
            ("another one is recorded", &mine, vec![recorded("c2", None)], Owner::Mine),
        ] {
            assert_eq!(owner(&shown(tags), &me(), &objects), want, "{what}");
        }
    }

    #[test]
    fn a_rival_has_the_name_or_the_nonce_that_a_restored_status_brought() {
        let id = ClusterId::from("c1");
        let (mine, theirs, moved) = (marks("u1", "ns"), marks("u2", "ns"), marks("u2", "other"));
        let stolen = crate::sight::nonce("prod", "u2", 1);
        let restored = Me::new("u1", "prod", "ns", "demo", Some(("prod", 1, &stolen)));
        for (what, tags, me, ours, rival) in [
            ("ours", &mine, me(), true, None),
            ("another uid's of this name", &theirs, me(), false, Some(true)),
            ("an object's elsewhere", &moved, me(), false, None),
            ("the one of which the status tells", &moved, restored, false, Some(false)),
        ] {
            let shown = Shown { id: &id, name: "demo", state: Some(State::Running), tags, created: None, group: None };
            let list = List { began: T0, here: T0, whole: true, clusters: &[shown] };
            let got = listing(&list, &me, &[], &sought(None), &Rules::default());
            assert_eq!((!got.ours.is_empty(), got.rival.map(|rival| rival.namesake)), (ours, rival), "{what}");
        }
    }

    #[test]
    fn a_glance_sees_a_second_cluster_of_ours_a_change_and_that_ack_is_at_work() {
        let (a, b) = (ClusterId::from("c1"), ClusterId::from("c2"));
        let (mine, none) = (marks("u1", "ns"), BTreeMap::new());
        let shown =
            |id| Shown { id, name: "demo", state: Some(State::Running), tags: &mine, created: None, group: None };
        let look = |clusters: &[Shown<'_>], same: bool| glance(clusters, &a, &me(), |_| same);
        assert_eq!(look(&[shown(&a)], true), Glance::Same);
        assert_eq!(look(&[shown(&a)], false), Glance::Changed);
        assert_eq!(look(&[], true), Glance::Absent);
        assert_eq!(look(&[shown(&a), shown(&b)], true), Glance::Crowded);
        assert_eq!(look(&[shown(&a), Shown { state: None, ..shown(&b) }], true), Glance::Same);
        for state in [State::Making, State::Busy, State::Deleting] {
            let moving = Shown { state: Some(state), ..shown(&a) };
            assert_eq!(look(&[moving], false), Glance::Moving(state), "{state:?}");
            let bare = Shown { tags: &none, ..moving };
            assert_eq!(look(&[bare], false), Glance::Changed, "whose it is has to be seen first");
            assert_eq!(look(&[bare], true), Glance::Moving(state));
            assert_eq!(look(&[moving, shown(&b)], true), Glance::Crowded);
        }
    }
}
