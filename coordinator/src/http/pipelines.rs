//! `/pipelines`: an organization's pipelines, what they were, and their runs.

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_DISPOSITION, ETAG};
use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse, Responder, body};
use flowetl_proto::look::SegmentPlan;
use flowetl_proto::pipeline::{GraphDefinition, Problem as Wrong};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Site;
use super::body::{IfMatch, Json, Named, Optional, Query};
use super::gate::Known;
use super::page::{self, ITEMS};
use super::problem::Problem;
use super::runs::RunItem;
use crate::accounts::{Caller, Refusal, Tenant};
use crate::pipelines::{
    Applied, Difference, Outcome, PipelineDetail, PipelineFile, PipelineItem, PipelineWish, Pipelines, RevisionItem,
    RunWish, Status,
};
use crate::store::PipelineQuery;

/// Which pipelines.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Page {
    /// Only those with this in their name or description, whatever the case.
    search: Option<String>,
    /// Only those that stand so: `draft`, `active`, `paused` or `error`; more of them after commas.
    status: Option<String>,
    /// Those behind the one of this name: the `next` of the page before.
    after: Option<String>,
    /// How many at most: 50 where it is left out, never more than 500.
    limit: Option<i64>,
}

/// Pipelines, and where the next ones are.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PipelinePage {
    /// By name.
    pipelines: Vec<PipelineItem>,
    /// The `after` of the next page; null where there is none.
    next: Option<String>,
}

/// A pipeline, and what became of it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AppliedPipeline {
    outcome: Outcome,
    #[serde(flatten)]
    pipeline: PipelineDetail,
}

/// What a file is found to be.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Validation {
    is_valid: bool,
    /// Everything that is wrong, each with its line and column.
    problems: Vec<Wrong>,
    /// The file as a canvas has it; null where it cannot be read.
    graph_definition: Option<GraphDefinition>,
}

/// What a run would do.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Plan {
    segments: Vec<SegmentPlan>,
}

/// Which revisions.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct RevisionsPage {
    /// Those below this number.
    before: Option<i64>,
    /// How many at most: 50 where it is left out, never more than 500.
    limit: Option<i64>,
}

/// Between which revisions.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Between {
    from: i64,
    to: i64,
}

/// A revision with its file.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RevisionDetail {
    #[serde(flatten)]
    revision: RevisionItem,
    #[serde(flatten)]
    file: PipelineFile,
}

/// An answer about a pipeline, with its revision as the `ETag`.
pub(super) struct Tagged<T> {
    status: StatusCode,
    revision: i64,
    body: T,
}

impl<T: Serialize> Responder for Tagged<T> {
    type Body = body::BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        let tag = format!("\"{}\"", self.revision);
        HttpResponse::build(self.status).insert_header((ETAG, tag)).json(self.body)
    }
}

/// A pipeline file, to be kept by whoever asked.
pub(super) struct Export {
    pub name: String,
    pub text: String,
}

impl Responder for Export {
    type Body = body::BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        // A pipeline's name has no quotes and no line breaks.
        let file = format!("attachment; filename=\"{}.yml\"", self.name);
        let mut response = HttpResponse::Ok();
        response.insert_header((CONTENT_DISPOSITION, file)).content_type("application/yaml").body(self.text)
    }
}

impl Site {
    /// Stored pipelines, where it is this process that leads.
    pub(super) fn pipelines(&self) -> Result<Pipelines, Problem> {
        let leads = self.seat.borrow().leads();
        let leads = leads.map(|(handle, roster)| Pipelines::new(handle, roster));
        leads.map_err(|leader| Problem::stands_by(leader.as_deref()))
    }
}

/// An applied pipeline as it is shown.
async fn shown(pipelines: &Pipelines, tenant: &Tenant, applied: Applied) -> Result<Tagged<AppliedPipeline>, Problem> {
    let outcome = applied.outcome;
    let pipeline = pipelines.get(tenant, &applied.pipeline.id).await?;
    let status = if outcome == Outcome::Created { StatusCode::CREATED } else { StatusCode::OK };
    Ok(Tagged { status, revision: pipeline.item.revision, body: AppliedPipeline { outcome, pipeline } })
}

fn statuses(text: &str) -> Result<Vec<Status>, Refusal> {
    let words = text.split(',').map(|word| word.trim().to_lowercase().parse());
    words.collect::<Result<_, _>>().map_err(|message| Refusal::Wrong { field: "status", message })
}

/// The organization's pipelines, by name.
#[utoipa::path(get, path = "/pipelines", tag = "pipelines", params(Page), responses((status = 200, body = PipelinePage)))]
pub(super) async fn list(
    site: Site,
    Known(tenant): Known<Tenant>,
    Query(page): Query<Page>,
) -> Result<Json<PipelinePage>, Problem> {
    let limit = ITEMS.of(page.limit);
    let query = PipelineQuery {
        organization: tenant.organization.id,
        id: String::new(),
        search: page.search.unwrap_or_default(),
        statuses: page.status.as_deref().map(statuses).transpose()?.unwrap_or_default(),
        after: page.after.unwrap_or_default(),
        limit,
    };
    let pipelines = site.pipelines()?.list(&query).await?;
    let next = page::next(&pipelines, limit, |last| last.name.clone());
    Ok(Json(PipelinePage { pipelines, next }))
}

