//! Whether this process is there, and whether it leads: for load balancers and people.

use serde::Serialize;
use utoipa::ToSchema;

use super::Site;
use super::body::Json;

/// How this process stands.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Health {
    /// Always `ok`: who is not well does not answer.
    status: &'static str,
    /// `leader`, or `standby` where another coordinator decides: its calls are refused with 503.
    role: &'static str,
    /// Where the leader is reached (gRPC), as far as this process knows and does not lead itself.
    leader: Option<String>,
    version: &'static str,
}

/// Whether this coordinator is well, and whether it leads.
#[utoipa::path(get, path = "/health", tag = "service", responses((status = 200, body = Health)))]
pub(super) async fn health(site: Site) -> Json<Health> {
    let (role, leader) = match site.seat.borrow().leads() {
        Ok(_) => ("leader", None),
        Err(leader) => ("standby", leader),
    };
    Json(Health { status: "ok", role, leader, version: env!("CARGO_PKG_VERSION") })
}
