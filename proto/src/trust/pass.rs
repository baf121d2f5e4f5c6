//! The pass of a call: what it is about and until when it counts, sealed with the key that only the cluster's processes have.

use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::hmac;
use serde::{Deserialize, Serialize};
use tonic::Request;
use tonic::metadata::MetadataValue;

use crate::control::AttemptId;
use crate::id::{RunId, SegmentId, Token};
use crate::wire::PASS_HEADER;

/// What is sealed begins with this, so that a seal of another kind under the same key is never taken for a pass.
const PURPOSE: &str = "flowetl-pass-1.";

/// How long a pass counts, in milliseconds: longer than a call may take, and than the clocks of two machines that keep time
/// differ.
const LIFE_MS: i64 = 120_000;

/// What a call of an executor is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// The executor itself: who it is, and what it reports.
    Executor,
    /// A whole run.
    Run(RunId),
    /// One attempt.
    Attempt { run: RunId, segment: SegmentId, token: Token },
    /// The end of one attempt, which is asked for by its token alone.
    End { run: RunId, token: Token },
}

impl From<&AttemptId> for Subject {
    fn from(id: &AttemptId) -> Self {
        Self::Attempt { run: id.run.clone(), segment: id.segment.clone(), token: id.token }
    }
}

/// What a caller may ask for, and until when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pass {
    pub subject: Subject,
    /// That of the coordinator which leads.
    pub term: i64,
    /// Milliseconds since 1970.
    pub until: i64,
}

/// The key of a cluster: whoever has it may call its executors. Never shown.
#[derive(Clone)]
pub struct ClusterKey(hmac::Key);

/// The text of a key has not the length that one must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it has {0} characters, and a key has {min} to {max}", min = ClusterKey::BYTES_MIN, max = ClusterKey::BYTES_MAX)]
pub struct KeyLength(usize);

/// Why a pass does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("a call needs a pass, and came without one: does its caller have the cluster's key?")]
    Missing,
    /// Damaged or sealed with another key: which of the two is nobody's business.
    #[error("the pass was not made with this cluster's key")]
    Unknown,
    #[error("the pass has expired {0} ms ago: do the clocks of the two machines agree?")]
    Expired(i64),
    #[error("the pass is for something else than what is asked for")]
    Other,
}

impl fmt::Debug for ClusterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClusterKey")
    }
}

impl ClusterKey {
    /// 32 hexadecimal digits are half of what HMAC-SHA256 can use, and more than anyone can guess.
    pub const BYTES_MIN: usize = 32;
    /// A longer one is most likely another file.
    pub const BYTES_MAX: usize = 1024;

    /// Any text of enough characters; space around it does not count.
    pub fn new(text: &str) -> Result<Self, KeyLength> {
        let text = text.trim().as_bytes();
        if !(Self::BYTES_MIN..=Self::BYTES_MAX).contains(&text.len()) {
            return Err(KeyLength(text.len()));
        }
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, text)))
    }

    /// The pass as it travels: letters, digits, `-`, `_` and one dot.
    pub fn seal(&self, pass: &Pass) -> String {
        // A struct of names and numbers is always JSON; no text at all would be refused like a damaged one.
        let claims = BASE64_URL_SAFE_NO_PAD.encode(serde_json::to_vec(pass).unwrap_or_default());
        let seal = hmac::sign(&self.0, sealed(&claims).as_bytes());
        format!("{claims}.{}", BASE64_URL_SAFE_NO_PAD.encode(seal))
    }

    /// Puts a pass into a call.
    pub fn stamp<T>(&self, request: &mut Request<T>, pass: &Pass) {
        // Its characters are those of a header; a call without it would be refused.
        if let Ok(mut value) = MetadataValue::try_from(self.seal(pass)) {
            value.set_sensitive(true);
            request.metadata_mut().insert(PASS_HEADER, value);
        }
    }

    /// Puts a pass of `term` into a call, for what the call is [`about`] or else the executor itself; `now` is in
    /// milliseconds since 1970.
    pub fn stamp_own<T>(&self, request: &mut Request<T>, term: i64, now: i64) {
        let subject = request.extensions_mut().remove().unwrap_or(Subject::Executor);
        self.stamp(request, &Pass { subject, term, until: now.saturating_add(LIFE_MS) });
    }

    /// The pass of a call, opened as by [`Self::open`].
    pub fn shown<T>(&self, request: &Request<T>, now: i64) -> Result<Pass, Refused> {
        let text = request.metadata().get(PASS_HEADER).ok_or(Refused::Missing)?;
        self.open(text.to_str().map_err(|_| Refused::Unknown)?, now)
    }

    /// Opens a pass at the time `now`, in milliseconds since 1970. Nothing of it is read before its seal was found good, in
    /// a time that does not depend on how good.
    pub fn open(&self, text: &str, now: i64) -> Result<Pass, Refused> {
        let (claims, seal) = text.split_once('.').ok_or(Refused::Unknown)?;
        let seal = BASE64_URL_SAFE_NO_PAD.decode(seal).map_err(|_| Refused::Unknown)?;
        hmac::verify(&self.0, sealed(claims).as_bytes(), &seal).map_err(|_| Refused::Unknown)?;
        let claims = BASE64_URL_SAFE_NO_PAD.decode(claims).map_err(|_| Refused::Unknown)?;
        let pass: Pass = serde_json::from_slice(&claims).map_err(|_| Refused::Unknown)?;
        match now.saturating_sub(pass.until) {
            late if late > 0 => Err(Refused::Expired(late)),
            _ => Ok(pass),
        }
    }
}

/// A call about something narrower than the executor, as [`ClusterKey::stamp_own`] finds it.
pub fn about<T>(subject: Subject, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.extensions_mut().insert(subject);
    request
}

fn sealed(claims: &str) -> String {
    format!("{PURPOSE}{claims}")
}

impl Pass {
    /// Whether this is the pass for `subject`, of the coordinator of `term`.
    pub fn permits(&self, subject: &Subject, term: i64) -> Result<(), Refused> {
        (self.subject == *subject && self.term == term).then_some(()).ok_or(Refused::Other)
    }
}
