//! Who may call what: the one place where that is asked, by the rule of each endpoint.

use std::future::{Ready, ready};
use std::net::IpAddr;
use std::sync::PoisonError;
use std::time::Duration;

use actix_web::body::MessageBody;
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header::{AUTHORIZATION, HOST, SEC_WEBSOCKET_PROTOCOL};
use actix_web::http::uri::Authority;
use actix_web::middleware::Next;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use tokio::time::timeout;

use super::problem::Problem;
use super::rates::Who;
use super::{Auth, Site};
use crate::accounts::{Accounts, Caller, Refusal, Role, Scope, Tenant, network};
use crate::clock;

/// How long one call may take, its body included: nothing here waits for a run.
const CALL_LIMIT: Duration = Duration::from_secs(30);

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

/// Who calls, and about what, as they say.
#[derive(Clone)]
struct Claim {
    address: IpAddr,
    /// Whether they name this machine by an address or as `localhost`: a page of elsewhere may make its own name point here.
    is_local: bool,
    /// The header that is to hold a token, if it is there.
    shown: Option<String>,
    organization: Option<String>,
}

/// With which a call that lasts asks again whether it may.
#[derive(Clone)]
pub(super) struct Ticket {
    pub site: Site,
    /// The id of the person; empty where nobody has signed in.
    pub caller: String,
    needs: Needs,
    claim: Claim,
}

impl Ticket {
    /// Whether the call would still be let through, to the organization of this id.
    pub(super) async fn ask(&self, organization: &str) -> Result<(), Problem> {
        let (accounts, caller) = self.site.meet(self.needs, &self.claim).await?;
        let tenant = self.site.judge(self.needs, &self.claim, &accounts, &caller).await?;
        let is_same = tenant.is_some_and(|tenant| tenant.organization.id == organization);
        Ok(allow(is_same, || Refusal::NotFound(format!("there is no organization `{organization}`")))?)
    }
}

/// Lets a call through in time if its caller has what the endpoint needs, with the [`Caller`], the [`Accounts`], and the
/// [`Tenant`] if there is one.
pub(super) async fn pass(
    needs: Needs,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse, actix_web::Error> {
    let call = request.request().clone();
    let answered = timeout(CALL_LIMIT, async {
        admit(needs, request.request()).await?;
        next.call(request).await
    });
    Ok(match answered.await {
        Ok(Ok(response)) => response.map_into_boxed_body(),
        Ok(Err(error)) => ServiceResponse::from_err(error, call),
        Err(_) => ServiceResponse::from_err(Problem::too_slow(CALL_LIMIT.as_secs()), call),
    })
}

/// Finds out whether a call is allowed, and leaves with it what was found.
async fn admit(needs: Needs, request: &HttpRequest) -> Result<(), Problem> {
    let (site, claim) = (Site::of(request)?, Claim::of(request)?);
    let mut ticket = Ticket { site, caller: String::new(), needs, claim };
    let own = ticket.clone();
    let judged = ticket.site.whole(async move { own.site.admit(own.needs, &own.claim).await });
    let (accounts, caller, tenant) = judged.await??;
    ticket.caller = caller.person.as_ref().map(|person| person.id.clone()).unwrap_or_default();
    let mut found = request.extensions_mut();
    found.insert(ticket);
    found.insert(accounts);
    found.insert(caller);
    if let Some(tenant) = tenant {
        found.insert(tenant);
    }
    Ok(())
}

impl Claim {
    fn of(request: &HttpRequest) -> Result<Self, Problem> {
        let peer = request.peer_addr().ok_or_else(|| Problem::internal("a call has no address"))?;
        let header =
            |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap_or_default().to_owned());
        let named = request.match_info().get(ORGANIZATION_PART).map(str::to_owned);
        Ok(Self {
            address: peer.ip().to_canonical(),
            is_local: is_meant_for_this_machine(request),
            shown: header(AUTHORIZATION.as_str()).or_else(|| offered(&header(SEC_WEBSOCKET_PROTOCOL.as_str())?)),
            organization: named.or_else(|| header(ORGANIZATION_HEADER)),
        })
    }
}

