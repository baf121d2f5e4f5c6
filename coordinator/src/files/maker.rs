//! Which run has written a file: a load into one file is remembered by the file's place, a load into a folder puts its run's
//! id first in the name of each file.

use std::collections::{BTreeSet, HashMap};

use serde::Serialize;
use utoipa::ToSchema;

use super::{FILES, File, Spot};
use crate::Result;
use crate::store::Directory;

/// The run that has written a file.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = FileMaker)]
pub(crate) struct Maker {
    pub run_id: String,
    pub pipeline: String,
    /// Null where the pipeline is not kept, or not any more.
    pub pipeline_id: Option<String>,
}

/// The organization among whose files a path of a connection lies, and where; `root` is the connection's own path. `None` where
/// it lies elsewhere.
pub(crate) fn among_files(root: &str, path: &str) -> Option<(String, Spot)> {
    let (above, organization) = root.trim_end_matches('/').rsplit_once('/')?;
    let is_ours = above == FILES || above.ends_with(&format!("/{FILES}"));
    Some((organization.to_owned(), Spot::at(path.trim_end_matches('/'))?)).filter(|_| is_ours)
}

/// Says of each file that a pipeline has written which run it was, where that is known.
pub(super) async fn tell_makers(directory: &mut Directory, organization: &str, files: &mut [File]) -> Result<()> {
    let mut written: Vec<&mut File> = files.iter_mut().filter(|file| file.sha256.is_none()).collect();
    let folders: BTreeSet<String> = written.iter().map(|file| file.folder.clone()).collect();
    let mut runs = HashMap::new();
    for folder in &folders {
        runs.extend(directory.written_files(organization, folder).await?);
    }
    let run = |file: &File| runs.get(&file.spot()).cloned().or_else(|| named_run(&file.name));
    let asked: BTreeSet<String> = written.iter().filter_map(|file| run(file)).collect();
    let makers = directory.makers(organization, &asked).await?;
    for file in &mut written {
        file.written_by = run(file).and_then(|run| makers.get(&run).cloned());
    }
    Ok(())
}

/// What may be a run's id in the name of a file: `<run>-t<attempt>-<partition>-<number>.parquet`.
fn named_run(name: &str) -> Option<String> {
    name.split_once("-t").map(|(run, _)| run.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fi_2_only_places_among_an_organizations_files_are_known() {
        let place = |root: &str, path: &str| among_files(root, path).map(|(of, spot)| format!("{of}:{}", spot.path()));
        for root in ["/srv/store/etl-files/o1", "etl-files/o1", "prefix/etl-files/o1/"] {
            assert_eq!(place(root, "out/a.csv").as_deref(), Some("o1:out/a.csv"), "{root}");
        }
        assert_eq!(place("etl-files/o1", "out/daily/").as_deref(), Some("o1:out/daily"));
        for (root, path) in [
            ("/srv/lake", "a.csv"),
            ("o1", "a.csv"),
            ("/srv/etl-files/o1/raw", "a.csv"),
            ("/srv/my-etl-files/o1", "a.csv"),
            ("etl-files/o1", "../o2/a.csv"),
            ("etl-files/o1", ""),
        ] {
            assert_eq!(place(root, path), None, "{root} {path}");
        }
    }
}
