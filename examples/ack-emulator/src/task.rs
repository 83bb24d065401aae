//! What takes time: creating, changing and deleting a cluster, each in stages that end one after the other. Moves only
//! when it is told the time; changes no cluster.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::clock::{Now, rfc3339, stage_time};
use crate::settings::FailedWord;

/// What a task does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Create,
    Modify,
    Delete,
}

/// Name of a stage, its words while it runs and when it is done, and the share of the task's time at which it ends.
type Plan = &'static [(&'static str, &'static str, &'static str, f64)];

impl Kind {
    /// The `task_type`, also the type of its events.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Create => "cluster_create",
            Kind::Modify => "cluster_modify",
            Kind::Delete => "cluster_delete",
        }
    }

    fn verb(self) -> &'static str {
        match self {
            Kind::Create => "create",
            Kind::Modify => "modify",
            Kind::Delete => "delete",
        }
    }

    fn plan(self) -> Plan {
        match self {
            Kind::Create => &[
                ("Precheck", "checking request, quotas and permissions", "precheck passed", 0.1),
                ("CreateNetwork", "creating network resources", "network resources created", 0.35),
                ("CreateControlPlane", "creating the control plane", "control plane created", 0.8),
                ("InstallComponents", "installing components", "components installed", 1.0),
            ],
            Kind::Modify => &[("ModifyCluster", "changing the cluster", "cluster changed", 1.0)],
            Kind::Delete => &[
                ("DeleteNodes", "releasing nodes", "nodes released", 0.5),
                ("DeleteResources", "releasing cloud resources", "cloud resources released", 1.0),
            ],
        }
    }

    /// The error of a task that is made to fail without a word why.
    pub fn mishap(self) -> (String, String) {
        let (code, message) = match self {
            Kind::Create => ("ErrQuotaExceeded", "the quota of NAT gateways in the VPC is used up"),
            Kind::Modify => ("InternalError", "the change could not be rolled out"),
            Kind::Delete => ("DependencyViolation.Resource", "the security group is still used by another resource"),
        };
        (code.into(), format!("made up by the emulator: {message}"))
    }
}

/// How a task came to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    Success,
    Failed { code: String, message: String },
    Canceled,
}

#[derive(Clone, Debug)]
struct Stage {
    name: &'static str,
    doing: &'static str,
    done: &'static str,
    /// World time.
    due: Timestamp,
    began: Option<Timestamp>,
    ended: Option<Timestamp>,
}

/// One task.
#[derive(Clone, Debug)]
pub struct Task {
    pub id: String,
    pub kind: Kind,
    /// The cluster's place in the world.
    pub cluster: usize,
    /// World time at which it succeeds if nothing happens.
    pub ends: Timestamp,
    pub end: Option<End>,
    /// The ModifyCluster body to be put in force at its end.
    pub change: Value,
    created: Timestamp,
    updated: Timestamp,
    stages: Vec<Stage>,
    events: Vec<Value>,
}

impl Task {
    /// A task that begins now.
    pub fn new(id: String, kind: Kind, cluster: usize, takes: jiff::SignedDuration, change: Value, now: Now) -> Task {
        let due = |share: f64| now.world + takes.mul_f64(share);
        let stage = |&(name, doing, done, share): &(_, _, _, f64)| Stage {
            name,
            doing,
            done,
            due: due(share),
            began: None,
            ended: None,
        };
        let mut stages: Vec<Stage> = kind.plan().iter().map(stage).collect();
        stages[0].began = Some(now.gateway);
        let mut task = Task {
            id,
            kind,
            cluster,
            ends: now.world + takes,
            end: None,
            change,
            created: now.gateway,
            updated: now.gateway,
            stages,
            events: Vec::new(),
        };
        task.event("start", "Normal", format!("start to {} cluster", kind.verb()), "Started", now.gateway);
        task
    }

