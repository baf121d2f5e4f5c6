//! References to secrets inside a connection's texts: `${env:NAME}` and `${file:/path}`.

use std::io;

/// Where secrets come from. Only the program's own edge implements this; nothing else reads the environment.
pub trait Secrets {
    /// The value of an environment variable, `None` where it is not set.
    fn env(&self, name: &str) -> Option<String>;

    /// The text of a file.
    fn file(&self, path: &str) -> io::Result<String> {
        std::fs::read_to_string(path)
    }
}

/// A stretch of a text: as it stands, or a reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece<'t> {
    Plain(&'t str),
    Env(&'t str),
    File(&'t str),
}

/// Cuts a text at its references. The error never shows the text itself, which may be a password.
pub(super) fn pieces(text: &str) -> Result<Vec<Piece<'_>>, String> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        if start > 0 {
            pieces.push(Piece::Plain(&rest[..start]));
        }
        let inside = &rest[start + 2..];
        let end = inside.find('}').ok_or("a `${` has no `}`")?;
        pieces.push(reference(&inside[..end])?);
        rest = &inside[end + 1..];
    }
    if !rest.is_empty() {
        pieces.push(Piece::Plain(rest));
    }
    Ok(pieces)
}

fn reference(inside: &str) -> Result<Piece<'_>, String> {
    match inside.split_once(':') {
        Some(("env", name)) if is_variable(name) => Ok(Piece::Env(name)),
        Some(("env", _)) => Err("`${env:...}` needs the name of an environment variable".to_owned()),
        Some(("file", path)) if !path.is_empty() => Ok(Piece::File(path)),
        _ => Err("a `${...}` is not understood; write `${env:NAME}` or `${file:/path}`".to_owned()),
    }
}

fn is_variable(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Whether a text is nothing but one reference, and so may be shown.
pub(super) fn is_reference(text: &str) -> bool {
    matches!(pieces(text).as_deref(), Ok([Piece::Env(_) | Piece::File(_)]))
}

/// The text with every reference replaced; the error names the variable or file that is missing.
pub(super) fn resolve(text: &str, secrets: &dyn Secrets) -> Result<String, String> {
    let mut resolved = String::new();
    for piece in pieces(text)? {
        match piece {
            Piece::Plain(plain) => resolved.push_str(plain),
            Piece::Env(name) => match secrets.env(name) {
                Some(value) => resolved.push_str(&value),
                None => return Err(format!("the environment variable `{name}` is not set")),
            },
            // Editors and `echo` end a file with a line break that is no part of the secret.
            Piece::File(path) => match secrets.file(path) {
                Ok(text) => resolved.push_str(text.trim_end_matches(['\r', '\n'])),
                Err(e) => return Err(format!("cannot read the secret file `{path}`: {}", e.kind())),
            },
        }
    }
    Ok(resolved)
}
