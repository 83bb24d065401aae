//! Whose marks are this object's. A mark is recomputed from the uid, so that no status, restored or made up, can make another
//! object's cluster look like one's own.

use std::collections::HashSet;

use sha2::{Digest, Sha256};

use crate::terms::{Nonce, tag};

/// How many attempts of one object are looked for even if its status forgot them.
const ATTEMPTS_LOOKED_FOR: u32 = 64;

/// 40 hex digits that anybody can compute again from the object: the nonce of an attempt and the cluster's mark.
pub fn nonce(installation: &str, uid: &str, attempt: u32) -> Nonce {
    let text = format!("v1\n{installation}\n{uid}\ncluster\n{attempt}");
    let hex: String = Sha256::digest(text.as_bytes()).iter().take(20).map(|byte| format!("{byte:02x}")).collect();
    Nonce::from(hex)
}

/// An object as the cloud knows it. Made once a pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Me {
    pub uid: String,
    pub installation: String,
    pub namespace: String,
    pub name: String,
    nonces: HashSet<Nonce>,
    /// The nonce that the status holds, where it is another uid's.
    pub inherited: Option<Nonce>,
}

impl Me {
    /// `stored`: the installation, attempt and nonce of the intent that the status holds.
    pub fn new(uid: &str, installation: &str, namespace: &str, name: &str, stored: Option<(&str, u32, &Nonce)>) -> Me {
        let last = stored.map_or(0, |(_, attempt, _)| attempt).max(ATTEMPTS_LOOKED_FOR);
        let before = stored.map(|(before, _, _)| before).filter(|before| *before != installation);
        let nonces: HashSet<Nonce> = [Some(installation), before]
            .into_iter()
            .flatten()
            .flat_map(|installation| (1..=last).map(move |attempt| nonce(installation, uid, attempt)))
            .collect();
        let inherited = stored.map(|(_, _, nonce)| nonce.clone()).filter(|nonce| !nonces.contains(nonce));
        let word = str::to_owned;
        Me {
            uid: word(uid),
            installation: word(installation),
            namespace: word(namespace),
            name: word(name),
            nonces,
            inherited,
        }
    }

    /// Whether that is a nonce of this uid.
    pub fn made(&self, nonce: &str) -> bool {
        self.nonces.contains(&Nonce::from(nonce))
    }

    /// The four tags by which a cluster becomes this object's.
    pub fn tags(&self, mark: &Nonce) -> [(&'static str, String); 4] {
        [
            (tag::INSTALLATION, self.installation.clone()),
            (tag::NAMESPACE, self.namespace.clone()),
            (tag::NAME, self.name.clone()),
            (tag::INTENT, mark.to_string()),
        ]
    }

    /// The nonce of one attempt under today's installation.
    pub fn nonce(&self, attempt: u32) -> Nonce {
        nonce(&self.installation, &self.uid, attempt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_nonce_is_this_objects_only_if_its_uid_makes_it() {
        let own = nonce("default", "u1", 3);
        let before = nonce("earlier", "u1", 2);
        let theirs = nonce("default", "u2", 1);
        let far = nonce("default", "u1", 90);
        for (stored, known, inherited) in [
            (None, &own, None),
            (Some(("default", 3, &own)), &own, None),
            (Some(("earlier", 2, &before)), &before, None),
            (Some(("default", 90, &far)), &far, None),
            (Some(("default", 1, &theirs)), &own, Some(&theirs)),
        ] {
            let me = Me::new("u1", "default", "ns", "demo", stored);
            assert!(me.made(known.as_str()), "{stored:?}");
            assert_eq!(me.inherited.as_ref(), inherited, "{stored:?}");
            assert!(!me.made(theirs.as_str()));
        }
    }
}
