//! What people and programs show to be let in: access tokens that are signed, and secrets of which only the hash is kept.

use std::fmt::{self, Write};

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use ring::hmac;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{Result, clock};

/// The one header of an access token that is made and taken: `{"alg":"HS256","typ":"JWT"}`. A token of any other is none.
const HEADER: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9";

/// Stands before what links say where it is signed, and before nothing else.
const LINK: &str = "link:";

/// Bytes of a secret that nobody can guess.
const SECRET_BYTES: usize = 32;

/// What an access token says: a JWT's claims, with times in seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Claims {
    /// The person.
    pub sub: String,
    /// The session.
    pub sid: String,
    pub iat: i64,
    pub exp: i64,
}

/// Signs access tokens (JWT, HS256), and knows its own again. Never shown.
pub(crate) struct SigningKey(hmac::Key);

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey")
    }
}

impl SigningKey {
    /// A new one, as it is stored.
    pub(crate) fn generate() -> Result<String> {
        Ok(BASE64_STANDARD.encode(clock::random::<SECRET_BYTES>()?))
    }

    /// The one that is stored as `text`; none where it is not of the right length.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let bytes = BASE64_STANDARD.decode(text).ok().filter(|bytes| bytes.len() == SECRET_BYTES)?;
        Some(Self(hmac::Key::new(hmac::HMAC_SHA256, &bytes)))
    }

    /// A link that says `words` until the time `until`; nothing that this key signs for people is one.
    pub(super) fn link(&self, words: &[&str], until: i64) -> String {
        // A list of texts is always JSON.
        let said = BASE64_URL_SAFE_NO_PAD.encode(serde_json::to_vec(&(until, words)).unwrap_or_default());
        let signature = hmac::sign(&self.0, format!("{LINK}{said}").as_bytes());
        format!("{said}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
    }

    /// What a link of this key says that has not expired at the time `now`.
    pub(super) fn linked(&self, link: &str, now: i64) -> Option<Vec<String>> {
        let (said, signature) = link.split_once('.')?;
        let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).ok()?;
        hmac::verify(&self.0, format!("{LINK}{said}").as_bytes(), &signature).ok()?;
        let (until, words): (i64, _) = serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(said).ok()?).ok()?;
        (now < until).then_some(words)
    }

    pub(super) fn sign(&self, claims: &Claims) -> String {
        // A struct of texts and numbers is always JSON; no text at all would be refused like a damaged one.
        let claims = BASE64_URL_SAFE_NO_PAD.encode(serde_json::to_vec(claims).unwrap_or_default());
        let signed = format!("{HEADER}.{claims}");
        let signature = hmac::sign(&self.0, signed.as_bytes());
        format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
    }

    /// What a token of this key says that has not expired at the time `now`, in seconds since 1970. Nothing of it is read
    /// before its signature was found good.
    pub(super) fn open(&self, token: &str, now: i64) -> Option<Claims> {
        let (signed, signature) = token.rsplit_once('.')?;
        let claims = signed.strip_prefix(HEADER)?.strip_prefix('.')?;
        let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).ok()?;
        hmac::verify(&self.0, signed.as_bytes(), &signature).ok()?;
        let claims: Claims = serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
        (now < claims.exp).then_some(claims)
    }
}

/// A secret that is shown once, and what is kept of it.
pub(crate) struct Secret {
    pub text: String,
    pub hash: String,
}

impl Secret {
    /// A new one, which begins with `prefix`.
    pub(crate) fn generate(prefix: &str) -> Result<Self> {
        let text = format!("{prefix}{}", BASE64_URL_SAFE_NO_PAD.encode(clock::random::<SECRET_BYTES>()?));
        Ok(Self { hash: hash(&text), text })
    }
}

/// The SHA-256 of a secret, in hexadecimal digits: it cannot be guessed, so that no slower hash is needed.
pub(crate) fn hash(secret: &str) -> String {
    let mut text = String::with_capacity(64);
    for byte in Sha256::digest(secret.as_bytes()) {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> SigningKey {
        SigningKey::parse(&SigningKey::generate().unwrap()).unwrap()
    }

    #[test]
    fn au_1_a_token_counts_until_its_end_and_as_it_was_signed() {
        let (key, claims) = (key(), Claims { sub: "ann".into(), sid: "s".into(), iat: 0, exp: 900 });
        let token = key.sign(&claims);
        assert_eq!(key.open(&token, 899), Some(claims.clone()));
        assert_eq!(key.open(&token, 900), None);
        assert_eq!(super::tests::key().open(&token, 0), None, "another key");
        for at in 0..token.len() {
            let mut changed = token.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let opened = key.open(std::str::from_utf8(&changed).unwrap(), 0);
            // The last character has two bits that mean nothing, and no others may stand there.
            assert_eq!(opened, None, "changed at {at}");
        }
        let none = BASE64_URL_SAFE_NO_PAD.encode(br#"{"alg":"none","typ":"JWT"}"#);
        let body = token.split('.').nth(1).unwrap();
        for forged in
            [format!("{none}.{body}."), format!("{HEADER}.{body}."), format!("{HEADER}.{body}"), String::new()]
        {
            assert_eq!(key.open(&forged, 0), None, "{forged}");
        }
    }

    #[test]
    fn fi_1_a_link_counts_until_its_end_and_as_it_was_signed() {
        let key = key();
        let link = key.link(&["a", "b"], 100);
        assert_eq!(key.linked(&link, 99), Some(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!((key.linked(&link, 100), super::tests::key().linked(&link, 0)), (None, None));
        assert_eq!(key.linked(&link.replacen(&link[..1], "X", 1), 0), None);
        assert_eq!(key.open(&link, 0), None);
    }

    #[test]
    fn the_header_is_what_it_stands_for() {
        let header = BASE64_URL_SAFE_NO_PAD.decode(HEADER).unwrap();
        assert_eq!(header, br#"{"alg":"HS256","typ":"JWT"}"#);
        assert!(SigningKey::parse("AAAA").is_none());
        assert_eq!(format!("{:?}", key()), "SigningKey");
    }

    #[test]
    fn au_4_a_secret_is_kept_as_its_hash() {
        let (one, other) = (Secret::generate("flowetl_").unwrap(), Secret::generate("flowetl_").unwrap());
        assert!(one.text.starts_with("flowetl_") && one.text.len() == 8 + 43, "{}", one.text);
        assert_ne!(one.text, other.text);
        assert_eq!(one.hash, hash(&one.text));
        assert_eq!(hash("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