/// Make a pipeline of a file or a graph.
#[utoipa::path(post, path = "/pipelines", tag = "pipelines", request_body = PipelineWish,
    responses((status = 201, body = AppliedPipeline)))]
pub(super) async fn create(
    site: Site,
    Known(caller): Known<Caller>,
    Known(tenant): Known<Tenant>,
    Json(wish): Json<PipelineWish>,
) -> Result<Tagged<AppliedPipeline>, Problem> {
    let pipelines = site.pipelines()?;
    let applied = pipelines.create(&caller, &tenant, wish).await?;
    shown(&pipelines, &tenant, applied).await
}

/// Make the pipeline of a file, or make the one of its name like the file. The same file again changes nothing.
#[utoipa::path(post, path = "/pipelines/apply", tag = "pipelines", request_body = PipelineWish,
    responses((status = 200, body = AppliedPipeline), (status = 201, body = AppliedPipeline)))]
pub(super) async fn apply(
    site: Site,
    Known(caller): Known<Caller>,
    Known(tenant): Known<Tenant>,
    Json(wish): Json<PipelineWish>,
) -> Result<Tagged<AppliedPipeline>, Problem> {
    let pipelines = site.pipelines()?;
    let applied = pipelines.apply(&caller, &tenant, wish).await?;
    shown(&pipelines, &tenant, applied).await
}

/// Check a file or a graph; nothing is kept.
#[utoipa::path(post, path = "/pipelines/validate", tag = "pipelines", request_body = PipelineWish,
    responses((status = 200, body = Validation)))]
pub(super) async fn validate(
    site: Site,
    Known(tenant): Known<Tenant>,
    Json(wish): Json<PipelineWish>,
) -> Result<Json<Validation>, Problem> {
    let checked = site.pipelines()?.check(&tenant, wish).await?;
    let is_valid = checked.problems.is_empty();
    Ok(Json(Validation { is_valid, problems: checked.problems, graph_definition: checked.graph }))
}

/// What a run of a file would do; sources and targets are asked what they have, and nothing is touched.
#[utoipa::path(post, path = "/pipelines/plan", tag = "pipelines", request_body = PipelineWish,
    responses((status = 200, body = Plan)))]
pub(super) async fn plan_file(
    site: Site,
    Known(tenant): Known<Tenant>,
    Json(wish): Json<PipelineWish>,
) -> Result<Json<Plan>, Problem> {
    Ok(Json(Plan { segments: site.pipelines()?.plan_file(&tenant, wish).await? }))
}

/// One pipeline with its file and its graph.
#[utoipa::path(get, path = "/pipelines/{pipeline}", tag = "pipelines", params(("pipeline" = String, Path)),
    responses((status = 200, body = PipelineDetail)))]
pub(super) async fn get(
    site: Site,
    Known(tenant): Known<Tenant>,
    Named(pipeline): Named,
) -> Result<Tagged<PipelineDetail>, Problem> {
    let body = site.pipelines()?.get(&tenant, &pipeline).await?;
    Ok(Tagged { status: StatusCode::OK, revision: body.item.revision, body })
}

/// Change a pipeline: its file, how it stands, where its blocks stand. With `If-Match`, only while that is its revision.
#[utoipa::path(put, path = "/pipelines/{pipeline}", tag = "pipelines",
    params(("pipeline" = String, Path), ("if-match" = Option<String>, Header)), request_body = PipelineWish,
    responses((status = 200, body = AppliedPipeline)))]
pub(super) async fn update(
    site: Site,
    Known(caller): Known<Caller>,
    Known(tenant): Known<Tenant>,
    Named(pipeline): Named,
    IfMatch(revision): IfMatch,
    Json(wish): Json<PipelineWish>,
) -> Result<Tagged<AppliedPipeline>, Problem> {
    let pipelines = site.pipelines()?;
    let applied = pipelines.update(&caller, &tenant, (&pipeline, revision), wish).await?;
    shown(&pipelines, &tenant, applied).await
}

/// Remove a pipeline that does not run, with its revisions, its schedules, and what it remembers of its sources.
#[utoipa::path(delete, path = "/pipelines/{pipeline}", tag = "pipelines",
    params(("pipeline" = String, Path), ("if-match" = Option<String>, Header)), responses((status = 204)))]
pub(super) async fn remove(
    site: Site,
    Known(caller): Known<Caller>,
    Known(tenant): Known<Tenant>,
    Named(pipeline): Named,
    IfMatch(revision): IfMatch,
) -> Result<(), Problem> {
    Ok(site.pipelines()?.remove(&caller, &tenant, (&pipeline, revision)).await?)
}

