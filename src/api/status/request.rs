//! What was asked of ACK, as it is stored. Written down before it is asked; what became of it follows with the next write.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use crate::terms::{Asked, End, Note, reckonable};

/// One request, by what it asks for. Times are RFC 3339, gateway time.
#[skip_serializing_none]
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    /// A field of the spec, `marks`, or `deletion`.
    #[schemars(length(min = 1, max = 128))]
    pub key: String,
    /// Digest of what was wanted; another one is another request.
    #[schemars(length(max = 64))]
    pub digest: String,
    /// When it was last asked for.
    #[schemars(length(max = 64))]
    pub asked_at: String,
    /// How often it was asked for.
    #[schemars(range(min = 1))]
    pub times_asked: i64,
    /// `Asked`, `Shown` (ACK has shown it), `Refused`, `Unshown` (ACK took it and did not show it), or `Lost` (whether it got
    /// there is not known).
    #[schemars(extend("enum" = ["Asked", "Shown", "Refused", "Unshown", "Lost"]))]
    pub change_outcome: String,
    /// What ACK said where it refused, or what came instead of an answer.
    #[schemars(length(max = 512))]
    pub message: Option<String>,
}

impl Request {
    pub fn of(asked: &Asked) -> Request {
        let Asked { key, digest, at, times, end } = asked;
        let mut stored = Request {
            key: key.clone(),
            digest: digest.clone(),
            asked_at: at.to_string(),
            times_asked: i64::from(*times),
            ..Request::default()
        };
        stored.end(end.as_ref());
        stored
    }

    /// Writes what became of it.
    pub fn end(&mut self, end: Option<&End>) {
        let cut = |note: &Note| Some(note.as_str().chars().take(512).collect());
        let (word, message) = match end {
            None => ("Asked", None),
            Some(End::Shown) => ("Shown", None),
            Some(End::Refused(note)) => ("Refused", cut(note)),
            Some(End::Unshown) => ("Unshown", None),
            Some(End::Lost(note)) => ("Lost", cut(note)),
        };
        (self.change_outcome, self.message) = (word.to_owned(), message);
    }

    /// `None`: what cannot be read is as if it had not been asked for; asking again costs a call and no cluster.
    pub fn read(&self) -> Option<Asked> {
        let at: Timestamp = self.asked_at.parse().ok().filter(|at| reckonable(*at))?;
        let end = match self.change_outcome.as_str() {
            "Asked" => None,
            "Shown" => Some(End::Shown),
            "Refused" => Some(End::Refused(self.message.as_deref().unwrap_or("ACK refused the request").into())),
            "Unshown" => Some(End::Unshown),
            "Lost" => Some(End::Lost(self.message.as_deref().unwrap_or("no answer came").into())),
            _ => return None,
        };
        let times = u32::try_from(self.times_asked).ok()?;
        Some(Asked { key: self.key.clone(), digest: self.digest.clone(), at, times, end })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_request_reads_back_as_it_was() {
        for end in [
            None,
            Some(End::Shown),
            Some(End::Refused("no".into())),
            Some(End::Unshown),
            Some(End::Lost("cut off".into())),
        ] {
            let at = "2026-11-24T10:30:00Z".parse().unwrap();
            let asked = Asked { key: "timezone".into(), digest: "4f".into(), at, times: 2, end };
            let json = serde_json::to_value(Request::of(&asked)).unwrap();
            let back: Request = serde_json::from_value(json).unwrap();
            assert_eq!(back.read(), Some(asked));
        }
        let far =
            Request { asked_at: "9999-12-30T21:59:59Z".into(), change_outcome: "Asked".into(), ..Request::default() };
        assert_eq!(far.read(), None);
    }
}
