//! The executor's one error: what happened, of which class, in which block.

use std::error::Error as StdError;
use std::io::ErrorKind;

use arrow::error::ArrowError;
use datafusion::error::DataFusionError;
use flowetl_proto::code::{Class, Failure};
use flowetl_proto::id::BlockId;

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong and what the engine must do about it ([`Class`]).
///
/// Travels through DataFusion as `DataFusionError::External` and comes out whole, see [`Error::from`].
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    pub class: Class,
    pub block: Option<BlockId>,
    /// What was being done and what happened: lowercase, no full stop, names in backticks, no secret.
    pub message: String,
    /// As [`Failure::lost`].
    pub lost: Option<String>,
    #[source]
    pub source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    pub fn new(class: Class, message: impl Into<String>) -> Self {
        Self { class, block: None, message: message.into(), lost: None, source: None }
    }

    /// The pipeline, its settings or its data are wrong.
    pub fn user(message: impl Into<String>) -> Self {
        Self::new(Class::User, message)
    }

    /// A fault of FlowETL itself.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(Class::Internal, message)
    }

    pub fn because(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Names the block, unless one nearer to the cause was named before.
    pub fn in_block(mut self, block: &BlockId) -> Self {
        self.block.get_or_insert_with(|| block.clone());
        self
    }

    /// The whole chain in one line, outermost first, each cause once.
    pub fn to_failure(&self) -> Failure {
        let mut message = self.message.clone();
        let mut cause = self.source.as_deref().map(|e| e as &dyn StdError);
        while let Some(error) = cause {
            let text = error.to_string();
            if !message.contains(&text) {
                message.push_str(": ");
                message.push_str(&text);
            }
            cause = error.source();
        }
        Failure { block: self.block.clone(), lost: self.lost.clone(), ..Failure::new(self.class, message) }
    }
}

impl Error {
    /// What several partitions were told at once cannot be taken out: our own error inside is told again in full.
    fn of_shared(error: &DataFusionError) -> Self {
        match error {
            DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) => Self::of_shared(inner),
            DataFusionError::Shared(inner) => Self::of_shared(inner),
            DataFusionError::External(inner) => Self::of_shared_cause(inner.as_ref()),
            DataFusionError::ArrowError(inner, _) => match inner.as_ref() {
                ArrowError::ExternalError(inner) => Self::of_shared_cause(inner.as_ref()),
                ArrowError::IoError(text, e) => Self::new(class_of_io(e), text),
                _ => Self::new(class_of(error), said(error)),
            },
            other => Self::new(class_of(other), said(other)),
        }
    }

    fn of_shared_cause(cause: &(dyn StdError + Send + Sync + 'static)) -> Self {
        if let Some(ours) = cause.downcast_ref::<Self>() {
            return Self::from(ours.to_failure());
        }
        match cause.downcast_ref::<DataFusionError>() {
            Some(engine) => Self::of_shared(engine),
            None => Self::internal(cause.to_string()),
        }
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        let Failure { class, block, message, lost, .. } = failure;
        Self { class, block, message, lost, source: None }
    }
}

impl From<Error> for DataFusionError {
    fn from(error: Error) -> Self {
        Self::External(Box::new(error))
    }
}

impl From<ArrowError> for Error {
    fn from(error: ArrowError) -> Self {
        Self::from(DataFusionError::from(error))
    }
}

impl From<DataFusionError> for Error {
    /// Finds our own error inside the engine's wrappers, else classes what the engine says.
    fn from(error: DataFusionError) -> Self {
        match error {
            DataFusionError::External(inner) => match inner.downcast::<Self>() {
                Ok(ours) => *ours,
                Err(other) => match other.downcast::<DataFusionError>() {
                    Ok(engine) => Self::from(*engine),
                    Err(other) => Self::internal(other.to_string()).because(other),
                },
            },
            DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) => Self::from(*inner),
            DataFusionError::Shared(inner) => Self::of_shared(&inner),
            DataFusionError::ArrowError(inner, backtrace) => match *inner {
                ArrowError::ExternalError(e) => Self::from(DataFusionError::External(e)),
                ArrowError::IoError(text, e) => Self::new(class_of_io(&e), text),
                other => Self::user(said(&DataFusionError::ArrowError(Box::new(other), backtrace))),
            },
            other => Self::new(class_of(&other), said(&other)),
        }
    }
}

/// How the engine's call for bug reports begins and ends.
const CALL_FOR_REPORTS: (&str, &str) = ("This issue was likely caused by a bug", "/datafusion/issues.");

/// What the engine says, told in our manner: one line, without its words for the kind of error.
fn said(error: &DataFusionError) -> String {
    let whole = match error {
        DataFusionError::ArrowError(inner, _) => said_by_arrow(inner),
        DataFusionError::Internal(text) => text.clone(),
        DataFusionError::SQL(inner, _) => inner.to_string(),
        other => other.message().into_owned(),
    };
    let told = whole.split(DataFusionError::BACK_TRACE_SEP).next().unwrap_or_default();
    // An error about a function's arguments has one of the engine's inside, which asks to be reported to its makers.
    let told = match told.split_once(CALL_FOR_REPORTS.0) {
        Some((before, call)) => before.to_owned() + call.split_once(CALL_FOR_REPORTS.1).map_or("", |(_, after)| after),
        None => told.to_owned(),
    };
    let lines: Vec<&str> =
        told.lines().map(|line| line.trim().trim_end_matches('.')).filter(|l| !l.is_empty()).collect();
    let line = lines.join("; ");
    let mut letters = line.chars();
    match (letters.next(), letters.clone().next()) {
        // A word in capitals is a name.
        (Some(first), Some(second)) if first.is_uppercase() && second.is_lowercase() => {
            first.to_lowercase().chain(letters).collect()
        }
        _ => line,
    }
}

fn said_by_arrow(error: &ArrowError) -> String {
    match error {
        ArrowError::ArithmeticOverflow(text)
        | ArrowError::CastError(text)
        | ArrowError::ComputeError(text)
        | ArrowError::CsvError(text)
        | ArrowError::InvalidArgumentError(text)
        | ArrowError::JsonError(text)
        | ArrowError::MemoryError(text)
        | ArrowError::ParquetError(text)
        | ArrowError::ParseError(text)
        | ArrowError::SchemaError(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The class of what the engine itself reports.
fn class_of(error: &DataFusionError) -> Class {
    match error {
        DataFusionError::ResourcesExhausted(_) => Class::Resource,
        DataFusionError::ExecutionJoin(e) if e.is_panic() => Class::Panic,
        DataFusionError::IoError(e) => class_of_io(e),
        DataFusionError::ObjectStore(_) => Class::SourceTransient,
        DataFusionError::Internal(_) => Class::Internal,
        _ => Class::User,
    }
}

/// The engine's own files are what it spills: a full disk is a limit that was reached.
fn class_of_io(error: &std::io::Error) -> Class {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Class::Resource,
        _ => Class::SourceTransient,
    }
}

#[cfg(test)]
mod tests;
