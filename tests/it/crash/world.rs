//! The world of one run: a scene whose operators reach everything through doors, and are started again when they die, as
//! a kubelet would. What the user does here waits on what is so, never on the number of a call, so that it works under
//! every cut. It judges nothing but that no process ends by itself.

use std::cell::RefCell;
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use ::playground::cutting::{Blow, Book, Door};
use ::playground::emulated::Key;
use ::playground::keeper::{Kept, Signal};
use ::playground::stage::{ACCESS_SECRET, await_ready};
use ack_emulator::LedgerEntry;
use serde_json::Value;

use super::judge;
use super::people::Deeds;
use super::plan::{Plan, Sight, Trust};
use crate::cluster::id;
use crate::support::{DEADLINE, RUNTIME, Scene, ready, shared};

/// How long a run may take to settle: an unknown outcome takes half a minute to resolve, and many runs share the cores.
const PATIENCE: Duration = Duration::from_secs(240);

/// How often a user looks; more often would keep the cores busy with looking.
const LOOK: Duration = Duration::from_millis(200);

/// How long the past is shown, and how long a process sleeps: five date windows.
const PAST: Duration = Duration::from_secs(4);
const SLEEP: Duration = Duration::from_secs(50);

/// After so long without a change nothing more is expected: longer than a restart takes, and than a restarted process
/// needs to look at what it finds.
const QUIET: Duration = Duration::from_millis(2500);

/// The object that a scenario is about.
pub const NAME: &str = "demo";

/// The object beside it, whose cluster shows that the list can be trusted.
pub const NEIGHBOUR: &str = "neighbour";

pub struct World {
    pub scene: Scene,
    pub book: Arc<Book>,
    plan: Plan,
    pub(super) keys: [Key; 3],
    pub(super) deeds: RefCell<Deeds>,
    doors: Vec<Door>,
    processes: Arc<Mutex<Vec<Process>>>,
    /// What is wrong whatever the scenario is.
    pub findings: Vec<String>,
    thaw: Option<(Instant, usize)>,
}

/// One operator, over all its lives.
struct Process {
    kept: Kept,
    log: PathBuf,
    life: Life,
    /// A cut has killed it once.
    struck: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Life {
    Running,
    /// By a cut; it is to be started again.
    Killed,
    /// By a cut, since then; another one takes over.
    Asleep(Instant),
    /// By the scenario, for good.
    Retired,
}

impl World {
    /// A world with one operator, ready. Calls are numbered from [`World::begin`] on.
    pub fn new(name: &str, plan: Plan) -> World {
        let ours = Key::default();
        let rotated = Key { id: "LTAI5tRotatedKey".into(), ..ours.clone() };
        let other = Key { id: "LTAI5tOtherAccount".into(), account: "77".into(), ..ours.clone() };
        let keys = [ours, rotated, other];
        let named = [ACCESS_SECRET, "rotated", "other"].into_iter().zip(keys.iter().cloned());
        let mut scene = Scene::with_keys(name, &named.collect::<Vec<_>>());
        let loud = ["--log-level", "info,kube=warn,kube_runtime=warn,ack_operator=debug"];
        let flags = ["--poll-busy", "500ms"].iter().chain(&loud).copied();
        let trust = (plan.trust == Trust::Flag).then_some("--lists-are-complete");
        scene.operator.more = flags.chain(trust).map(str::to_owned).collect();
        let processes = Arc::new(Mutex::new(Vec::<Process>::new()));
        let struck = processes.clone();
        let keeper = move |whose: usize, blow| {
            let process = &mut struck.lock().expect("processes")[whose];
            match blow {
                Blow::Kill => {
                    process.kept.kill();
                    process.struck = true;
                    if process.life != Life::Retired {
                        process.life = Life::Killed;
                    }
                }
                Blow::Stop => {
                    process.kept.signal(Signal::STOP);
                    process.life = Life::Asleep(Instant::now());
                }
            }
        };
        let book = Arc::new(Book::new(&plan.cuts, keeper));
        let deeds = RefCell::default();
        let mut world =
            World { scene, book, plan, keys, deeds, doors: vec![], processes, findings: vec![], thaw: None };
        world.open_door();
        world
    }

    /// [`World::new`] with one operator, ready, and the neighbour where the plan wants one.
    pub fn with_operator(name: &str, plan: Plan) -> World {
        let mut world = World::new(name, plan);
        world.start_operator();
        if world.plan.trust == Trust::Neighbour {
            world.add_neighbour();
        }
        world
    }

    /// [`World::new`], where the operator that made the neighbour has ended.
    pub fn without_operator(name: &str, plan: Plan) -> World {
        if plan.trust != Trust::Neighbour {
            return World::new(name, plan);
        }
        let world = World::with_operator(name, plan);
        let first = world.processes.lock().expect("processes").pop();
        assert!(first.is_some_and(|mut process| process.kept.stop(DEADLINE)), "the operator does not end on SIGTERM");
        world
    }

