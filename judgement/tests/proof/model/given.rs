//! What `decide` is given: a View, made by `sight` of the object, the lists and the details that a pass has read. Says itself
//! only what the shell reads without judging it.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use ack_judgement::decide::{
    self, Answer as Told, Asked, Change, Deed, Drift, Evidence, Existence, Followed, Listing, Memo, Progress,
    Published, Sent, Trouble, Via, View, Word, keys,
};
use ack_judgement::sight::{self, Group, List, Me, Shown, Sought, StoredIntent};
use ack_judgement::terms::{self, AccountId, ClusterId, Intent, Nonce, Note, Region, Site, tag};

use super::*;

/// Nobody's account: there are no credentials.
pub(super) const NOBODY: u8 = 2;
/// The mark of an object elsewhere, of another namespace.
pub(super) const ELSEWHERE: u8 = 4;

/// What is asked of a cluster, by the number of its key.
pub(super) const MARKS: u8 = 0;
pub(super) const PROTECTION: u8 = 1;
pub(super) const DELETION: u8 = 2;
pub(super) const FIELD: u8 = 3;
const KEYS: [&str; 4] = [keys::MARKS, keys::PROTECTION, keys::DELETION, "timezone"];

static UIDS: [&str; 3] = ["u0", "u1", "u9"];
static ACCOUNTS: LazyLock<[AccountId; 2]> = LazyLock::new(|| ["a0", "a1"].map(AccountId::from));
static REGIONS: LazyLock<[Region; 2]> = LazyLock::new(|| ["cn-x", "cn-y"].map(Region::from));
static IDS: LazyLock<[ClusterId; CLUSTERS]> = LazyLock::new(|| ["c0", "c1", "c2"].map(ClusterId::from));
static NONCES: LazyLock<[Nonce; 5]> =
    LazyLock::new(|| std::array::from_fn(|n| sight::nonce("default", UIDS[n / 2], n as u32 % 2 + 1)));
static TAGS: LazyLock<[BTreeMap<String, String>; 5]> = LazyLock::new(|| {
    std::array::from_fn(|n| {
        let namespace = if n == usize::from(ELSEWHERE) { "other" } else { "ns" };
        let mark = NONCES[n].as_str();
        [(tag::INSTALLATION, "default"), (tag::NAMESPACE, namespace), (tag::NAME, "demo"), (tag::INTENT, mark)]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into()
    })
});
static BARE: BTreeMap<String, String> = BTreeMap::new();
/// By uid, and by the nonce that the status holds.
static ME: LazyLock<[[Me; 5]; 2]> = LazyLock::new(|| {
    std::array::from_fn(|uid| {
        std::array::from_fn(|stored| {
            let stored = stored.checked_sub(1).map(|n| ("default", n as u32 % 2 + 1, &NONCES[n]));
            Me::new(UIDS[uid], "default", "ns", "demo", stored)
        })
    })
});
static NOTE: LazyLock<Note> = LazyLock::new(|| "".into());

/// In each place stands a cluster that another object of this operator records, made without naming a group; and in the first
/// one of a group that nobody here asks for.
static NEIGHBOURS: LazyLock<Vec<(Place, sight::Recorded)>> = LazyLock::new(|| {
    let places = [(0, 0), (0, 1), (1, 0), (1, 1)].map(|(account, region)| Place { account, region });
    let whole = places.into_iter().map(|place| (place, Group::Default));
    let other = std::iter::once((places[0], Group::Named("rg-a".into())));
    let recorded = |(n, (place, group)): (usize, (Place, Group))| {
        let Site { account, region } = site(place);
        let (account, region) = (Some(account), Some(region));
        let (id, name) = (format!("d{n}").as_str().into(), format!("ns/d{n}"));
        (place, sight::Recorded { uid: format!("u1{n}"), name, id, account, region, group })
    };
    whole.chain(other).enumerate().map(recorded).collect()
});
static RECORDED: LazyLock<Vec<sight::Recorded>> =
    LazyLock::new(|| NEIGHBOURS.iter().map(|(_, recorded)| recorded.clone()).collect());
