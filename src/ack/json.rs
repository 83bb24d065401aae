//! JSON as ACK sends it: parsed strictly (a key given twice is refused, since nobody can say which one is meant), read
//! leniently (ack-api a.3: `null` is absent, numbers and booleans may come as strings). Never panics on any bytes.

use std::fmt;

use jiff::Timestamp;
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// The members of a JSON object.
pub type Object = Map<String, Value>;

/// Parses a whole body. A byte order mark before it is skipped.
pub fn parse(bytes: &[u8]) -> Result<Value, serde_json::Error> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    serde_json::from_slice(bytes).map(|Strict(value)| value)
}

struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Strict)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }
    fn visit_bool<E>(self, v: bool) -> Result<Value, E> {
        Ok(v.into())
    }
    fn visit_i64<E>(self, v: i64) -> Result<Value, E> {
        Ok(v.into())
    }
    fn visit_u64<E>(self, v: u64) -> Result<Value, E> {
        Ok(v.into())
    }
    fn visit_f64<E>(self, v: f64) -> Result<Value, E> {
        Ok(v.into())
    }
    fn visit_str<E>(self, v: &str) -> Result<Value, E> {
        Ok(v.into())
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Strict(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Object::new();
        while let Some((key, Strict(value))) = members.next_entry::<String, Strict>()? {
            if object.contains_key(&key) {
                return Err(A::Error::custom("a key is given twice"));
            }
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

/// The first of `names` that holds a string that is not empty, a number or a boolean.
pub fn text(of: &Object, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| match of.get(*name)? {
        Value::String(text) => (!text.is_empty()).then(|| text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    })
}

/// A whole number, also where it is written as a string.
pub fn int(of: &Object, name: &str) -> Option<i64> {
    text(of, &[name])?.trim().parse().ok()
}

/// A boolean, also where it is written as a string or as 0 or 1.
pub fn flag(of: &Object, name: &str) -> Option<bool> {
    match text(of, &[name])?.trim() {
        "true" | "True" | "1" => Some(true),
        "false" | "False" | "0" => Some(false),
        _ => None,
    }
}

/// A time with an offset. One that cannot be read is absent: a time must never fail a pass (ack-api a.3).
pub fn time(of: &Object, name: &str) -> Option<Timestamp> {
    text(of, &[name])?.parse().ok()
}

/// The objects of a list; absent, `null` and other things are an empty one.
pub fn objects<'a>(of: &'a Object, name: &str) -> Vec<&'a Object> {
    of.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object).collect()
}

/// An object, also where it is JSON text in a string (`master_url`, `meta_data`, `resource_info`).
pub fn object(of: &Object, name: &str) -> Option<Object> {
    match of.get(name)? {
        Value::Object(object) => Some(object.clone()),
        Value::String(text) => match parse(text.as_bytes()).ok()? {
            Value::Object(object) => Some(object),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(text: &str) -> Object {
        parse(text.as_bytes()).unwrap().as_object().unwrap().clone()
    }

    #[test]
    fn a_key_given_twice_is_refused_at_any_depth() {
        for twice in [r#"{"a":1,"a":1}"#, r#"[{"b":{"a":1,"a":2}}]"#] {
            assert!(parse(twice.as_bytes()).unwrap_err().to_string().contains("twice"), "{twice}");
        }
        assert!(parse(br#"{"a":{"b":1},"b":1}"#).is_ok());
    }

    #[test]
    fn no_bytes_make_the_parser_panic() {
        let deep = "[".repeat(100_000);
        for bytes in [&b""[..], b"\xef\xbb\xbf", b"\xff\xfe{", b"{", b"nul", deep.as_bytes(), b"1e999", b"\"\\ud800\""]
        {
            assert!(parse(bytes).is_err(), "{:?}", &bytes[..bytes.len().min(20)]);
        }
        assert_eq!(parse(b"\xef\xbb\xbf{}").unwrap(), Value::Object(Object::new()));
    }

    #[test]
    fn numbers_and_booleans_are_read_from_strings_too() {
        let m = members(r#"{"i":"7","j":7,"k":"x","b":"true","c":1,"d":"0","e":false,"n":null,"s":"","t":"ab"}"#);
        assert_eq!([int(&m, "i"), int(&m, "j"), int(&m, "k"), int(&m, "n")], [Some(7), Some(7), None, None]);
        assert_eq!(
            [flag(&m, "b"), flag(&m, "c"), flag(&m, "d"), flag(&m, "e")],
            [Some(true), Some(true), Some(false), Some(false)]
        );
        assert_eq!([flag(&m, "n"), flag(&m, "t"), flag(&m, "missing")], [None; 3]);
        assert_eq!(text(&m, &["n", "s", "t"]).as_deref(), Some("ab"));
    }

    #[test]
    fn json_in_a_string_is_unfolded_and_nonsense_is_absent() {
        let m = members(r#"{"a":"{\"x\":1}","b":{"x":1},"c":"","d":"[]","e":"{\"x\":1,\"x\":2}"}"#);
        assert_eq!(object(&m, "a"), object(&m, "b"));
        assert_eq!([object(&m, "c"), object(&m, "d"), object(&m, "e"), object(&m, "f")], [None, None, None, None]);
    }
}
