//! The systems into which a tormented pipeline loads, as the test looks at them.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use crate::world::{Database, World};

/// One look: the number of rows, and the versions among them.
type Look = Box<dyn Fn() -> Result<(i64, Vec<i64>), String> + Send>;

/// A row as a line; both databases join it the same way.
const LINE: &str = "id || '|' || customer || '|' || note || '|' || version";
/// The number of rows and the versions among them, in one statement and so of one moment.
const LOOK: &str = "select count(*) || '|' || min(version) || '|' || max(version) from";

pub trait Target {
    /// The line of `connections:`.
    fn connection(&self) -> String;
    /// The blocks that load.
    fn loads(&self) -> String;
    /// All rows, each as `id|customer|note|version`.
    fn rows(&self, table: &str) -> Vec<String>;
    /// Anything of an attempt that is still there.
    fn left_behind(&self) -> Vec<String>;
    fn reader(&self) -> Look;
    /// Removes what was appended and merged, where the target can; else says no.
    fn start_afresh(&self) -> bool;
    fn merges(&self) -> bool {
        true
    }
}

fn loads(schema: &str) -> String {
    format!(
        "  replaced: {{load: fanned, to: target.{schema}.replaced, write: replace}}\n  \
         appended: {{load: fanned, to: target.{schema}.appended, write: append}}\n  \
         merged: {{load: fanned, to: target.{schema}.merged, write: merge, key: id}}\n"
    )
}

fn look(database: &Database, table: &str) -> Result<(i64, Vec<i64>), String> {
    let text = database.try_texts(&format!("{LOOK} {table}")).map_err(|e| e.to_string())?.remove(0);
    let numbers: Vec<i64> = text.split('|').map(|n| n.parse().unwrap()).collect();
    Ok((numbers[0], BTreeSet::from([numbers[1], numbers[2]]).into_iter().collect()))
}

pub struct Postgres(Database);

impl Postgres {
    pub fn new(source: &Database) -> Self {
        Self(source.again())
    }
}

impl Target for Postgres {
    fn connection(&self) -> String {
        format!("  target: {}\n", self.0.url)
    }

    fn loads(&self) -> String {
        loads("public")
    }

    fn rows(&self, table: &str) -> Vec<String> {
        self.0.texts(&format!("select {LINE} from public.{table}"))
    }

    fn left_behind(&self) -> Vec<String> {
        self.0.staged()
    }

    fn reader(&self) -> Look {
        let database = self.0.again();
        Box::new(move || look(&database, "public.replaced"))
    }

    fn start_afresh(&self) -> bool {
        self.0.run("drop table public.appended, public.merged");
        true
    }
}

pub struct Sqlite {
    path: PathBuf,
}

impl Sqlite {
    pub fn new(world: &World) -> Self {
        let path = world.path("target.db");
        // Read all the time by the test: only a write-ahead log lets a writer in beside a reader.
        Database::sqlite(&path).run("pragma journal_mode = wal");
        Self { path }
    }
}

impl Target for Sqlite {
    fn connection(&self) -> String {
        format!("  target: sqlite://{}\n", self.path.display())
    }

    fn loads(&self) -> String {
        loads("main")
    }

    fn rows(&self, table: &str) -> Vec<String> {
        Database::sqlite(&self.path).texts(&format!("select {LINE} from {table}"))
    }

    fn left_behind(&self) -> Vec<String> {
        let names = fs::read_dir(self.path.parent().unwrap()).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().to_str().unwrap().to_owned());
        let tables = "select name from sqlite_master where name like '\\_flowetl\\_%' escape '\\' \
                      and name not like '%\\_flowetl\\_commits%' escape '\\'";
        names.filter(|name| name.contains("-flowetl-")).chain(Database::sqlite(&self.path).texts(tables)).collect()
    }

    fn reader(&self) -> Look {
        let database = Database::sqlite(&self.path);
        Box::new(move || look(&database, "replaced"))
    }

    fn start_afresh(&self) -> bool {
        Database::sqlite(&self.path).run("drop table appended; drop table merged");
        true
    }
}

/// A file that is replaced and a folder that is appended to; files cannot be merged.
pub struct Files {
    folder: PathBuf,
}

impl Files {
    pub fn new(world: &World) -> Self {
        let folder = world.path("out");
        fs::create_dir(&folder).unwrap();
        Self { folder }
    }
}

impl Target for Files {
    fn connection(&self) -> String {
        format!("  target: file://{}\n", self.folder.display())
    }

    fn loads(&self) -> String {
        "  replaced: {load: fanned, to: target/replaced.csv, write: replace}\n  \
         appended: {load: fanned, to: target/appended/, format: csv, write: append}\n"
            .to_owned()
    }

    fn rows(&self, table: &str) -> Vec<String> {
        let mut files = vec![self.folder.join("replaced.csv")];
        if table == "appended" {
            files = fs::read_dir(self.folder.join("appended")).unwrap().map(|f| f.unwrap().path()).collect();
            files.retain(|f| f.is_file());
        }
        files.iter().flat_map(|f| lines(&fs::read_to_string(f).unwrap())).collect()
    }

    fn left_behind(&self) -> Vec<String> {
        let mut left = Vec::new();
        let mut folders = vec![self.folder.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).unwrap() {
                let path = entry.unwrap().path();
                let name = path.strip_prefix(&self.folder).unwrap().to_str().unwrap().to_owned();
                if path.is_dir() {
                    folders.push(path);
                } else if name.contains("flowetl") && !name.contains("/commits/") && !name.ends_with("/manifest.json") {
                    left.push(name);
                }
            }
        }
        left
    }

    fn reader(&self) -> Look {
        let path = self.folder.join("replaced.csv");
        Box::new(move || {
            let rows = lines(&fs::read_to_string(&path).map_err(|e| e.to_string())?);
            let versions: BTreeSet<i64> = rows
                .iter()
                .map(|r| r.rsplit('|').next().unwrap().parse().map_err(|_| format!("torn row `{r}`")))
                .collect::<Result<_, _>>()?;
            Ok((rows.len() as i64, versions.into_iter().collect()))
        })
    }

    fn start_afresh(&self) -> bool {
        false
    }

    fn merges(&self) -> bool {
        false
    }
}

fn lines(csv: &str) -> Vec<String> {
    csv.lines().skip(1).map(|line| line.replace(',', "|")).collect()
}