/// The same, and the stranger is recorded by another object too.
static CLAIMED: LazyLock<Vec<sight::Recorded>> = LazyLock::new(|| {
    let Site { account, region } = site(Place { account: 0, region: 0 });
    let (account, region) = (Some(account), Some(region));
    let (uid, name, group) = ("u9".into(), "ns/claims".into(), Group::Unknown);
    let claims = sight::Recorded { uid, name, id: id(0), account, region, group };
    RECORDED.iter().cloned().chain([claims]).collect()
});

pub(super) fn id(c: u8) -> ClusterId {
    IDS[usize::from(c)].clone()
}

pub(super) fn number(id: &ClusterId) -> u8 {
    id.as_str().as_bytes()[1] - b'0'
}

pub(super) fn which(nonce: &Nonce) -> u8 {
    NONCES.iter().position(|known| known == nonce).map_or(u8::MAX, |n| n as u8)
}

pub(super) fn nonce(uid: u8, attempt: u8) -> u8 {
    uid * ATTEMPTS + attempt.min(ATTEMPTS) - 1
}

pub(super) fn site(place: Place) -> Site {
    Site { account: ACCOUNTS[usize::from(place.account)].clone(), region: REGIONS[usize::from(place.region)].clone() }
}

pub(super) fn region(region: &Region) -> u8 {
    u8::from(*region != REGIONS[0])
}

pub(super) fn place(site: &Site) -> Place {
    Place { account: u8::from(site.account != ACCOUNTS[0]), region: region(&site.region) }
}

pub(super) fn trouble(class: Class) -> Trouble {
    Trouble::new(class, NOTE.clone())
}

pub(super) fn nonce_of(n: u8) -> Nonce {
    NONCES[usize::from(n)].clone()
}

fn key(name: &str) -> u8 {
    KEYS.iter().position(|key| *key == name).map_or(u8::MAX, |n| n as u8)
}

/// The number of a thing that was asked for, as it is written down.
pub(super) fn wish(asked: &Asked) -> (u8, Wish) {
    let Asked { key: name, digest, at, times, end } = asked;
    let digest = digest_of(key(name), digest);
    let times = (*times).min(4) as u8;
    (key(name), Wish { digest, at: tick(*at), times, end: end.as_ref().map(end_of) })
}

pub(super) fn end_of(end: &decide::End) -> End {
    match end {
        decide::End::Shown => End::Shown,
        decide::End::Refused(_) => End::Refused,
        decide::End::Unshown => End::Unshown,
        decide::End::Lost(_) => End::Lost,
    }
}

fn digest_of(key: u8, digest: &str) -> u8 {
    match key {
        MARKS => which(&Nonce::from(digest)),
        PROTECTION => u8::from(digest == "true"),
        FIELD => digest.as_bytes()[1] - b'0',
        _ => 0,
    }
}

fn digest(key: u8, digest: u8) -> String {
    match key {
        MARKS => NONCES[usize::from(digest)].to_string(),
        PROTECTION => (digest == 1).to_string(),
        FIELD => format!("d{digest}"),
        _ => String::new(),
    }
}

fn change(digest: u8) -> Change {
    let words = NOTE.clone();
    Change { key: KEYS[usize::from(FIELD)].into(), digest: self::digest(FIELD, digest), words, via: Via::Modify }
}

/// The key and the digest of a deed.
pub(super) fn deed(deed: &Deed, mark: &Nonce) -> (u8, u8) {
    match deed {
        Deed::Claim => (MARKS, which(mark)),
        Deed::Protect(on) => (PROTECTION, u8::from(*on)),
        Deed::Delete => (DELETION, 0),
        Deed::Change(changes) => (FIELD, digest_of(FIELD, &changes[0].digest)),
        Deed::Hold | Deed::Publish => unreachable!("{deed:?} is not asked of ACK about a cluster"),
    }
}

fn acted(key: u8, digest: u8, how: How) -> (Deed, Result<(), Trouble>) {
    let deed = match key {
        MARKS => Deed::Claim,
        PROTECTION => Deed::Protect(digest == 1),
        FIELD => Deed::Change(vec![change(digest)]),
        _ => Deed::Delete,
    };
    let outcome = match how {
        How::Took | How::Void => Ok(()),
        How::Lost | How::Dropped => Err(trouble(Class::Transient)),
        How::Refused => Err(trouble(Class::Refused)),
        How::Busy => Err(trouble(Class::Busy)),
        How::Unsent => Err(Trouble { unsent: true, ..trouble(Class::Transient) }),
    };
    (deed, outcome)
}