    /// Another object of this operator, with a running cluster. Only once.
    pub fn add_neighbour(&mut self) {
        if self.scene.get(NEIGHBOUR).is_none() {
            self.scene.apply(&self.scene.smallest(NEIGHBOUR));
            self.until("the neighbour runs", |world| {
                world.scene.get(NEIGHBOUR).filter(|object| has_reason(object, "Running"))
            });
        }
    }

    /// A door for the next operator.
    fn open_door(&mut self) {
        let whose = self.doors.len();
        let dir = self.scene.dir().join(format!("{}-door-{whose}", self.scene.namespace));
        let (shared, emulator) = (shared(), self.scene.emulator.url());
        let door = Door::open(&self.book, whose, &shared.operator_kubeconfig, &emulator, &dir);
        self.doors.push(RUNTIME.block_on(door).unwrap_or_else(|error| panic!("{}", error.sentence())));
    }

    /// One more operator, with a door of its own; ready where nothing is cut yet.
    pub fn start_operator(&mut self) -> usize {
        let processes = self.processes.clone();
        let whose = processes.lock().expect("processes").len();
        if whose == self.doors.len() {
            self.open_door();
        }
        let log = self.scene.dir().join(format!("{}-{whose}.log", self.scene.namespace));
        // A cut that comes at once has to find its process.
        let mut processes = processes.lock().expect("processes");
        let kept = self.spawn(whose, &log, !self.book.has_begun());
        processes.push(Process { kept, log, life: Life::Running, struck: false });
        whose
    }

    fn spawn(&self, whose: usize, log: &std::path::Path, wait: bool) -> Kept {
        let mut operator = self.scene.operator.clone();
        operator.kubeconfig.clone_from(&self.doors[whose].kubeconfig);
        operator.endpoint.clone_from(&self.doors[whose].endpoint);
        let health = shared().plane.loopback().next();
        let started = operator.start(health, log).and_then(|mut kept| {
            if wait {
                RUNTIME.block_on(await_ready(&mut kept, &format!("http://{health}/readyz")))?;
            }
            Ok(kept)
        });
        started.unwrap_or_else(|error| panic!("{}", error.sentence()))
    }

    /// Calls are numbered, and cut, from here on.
    pub fn begin(&mut self) {
        self.doors[0].withhold(0);
        match self.plan.sight {
            None => {}
            Some(Sight::Skip { event }) => self.doors[0].withhold(event),
            Some(Sight::Past { .. }) => RUNTIME.block_on(self.doors[0].look()),
            // The other one looks away from the beginning on, and sees the truth when the time is over.
            Some(Sight::Two { .. }) => {
                self.start_operator();
            }
        }
        self.book.begin();
    }

    /// SIGTERM, for good. It has to go by itself.
    pub fn retire(&mut self, whose: usize) {
        let mut processes = self.processes.lock().expect("processes");
        processes[whose].life = Life::Retired;
        processes[whose].kept.signal(Signal::TERM);
    }

    /// What a kubelet does, and what the plan wants done in time.
    fn tend(&mut self) {
        self.shift_sight();
        let processes = self.processes.clone();
        let mut successor = false;
        let mut processes = processes.lock().expect("processes");
        for (whose, process) in processes.iter_mut().enumerate() {
            match process.life {
                Life::Asleep(since) if since.elapsed() >= SLEEP => {
                    process.kept.signal(Signal::CONT);
                    process.life = Life::Running;
                }
                Life::Asleep(_) => successor = true,
                Life::Retired => {}
                Life::Running | Life::Killed => {
                    let Some(status) = process.kept.ended() else { continue };
                    if process.life == Life::Running {
                        self.findings.push(format!("operator {whose} ended by itself: {status}"));
                    }
                    if let Some(Sight::Past { .. }) = self.plan.sight
                        && process.life == Life::Killed
                        && self.thaw.is_none()
                    {
                        self.doors[whose].freeze();
                        self.thaw = Some((Instant::now() + PAST, whose));
                    }
                    process.kept = self.spawn(whose, &process.log, false);
                    process.life = Life::Running;
                }
            }
        }
        let lonely = successor && processes.len() == 1;
        drop(processes);
        if lonely {
            self.start_operator();
        }
    }

