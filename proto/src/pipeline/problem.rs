//! What is wrong with a file, and where, as a person reads it.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::id::BlockId;

/// A place in a file. Both count from 1; a line of 0 means that there is no file to point into.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
pub struct At {
    pub line: u32,
    pub column: u32,
}

/// The sort of a problem, for editors and scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProblemCode {
    /// Neither YAML nor JSON.
    Syntax,
    /// Larger or deeper than any pipeline needs to be.
    Limit,
    DuplicateKey,
    UnknownKey,
    MissingKey,
    WrongType,
    WrongValue,
    UnknownBlock,
    UnknownConnection,
    WrongReference,
    WrongSql,
    WrongPort,
    Cycle,
    MissingSecret,
    /// Known, but not built yet.
    NotYet,
}

/// One thing that is wrong: `orders.yml:7:5: block `features`: unknown key `overlp`, did you mean `overlap`?`.
///
/// No problem ever holds a password or another secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = PipelineProblem)]
pub struct Problem {
    /// The file as its reader named it.
    pub file: String,
    #[serde(flatten)]
    pub at: At,
    pub block: Option<BlockId>,
    pub code: ProblemCode,
    /// Lowercase, no full stop, names in backticks.
    pub message: String,
    /// What would help.
    pub hint: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.file)?;
        if self.at.line > 0 {
            write!(f, "{}:{}:", self.at.line, self.at.column)?;
        }
        if let Some(block) = &self.block {
            write!(f, " block `{block}`:")?;
        }
        write!(f, " {}", self.message)?;
        match &self.hint {
            Some(hint) if hint.starts_with("did you mean") => write!(f, ", {hint}"),
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Problem {}

/// More problems than a person reads; what stands behind them is found when these are solved.
const PROBLEMS_MAX: usize = 200;

/// Gathers problems, so that a reader hears of all of them at once.
#[derive(Debug, Default)]
pub(super) struct Problems {
    file: String,
    block: Option<BlockId>,
    found: Vec<Problem>,
}

impl Problems {
    pub fn new(file: &str) -> Self {
        Self { file: file.to_owned(), block: None, found: Vec::new() }
    }

    /// The block that is looked at from now on, which every problem then names. A text that is no block's name may be
    /// anything, and is not repeated.
    pub fn look_at(&mut self, block: Option<&BlockId>) {
        self.block = block.filter(|id| id.is_plain()).cloned();
    }

    pub fn add(&mut self, at: At, code: ProblemCode, message: impl Into<String>) {
        self.add_with(at, code, message, None);
    }

    pub fn add_with(&mut self, at: At, code: ProblemCode, message: impl Into<String>, hint: Option<String>) {
        let (file, block) = (self.file.clone(), self.block.clone());
        let (message, hint) = (hide_passwords(&message.into()), hint.as_deref().map(hide_passwords));
        let problem = Problem { file, at, block, code, message, hint };
        if self.found.len() < PROBLEMS_MAX && !self.found.contains(&problem) {
            self.found.push(problem);
        }
    }

    pub fn len(&self) -> usize {
        self.found.len()
    }

    /// Forgets everything after the first `len` problems.
    pub fn truncate(&mut self, len: usize) {
        self.found.truncate(len);
    }

    /// `value` when nothing was found, else every problem in the order of the file.
    pub fn or<T>(self, value: T) -> Result<T, Vec<Problem>> {
        if self.found.is_empty() { Ok(value) } else { Err(self.into_sorted()) }
    }

    /// Every problem in the order of the file.
    pub fn into_sorted(mut self) -> Vec<Problem> {
        self.found.sort_by_key(|p| p.at);
        self.found
    }
}

/// Hides what could be a password. Messages do not repeat URLs; but a URL may stand where a name is wanted, and then the
/// message repeats it.
fn hide_passwords(message: &str) -> String {
    let is_edge = |c: char| c.is_whitespace() || c == '`';
    message.split_inclusive(is_edge).map(hide_password).collect()
}

/// Hides, in one word, what follows `:` where a URL holds a password, and the values of options.
fn hide_password(word: &str) -> String {
    // Our own hints.
    if ["${env:NAME}", "${env:...}", "${file:/path}"].iter().any(|hint| word.contains(hint)) {
        return word.to_owned();
    }
    let edge = word.trim_end_matches(|c: char| c.is_whitespace() || c == '`').len();
    let (word, edge) = word.split_at(edge);
    let start = word.find("://").map_or(0, |scheme| scheme + 3);
    let (sign_in, place) = word[start..].rfind('@').map_or(("", &word[start..]), |end| word[start..].split_at(end));
    let mut shown = word[..start].to_owned();
    match sign_in.split_once(':') {
        Some((user, _)) => shown.extend([user, ":***"]),
        None => shown.push_str(sign_in),
    }
    let (place, options) = place.split_at(place.find('?').unwrap_or(place.len()));
    match place.split_once(':') {
        Some((host, port)) if !is_harmless(port) => shown.extend([host, ":***"]),
        _ => shown.push_str(place),
    }
    shown.push_str(if options.contains('=') { "?***" } else { options });
    shown + edge
}

/// Whether what follows a `:` is nothing, or a port.
fn is_harmless(text: &str) -> bool {
    let after = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let is_port = text.len() - after.len() <= 5;
    is_port && (after.is_empty() || after.starts_with(['/', '.', '#']))
}

/// `did you mean `overlap`?`, when a known word is near enough to what was written.
pub(super) fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest_word(written, known).map(|word| format!("did you mean `{word}`?"))
}

/// The known word with the fewest edits; at most a third of the letters may differ, two in short words.
pub fn nearest_word<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (written.chars().count() / 3).max(2);
    known
        .into_iter()
        .map(|word| (strsim::damerau_levenshtein(&written.to_lowercase(), &word.to_lowercase()), word))
        .filter(|(edits, word)| *edits <= limit && *edits < word.chars().count())
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, word)| word)
}

/// `` `a`, `b` or `c` ``.
pub(super) fn one_of<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let mut words: Vec<String> = words.into_iter().map(|w| format!("`{w}`")).collect();
    match words.pop() {
        None => "nothing".to_owned(),
        Some(last) if words.is_empty() => last,
        Some(last) => format!("{} or {last}", words.join(", ")),
    }
}
