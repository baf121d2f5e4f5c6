//! Transformations as people and programs handle them: made, changed, compiled and run, each within its organization.

use std::sync::Arc;

use flowetl_proto::id::BlockId;
use flowetl_proto::pipeline::{Parsed, Pipeline};
use flowetl_proto::run::Timestamp;
use serde_json::{Map, Value, json};

use super::build::{self, wrong_sql};
use super::model::{
    CompileWish, CompiledSql, Incremental, Materialization, Model, Transformation, TransformationItem,
    TransformationPreviewWish, TransformationRunWish, TransformationWish,
};
use super::project::Project;
use super::source::{SOURCES_MAX, Sources};
use super::template::refs;
use crate::accounts::{Caller, Change, Refusal, Tenant};
use crate::discovery::RowsView;
use crate::fleet::Roster;
use crate::pipelines::{PipelineWish, Pipelines, RunWish};
use crate::store::{Directory, OwnedRun};
use crate::warehouse::{CONNECTION, LAYERS};
use crate::{Handle, Result, clock};

/// Transformations of one organization: all are looked at where one is saved.
const TRANSFORMATIONS_MAX: usize = 5_000;
/// As long as PostgreSQL's names, with room for what belongs to a table.
const NAME_CHARS_MAX: usize = 50;
const DESCRIPTION_CHARS_MAX: usize = 10_000;
/// The layer that transformations of the built-in warehouse make.
const LAYER: &str = LAYERS[1];

/// The transformations of all organizations. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Transformations {
    handle: Handle,
    pipelines: Pipelines,
}

impl Transformations {
    pub(crate) fn new(handle: Handle, roster: Arc<dyn Roster>) -> Self {
        Self { pipelines: Pipelines::new(handle.clone(), roster), handle }
    }

    /// Those behind `after`, by name; only the one that is called `name`, if that is not empty.
    pub(crate) async fn list(
        &self,
        tenant: &Tenant,
        (name, after): (&str, &str),
        limit: usize,
    ) -> Result<Vec<TransformationItem>> {
        let all = self.handle.store().directory().await?.transformations(&tenant.organization.id).await?;
        let wanted = all.into_iter().filter(|of| of.name.as_str() > after && (name.is_empty() || of.name == name));
        Ok(wanted.take(limit).map(item).collect())
    }

    pub(crate) async fn get(&self, tenant: &Tenant, id: &str) -> Result<TransformationItem, Refusal> {
        let project = self.project(tenant).await?;
        Ok(item(found(&project, id)?.clone()))
    }

    pub(crate) async fn create(
        &self,
        caller: &Caller,
        tenant: &Tenant,
        wish: TransformationWish,
    ) -> Result<TransformationItem, Refusal> {
        let now = Timestamp(clock::now());
        let blank = Transformation {
            id: clock::new_id(),
            organization: tenant.organization.id.clone(),
            name: String::new(),
            description: None,
            sql_body: String::new(),
            materialization: Materialization::default(),
            connection: CONNECTION.to_owned(),
            schema_name: LAYER.to_owned(),
            incremental: Incremental::default(),
            tests: Map::new(),
            params: Map::new(),
            revision: 1,
            created_at: now,
            updated_at: now,
        };
        let new = wished(blank, wish)?;
        let mut project = self.project(tenant).await?;
        if project.all.len() >= TRANSFORMATIONS_MAX {
            return Err(Refusal::Conflict(format!(
                "the organization has {TRANSFORMATIONS_MAX} transformations: remove some"
            )));
        }
        if project.all.insert(new.name.clone(), new.clone()).is_some() {
            return Err(taken(&new.name));
        }
        self.check(tenant, &project, &new).await?;
        let mut directory = self.handle.store().change_directory().await?;
        if !directory.add_transformation(&new).await? {
            return Err(taken(&new.name));
        }
        audit(&mut directory, caller, "transformation.made", None, Some(&new)).await?;
        directory.commit().await?;
        Ok(item(new))
    }

