//! Processes that cannot outlive us. Each one runs under a *keeper*: our own program started again, which does nothing
//! but wait for the end of its standard input, a pipe that only we hold, and then kills what it keeps. The kernel closes
//! that pipe however we end, by a panic or SIGKILL too. It never restarts anything.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use std::{env, thread};

pub use rustix::process::Signal;
use rustix::process::{Pid, kill_process, kill_process_group};

use crate::error::{Error, Result};

const WORD: &str = "__keep";
static HOOKED: AtomicBool = AtomicBool::new(false);

/// Call this first in `main` of every program that starts kept processes: where the program was started as a keeper,
/// this becomes one and does not return.
pub fn hook() {
    let mut arguments = env::args_os().skip(1);
    if arguments.next().is_some_and(|first| first == WORD)
        && let Some(program) = arguments.next()
    {
        std::process::exit(keep(Command::new(program).args(arguments)));
    }
    HOOKED.store(true, Ordering::SeqCst);
}

/// Runs `command` until it ends or our standard input does. Its own process group lets the kill reach its children.
fn keep(command: &mut Command) -> i32 {
    let mut child = match command.stdin(Stdio::null()).stdout(io::stderr()).process_group(0).spawn() {
        Ok(child) => child,
        Err(error) => {
            eprintln!("cannot run {}: {error}", command.get_program().display());
            return 127;
        }
    };
    let pid = Pid::from_child(&child);
    println!("{}", child.id());
    thread::spawn(move || {
        // An error ends the reading just as well as an end does: nobody holds us any more.
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        let _ = kill_process_group(pid, Signal::KILL);
    });
    match child.wait() {
        Ok(status) => status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0)),
        Err(_) => 1,
    }
}

/// A running process that dies with this value and with this program.
#[derive(Debug)]
pub struct Kept {
    name: String,
    keeper: Child,
    /// The pipe whose end is the keeper's signal.
    pipe: Option<ChildStdin>,
    pid: Pid,
    log: PathBuf,
}

impl Kept {
    /// Starts `command` with its output appended to `log`. Program, arguments, environment and folder of `command` are
    /// taken over; its streams are not.
    pub fn start(name: &str, command: &Command, log: &Path) -> Result<Kept> {
        assert!(HOOKED.load(Ordering::SeqCst), "main must call playground::keeper::hook() first");
        let output = File::options().create(true).append(true).open(log).map_err(Error::io("cannot write", log))?;
        let ourselves = env::current_exe().map_err(Error::io("cannot find", "our own program"))?;
        let mut keeper = Command::new(&ourselves);
        keeper.arg(WORD).arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => keeper.env(name, value),
                None => keeper.env_remove(name),
            };
        }
        if let Some(folder) = command.get_current_dir() {
            keeper.current_dir(folder);
        }
        // A group of its own, or a Ctrl-C at the terminal would reach the servers before we can take them down in order.
        keeper.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(output);
        let mut keeper = keeper.spawn().map_err(Error::io("cannot run", &ourselves))?;
        let pipe = keeper.stdin.take();
        let mut line = String::new();
        if let Some(stdout) = keeper.stdout.take() {
            BufReader::new(stdout).read_line(&mut line).map_err(Error::io("cannot read from", &ourselves))?;
        }
        match line.trim().parse().ok().and_then(Pid::from_raw) {
            Some(pid) => Ok(Kept { name: name.into(), keeper, pipe, pid, log: log.into() }),
            None => {
                let _ = keeper.wait();
                Err(Error::NotStarted { name: name.into(), why: tail(log, 5) })
            }
        }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// Of the process itself, not of its keeper.
    pub fn pid(&self) -> u32 {
        self.pid.as_raw_nonzero().get().unsigned_abs()
    }

    pub fn log(&self) -> &Path {
        &self.log
    }

    /// The last `lines` of its log.
    pub fn log_tail(&self, lines: usize) -> String {
        tail(&self.log, lines)
    }

    /// `None` while it runs.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.keeper.try_wait().ok().flatten()
    }

    /// An error if it has ended, with the end of its log.
    pub fn must_run(&mut self) -> Result<()> {
        match self.ended() {
            Some(_) => Err(Error::Ended { name: self.name.clone(), tail: self.log_tail(15) }),
            None => Ok(()),
        }
    }

    /// STOP, CONT, TERM, ...; to a process that has ended it is nothing.
    pub fn signal(&self, signal: Signal) {
        let _ = kill_process(self.pid, signal);
    }

    /// SIGKILL, and the certainty that it is gone. A second call does nothing.
    pub fn kill(&mut self) {
        drop(self.pipe.take());
        let _ = self.keeper.wait();
    }

    /// SIGTERM, then SIGKILL once `grace` is over. Answers whether it went by itself.
    pub fn stop(&mut self, grace: Duration) -> bool {
        self.signal(Signal::TERM);
        let deadline = Instant::now() + grace;
        while Instant::now() < deadline {
            if self.ended().is_some() {
                return true;
            }
            thread::sleep(Duration::from_millis(20));
        }
        self.kill();
        false
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The last `lines` lines of a text file, of its last 256 KiB at most; empty where there is none.
pub fn tail(file: &Path, lines: usize) -> String {
    let mut bytes = Vec::new();
    if let Ok(mut file) = File::open(file) {
        let length = file.metadata().map_or(0, |m| m.len());
        let _ = io::Seek::seek(&mut file, io::SeekFrom::Start(length.saturating_sub(256 << 10)));
        let _ = file.read_to_end(&mut bytes);
    }
    let text = String::from_utf8_lossy(&bytes);
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

/// Writes a file that only its owner can read, under another name first, so that nobody ever reads a half of it.
pub fn write_private(path: &Path, text: &str) -> Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let half = path.with_extension("half");
    let _ = fs::remove_file(&half);
    File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&half)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .and_then(|()| fs::rename(&half, path))
        .map_err(Error::io("cannot write", path))
}
