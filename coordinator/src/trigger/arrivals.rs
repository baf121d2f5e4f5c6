//! Which files have arrived since a place was last looked at: pure.

use std::collections::BTreeMap;

use flowetl_proto::look::FileState;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Paths that an event tells.
const TOLD_MAX: usize = 100;

/// The files of one look, by path.
pub(crate) type Seen = BTreeMap<String, SeenFile>;

/// A file as it was at a look.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SeenFile {
    /// Of which bytes it was: another one means others.
    pub version: String,
    /// Whether it was the same at two looks, so that nobody still writes it.
    pub is_settled: bool,
}

/// Files that have arrived together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Arrived {
    /// How many they are.
    pub count: u64,
    /// Their paths at the connection, in alphabetical order: up to 100.
    pub files: Vec<String>,
}

/// What the next look compares with, and the files that are new or changed since and were the same at two looks. What the
/// first look finds was there before.
pub(super) fn step(before: Option<&Seen>, files: &[FileState]) -> (Seen, Option<Arrived>) {
    let mut arrived = Arrived { count: 0, files: Vec::new() };
    let mut seen = Seen::new();
    for file in files {
        let version = format!("{} {}", file.size, file.version);
        let same = before.and_then(|before| before.get(&file.path)).filter(|known| known.version == version);
        if same.is_some_and(|known| !known.is_settled) {
            arrived.count += 1;
            arrived.files.push(file.path.clone());
        }
        seen.insert(file.path.clone(), SeenFile { version, is_settled: before.is_none() || same.is_some() });
    }
    arrived.files.sort();
    arrived.files.truncate(TOLD_MAX);
    (seen, (arrived.count > 0).then_some(arrived))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(before: &mut Option<Seen>, files: &[(&str, u64)]) -> Vec<String> {
        let state = |(path, size): &(&str, u64)| FileState { path: (*path).into(), size: *size, version: "v".into() };
        let (seen, arrived) = step(before.as_ref(), &files.iter().map(state).collect::<Vec<_>>());
        *before = Some(seen);
        arrived.map(|arrived| arrived.files).unwrap_or_default()
    }

    #[test]
    fn x27_a_file_arrives_once_it_stands_still() {
        let mut seen = None;
        let none: [&str; 0] = [];
        assert_eq!(look(&mut seen, &[("old", 1), ("growing", 1)]), none, "what is there at first was there before");
        assert_eq!(look(&mut seen, &[("old", 1), ("growing", 2), ("b", 1), ("a", 1)]), none);
        assert_eq!(look(&mut seen, &[("old", 1), ("growing", 3), ("b", 1), ("a", 1)]), ["a", "b"]);
        assert_eq!(look(&mut seen, &[("old", 1), ("growing", 3), ("b", 1), ("a", 1)]), ["growing"]);
        assert_eq!(look(&mut seen, &[("old", 1), ("growing", 3), ("b", 1)]), none, "one that is gone is no arrival");
        assert_eq!(look(&mut seen, &[("a", 1), ("old", 2)]), none);
        assert_eq!(look(&mut seen, &[("a", 1), ("old", 2)]), ["a", "old"], "one that comes back, and one that changed");
        assert_eq!(look(&mut seen, &[("a", 1), ("old", 2)]), none);
    }

    #[test]
    fn x27_many_files_are_counted_and_the_first_told() {
        let files: Vec<_> = (0..250).map(|n| format!("f{n:03}")).collect();
        let state = |path: &String| FileState { path: path.clone(), size: 1, version: String::new() };
        let files: Vec<_> = files.iter().rev().map(state).collect();
        let (seen, _) = step(Some(&Seen::new()), &files);
        let arrived = step(Some(&seen), &files).1.unwrap();
        assert_eq!((arrived.count, arrived.files.len(), arrived.files[99].as_str()), (250, 100, "f099"));
    }
}
