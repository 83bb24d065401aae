//! What an archive holds, read back with nothing but a tar reader and a digest.

use std::io::Read;

use super::*;

/// Packs the Dockerfile's last stage with stand-ins for the files.
fn pack() -> Vec<u8> {
    let stand_in = |source: &str| Some(File { mode: 0o755, bytes: source.into() });
    let stage = Stage::of_the_operator().expect("a Dockerfile");
    stage.archive("localhost/ack-operator:0.1.0", stand_in).expect("an archive")
}

/// Path, mode, owner and content of each file; folders have none.
fn unpack(archive: &[u8]) -> BTreeMap<String, (u32, u64, Vec<u8>)> {
    let mut archive = tar::Archive::new(archive);
    let entries = archive.entries().expect("a tar").map(|entry| {
        let mut entry = entry.expect("an entry");
        let path = entry.path().expect("a path").display().to_string();
        let (mode, uid) = (entry.header().mode().expect("a mode"), entry.header().uid().expect("an owner"));
        let mut bytes = vec![];
        entry.read_to_end(&mut bytes).expect("content");
        (path, (mode, uid, bytes))
    });
    entries.collect()
}

/// What a descriptor points to; its size and digest must be right.
fn blob(files: &BTreeMap<String, (u32, u64, Vec<u8>)>, descriptor: &Value) -> Vec<u8> {
    let digest = descriptor["digest"].as_str().and_then(|text| text.strip_prefix("sha256:")).expect("a digest");
    let (_, _, bytes) = &files[&format!("blobs/sha256/{digest}")];
    assert_eq!((sha256(bytes).as_str(), Some(bytes.len() as u64)), (digest, descriptor["size"].as_u64()));
    bytes.clone()
}

fn parse(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).expect("JSON")
}

#[test]
fn the_same_files_give_the_same_bytes() {
    assert_eq!(sha256(&pack()), sha256(&pack()));
}

#[test]
fn every_digest_and_size_in_an_archive_is_right_and_nothing_is_superfluous() {
    let files = unpack(&pack());
    assert_eq!(parse(&files["oci-layout"].2), json!({"imageLayoutVersion": "1.0.0"}));
    let index = parse(&files["index.json"].2);
    let descriptor = &index["manifests"][0];
    assert_eq!(descriptor["annotations"]["io.containerd.image.name"], "localhost/ack-operator:0.1.0");
    let manifest = parse(&blob(&files, descriptor));
    let config = parse(&blob(&files, &manifest["config"]));
    blob(&files, &manifest["layers"][0]);
    assert_eq!(config["rootfs"]["diff_ids"], json!([manifest["layers"][0]["digest"]]), "a layer is not compressed");
    assert_eq!(files.keys().filter(|path| path.starts_with("blobs/sha256/") && path.len() > 13).count(), 3);
}

#[test]
fn the_image_is_what_the_dockerfile_says() {
    let files = unpack(&pack());
    let manifest = parse(&blob(&files, &parse(&files["index.json"].2)["manifests"][0]));
    let config = &parse(&blob(&files, &manifest["config"]))["config"];
    assert_eq!(config["User"], "65532:65532", "the chart's runAsUser and runAsGroup");
    assert_eq!(config["Entrypoint"], json!(["/ack-operator"]));
    let label = |key: &str| config["Labels"][format!("org.opencontainers.image.{key}")].clone();
    assert_eq!(label("title"), "ack-operator", "the chart's image.repository");
    assert_eq!(label("version"), env!("CARGO_PKG_VERSION"), "the chart's appVersion; all packages have one version");
    assert_eq!(label("licenses"), env!("CARGO_PKG_LICENSE"));

    let layer = unpack(&blob(&files, &manifest["layers"][0]));
    let paths: Vec<_> = layer.keys().map(|path| path.trim_end_matches('/')).collect();
    let expected = ["ack-operator", "etc", "etc/ssl", "etc/ssl/certs", "etc/ssl/certs/ca-certificates.crt"];
    assert_eq!(paths, expected, "no shell, nothing else");
    for (path, (mode, owner, _)) in &layer {
        assert_eq!((*mode & 0o022, *owner), (0, 0), "{path} must not be the operator's to change");
    }
}

#[test]
fn a_dockerfile_that_cannot_be_followed_is_refused_with_the_line() {
    for (line, last) in [
        ("FROM", "FROM debian\nCOPY --from=build /a /a\n"),
        ("RUN true", "FROM scratch\nRUN true\n"),
        ("COPY /a /a", "FROM scratch\nCOPY /a /a\n"),
        ("LABEL a=b", "FROM scratch\nLABEL a=b\n"),
        ("ENTRYPOINT /a", "FROM scratch\nENTRYPOINT /a\n"),
    ] {
        let error = Stage::parse(&format!("FROM rust AS build\n{last}")).expect_err("refused");
        assert_eq!(error.sentence(), Error::Dockerfile(line.into()).sentence());
    }
}

#[test]
fn a_machine_without_certificate_authorities_is_told_what_it_lacks() {
    let image = Image { operator: "/dev/null".into(), ca_bundle: "/dev/null".into(), output: "/dev/null".into() };
    let sentence = image.run().expect_err("refused").sentence();
    assert!(sentence.contains("/dev/null") && sentence.contains("--ca-bundle"), "{sentence}");
}
