//! `/runs/{run}/logs`: what was said of a run, page by page, as one text, or while it goes on.

use std::convert::Infallible;
use std::time::Duration;

use actix_web::http::header::ACCEPT;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, Responder};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::{DateTime, SecondsFormat};
use flowetl_proto::id::{BlockId, RunId};
use flowetl_proto::log::{Cursor, Filter, Level, Line, Query as LogQuery};
use flowetl_proto::run::Timestamp;
use futures::stream;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tokio::sync::mpsc;
use tokio::time::{Instant, interval_at};
use utoipa::{IntoParams, ToSchema};

use super::body::{Json, Named, Query};
use super::gate::{Known, Ticket};
use super::problem::Problem;
use super::run_detail::number;
use crate::accounts::{Refusal, Tenant};
use crate::run::Tries;
use crate::{Handle, logs};

/// Lines in one answer, where none are asked for and at most.
const LIMIT: usize = 200;
const LIMIT_MAX: usize = 1_000;
/// Pages that wait to be written to one connection.
const PAGES_MAX: usize = 4;

/// Which lines of a run.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Lines {
    /// Only lines about this block.
    block: Option<String>,
    /// Only lines that matter as much: `debug`, `info` (where it is left out), `warn` or `error`.
    level: Option<String>,
    /// Only lines with this text in the message or a field, whatever the case.
    search: Option<String>,
    /// Lines behind those that were read with this: the `next` of the page before.
    after: Option<String>,
    /// How many at most: 200 where it is left out, never more than 1000.
    limit: Option<usize>,
    /// With `true` lines are told as they come, until the run is over.
    #[serde(default)]
    follow: bool,
}

/// A line of a run's log.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LogLine {
    at: Timestamp,
    /// `debug`, `info`, `warn` or `error`.
    #[schema(value_type = String)]
    level: Level,
    segment: Option<String>,
    block: Option<String>,
    /// The number of the attempt in its segment.
    attempt: Option<i64>,
    /// The id of the executor that says it; null where that is the coordinator, or its process.
    executor: Option<String>,
    message: String,
    /// Figures by their names.
    fields: BTreeMap<String, String>,
}

/// Lines, and where the next ones are.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LogPage {
    /// In the order of their times.
    lines: Vec<LogLine>,
    /// The `after` of the next page; what is said later lies behind it, too.
    next: String,
    /// Whether more lies there now.
    has_more: bool,
}

/// How lines are written that come one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Text,
    Ndjson,
    Events,
}

/// The log of a run, never cut short. `Accept: text/plain` gives all lines as text and `application/x-ndjson` as JSON, one a line;
/// without either a page is given. With `follow=true` they are told as they come, until the run is over; with
/// `Accept: text/event-stream` as server-sent events: `lines` with a list of them each, whose ids the header `Last-Event-ID` or
/// `after` goes on from, and `end`.
#[utoipa::path(get, path = "/runs/{run}/logs", tag = "runs", params(("run" = String, Path), Lines),
    responses((status = 200, body = LogPage)))]
pub(super) async fn read(
    request: HttpRequest,
    Known(ticket): Known<Ticket>,
    Known(tenant): Known<Tenant>,
    Named(run): Named,
    Query(wish): Query<Lines>,
) -> Result<HttpResponse, Problem> {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let last = Some(header("last-event-id")).filter(|last| !last.is_empty()).map(str::to_owned);
    let form = match header(ACCEPT.as_str()) {
        types if types.contains("text/event-stream") => Some(Form::Events),
        types if types.contains("text/plain") => Some(Form::Text),
        types if types.contains("application/x-ndjson") => Some(Form::Ndjson),
        _ => wish.follow.then_some(Form::Ndjson),
    };
    let follow = wish.follow;
    let (query, handle) = (wish.query(&RunId::new(run), last)?, ticket.site.handle()?);
    let site = ticket.site.clone();
    let (own, asked, organization) = (handle.clone(), query.clone(), tenant.organization.id.clone());
    let owned = async move { own.run_of(&organization, &asked.run).await };
    site.whole(owned).await??;
    let Some(form) = form else {
        let page = site.whole(async move { handle.log_with_tries(&query).await });
        let (page, tries) = page.await??;
        let lines = page.lines.into_iter().map(|line| LogLine::new(line, &tries)).collect();
        let page = LogPage { lines, next: written(&page.next), has_more: page.has_more };
        return Ok(Json(page).respond_to(&request).map_into_boxed_body());
    };
    let place = site.places.take(&tenant.organization.id, &ticket.caller).map_err(Problem::crowded)?;
    let (texts, mut taken) = mpsc::channel(PAGES_MAX);
    site.runtime.spawn(async move {
        tell(&ticket, &tenant, &handle, query, (form, follow), &texts).await;
        drop(place);
    });
    let stream = stream::poll_fn(move |context| {
        taken.poll_recv(context).map(|text| text.map(|text: String| Ok::<_, Infallible>(Bytes::from(text))))
    });
    Ok(HttpResponse::Ok().content_type(form.content_type()).streaming(stream))
}

