//! `/events` and `/ws`: what happens in an organization, from one log: to be asked for, or told while it happens.

use std::convert::Infallible;

use actix_web::http::header::ACCEPT;
use actix_web::web::{Bytes, Payload};
use actix_web::{HttpRequest, HttpResponse, Responder, rt};
use actix_ws::{CloseReason, Message, MessageStream, Session};
use futures::stream;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use utoipa::{IntoParams, ToSchema};

use super::body::{Json, Query};
use super::gate::{Known, Ticket};
use super::problem::Problem;
use super::stream::{Line, Over, begin};
use crate::accounts::{Refusal, Tenant};
use crate::news::Happening;

/// Events in one answer, where none are asked for and at most.
const LIMIT: i64 = 100;
const LIMIT_MAX: i64 = 1000;

/// What a WebSocket speaks; beside it stands the token, `bearer.` and the token itself.
const PROTOCOL: &str = "flowetl";
/// Whoever watches has nothing to say.
const FRAME_BYTES_MAX: usize = 4 << 10;
/// Where a page's connection to server-sent events was cut, the number of the last one it got.
const LAST_EVENT_ID: &str = "last-event-id";
const EVENT_STREAM: &str = "text/event-stream";

/// Which part of the log.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Since {
    /// Events of greater numbers; without it, those from now on.
    after: Option<i64>,
    /// How many at most, where it is no stream: 100 where it is left out, never more than 1000.
    limit: Option<i64>,
}

/// Events, and where the next ones are.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct EventPage {
    /// In the order they happened.
    events: Vec<Happening>,
    /// The `after` of the next call.
    next: i64,
}

/// What happens in the organization. With `Accept: text/event-stream` it is told while it happens, as server-sent events, from
/// the number `after` or that of the header `Last-Event-ID` on: first an event `hello` with the number it begins after, then
/// each once, and between them `run.progress` with counters, which have no number. An event `over` says why nothing more
/// comes. Otherwise what is in the log is answered at once. 410 means that not all since then is kept: look at everything anew.
#[utoipa::path(get, path = "/events", tag = "events", params(Since), responses((status = 200, body = EventPage)))]
pub(super) async fn list(
    request: HttpRequest,
    Known(ticket): Known<Ticket>,
    Known(tenant): Known<Tenant>,
    Query(since): Query<Since>,
) -> Result<HttpResponse, Problem> {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    if header(ACCEPT.as_str()).is_some_and(|types| types.contains(EVENT_STREAM)) {
        let last = header(LAST_EVENT_ID).map(str::parse).transpose();
        let last = last.map_err(|_| Problem::not_understood(format!("`{LAST_EVENT_ID}` is no number")))?;
        let mut lines = begin(ticket, tenant, last.or(since.after)).await?;
        let texts =
            stream::poll_fn(move |context| lines.poll_recv(context).map(|line| line.map(|line| as_event(&line))));
        return Ok(HttpResponse::Ok().content_type(EVENT_STREAM).streaming(texts));
    }
    let limit = since.limit.unwrap_or(LIMIT).clamp(1, LIMIT_MAX);
    let handle = ticket.site.handle()?;
    let page = ticket.site.whole(async move { handle.news(&tenant.organization.id, since.after, limit).await });
    let (events, next) = page.await??;
    Ok(Json(EventPage { events, next }).respond_to(&request).map_into_boxed_body())
}

/// The same over a WebSocket: one JSON document each, first one of the kind `hello`. The token stands in the header
/// `Authorization`, or after `bearer.` as one of the protocols that are offered, beside `flowetl`. It is closed with 1001 where
/// the service ends or another coordinator leads, 4401 once the token does not count any more, 4403 once the role is lost,
/// 4408 where what is sent is not taken in time, and 4410 where not all since then is kept.
#[utoipa::path(get, path = "/ws", tag = "events", params(Since), responses((status = 101)))]
pub(super) async fn socket(
    request: HttpRequest,
    body: Payload,
    Known(ticket): Known<Ticket>,
    Known(tenant): Known<Tenant>,
    Query(since): Query<Since>,
) -> Result<HttpResponse, Problem> {
    if !ticket.site.is_own_page(&request) {
        return Err(Refusal::Forbidden("pages of this origin may not call here".into()).into());
    }
    let opened = actix_ws::handle_with_protocols(&request, body, &[PROTOCOL]);
    let (response, session, messages) = opened.map_err(|e| Problem::not_understood(e.to_string()))?;
    let lines = begin(ticket, tenant, since.after).await?;
    rt::spawn(converse(session, messages.max_frame_size(FRAME_BYTES_MAX), lines));
    Ok(response)
}

/// One line as a server-sent event.
fn as_event(line: &Line) -> Result<Bytes, Infallible> {
    let text = match line {
        Line::Beat => ":\n\n".to_owned(),
        Line::Over(over) => format!("event: over\ndata: {}\n\n", over.code().1),
        Line::Happening(happening) => {
            let id = happening.number.map(|number| format!("id: {number}\n")).unwrap_or_default();
            format!("{id}event: {}\ndata: {}\n\n", happening.kind, document(happening))
        }
    };
    Ok(text.into())
}

/// Sends what happens over a WebSocket until nobody listens or nothing more comes.
async fn converse(mut session: Session, mut messages: MessageStream, mut lines: mpsc::Receiver<Line>) {
    let over = loop {
        let sent = tokio::select! {
            line = lines.recv() => match line {
                Some(Line::Beat) => session.ping(b"").await,
                Some(Line::Over(over)) => break over,
                Some(Line::Happening(happening)) => session.text(document(&happening)).await,
                None => break Over::Slow,
            },
            message = messages.recv() => match message {
                Some(Ok(Message::Ping(text))) => session.pong(&text).await,
                Some(Ok(Message::Close(_)) | Err(_)) | None => return drop(session.close(None).await),
                Some(Ok(_)) => Ok(()),
            },
        };
        if sent.is_err() {
            return;
        }
    };
    let (code, reason) = over.code();
    let reason = CloseReason { code: code.into(), description: Some(reason.to_owned()) };
    // They may be gone.
    let _ = session.close(Some(reason)).await;
}

fn document(happening: &Happening) -> String {
    // Texts, numbers and documents are always JSON.
    serde_json::to_string(happening).unwrap_or_default()
}