impl Object {
    pub(super) fn me(&self) -> &'static Me {
        let stored = self.status.intent.map_or(0, |intent| usize::from(intent.nonce) + 1);
        &ME[usize::from(self.uid)][stored]
    }

    pub(super) fn attempts(&self) -> u8 {
        self.status.intent.map_or(0, |intent| intent.attempt)
    }

    pub(super) fn open(&self) -> Option<Sealed> {
        self.status.intent.filter(|intent| intent.outcome == Outcome::Open)
    }

    /// The mark of the attempt that is open, else of the one that a seal would make next.
    pub(super) fn mark(&self) -> u8 {
        self.open().map_or(nonce(self.uid, self.attempts() + 1), |open| open.nonce)
    }

    fn words(&self) -> Vec<Word> {
        let nonce = |n: u8| NONCES[usize::from(n)].clone();
        let confirmed = self.confirmed.map(|n| Word::ConfirmAbsent(nonce(n)));
        let recreate = self.recreate.map(|c| Word::Recreate(id(c)));
        let take_over = self.take_over.map(|n| Word::TakeOver(nonce(n)));
        [confirmed, recreate, take_over].into_iter().flatten().collect()
    }
}

impl Sim {
    fn recorded(&self) -> &'static [sight::Recorded] {
        if self.claimed { &CLAIMED } else { &RECORDED }
    }

    /// The status as the shell finds it stored.
    fn status(&self, o: &Object) -> sight::Status {
        let stored = |intent: Sealed| StoredIntent {
            intent: Intent {
                attempt: intent.attempt.into(),
                nonce: NONCES[usize::from(intent.nonce)].clone(),
                date: time(intent.date),
                believe_after: time(intent.date) + self.rules.believable(),
                site: site(intent.place),
                group: None,
                outcome: match intent.outcome {
                    Outcome::Open => terms::Outcome::Open,
                    Outcome::Made { at } => terms::Outcome::Made { at: time(at) },
                    Outcome::Refused { class, at } => terms::Outcome::Refused { class, at: time(at) },
                    Outcome::Absent => terms::Outcome::Absent { at: time(self.oldest()) },
                    Outcome::Unsent => terms::Outcome::Unsent,
                },
            },
            name: "demo".into(),
            installation: "default".into(),
            spec_hash: intent.spec.to_string(),
            sealer: intent.sealer.to_string(),
            message: None,
        };
        let known = o.status.known;
        let at = known.map(|known| site(known.place));
        sight::Status {
            cluster_id: known.map(|known| id(known.id).to_string()),
            account_id: at.as_ref().map(|at| at.account.to_string()),
            region_id: at.as_ref().map(|at| at.region.to_string()),
            adopted: known.is_some_and(|known| known.adopted),
            state: known.filter(|known| known.met).map(|_| "running".into()),
            moving: false,
            mark_seen: known.and_then(|known| known.mark).map(|n| NONCES[usize::from(n)].to_string()),
            intent: o.status.intent.map(stored),
            asked: (0..).zip(o.status.asked).filter_map(|(key, wish)| Some(asked(key, wish?))).collect(),
        }
    }

    /// What the shell builds for `decide`.
    pub(super) fn view(&self, w: &World, me: u8, pass: &Pass, o: &Object) -> View {
        let object = sight::Object {
            finalizer: o.finalizer,
            adopt: o.adopt.map(|c| id(c).to_string()),
            spec_hash: self.word(o).to_string(),
            sealer: pass.token.then(|| me.to_string().into()),
        };
        let standing = sight::standing(&object, &self.status(o), o.me(), &self.rules);
        View {
            now: time(pass.skew),
            since: time(self.oldest()),
            offset: SignedDuration::ZERO,
            goal: o.goal(),
            guard: sight::guard(o.guard, o.status.flag),
            finalizer: o.finalizer,
            kubeconfig: self.can(May::Publish).then(|| time(if w.published { Tick::MAX } else { self.oldest() })),
            region: REGIONS[usize::from(o.region)].clone(),
            nonce: NONCES[usize::from(o.mark())].clone(),
            delete_options: String::new(),
            standing: standing.expect("a cluster is recorded together with its place"),
            words: o.words(),
            streak: 0,
            memo: w.workers[usize::from(me)].memo.map(memo),
            followed: Followed::default(),
            seen: self.seen(w, pass, o),
        }
    }

    /// The answers of this pass in the order in which they came. What is harmless is answered beforehand.
    fn seen(&self, w: &World, pass: &Pass, o: &Object) -> Evidence {
        let mut seen = Evidence::default();
        let told = || Ok(NOTE.clone());
        let account = ACCOUNTS.get(usize::from(pass.account)).cloned().ok_or_else(|| trouble(Class::Credentials));
        // A process remembers what it was shown, and the task is known, where the keys are the cluster's own.
        let known = o.status.known;
        let trace = known.is_some_and(|known| known.place.account == pass.account) && pass.keys == Keys::Whole;
        let renew = time(Tick::MAX);
        for answer in [
            Told::Account(account),
            Told::Glance(Ok(self.glance(w, pass, o))),
            Told::Fence(Ok(!self.can(May::Old))),
            Told::Body(Ok(())),
            Told::Uprooted(Ok(false)),
            Told::Progress(Ok(Progress { note: NOTE.clone(), over: true })),
            Told::Cause(told()),
            Told::Trace(Ok(trace)),
            Told::Turn(Ok(())),
            Told::Leftovers(told()),
            Told::Kubeconfig(Ok(if w.published { Published::Fresh { renew } } else { Published::Absent })),
        ] {
            seen.take(answer);
        }
        let (list, elsewhere) = (pass.list, pass.elsewhere);
        list.into_iter().for_each(|list| seen.take(Told::Listing(Ok(self.listing(&list, o)))));
        elsewhere.into_iter().for_each(|list| seen.take(Told::Elsewhere(Ok(self.listing(&list, o)))));
        if let Some(cluster) = pass.cluster {
            seen.take(Told::Cluster(Ok(cluster.map_or(Existence::Unknown, |detail| self.here(&detail, o, pass)))));
            seen.take(Told::Drift(Ok(cluster.map_or_else(Drift::default, |detail| self.drift(&detail, o)))));
        }
        seen.fresh &= pass.fresh;
        seen.sent = pass.sent.map(|(attempt, sent)| {
            let sent = match sent {
                Answer::Created(c) => {
                    let here = Place { account: pass.account, region: o.region };
                    Sent::Created(id(c), site(w.clusters[usize::from(c)].map_or(here, |c| c.place)))
                }
                Answer::Refused(class) => Sent::Refused(class, NOTE.clone()),
                Answer::Unknown => Sent::Unknown(NOTE.clone()),
            };
            (NONCES[usize::from(nonce(pass.uid, attempt))].clone(), sent)
        });
        seen.acted = (0..).zip(pass.acted).filter_map(|(key, of)| of.map(|(d, how)| acted(key, d, how))).collect();
        seen
    }

    fn here(&self, detail: &Detail, o: &Object, pass: &Pass) -> Existence {
        let c = o.status.known.map(|known| known.id).or(o.adopt).unwrap_or_default();
        let c = id(c);
        let shown = shown(&c, "demo", Some(detail.state), detail.mark, None);
        Existence::Here(decide::Cluster {
            state: detail.state,
            word: NOTE.clone(),
            guarded: detail.guarded,
            owner: sight::owner(&shown, o.me(), self.recorded()),
            read: time(detail.read + pass.skew),
        })
    }

    fn drift(&self, detail: &Detail, o: &Object) -> Drift {
        let differs = self.can(May::Edit) && detail.value != o.spec;
        Drift { changes: differs.then(|| change(o.spec)).into_iter().collect(), fixed: self.doubt, ..Drift::default() }
    }

    /// What the list says of this object.
    fn listing(&self, list: &Listed, o: &Object) -> Listing {
        let clusters = self.shown(list);
        let asked = o.status.intent.map(|intent| time(intent.date));
        let sought = Sought { site: site(list.place), names: vec![("demo".into(), asked)], group: None };
        let began = time(list.began);
        let list = List { began, here: began, whole: list.whole, clusters: &clusters };
        sight::listing(&list, o.me(), self.recorded(), &sought, &self.rules)
    }

    /// The shared list that is at hand: the newest there is, since an old one only raises a suspicion later.
    fn glance(&self, w: &World, pass: &Pass, o: &Object) -> decide::Glance {
        let Some(known) = o.status.known.filter(|known| known.place.account == pass.account) else {
            return decide::Glance::Changed;
        };
        let list = self.list(w, pass, known.place);
        sight::glance(&self.shown(&list), &id(known.id), o.me(), |_| false)
    }

    /// The clusters of a list, neighbours included.
    fn shown(&self, list: &Listed) -> Vec<Shown<'static>> {
        let narrow = |recorded: &sight::Recorded| matches!(recorded.group, Group::Named(_));
        let neighbours = NEIGHBOURS.iter().filter(|(place, recorded)| {
            *place == list.place && (list.keys == Keys::Whole || list.keys == Keys::Narrow && narrow(recorded))
        });
        let neighbours = neighbours.map(|(_, recorded)| {
            let group = Some(if narrow(recorded) { "rg-a" } else { "rg-default" });
            Shown { group, ..shown(&recorded.id, "neighbour", Some(State::Running), None, None) }
        });
        let items = IDS.iter().zip(&list.items).filter_map(|(id, item)| {
            let item = item.as_ref()?;
            let state = if item.going { State::Deleting } else { State::Running };
            Some(shown(
                id,
                if self.stranger.is_some() && *id == IDS[0] { "stranger" } else { "demo" },
                Some(state),
                item.mark,
                Some(item.born),
            ))
        });
        neighbours.chain(items).collect()
    }
}

