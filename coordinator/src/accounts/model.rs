//! People, organizations, and what lies between them, as the API shows them. Nothing here is secret.

use flowetl_proto::run::Timestamp;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{Role, Scope};

/// Someone who can sign in.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Person {
    pub id: String,
    pub email: String,
    pub name: String,
    /// May see and do everything in this installation.
    pub super_admin: bool,
    pub created_at: Timestamp,
}

/// Owns runs, and people belong to it.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Organization {
    pub id: String,
    pub name: String,
    /// Its name in URLs: small letters, digits and `-`.
    pub slug: String,
    /// Runs that may be under way at once; others wait for their turn. Null for as many as there are.
    pub runs_at_once: Option<i64>,
    pub created_at: Timestamp,
}

/// An organization as one of its members sees it.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Membership {
    pub organization: Organization,
    pub role: Role,
}

/// Someone who belongs to an organization.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Member {
    /// The id of the person.
    pub person: String,
    pub email: String,
    pub name: String,
    pub role: Role,
    pub since: Timestamp,
    /// When they signed in last, or went on with a session; null where that has never been.
    pub last_seen_at: Option<Timestamp>,
}

/// Someone who may come to belong to an organization.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Invitation {
    pub id: String,
    #[serde(skip)]
    pub organization: String,
    pub email: String,
    pub role: Role,
    /// The id of the person who invites.
    pub invited_by: String,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

/// Lets a program do what its maker may, within its scopes.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct ApiKey {
    pub id: String,
    #[serde(skip)]
    pub organization: String,
    /// The id of the person who made it, and as whom it acts.
    pub person: String,
    pub name: String,
    /// What the key begins with.
    pub prefix: String,
    pub scopes: Vec<Scope>,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    /// To the minute.
    pub last_used_at: Option<Timestamp>,
}

/// One change: who did what, from where.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct AuditEntry {
    pub id: String,
    /// The id of the organization; null for what is the installation's own.
    pub organization: Option<String>,
    /// The id of the person who did it; null where nobody was signed in.
    pub person: Option<String>,
    /// The id of the API key it was done with.
    pub api_key: Option<String>,
    /// The address it was done from.
    pub address: String,
    /// What was done: `member.changed`.
    pub action: String,
    /// The id of what it was done to.
    pub subject: String,
    /// How it was, where it was there.
    pub before: Option<Value>,
    /// How it is, where it is still there.
    pub after: Option<Value>,
    pub at: Timestamp,
}
