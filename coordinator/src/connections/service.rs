//! Connections as people and programs handle them: made, changed, tested, deleted, each within its organization.

use std::collections::BTreeMap;
use std::sync::Arc;

use flowetl_proto::catalogue::Catalogue;
use flowetl_proto::pipeline::{ConnectionSpec, Secret, Unsealed};
use flowetl_proto::run::Timestamp;
use indexmap::IndexMap;
use serde::Serialize;
use utoipa::ToSchema;

use super::wish::{Draft, Wish, blank, spec};
use super::{Connection, ConnectionDetail, ConnectionQuery, ConnectionView, LastTest, path, usage};
use crate::accounts::{Caller, Change, Refusal, Tenant, document};
use crate::fleet::Roster;
use crate::store::{Directory, Store};
use crate::vault::Vault;
use crate::{Result, clock};

/// Connections of one organization: what the catalogue of a pipeline can be checked against in a moment.
const CONNECTIONS_MAX: i64 = 10_000;

/// Connections, in a metadata database, with a vault for their secrets and executors to try them. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Connections {
    vault: Vault,
    roster: Arc<dyn Roster>,
}

/// What came of a test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct TestAnswer {
    pub success: bool,
    /// In the server's own words, where it has said something.
    pub message: String,
    /// What may help.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    pub details: TestDetails,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct TestDetails {
    pub db_type: String,
    /// The server's, as it says it itself; null where nobody answered.
    pub version: Option<String>,
}

impl Connections {
    pub(crate) fn new(vault: &Vault, roster: Arc<dyn Roster>) -> Self {
        Self { vault: vault.clone(), roster }
    }

    pub(super) fn vault(&self) -> &Vault {
        &self.vault
    }

    /// Whether it takes a master password to open what an organization's connections need.
    pub(super) async fn is_locked(&self, organization: &str) -> Result<bool> {
        self.vault.is_locked(organization).await
    }

    pub(crate) fn roster(&self) -> Arc<dyn Roster> {
        Arc::clone(&self.roster)
    }

    pub(crate) fn store(&self) -> &Store {
        self.vault.store()
    }

    /// What the executors can connect to.
    pub(crate) fn catalogue(&self) -> Result<Arc<Catalogue>, Refusal> {
        self.roster.catalogue().ok_or(Refusal::NoExecutor)
    }

    /// All names of a type that means the same connector as `kind`; that one alone where nobody knows it.
    pub(crate) fn kinds_like(&self, kind: &str) -> Vec<String> {
        let catalogue = self.roster.catalogue();
        let known = catalogue.as_ref().and_then(|catalogue| catalogue.connector_for_scheme(kind));
        known.map_or_else(|| vec![kind.to_owned()], |connector| connector.schemes.clone())
    }

    pub(crate) async fn list(&self, query: &ConnectionQuery) -> Result<Vec<Connection>> {
        self.store().directory().await?.connections(query).await
    }

    pub(crate) async fn get(&self, tenant: &Tenant, id: &str) -> Result<Connection, Refusal> {
        let found = self.store().directory().await?.connection(&tenant.organization.id, id).await?;
        found.ok_or_else(|| nothing(id))
    }

    pub(crate) async fn create(&self, caller: &Caller, tenant: &Tenant, wish: Wish) -> Result<Connection, Refusal> {
        let organization = &tenant.organization.id;
        let draft = wish.over(blank(clock::new_id(), organization, clock::now()), &*self.catalogue()?)?;
        let connection = self.sealed(draft).await?;
        let mut directory = self.store().change_directory().await?;
        directory.lock_organization(organization).await?;
        if directory.count_connections(organization).await? >= CONNECTIONS_MAX {
            return Err(Refusal::Conflict(format!("the organization has {CONNECTIONS_MAX} connections: delete some")));
        }
        check_name(&mut directory, &connection).await?;
        directory.add_connection(&connection).await?;
        audit(&mut directory, caller, "connection.created", None, Some(&connection)).await?;
        directory.commit().await?;
        Ok(connection)
    }

