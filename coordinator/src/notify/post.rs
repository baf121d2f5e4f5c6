//! Deliveries over HTTP: signed as Standard Webhooks say, or as Slack's incoming webhooks take them.
//!
//! Nothing is sent to addresses that only mean something on the machine itself or the network beside it (link-local ones: there
//! clouds give out credentials), by whatever name; and no redirect is followed.

use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use flowetl_proto::pipeline::Secret;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::CONTENT_TYPE;
use reqwest::redirect::Policy;
use reqwest::{Client, Response};
use ring::hmac;
use serde_json::{Value, json};
use url::{Host, Url};

use super::model::Alert;
use super::{AlertEvent, Kind};
use crate::{Error, Result, clock};

/// What is kept of an answer: enough to see why it was none.
const ANSWER_BYTES_MAX: usize = 1024;
/// What a text in Slack may have.
const SLACK_CHARS_MAX: usize = 2_900;
/// What secrets begin with.
const SECRET_PREFIX: &str = "whsec_";
/// Bytes of a secret.
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;
/// Of the networks where clouds give out credentials over IPv6.
const METADATA: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);

/// How a try ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tried {
    pub is_taken: bool,
    /// Whether it is of no use to try again.
    pub is_gone: bool,
    pub status: Option<i64>,
    pub text: String,
}

impl Tried {
    /// There was no answer.
    pub(super) fn unanswered(text: impl Into<String>) -> Self {
        Self { is_taken: false, is_gone: false, status: None, text: text.into() }
    }
}

/// Sends over HTTP. Cheap to clone.
#[derive(Clone)]
pub(super) struct Post {
    client: Client,
}

impl Post {
    pub(super) fn new(try_limit: Duration) -> Result<Self> {
        let client = Client::builder().redirect(Policy::none()).timeout(try_limit).dns_resolver(Arc::new(Far));
        let client = client.user_agent("FlowETL").pool_max_idle_per_host(0).build();
        Ok(Self { client: client.map_err(|e| Error::Post(e.to_string()))? })
    }

    /// Sends what is in `body`, under the delivery's id. `secret` is what a webhook's calls are signed with.
    pub(super) async fn send(
        &self,
        (kind, url, secret): (Kind, &Secret, Option<&Secret>),
        id: &str,
        body: &str,
    ) -> Tried {
        let url = match parsed(url.reveal()) {
            Ok(url) => url,
            Err(why) => return Tried::unanswered(why),
        };
        let call = self.client.post(url).header(CONTENT_TYPE, "application/json");
        let call = match kind {
            Kind::Webhook => {
                let at = clock::now() / 1000;
                let Some(signature) = secret.and_then(|secret| signature(secret.reveal(), id, at, body)) else {
                    return Tried::unanswered("the secret to sign with is damaged: set another one");
                };
                let call = call.header("webhook-id", id).header("webhook-timestamp", at.to_string());
                call.header("webhook-signature", signature).body(body.to_owned())
            }
            Kind::Slack | Kind::Email => call.body(slack(body).to_string()),
        };
        match call.send().await {
            Ok(answer) => answered(answer).await,
            // Not where it was sent to: that is a secret.
            Err(error) => Tried::unanswered(chain(&error.without_url())),
        }
    }
}

async fn answered(mut answer: Response) -> Tried {
    let status = answer.status();
    let mut begin = Vec::new();
    while begin.len() < ANSWER_BYTES_MAX {
        match answer.chunk().await {
            Ok(Some(chunk)) => begin.extend_from_slice(&chunk),
            // What there was of it says enough.
            Ok(None) | Err(_) => break,
        }
    }
    begin.truncate(ANSWER_BYTES_MAX);
    // A character that was cut, or none; and what PostgreSQL takes in no text.
    let text = String::from_utf8_lossy(&begin).replace('\0', "");
    let is_gone = status == reqwest::StatusCode::GONE;
    Tried { is_taken: status.is_success(), is_gone, status: Some(i64::from(status.as_u16())), text }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}

/// A URL that may be called.
pub(super) fn parsed(text: &str) -> Result<Url, String> {
    let url = Url::parse(text.trim()).map_err(|e| format!("this is no URL: {e}"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("a URL of a webhook begins with `https://` or `http://`".to_owned());
    }
    let address = match url.host() {
        Some(Host::Ipv4(address)) => IpAddr::V4(address),
        Some(Host::Ipv6(address)) => IpAddr::V6(address),
        Some(Host::Domain(_)) => return Ok(url),
        None => return Err("this URL names no host".to_owned()),
    };
    if is_near(address) { Err(near()) } else { Ok(url) }
}

/// Whether an address is link-local, or gives out a cloud's credentials.
fn is_near(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local() || address.is_unspecified(),
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(address) => is_near(IpAddr::V4(address)),
            None => address.is_unicast_link_local() || address.is_unspecified() || address == METADATA,
        },
    }
}