    /// Changes one; with `revision`, only while that is its newest.
    pub(crate) async fn update(
        &self,
        caller: &Caller,
        tenant: &Tenant,
        (id, revision): (&str, Option<i64>),
        wish: TransformationWish,
    ) -> Result<TransformationItem, Refusal> {
        let mut project = self.project(tenant).await?;
        let before = found(&project, id)?.clone();
        check_revision(&before, revision)?;
        let after = wished(before.clone(), wish)?;
        if after == before {
            return Ok(item(before));
        }
        let after = Transformation { revision: before.revision + 1, updated_at: Timestamp(clock::now()), ..after };
        if after.name != before.name {
            check_unused(&project, &before)?;
            project.all.remove(&before.name);
            if project.all.contains_key(&after.name) {
                return Err(taken(&after.name));
            }
        }
        project.all.insert(after.name.clone(), after.clone());
        self.check(tenant, &project, &after).await?;
        let mut directory = self.handle.store().change_directory().await?;
        directory.lock_organization(&after.organization).await?;
        let now = directory.transformations(&after.organization).await?.into_iter().find(|of| of.id == id);
        check_revision(&now.ok_or_else(|| nothing(id))?, Some(before.revision))?;
        directory.change_transformation(&after).await?;
        audit(&mut directory, caller, "transformation.changed", Some(&before), Some(&after)).await?;
        directory.commit().await?;
        Ok(item(after))
    }

    /// Removes one that no other refers to; with `revision`, only while that is its newest. What it has made stays.
    pub(crate) async fn remove(
        &self,
        caller: &Caller,
        tenant: &Tenant,
        (id, revision): (&str, Option<i64>),
    ) -> Result<(), Refusal> {
        let project = self.project(tenant).await?;
        let before = found(&project, id)?;
        check_revision(before, revision)?;
        check_unused(&project, before)?;
        let mut directory = self.handle.store().change_directory().await?;
        directory.remove_transformation(id).await?;
        audit(&mut directory, caller, "transformation.removed", Some(before), None).await?;
        Ok(directory.commit().await?)
    }

    /// The SQL of one as the database gets it, which has looked at it; nothing is made.
    pub(crate) async fn compile(&self, tenant: &Tenant, id: &str, wish: CompileWish) -> Result<CompiledSql, Refusal> {
        let (project, of) = self.draft(tenant, id, wish.sql_body).await?;
        let rendered = project.render(&of).map_err(wrong_sql)?;
        // Whatever is made of it, the database gets the same query.
        let as_view = Transformation { materialization: Materialization::View, ..of.clone() };
        let parsed = self.parsed(tenant, &project, &[&as_view], false).await?;
        let pipeline = parsed.pipeline.bound(&wish.params.unwrap_or_default());
        let pipeline = pipeline.map_err(|message| Refusal::Wrong { field: "params", message })?;
        let sql = pipeline.blocks.get(&BlockId::new(&of.name)).and_then(|block| block.settings["sql"].as_str());
        let sql = sql.map_or_else(|| rendered.sql.clone(), str::to_owned);
        self.pipelines.looked_at(&pipeline).await?;
        let is_made = of.materialization != Materialization::Ephemeral;
        Ok(CompiledSql {
            sql,
            relation: is_made.then(|| project.place(&of).to_string()),
            depends_on: refs(&of.sql_body),
            sources: rendered.sources,
        })
    }

    /// The first rows that the SQL of one gives now, of the tables and views as they are; nothing is made.
    pub(crate) async fn preview(
        &self,
        tenant: &Tenant,
        id: &str,
        wish: TransformationPreviewWish,
    ) -> Result<RowsView, Refusal> {
        let (project, of) = self.draft(tenant, id, wish.sql_body).await?;
        let query = project.render(&of).map_err(wrong_sql)?.sql;
        let block = json!({ &of.name: { "extract": { "connection": of.connection, "query": query } } });
        let file = json!({ "params": of.params, "blocks": block });
        let file = PipelineWish { name: Some(of.name.clone()), text: Some(file.to_string()), ..Default::default() };
        let pipeline = self.pipelines.parsed(tenant, file).await?.pipeline.bound(&wish.params.unwrap_or_default());
        let pipeline = pipeline.map_err(|message| Refusal::Wrong { field: "params", message })?;
        self.pipelines.rows(&pipeline, &of.name, wish.limit, None).await
    }

    /// Begins a run that makes one and tests it; what it needs first, where that is wanted.
    pub(crate) async fn run(
        &self,
        caller: &Caller,
        tenant: &Tenant,
        (id, with_upstream): (&str, bool),
        wish: TransformationRunWish,
    ) -> Result<OwnedRun, Refusal> {
        let pipeline = self.made(tenant, (id, with_upstream)).await?;
        let wish = RunWish {
            full_refresh: wish.full_refresh,
            priority: wish.priority,
            params: wish.params,
            ..RunWish::default()
        };
        self.pipelines.run_made(caller, tenant, (pipeline, id), wish).await
    }

