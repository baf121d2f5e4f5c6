//! The other service, as it is asked: where its doors are, for which keys it answers, and for a code. Every answer has a limit
//! of bytes and of time.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use reqwest::{Client, RequestBuilder, redirect};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;
use url::{Url, form_urlencoded};

use super::OidcConfig;
use super::token::{About, Claims, Doubt, Expected, Keys};
use crate::accounts::Refusal;
use crate::{Error, Result, clock};

/// How long an answer may take: a person waits for it.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);
/// Descriptions, keys and tokens are a few KiB.
const ANSWER_BYTES_MAX: usize = 256 << 10;
/// After so long it is asked anew where its doors are and what its keys.
const FRESH_MS: i64 = 3_600_000;
/// Not more often than this for a key that is not known: anybody can name one.
const AGAIN_MS: i64 = 60_000;

pub(super) struct Provider {
    config: OidcConfig,
    client: Client,
    known: Mutex<Option<Known>>,
}

/// What the service says of itself.
#[derive(Clone)]
struct Known {
    doors: Arc<Doors>,
    keys: Keys,
    at: i64,
}

/// Its description (OpenID Connect Discovery 1.0).
#[derive(Deserialize)]
struct Doors {
    issuer: String,
    authorization_endpoint: Door,
    token_endpoint: Door,
    userinfo_endpoint: Option<Door>,
    jwks_uri: Door,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Vec<String>,
}

/// Where something is asked for.
#[derive(Clone, Deserialize)]
#[serde(try_from = "String")]
struct Door(Url);

impl TryFrom<String> for Door {
    type Error = url::ParseError;

    fn try_from(text: String) -> Result<Self, url::ParseError> {
        text.parse().map(Self)
    }
}

/// What it gives for a code.
#[derive(Deserialize)]
pub(super) struct Exchanged {
    pub id_token: String,
    pub access_token: Option<String>,
}

/// Why it does not (RFC 6749, 5.2).
#[derive(Default, Deserialize)]
struct Complaint {
    error: String,
}

/// What it says of whoever an access token is of.
#[derive(Deserialize)]
struct UserInfo {
    sub: String,
    #[serde(flatten)]
    about: About,
}

impl Provider {
    pub(super) fn new(config: OidcConfig) -> Result<Self> {
        let client = Client::builder().timeout(ANSWER_LIMIT).redirect(redirect::Policy::none()).build();
        let client = client.map_err(|e| Error::Serve(e.into()))?;
        Ok(Self { config, client, known: Mutex::default() })
    }

    pub(super) fn client_id(&self) -> &str {
        &self.config.client_id
    }

    /// As it writes itself: without the slash that a URL of a host alone gets.
    pub(super) fn issuer(&self) -> &str {
        let text = self.config.issuer.as_str();
        if self.config.issuer.path() == "/" { text.trim_end_matches('/') } else { text }
    }

    pub(super) async fn authorization_endpoint(&self) -> Result<Url, Refusal> {
        Ok(self.known(FRESH_MS).await?.doors.authorization_endpoint.0.clone())
    }

