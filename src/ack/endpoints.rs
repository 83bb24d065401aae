//! Where ACK and STS are, as the operator's flags say. Never taken from a custom resource, since whoever chooses the
//! endpoint gets signed requests. Reads one file, the CA's; opens no connection.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use reqwest::Url;

use super::budget::Limits;
use super::sign::Algorithm;
use crate::terms::Region;

/// Operator configuration of the cloud's side.
#[derive(Clone, Debug)]
pub struct Endpoints {
    /// For all regions without one of their own; absent: `https://cs.<region>.aliyuncs.com` (ack-api a.1).
    pub all: Option<Url>,
    pub regions: BTreeMap<Region, Url>,
    /// Absent: `https://sts.aliyuncs.com`.
    pub sts: Option<Url>,
    /// STS is not asked: the account ids that are stated beside keys are believed.
    pub without_sts: bool,
    /// Lets plain HTTP go to other machines than this one.
    pub allow_http: bool,
    /// PEM certificates that are trusted beside the system's.
    pub ca_file: Option<PathBuf>,
    pub signature: Algorithm,
    pub connect_timeout: Duration,
    /// For a whole call, from its first byte to the last of its answer.
    pub timeout: Duration,
    pub limits: Limits,
}

impl Default for Endpoints {
    fn default() -> Self {
        Self {
            all: None,
            regions: BTreeMap::new(),
            sts: None,
            without_sts: false,
            allow_http: false,
            ca_file: None,
            signature: Algorithm::default(),
            connect_timeout: Duration::from_secs(5),
            timeout: Duration::from_secs(30),
            limits: Limits::default(),
        }
    }
}

/// A flag that cannot be used. Mend the flag.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("{0:?} is no endpoint: give https://HOST[:PORT], without path, query or user")]
    Url(String),
    #[error("{0:?} has not the form of a region id")]
    Region(String),
    #[error("{0} is plain HTTP to another machine, which takes --allow-http")]
    PlainHttp(Url),
    #[error("cannot read the CA file {path}")]
    CaFile { path: PathBuf, source: std::io::Error },
    #[error("the CA file {0} holds no PEM certificate")]
    NoCertificate(PathBuf),
    #[error("cannot set up TLS")]
    Tls(#[source] reqwest::Error),
}

/// One endpoint, ready for use.
pub(super) struct Base {
    /// `https://host:port`, without a slash at the end.
    pub origin: String,
    /// As the `host` header has it: with the port, unless it is the scheme's own.
    pub host: String,
    pub loopback: bool,
}

impl Endpoints {
    /// Takes the value of `--ack-endpoint`: `URL` for all regions or `REGION=URL` for one.
    pub fn set_ack(&mut self, flag: &str) -> Result<(), ConfigError> {
        match flag.split_once('=') {
            None => self.all = Some(endpoint(flag)?),
            Some((region, url)) => {
                let region = Region::parse(region).ok_or_else(|| ConfigError::Region(region.to_owned()))?;
                self.regions.insert(region, endpoint(url)?);
            }
        }
        Ok(())
    }

    /// Takes the value of `--sts-endpoint`; a bare host, as `ALIBABA_CLOUD_STS_ENDPOINT` has it, means HTTPS.
    pub fn set_sts(&mut self, flag: &str) -> Result<(), ConfigError> {
        let url = if flag.contains("://") { flag.to_owned() } else { format!("https://{flag}") };
        self.sts = Some(endpoint(&url)?);
        Ok(())
    }

    /// Refuses plain HTTP to other machines, unless it is allowed.
    pub fn check(&self) -> Result<(), ConfigError> {
        let mut plain = self.named().filter(|url| url.scheme() == "http" && !is_loopback(url));
        match plain.next() {
            Some(url) if !self.allow_http => Err(ConfigError::PlainHttp(url.clone())),
            _ => Ok(()),
        }
    }

    /// Whether no call can leave this machine. The hidden flag that changes the protocol's times asks for it.
    pub fn all_loopback(&self) -> bool {
        let local = |url: &Option<Url>| url.as_ref().is_some_and(is_loopback);
        local(&self.all) && (self.without_sts || local(&self.sts)) && self.regions.values().all(is_loopback)
    }

    pub(super) fn some_loopback(&self) -> bool {
        self.named().any(is_loopback)
    }

    fn named(&self) -> impl Iterator<Item = &Url> {
        self.all.iter().chain(self.regions.values()).chain(&self.sts)
    }

