//! Who may call what: the one place where that is asked, by the rule of each endpoint.

use std::net::IpAddr;

use axum::extract::{FromRequestParts, RawPathParams, Request, State};
use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, HOST};
use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::middleware::Next;
use axum::response::Response;

use super::listen::Peer;
use super::problem::Problem;
use super::{Auth, Site};
use crate::accounts::{Accounts, Caller, Refusal, Role, Scope, Tenant};

/// Names the organization that a call is about, by its id or slug, where the path does not.
const ORGANIZATION_HEADER: &str = "x-organization";
/// The part of a path that names it.
const ORGANIZATION_PART: &str = "organization";

/// What an endpoint asks of its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Needs {
    /// Nothing: it is how people get in.
    Nobody,
    /// Someone who has signed in; API keys are for programs, and are refused.
    Person,
    /// Someone with at least this role in the organization that the call is about; an API key only with the scope, and with
    /// none where there is none.
    Member(Role, Option<Scope>),
    /// Someone who may do everything in this installation, and has signed in.
    SuperAdmin,
}

/// Lets a call through if its caller has what the endpoint needs, with the [`Caller`], the [`Accounts`], and the [`Tenant`]
/// if there is one.
pub(super) async fn pass(
    State((site, needs)): State<(Site, Needs)>,
    path: RawPathParams,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let address = request.extensions().get::<Peer>().map(|peer| peer.0.ip().to_canonical());
    let address = address.ok_or_else(|| Problem::internal("a call has no address"))?;
    if site.auth == Auth::Off {
        allow(is_meant_for_this_machine(&request), || {
            Refusal::Forbidden("without authentication only this machine's own names are answered".into())
        })?;
    }
    let accounts = site.accounts().await?;
    let caller = match needs {
        // Whoever comes in may still show what does not count any more.
        Needs::Nobody => Caller::nobody(address),
        _ => caller(&site, &accounts, request.headers(), address).await?,
    };
    let tenant = match needs {
        Needs::Nobody => None,
        Needs::Person | Needs::SuperAdmin => {
            let is_admin = caller.person.as_ref().is_some_and(|person| person.super_admin);
            allow(site.auth == Auth::Off || caller.person.is_some(), unknown)?;
            allow(caller.key.is_none(), || Refusal::Forbidden("an API key may not do this: sign in".into()))?;
            allow(needs == Needs::Person || site.auth == Auth::Off || is_admin, || {
                Refusal::Forbidden("only a super admin may do this".into())
            })?;
            None
        }
        Needs::Member(role, scope) => {
            let named = path.iter().find(|(name, _)| *name == ORGANIZATION_PART).map(|(_, value)| value.to_owned());
            let header = request.headers().get(ORGANIZATION_HEADER).and_then(|value| value.to_str().ok());
            let named = named.as_deref().or(header);
            Some(member(&site, &accounts, &caller, named, role, scope).await?)
        }
    };
    request.extensions_mut().insert(accounts);
    request.extensions_mut().insert(caller);
    if let Some(tenant) = tenant {
        request.extensions_mut().insert(tenant);
    }
    Ok(next.run(request).await)
}

/// The organization that a call is about, if its caller has the role there.
async fn member(
    site: &Site,
    accounts: &Accounts,
    caller: &Caller,
    named: Option<&str>,
    role: Role,
    scope: Option<Scope>,
) -> Result<Tenant, Refusal> {
    let tenant = match (&caller.person, site.auth) {
        (None, Auth::Off) => accounts.open_tenant(named).await?,
        (None, Auth::On) => return Err(unknown()),
        (Some(_), _) => accounts.tenant(caller, named).await?,
    };
    if let Some(key) = &caller.key {
        allow(scope.is_some_and(|scope| key.scopes.contains(&scope)), || {
            Refusal::Forbidden("this API key has not the scope for this".into())
        })?;
    }
    let own = tenant.role.as_str();
    allow(tenant.role >= role, || {
        Refusal::Forbidden(format!("this needs the role `{}`, and yours is `{own}`", role.as_str()))
    })?;
    Ok(tenant)
}

/// Whether a call names this machine by an address or as `localhost`: a page of elsewhere may make its own name point here.
fn is_meant_for_this_machine(request: &Request) -> bool {
    let named = request.uri().authority().map(|authority| authority.to_string());
    let header = || Some(request.headers().get(HOST)?.to_str().ok()?.to_owned());
    let Some(Ok(authority)) = named.or_else(header).map(|named| named.parse::<Authority>()) else { return false };
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Who shows the token in the header; nobody where there is none.
async fn caller(site: &Site, accounts: &Accounts, headers: &HeaderMap, address: IpAddr) -> Result<Caller, Problem> {
    let Some(shown) = headers.get(AUTHORIZATION) else { return Ok(Caller::nobody(address)) };
    let token = shown.to_str().ok().and_then(|shown| shown.split_once(' '));
    let token = token.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, token)| token.trim());
    let Some(token) = token else { return Err(unknown().into()) };
    let (accounts, token) = (accounts.clone(), token.to_owned());
    let known = site.whole(async move { Ok(accounts.caller(&token, address).await?) }).await?;
    Ok(known.ok_or_else(unknown)?)
}

fn allow(is_allowed: bool, refusal: impl FnOnce() -> Refusal) -> Result<(), Refusal> {
    if is_allowed { Ok(()) } else { Err(refusal()) }
}

fn unknown() -> Refusal {
    Refusal::Unknown("this needs an access token or an API key that counts, in `Authorization: Bearer ...`".into())
}

/// What the gate has found out of a call: [`Caller`], [`Accounts`], [`Tenant`].
pub(super) struct Known<T>(pub T);

impl<T: Clone + Send + Sync + 'static, S: Sync> FromRequestParts<S> for Known<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let found = parts.extensions.get::<T>().cloned();
        found.map(Self).ok_or_else(|| Problem::internal("an endpoint asks for what its rule does not give"))
    }
}
