//! Calls with an `Idempotency-Key` are done once: made again within a day, they are answered as they were.

use std::fmt::Write;

use actix_web::body::{BoxBody, MessageBody, to_bytes};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::middleware::Next;
use actix_web::{HttpMessage, HttpResponse};
use futures::StreamExt;
use sha2::{Digest, Sha256};

use super::Site;
use super::body::FILE_BYTES_MAX;
use super::problem::Problem;
use crate::accounts::{Caller, Tenant};
use crate::clock;
use crate::store::Earlier;

const HEADER: &str = "idempotency-key";
const KEY_CHARS_MAX: usize = 255;
/// Says that an answer is that of an earlier call.
const REPLAYED: &str = "idempotent-replayed";
/// A call is done or given up after this.
const CALL_MS: i64 = 60_000;
/// The ends of paths whose answers hold what is shown once, and kept nowhere.
const SECRET: [&str; 3] = ["/api-keys", "/invitations", "/triggers"];

/// Does a call unless it was done before.
pub(super) async fn once(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse, actix_web::Error> {
    let Some(key) = key(&request)? else { return Ok(next.call(request).await?.map_into_boxed_body()) };
    let body = read(&mut request).await?;
    let (site, scope, hash) = (Site::of(request.request())?, scope(&request), hex(&body));
    request.set_payload(actix_web::web::Bytes::from(body).into());
    let handle = site.handle()?;
    let (store, call) = (handle.store().clone(), (scope.clone(), key.clone()));
    let begun = async move { store.begin_once((&call.0, &call.1), &hash, clock::now()).await };
    match site.whole(begun).await?.map_err(Problem::from)? {
        Earlier::Never => {}
        Earlier::Other => return Err(Problem::used_key("this `Idempotency-Key` was used for another body").into()),
        Earlier::Open { since } if clock::now() - since < CALL_MS => {
            return Err(Problem::used_key("the first call with this `Idempotency-Key` is under way").into());
        }
        Earlier::Open { .. } => {
            let unknown = "the first call with this `Idempotency-Key` was not answered: look what has become of it";
            return Err(Problem::used_key(unknown).into());
        }
        Earlier::Answered { answer: None, .. } => {
            let shown = "this was done before, and its answer held a secret, which is shown once";
            return Err(Problem::used_key(shown).into());
        }
        Earlier::Answered { status, answer: Some(answer) } => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
            let mut response = HttpResponse::build(status);
            response.insert_header((REPLAYED, "true")).content_type("application/json");
            return Ok(request.into_response(response.body(answer)));
        }
    }
    let is_secret = SECRET.iter().any(|end| request.path().trim_end_matches('/').ends_with(end));
    let response = next.call(request).await?;
    let status = response.status();
    let (request, response) = response.into_parts();
    let (head, body) = response.into_parts();
    let body = to_bytes(body).await.map_err(|_| Problem::internal("an answer cannot be read"))?;
    let answer = (!is_secret).then(|| String::from_utf8_lossy(&body).into_owned());
    let store = handle.store().clone();
    drop(handle);
    let kept = async move {
        let call = (scope.as_str(), key.as_str());
        match status {
            // It may have been done, and nobody knows.
            StatusCode::INTERNAL_SERVER_ERROR => Ok(()),
            status if status.is_success() => store.answer_once(call, status.as_u16(), answer.as_deref()).await,
            _ => store.forget_once(call).await,
        }
    };
    site.whole(kept).await?.map_err(Problem::from)?;
    Ok(ServiceResponse::new(request, head.set_body(BoxBody::new(body))))
}

/// What the call is to be known by, if it says so.
fn key(request: &ServiceRequest) -> Result<Option<String>, Problem> {
    let Some(shown) = request.headers().get(HEADER) else { return Ok(None) };
    let key = shown.to_str().ok().filter(|key| (1..=KEY_CHARS_MAX).contains(&key.len()));
    let wrong =
        || Problem::not_understood(format!("an `Idempotency-Key` has 1 to {KEY_CHARS_MAX} characters of ASCII"));
    key.map(|key| Some(key.to_owned())).ok_or_else(wrong)
}

/// Who calls what: another's key is another key.
fn scope(request: &ServiceRequest) -> String {
    let found = request.extensions();
    let organization = found.get::<Tenant>().map(|tenant| tenant.organization.id.as_str()).unwrap_or_default();
    let caller = found.get::<Caller>();
    let key = caller.and_then(|caller| caller.key.as_ref()).map(|key| key.id.as_str());
    let person = caller.and_then(|caller| caller.person.as_ref()).map(|person| person.id.as_str());
    let who = key.or(person).unwrap_or_default();
    format!("{organization} {who} {} {}", request.method(), request.path().trim_end_matches('/'))
}

async fn read(request: &mut ServiceRequest) -> Result<Vec<u8>, Problem> {
    let (mut payload, mut body) = (request.take_payload(), Vec::new());
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| Problem::not_understood("the body breaks off"))?;
        if body.len() + chunk.len() > FILE_BYTES_MAX {
            return Err(Problem::too_large(FILE_BYTES_MAX));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
