//! Lines of a run's log: what executors and the coordinator say of it, for people.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::id::{BlockId, RunId, SegmentId, Token};

/// How much a line matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// For whoever looks for a fault of ours.
    Debug,
    #[default]
    Info,
    Warn,
    Error,
}

impl Level {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Level {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let all = [Self::Debug, Self::Info, Self::Warn, Self::Error];
        let found = all.into_iter().find(|level| level.as_str().eq_ignore_ascii_case(text));
        found.ok_or_else(|| format!("`{text}` is none of `debug`, `info`, `warn` and `error`"))
    }
}

/// One line. Never holds a secret.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Milliseconds since 1970.
    pub at: i64,
    pub level: Level,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segment: Option<SegmentId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block: Option<BlockId>,
    /// The attempt it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<Token>,
    /// Where the executor is reached that says it; `None` where that is the coordinator's own process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub executor: Option<String>,
    pub message: String,
    /// What else belongs to it, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, String>,
}

/// Which lines are wanted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Filter {
    /// Only those about this block.
    pub block: Option<BlockId>,
    /// Only those that matter as much as this.
    pub level: Level,
    /// In the message or a field, whatever the case.
    pub search: Option<String>,
}

impl Filter {
    pub fn takes(&self, line: &Line) -> bool {
        let has = |text: &str, part: &str| text.to_lowercase().contains(part);
        let is_found = |search: &String| {
            let search = search.to_lowercase();
            has(&line.message, &search) || line.fields.values().any(|value| has(value, &search))
        };
        line.level >= self.level
            && self.block.as_ref().is_none_or(|block| line.block.as_ref() == Some(block))
            && self.search.as_ref().is_none_or(is_found)
    }
}

/// How far each that writes lines of a run was read, by its name: so many of its lines, told or left out.
pub type Cursor = BTreeMap<String, u64>;

/// What is asked for of a run's log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Query {
    pub run: RunId,
    /// What was read before.
    pub after: Cursor,
    pub filter: Filter,
    /// Lines in one answer.
    pub limit: usize,
}

/// A part of a run's log.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Page {
    /// In the order of their times, as far as they are written.
    pub lines: Vec<Line>,
    /// What was read with it.
    pub next: Cursor,
    /// Whether more lies there now.
    pub has_more: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_takes_what_it_says() {
        let line = Line {
            level: Level::Warn,
            block: Some("orders".into()),
            message: "Retried".into(),
            fields: [("reason".to_owned(), "Connection reset".to_owned())].into(),
            ..Line::default()
        };
        let takes = |filter: Filter| filter.takes(&line);
        assert!(takes(Filter::default()));
        assert!(takes(Filter { block: Some("orders".into()), level: Level::Warn, search: Some("RETR".into()) }));
        assert!(takes(Filter { search: Some("connection".into()), ..Filter::default() }));
        assert!(!takes(Filter { level: Level::Error, ..Filter::default() }));
        assert!(!takes(Filter { block: Some("other".into()), ..Filter::default() }));
        assert!(!takes(Filter { search: Some("refused".into()), ..Filter::default() }));
        assert_eq!("WARN".parse(), Ok(Level::Warn));
        assert!("loud".parse::<Level>().unwrap_err().contains("`loud`"));
    }
}