impl Site {
    /// Who calls, and the organization that it is about if there is one, if they may; and not too often.
    async fn admit(&self, needs: Needs, claim: &Claim) -> Result<(Accounts, Caller, Option<Tenant>), Problem> {
        let met = self.meet(needs, claim).await;
        let who = match met.as_ref().map(|(_, caller)| (&caller.key, &caller.person)) {
            Ok((Some(key), _)) => Who::Key(key.id.clone()),
            Ok((None, Some(person))) => Who::Person(person.id.clone()),
            // Also whoever shows what does not count: it costs as much to find out.
            _ => Who::Address(network(claim.address)),
        };
        let taken = self.rates.lock().unwrap_or_else(PoisonError::into_inner).take(who, clock::now());
        taken.map_err(Problem::too_often)?;
        let (accounts, caller) = met?;
        let tenant = self.judge(needs, claim, &accounts, &caller).await?;
        Ok((accounts, caller, tenant))
    }

    async fn meet(&self, needs: Needs, claim: &Claim) -> Result<(Accounts, Caller), Problem> {
        allow(self.auth == Auth::On || claim.is_local, || {
            Refusal::Forbidden("without authentication only this machine's own names are answered".into())
        })?;
        let accounts = self.accounts().await?;
        let caller = match needs {
            // Whoever comes in may still show what does not count any more.
            Needs::Nobody => Caller::nobody(claim.address),
            _ => caller(&accounts, claim).await?,
        };
        Ok((accounts, caller))
    }

    async fn judge(
        &self,
        needs: Needs,
        claim: &Claim,
        accounts: &Accounts,
        caller: &Caller,
    ) -> Result<Option<Tenant>, Problem> {
        Ok(match needs {
            Needs::Nobody => None,
            Needs::Person | Needs::SuperAdmin => {
                let is_admin = caller.person.as_ref().is_some_and(|person| person.super_admin);
                allow(self.auth == Auth::Off || caller.person.is_some(), unknown)?;
                allow(caller.key.is_none(), || Refusal::Forbidden("an API key may not do this: sign in".into()))?;
                allow(needs == Needs::Person || self.auth == Auth::Off || is_admin, || {
                    Refusal::Forbidden("only a super admin may do this".into())
                })?;
                None
            }
            Needs::Member(role, scope) => {
                Some(self.member(accounts, caller, claim.organization.as_deref(), role, scope).await?)
            }
        })
    }

    /// The organization that a call is about, if its caller has the role there.
    async fn member(
        &self,
        accounts: &Accounts,
        caller: &Caller,
        named: Option<&str>,
        role: Role,
        scope: Option<Scope>,
    ) -> Result<Tenant, Refusal> {
        let tenant = match (&caller.person, self.auth) {
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
}

/// The token among the protocols that a page offers for a WebSocket, for which it can send no other header.
fn offered(protocols: &str) -> Option<String> {
    let token = protocols.split(',').find_map(|protocol| protocol.trim().strip_prefix("bearer."))?;
    Some(format!("Bearer {token}"))
}

fn is_meant_for_this_machine(request: &HttpRequest) -> bool {
    let named = request.uri().authority().map(|authority| authority.to_string());
    let header = || Some(request.headers().get(HOST)?.to_str().ok()?.to_owned());
    let Some(Ok(authority)) = named.or_else(header).map(|named| named.parse::<Authority>()) else { return false };
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Who shows the token in the header; nobody where there is none.
async fn caller(accounts: &Accounts, claim: &Claim) -> Result<Caller, Refusal> {
    let Some(shown) = &claim.shown else { return Ok(Caller::nobody(claim.address)) };
    let token = shown.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let token = token.map(|(_, token)| token.trim()).ok_or_else(unknown)?;
    accounts.caller(token, claim.address).await?.ok_or_else(unknown)
}

fn allow(is_allowed: bool, refusal: impl FnOnce() -> Refusal) -> Result<(), Refusal> {
    if is_allowed { Ok(()) } else { Err(refusal()) }
}

fn unknown() -> Refusal {
    Refusal::Unknown("this needs an access token or an API key that counts, in `Authorization: Bearer ...`".into())
}

/// What the gate has found out of a call: [`Caller`], [`Accounts`], [`Tenant`].
pub(super) struct Known<T>(pub T);

impl<T: Clone + 'static> FromRequest for Known<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let found = request.extensions().get::<T>().cloned();
        ready(found.map(Self).ok_or_else(|| Problem::internal("an endpoint asks for what its rule does not give")))
    }
}