    /// The pipeline that makes one and tests it; what it needs first, where that is wanted.
    pub(crate) async fn made(&self, tenant: &Tenant, (id, with_upstream): (&str, bool)) -> Result<Pipeline, Refusal> {
        let project = self.project(tenant).await?;
        let of = found(&project, id)?;
        if of.materialization == Materialization::Ephemeral {
            let message = format!("`{}` is ephemeral: it stands in those that refer to it, and is not run", of.name);
            return Err(Refusal::Conflict(message));
        }
        let made = if with_upstream { project.order(&of.name) } else { vec![of] };
        let pipeline = self.parsed(tenant, &project, &made, true).await?.pipeline;
        Ok(Pipeline { name: of.run_name(), ..pipeline })
    }

    /// Of all of them, by name, what they read and make.
    pub(crate) async fn models(&self, tenant: &Tenant) -> Result<Vec<Model>> {
        let project = self.project(tenant).await?;
        Ok(project.all.values().map(|of| project.model(of)).collect())
    }

    /// One as it is kept, or with the SQL that is sent in its place, among all others.
    async fn draft(
        &self,
        tenant: &Tenant,
        id: &str,
        sql: Option<String>,
    ) -> Result<(Project, Transformation), Refusal> {
        let mut project = self.project(tenant).await?;
        let mut of = found(&project, id)?.clone();
        if let Some(sql) = sql {
            of.sql_body = sql;
            project.all.insert(of.name.clone(), of.clone());
            check_cycle(&project, &of)?;
        }
        Ok((project, of))
    }

    async fn project(&self, tenant: &Tenant) -> Result<Project> {
        let organization = &tenant.organization.id;
        let sources = Sources::new(self.handle.store()).loaded(tenant, "", SOURCES_MAX).await?;
        let mut directory = self.handle.store().directory().await?;
        let all = directory.transformations(organization).await?;
        let tenancy = directory.tenancy(organization).await?;
        Ok(Project { all: all.into_iter().map(|of| (of.name.clone(), of)).collect(), sources, tenancy })
    }

    /// Refuses what could not be run as it stands.
    async fn check(&self, tenant: &Tenant, project: &Project, of: &Transformation) -> Result<(), Refusal> {
        check_cycle(project, of)?;
        project.render(of).map_err(wrong_sql)?;
        // What is ephemeral makes nothing: it is read as if it were a view.
        let as_view = Transformation { materialization: Materialization::View, ..of.clone() };
        let made = if of.materialization == Materialization::Ephemeral { &as_view } else { of };
        self.parsed(tenant, project, &[made], true).await.map(drop)
    }

    /// The pipeline that makes these.
    async fn parsed(
        &self,
        tenant: &Tenant,
        project: &Project,
        made: &[&Transformation],
        with_tests: bool,
    ) -> Result<Parsed, Refusal> {
        let file = build::file(project, made, with_tests)?;
        let name = made.last().map_or("transformation", |of| of.name.as_str()).to_owned();
        let wish = PipelineWish { name: Some(name), text: Some(Value::Object(file).to_string()), ..Default::default() };
        self.pipelines.parsed(tenant, wish).await
    }
}

