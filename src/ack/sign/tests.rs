//! The golden vectors decide every byte. The file is read at run time, so that another one of the same form can be put
//! in its place; a section that is not known here fails the test instead of being skipped.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value};

use super::*;

fn vectors() -> Map<String, Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/signature-vectors.json");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).expect("the vectors are a JSON object")
}

fn text<'a>(of: &'a Value, name: &str) -> &'a str {
    of[name].as_str().unwrap_or_else(|| panic!("{name} is not a string in {of}"))
}

fn map(of: &Value) -> BTreeMap<String, String> {
    let members = of.as_object().into_iter().flatten();
    members.map(|(k, v)| (k.clone(), v.as_str().expect("vector members are strings").to_owned())).collect()
}

struct Vector<'a> {
    id: &'a str,
    input: &'a Value,
    expected: &'a Value,
}

impl Vector<'_> {
    fn check(&self, name: &str, got: &str) {
        if let Some(wanted) = self.expected.get(name) {
            assert_eq!(got, wanted.as_str().expect("expected values are strings"), "{} {name}", self.id);
        }
    }

    fn with_parts(&self, headers: &str, check: impl Fn(&Parts<'_>, &str, &str)) {
        let (query, headers) = (map(&self.input["query_decoded"]), map(&self.input[headers]));
        let parts = Parts {
            method: text(self.input, "method"),
            path: text(self.input, "path"),
            query: &query,
            headers: &headers,
            body: self.input["body"].as_str().unwrap_or_default().as_bytes(),
        };
        check(&parts, text(self.input, "access_key_id"), text(self.input, "access_key_secret"));
    }

    fn roa(&self) {
        self.with_parts("headers_before_authorization", |parts, id, secret| {
            self.check("string_to_sign", &roa::string_to_sign(parts));
            self.check("signature_base64", &roa::signature(&roa::string_to_sign(parts), secret));
            self.check("authorization", &roa::authorization(parts, id, secret));
            self.check("query_percent_encoded", &encoded_query(parts.query));
        });
    }

    fn acs3(&self) {
        self.with_parts("headers_to_sign", |parts, id, secret| {
            let request = acs3::canonical_request(parts);
            self.check("hashed_payload", &acs3::payload_hash(parts.body));
            self.check("canonical_query", &encoded_query(parts.query));
            self.check("canonical_headers", &acs3::canonical_headers(parts));
            self.check("signed_headers", &acs3::signed_headers(parts));
            self.check("canonical_request", &request);
            self.check("hashed_canonical_request", &acs3::payload_hash(request.as_bytes()));
            self.check("string_to_sign", &acs3::string_to_sign(&request));
            self.check("signature_hex", &acs3::signature(&acs3::string_to_sign(&request), secret));
            self.check("authorization", &acs3::authorization(parts, id, secret));
        });
    }

    fn rpc(&self) {
        let query = map(&self.input["query_decoded"]);
        let string = rpc::string_to_sign(text(self.input, "method"), &query);
        self.check("string_to_sign", &string);
        self.check("signature_base64", &rpc::signature(&string, text(self.input, "access_key_secret")));
    }
}

#[test]
fn signature_vectors_give_every_byte_of_every_section() {
    let mut counts = BTreeMap::new();
    for (section, list) in vectors() {
        let Some(list) = list.as_array() else {
            assert!(["about", "rules"].contains(&section.as_str()), "the part {section} of the vectors is not known");
            continue;
        };
        let check = |vector: &Vector<'_>| match section.as_str() {
            "roa_hmac_sha1" => vector.roa(),
            "acs3_hmac_sha256" => vector.acs3(),
            "rpc_hmac_sha1_sts" => vector.rpc(),
            unknown => panic!("the section {unknown} of the vectors is not known"),
        };
        for vector in list {
            let vector = Vector { id: text(vector, "id"), input: &vector["input"], expected: &vector["expected"] };
            let keys = vector.expected.as_object().map(Map::len).unwrap_or_default();
            assert!(keys >= 2, "{} expects nothing", vector.id);
            check(&vector);
        }
        counts.insert(section, list.len());
    }
    assert_eq!(counts.len(), 3, "sections: {counts:?}");
    assert!(counts.values().all(|&n| n > 0), "no section is empty: {counts:?}");
}

/// The whole way from an unsigned request: a vector's header set is what our own assembly makes, but for the SDK's
/// `user-agent` and `x-acs-credentials-provider`, which are ours to leave out.
#[test]
fn signature_vectors_dates_and_headers_are_assembled_the_same_way() {
    let date: Timestamp = "2026-03-02T08:15:30.999Z".parse().unwrap();
    let unsigned = |scheme, token| {
        let query = BTreeMap::new();
        Unsigned {
            scheme,
            action: "DescribeClusterDetail",
            version: "2015-12-15",
            method: "GET",
            host: "cs.cn-hangzhou.aliyuncs.com",
            path: "/clusters/c0",
            query: &query,
            body: None,
            date,
            nonce: "n",
        }
        .sign(Keys { id: "id", secret: "secret", token })
        .headers
    };
    let roa = unsigned(Scheme::Roa, None);
    assert_eq!(roa["date"], "Mon, 02 Mar 2026 08:15:30 GMT");
    let names: Vec<_> = roa.keys().map(String::as_str).collect();
    let common = ["accept", "authorization"];
    let rest = ["x-acs-action", "x-acs-signature-method", "x-acs-signature-nonce", "x-acs-signature-version"];
    assert_eq!(names, [&common[..], &["date"], &rest[..], &["x-acs-version"]].concat());

    let acs3 = unsigned(Scheme::Acs3, Some("token"));
    assert_eq!(acs3["x-acs-date"], "2026-03-02T08:15:30Z");
    let signed = "SignedHeaders=accept;host;x-acs-accesskey-id;x-acs-action;x-acs-content-sha256;x-acs-date;\
                  x-acs-security-token;x-acs-signature-nonce;x-acs-version,";
    assert!(acs3["authorization"].contains(signed), "{}", acs3["authorization"]);
}
