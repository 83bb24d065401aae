//! A loopback address of our own, 127.77.n.1, and the folder that goes with it. Fixed ports on an address that nobody
//! else uses are free without a race for them. It never listens itself.

use std::fs::{self, DirBuilder, File};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU16, Ordering};

use crate::error::{Error, Result};

pub const ETCD: u16 = 2379;
pub const ETCD_PEER: u16 = 2380;
pub const KUBERNETES: u16 = 6443;
pub const CONTROLLERS: u16 = 10257;
pub const EMULATOR: u16 = 8443;
/// Below the kernel's range for outgoing connections, which may use our address too.
const FIRST_OF_MANY: u16 = 20000;

/// Ours while this value lives: a locked file says so to other runs, also after the worst end of this one.
#[derive(Debug)]
pub struct Loopback {
    ip: Ipv4Addr,
    dir: PathBuf,
    next: AtomicU16,
    _lock: File,
}

impl Loopback {
    /// Takes the first free address, with an empty folder that only we can read. What a killed run left there goes.
    pub fn claim() -> Result<Loopback> {
        (1..=254).find_map(Loopback::try_claim).ok_or(Error::NoAddress)
    }

    fn try_claim(n: u8) -> Option<Loopback> {
        let ip = Ipv4Addr::new(127, 77, n, 1);
        let dir = std::env::temp_dir().join(format!("ack-playground-{ip}"));
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(std::env::temp_dir().join(format!("ack-playground-{ip}.lock")))
            .ok()?;
        lock.try_lock().ok()?;
        // The servers of a run that was killed may need a moment more to go.
        for port in [ETCD, ETCD_PEER, KUBERNETES, CONTROLLERS, EMULATOR] {
            TcpListener::bind((ip, port)).ok()?;
        }
        let _ = fs::remove_dir_all(&dir);
        DirBuilder::new().mode(0o700).create(&dir).ok()?;
        Some(Loopback { ip, dir, next: AtomicU16::new(FIRST_OF_MANY), _lock: lock })
    }

    pub fn ip(&self) -> IpAddr {
        self.ip.into()
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// `127.77.n.1:port` as a URL.
    pub fn url(&self, scheme: &str, port: u16) -> String {
        format!("{scheme}://{}:{port}", self.ip)
    }

    /// An address that was handed out to nobody else.
    pub fn next(&self) -> SocketAddr {
        SocketAddr::new(self.ip(), self.next.fetch_add(1, Ordering::Relaxed))
    }
}

impl Drop for Loopback {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.dir);
    }
}
