//! `/triggers` and `/hooks`: what begins runs beside schedules and people.

use std::net::IpAddr;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpRequest};
use futures::FutureExt;
use futures::future::LocalBoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

use super::Site;
use super::body::{BODY_BYTES_MAX, Json, Named, Query};
use super::gate::Known;
use super::page::{ITEMS, next};
use super::problem::Problem;
use crate::accounts::{Caller, Tenant};
use crate::trigger::{Fired, Hooks, MadeTrigger, TriggerDetail, TriggerItem, TriggerWish, Triggers};

/// Which triggers.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Page {
    /// Only those of the pipeline of this id.
    pipeline: Option<String>,
    /// Those behind the one of this id: the `next` of the page before.
    after: Option<String>,
    /// How many at most: 50 where it is left out, never more than 500.
    limit: Option<i64>,
}

/// Triggers, and where the next ones are.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TriggerPage {
    /// Oldest first.
    triggers: Vec<TriggerItem>,
    /// The `after` of the next page; null where there is none.
    next: Option<String>,
}

impl Site {
    /// Triggers, where it is this process that leads.
    fn triggers(&self) -> Result<Triggers, Problem> {
        Ok(Triggers::new(self.handle()?, self.pipelines()?))
    }
}

/// What begins runs of the organization's pipelines, beside schedules and people.
#[utoipa::path(get, path = "/triggers", tag = "triggers", params(Page), responses((status = 200, body = TriggerPage)))]
pub(super) async fn list(
    site: Site,
    Known(tenant): Known<Tenant>,
    Query(page): Query<Page>,
) -> Result<Json<TriggerPage>, Problem> {
    let limit = ITEMS.of(page.limit);
    let (pipeline, after) = (page.pipeline.unwrap_or_default(), page.after.unwrap_or_default());
    let triggers = site.triggers()?.list(&tenant, &pipeline, &after, limit).await?;
    let next = next(&triggers, limit, |trigger| trigger.id.clone());
    Ok(Json(TriggerPage { triggers, next }))
}

/// Make a trigger. That of a webhook answers with its address, which holds a secret and is shown this once.
#[utoipa::path(post, path = "/triggers", tag = "triggers", request_body = TriggerWish,
    responses((status = 201, body = MadeTrigger)))]
pub(super) async fn create(
    site: Site,
    Known(caller): Known<Caller>,
    Known(tenant): Known<Tenant>,
    Json(wish): Json<TriggerWish>,
) -> Result<(Json<MadeTrigger>, StatusCode), Problem> {
    Ok((Json(site.triggers()?.create(&caller, &tenant, wish).await?), StatusCode::CREATED))
}

/// One trigger, with its newest events.
#[utoipa::path(get, path = "/triggers/{trigger}", tag = "triggers", params(("trigger" = String, Path)),
    responses((status = 200, body = TriggerDetail)))]
pub(super) async fn get(
    site: Site,
    Known(tenant): Known<Tenant>,
    Named(trigger): Named,
) -> Result<Json<TriggerDetail>, Problem> {
    Ok(Json(site.triggers()?.get(&tenant, &trigger).await?))
}

/// Change, enable or disable a trigger. One that waits for pipelines waits for all of them anew.
#[utoipa::path(put, path = "/triggers/{trigger}", tag = "triggers", params(("trigger" = String, Path)),
    request_body = TriggerWish, responses((status = 200, body = TriggerItem)))]
pub(super) async fn update(
    site: Site,
    Known(caller): Known<Caller>,
    Known(tenant): Known<Tenant>,
    Named(trigger): Named,
    Json(wish): Json<TriggerWish>,
) -> Result<Json<TriggerItem>, Problem> {
    Ok(Json(site.triggers()?.update(&caller, &tenant, &trigger, wish).await?))
}

/// Remove a trigger, with its events that wait.
#[utoipa::path(delete, path = "/triggers/{trigger}", tag = "triggers", params(("trigger" = String, Path)),
    responses((status = 204)))]
pub(super) async fn remove(
    site: Site,
    Known(caller): Known<Caller>,
    Known(tenant): Known<Tenant>,
    Named(trigger): Named,
) -> Result<(), Problem> {
    Ok(site.triggers()?.remove(&caller, &tenant, &trigger).await?)
}

/// Who calls a webhook, under which key, and with what.
pub(super) struct HookCall {
    address: IpAddr,
    key: Option<String>,
    members: Map<String, Value>,
}

impl FromRequest for HookCall {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let header = |name: &str| {
            let value = request.headers().get(name)?;
            Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        let key = header("idempotency-key").or_else(|| header("webhook-id"));
        let peer = request.peer_addr().ok_or_else(|| Problem::internal("a call has no address"));
        let body = Bytes::from_request(request, payload);
        async move {
            let body = body.await.ok().filter(|body| body.len() <= BODY_BYTES_MAX);
            let body = body.ok_or_else(|| Problem::too_large(BODY_BYTES_MAX))?;
            Ok(Self { address: peer?.ip().to_canonical(), key, members: members(&body)? })
        }
        .boxed_local()
    }
}

/// The members of a body that is a JSON object; none of an empty one. Senders name all sorts of content types.
fn members(body: &Bytes) -> Result<Map<String, Value>, Problem> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Map::new());
    }
    let read: Result<Option<Map<_, _>>, _> = serde_json::from_slice(body);
    let wrong = |why| Problem::not_understood(format!("the body is no JSON object: {why}"));
    Ok(read.map_err(wrong)?.unwrap_or_default())
}

/// Call a webhook: its pipeline runs once for it. Members of the body that the pipeline declares as parameters are told to the
/// run. A call with an `Idempotency-Key` (or a `webhook-id`) that came before, within a week, does nothing more.
#[utoipa::path(post, path = "/hooks/{secret}", tag = "triggers",
    params(("secret" = String, Path), ("idempotency-key" = Option<String>, Header)),
    request_body = Option<HashMap<String, Value>>, responses((status = 202, body = Fired)))]
pub(super) async fn call(
    site: Site,
    Named(secret): Named,
    call: HookCall,
) -> Result<(Json<Fired>, StatusCode), Problem> {
    let fired = Hooks::new(site.handle()?).call(call.address, &secret, call.key, call.members).await?;
    Ok((Json(fired), StatusCode::ACCEPTED))
}
