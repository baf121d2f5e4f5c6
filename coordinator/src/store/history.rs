//! Lists of runs, however many there are: each is read along an index, newest first, and no further than it shows.

use flowetl_proto::id::RunId;
use flowetl_proto::run::Phase;
use sqlx::any::AnyRow;
use sqlx::query::Query;
use sqlx::{Any, any::AnyArguments};

use super::run::decode_owned;
use super::{OwnedRun, Store, Trigger, containing, doing, get};
use crate::Result;

/// Errors that one search reads: some milliseconds. The next page goes on behind them.
const SEARCHED_MAX: i64 = 2_000;
/// States in which a run may have an error.
const WITH_ERROR: [Phase; 4] = [Phase::Failing, Phase::Cancelling, Phase::Failed, Phase::Cancelled];

/// Which runs of an organization; those of no organization are the default one's.
#[derive(Clone, Debug, Default)]
pub(crate) struct RunQuery {
    pub organization: String,
    /// In any of these states; in any at all where there are none.
    pub states: Vec<Phase>,
    /// How those that wait as a whole are taken, which are running in the metadata database.
    pub waiting: Waiting,
    /// The name of a pipeline, or the id of one that is or was kept.
    pub pipeline: Option<String>,
    /// The name of a transformation, or the id of one that is or was kept; none where `pipeline` is asked for.
    pub transformation: Option<String>,
    /// Begun by any of these; by anything where there are none.
    pub triggers: Vec<Trigger>,
    /// Made at this time or later: milliseconds since 1970.
    pub from: Option<i64>,
    /// Made before this time.
    pub to: Option<i64>,
    /// In the error, whatever the case.
    pub search: Option<String>,
    /// Older than this one.
    pub before: Option<String>,
    pub limit: i64,
}

/// What becomes of runs that wait as a whole.
#[derive(Clone, Debug, Default)]
pub(crate) enum Waiting {
    /// They are like others.
    #[default]
    Like,
    /// These are left out.
    Without(Vec<RunId>),
    /// These are shown beside those in `states`, of which there may be none.
    With(Vec<RunId>),
}

/// Runs, newest first.
#[derive(Debug)]
pub(crate) struct RunPage {
    pub runs: Vec<OwnedRun>,
    /// Before which the next page begins, if there may be one.
    pub next: Option<String>,
}

/// A statement in the making, with what is bound to it.
#[derive(Default)]
struct Text {
    arguments: Vec<Argument>,
}

enum Argument {
    Word(String),
    Number(i64),
}

impl Text {
    fn word(&mut self, word: impl Into<String>) -> String {
        self.arguments.push(Argument::Word(word.into()));
        format!("${}", self.arguments.len())
    }

    fn number(&mut self, number: i64) -> String {
        self.arguments.push(Argument::Number(number));
        format!("${}", self.arguments.len())
    }

    fn bound(self, statement: String) -> Query<'static, Any, AnyArguments> {
        let query = sqlx::query(sqlx::AssertSqlSafe(statement));
        self.arguments.into_iter().fold(query, |query, argument| match argument {
            Argument::Word(word) => query.bind(word),
            Argument::Number(number) => query.bind(number),
        })
    }
}

/// What is known of the pipeline or transformation that is asked for.
enum Wanted {
    Any,
    /// What its runs know it by.
    Key(String),
    /// Not kept (any more): its name, or its id.
    Gone(String),
    /// The id of a transformation.
    Transformation(String),
}

impl Store {
    pub(crate) async fn runs_of(&self, query: &RunQuery) -> Result<RunPage> {
        let is_default = self.is_default(&query.organization).await?;
        let wanted = self.wanted(query).await?;
        let (text, statement) = statement(query, is_default, &wanted);
        let Some(statement) = statement else { return Ok(RunPage { runs: Vec::new(), next: None }) };
        let rows = text.bound(statement).fetch_all(&self.pool).await;
        let runs = rows.map_err(doing("list the runs"))?.iter().map(decode_owned).collect::<Result<Vec<_>>>()?;
        let is_full = i64::try_from(runs.len()).is_ok_and(|found| found == query.limit);
        let last = runs.last().filter(|_| is_full).map(|owned| owned.run.id.to_string());
        let next = match (last, &query.search) {
            (None, Some(_)) => self.searched_to(query, is_default, &wanted).await?,
            (last, _) => last,
        };
        Ok(RunPage { runs, next })
    }

