//! Keys of an Alibaba Cloud account: from the environment, or from the members of a Secret (ack-api c.1, c.2). Never
//! prints a value, and never falls from one source to another.

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use super::redact::Secrets;
use super::sign::Keys;
use crate::terms::AccountId;

/// The names in the environment, and the keys of a Secret.
pub const ACCESS_KEY_ID: &str = "ALIBABA_CLOUD_ACCESS_KEY_ID";
pub const ACCESS_KEY_SECRET: &str = "ALIBABA_CLOUD_ACCESS_KEY_SECRET";
pub const SECURITY_TOKEN: &str = "ALIBABA_CLOUD_SECURITY_TOKEN";
pub const ACCOUNT_ID: &str = "ALIBABA_CLOUD_ACCOUNT_ID";

/// A key pair, or an STS triple. Has neither `Debug` nor `Serialize`, so that it cannot slip into a log or a file.
#[derive(Clone)]
pub struct Credentials {
    pub access_key_id: String,
    pub access_key_secret: SecretString,
    pub security_token: Option<SecretString>,
    /// Stated beside the keys. STS must agree; it is believed by itself only where there is none.
    pub account_id: Option<AccountId>,
}

/// What is wrong with a source of keys. Names the key, never its value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialsError {
    #[error("{0} is missing")]
    Missing(&'static str),
    #[error("{0} is empty")]
    Empty(&'static str),
    #[error("{0} holds characters that it cannot hold")]
    Malformed(&'static str),
    #[error("{0} is longer than {1} bytes")]
    TooLong(&'static str, usize),
}

impl Credentials {
    /// From the process's environment.
    pub fn from_env() -> Result<Credentials, CredentialsError> {
        Self::from_lookup(|name| std::env::var_os(name).map(std::ffi::OsString::into_encoded_bytes))
    }

    /// From a Secret; `get` gives the bytes under a key.
    pub fn from_secret<'a>(get: impl Fn(&str) -> Option<&'a [u8]>) -> Result<Credentials, CredentialsError> {
        Self::from_lookup(|name| get(name).map(<[u8]>::to_vec))
    }

    fn from_lookup(get: impl Fn(&str) -> Option<Vec<u8>>) -> Result<Credentials, CredentialsError> {
        let optional = |name: &'static str| get(name).map(|value| plain(name, value)).transpose();
        let required = |name| optional(name)?.ok_or(CredentialsError::Missing(name));
        let account_id = optional(ACCOUNT_ID)?;
        if account_id.as_ref().is_some_and(|id| !id.bytes().all(|b| b.is_ascii_digit())) {
            return Err(CredentialsError::Malformed(ACCOUNT_ID));
        }
        Ok(Credentials {
            access_key_id: required(ACCESS_KEY_ID)?,
            access_key_secret: required(ACCESS_KEY_SECRET)?.into(),
            security_token: optional(SECURITY_TOKEN)?.map(SecretString::from),
            account_id: account_id.map(AccountId::from),
        })
    }

    pub(super) fn keys(&self) -> Keys<'_> {
        Keys {
            id: &self.access_key_id,
            secret: self.access_key_secret.expose_secret(),
            token: self.security_token.as_ref().map(ExposeSecret::expose_secret),
        }
    }

    pub(super) fn secrets(&self) -> Secrets {
        let mut secrets = Secrets::default();
        let Keys { id, secret, token } = self.keys();
        [Some(secret), token, Some(id)].into_iter().flatten().for_each(|value| secrets.add(value));
        secrets
    }

    /// Equal for equal key material, and tells nothing about it.
    pub(super) fn fingerprint(&self) -> [u8; 32] {
        let Keys { id, secret, token } = self.keys();
        let account = self.account_id.as_ref().map(AccountId::as_str);
        let mut hash = Sha256::new();
        for part in [Some(id), Some(secret), token, account] {
            // The length goes first, so that no two lists of parts run together to the same bytes.
            hash.update(part.map_or(u64::MAX, |part| part.len() as u64).to_be_bytes());
            hash.update(part.unwrap_or_default());
        }
        hash.finalize().into()
    }

    /// Equal for equal access key ids, whatever the secret and the token, and tells nothing about them.
    pub(super) fn identity(&self) -> String {
        digest(&["key", &self.access_key_id])
    }
}

/// 16 hex digits that tell nothing of what they are made of.
pub(super) fn digest(parts: &[&str]) -> String {
    let mut hash = Sha256::new().chain_update("ack-operator identity ");
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// A value that can stand in a header. Blanks round it are dropped, since a line break at the end is how most broken
/// Secrets come about.
fn plain(name: &'static str, value: Vec<u8>) -> Result<String, CredentialsError> {
    // Keys have some 30 characters, tokens some 1,000; what is kept is bounded, whoever wrote the Secret.
    let most = if name == SECURITY_TOKEN { 8192 } else { 128 };
    if value.len() > most {
        return Err(CredentialsError::TooLong(name, most));
    }
    let text = String::from_utf8(value).map_err(|_| CredentialsError::Malformed(name))?;
    let text = text.trim();
    match text.bytes().all(|b| b.is_ascii_graphic()) {
        _ if text.is_empty() => Err(CredentialsError::Empty(name)),
        false => Err(CredentialsError::Malformed(name)),
        true => Ok(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(members: &[(&str, &'static [u8])]) -> Result<Credentials, CredentialsError> {
        Credentials::from_secret(|name| members.iter().find(|(key, _)| *key == name).map(|&(_, value)| value))
    }

    #[test]
    fn a_secret_that_is_not_whole_is_refused_by_the_name_of_its_key() {
        let id = (ACCESS_KEY_ID, &b"LTAIfake"[..]);
        let secret = (ACCESS_KEY_SECRET, &b"s3cret"[..]);
        for (members, error) in [
            (&[secret][..], "ALIBABA_CLOUD_ACCESS_KEY_ID is missing"),
            (&[id], "ALIBABA_CLOUD_ACCESS_KEY_SECRET is missing"),
            (&[id, (ACCESS_KEY_SECRET, b" \n")], "ALIBABA_CLOUD_ACCESS_KEY_SECRET is empty"),
            (
                &[id, (ACCESS_KEY_SECRET, b"a\nb")],
                "ALIBABA_CLOUD_ACCESS_KEY_SECRET holds characters that it cannot hold",
            ),
            (
                &[id, (ACCESS_KEY_SECRET, b"\xff")],
                "ALIBABA_CLOUD_ACCESS_KEY_SECRET holds characters that it cannot hold",
            ),
            (&[id, secret, (SECURITY_TOKEN, b"")], "ALIBABA_CLOUD_SECURITY_TOKEN is empty"),
            (&[id, secret, (ACCOUNT_ID, b"12a")], "ALIBABA_CLOUD_ACCOUNT_ID holds characters that it cannot hold"),
        ] {
            assert_eq!(from(members).err().map(|e| e.to_string()).as_deref(), Some(error));
        }
        let whole = from(&[id, (ACCESS_KEY_SECRET, b"s3cret\n"), (SECURITY_TOKEN, b"tok"), (ACCOUNT_ID, b"1234")]);
        let Ok(whole) = whole else { panic!("refused") };
        assert_eq!((whole.keys().secret, whole.keys().token), ("s3cret", Some("tok")));
        assert_eq!(whole.account_id, Some(AccountId::from("1234")));
    }

    #[test]
    fn an_identity_is_that_of_the_access_key_id_alone() {
        let identity = |id: &str, secret: &str, token: Option<&str>| {
            let (security_token, account_id) = (token.map(Into::into), token.map(AccountId::from));
            Credentials { access_key_id: id.into(), access_key_secret: secret.into(), security_token, account_id }
                .identity()
        };
        assert_eq!(identity("LTAIfake", "a", None), identity("LTAIfake", "b", Some("1")));
        assert_ne!(identity("LTAIfake", "a", None), identity("LTAIfakf", "a", None));
        assert_eq!(identity("LTAIfake", "a", None).len(), 16);
    }

    #[test]
    fn only_equal_keys_have_equal_fingerprints() {
        let keys = |id: &str, secret: &str, token: Option<&str>| {
            Credentials {
                access_key_id: id.to_owned(),
                access_key_secret: secret.into(),
                security_token: token.map(Into::into),
                account_id: None,
            }
            .fingerprint()
        };
        assert_eq!(keys("a", "b", None), keys("a", "b", None));
        let different =
            [keys("ab", "c", None), keys("a", "bc", None), keys("ab", "c", Some("")), keys("ab", "c", Some("d"))];
        for (i, one) in different.iter().enumerate() {
            assert!(different[i + 1..].iter().all(|other| one != other));
        }
    }
}
