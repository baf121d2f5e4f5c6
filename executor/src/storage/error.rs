//! What object stores and file systems report, in the engine's words.

use std::io;

use flowetl_proto::code::Class;

use super::Storage;
use crate::Error;

/// Which way the data went when it failed: it decides the class of what is worth trying again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Read,
    Write,
}

impl Side {
    fn transient(self) -> Class {
        match self {
            Self::Read => Class::SourceTransient,
            Self::Write => Class::SinkTransient,
        }
    }
}

impl Storage {
    /// `doing` is what was tried (`cannot read`), `name` the file.
    pub fn error(&self, side: Side, doing: &str, name: &str, error: object_store::Error) -> Error {
        use object_store::Error as E;
        if let Some(io) = io_cause(&error) {
            return self.io_error(side, doing, name, io::Error::from_raw_os_error(io));
        }
        let class = match &error {
            E::NotFound { .. } | E::InvalidPath { .. } | E::PermissionDenied { .. } | E::Unauthenticated { .. } => {
                Class::User
            }
            E::NotSupported { .. } | E::NotImplemented { .. } | E::UnknownConfigurationKey { .. } => Class::User,
            _ => side.transient(),
        };
        let mut reason = error.to_string();
        // Not every request's refusal arrives as a kind of its own.
        let refused =
            ["403 Forbidden", "401 Unauthorized", "301 Moved", "400 Bad Request"].iter().any(|s| reason.contains(s));
        let class = if refused { Class::User } else { class };
        if let Some(said) = xml(&reason, "Code").zip(xml(&reason, "Message")) {
            reason = format!("{}: {}", said.0, said.1);
        }
        for secret in self.secrets.iter().filter(|s| !s.reveal().is_empty()) {
            reason = reason.replace(secret.reveal(), "***");
        }
        Error::new(class, format!("{doing} `{}`: {reason}", self.label(name)))
    }

    /// The same for the local file system; a full disk is a matter of resources.
    pub fn io_error(&self, side: Side, doing: &str, name: &str, error: io::Error) -> Error {
        use io::ErrorKind as K;
        let class = match error.kind() {
            K::StorageFull | K::QuotaExceeded | K::FileTooLarge => Class::Resource,
            K::NotFound | K::PermissionDenied | K::NotADirectory | K::IsADirectory | K::ReadOnlyFilesystem => {
                Class::User
            }
            K::InvalidFilename | K::InvalidInput => Class::User,
            _ => side.transient(),
        };
        Error::new(class, format!("{doing} `{}`", self.label(name))).because(error)
    }
}

/// The text of an element in a service's answer.
fn xml(text: &str, element: &str) -> Option<String> {
    let (_, rest) = text.split_once(&format!("<{element}>"))?;
    let (inside, _) = rest.split_once(&format!("</{element}>"))?;
    Some(inside.trim_end_matches('.').to_owned())
}

/// A failed write where the file's name is not at hand.
pub fn write_error(error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Error::new(Class::Resource, "the disk is full"),
        io::ErrorKind::FileTooLarge => Error::new(Class::Resource, "a file has grown to its limit"),
        _ => Error::new(Class::SinkTransient, "cannot write"),
    }
    .because(error)
}

/// The operating system's error number inside an object store's error.
fn io_cause(error: &object_store::Error) -> Option<i32> {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(e) = cause {
        if let Some(number) = e.downcast_ref::<io::Error>().and_then(io::Error::raw_os_error) {
            return Some(number);
        }
        cause = e.source();
    }
    None
}
