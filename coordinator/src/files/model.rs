//! Files and uploads as they are kept and shown, and what they may be called.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use flowetl_proto::run::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Maker, Object};
use crate::accounts::Refusal;

/// What the ids of files begin with that pipelines have written; where they lie follows. No UUID begins so.
const WRITTEN: &str = "at-";

/// Somewhat less than most file systems take, which have a longer one while the file is written.
const NAME_BYTES_MAX: usize = 240;
/// With a name, and what an installation puts before both, less than the 1024 bytes that S3 takes.
const FOLDER_BYTES_MAX: usize = 500;
/// They would mean something else in a path or a pattern; after `#` folders number what is being written.
const NOT_IN_NAMES: [char; 7] = ['/', '\\', '*', '?', '[', ']', '#'];

/// A file that was uploaded, or that a pipeline has written.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct File {
    pub id: String,
    #[serde(skip)]
    pub organization: String,
    /// Empty: in none.
    pub folder: String,
    pub name: String,
    pub size: i64,
    /// Of its content, in hexadecimal digits; null where a pipeline has written it.
    pub sha256: Option<String>,
    /// The id of the person; null where a pipeline has written it.
    pub created_by: Option<String>,
    /// When its content came, by the storage's clock.
    pub created_at: Timestamp,
    /// The run that has written it; null where it was uploaded, or where that is not known.
    pub written_by: Option<Maker>,
}

/// A file that is being uploaded.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Upload {
    pub id: String,
    #[serde(skip)]
    pub organization: String,
    pub folder: String,
    pub name: String,
    pub size: i64,
    /// What it is to be, where that was said.
    pub sha256: Option<String>,
    /// From where on to send more.
    pub offset: i64,
    #[serde(skip)]
    pub created_by: Option<String>,
    pub created_at: Timestamp,
}

/// Where a file is, or is to be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Spot {
    pub folder: String,
    pub name: String,
}

/// Which files.
#[derive(Clone, Debug, Default)]
pub(crate) struct FileQuery {
    pub organization: String,
    /// In this folder alone; in all where it is `None`.
    pub folder: Option<String>,
    pub search: Option<String>,
    /// Those behind this one.
    pub after: Option<Place>,
    pub limit: i64,
}

/// Where a file stands among others: those that were uploaded come before those that pipelines have written.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Place {
    pub is_written: bool,
    pub folder: String,
    pub name: String,
}

impl File {
    /// What a pipeline has put there.
    pub(crate) fn written(organization: &str, spot: Spot, object: &Object) -> Self {
        let id = format!("{WRITTEN}{}", URL_SAFE_NO_PAD.encode(spot.path()));
        let (size, created_at) = (size(object), Timestamp(object.changed_at));
        let (organization, Spot { folder, name }) = (organization.to_owned(), spot);
        Self { id, organization, folder, name, size, sha256: None, created_by: None, created_at, written_by: None }
    }

    /// An uploaded file as it lies there by now: a pipeline may have written over it.
    pub(crate) fn current(self, object: &Object) -> Self {
        // Storages tell times to the second, where one object is asked for.
        let is_later = object.changed_at / 1000 > self.created_at.0 / 1000;
        if size(object) == self.size && !is_later {
            return self;
        }
        let created_at = Timestamp(object.changed_at);
        Self { size: size(object), sha256: None, created_by: None, created_at, ..self }
    }

    /// What differs between two contents of it.
    pub(crate) fn tag(&self) -> String {
        self.sha256.clone().unwrap_or_else(|| format!("{}-{}", self.created_at.0, self.size))
    }

    pub(crate) fn spot(&self) -> Spot {
        Spot { folder: self.folder.clone(), name: self.name.clone() }
    }

    pub(crate) fn place(&self) -> Place {
        let is_written = self.id.starts_with(WRITTEN);
        Place { is_written, folder: self.folder.clone(), name: self.name.clone() }
    }
}

/// Where the file of an id lies that a pipeline has written.
pub(crate) fn written_at(id: &str) -> Option<Spot> {
    let path = URL_SAFE_NO_PAD.decode(id.strip_prefix(WRITTEN)?).ok()?;
    Spot::at(&String::from_utf8(path).ok()?)
}

