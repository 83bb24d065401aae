use crate::api::AckClusterSpec;
use crate::terms::Note;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
pub struct Difference;
impl Difference {
    pub fn is_fixed(&self) -> bool {
        false
    }
}
pub fn compare(_: &AckClusterSpec, _: &str, _: &Map<String, Value>, _: &BTreeMap<String, String>) -> Vec<Difference> {
    vec![]
}
pub fn applied(_: &AckClusterSpec) -> BTreeMap<String, String> {
    BTreeMap::new()
}
pub fn sentence(_: &[Difference]) -> Option<Note> {
    None
}
pub fn workers_missing(_: &AckClusterSpec, _: Option<i64>) -> Option<Note> {
    None
}
