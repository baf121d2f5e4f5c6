//! What people type: names, addresses, passwords and slugs, as they may be. Pure.

use super::Refusal;

/// RFC 5321 gives an address no more.
const EMAIL_BYTES_MAX: usize = 254;
const NAME_CHARS_MAX: usize = 100;
const SLUG_CHARS_MAX: usize = 50;
/// NIST's least, and enough for a sentence; more would only cost time.
const PASSWORD_CHARS_MIN: usize = 8;
const PASSWORD_BYTES_MAX: usize = 256;

/// An address in lower case.
pub(crate) fn email(text: &str) -> Result<String, Refusal> {
    let text = text.trim().to_lowercase();
    let parts = text.rsplit_once('@');
    let is_whole = parts.is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty() && !local.contains('@'));
    let is_clean = !text.chars().any(|c| c.is_whitespace() || c.is_control() || c == '<' || c == '>');
    if !is_whole || !is_clean || text.len() > EMAIL_BYTES_MAX {
        return Err(Refusal::wrong("email", "this is no e-mail address"));
    }
    Ok(text)
}

/// A name of something or someone.
pub(crate) fn name(text: &str) -> Result<String, Refusal> {
    let text = text.trim();
    let length = text.chars().count();
    if length == 0 || length > NAME_CHARS_MAX || text.chars().any(char::is_control) {
        return Err(Refusal::wrong("name", format!("a name has 1 to {NAME_CHARS_MAX} characters in one line")));
    }
    Ok(text.to_owned())
}

pub(crate) fn password(text: &str) -> Result<(), Refusal> {
    if text.chars().count() < PASSWORD_CHARS_MIN {
        return Err(Refusal::wrong("password", format!("a password has at least {PASSWORD_CHARS_MIN} characters")));
    }
    if text.len() > PASSWORD_BYTES_MAX {
        return Err(Refusal::wrong("password", format!("a password has at most {PASSWORD_BYTES_MAX} bytes")));
    }
    Ok(())
}

/// A slug that was typed.
pub(super) fn slug(text: &str) -> Result<String, Refusal> {
    if text.is_empty() || text.len() > SLUG_CHARS_MAX || text != slug_of(text) || uuid::Uuid::try_parse(text).is_ok() {
        let message = format!("a slug has 1 to {SLUG_CHARS_MAX} small letters, digits and `-` between them");
        return Err(Refusal::wrong("slug", message));
    }
    Ok(text.to_owned())
}

/// The slug that a name makes; `organization` where nothing of it can stand in one.
pub(super) fn slug_of(name: &str) -> String {
    let mut slug = String::new();
    for c in name.chars().flat_map(char::to_lowercase) {
        if c.is_ascii_alphanumeric() {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
        if slug.len() == SLUG_CHARS_MAX {
            break;
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { "organization".to_owned() } else { slug.to_owned() }
}

/// A slug with a number behind it, no longer than one may be.
pub(super) fn numbered(slug: &str, number: &str) -> String {
    let room = SLUG_CHARS_MAX.saturating_sub(number.len() + 1);
    let start: String = slug.chars().take(room).collect();
    format!("{}-{number}", start.trim_end_matches('-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_one_spelling() {
        assert_eq!(email(" Ann.B+x@Example.com ").unwrap(), "ann.b+x@example.com");
        for wrong in ["", "ann", "@x", "ann@", "a@b@c", "a b@c", "ann@x\n<y>", &format!("{}@x", "a".repeat(253))] {
            assert!(email(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_name_makes_a_slug() {
        let made = ["Acme, Inc.", "  Zażółć 1 ", "日本", "a--b", &"x".repeat(60)].map(slug_of);
        assert_eq!(made[..4], ["acme-inc", "za-1", "organization", "a-b"]);
        assert_eq!(made[4].len(), SLUG_CHARS_MAX);
        for wrong in ["", "-a", "a-", "A", "a_b", "0199a8a0-0000-7000-8000-000000000000", &"x".repeat(51)] {
            assert!(slug(wrong).is_err(), "{wrong}");
        }
        assert_eq!(slug("acme-1").unwrap(), "acme-1");
        assert_eq!(numbered("acme", "2"), "acme-2");
        assert_eq!(numbered(&"x".repeat(50), "12").len(), SLUG_CHARS_MAX);
    }

    #[test]
    fn a_password_is_long_enough_and_not_too_long() {
        assert!(password("1234567").is_err() && password("12345678").is_ok());
        assert!(password(&"x".repeat(256)).is_ok() && password(&"x".repeat(257)).is_err());
    }
}
