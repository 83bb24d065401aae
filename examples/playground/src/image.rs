//! `playground image`: an OCI archive of what the Dockerfile's last stage describes, made without a container daemon. The
//! same files give the same bytes. It runs nothing and fetches nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

/// Where `make image` says that its image comes from: `image.registry` of the chart.
pub const REGISTRY: &str = "localhost";

/// Packs the operator and the certificate authorities into an OCI archive, as the Dockerfile's last stage says.
#[derive(clap::Args, Debug)]
pub struct Image {
    /// The operator's program, statically linked (`make static`)
    #[arg(long, value_name = "FILE")]
    operator: PathBuf,

    /// The certificate authorities, in PEM, that the operator will trust for HTTPS to the cloud
    #[arg(long, value_name = "FILE", default_value = "/etc/ssl/certs/ca-certificates.crt")]
    ca_bundle: PathBuf,

    /// Where the archive goes
    #[arg(long, value_name = "FILE")]
    output: PathBuf,
}

impl Image {
    pub fn run(self) -> Result<()> {
        let pem = fs::read_to_string(&self.ca_bundle).unwrap_or_default();
        if !pem.contains("-----BEGIN CERTIFICATE-----") {
            return Err(Error::NoAuthorities(self.ca_bundle));
        }
        let operator = fs::read(&self.operator).map_err(Error::io("cannot read", &self.operator))?;
        let stage = Stage::of_the_operator()?;
        let name = stage.name();
        let archive = stage.archive(&name, |source| match source {
            "/ack-operator" => Some(File { mode: 0o755, bytes: operator.clone() }),
            "/etc/ssl/certs/ca-certificates.crt" => Some(File { mode: 0o644, bytes: pem.clone().into_bytes() }),
            _ => None,
        })?;
        fs::write(&self.output, &archive).map_err(Error::io("cannot write", &self.output))?;
        println!("{}: {name}, {:.1} MiB", self.output.display(), archive.len() as f64 / f64::from(1 << 20));
        Ok(())
    }
}

/// A file of an image. Everything in it belongs to root, so that the operator's own user can change nothing.
#[derive(Clone, Debug)]
pub struct File {
    pub mode: u32,
    pub bytes: Vec<u8>,
}

/// Path without a leading slash, to file.
pub type Files = BTreeMap<String, File>;

/// What a Dockerfile's last stage says.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Stage {
    /// From the stage before, to this one.
    pub copies: Vec<(String, String)>,
    pub labels: BTreeMap<String, String>,
    pub user: String,
    pub entrypoint: Vec<String>,
}

impl Stage {
    /// Of the Dockerfile in the repository.
    pub fn of_the_operator() -> Result<Stage> {
        let path = crate::repository().join("Dockerfile");
        Stage::parse(&fs::read_to_string(&path).map_err(Error::io("cannot read", &path))?)
    }

    /// Reads the few instructions that can be followed without running anything; any other one is an error, or the archive
    /// would not be what the Dockerfile gives.
    fn parse(dockerfile: &str) -> Result<Stage> {
        let lines: Vec<_> = dockerfile.lines().filter(|line| !line.starts_with('#')).collect();
        let text = lines.join("\n").replace("\\\n", " ");
        let Some((_, last)) = text.rsplit_once("\nFROM scratch\n") else {
            return Err(Error::Dockerfile("FROM".into()));
        };
        let mut stage = Stage::default();
        for line in last.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let misread = || Error::Dockerfile(line.into());
            let (instruction, rest) = line.split_once(' ').ok_or_else(misread)?;
            match instruction {
                "COPY" => match rest.split_whitespace().collect::<Vec<_>>()[..] {
                    ["--from=build", from, to] => stage.copies.push((from.into(), to.into())),
                    _ => return Err(misread()),
                },
                "LABEL" => {
                    let mut rest = rest.trim();
                    while !rest.is_empty() {
                        let (key, after) = rest.split_once("=\"").ok_or_else(misread)?;
                        let (value, after) = after.split_once('"').ok_or_else(misread)?;
                        stage.labels.insert(key.into(), value.into());
                        rest = after.trim();
                    }
                }
                "USER" => stage.user = rest.trim().into(),
                "ENTRYPOINT" => stage.entrypoint = serde_json::from_str(rest).map_err(|_| misread())?,
                _ => return Err(misread()),
            }
        }
        Ok(stage)
    }

    /// Registry, title and version: what the chart asks for, given our registry.
    pub fn name(&self) -> String {
        let label = |key: &str| self.labels.get(&format!("org.opencontainers.image.{key}")).map_or("", String::as_str);
        format!("{REGISTRY}/{}:{}", label("title"), label("version"))
    }

    /// The archive, with what `file` gives for each path that is copied.
    fn archive(&self, name: &str, file: impl Fn(&str) -> Option<File>) -> Result<Vec<u8>> {
        let mut files = Files::new();
        for (from, to) in &self.copies {
            let unknown = || Error::Dockerfile(format!("COPY --from=build {from} {to}"));
            files.insert(to.trim_start_matches('/').into(), file(from).ok_or_else(unknown)?);
        }
        let config =
            json!({"User": self.user, "Entrypoint": self.entrypoint, "Labels": self.labels, "WorkingDir": "/"});
        archive(name, &files, &config)
    }
}