fn near() -> String {
    "nothing is sent to link-local addresses".to_owned()
}

/// Finds the addresses of names, without those that nothing is sent to.
struct Far;

impl Resolve for Far {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let far: Vec<SocketAddr> = found.filter(|address| !is_near(address.ip())).collect();
            if far.is_empty() {
                return Err(io::Error::other(near()).into());
            }
            Ok(Box::new(far.into_iter()) as Addrs)
        })
    }
}

/// A secret to sign with.
pub(super) fn new_secret() -> Result<Secret> {
    Ok(Secret::new(format!("{SECRET_PREFIX}{}", BASE64_STANDARD.encode(clock::random::<32>()?))))
}

/// The bytes of a secret; `None` where it is none.
pub(super) fn secret_bytes(secret: &str) -> Option<Vec<u8>> {
    let bytes = BASE64_STANDARD.decode(secret.strip_prefix(SECRET_PREFIX)?).ok()?;
    SECRET_BYTES.contains(&bytes.len()).then_some(bytes)
}

/// What the header `webhook-signature` says of a body that is sent at a time in seconds since 1970.
fn signature(secret: &str, id: &str, at: i64, body: &str) -> Option<String> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, &secret_bytes(secret)?);
    let signed = hmac::sign(&key, format!("{id}.{at}.{body}").as_bytes());
    Some(format!("v1,{}", BASE64_STANDARD.encode(signed)))
}

/// The same as Slack takes it.
fn slack(body: &str) -> Value {
    let Ok(alert) = serde_json::from_str::<Alert>(body) else { return json!({ "text": "something happened" }) };
    let sign = match alert.data.event {
        AlertEvent::Failed => ":x:",
        AlertEvent::Stalled | AlertEvent::Stale => ":warning:",
        AlertEvent::Recovered => ":white_check_mark:",
        AlertEvent::Test => ":wave:",
    };
    let (title, message) = (escaped(&alert.title()), escaped(&alert.data.message));
    let text: String = format!("{sign} *{title}*\n{message}").chars().take(SLACK_CHARS_MAX).collect();
    let section = json!({ "type": "section", "text": { "type": "mrkdwn", "text": text } });
    json!({ "text": format!("{sign} {title}"), "blocks": [section] })
}

/// Slack's own signs as they are written.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::model::AlertData;

    #[test]
    fn a_signature_is_that_of_standard_webhooks() {
        // The example of the specification's own libraries.
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let signed = signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, "{\"test\": 2432232314}");
        assert_eq!(signed.as_deref(), Some("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="));
        assert_eq!(signature("whsec_c2hvcnQ=", "id", 0, ""), None);
        assert!(secret_bytes(new_secret().unwrap().reveal()).is_some());
    }

    #[test]
    fn link_local_addresses_are_refused_under_any_spelling() {
        for near in [
            "http://169.254.169.254/latest",
            "http://2852039166/",
            "http://0xa9.0xfe.0xa9.0xfe/",
            "http://[fe80::1]/",
            "http://[::ffff:169.254.169.254]/",
            "http://[fd00:ec2::254]/",
            "http://0.0.0.0/",
        ] {
            assert_eq!(parsed(near), Err(super::near()), "{near}");
        }
        for far in ["https://hooks.slack.com/services/x", "http://127.0.0.1:8000/", "http://10.0.0.1/", "http://[::1]/"]
        {
            assert!(parsed(far).is_ok(), "{far}");
        }
        for wrong in ["ftp://a/", "mailto:a@b", "a", ""] {
            assert!(parsed(wrong).is_err(), "{wrong}");
        }
    }

    #[tokio::test]
    async fn names_of_link_local_addresses_are_refused() {
        let found = Far.resolve("localhost".parse().unwrap()).await;
        assert!(found.is_ok_and(|mut all| all.all(|address| address.ip().is_loopback())));
        // A name that stands for an address in every resolver.
        let refused = Far.resolve("169.254.169.254".parse().unwrap()).await.err().unwrap();
        assert_eq!(refused.to_string(), super::near());
    }

    #[test]
    fn slack_takes_no_sign_of_ours_for_its_own() {
        let data = AlertData {
            event: AlertEvent::Failed,
            organization: "o".into(),
            pipeline: Some("a<b".into()),
            pipeline_id: None,
            run_id: None,
            message: "<!channel> & more".into(),
        };
        let text = slack(&serde_json::to_string(&Alert::new(data, 0)).unwrap());
        assert_eq!(text["text"], ":x: pipeline `a&lt;b` has failed");
        assert_eq!(
            text["blocks"][0]["text"]["text"],
            ":x: *pipeline `a&lt;b` has failed*\n&lt;!channel&gt; &amp; more"
        );
    }
}
