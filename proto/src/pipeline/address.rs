//! Reads a connection's URL. No error ever repeats a part of the URL that could be a password.

use std::path::{Component, Path, PathBuf};

use indexmap::IndexMap;

use super::ConnectionSpec;
use super::secrets::{self, Piece};

/// Schemes whose URL is a path on this machine and has no host.
const LOCAL: [&str; 2] = ["sqlite", "file"];

/// A URL, and what stood after its `#`.
#[derive(Debug)]
pub(super) struct Address {
    pub spec: ConnectionSpec,
    pub fragment: Option<String>,
}

/// The scheme, if `text` is a URL: `scheme://...`, or `scheme:...` for a scheme that is known.
pub(super) fn scheme(text: &str, known: impl Fn(&str) -> bool) -> Option<&str> {
    let (scheme, rest) = text.split_once(':')?;
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    (is_scheme && (rest.starts_with("//") || known(scheme))).then_some(scheme)
}

pub(super) fn is_local(scheme: &str) -> bool {
    LOCAL.contains(&scheme)
}

/// Reads `scheme://user:password@host:port/path?option=value#fragment`. `usual` is the scheme's usual name; relative
/// paths of local schemes are taken from `folder`.
pub(super) fn parse(text: &str, usual: &str, folder: &Path) -> Result<Address, String> {
    let protected = Protected::new(text)?;
    let (_, rest) = protected.text.split_once(':').ok_or("this is no URL")?;
    let rest = match rest.strip_prefix("//") {
        Some(rest) => rest,
        None if is_local(usual) => rest,
        None => return Err(format!("the URL begins with `{usual}:`, but must with `{usual}://`")),
    };
    let (rest, fragment) = split_optional(rest, '#');
    let (rest, query) = split_optional(rest, '?');
    let mut spec = ConnectionSpec {
        scheme: usual.to_owned(),
        host: None,
        port: None,
        user: None,
        password: None,
        path: String::new(),
        options: IndexMap::new(),
    };
    if is_local(usual) {
        spec.path = local_path(folder, &protected.decode(rest)?);
    } else {
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        read_authority(&mut spec, authority, &protected)?;
        spec.path = protected.decode(path)?;
    }
    for pair in query.unwrap_or("").split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let key = protected.decode(key)?;
        if spec.options.insert(key.clone(), protected.decode(value)?).is_some() {
            return Err(format!("the option `{key}` stands in the URL twice"));
        }
    }
    let fragment = fragment.map(|text| protected.decode(text)).transpose()?;
    Ok(Address { spec, fragment })
}

fn read_authority(spec: &mut ConnectionSpec, authority: &str, protected: &Protected) -> Result<(), String> {
    let (sign_in, place) = match authority.rsplit_once('@') {
        Some((sign_in, place)) => (Some(sign_in), place),
        None => (None, authority),
    };
    if let Some(sign_in) = sign_in {
        let (user, password) = split_optional(sign_in, ':');
        spec.user = Some(protected.decode(user)?).filter(|user| !user.is_empty());
        spec.password = password.map(|p| protected.decode(p)).transpose()?;
    }
    let (host, port) = match place.strip_prefix('[') {
        Some(v6) => {
            let (host, after) = v6.split_once(']').ok_or("the URL's `[` has no `]`")?;
            match after.strip_prefix(':') {
                Some(port) => (host, Some(port)),
                None if after.is_empty() => (host, None),
                None => return Err("after the `]` of the URL only `:port` can stand".to_owned()),
            }
        }
        None => split_optional(place, ':'),
    };
    spec.host = Some(protected.decode(host)?).filter(|host| !host.is_empty());
    spec.port = match port.filter(|port| !port.is_empty()) {
        None => None,
        Some(port) => match port.parse::<u16>() {
            Ok(port) if port > 0 => Some(port),
            _ => {
                return Err("the URL's port is no number from 1 to 65535; in a password, `/`, `#`, `?` and `@` are \
                            written `%2F`, `%23`, `%3F` and `%40`"
                    .to_owned());
            }
        },
    };
    Ok(())
}

fn split_optional(text: &str, at: char) -> (&str, Option<&str>) {
    match text.split_once(at) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

/// A path on this machine: absolute as it is, relative below `folder`, with `.` and `..` folded.
pub(super) fn local_path(folder: &Path, path: &str) -> String {
    // What begins with a reference is known only when it is resolved.
    if path.is_empty() || path.starts_with("${") {
        return path.to_owned();
    }
    let ending = if path.ends_with('/') && path.len() > 1 { "/" } else { "" };
    format!("{}{ending}", normal(&folder.join(path)))
}

/// Folds `.` and `..` without looking at the disk.
pub(super) fn normal(path: &Path) -> String {
    let mut folded = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => match folded.components().next_back() {
                Some(Component::Normal(_)) => {
                    folded.pop();
                }
                Some(Component::RootDir) => {}
                _ => folded.push(".."),
            },
            other => folded.push(other),
        }
    }
    match folded.to_string_lossy().into_owned() {
        folded if folded.is_empty() => ".".to_owned(),
        folded => folded,
    }
}

/// A URL in which every `${...}` is one character that means nothing to URLs, so that a `/` or `:` inside it is none of
/// the URL's own.
struct Protected {
    text: String,
    references: Vec<String>,
}

impl Protected {
    /// The first of a range of characters that Unicode keeps for private use.
    const FIRST: u32 = 0xE000;
    const COUNT_MAX: usize = 1_000;

    fn new(text: &str) -> Result<Self, String> {
        if text.chars().any(|c| Self::number(c).is_some()) {
            return Err("the URL holds a character that Unicode keeps for private use".to_owned());
        }
        let mut protected = Self { text: String::new(), references: Vec::new() };
        for piece in secrets::written(text)? {
            let reference = match piece {
                Piece::Plain(plain) => {
                    protected.text.push_str(plain);
                    continue;
                }
                Piece::Env(name) => format!("${{env:{name}}}"),
                Piece::File(path) => format!("${{file:{path}}}"),
                Piece::Vault(path) => secrets::in_vault(path),
            };
            let stand_in = char::from_u32(Self::FIRST + protected.references.len() as u32);
            match stand_in.filter(|_| protected.references.len() < Self::COUNT_MAX) {
                Some(stand_in) => protected.text.push(stand_in),
                None => return Err("the URL holds too many `${...}`".to_owned()),
            }
            protected.references.push(reference);
        }
        Ok(protected)
    }

    fn number(c: char) -> Option<usize> {
        (c as u32).checked_sub(Self::FIRST).map(|n| n as usize).filter(|n| *n < Self::COUNT_MAX)
    }

    /// Percent-decodes a part and puts the references back.
    fn decode(&self, part: &str) -> Result<String, String> {
        let mut bytes = Vec::with_capacity(part.len());
        let mut rest = part.as_bytes();
        while let Some((&byte, after)) = rest.split_first() {
            rest = after;
            if byte != b'%' {
                bytes.push(byte);
                continue;
            }
            let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
            let decoded = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
            bytes
                .push(decoded.ok_or("in a URL `%` stands before two hexadecimal digits; `%` itself is written `%25`")?);
            rest = &after[2..];
        }
        let decoded = String::from_utf8(bytes).map_err(|_| "a percent-encoded part of the URL is not UTF-8")?;
        let mut text = String::with_capacity(decoded.len());
        for c in decoded.chars() {
            match Self::number(c).and_then(|n| self.references.get(n)) {
                Some(reference) => text.push_str(reference),
                None => text.push(c),
            }
        }
        Ok(text)
    }
}
