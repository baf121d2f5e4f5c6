//! `FLOWETL_SMTP_URL` and `FLOWETL_SMTP_FROM`: by which server mail is sent, and from whom it is. No flags: the URL has a password.

use anyhow::{Context, bail};
use flowetl_coordinator::Mail;

/// It has a password.
pub const URL: &str = "FLOWETL_SMTP_URL";
const FROM: &str = "FLOWETL_SMTP_FROM";
/// Where browsers find the service, for links in mail.
const SITE: &str = "FLOWETL_PUBLIC_URL";

/// The mail server that is set, if any is.
pub fn mail() -> anyhow::Result<Option<Mail>> {
    let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let (url, from) = match (set(URL), set(FROM)) {
        (Some(url), Some(from)) => (url, from),
        (None, None) => return Ok(None),
        _ => bail!("`{URL}` and `{FROM}` are set together: a mail server, and the address that mail is from"),
    };
    let mail = Mail::new(&url, &from).with_context(|| format!("setting `{URL}` and `{FROM}`"))?;
    Ok(Some(match set(SITE) {
        Some(site) => mail.at(&site).with_context(|| format!("setting `{SITE}`"))?,
        None => mail,
    }))
}
