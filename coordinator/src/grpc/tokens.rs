//! The tokens that calls are taken with: a file of names and SHA-256 hashes, read again as it changes.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::fs::File;
use tokio::io::AsyncReadExt;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use crate::{Error, Result};

/// How often the file is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Ten thousand tokens; more is most likely another file.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// The file, and what it holds now.
#[derive(Debug)]
pub struct Tokens {
    path: PathBuf,
    known: watch::Sender<Arc<Known>>,
}

/// Whose tokens are taken.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Known(Vec<Holder>);

#[derive(Debug, PartialEq, Eq)]
struct Holder {
    name: String,
    hash: [u8; 32],
}

impl Tokens {
    /// Reads the file: a line for each token, `name sha256` with 64 hexadecimal digits; empty ones and those that begin with
    /// `#` say nothing.
    pub async fn read(path: &Path) -> Result<Self> {
        let known = read(path).await?;
        Ok(Self { path: path.to_owned(), known: watch::Sender::new(Arc::new(known)) })
    }

    pub(super) fn known(&self) -> watch::Receiver<Arc<Known>> {
        self.known.subscribe()
    }

    /// Looks at the file for ever. While it cannot be read no token is taken: what was taken out of it must not go on being
    /// taken.
    pub(super) async fn watch(&self) {
        let mut due = interval(LOOK_EVERY);
        due.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut was_wrong = false;
        loop {
            due.tick().await;
            let found = read(&self.path).await;
            if let Err(error) = &found
                && !was_wrong
            {
                tracing::error!(reason = error.chain(), "no token is taken until the file can be read");
            }
            was_wrong = found.is_err();
            let found = found.unwrap_or_default();
            self.known.send_if_modified(|known| {
                let has_changed = **known != found;
                if has_changed {
                    tracing::info!(tokens = found.0.len(), "the tokens have changed");
                    *known = Arc::new(found);
                }
                has_changed
            });
        }
    }
}

async fn read(path: &Path) -> Result<Known> {
    let failed = |source| Error::File { doing: "read", path: path.to_owned(), source };
    let mut text = String::new();
    let file = File::open(path).await.map_err(failed)?;
    file.take(FILE_BYTES_MAX).read_to_string(&mut text).await.map_err(failed)?;
    Known::parse(&text).map_err(|line| Error::Tokens { path: path.to_owned(), line })
}

impl Known {
    /// Fails with the number of the first line that is wrong, or of the one after the last where there is no token at all.
    fn parse(text: &str) -> Result<Self, usize> {
        let mut holders = Vec::new();
        for (at, line) in text.lines().enumerate() {
            let mut words = line.split_whitespace();
            let Some(name) = words.next().filter(|name| !name.starts_with('#')) else { continue };
            let hash = words.next().and_then(digits).ok_or(at + 1)?;
            if words.next().is_some() {
                return Err(at + 1);
            }
            holders.push(Holder { name: name.to_owned(), hash });
        }
        (!holders.is_empty()).then_some(Self(holders)).ok_or(text.lines().count() + 1)
    }

    /// The name of who has this token. Takes the same time whether or not there is one, and whichever it is.
    pub(super) fn holder(&self, token: &str) -> Option<&str> {
        let hash: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        let mut found = None;
        for holder in &self.0 {
            let difference = holder.hash.iter().zip(hash).fold(0, |all, (one, other)| all | (one ^ other));
            if difference == 0 {
                found = Some(holder.name.as_str());
            }
        }
        found
    }
}

/// 64 hexadecimal digits as bytes.
fn digits(text: &str) -> Option<[u8; 32]> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut bytes = [0; 32];
    let pairs = text.as_bytes().chunks_exact(2);
    if text.len() != 64 || !pairs.remainder().is_empty() {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(pairs) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

    fn hash(token: &str) -> String {
        Sha256::digest(token).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn a_token_is_known_by_its_hash() {
        let (first, second) = (hash("first"), hash("second").to_uppercase());
        let known = Known::parse(&format!("# who\n\nann {first}\n  bob\t{second}  \n")).unwrap();
        assert_eq!(
            ["first", "second", "", "firs", &first].map(|token| known.holder(token)),
            [Some("ann"), Some("bob"), None, None, None]
        );
    }

    #[test]
    fn a_wrong_line_is_told_by_its_number() {
        let short = &HASH[1..];
        for (text, line) in [
            ("", 1),
            ("# nobody\n", 2),
            ("ann", 1),
            (&*format!("ann {HASH}\nbob {short}\n"), 2),
            (&*format!("ann {HASH} more"), 1),
            (&*format!("ann {}é{}", &HASH[..31], &HASH[..31]), 1),
        ] {
            assert_eq!(Known::parse(text), Err(line), "{text}");
        }
    }
}