fn size(object: &Object) -> i64 {
    i64::try_from(object.size).unwrap_or(i64::MAX)
}

impl Spot {
    pub(crate) fn new(folder: &str, name: &str) -> Result<Self, Refusal> {
        let folder = folder_of(folder)?;
        if !is_name(name) {
            let message = format!(
                "a file's name has 1 to {NAME_BYTES_MAX} bytes, begins with neither `.` nor `_`, and has no control \
                 characters and none of `/`, `\\`, `*`, `?`, `[`, `]` and `#`"
            );
            return Err(Refusal::wrong("name", message));
        }
        Ok(Self { folder, name: name.to_owned() })
    }

    /// Where a path leads; `None` where it leads to nobody's file.
    pub(crate) fn at(path: &str) -> Option<Self> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        Self::new(folder, name).ok().filter(|spot| spot.path() == path)
    }

    /// Where its folder, and each that this one lies in, would be a file.
    pub(crate) fn above(&self) -> Vec<Self> {
        let parts: Vec<&str> = self.folder.split('/').filter(|part| !part.is_empty()).collect();
        let spot = |(at, name): (usize, &&str)| Self { folder: parts[..at].join("/"), name: (*name).to_owned() };
        parts.iter().enumerate().map(spot).collect()
    }

    /// As a pipeline names it, behind `files/`.
    pub(crate) fn path(&self) -> String {
        if self.folder.is_empty() { self.name.clone() } else { format!("{}/{}", self.folder, self.name) }
    }
}

/// A folder, as it was sent.
pub(crate) fn folder_of(text: &str) -> Result<String, Refusal> {
    let folder = text.trim_matches('/');
    if folder.len() > FOLDER_BYTES_MAX || (!folder.is_empty() && !folder.split('/').all(is_name)) {
        return Err(Refusal::wrong("folder", "a folder is names of files with `/` between them"));
    }
    Ok(folder.to_owned())
}

/// Names that begin with a dot or an underscore are nobody's data to whoever reads folders.
pub(crate) fn is_name(name: &str) -> bool {
    let is_plain = |c: char| !c.is_control() && !NOT_IN_NAMES.contains(&c);
    (1..=NAME_BYTES_MAX).contains(&name.len())
        && !name.starts_with(['.', '_'])
        && name.trim() == name
        && name.chars().all(is_plain)
}

/// A SHA-256 in hexadecimal digits, as it was sent.
pub(crate) fn sha256(text: &str) -> Result<String, Refusal> {
    let is_hash = text.len() == 64 && text.chars().all(|c| c.is_ascii_hexdigit());
    if is_hash {
        return Ok(text.to_lowercase());
    }
    Err(Refusal::wrong("sha256", "`sha256` takes 64 hexadecimal digits"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fi_1_names_stay_where_they_are() {
        for (folder, name) in [("", "a.csv"), ("/raw/2025/", "ż b.parquet"), ("a", "a..b")] {
            assert!(Spot::new(folder, name).is_ok(), "{folder} {name}");
        }
        for (folder, name) in [
            ("", ""),
            ("", ".."),
            ("", "a/b"),
            ("", "a\\b"),
            ("", "a\nb"),
            ("", ".a"),
            ("", "_flowetl"),
            ("", "a*"),
            ("", "a#1"),
            ("..", "a"),
            ("a/../b", "a"),
            ("a//b", "a"),
            ("a/./b", "a"),
            ("a\0", "a"),
            ("", " a"),
        ] {
            assert!(Spot::new(folder, name).is_err(), "{folder:?} {name:?}");
        }
        assert!(Spot::new("", &"x".repeat(256)).is_err());
        let above: Vec<_> = Spot::new("raw/2025", "a.csv").unwrap().above().iter().map(Spot::path).collect();
        assert_eq!(above, ["raw", "raw/2025"]);
        assert_eq!(Spot::new("/raw/", "a.csv").unwrap().path(), "raw/a.csv");
    }
}