/// A transformation with what a wish says of it.
fn wished(before: Transformation, wish: TransformationWish) -> Result<Transformation, Refusal> {
    let is_elsewhere = wish.connection.as_ref().is_some_and(|connection| *connection != before.connection);
    if is_elsewhere && wish.schema_name.is_none() {
        return Err(Refusal::wrong("schema_name", "say in which schema of the connection the table or view is made"));
    }
    let incremental = Incremental {
        unique_key: wish.unique_key.unwrap_or(before.incremental.unique_key),
        cursor: wish.cursor.or(before.incremental.cursor).filter(|cursor| !cursor.is_empty()),
    };
    let after = Transformation {
        name: wish.name.unwrap_or(before.name),
        description: wish.description.or(before.description).filter(|text| !text.is_empty()),
        sql_body: wish.sql_body.unwrap_or(before.sql_body),
        materialization: wish.materialization.unwrap_or(before.materialization),
        connection: wish.connection.unwrap_or(before.connection),
        schema_name: wish.schema_name.unwrap_or(before.schema_name),
        incremental,
        tests: wish.tests.unwrap_or(before.tests),
        params: wish.params.unwrap_or(before.params),
        ..before
    };
    let length = after.name.chars().count();
    if !BlockId::new(&after.name).is_plain() || length > NAME_CHARS_MAX || !build::is_free(&after.name) {
        let message = format!(
            "a name has 1 to {NAME_CHARS_MAX} letters, digits and `_`, begins with no digit, and not with `rows_of_`, \
             `new_rows_of_` or `tests_of_`"
        );
        return Err(Refusal::wrong("name", message));
    }
    if after.sql_body.trim().is_empty() {
        return Err(Refusal::wrong("sql_body", "a transformation has a `sql_body`: one query"));
    }
    if after.schema_name.trim().is_empty() {
        return Err(Refusal::wrong("schema_name", "a table or view lies in a schema"));
    }
    if after.description.as_ref().is_some_and(|text| text.chars().count() > DESCRIPTION_CHARS_MAX) {
        return Err(Refusal::wrong(
            "description",
            format!("a description has at most {DESCRIPTION_CHARS_MAX} characters"),
        ));
    }
    let is_incremental = after.materialization == Materialization::Incremental;
    if is_incremental && after.incremental.unique_key.is_empty() {
        return Err(Refusal::wrong("unique_key", "an incremental transformation has a `unique_key`: what names a row"));
    }
    if after.tests.contains_key("test") {
        return Err(Refusal::wrong("tests", "`test` is the transformation itself: leave it out"));
    }
    if after.materialization == Materialization::Ephemeral && !after.tests.is_empty() {
        return Err(Refusal::wrong("tests", "what is ephemeral has no rows to test: test those that refer to it"));
    }
    Ok(after)
}

/// Refuses what would need itself.
fn check_cycle(project: &Project, of: &Transformation) -> Result<(), Refusal> {
    let Some(way) = project.cycle(&of.name) else { return Ok(()) };
    let way: Vec<_> = way.into_iter().map(|name| format!("`{name}`")).collect();
    Err(Refusal::wrong("sql_body", format!("the transformations would need each other: {}", way.join(" -> "))))
}

/// Refuses to take the name of one away that others refer to.
fn check_unused(project: &Project, of: &Transformation) -> Result<(), Refusal> {
    let others: Vec<_> = project.downstream(&of.name).into_iter().map(|name| format!("`{name}`")).collect();
    match others.is_empty() {
        true => Ok(()),
        false => Err(Refusal::Conflict(format!("{} refer to `{}`: change them first", others.join(", "), of.name))),
    }
}

fn check_revision(of: &Transformation, wanted: Option<i64>) -> Result<(), Refusal> {
    match wanted {
        Some(wanted) if wanted != of.revision => Err(Refusal::Changed(format!(
            "transformation `{}` has changed since: its revision is {}",
            of.name, of.revision
        ))),
        _ => Ok(()),
    }
}

fn found<'p>(project: &'p Project, id: &str) -> Result<&'p Transformation, Refusal> {
    project.all.values().find(|of| of.id == id).ok_or_else(|| nothing(id))
}

fn nothing(id: &str) -> Refusal {
    Refusal::NotFound(format!("there is no transformation `{id}`"))
}

fn taken(name: &str) -> Refusal {
    Refusal::Conflict(format!("there is a transformation `{name}` already"))
}

fn item(of: Transformation) -> TransformationItem {
    TransformationItem {
        depends_on: refs(&of.sql_body),
        id: of.id,
        name: of.name,
        description: of.description,
        sql_body: of.sql_body,
        materialization: of.materialization,
        connection: of.connection,
        schema_name: of.schema_name,
        unique_key: of.incremental.unique_key,
        cursor: of.incremental.cursor,
        tests: of.tests,
        params: of.params,
        revision: of.revision,
        created_at: of.created_at,
        updated_at: of.updated_at,
    }
}

async fn audit(
    directory: &mut Directory,
    caller: &Caller,
    action: &'static str,
    before: Option<&Transformation>,
    after: Option<&Transformation>,
) -> Result<()> {
    let Some(either) = after.or(before) else { return Ok(()) };
    let change = Change {
        organization: Some(&either.organization),
        action,
        subject: &either.id,
        before: before.map(Transformation::document),
        after: after.map(Transformation::document),
    };
    directory.audit(&caller.entry(change)).await
}