fn shown<'a>(
    id: &'a ClusterId,
    name: &'a str,
    state: Option<State>,
    mark: Option<u8>,
    born: Option<Tick>,
) -> Shown<'a> {
    let tags = mark.map_or(&BARE, |mark| &TAGS[usize::from(mark)]);
    Shown { id, name, state, tags, created: born.map(time), group: Some("rg-default") }
}

fn asked(key: u8, wish: Wish) -> Asked {
    let end = wish.end.map(|end| match end {
        End::Shown => decide::End::Shown,
        End::Refused => decide::End::Refused(NOTE.clone()),
        End::Unshown => decide::End::Unshown,
        End::Lost => decide::End::Lost(NOTE.clone()),
    });
    Asked {
        key: KEYS[usize::from(key)].into(),
        digest: digest(key, wish.digest),
        at: time(wish.at),
        times: wish.times.into(),
        end,
    }
}

fn memo(kept: Kept) -> Memo {
    match kept {
        Kept::Absent { nonce, began } => Memo::Absent { nonce: NONCES[usize::from(nonce)].clone(), began: time(began) },
        Kept::Gone { id: c, at } => Memo::Gone { id: id(c), at: time(at) },
        Kept::Taken(taken) => {
            let named = |(key, d): (u8, Option<u8>)| Some((KEYS[usize::from(key)].to_owned(), digest(key, d?)));
            Memo::Taken((0..).zip(taken).filter_map(named).collect())
        }
    }
}

/// What a process keeps of that.
pub(super) fn kept(memo: Memo) -> Kept {
    match memo {
        Memo::Absent { nonce, began } => Kept::Absent { nonce: which(&nonce), began: tick(began) },
        Memo::Gone { id, at } => Kept::Gone { id: number(&id), at: tick(at) },
        Memo::Taken(all) => {
            let mut taken = [None; 4];
            for (name, digest) in all {
                taken[usize::from(key(&name))] = Some(digest_of(key(&name), &digest));
            }
            Kept::Taken(taken)
        }
    }
}

/// What became of what was asked for: by key.
pub(super) fn ended((name, end): &(String, Option<decide::End>)) -> (usize, Option<End>) {
    (key(name).into(), end.as_ref().map(end_of))
}

/// How an attempt ended, as it is written down.
pub(super) fn closed(how: &decide::Closed) -> Outcome {
    match how {
        decide::Closed::Refused { class, at, .. } => Outcome::Refused { class: *class, at: tick(*at) },
        decide::Closed::Absent { .. } => Outcome::Absent,
        decide::Closed::Unsent => Outcome::Unsent,
    }
}