/// The pipeline's file, as it was applied.
#[utoipa::path(get, path = "/pipelines/{pipeline}/export", tag = "pipelines", params(("pipeline" = String, Path)),
    responses((status = 200, body = String, content_type = "application/yaml")))]
pub(super) async fn export(
    site: Site,
    Known(tenant): Known<Tenant>,
    Named(pipeline): Named,
) -> Result<Export, Problem> {
    let found = site.pipelines()?.get(&tenant, &pipeline).await?;
    Ok(Export { name: found.item.name, text: found.file.text })
}

/// What a run would do; sources and targets are asked what they have, and nothing is touched.
#[utoipa::path(post, path = "/pipelines/{pipeline}/plan", tag = "pipelines", params(("pipeline" = String, Path)),
    responses((status = 200, body = Plan)))]
pub(super) async fn plan(
    site: Site,
    Known(tenant): Known<Tenant>,
    Named(pipeline): Named,
) -> Result<Json<Plan>, Problem> {
    Ok(Json(Plan { segments: site.pipelines()?.plan(&tenant, &pipeline).await? }))
}

/// Begin a run of the newest revision. Also of a paused pipeline, which only its schedules leave alone.
#[utoipa::path(post, path = "/pipelines/{pipeline}/run", tag = "pipelines", params(("pipeline" = String, Path)),
    request_body(content = Option<RunWish>), responses((status = 202, body = RunItem)))]
pub(super) async fn run(
    site: Site,
    Known(caller): Known<Caller>,
    Known(tenant): Known<Tenant>,
    Named(pipeline): Named,
    Optional(wish): Optional<RunWish>,
) -> Result<(Json<RunItem>, StatusCode), Problem> {
    let run = site.pipelines()?.run(&caller, &tenant, &pipeline, wish).await?;
    Ok((Json(RunItem::from(run)), StatusCode::ACCEPTED))
}

/// Every state that the pipeline was in, newest first.
#[utoipa::path(get, path = "/pipelines/{pipeline}/revisions", tag = "pipelines",
    params(("pipeline" = String, Path), RevisionsPage), responses((status = 200, body = [RevisionItem])))]
pub(super) async fn revisions(
    site: Site,
    Known(tenant): Known<Tenant>,
    Named(pipeline): Named,
    Query(page): Query<RevisionsPage>,
) -> Result<Json<Vec<RevisionItem>>, Problem> {
    let (before, limit) = (page.before.unwrap_or(i64::MAX), ITEMS.of(page.limit));
    Ok(Json(site.pipelines()?.revisions(&tenant, &pipeline, before, limit).await?))
}

/// One revision with its file.
#[utoipa::path(get, path = "/pipelines/{pipeline}/revisions/{number}", tag = "pipelines",
    params(("pipeline" = String, Path), ("number" = i64, Path)), responses((status = 200, body = RevisionDetail)))]
pub(super) async fn revision(
    site: Site,
    Known(tenant): Known<Tenant>,
    path: Path<(String, String)>,
) -> Result<Json<RevisionDetail>, Problem> {
    let (pipeline, number) = path.into_inner();
    let (revision, file) = site.pipelines()?.revision(&tenant, &pipeline, numbered(&number)?).await?;
    Ok(Json(RevisionDetail { revision, file }))
}

/// Make the pipeline what it was in a revision, as a new one. With `If-Match`, only while that is its revision.
#[utoipa::path(post, path = "/pipelines/{pipeline}/revisions/{number}/restore", tag = "pipelines",
    params(("pipeline" = String, Path), ("number" = i64, Path), ("if-match" = Option<String>, Header)),
    responses((status = 200, body = AppliedPipeline)))]
pub(super) async fn restore(
    site: Site,
    Known(caller): Known<Caller>,
    Known(tenant): Known<Tenant>,
    path: Path<(String, String)>,
    IfMatch(revision): IfMatch,
) -> Result<Tagged<AppliedPipeline>, Problem> {
    let (pipeline, number) = path.into_inner();
    let pipelines = site.pipelines()?;
    let applied = pipelines.restore(&caller, &tenant, (&pipeline, revision), numbered(&number)?).await?;
    shown(&pipelines, &tenant, applied).await
}

/// What lies between two revisions.
#[utoipa::path(get, path = "/pipelines/{pipeline}/diff", tag = "pipelines",
    params(("pipeline" = String, Path), Between), responses((status = 200, body = Difference)))]
pub(super) async fn difference(
    site: Site,
    Known(tenant): Known<Tenant>,
    Named(pipeline): Named,
    Query(between): Query<Between>,
) -> Result<Json<Difference>, Problem> {
    Ok(Json(site.pipelines()?.difference(&tenant, &pipeline, between.from, between.to).await?))
}

/// The number of a revision; what is none is the number of none.
fn numbered(text: &str) -> Result<i64, Refusal> {
    text.parse().map_err(|_| Refusal::NotFound("a revision has a number".into()))
}
