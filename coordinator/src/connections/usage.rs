//! Which pipelines use a connection.

use serde::Serialize;
use utoipa::ToSchema;

use super::Connection;
use crate::Result;
use crate::store::Directory;

/// Pipelines that are told of.
const USERS_MAX: usize = 500;
/// Names in a refusal; the rest are counted.
const NAMED_MAX: usize = 3;

/// A pipeline that uses a connection.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
pub(crate) struct ConnectionUser {
    pub name: String,
    pub id: String,
}

/// Those whose newest file names the connection as one that the organization keeps, and those that wait for files there; by
/// name, 500 at most. A draft that is not right yet uses nothing.
pub(super) async fn users(directory: &mut Directory, connection: &Connection) -> Result<Vec<ConnectionUser>> {
    let (organization, name) = (&connection.organization, &connection.name);
    let mut users = directory.waiting_at(organization, name).await?;
    for (user, revision) in directory.revisions_naming(organization, name).await? {
        let names = revision.definition.is_some_and(|definition| definition.connections.contains_key(name));
        if names && !revision.file.source().defines(name) {
            users.push(user);
        }
    }
    users.sort();
    users.dedup();
    users.truncate(USERS_MAX);
    Ok(users)
}

/// Names of the first, and how many more there are.
pub(super) fn named(users: &[ConnectionUser]) -> String {
    let mut names: Vec<_> = users.iter().take(NAMED_MAX).map(|user| format!("`{}`", user.name)).collect();
    if users.len() > NAMED_MAX {
        names.push(format!("{} more", users.len() - NAMED_MAX));
    }
    match names.split_last() {
        Some((last, [_, ..])) => format!("{} and {last}", names[..names.len() - 1].join(", ")),
        _ => names.concat(),
    }
}
