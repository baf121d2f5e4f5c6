//! Tokens that are believed and those that are not; sign-ins of another browser, late, or used.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};

use super::token::{Claims, Doubt, Expected, Keys};
use super::{Browser, Oidc, OidcConfig, Step, challenge};
use crate::accounts::{Identity, Refusal};

const NOW: i64 = 1_800_000_000;
const EXPECTED: Expected<'_> = Expected { issuer: "https://id.example.com", client: "flowetl", nonce: "n" };

/// A key of the other service.
struct Signer(EcdsaKeyPair);

impl Signer {
    fn new() -> Self {
        let random = SystemRandom::new();
        let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        Self(EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, key.as_ref(), &random).unwrap())
    }

    fn keys(&self, kid: &str) -> Keys {
        let point = self.0.public_key().as_ref();
        let (x, y) = (BASE64_URL_SAFE_NO_PAD.encode(&point[1..33]), BASE64_URL_SAFE_NO_PAD.encode(&point[33..]));
        let key = json!({ "kty": "EC", "crv": "P-256", "kid": kid, "use": "sig", "x": x, "y": y });
        serde_json::from_value(json!({ "keys": [key] })).unwrap()
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let signature = self.0.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
    }
}

fn header() -> Value {
    json!({ "alg": "ES256", "kid": "a" })
}

fn claims() -> Value {
    json!({
        "iss": EXPECTED.issuer, "sub": "1", "aud": EXPECTED.client, "exp": NOW + 300, "iat": NOW, "nonce": "n",
        "email": "ann@example.com", "email_verified": true, "name": "Ann",
    })
}

/// The claims with one changed; taken away by null.
fn but(key: &str, value: Value) -> Value {
    let mut claims = claims();
    match value {
        Value::Null => drop(claims.as_object_mut().unwrap().remove(key)),
        value => claims[key] = value,
    }
    claims
}

#[test]
fn x14_a_token_is_believed_as_it_was_signed_for_this_sign_in_alone() {
    let signer = Signer::new();
    let keys = signer.keys("a");
    let read = |claims: &Value| Claims::read(&signer.sign(&header(), claims), &keys, &EXPECTED, NOW);
    let identity = read(&claims()).unwrap().identity(EXPECTED.issuer).unwrap();
    assert_eq!((identity.subject.as_str(), identity.email.as_str()), ("1", "ann@example.com"));
    for fine in [
        but("aud", json!(["flowetl"])),
        but("azp", json!("flowetl")),
        but("exp", json!(NOW - 59)),
        but("iat", json!(NOW + 60)),
    ] {
        assert!(read(&fine).is_ok(), "{fine}");
    }
    let mut both = but("aud", json!(["flowetl", "other"]));
    assert!(read(&both).is_err());
    both["azp"] = json!("flowetl");
    assert!(read(&both).is_ok());
    for (key, wrong) in [
        ("iss", json!("https://evil.example.com")),
        ("aud", json!("other")),
        ("azp", json!("other")),
        ("exp", json!(NOW - 60)),
        ("iat", json!(NOW + 61)),
        ("nonce", json!("m")),
        ("nonce", Value::Null),
        ("exp", Value::Null),
        ("aud", json!(7)),
    ] {
        assert!(matches!(read(&but(key, wrong.clone())), Err(Doubt::Wrong(_))), "{key}: {wrong}");
    }
}

#[test]
fn x14_a_forged_token_is_not_believed() {
    let (signer, other) = (Signer::new(), Signer::new());
    let keys = signer.keys("a");
    let read = |token: &str| Claims::read(token, &keys, &EXPECTED, NOW).map(drop);
    assert!(matches!(read(&other.sign(&header(), &claims())), Err(Doubt::Wrong("its signature is wrong"))));
    let of = |header: Value| read(&signer.sign(&header, &claims()));
    assert_eq!(of(json!({ "alg": "ES256", "kid": "b" })), Err(Doubt::OtherKey));
    assert_eq!(of(json!({ "alg": "ES256" })), Ok(()), "there is one key");
    // One signed with the public key, as if it were a secret; and one that is not signed.
    for alg in ["HS256", "none", "RS256"] {
        assert!(of(json!({ "alg": alg, "kid": "a" })).is_err(), "{alg}");
    }
    let good = signer.sign(&header(), &claims());
    let (signed, _) = good.rsplit_once('.').unwrap();
    for forged in [signed.to_owned(), format!("{signed}."), format!("{good}.x"), String::new(), "a.b.c".into()] {
        assert!(read(&forged).is_err(), "{forged}");
    }
}

#[test]
fn x14_an_address_that_was_not_verified_lets_nobody_in() {
    let signer = Signer::new();
    let said = |claims: &Value| {
        let read = Claims::read(&signer.sign(&header(), claims), &signer.keys("a"), &EXPECTED, NOW);
        read.unwrap().identity(EXPECTED.issuer)
    };
    assert!(said(&but("email_verified", json!("true"))).is_ok());
    for wrong in [json!(false), json!("false"), json!(1), Value::Null] {
        assert!(matches!(said(&but("email_verified", wrong.clone())), Err(Refusal::Forbidden(_))), "{wrong}");
    }
    assert!(matches!(said(&but("email", Value::Null)), Err(Refusal::Forbidden(_))));
}

fn oidc() -> Oidc {
    let config = OidcConfig {
        issuer: "http://127.0.0.1:1".parse().unwrap(),
        client_id: "flowetl".into(),
        client_secret: Some("hush".to_owned().into()),
        public_url: "https://etl.example.com/".parse().unwrap(),
    };
    assert!(!format!("{config:?}").contains("hush"));
    Oidc::new(config).unwrap()
}

#[tokio::test]
async fn x14_a_sign_in_counts_once_and_in_its_browser() {
    let oidc = oidc();
    assert_eq!(oidc.redirect_uri, "https://etl.example.com/api/v1/auth/oidc/callback");
    let identity = Identity { issuer: "i".into(), subject: "s".into(), email: "e@x".into(), name: None };
    let ann = Browser("ann".into());
    oidc.wait_for("ticket", &ann.0, 60_000, Step::Ticket(identity.clone())).unwrap();
    assert!(oidc.redeem("other", &ann).is_err());
    assert!(oidc.redeem("ticket", &ann).is_ok());
    assert!(oidc.redeem("ticket", &ann).is_err(), "it was used");
    oidc.wait_for("ticket", &ann.0, 60_000, Step::Ticket(identity.clone())).unwrap();
    assert!(oidc.redeem("ticket", &Browser("eve".into())).is_err());
    assert!(oidc.redeem("ticket", &ann).is_err(), "it was shown");
    oidc.wait_for("ticket", &ann.0, 0, Step::Ticket(identity.clone())).unwrap();
    assert!(oidc.redeem("ticket", &ann).is_err(), "it is late");
    oidc.wait_for("ticket", &ann.0, 60_000, Step::Ticket(identity)).unwrap();
    let back = oidc.come_back("ticket", "code", &ann).await;
    assert!(matches!(back, Err(Refusal::Unknown(_))), "a ticket is no state");
    for next in ["https://evil.example.com", "//evil.example.com", "pipelines", "/\\evil.example.com", "/a\nb"] {
        assert!(matches!(oidc.begin(next).await, Err(Refusal::Wrong { .. })), "{next}");
    }
    // RFC 7636, appendix B.
    assert_eq!(challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
}