    /// The last run that a search has looked at, where there may be more behind it.
    async fn searched_to(&self, query: &RunQuery, is_default: bool, wanted: &Wanted) -> Result<Option<String>> {
        let mut text = Text::default();
        let Some(window) = window(&mut text, query, is_default, wanted, "run.id", SEARCHED_MAX) else {
            return Ok(None);
        };
        let skipped = text.number(SEARCHED_MAX - 1);
        let statement = format!("select id from ({window}) searched order by id desc limit 1 offset {skipped}");
        let row = text.bound(statement).fetch_optional(&self.pool).await.map_err(doing("list the runs"))?;
        row.as_ref().map(|row: &AnyRow| get(row, "id")).transpose()
    }

    /// Whether the organization owns what no other does.
    pub(super) async fn is_default(&self, organization: &str) -> Result<bool> {
        let query = "select count(*) as found from installation where id = 1 and default_organization = $1";
        let row = sqlx::query(query).bind(organization.to_owned()).fetch_one(&self.pool).await;
        Ok(get::<i64>(&row.map_err(doing("read the default organization"))?, "found")? > 0)
    }

    async fn wanted(&self, query: &RunQuery) -> Result<Wanted> {
        if let Some(transformation) = &query.transformation {
            return Ok(Wanted::Transformation(self.transformation_of(&query.organization, transformation).await?));
        }
        let Some(pipeline) = &query.pipeline else { return Ok(Wanted::Any) };
        // Two looks, each along an index; an id comes before another one's name.
        let select = "select key from (select key, 0 as place from stored_pipeline where organization = $1 and id = $2 \
                      union all select key, 1 as place from stored_pipeline where organization = $1 and name = $2) k \
                      order by place limit 1";
        let row = sqlx::query(select).bind(query.organization.clone()).bind(pipeline.clone());
        let row = row.fetch_optional(&self.pool).await.map_err(doing("read a pipeline"))?;
        Ok(match row {
            Some(row) => Wanted::Key(get(&row, "key")?),
            None => Wanted::Gone(pipeline.clone()),
        })
    }

    /// The id of the transformation of this name; `name` itself, where there is none: it may be the id of one that is gone.
    async fn transformation_of(&self, organization: &str, name: &str) -> Result<String> {
        let select = "select id from transformation where organization = $1 and name = $2";
        let row = sqlx::query(select).bind(organization.to_owned()).bind(name.to_owned());
        let row = row.fetch_optional(&self.pool).await.map_err(doing("read a transformation"))?;
        row.as_ref().map_or_else(|| Ok(name.to_owned()), |row| get(row, "id"))
    }

    /// How the database would read a list, in its own words.
    #[cfg(test)]
    pub(crate) async fn explained(&self, query: &RunQuery, explain: &str, before: &str) -> Result<String> {
        use sqlx::Row;
        let is_default = self.is_default(&query.organization).await?;
        let wanted = self.wanted(query).await?;
        let (text, statement) = statement(query, is_default, &wanted);
        let mut tx = self.begin_unled().await?;
        if !before.is_empty() {
            let set = sqlx::query(sqlx::AssertSqlSafe(before.to_owned())).execute(&mut *tx).await;
            set.map_err(doing("set up an explanation"))?;
        }
        let rows = text.bound(format!("{explain} {}", statement.unwrap_or_default())).fetch_all(&mut *tx).await;
        let rows = rows.map_err(doing("explain a list"))?;
        Ok(rows.iter().map(|row| row.get::<String, _>(row.len() - 1) + "\n").collect())
    }
}

/// The whole list; none where it can only be empty.
fn statement(query: &RunQuery, is_default: bool, wanted: &Wanted) -> (Text, Option<String>) {
    let mut text = Text::default();
    let runs = match &query.search {
        Some(search) => found(&mut text, query, is_default, wanted, search),
        None => window(&mut text, query, is_default, wanted, "run.*", query.limit),
    };
    let statement = runs.map(|runs| {
        format!(
            "select r.*, coalesce(p.name, t.name, r.pipeline) as called from ({runs}) r \
             left join stored_pipeline p on p.id = r.stored_pipeline \
             left join transformation t on t.id = r.transformation order by r.id desc"
        )
    });
    (text, statement)
}

/// Those of the window whose error contains `search`. Only their errors are carried through the window: rows are wide.
fn found(text: &mut Text, query: &RunQuery, is_default: bool, wanted: &Wanted, search: &str) -> Option<String> {
    let searched = window(text, query, is_default, wanted, "run.id, run.error_message", SEARCHED_MAX)?;
    let (pattern, limit) = (text.word(containing(search)), text.number(query.limit));
    Some(format!(
        "select run.* from run where run.id in (select id from ({searched}) searched \
         where lower(error_message) like {pattern} escape '\\' order by id desc limit {limit})"
    ))
}

