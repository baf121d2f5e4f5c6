//! Finds secrets that are written in a file themselves, where a file that is kept must only refer to them.

use super::connection::is_secret;
use super::file::{Content, Key, Node};
use super::problem::{ProblemCode, Problems};
use super::secrets::{self, Piece};

const MESSAGE: &str = "a secret stands here itself";
const HINT: &str = "write `${env:NAME}` or `${file:/path}` instead: what is kept can be looked at";

/// Adds a problem for each password in a URL and each value of a key that is a secret by its name, unless it is made of
/// references alone.
pub(super) fn check(root: &Node, problems: &mut Problems) {
    match &root.content {
        Content::Map(entries) => entries.iter().for_each(|(key, value)| entry(key, value, problems)),
        Content::List(items) => items.iter().for_each(|item| check(item, problems)),
        Content::Text(text) if has_literal(&text.text) => {
            problems.add_with(root.at, ProblemCode::WrongValue, MESSAGE, Some(HINT.to_owned()));
        }
        _ => {}
    }
}

fn entry(key: &Key, value: &Node, problems: &mut Problems) {
    let is_scalar = !matches!(value.content, Content::Null | Content::List(_) | Content::Map(_));
    let is_reference = value.text().is_some_and(is_made_of_references);
    if is_secret(&key.text) && is_scalar && !is_reference {
        problems.add_with(value.at, ProblemCode::WrongValue, MESSAGE, Some(HINT.to_owned()));
    } else {
        check(value, problems);
    }
    // A URL where a name is wanted.
    if has_literal(&key.text) {
        problems.add_with(key.at, ProblemCode::WrongValue, MESSAGE, Some(HINT.to_owned()));
    }
}

/// Whether a URL in a text holds a password, or an option that is a secret by its name, that is more than references.
fn has_literal(text: &str) -> bool {
    text.match_indices("://").any(|(at, _)| {
        let rest = &text[at + 3..];
        let end = rest.find(|c: char| c.is_whitespace() || c == '\'' || c == '"').unwrap_or(rest.len());
        let url = &rest[..end];
        let password = url.rsplit_once('@').and_then(|(sign_in, _)| sign_in.split_once(':'));
        let options = url.split_once('?').map_or("", |(_, options)| options.split('#').next().unwrap_or_default());
        let mut options = options.split('&').filter_map(|option| option.split_once('='));
        password.is_some_and(|(_, password)| !is_made_of_references(password))
            || options.any(|(key, value)| is_secret(key) && !is_made_of_references(value))
    })
}

/// Whether a text says nothing itself; one that says nothing at all does not, either.
fn is_made_of_references(text: &str) -> bool {
    secrets::pieces(text).is_ok_and(|pieces| !pieces.iter().any(|piece| matches!(piece, Piece::Plain(_))))
}
