//! What holds of whatever comes: requests of any content through the signer and the emulator's gate, any bytes through the
//! decoders. Cases that were found stay in the source, as rows. Those of the judgement stand with its proof.

use std::collections::BTreeMap;
use std::path::Path;

use ack_operator::ack::fuzz;
use ack_operator::ack::sign::{Keys, Scheme, Unsigned};
use ack_operator::cache;
use jiff::Timestamp;
use libtest_mimic::Trial;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::trials;

pub fn tests() -> Vec<Trial> {
    trials!("properties":
        whatever_is_signed_the_gate_lets_in_and_no_other_byte,
        no_bytes_upset_a_decoder,
        no_sample_upsets_a_decoder_however_it_is_cut_or_changed,
        no_stored_object_upsets_the_watch_however_it_is_cut_or_changed,
        no_corpus_of_a_fuzzer_upsets_its_target_however_it_is_cut_or_changed,
    )
}

/// Tries `holds` with so many inputs, and shrinks the first that fails.
fn check<S: Strategy>(cases: u32, inputs: &S, holds: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    if let Err(error) = TestRunner::new(config).run(inputs, holds) {
        panic!("{error}");
    }
}

/// A request of any content: scheme, method, path, query, body, token, date.
type Request = (Scheme, &'static str, Vec<String>, BTreeMap<String, String>, Option<String>, Option<String>, i64);

fn requests() -> impl Strategy<Value = Request> {
    let text = "\\PC{0,12}";
    (
        prop_oneof![Just(Scheme::Acs3), Just(Scheme::Roa), Just(Scheme::Rpc)],
        prop_oneof![Just("GET"), Just("POST"), Just("PUT"), Just("DELETE")],
        prop::collection::vec("\\PC{1,8}", 1..4),
        prop::collection::btree_map("\\PC{1,8}", text, 0..5),
        prop::option::of("\\PC{0,40}"),
        prop::option::of("[A-Za-z0-9+/=]{1,30}"),
        0..4_000_000_000_i64,
    )
}

fn whatever_is_signed_the_gate_lets_in_and_no_other_byte() {
    check(500, &requests(), |(scheme, method, segments, query, body, token, seconds)| {
        let date = Timestamp::from_second(seconds).map_err(|error| TestCaseError::fail(error.to_string()))?;
        let segments: Vec<_> = segments.iter().map(|part| ack_operator::ack::sign::percent_encode(part)).collect();
        let rpc = scheme == Scheme::Rpc;
        let (method, path) = if rpc { ("GET", "/".to_owned()) } else { (method, format!("/{}", segments.join("/"))) };
        let body = body.filter(|_| !rpc);
        let unsigned = Unsigned {
            scheme,
            action: "AnyOperation",
            version: "2015-12-15",
            method,
            host: "cs.cn-hangzhou.aliyuncs.com",
            path: &path,
            query: &query,
            body: body.as_deref().map(str::as_bytes),
            date,
            nonce: "0123456789abcdef",
        };
        let signed = unsigned.sign(Keys { id: "key", secret: "a secret of any sort", token: token.as_deref() });
        let mut headers: Vec<_> = signed.headers.into_iter().collect();
        headers.push(("host".into(), "cs.cn-hangzhou.aliyuncs.com".into()));
        let target = if signed.query.is_empty() { path.clone() } else { format!("{path}?{}", signed.query) };
        let key = ack_emulator::AccessKey {
            id: "key".into(),
            secret: "a secret of any sort".into(),
            account: "1".into(),
            token: token.clone(),
        };
        let body = body.unwrap_or_default();
        let gate = |target: &str, headers: &[(String, String)], body: &str| {
            ack_emulator::judge(&key, method, target, headers.to_vec(), body.as_bytes(), date)
        };
        prop_assert_eq!(gate(&target, &headers, &body), Ok(()), "{}", target);

        let more = if target.contains('?') { '&' } else { '?' };
        prop_assert!(gate(&format!("{target}{more}zz=1"), &headers, &body).is_err(), "a longer query");
        if scheme == Scheme::Acs3 {
            prop_assert!(gate(&target, &headers, &format!("{body} ")).is_err(), "a longer body");
        }
        for name in ["x-acs-signature-nonce", "x-acs-action", "x-acs-date", "date"] {
            let mut changed = headers.clone();
            let Some((_, value)) = changed.iter_mut().find(|(known, _)| known == name) else { continue };
            *value = if value.ends_with('Z') { value.replace('Z', "+00:00") } else { format!("{value}0") };
            prop_assert!(gate(&target, &changed, &body).is_err(), "another {}", name);
        }
        Ok(())
    });
}

fn no_bytes_upset_a_decoder() {
    check(1_000, &prop::collection::vec(any::<u8>(), 0..200), |bytes| {
        fuzz::answer(&bytes);
        Ok(())
    });
    // JSON of any shape, with the members that are looked for.
    let names = prop::sample::select(vec![
        "cluster_id",
        "task_id",
        "request_id",
        "state",
        "tags",
        "key",
        "value",
        "clusters",
        "page_info",
        "total_count",
        "tasks",
        "stages",
        "error",
        "code",
        "message",
        "events",
        "data",
        "created",
        "master_url",
        "config",
        "AccountId",
    ]);
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        "\\PC{0,90}".prop_map(Into::into),
        "[a-zA-Z0-9T-]{0,70}".prop_map(Into::into),
        Just("{\"cluster_id\":\"c1\",\"code\":1}".into()),
        Just("9999-12-30T21:59:59Z".into()),
    ];
    let value = leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(serde_json::Value::from),
            prop::collection::btree_map(names.clone(), inner, 0..6)
                .prop_map(|members| members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()),
        ]
    });
    check(1_500, &value, |value| {
        fuzz::answer(value.to_string().as_bytes());
        Ok(())
    });
}