/// `columns` of the newest `most` runs of all branches; none where there is no branch.
fn window(
    text: &mut Text,
    query: &RunQuery,
    is_default: bool,
    wanted: &Wanted,
    columns: &str,
    most: i64,
) -> Option<String> {
    let (owners, common) = (owners(text, query, is_default, wanted), common(text, query));
    // An organization's errors have an index of their own; those in certain states, or of one pipeline, are found among all
    // runs that stand so.
    let is_by_error = query.search.is_some()
        && query.states.is_empty()
        && !matches!(query.waiting, Waiting::With(_))
        && matches!(wanted, Wanted::Any);
    let states = match is_by_error {
        true => vec![" and run.error_message is not null".to_owned()],
        false => states(text, query),
    };
    let mut branches = Vec::new();
    for state in states {
        branches.extend(owners.iter().map(|owner| format!("{owner}{state}{common}")));
    }
    let most = text.number(most);
    let branch = |(number, conditions): (usize, String)| {
        // Its own order and limit, so that it is read along an index and no further.
        format!(
            "select * from (select {columns} from run where {conditions} order by run.id desc limit {most}) b{number}"
        )
    };
    let all: Vec<_> = branches.into_iter().enumerate().map(branch).collect();
    let joined = all.join(" union all ");
    match all.len() {
        0 => None,
        1 => Some(joined),
        _ => Some(format!("select * from ({joined}) branches order by id desc limit {most}")),
    }
}

/// Whose the runs are and of which pipeline: each condition goes along one index, from its beginning.
fn owners(text: &mut Text, query: &RunQuery, is_default: bool, wanted: &Wanted) -> Vec<String> {
    let organization = text.word(query.organization.clone());
    let own = match is_default {
        true => format!("coalesce(run.organization, {organization}) = {organization}"),
        false => format!("coalesce(run.organization, '') = {organization}"),
    };
    match wanted {
        Wanted::Key(key) => vec![format!("run.pipeline = {} and {own}", text.word(key.clone()))],
        Wanted::Gone(name) => {
            let name = text.word(name.clone());
            let kept = "(select k.name from stored_pipeline k where k.id = run.stored_pipeline)";
            vec![
                format!("run.pipeline = {name} and {own} and coalesce({kept}, run.pipeline) = {name}"),
                // A run of that name that is also of that id would come twice.
                format!("run.stored_pipeline = {name} and {own} and run.pipeline <> {name}"),
            ]
        }
        Wanted::Transformation(id) => vec![format!("run.transformation = {} and {own}", text.word(id.clone()))],
        Wanted::Any if is_default => {
            vec![format!("run.organization = {organization}"), "run.organization is null".into()]
        }
        Wanted::Any => vec![format!("run.organization = {organization}")],
    }
}

/// A condition for each state that is asked for, so that each is read along an index; one that is empty for all.
fn states(text: &mut Text, query: &RunQuery) -> Vec<String> {
    let may_fail = |phase: &Phase| query.search.is_none() || WITH_ERROR.contains(phase);
    let wanted: Vec<_> = match (&query.states[..], &query.waiting) {
        ([], Waiting::With(_)) => Vec::new(),
        ([], _) if query.search.is_some() => WITH_ERROR.to_vec(),
        ([], _) => return vec![String::new()],
        (states, _) => states.iter().copied().filter(may_fail).collect(),
    };
    let without = match &query.waiting {
        Waiting::Without(runs) if !runs.is_empty() => format!(" and run.id not in ({})", ids(text, runs)),
        _ => String::new(),
    };
    let mut conditions: Vec<_> = wanted
        .iter()
        .map(|phase| {
            let without = if *phase == Phase::Running { without.as_str() } else { "" };
            format!(" and run.state = '{}'{without}", phase.as_str())
        })
        .collect();
    if let Waiting::With(runs) = &query.waiting
        && !runs.is_empty()
        && !query.states.contains(&Phase::Running)
    {
        conditions.push(format!(" and run.state = 'running' and run.id in ({})", ids(text, runs)));
    }
    conditions
}

fn ids(text: &mut Text, runs: &[RunId]) -> String {
    runs.iter().map(|run| text.word(run.as_str())).collect::<Vec<_>>().join(", ")
}