    /// Ends the stages whose time has come; answers the words of each with its time of the gateway.
    pub fn tick(&mut self, now: &Now) -> Vec<(Timestamp, String)> {
        let mut words = Vec::new();
        if self.end.is_some() {
            return words;
        }
        for at in 0..self.stages.len() {
            let stage = &mut self.stages[at];
            if stage.ended.is_some() || stage.due > now.world {
                continue;
            }
            let stamp = now.stamp(stage.due).max(self.updated);
            stage.ended = Some(stamp);
            words.push((stamp, stage.done.to_owned()));
            self.updated = stamp;
            if let Some(next) = self.stages.get_mut(at + 1) {
                next.began = Some(stamp);
            }
        }
        words
    }

    /// Ends the task at a time of the gateway.
    pub fn finish(&mut self, end: End, at: Timestamp) {
        self.updated = at.max(self.updated);
        let verb = self.kind.verb();
        let (action, level, message, reason) = match &end {
            End::Success => ("end", "Normal", format!("succeeded to {verb} cluster"), "Succeeded"),
            End::Failed { message, .. } => {
                ("error", "Warning", format!("failed to {verb} cluster: {message}"), "Failed")
            }
            End::Canceled => ("end", "Normal", format!("canceled to {verb} cluster"), "Canceled"),
        };
        self.event(action, level, message, reason, self.updated);
        for stage in &mut self.stages {
            if stage.began.is_some() || end == End::Success {
                stage.began.get_or_insert(self.updated);
                stage.ended.get_or_insert(self.updated);
            }
        }
        self.end = Some(end);
    }

    fn event(&mut self, action: &str, level: &str, message: String, reason: &str, at: Timestamp) {
        self.events.push(json!({
            "action": action, "level": level, "message": message, "reason": reason, "source": "ACK",
            "timestamp": at.as_millisecond().to_string(),
        }));
    }

    fn state(&self, failed: FailedWord) -> &'static str {
        match (&self.end, failed) {
            (None, _) => "running",
            (Some(End::Success), _) => "success",
            (Some(End::Failed { .. }), FailedWord::Failed) => "failed",
            (Some(End::Failed { .. }), FailedWord::Fail) => "fail",
            (Some(End::Canceled), _) => "canceled",
        }
    }

    /// The row of DescribeClusterTasks.
    pub fn row(&self, failed: FailedWord) -> Value {
        let mut row = json!({
            "task_id": self.id, "task_type": self.kind.word(), "state": self.state(failed),
            "created": rfc3339(self.created), "updated": rfc3339(self.updated),
        });
        if let Some(End::Failed { code, message }) = &self.end {
            row["error"] = json!({"code": code, "message": message});
        }
        row
    }

    /// The answer of DescribeTaskInfo. Stages that have not begun are `pending`.
    pub fn info(&self, cluster_id: &str, failed: FailedWord) -> Value {
        let mut info = self.row(failed);
        let running = self.stages.iter().find(|stage| stage.began.is_some() && stage.ended.is_none());
        info["cluster_id"] = cluster_id.into();
        info["current_stage"] = running.map_or("", |stage| stage.name).into();
        info["target"] = json!({"type": "cluster", "id": cluster_id});
        info["parameters"] = json!({});
        info["task_result"] = json!([]);
        info["events"] = self.events.clone().into();
        let last = self.stages.iter().rposition(|stage| stage.began.is_some());
        let view = |(at, stage): (usize, &Stage)| {
            let time = |at: Option<Timestamp>| at.map(stage_time).unwrap_or_default();
            let (state, message) = match (&self.end, stage.began, stage.ended) {
                (Some(End::Failed { message, .. }), ..) if Some(at) == last => ("failed", message.as_str()),
                (Some(End::Canceled), ..) if Some(at) == last => ("canceled", stage.doing),
                (_, None, _) => ("pending", stage.doing),
                (_, Some(_), None) => ("running", stage.doing),
                (_, Some(_), Some(_)) => ("success", stage.done),
            };
            let state = if state == "failed" { self.state(failed) } else { state };
            json!({
                "state": state, "message": message, "start_time": time(stage.began), "end_time": time(stage.ended),
                "outputs": {},
            })
        };
        info["stages"] = self.stages.iter().enumerate().map(view).collect();
        info
    }
}