impl Lines {
    fn query(self, run: &RunId, last: Option<String>) -> Result<LogQuery, Refusal> {
        let level = self.level.as_deref().map(str::parse).transpose();
        let level = level.map_err(|message| Refusal::Wrong { field: "level", message })?.unwrap_or_default();
        let after = last.or(self.after).map(|text| cursor(&text)).transpose()?.unwrap_or_default();
        let filter = Filter { block: self.block.map(BlockId::new), level, search: self.search };
        Ok(LogQuery { run: run.clone(), after, filter, limit: self.limit.unwrap_or(LIMIT).clamp(2, LIMIT_MAX) })
    }
}

/// Tells page after page until there is no more, nobody takes it, or they may not have it any more.
async fn tell(
    ticket: &Ticket,
    tenant: &Tenant,
    handle: &Handle,
    mut query: LogQuery,
    (form, follow): (Form, bool),
    texts: &mpsc::Sender<String>,
) {
    let patience = ticket.site.patience;
    let mut asks = interval_at(Instant::now() + patience, patience);
    loop {
        let asked = query.clone();
        let next = async {
            match follow {
                true => handle.follow_log(&asked).await,
                false => {
                    let (page, tries) = handle.log_with_tries(&asked).await?;
                    Ok((page.has_more || !page.lines.is_empty()).then_some((page, tries)))
                }
            }
        };
        tokio::pin!(next);
        let found = loop {
            let told = tokio::select! {
                () = ticket.site.stopping.cancelled() => return,
                () = texts.closed() => return,
                found = &mut next => break found,
                _ = asks.tick() => match ticket.ask(&tenant.organization.id).await {
                    Ok(()) => form.beat(),
                    Err(_) => return,
                },
            };
            if !send(texts, told, patience).await {
                return;
            }
        };
        let (page, tries) = match found {
            Ok(Some(found)) => found,
            Ok(None) => {
                send(texts, form.end(), patience).await;
                return;
            }
            Err(error) => return tracing::debug!(error = %error.chain(), "a log is not told any more"),
        };
        query.after = page.next;
        let text = form.lines(page.lines, &tries, &query.after);
        if !send(texts, text, patience).await {
            return;
        }
    }
}

/// False where nobody takes it in time.
async fn send(texts: &mpsc::Sender<String>, text: String, patience: Duration) -> bool {
    text.is_empty() || texts.send_timeout(text, patience).await.is_ok()
}

impl Form {
    fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; charset=utf-8",
            Self::Ndjson => "application/x-ndjson",
            Self::Events => "text/event-stream",
        }
    }

    fn lines(self, lines: Vec<Line>, tries: &Tries, next: &Cursor) -> String {
        if lines.is_empty() {
            return String::new();
        }
        match self {
            Self::Text => lines.iter().map(|line| logs::text(line, &time(line.at)) + "\n").collect(),
            Self::Ndjson => lines.into_iter().map(|line| json(&LogLine::new(line, tries)) + "\n").collect(),
            Self::Events => {
                let lines: Vec<_> = lines.into_iter().map(|line| LogLine::new(line, tries)).collect();
                format!("id: {}\nevent: lines\ndata: {}\n\n", written(next), json(&lines))
            }
        }
    }

    /// A sign of life, where there is one.
    fn beat(self) -> String {
        if self == Self::Events { ":\n\n".to_owned() } else { String::new() }
    }

    fn end(self) -> String {
        if self == Self::Events { "event: end\ndata: the run is over\n\n".to_owned() } else { String::new() }
    }
}

impl LogLine {
    fn new(line: Line, tries: &Tries) -> Self {
        Self {
            at: Timestamp(line.at),
            level: line.level,
            segment: line.segment.map(|segment| segment.to_string()),
            block: line.block.map(|block| block.to_string()),
            attempt: number(tries, line.token),
            executor: line.executor,
            message: line.message,
            fields: line.fields,
        }
    }
}

/// A cursor as callers hold it.
pub(super) fn written(cursor: &Cursor) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(json(cursor))
}

pub(super) fn cursor(text: &str) -> Result<Cursor, Refusal> {
    let read = BASE64_URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    read.ok_or_else(|| Refusal::wrong("after", "this is no `next` of a page"))
}

fn json(value: &impl Serialize) -> String {
    // Texts and numbers are always JSON.
    serde_json::to_string(value).unwrap_or_default()
}

fn time(at: i64) -> String {
    DateTime::from_timestamp_millis(at).map(|at| at.to_rfc3339_opts(SecondsFormat::Millis, true)).unwrap_or_default()
}