/// What holds for all of them. An id begins with the time at which its run was made.
fn common(text: &mut Text, query: &RunQuery) -> String {
    let mut conditions = String::new();
    let mut triggers: Vec<_> = query.triggers.iter().map(|trigger| format!("'{}'", trigger.as_str())).collect();
    triggers.dedup();
    match &triggers[..] {
        [] => {}
        [one] => conditions += &format!(" and run.began_by = {one}"),
        // No column by itself, so that it is looked at in passing: an index would give them one trigger after the other.
        several => conditions += &format!(" and coalesce(run.began_by, '') in ({})", several.join(", ")),
    }
    if let Some(from) = query.from {
        conditions += &format!(" and run.id >= {}", text.word(id_at(from)));
    }
    if let Some(to) = query.to {
        conditions += &format!(" and run.id < {}", text.word(id_at(to)));
    }
    if let Some(before) = &query.before {
        conditions += &format!(" and run.id < {}", text.word(before.clone()));
    }
    conditions
}

/// What all ids of that time and later ones are greater than: a UUID of version 7 begins with 48 bits of milliseconds.
pub(crate) fn id_at(ms: i64) -> String {
    let ms = u64::try_from(ms).unwrap_or(0).min((1 << 48) - 1);
    format!("{:08x}-{:04x}", ms >> 16, ms & 0xffff)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{Database, on_both};

    on_both!(mo_1_no_list_reads_more_than_it_shows);

    /// Every kind of list, and the index it goes along.
    fn lists() -> Vec<(RunQuery, &'static str)> {
        let query = || RunQuery { organization: "o".into(), limit: 50, ..RunQuery::default() };
        let failed = vec![Phase::Failed];
        vec![
            (query(), "run_by_organization"),
            (RunQuery { from: Some(1), to: Some(2), before: Some("z".into()), ..query() }, "run_by_organization"),
            (RunQuery { states: failed.clone(), ..query() }, "run_by_organization_state"),
            (RunQuery { search: Some("refused".into()), ..query() }, "run_by_organization_error"),
            (
                RunQuery { search: Some("refused".into()), states: failed.clone(), ..query() },
                "run_by_organization_state",
            ),
            (RunQuery { triggers: vec![Trigger::Manual], ..query() }, "run_by_organization_trigger"),
            (RunQuery { triggers: vec![Trigger::Manual, Trigger::Api], ..query() }, "run_by_organization"),
            (RunQuery { pipeline: Some("kept".into()), ..query() }, "run_by_pipeline"),
            (RunQuery { pipeline: Some("kept".into()), states: failed.clone(), ..query() }, "run_by_pipeline_state"),
            (RunQuery { pipeline: Some("gone".into()), ..query() }, "run_by_stored_pipeline"),
            (RunQuery { transformation: Some("totals".into()), ..query() }, "run_by_transformation"),
            (
                RunQuery { transformation: Some("totals".into()), states: failed, ..query() },
                "run_by_transformation_state",
            ),
        ]
    }

    async fn mo_1_no_list_reads_more_than_it_shows(database: &Database) {
        let store = Store::open(&database.url).await.unwrap();
        let is_sqlite = database.url.starts_with("sqlite");
        for statement in [
            "insert into organization (id, name, slug, created_at) values ('o', 'o', 'o', 0)",
            "update installation set default_organization = 'o'",
            "insert into stored_pipeline (id, organization, name, key, status, revision, layout, created_at, updated_at) \
             values ('p', 'o', 'kept', 'kept', 'active', 1, '{}', 0, 0)",
        ] {
            sqlx::query(statement).execute(&store.pool).await.unwrap();
        }
        for (query, index) in lists() {
            // A table of a few rows is read as a whole unless that is ruled out; sorting a branch would be reading all of it.
            let plan = match is_sqlite {
                true => store.explained(&query, "explain query plan", "").await.unwrap(),
                false => store.explained(&query, "explain", "set local enable_seqscan = off").await.unwrap(),
            };
            let is_whole = |line: &&str| match is_sqlite {
                true => line.trim_start().starts_with("SCAN run"),
                false => line.contains("Seq Scan on run") || line.contains("Bitmap Heap Scan on run"),
            };
            assert_eq!(plan.lines().find(is_whole), None, "{query:?}:\n{plan}");
            assert!(plan.contains(index), "{query:?} goes not along `{index}`:\n{plan}");
        }
        store.close().await;
    }

    #[test]
    fn ids_are_in_the_order_of_their_times() {
        let id = uuid::Uuid::now_v7();
        let (seconds, nanos) = id.get_timestamp().unwrap().to_unix();
        let ms = (seconds * 1000 + u64::from(nanos) / 1_000_000) as i64;
        assert!(*id_at(ms) < *id.to_string() && *id.to_string() < *id_at(ms + 1));
    }
}