    /// The tokens for a code, which counts once there.
    pub(super) async fn exchange(&self, code: &str, verifier: &str, redirect_uri: &str) -> Result<Exchanged, Refusal> {
        let known = self.known(FRESH_MS).await?;
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", redirect_uri),
            ("code_verifier", verifier),
        ];
        let mut request = self.client.post(known.doors.token_endpoint.0.clone());
        let methods = &known.doors.token_endpoint_auth_methods_supported;
        let has = |method: &str| methods.iter().any(|known| known == method);
        match &self.config.client_secret {
            Some(secret) if has("client_secret_post") && !has("client_secret_basic") => {
                form.extend([("client_id", self.client_id()), ("client_secret", secret.as_str())]);
            }
            Some(secret) => request = request.header(AUTHORIZATION, basic(self.client_id(), secret)),
            None => form.push(("client_id", self.client_id())),
        }
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(body);
        answer(request, "takes no code of this sign-in").await
    }

    /// What a token says that is to be believed. A key that is not known yet is asked for, now and then.
    pub(super) async fn verify(&self, token: &str, expected: &Expected<'_>) -> Result<Claims, Refusal> {
        let mut read = Claims::read(token, &self.known(FRESH_MS).await?.keys, expected, clock::now() / 1000);
        if matches!(read, Err(Doubt::OtherKey)) {
            read = Claims::read(token, &self.known(AGAIN_MS).await?.keys, expected, clock::now() / 1000);
        }
        read.map_err(|doubt| {
            let why = match doubt {
                Doubt::OtherKey => "it is signed with a key that the service does not publish",
                Doubt::Wrong(why) => why,
            };
            tracing::warn!(issuer = self.issuer(), why, "a sign-in through another service is not believed");
            Refusal::Unknown(format!("the service's token is not believed: {why}"))
        })
    }

    /// Adds what the token has left out, which the service tells whoever has its access token.
    pub(super) async fn more(&self, claims: Claims, access: &str) -> Result<Claims, Refusal> {
        let known = self.known(FRESH_MS).await?;
        let Some(door) = known.doors.userinfo_endpoint.clone() else { return Ok(claims) };
        let request = self.client.get(door.0).header(AUTHORIZATION, format!("Bearer {access}"));
        let info: UserInfo = answer(request, "does not say who signed in").await?;
        // Another's access token may have been put in its place.
        if info.sub != claims.sub {
            return Err(Refusal::Unknown("the service speaks of somebody else: sign in again".into()));
        }
        Ok(claims.with(info.about))
    }

    /// What the service says of itself, at most so old.
    async fn known(&self, age_ms: i64) -> Result<Known, Refusal> {
        // One asks for all that wait.
        let mut known = self.known.lock().await;
        if let Some(known) = known.as_ref().filter(|known| clock::now() - known.at < age_ms) {
            return Ok(known.clone());
        }
        let issuer = self.issuer();
        let url = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let doors: Doors = answer(self.client.get(url), "does not describe itself").await?;
        if doors.issuer != issuer {
            tracing::warn!(issuer, found = doors.issuer, "the service for sign-ins calls itself otherwise");
            return Err(Refusal::Unavailable(format!(
                "the service for sign-ins calls itself otherwise than `{issuer}`"
            )));
        }
        let all = [&doors.authorization_endpoint, &doors.token_endpoint, &doors.jwks_uri];
        // In the clear only where the whole service is: a try on one's own machine.
        if let Some(odd) = all.into_iter().chain(&doors.userinfo_endpoint).find(|door| !self.may_ask(&door.0)) {
            return Err(Refusal::Unavailable(format!(
                "the service for sign-ins names `{}`, which is not encrypted",
                odd.0
            )));
        }
        let keys: Keys = answer(self.client.get(doors.jwks_uri.0.clone()), "does not give its keys").await?;
        let found = Known { doors: Arc::new(doors), keys, at: clock::now() };
        *known = Some(found.clone());
        Ok(found)
    }

    fn may_ask(&self, door: &Url) -> bool {
        door.scheme() == "https" || (door.scheme() == "http" && self.config.issuer.scheme() == "http")
    }
}

/// The document that a call is answered with, within the limits; a refusal says what the service does not do.
async fn answer<T: DeserializeOwned>(request: RequestBuilder, not: &str) -> Result<T, Refusal> {
    let failed = |why: String| {
        tracing::warn!(why, not, "the service for sign-ins does not answer well");
        Refusal::Unavailable(format!("the service for sign-ins {not}"))
    };
    // What is asked may stand in its address; a failure is told without it.
    let response = request.header(ACCEPT, "application/json").send().await;
    let mut response = response.map_err(|e| failed(e.without_url().to_string()))?;
    let status = response.status();
    let mut body = Vec::new();
    while let Some(bytes) = response.chunk().await.map_err(|e| failed(e.without_url().to_string()))? {
        if body.len() + bytes.len() > ANSWER_BYTES_MAX {
            return Err(failed(format!("its answer has more than {ANSWER_BYTES_MAX} bytes")));
        }
        body.extend_from_slice(&bytes);
    }
    if !status.is_success() {
        let said: Complaint = serde_json::from_slice(&body).unwrap_or_default();
        let refusal = failed(format!("it answers {status} {}", said.error));
        // Whoever made up a code has not made the service fail.
        let is_theirs = matches!(said.error.as_str(), "invalid_grant" | "invalid_request");
        return Err(if is_theirs { Refusal::Unknown(refusal.to_string()) } else { refusal });
    }
    serde_json::from_slice(&body).map_err(|_| failed("its answer is not understood".into()))
}

/// Who asks (RFC 6749, 2.3.1).
fn basic(id: &str, secret: &str) -> String {
    let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    format!("Basic {}", BASE64_STANDARD.encode(format!("{}:{}", encode(id), encode(secret))))
}
