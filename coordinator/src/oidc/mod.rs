//! Signing in through another service (OpenID Connect, the authorization code flow with PKCE): who was sent there, what came
//! back, and that it came back to the same browser, once.
//!
//! A browser is sent to the `provider` with a state; it returns with that and a code, for which the provider gives a `token`
//! that says who it is. The page gets a ticket then, and exchanges it for tokens of this service, so that none of those ever
//! stands in an address.

mod provider;
#[cfg(test)]
mod tests;
mod token;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use url::Url;
use zeroize::Zeroizing;

use self::provider::Provider;
use self::token::Expected;
use crate::accounts::{Identity, Refusal};
use crate::{Result, clock};

/// How long a person may take to sign in elsewhere.
const SIGN_IN_MS: i64 = 10 * 60_000;
/// How long a page may take to exchange its ticket.
const TICKET_MS: i64 = 60_000;
/// Sign-ins that are under way at once: a few MiB. Whoever begins more is told to wait, since each ends in ten minutes.
const PENDING_MAX: usize = 10_000;
const SECRET_BYTES: usize = 32;

/// The service that people sign in through.
#[derive(Clone)]
pub struct OidcConfig {
    /// Its URL, as it writes it itself.
    pub issuer: Url,
    pub client_id: String,
    /// `None`: this service is a public client there, and PKCE is all it proves itself with.
    pub client_secret: Option<Zeroizing<String>>,
    /// Where people's browsers reach this service.
    pub public_url: Url,
}

impl fmt::Debug for OidcConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OidcConfig({} as {})", self.issuer, self.client_id)
    }
}

/// What ties a sign-in to a browser: kept there as a cookie.
pub(crate) struct Browser(pub String);

/// Where a browser is to go.
pub(crate) struct Away {
    pub url: String,
    pub browser: Browser,
}

/// Sign-ins through one service.
pub(crate) struct Oidc {
    provider: Provider,
    redirect_uri: String,
    is_encrypted: bool,
    pending: Mutex<HashMap<String, Pending>>,
}

/// What is waited for, by the hash of what will be shown.
struct Pending {
    /// The hash of what the browser holds.
    browser: String,
    expires_at: i64,
    step: Step,
}

enum Step {
    /// The browser is at the other service.
    Away { nonce: String, verifier: Zeroizing<String>, next: String },
    /// It came back, and its page is to fetch its tokens.
    Ticket(Identity),
}

impl Oidc {
    pub(crate) fn new(config: OidcConfig) -> Result<Self> {
        let base = config.public_url.as_str().trim_end_matches('/');
        let redirect_uri = format!("{base}/api/v1/auth/oidc/callback");
        let is_encrypted = config.public_url.scheme() == "https";
        Ok(Self { provider: Provider::new(config)?, redirect_uri, is_encrypted, pending: Mutex::default() })
    }

    /// Whether browsers reach this service encrypted, so that its cookies are for that alone.
    pub(crate) fn is_encrypted(&self) -> bool {
        self.is_encrypted
    }

    /// Begins a sign-in that ends at the page `next` of this service.
    pub(crate) async fn begin(&self, next: &str) -> Result<Away, Refusal> {
        let is_own = next.starts_with('/') && !next.starts_with("//") && !next.contains(['\\', '\r', '\n', '#']);
        if !is_own {
            return Err(Refusal::wrong("next", "`next` is a path of this service, such as `/pipelines`"));
        }
        let authorization = self.provider.authorization_endpoint().await?;
        let (state, nonce, verifier) = (secret()?, secret()?, Zeroizing::new(secret()?));
        let browser = secret()?;
        let mut url = authorization;
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", self.provider.client_id())
            .append_pair("redirect_uri", &self.redirect_uri)
            .append_pair("scope", "openid email profile")
            .append_pair("state", &state)
            .append_pair("nonce", &nonce)
            .append_pair("code_challenge", &challenge(&verifier))
            .append_pair("code_challenge_method", "S256");
        let step = Step::Away { nonce, verifier, next: next.to_owned() };
        self.wait_for(&state, &browser, SIGN_IN_MS, step)?;
        Ok(Away { url: url.into(), browser: Browser(browser) })
    }

    /// Takes what the other service sent a browser back with: a ticket for its page, and the page. Both count once.
    pub(crate) async fn come_back(
        &self,
        state: &str,
        code: &str,
        browser: &Browser,
    ) -> Result<(String, String), Refusal> {
        let Some(Step::Away { nonce, verifier, next }) = self.take(state, browser) else {
            return Err(Refusal::Unknown("this sign-in was not begun in this browser, or is over: begin again".into()));
        };
        let answer = self.provider.exchange(code, &verifier, &self.redirect_uri).await?;
        let expected = Expected { issuer: self.provider.issuer(), client: self.provider.client_id(), nonce: &nonce };
        let claims = self.provider.verify(&answer.id_token, &expected).await?;
        let claims = match (&claims.about.email, &answer.access_token) {
            (None, Some(access)) => self.provider.more(claims, access).await?,
            _ => claims,
        };
        let identity = claims.identity(self.provider.issuer())?;
        let ticket = secret()?;
        self.wait_for(&ticket, &browser.0, TICKET_MS, Step::Ticket(identity))?;
        Ok((ticket, next))
    }

    /// Who has the ticket.
    pub(crate) fn redeem(&self, ticket: &str, browser: &Browser) -> Result<Identity, Refusal> {
        match self.take(ticket, browser) {
            Some(Step::Ticket(identity)) => Ok(identity),
            _ => Err(Refusal::Unknown("this ticket does not count: sign in again".into())),
        }
    }

    fn wait_for(&self, shown: &str, browser: &str, ms: i64, step: Step) -> Result<(), Refusal> {
        let now = clock::now();
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        if pending.len() >= PENDING_MAX {
            pending.retain(|_, pending| now < pending.expires_at);
        }
        if pending.len() >= PENDING_MAX {
            return Err(Refusal::Crowded);
        }
        pending.insert(hash(shown), Pending { browser: hash(browser), expires_at: now + ms, step });
        Ok(())
    }

    /// What was waited for; counts once, whoever shows it.
    fn take(&self, shown: &str, browser: &Browser) -> Option<Step> {
        let pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner).remove(&hash(shown))?;
        (clock::now() < pending.expires_at && pending.browser == hash(&browser.0)).then_some(pending.step)
    }
}

/// A text that nobody can guess.
fn secret() -> Result<String> {
    Ok(BASE64_URL_SAFE_NO_PAD.encode(clock::random::<SECRET_BYTES>()?))
}

/// What is looked up by: so that how long a look-up takes tells nothing of what is kept.
fn hash(shown: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(shown.as_bytes()))
}

/// What the verifier is known by before it is shown (RFC 7636, S256).
fn challenge(verifier: &str) -> String {
    hash(verifier)
}