    /// `None` where the region has not the form of one: it becomes a part of the host's name.
    pub(super) fn ack(&self, region: &Region) -> Option<Base> {
        let region = Region::parse(region.as_str())?;
        Some(match self.regions.get(&region).or(self.all.as_ref()) {
            Some(url) => base(url),
            None => https(format!("cs.{region}.aliyuncs.com")),
        })
    }

    pub(super) fn sts(&self) -> Base {
        self.sts.as_ref().map_or_else(|| https("sts.aliyuncs.com".to_owned()), base)
    }
}

fn https(host: String) -> Base {
    Base { origin: format!("https://{host}"), host, loopback: false }
}

fn base(url: &Url) -> Base {
    let name = url.host_str().unwrap_or_default();
    let host = url.port().map_or_else(|| name.to_owned(), |port| format!("{name}:{port}"));
    Base { origin: format!("{}://{host}", url.scheme()), host, loopback: is_loopback(url) }
}

fn endpoint(text: &str) -> Result<Url, ConfigError> {
    let url = Url::parse(text).ok().filter(|url| {
        ["http", "https"].contains(&url.scheme())
            && url.host_str().is_some_and(|host| !host.is_empty())
            && url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none()
    });
    url.ok_or_else(|| ConfigError::Url(text.to_owned()))
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_bare_origins_are_endpoints() {
        for (flag, error) in [
            ("https://cs-vpc.cn-hangzhou.aliyuncs.com", None),
            ("cn-hangzhou=http://127.0.0.1:8099/", None),
            ("https://[::1]:8443", None),
            ("cs.aliyuncs.com", Some("is no endpoint")),
            ("ftp://host", Some("is no endpoint")),
            ("https://host/path", Some("is no endpoint")),
            ("https://host?x", Some("is no endpoint")),
            ("https://user:word@host", Some("is no endpoint")),
            ("CN_X=https://host", Some("form of a region")),
        ] {
            let got = Endpoints::default().set_ack(flag).err().map(|e| e.to_string());
            assert_eq!(got.is_some(), error.is_some(), "{flag}: {got:?}");
            assert!(got.unwrap_or_default().contains(error.unwrap_or_default()), "{flag}");
        }
    }

    #[test]
    fn plain_http_goes_to_this_machine_only_unless_it_is_allowed() {
        for (flag, fine, loopback) in [
            ("http://127.77.3.1:80", true, true),
            ("http://localhost:80", true, true),
            ("http://[::1]:80", true, true),
            ("https://cs.aliyuncs.com", true, false),
            ("http://10.0.0.1", false, false),
            ("http://localhost.example.com", false, false),
        ] {
            let mut endpoints = Endpoints::default();
            endpoints.set_ack(flag).unwrap();
            endpoints.set_sts("http://127.0.0.1:1").unwrap();
            assert_eq!((endpoints.check().is_ok(), endpoints.all_loopback()), (fine, loopback), "{flag}");
            endpoints.allow_http = true;
            assert!(endpoints.check().is_ok());
            endpoints.set_ack("cn-beijing=https://10.0.0.1").unwrap();
            assert!(!endpoints.all_loopback(), "{flag}");
        }
        assert!(!Endpoints::default().all_loopback());
    }

    #[test]
    fn a_region_finds_its_own_endpoint_first() {
        let mut endpoints = Endpoints::default();
        let host = |endpoints: &Endpoints, region: &str| {
            endpoints.ack(&Region::from(region)).map(|base| (base.origin, base.host))
        };
        let pair = |origin: &str, host: &str| Some((origin.to_owned(), host.to_owned()));
        assert_eq!(
            host(&endpoints, "cn-hangzhou"),
            pair("https://cs.cn-hangzhou.aliyuncs.com", "cs.cn-hangzhou.aliyuncs.com")
        );
        assert_eq!(host(&endpoints, "cn-x.evil.com/"), None);
        endpoints.set_ack("https://all:443").unwrap();
        endpoints.set_ack("cn-beijing=http://127.0.0.1:81").unwrap();
        assert_eq!(host(&endpoints, "cn-hangzhou"), pair("https://all", "all"));
        assert_eq!(host(&endpoints, "cn-beijing"), pair("http://127.0.0.1:81", "127.0.0.1:81"));
        endpoints.set_sts("sts-vpc.cn-hangzhou.aliyuncs.com").unwrap();
        assert_eq!(endpoints.sts().origin, "https://sts-vpc.cn-hangzhou.aliyuncs.com");
    }
}