/// The corpus from which a fuzzer starts.
fn samples() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/samples");
    let files = [folder.clone(), folder.join("errors")].map(|folder| std::fs::read_dir(folder).expect("samples"));
    let paths = files.into_iter().flatten().map(|file| file.expect("a file").path()).filter(|path| path.is_file());
    paths.map(|path| std::fs::read(path).expect("a sample")).collect()
}

fn no_sample_upsets_a_decoder_however_it_is_cut_or_changed() {
    let samples = samples();
    assert!(samples.len() > 40, "{} samples", samples.len());
    let mut inputs = 0;
    for sample in &samples {
        fuzz::answer(sample);
        // As pretty-printed samples are long, some forty places of each are tried.
        let step = sample.len() / 40 + 1;
        for at in (0..sample.len()).step_by(step) {
            fuzz::answer(&sample[..at]);
            for byte in *b"\"{[,0\xff" {
                let mut changed = sample.clone();
                changed[at] = byte;
                fuzz::answer(&changed);
                inputs += 1;
            }
        }
    }
    println!("{inputs} changed samples");
}

fn no_corpus_of_a_fuzzer_upsets_its_target_however_it_is_cut_or_changed() {
    type Target = fn(&[u8]);
    let targets = [
        ("secret", fuzz::secret as Target),
        ("redaction", fuzz::redaction),
        ("body", ack_operator::api::fuzz::body),
        ("kubeconfig", ack_operator::pass::fuzz::kubeconfig),
    ];
    for (name, target) in targets {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/fuzz").join(name);
        let files: Vec<_> =
            std::fs::read_dir(folder).expect("a corpus").map(|file| file.expect("a file").path()).collect();
        assert!(files.len() > 2, "{name}: {files:?}");
        for file in files {
            let sample = std::fs::read(file).expect("a sample");
            target(&sample);
            for at in (0..sample.len()).step_by(sample.len() / 200 + 1) {
                target(&sample[..at]);
                for byte in *b"\"{[,0\n:\xff" {
                    let mut changed = sample.clone();
                    changed[at] = byte;
                    target(&changed);
                }
            }
        }
    }
}

/// An object with every field of the spec and a status.
fn no_stored_object_upsets_the_watch_however_it_is_cut_or_changed() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/every-field.json");
    let spec: serde_json::Value = serde_json::from_slice(&std::fs::read(file).expect("a sample")).expect("JSON");
    let status = serde_json::json!({
        "cluster_id": "c1", "accountId": "1", "regionId": "cn-x", "clusterOrigin": "Created", "state": "running",
        "conditions": [{"type": "Stalled", "status": "True", "reason": "SpecDiffers"}],
        "createIntents": [{"key": "cluster", "attempt": 1, "nonce": "n", "installation": "i", "outcome": "Open"}],
    });
    let metadata =
        serde_json::json!({"name": "demo", "namespace": "a", "uid": "u", "generation": 1, "finalizers": ["f"]});
    let sample = serde_json::json!({"metadata": metadata, "spec": spec, "status": status}).to_string().into_bytes();
    for at in 0..sample.len() {
        cache::fuzz::object(&sample[..at]);
        for byte in *b"\"{[,0\xff" {
            let mut changed = sample.clone();
            changed[at] = byte;
            cache::fuzz::object(&changed);
        }
    }
}
