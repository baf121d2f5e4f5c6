//! What people may do: roles in an organization, and scopes of API keys.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a member of an organization may do; each may all that those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Role {
    /// Look.
    Viewer,
    /// Make and change, not delete. `member` means the same.
    #[serde(alias = "member")]
    Editor,
    /// Delete, and say who belongs to the organization.
    Admin,
    /// Everything, the organization's own settings and end among it.
    Owner,
}

impl Role {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Editor => "editor",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }
}

/// What one of the stored words means; nothing else is stored.
impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "viewer" => Ok(Self::Viewer),
            "editor" => Ok(Self::Editor),
            "admin" => Ok(Self::Admin),
            "owner" => Ok(Self::Owner),
            other => Err(format!("`{other}` is no role")),
        }
    }
}

/// What an API key may be used for, within what its maker may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) enum Scope {
    /// Look at the organization and its members.
    #[serde(rename = "organization:read")]
    OrganizationRead,
    /// Change the organization and its members.
    #[serde(rename = "organization:write")]
    OrganizationWrite,
    /// Look at runs.
    #[serde(rename = "runs:read")]
    RunsRead,
    /// Look at connections.
    #[serde(rename = "connections:read")]
    ConnectionsRead,
    /// Make, change, test and delete connections.
    #[serde(rename = "connections:write")]
    ConnectionsWrite,
    /// Look whether the vault is open, unlock and lock it.
    #[serde(rename = "vault")]
    Vault,
    /// Cancel runs.
    #[serde(rename = "runs:write")]
    RunsWrite,
    /// Be told what happens.
    #[serde(rename = "events:read")]
    EventsRead,
    /// Look at pipelines and schedules.
    #[serde(rename = "pipelines:read")]
    PipelinesRead,
    /// Change and run pipelines, and when they run.
    #[serde(rename = "pipelines:write")]
    PipelinesWrite,
    /// Look at files, and read them.
    #[serde(rename = "files:read")]
    FilesRead,
    /// Upload and delete files.
    #[serde(rename = "files:write")]
    FilesWrite,
}