    /// What the operators see of the objects, as the plan wants it.
    fn shift_sight(&mut self) {
        match (&self.plan.sight, self.thaw) {
            (Some(Sight::Past { seen, .. }), None) if self.book.numbered() < *seen => {
                RUNTIME.block_on(self.doors[0].look());
            }
            (Some(Sight::Two { from }), None) if self.doors.len() > 1 && self.book.numbered() >= *from => {
                RUNTIME.block_on(self.doors[1].look());
                self.doors[1].freeze();
                self.thaw = Some((Instant::now() + PAST, 1));
            }
            (_, Some((until, whose))) if Instant::now() >= until => self.doors[whose].thaw(),
            _ => {}
        }
    }

    /// Asks until there is an answer, looking after the processes meanwhile.
    pub fn until<T>(&mut self, what: &str, mut ask: impl FnMut(&World) -> Option<T>) -> T {
        let began = Instant::now();
        loop {
            self.tend();
            if let Some(answer) = ask(self) {
                return answer;
            }
            if began.elapsed() > PATIENCE {
                let wrong = judge::asked(self).into_iter().map(|wrong| format!("; {wrong}")).collect::<String>();
                panic!("waited {} s in vain until {what}{wrong}", PATIENCE.as_secs());
            }
            std::thread::sleep(LOOK);
        }
    }

    /// The object, once `done` says yes of it.
    pub fn wait(&mut self, what: &str, done: impl Fn(&Value) -> bool) -> Value {
        self.until(what, |world| world.get().filter(|object| done(object)))
    }

    pub fn wait_for_reason(&mut self, reason: &str) -> Value {
        self.wait(&format!("Ready has the reason {reason}"), |object| has_reason(object, reason))
    }

    pub fn wait_until_gone(&mut self) {
        self.until("the object is gone", |world| world.get().is_none().then_some(()));
    }

    /// Waits until ACK has made a cluster.
    pub fn wait_until_made(&mut self) {
        self.until("CreateCluster was executed", |world| (!world.clusters().is_empty()).then_some(()));
    }

    /// Waits until nothing is expected to happen any more, with `done` true all the time.
    pub fn settle(&mut self, what: &str, done: impl Fn(&World) -> bool) {
        self.until(what, |world| (world.at_rest() && done(world)).then_some(()));
    }

    fn at_rest(&self) -> bool {
        let awake = self.processes.lock().expect("processes").iter_mut().all(|process| match process.life {
            Life::Running => process.kept.ended().is_none(),
            Life::Killed | Life::Asleep(_) => false,
            Life::Retired => process.kept.ended().is_some(),
        });
        let thawed = self.thaw.is_none_or(|(until, _)| until.elapsed() >= QUIET);
        awake && thawed && self.book.quiet_for(QUIET)
    }

    /// Whether all that was to go wrong did.
    pub fn met(&self) -> bool {
        let sight = match self.plan.sight {
            None => true,
            Some(Sight::Skip { event }) => self.events() >= event,
            Some(Sight::Past { .. } | Sight::Two { .. }) => self.thaw.is_some(),
        };
        sight && self.book.struck() == self.plan.cuts.len()
    }

    /// How many watch events the first operator was told since [`World::begin`], or would have been.
    pub fn events(&self) -> usize {
        self.doors[0].events()
    }

    pub fn get(&self) -> Option<Value> {
        self.scene.get(NAME)
    }

    /// Every object of this world.
    pub fn all(&self) -> Vec<Value> {
        RUNTIME.block_on(self.scene.objects.list()).expect("a list")
    }

    /// Every cluster that ACK has ever made, but for the neighbour's.
    pub fn clusters(&self) -> Vec<LedgerEntry> {
        self.scene.emulator.ledger().into_iter().filter(|cluster| cluster.name != NEIGHBOUR).collect()
    }

    pub fn living(&self) -> Vec<LedgerEntry> {
        self.clusters().into_iter().filter(|cluster| cluster.deleted.is_empty()).collect()
    }

    /// Ends every process with SIGTERM, and tells what was wrong with any of their lives.
    pub fn end(mut self) -> Vec<String> {
        let mut processes = self.processes.lock().expect("processes");
        for (whose, process) in processes.iter_mut().enumerate() {
            process.kept.signal(Signal::CONT);
            if process.kept.ended().is_none() && !process.kept.stop(DEADLINE) {
                self.findings.push(format!("operator {whose} does not end on SIGTERM"));
            }
            match process.kept.ended() {
                Some(status) if status.success() || process.struck => {}
                status => self.findings.push(format!("operator {whose} ended with {status:?}")),
            }
            let log = fs::read_to_string(&process.log).unwrap_or_default();
            if let Some(line) = log.lines().find(|line| line.contains("panicked at")) {
                self.findings.push(format!("operator {whose} panicked: {line}"));
            }
        }
        drop(processes);
        self.findings
    }
}

pub fn has_reason(object: &Value, reason: &str) -> bool {
    ready(object).is_some_and(|ready| ready["reason"] == reason)
}

pub fn has_id(object: &Value) -> bool {
    !id(object).is_empty()
}