    /// Changes what the wish says. A secret that it leaves out, or of which it only says that there is one, stays.
    pub(crate) async fn change(
        &self,
        caller: &Caller,
        tenant: &Tenant,
        id: &str,
        wish: Wish,
    ) -> Result<Connection, Refusal> {
        let before = self.get(tenant, id).await?;
        check_own(&mut self.store().directory().await?, &before).await?;
        let mut after = self.sealed(wish.over(before.clone(), &*self.catalogue()?)?).await?;
        let leads =
            |connection: &Connection| (connection.kind.clone(), connection.config.clone(), connection.sealed.clone());
        if leads(&before) != leads(&after) {
            after.test = None;
        }
        // It also tells a test that the settings are others by now.
        after.updated_at = Timestamp(clock::now().max(before.updated_at.0 + 1));
        let mut directory = self.store().change_directory().await?;
        directory.lock_organization(&after.organization).await?;
        let now = directory.connection(&after.organization, id).await?.ok_or_else(|| nothing(id))?;
        if now.updated_at != before.updated_at {
            return Err(Refusal::Conflict("somebody else has changed the connection meanwhile: look again".into()));
        }
        check_name(&mut directory, &after).await?;
        directory.change_connection(&after).await?;
        audit(&mut directory, caller, "connection.changed", Some(&before), Some(&after)).await?;
        directory.commit().await?;
        Ok(after)
    }

    /// With the pipelines that use it.
    pub(crate) async fn detail(&self, tenant: &Tenant, id: &str) -> Result<ConnectionDetail, Refusal> {
        let mut directory = self.store().directory().await?;
        let found = directory.connection(&tenant.organization.id, id).await?.ok_or_else(|| nothing(id))?;
        let used_by = usage::users(&mut directory, &found).await?;
        Ok(ConnectionDetail { connection: found.into(), used_by })
    }

    /// Refused while pipelines use it, unless it `is_meant` all the same.
    pub(crate) async fn delete(
        &self,
        caller: &Caller,
        tenant: &Tenant,
        id: &str,
        is_meant: bool,
    ) -> Result<(), Refusal> {
        let mut directory = self.store().change_directory().await?;
        let organization = &tenant.organization.id;
        // No pipeline is applied meanwhile.
        directory.lock_organization(organization).await?;
        let before = directory.connection(organization, id).await?.ok_or_else(|| nothing(id))?;
        check_own(&mut directory, &before).await?;
        let users = usage::users(&mut directory, &before).await?;
        if !users.is_empty() && !is_meant {
            let (name, users) = (&before.name, usage::named(&users));
            let message =
                format!("connection `{name}` is used by {users}: change them first, or delete it with `force=true`");
            return Err(Refusal::Conflict(message));
        }
        directory.remove_connection(organization, id).await?;
        audit(&mut directory, caller, "connection.deleted", Some(&before), None).await?;
        Ok(directory.commit().await?)
    }

    /// Tests what is not kept, or not yet: where the wish has the id of a connection, what it leaves out is taken from there.
    pub(crate) async fn test_draft(&self, tenant: &Tenant, mut wish: Wish) -> Result<TestAnswer, Refusal> {
        let base = match wish.id.take() {
            Some(id) => self.get(tenant, &id).await?,
            None => blank(clock::new_id(), &tenant.organization.id, clock::now()),
        };
        if base.name.is_empty() && wish.name.is_none() {
            wish.name = Some("connection".to_owned());
        }
        let catalogue = self.catalogue()?;
        let draft = wish.over(base, &catalogue)?;
        let spec = draft.spec(&catalogue)?;
        self.try_out(&draft.connection, draft.secrets, &spec).await
    }

    /// Tests a connection, and keeps what came of it.
    pub(crate) async fn test(&self, tenant: &Tenant, id: &str) -> Result<TestAnswer, Refusal> {
        let connection = self.get(tenant, id).await?;
        self.test_kept(&connection).await
    }

    pub(super) async fn test_kept(&self, connection: &Connection) -> Result<TestAnswer, Refusal> {
        let answer = match spec(connection, [].iter(), &*self.catalogue()?) {
            Ok(spec) => self.try_out(connection, BTreeMap::new(), &spec).await?,
            // Its connector wants something else by now.
            Err(refusal) => TestAnswer {
                success: false,
                message: refusal.to_string(),
                hint: None,
                details: TestDetails { db_type: connection.kind.clone(), version: None },
            },
        };
        let test = LastTest {
            at: Timestamp(clock::now()),
            success: answer.success,
            version: answer.details.version.clone(),
            message: answer.message.clone(),
        };
        let mut directory = self.store().change_directory().await?;
        directory.connection_tested(connection, &test).await?;
        directory.commit().await?;
        Ok(answer)
    }

