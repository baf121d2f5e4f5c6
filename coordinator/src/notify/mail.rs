//! Mail: where its server is, from whom it is, and how a text is written in it.

use std::fmt::{self, Write};
use std::net::IpAddr;
use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use chrono::{DateTime, Utc};
use flowetl_proto::pipeline::Secret;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;
use url::Url;

use super::post::Tried;
use super::smtp::{self, Server, Start};
use crate::accounts::text;
use crate::clock;

/// Bytes of one encoded word: RFC 2047 lets a line with some have 76 characters, the header's name included.
const WORD_BYTES: usize = 39;
/// Characters of a line of base64.
const LINE_CHARS: usize = 76;

/// Why mail cannot be sent like that. It names no password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WrongMail {
    #[error("a mail server is `smtps://user:password@host:port`, or `smtp://host:port`: {0}")]
    Url(String),
    #[error("`{0}` is no mail address to send from, such as `FlowETL <flowetl@example.com>`")]
    From(String),
    #[error("`{0}` is no address of a site, such as `https://etl.example.com`")]
    Site(String),
    #[error("nothing can be encrypted here: {0}")]
    Trust(String),
}

/// A mail server, and from whom mail is. Cheap to clone.
#[derive(Clone)]
pub struct Mail {
    server: Arc<Server>,
    from: Sender,
    /// Where browsers find the service.
    site: Option<Url>,
}

/// From whom mail is.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Sender {
    name: String,
    address: String,
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mail from {} by {}", self.from.address, self.server.host)
    }
}

impl Mail {
    /// Mail by the server of `url`, from the address `from`. `smtps:` is encrypted from the start (port 465). `smtp:` (port 587
    /// with a password, else 25) turns to encryption where the server offers it, and must where a password would be sent to
    /// another machine. Whom this machine trusts may have signed the server's certificate.
    pub fn new(url: &str, from: &str) -> Result<Self, WrongMail> {
        Self::trusting(url, from, rustls_native_certs::load_native_certs().certs)
    }

    /// The same with mail that leads to the service, which browsers find at `site`.
    pub fn at(self, site: &str) -> Result<Self, WrongMail> {
        let url = Url::parse(site).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        Ok(Self { site: Some(url.ok_or_else(|| WrongMail::Site(site.to_owned()))?), ..self })
    }

    /// A link to a page of the service; `None` where nobody has said where it is.
    pub(super) fn link(&self, page: &str) -> Option<String> {
        Some(format!("{}{page}", self.site.as_ref()?.as_str().trim_end_matches('/')))
    }

    /// Where certificates of these authorities are believed.
    pub(super) fn trusting(
        url: &str,
        from: &str,
        authorities: Vec<CertificateDer<'static>>,
    ) -> Result<Self, WrongMail> {
        let wrong = |why: &dyn fmt::Display| WrongMail::Url(why.to_string());
        let from = Sender::parse(from).ok_or_else(|| WrongMail::From(from.to_owned()))?;
        let url = Url::parse(url).map_err(|e| wrong(&e))?;
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(|| wrong(&"it names no host"))?;
        let host = host.trim_matches(['[', ']']).to_owned();
        let is_here = host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback());
        let password = url.password().map(|password| (plain(url.username()), Secret::new(plain(password))));
        let (start, port) = match (url.scheme(), &password) {
            ("smtps", _) => (Start::Encrypted, 465),
            ("smtp", Some(_)) if !is_here => (Start::MustTurn, 587),
            ("smtp", Some(_)) => (Start::MayTurn, 587),
            ("smtp", None) => (Start::MayTurn, 25),
            _ => return Err(wrong(&"it begins with neither `smtps://` nor `smtp://`")),
        };
        let name = ServerName::try_from(host.clone()).map_err(|e| wrong(&e))?;
        let port = url.port().unwrap_or(port);
        let server = Server { host, port, name, start, password, tls: encrypting(authorities)? };
        Ok(Self { server: Arc::new(server), from, site: None })
    }

    /// Sends a text.
    pub(super) async fn send(&self, to: &[String], subject: &str, text: &str) -> Tried {
        let at = DateTime::from_timestamp_millis(clock::now()).unwrap_or_default();
        let message = message(&self.from, to, subject, text, at, &clock::new_id());
        match smtp::send(&self.server, &self.from.address, to, &message).await {
            Ok(reply) => Tried { is_taken: true, is_gone: false, status: Some(reply.code), text: reply.text },
            Err(smtp::Refused { status, text }) => Tried { status, ..Tried::unanswered(text) },
        }
    }
}

impl Sender {
    /// `Name <address>`, or an address alone.
    fn parse(text: &str) -> Option<Self> {
        let (name, address) = match text.trim().strip_suffix('>') {
            Some(text) => text.split_once('<')?,
            None => ("", text),
        };
        let address = text::email(address).ok()?;
        Some(Self { name: name.trim().trim_matches('"').to_owned(), address })
    }
}

