//! `playground up`: everything running, described in a file, until somebody says stop. It shows nothing itself.

use std::path::PathBuf;
use std::{fs, io, thread};

use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use crate::error::{Error, Result};
use crate::stage::{Setup, Stage};

/// Starts a control plane, an emulator and operators; writes `playground.json` into `dir`, prints `ready` and takes all
/// down on SIGTERM, SIGINT or at the end of standard input.
#[derive(clap::Args, Debug)]
pub struct Up {
    /// Where playground.json goes; made if absent
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,

    /// Start no operator; `operator_command` in playground.json says how to start one
    #[arg(long, conflicts_with = "operators")]
    no_operator: bool,

    /// How many operators to start
    #[arg(long, value_name = "N", default_value_t = 1)]
    operators: usize,

    /// The operator's program [default: ack-operator beside this one]
    #[arg(long, value_name = "PATH")]
    operator: Option<PathBuf>,

    /// More flags for the operators, after `--`
    #[arg(last = true, value_name = "OPERATOR FLAGS")]
    flags: Vec<String>,
}

impl Up {
    pub async fn run(self) -> Result<()> {
        fs::create_dir_all(&self.dir).map_err(Error::io("cannot make", &self.dir))?;
        // Signals are caught from here on, so that none can end us between two servers.
        let mut end = Box::pin(end());
        tokio::select! {
            outcome = self.stay() => outcome,
            () = &mut end => Ok(()),
        }
    }

    async fn stay(&self) -> Result<()> {
        let setup =
            Setup { kubeconfig: None, operator: self.operator.clone(), flags: self.flags.clone(), ..Setup::default() };
        let mut stage = Stage::set(setup).await?;
        stage.start_controllers().await?;
        for _ in 0..if self.no_operator { 0 } else { self.operators } {
            stage.start_operator().await?;
        }
        let description = json!({
            "kubeconfig": stage.access().kubeconfig,
            "operator_kubeconfig": stage.operator.kubeconfig,
            "kubectl": stage.access().kubectl,
            "helm": stage.access().helm,
            "emulator_url": stage.operator.endpoint,
            "emulator_ca": stage.operator.ca_file,
            "access_keys": [stage.key],
            "operator_command": stage.operator_command(),
            "operator_pids": stage.operators.iter().map(|operator| operator.pid()).collect::<Vec<_>>(),
            "operator_logs": stage.operators.iter().map(|operator| operator.log()).collect::<Vec<_>>(),
            "audit_log": stage.audit_log(),
        });
        let (file, half) = (self.dir.join("playground.json"), self.dir.join(".playground.json.half"));
        fs::write(&half, format!("{description:#}\n"))
            .and_then(|()| fs::rename(&half, &file))
            .map_err(Error::io("cannot write", &file))?;
        println!("ready");
        std::future::pending::<()>().await;
        // The servers live as long as the stage does, and that is until this future is dropped.
        drop(stage);
        Ok(())
    }
}

/// SIGTERM, SIGINT or the end of standard input.
async fn end() {
    let (send, end_of_input) = tokio::sync::oneshot::channel();
    thread::spawn(move || {
        // An error is an end too: nobody can say anything more to us.
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        send.send(())
    });
    tokio::select! {
        () = stop_signal() => {}
        _ = end_of_input => {}
    }
}

/// SIGTERM or SIGINT.
pub async fn stop_signal() {
    let (Ok(mut term), Ok(mut int)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) else {
        // Without handlers the signals end us by themselves, and the keepers see to the rest.
        return std::future::pending().await;
    };
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
}