/// An OCI image layout in a tar, with one layer that holds `files`. It is not compressed: no compressor's version then
/// has a say in the digests.
pub fn archive(name: &str, files: &Files, config: &Value) -> Result<Vec<u8>> {
    let mut blobs = Files::new();
    let mut blob = |media_type: &str, bytes: Vec<u8>| {
        let digest = sha256(&bytes);
        let descriptor = json!({
            "mediaType": format!("application/vnd.oci.image.{media_type}"),
            "digest": format!("sha256:{digest}"),
            "size": bytes.len(),
        });
        blobs.insert(format!("blobs/sha256/{digest}"), File { mode: 0o644, bytes });
        descriptor
    };
    let platform = json!({"architecture": architecture(), "os": "linux"});

    let layer = blob("layer.v1.tar", tar(files)?);
    let mut image = platform.clone();
    image["created"] = "1970-01-01T00:00:00Z".into();
    image["config"] = config.clone();
    image["rootfs"] = json!({"type": "layers", "diff_ids": [layer["digest"]]});
    let config = blob("config.v1+json", image.to_string().into_bytes());
    let media_type = "application/vnd.oci.image.manifest.v1+json";
    let manifest = json!({"schemaVersion": 2, "mediaType": media_type, "config": config, "layers": [layer]});
    let mut manifest = blob("manifest.v1+json", manifest.to_string().into_bytes());
    manifest["platform"] = platform;
    // The first is the standard's, for the tag alone; containerd and Docker take the whole name from the second.
    let tag = name.rsplit_once(':').map_or("latest", |(_, tag)| tag);
    manifest["annotations"] = json!({"org.opencontainers.image.ref.name": tag, "io.containerd.image.name": name});

    let index = json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [manifest],
    });
    for (path, value) in [("oci-layout", json!({"imageLayoutVersion": "1.0.0"})), ("index.json", index)] {
        blobs.insert(path.into(), File { mode: 0o644, bytes: value.to_string().into_bytes() });
    }
    tar(&blobs)
}

/// Files by their paths, each folder before what is in it; nothing of this machine's clock or users.
fn tar(files: &Files) -> Result<Vec<u8>> {
    let mut tar = tar::Builder::new(Vec::new());
    let mut put = |path: &Path, kind: tar::EntryType, mode: u32, bytes: &[u8]| {
        let mut header = tar::Header::new_ustar();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_size(bytes.len() as u64);
        for set in [tar::Header::set_uid, tar::Header::set_gid, tar::Header::set_mtime] {
            set(&mut header, 0);
        }
        tar.append_data(&mut header, path, bytes).map_err(Error::io("cannot pack", path))
    };
    let mut folders = BTreeSet::new();
    for (path, File { mode, bytes }) in files {
        let path = Path::new(path);
        let mut above: Vec<_> = path.ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty()).collect();
        above.reverse();
        for folder in above {
            if folders.insert(folder) {
                put(folder, tar::EntryType::Directory, 0o755, &[])?;
            }
        }
        put(path, tar::EntryType::Regular, *mode, bytes)?;
    }
    tar.into_inner().map_err(Error::io("cannot pack", "an archive"))
}

/// In the words of OCI.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