/// Encrypts to servers that these authorities vouch for.
fn encrypting(authorities: Vec<CertificateDer<'static>>) -> Result<TlsConnector, WrongMail> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(authorities);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.map_err(|e| WrongMail::Trust(e.to_string()))?;
    Ok(TlsConnector::from(Arc::new(config.with_root_certificates(roots).with_no_client_auth())))
}

/// A part of a URL as it is meant.
fn plain(part: &str) -> String {
    percent_encoding::percent_decode_str(part).decode_utf8_lossy().into_owned()
}

/// A message as it goes over the wire, with the text in base64: no line of it can be taken for anything else.
fn message(from: &Sender, to: &[String], subject: &str, text: &str, at: DateTime<Utc>, id: &str) -> String {
    let domain = from.address.rsplit_once('@').map_or("localhost", |(_, domain)| domain);
    let sender = match from.name.as_str() {
        "" => from.address.clone(),
        name => format!("{} <{}>", words(name), from.address),
    };
    let mut message = format!(
        "From: {sender}\r\nTo: {}\r\nSubject: {}\r\nDate: {}\r\nMessage-ID: <{id}@{domain}>\r\nMIME-Version: 1.0\r\n\
         Auto-Submitted: auto-generated\r\nContent-Type: text/plain; charset=utf-8\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n",
        to.join(",\r\n "),
        words(subject),
        at.to_rfc2822(),
    );
    let text = BASE64_STANDARD.encode(text.replace('\n', "\r\n"));
    for line in text.as_bytes().chunks(LINE_CHARS) {
        // Letters and digits.
        message.push_str(std::str::from_utf8(line).unwrap_or_default());
        message.push_str("\r\n");
    }
    message
}

/// A text in a header: as it is where it is plain and short, else in encoded words (RFC 2047).
fn words(text: &str) -> String {
    let is_plain = text.chars().all(|c| c.is_ascii_alphanumeric() || " -".contains(c)) && text.len() <= WORD_BYTES;
    if is_plain {
        return text.to_owned();
    }
    let mut words = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (word, after) = rest.split_at(rest.floor_char_boundary(WORD_BYTES));
        let gap = if words.is_empty() { "" } else { "\r\n " };
        // Writing to a text cannot fail.
        let _ = write!(words, "{gap}=?utf-8?B?{}?=", BASE64_STANDARD.encode(word));
        rest = after;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_understood_or_refused() {
        let port = |url: &str| Mail::new(url, "a@example.com").map(|mail| (mail.server.port, mail.server.start));
        assert_eq!(port("smtps://mail.example.com"), Ok((465, Start::Encrypted)));
        assert_eq!(port("smtp://mail.example.com"), Ok((25, Start::MayTurn)));
        assert_eq!(port("smtp://u:p@mail.example.com"), Ok((587, Start::MustTurn)));
        assert_eq!(port("smtp://u:p@127.0.0.1:2525"), Ok((2525, Start::MayTurn)));
        assert_eq!(port("smtp://u:p@[::1]:2525"), Ok((2525, Start::MayTurn)));
        for wrong in ["http://a", "smtp://", "mail", ""] {
            assert!(matches!(port(wrong), Err(WrongMail::Url(_))), "{wrong}");
        }
        assert!(matches!(Mail::new("smtp://a", "nobody"), Err(WrongMail::From(_))));
        let mail = Mail::new("smtp://u:p%40ss@a", "Ops Team <ops@example.com>").unwrap();
        let (user, password) = mail.server.password.as_ref().unwrap();
        assert_eq!((user.as_str(), password.reveal()), ("u", "p@ss"));
        assert_eq!(mail.from, Sender { name: "Ops Team".into(), address: "ops@example.com".into() });
        assert!(!format!("{mail:?}").contains("p@ss"));
    }

    #[test]
    fn no_text_makes_a_header_or_ends_a_message() {
        let from = Sender { name: "Ops".into(), address: "ops@example.com".into() };
        let subject = format!("a\r\nBcc: x@example.com {}", "ż".repeat(60));
        let to = ["a@example.com".to_owned(), "b@example.com".to_owned()];
        let message = message(&from, &to, &subject, "one\n.\nżółw", DateTime::default(), "id");
        let (head, body) = message.split_once("\r\n\r\n").unwrap();
        assert!(head.contains("To: a@example.com,\r\n b@example.com\r\n") && !head.contains("Bcc"), "{head}");
        assert!(head.lines().all(|line| line.len() <= 76), "{head}");
        let encoded = head.split("=?utf-8?B?").skip(1).map(|word| word.split("?=").next().unwrap());
        let decoded: Vec<u8> = encoded.flat_map(|word| BASE64_STANDARD.decode(word).unwrap()).collect();
        assert_eq!(String::from_utf8(decoded).unwrap(), subject);
        assert!(!body.contains('.'));
        let text = BASE64_STANDARD.decode(body.replace("\r\n", "")).unwrap();
        assert_eq!(String::from_utf8(text).unwrap(), "one\r\n.\r\nżółw");
    }
}
