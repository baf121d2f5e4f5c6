//! Identifiers as types of their own, so that a run can never be taken for a block.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

text_id!(
    /// One execution of a pipeline version: a UUID of version 7, so that ids sort by time of creation.
    RunId
);
text_id!(
    /// A block's name in its pipeline: letters, digits and underscores, not starting with a digit.
    BlockId
);
text_id!(
    /// A segment's name in its run: the id of its root block.
    SegmentId
);
text_id!(
    /// One process that works as an executor: a UUID of version 7, another for every start.
    ExecutorId
);

impl BlockId {
    /// Whether this is letters, digits and underscores, not starting with a digit, as every name of a block must be.
    pub fn is_plain(&self) -> bool {
        let text = self.as_str();
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        !text.is_empty() && !text.starts_with(|c: char| c.is_ascii_digit()) && text.chars().all(is_word)
    }
}

/// The fencing token of an attempt: given by the metadata database, greater wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Token(pub i64);

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}
