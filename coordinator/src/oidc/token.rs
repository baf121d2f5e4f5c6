//! What an ID token says, and whether it is to be believed: its signature, for whom it is, and when. Pure: time comes in.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::signature::{ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey};
use serde::Deserialize;
use serde_json::Value;

use crate::accounts::{Identity, Refusal};

/// How far the clocks of both services may differ, in seconds.
const SKEW: i64 = 60;

/// The keys of a service, as it publishes them (RFC 7517).
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Keys {
    keys: Vec<Key>,
}

#[derive(Clone, Debug, Deserialize)]
struct Key {
    kty: String,
    kid: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
}

/// What is said of whoever signed in.
#[derive(Debug, Deserialize)]
pub(super) struct Claims {
    iss: String,
    pub sub: String,
    aud: Value,
    azp: Option<String>,
    exp: i64,
    iat: i64,
    nonce: Option<String>,
    #[serde(flatten)]
    pub about: About,
}

/// What a service says of a person.
#[derive(Debug, Default, Deserialize)]
pub(super) struct About {
    pub email: Option<String>,
    #[serde(default)]
    email_verified: Value,
    name: Option<String>,
}

/// What a token is to say.
pub(super) struct Expected<'a> {
    pub issuer: &'a str,
    pub client: &'a str,
    pub nonce: &'a str,
}

/// Why a token is not believed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Doubt {
    /// It names a key that is not known: it may be a new one.
    OtherKey,
    Wrong(&'static str),
}

impl Claims {
    /// Believes a token that one of `keys` has signed, at the time `now` in seconds since 1970. Nothing of it is read before its
    /// signature was found good, but which key that is to be of.
    pub(super) fn read(token: &str, keys: &Keys, expected: &Expected<'_>, now: i64) -> Result<Self, Doubt> {
        let parts: Vec<&str> = token.split('.').collect();
        let [header, claims, signature] = parts[..] else { return Err(Doubt::Wrong("it is no signed token")) };
        let decode = |part: &str| BASE64_URL_SAFE_NO_PAD.decode(part).map_err(|_| Doubt::Wrong("it is damaged"));
        let head: Header =
            serde_json::from_slice(&decode(header)?).map_err(|_| Doubt::Wrong("its header is not understood"))?;
        let signed = &token[..header.len() + 1 + claims.len()];
        keys.verify(&head, signed.as_bytes(), &decode(signature)?)?;
        let claims: Self =
            serde_json::from_slice(&decode(claims)?).map_err(|_| Doubt::Wrong("its claims are not understood"))?;
        claims.check(expected, now)?;
        Ok(claims)
    }

    /// The same, with what was said of the person elsewhere.
    pub(super) fn with(self, about: About) -> Self {
        Self { about, ..self }
    }

    fn check(&self, expected: &Expected<'_>, now: i64) -> Result<(), Doubt> {
        let of = |is_so: bool, why| if is_so { Ok(()) } else { Err(Doubt::Wrong(why)) };
        of(self.iss == expected.issuer, "another service has made it")?;
        let (is_meant, is_only) = match &self.aud {
            Value::String(one) => (one == expected.client, true),
            Value::Array(all) => (all.iter().any(|one| one == expected.client), all.len() == 1),
            _ => (false, false),
        };
        of(is_meant, "it is meant for another client")?;
        let is_ours = self.azp.as_ref().map_or(is_only, |azp| azp == expected.client);
        of(is_ours, "it was made for another client")?;
        of(now < self.exp + SKEW, "it has expired")?;
        of(self.iat <= now + SKEW, "it is of the future")?;
        of(self.nonce.as_deref() == Some(expected.nonce), "it is of another sign-in")
    }

    /// Who signed in; refused where the service has not made sure of the address.
    pub(super) fn identity(self, issuer: &str) -> Result<Identity, Refusal> {
        let email = self.about.email.ok_or_else(|| Refusal::Forbidden("you have no e-mail address there".into()))?;
        // Some write the word.
        let is_verified = matches!(&self.about.email_verified, Value::Bool(true))
            || self.about.email_verified.as_str() == Some("true");
        if !is_verified {
            return Err(Refusal::Forbidden("your e-mail address was not verified there".into()));
        }
        Ok(Identity { issuer: issuer.to_owned(), subject: self.sub, email, name: self.about.name })
    }
}

impl Keys {
    fn verify(&self, header: &Header, signed: &[u8], signature: &[u8]) -> Result<(), Doubt> {
        let kind = match header.alg.as_str() {
            "RS256" => "RSA",
            "ES256" => "EC",
            _ => return Err(Doubt::Wrong("it is signed in a way that is not taken: RS256 and ES256 are")),
        };
        let fits = |key: &&Key| {
            let is_named = header.kid.is_none() || key.kid == header.kid;
            is_named && key.kty == kind && key.purpose.as_deref().unwrap_or("sig") == "sig"
        };
        let mut found = self.keys.iter().filter(fits).peekable();
        if found.peek().is_none() {
            return Err(Doubt::OtherKey);
        }
        match found.any(|key| key.has_signed(signed, signature)) {
            true => Ok(()),
            false => Err(Doubt::Wrong("its signature is wrong")),
        }
    }
}

impl Key {
    fn has_signed(&self, signed: &[u8], signature: &[u8]) -> bool {
        let part = |part: &Option<String>| BASE64_URL_SAFE_NO_PAD.decode(part.as_deref()?).ok();
        match self.kty.as_str() {
            "RSA" => {
                let (Some(n), Some(e)) = (part(&self.n), part(&self.e)) else { return false };
                RsaPublicKeyComponents { n, e }.verify(&RSA_PKCS1_2048_8192_SHA256, signed, signature).is_ok()
            }
            _ if self.crv.as_deref() == Some("P-256") => {
                let (Some(x), Some(y)) = (part(&self.x), part(&self.y)) else { return false };
                let point = [&[4][..], &x, &y].concat();
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(signed, signature).is_ok()
            }
            _ => false,
        }
    }
}
