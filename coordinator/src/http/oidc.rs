//! `/auth/oidc`: signing in through another service. A browser goes there and comes back with a ticket for its page.

use actix_web::http::header::{COOKIE, HeaderValue, LOCATION, SET_COOKIE};
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use serde::{Deserialize, Serialize};
use url::form_urlencoded;
use utoipa::{IntoParams, ToSchema};

use super::body::{Json, Query};
use super::gate::Known;
use super::problem::Problem;
use super::{Auth, Site};
use crate::accounts::{Accounts, Caller, Refusal, Tokens};
use crate::oidc::{Browser, Oidc};

/// What ties a sign-in to the browser that began it.
const COOKIE_NAME: &str = "flowetl_oidc";
/// Sent to no other path, and for as long as a sign-in may take.
const COOKIE_PATH: &str = "/api/v1/auth/oidc";
const COOKIE_SECONDS: u32 = 600;

/// Where a sign-in ends.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Begin {
    /// The page of this service to come back to, with `?ticket=` behind it: `/login` where it is left out.
    next: Option<String>,
}

/// What the other service sends a browser back with.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Back {
    state: String,
    code: Option<String>,
    /// Why there is no code.
    error: Option<String>,
}

/// What the page got.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Ticket {
    ticket: String,
}

/// How people sign in.
#[derive(Serialize, ToSchema)]
pub(super) struct Methods {
    /// By `/auth/login`.
    password: bool,
    /// By `/auth/oidc/login`.
    oidc: bool,
    /// Nobody needs to: whoever reaches the service owns the default organization.
    open: bool,
}

/// How people sign in to this installation.
#[utoipa::path(get, path = "/auth/methods", tag = "auth", responses((status = 200, body = Methods)))]
pub(super) async fn methods(site: Site) -> Json<Methods> {
    Json(Methods { password: true, oidc: site.oidc.is_some(), open: site.auth == Auth::Off })
}

/// Sign in through the OpenID Connect service of this installation: a browser is sent there.
#[utoipa::path(get, path = "/auth/oidc/login", operation_id = "oidc_login", tag = "auth", params(Begin), responses((status = 303)))]
pub(super) async fn login(site: Site, Query(wish): Query<Begin>) -> Result<Away, Problem> {
    let away = oidc(&site)?.begin(wish.next.as_deref().unwrap_or("/login")).await?;
    Ok(Away { url: away.url, cookie: cookie(&site, &away.browser.0, COOKIE_SECONDS) })
}

/// Where the other service sends the browser back to: it goes on to its page, with a ticket. Both count once, in this browser.
#[utoipa::path(get, path = "/auth/oidc/callback", tag = "auth", params(Back), responses((status = 303)))]
pub(super) async fn callback(site: Site, browser: Shown, Query(back): Query<Back>) -> Result<Away, Problem> {
    // Their words are theirs: they are not repeated.
    let (Some(code), None) = (back.code, back.error) else {
        return Err(Refusal::Unknown("the other service has let nobody in: sign in again".into()).into());
    };
    let (ticket, next) = oidc(&site)?.come_back(&back.state, &code, &browser.0).await?;
    let mark = if next.contains('?') { '&' } else { '?' };
    let ticket: String = form_urlencoded::byte_serialize(ticket.as_bytes()).collect();
    Ok(Away { url: format!("{next}{mark}ticket={ticket}"), cookie: cookie(&site, &browser.0.0, COOKIE_SECONDS) })
}

/// Exchange the ticket of a sign-in through another service for tokens; in the browser that signed in, once.
#[utoipa::path(post, path = "/auth/oidc/token", tag = "auth", request_body = Ticket,
    responses((status = 200, body = Tokens)))]
pub(super) async fn token(
    site: Site,
    browser: Shown,
    Known(accounts): Known<Accounts>,
    Known(caller): Known<Caller>,
    Json(shown): Json<Ticket>,
) -> Result<Json<Tokens>, Problem> {
    let identity = oidc(&site)?.redeem(&shown.ticket, &browser.0)?;
    Ok(Json(accounts.enter(&identity, caller.address).await?))
}

/// That of the installation.
fn oidc(site: &Site) -> Result<&Oidc, Refusal> {
    let none = || Refusal::NotFound("this installation lets nobody sign in through another service".into());
    site.oidc.as_deref().ok_or_else(none)
}

fn cookie(site: &Site, value: &str, seconds: u32) -> String {
    let secure = if site.oidc.as_ref().is_some_and(|oidc| oidc.is_encrypted()) { "; Secure" } else { "" };
    // Lax: sent when the other service sends the browser back, and with no form of another page.
    format!("{COOKIE_NAME}={value}; Path={COOKIE_PATH}; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}")
}

/// Sends a browser elsewhere.
pub(super) struct Away {
    url: String,
    cookie: String,
}

impl actix_web::Responder for Away {
    type Body = actix_web::body::BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        let headers = [(LOCATION, self.url), (SET_COOKIE, self.cookie)];
        let mut response = HttpResponse::SeeOther().finish();
        for (name, value) in headers {
            match HeaderValue::from_str(&value) {
                Ok(value) => drop(response.headers_mut().insert(name, value)),
                Err(error) => return Problem::internal(&error.to_string()).error_response(),
            }
        }
        response
    }
}

/// What a browser holds of its sign-in; empty where it holds nothing.
pub(super) struct Shown(Browser);

impl actix_web::FromRequest for Shown {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut actix_web::dev::Payload) -> Self::Future {
        let cookies = request.headers().get_all(COOKIE).filter_map(|cookies| cookies.to_str().ok());
        let mut all = cookies.flat_map(|cookies| cookies.split(';')).filter_map(|cookie| cookie.trim().split_once('='));
        let own = all.find(|(name, _)| *name == COOKIE_NAME).map(|(_, value)| value.to_owned());
        std::future::ready(Ok(Self(Browser(own.unwrap_or_default()))))
    }
}