    async fn try_out(
        &self,
        connection: &Connection,
        new: BTreeMap<String, Secret>,
        spec: &ConnectionSpec,
    ) -> Result<TestAnswer, Refusal> {
        let mut secrets = Unsealed::default();
        for (key, secret) in self.opened(connection).await?.into_iter().chain(new) {
            secrets.insert(path(&connection.organization, &connection.id, &key), secret);
        }
        let tested = self.roster.test(&connection.name, spec, &secrets).await.map_err(|failure| {
            tracing::warn!(reason = failure.message, "a connection cannot be tested");
            Refusal::NoExecutor
        })?;
        let db_type = connection.kind.clone();
        Ok(match tested {
            Ok(found) => TestAnswer {
                success: true,
                message: "Connection successful".to_owned(),
                hint: None,
                details: TestDetails { db_type, version: Some(found.version) },
            },
            Err(reason) => TestAnswer {
                success: false,
                message: reason.message,
                hint: reason.hint,
                details: TestDetails { db_type, version: None },
            },
        })
    }

    /// A connection for whoever does the connecting, and the secrets that it names.
    pub(crate) async fn opened_spec(&self, connection: &Connection) -> Result<(ConnectionSpec, Unsealed), Refusal> {
        let spec = spec(connection, [].iter(), &*self.catalogue()?)?;
        let mut secrets = Unsealed::default();
        for (key, secret) in self.opened(connection).await? {
            secrets.insert(path(&connection.organization, &connection.id, &key), secret);
        }
        Ok((spec, secrets))
    }

    /// The secrets of a connection.
    pub(super) async fn opened(&self, connection: &Connection) -> Result<BTreeMap<String, Secret>> {
        let mut opened = BTreeMap::new();
        for (key, token) in &connection.sealed {
            let what = format!("`{key}` of connection `{}`", connection.name);
            opened.insert(key.clone(), self.vault.open(&connection.organization, token, &what).await?);
        }
        Ok(opened)
    }

    /// A draft with all its secrets sealed.
    async fn sealed(&self, draft: Draft) -> Result<Connection> {
        let mut connection = draft.connection;
        for (key, secret) in draft.secrets {
            let token = self.vault.seal(&connection.organization, &secret).await?;
            connection.sealed.insert(key, token);
        }
        Ok(connection)
    }

    /// Those of the organization that owns what no other does.
    pub(crate) async fn named_by_default(&self, catalogue: &Catalogue) -> Result<IndexMap<String, ConnectionSpec>> {
        let default = self.store().directory().await?.default_organization().await?;
        match default {
            Some(organization) => self.named(&organization, catalogue).await,
            None => Ok(IndexMap::new()),
        }
    }

    /// All connections of an organization, for its pipelines to name. One that no connector understands any more is none.
    pub(crate) async fn named(
        &self,
        organization: &str,
        catalogue: &Catalogue,
    ) -> Result<IndexMap<String, ConnectionSpec>> {
        let query = ConnectionQuery {
            organization: organization.to_owned(),
            limit: CONNECTIONS_MAX,
            ..ConnectionQuery::default()
        };
        let mut named = IndexMap::new();
        for connection in self.list(&query).await? {
            if let Ok(spec) = spec(&connection, [].iter(), catalogue) {
                named.insert(connection.name, spec);
            }
        }
        Ok(named)
    }
}

/// What is built in is not the organization's to change.
async fn check_own(directory: &mut Directory, connection: &Connection) -> Result<(), Refusal> {
    let tenancy = directory.tenancy(&connection.organization).await?;
    match tenancy.is_some_and(|tenancy| tenancy.connection.as_ref() == Some(&connection.id)) {
        true => Err(Refusal::Conflict(format!("connection `{}` is built in and stays as it is", connection.name))),
        false => Ok(()),
    }
}

async fn check_name(directory: &mut Directory, connection: &Connection) -> Result<(), Refusal> {
    let other = directory.connection_named(&connection.organization, &connection.name).await?;
    match other.is_some_and(|other| other.id != connection.id) {
        true => Err(Refusal::Conflict(format!("there is a connection `{}` already", connection.name))),
        false => Ok(()),
    }
}

async fn audit(
    directory: &mut Directory,
    caller: &Caller,
    action: &'static str,
    before: Option<&Connection>,
    after: Option<&Connection>,
) -> Result<()> {
    let Some(either) = after.or(before) else { return Ok(()) };
    let shown = |connection: &Connection| document(&ConnectionView::from(connection.clone()));
    let change = Change {
        organization: Some(&either.organization),
        action,
        subject: &either.id,
        before: before.and_then(shown),
        after: after.and_then(shown),
    };
    directory.audit(&caller.entry(change)).await
}

fn nothing(id: &str) -> Refusal {
    Refusal::NotFound(format!("there is no connection `{id}`"))
}
