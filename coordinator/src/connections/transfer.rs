//! Many connections as one document: out without their secrets, or with them under a passphrase; and in again.

use std::collections::BTreeMap;

use flowetl_proto::pipeline::Secret;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::wish::Wish;
use super::{Connection, ConnectionQuery, Connections, Direction};
use crate::accounts::{Caller, Change, Refusal, Tenant, text};
use crate::vault::Key;
use crate::{Result, clock};

/// What this version writes and reads.
const VERSION: u32 = 1;
/// More than an organization may have.
const ALL: i64 = 100_000;
const SALT_BYTES: usize = 16;

/// All connections of an organization, or some.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Exported {
    /// 1.
    pub version: u32,
    /// How the key of the secrets is made of the passphrase; null where there are no secrets.
    #[serde(default)]
    pub encryption: Option<Encryption>,
    pub connections: Vec<ExportedConnection>,
}

/// PBKDF2-HMAC-SHA256 of the passphrase makes a Fernet key.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Encryption {
    pub salt: String,
    pub iterations: u32,
}

#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExportedConnection {
    pub name: String,
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(default)]
    pub direction: Direction,
    #[serde(default)]
    pub folder: String,
    /// The settings that are no secrets.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub config: Map<String, Value>,
    /// Those that are, as Fernet tokens.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub secrets: BTreeMap<String, String>,
}

/// Asks for the secrets, too.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExportWish {
    /// What they are sealed by in the document.
    pub passphrase: String,
}

/// A document of connections that are to be.
#[derive(Deserialize, ToSchema)]
pub(crate) struct Import {
    #[serde(flatten)]
    pub document: Exported,
    /// That of the export.
    pub passphrase: Option<String>,
    /// What becomes of connections that there are already under these names.
    #[serde(default)]
    pub existing: Existing,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Existing {
    /// They stay as they are.
    #[default]
    Skip,
    /// They become what the document says; secrets that it does not have stay.
    Replace,
}

/// What became of each connection, by name.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct Imported {
    pub created: Vec<String>,
    pub replaced: Vec<String>,
    pub skipped: Vec<String>,
    pub refused: Vec<NotImported>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NotImported {
    pub name: String,
    pub message: String,
}

impl Connections {
    /// All connections of an organization; with their secrets where there is a passphrase for them.
    pub(crate) async fn export(
        &self,
        caller: &Caller,
        tenant: &Tenant,
        passphrase: Option<String>,
    ) -> Result<Exported, Refusal> {
        let organization = &tenant.organization.id;
        let query = ConnectionQuery { organization: organization.clone(), limit: ALL, ..ConnectionQuery::default() };
        let mut all = self.list(&query).await?;
        let tenancy = self.store().directory().await?.tenancy(organization).await?;
        let built_in = tenancy.and_then(|tenancy| tenancy.connection);
        all.retain(|connection| built_in.as_ref() != Some(&connection.id));
        all.sort_by(|one, other| one.name.cmp(&other.name));
        let mut encryption = None;
        let mut key = None;
        if let Some(passphrase) = passphrase.map(Secret::new) {
            text::password(passphrase.reveal())?;
            let salt = clock::random::<SALT_BYTES>()?.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
            let made = Encryption { salt, iterations: self.vault().iterations() };
            key = Some(self.vault().stretch(passphrase, &made.salt, made.iterations).await?);
            encryption = Some(made);
        }
        let mut connections = Vec::with_capacity(all.len());
        for connection in all {
            connections.push(self.exported(connection, key.as_ref()).await?);
        }
        if key.is_some() {
            self.note(caller, organization, "connections.exported_with_secrets").await?;
        }
        Ok(Exported { version: VERSION, encryption, connections })
    }

    async fn exported(&self, connection: Connection, key: Option<&Key>) -> Result<ExportedConnection> {
        let mut secrets = BTreeMap::new();
        if let Some(key) = key {
            for (name, secret) in self.opened(&connection).await? {
                secrets.insert(name, key.seal(secret.reveal().as_bytes())?);
            }
        }
        let Connection { name, kind, direction, folder, config, .. } = connection;
        Ok(ExportedConnection { name, kind, direction, folder, config, secrets })
    }

    /// Makes the connections of a document, each by itself: one that is refused does not stop the others.
    pub(crate) async fn import(&self, caller: &Caller, tenant: &Tenant, import: Import) -> Result<Imported, Refusal> {
        let Import { document, passphrase, existing } = import;
        if document.version != VERSION {
            return Err(Refusal::wrong("version", format!("this reads version {VERSION}")));
        }
        let has_secrets = document.connections.iter().any(|connection| !connection.secrets.is_empty());
        let key = match (document.encryption, passphrase.map(Secret::new)) {
            (Some(made), Some(passphrase)) => {
                Some(self.vault().stretch(passphrase, &made.salt, made.iterations).await?)
            }
            _ if has_secrets => {
                return Err(Refusal::wrong("passphrase", "the secrets of this document need its passphrase"));
            }
            _ => None,
        };
        let mut ready = Vec::with_capacity(document.connections.len());
        for connection in document.connections {
            ready.push((connection.name.clone(), read(connection, key.as_ref())?));
        }
        let mut imported = Imported::default();
        for (name, wish) in ready {
            self.import_one(caller, tenant, name, wish, existing, &mut imported).await?;
        }
        Ok(imported)
    }

    async fn import_one(
        &self,
        caller: &Caller,
        tenant: &Tenant,
        name: String,
        wish: Wish,
        existing: Existing,
        imported: &mut Imported,
    ) -> Result<(), Refusal> {
        let there = self.store().directory().await?.connection_named(&tenant.organization.id, &name).await?;
        let (made, told) = match there {
            Some(_) if existing == Existing::Skip => {
                imported.skipped.push(name);
                return Ok(());
            }
            Some(there) => (self.change(caller, tenant, &there.id, wish).await, &mut imported.replaced),
            None => (self.create(caller, tenant, wish).await, &mut imported.created),
        };
        match made {
            Ok(_) => told.push(name),
            Err(Refusal::Failed(error)) => return Err(error.into()),
            Err(refusal) => imported.refused.push(NotImported { name, message: refusal.to_string() }),
        }
        Ok(())
    }

    async fn note(&self, caller: &Caller, organization: &str, action: &'static str) -> Result<()> {
        let change =
            Change { organization: Some(organization), action, subject: organization, before: None, after: None };
        let mut directory = self.store().change_directory().await?;
        directory.audit(&caller.entry(change)).await?;
        directory.commit().await
    }
}

/// A connection of a document, its secrets opened.
fn read(connection: ExportedConnection, key: Option<&Key>) -> Result<Wish, Refusal> {
    let ExportedConnection { name, kind, direction, folder, mut config, secrets } = connection;
    for (secret, token) in secrets {
        let opened = key.and_then(|key| key.open(&token));
        let text = opened.as_deref().and_then(|plain| std::str::from_utf8(plain).ok());
        let text = text.ok_or_else(|| {
            let message = format!("this passphrase does not open `{secret}` of `{name}`");
            Refusal::wrong("passphrase", message)
        })?;
        config.insert(secret, Value::String(text.to_owned()));
    }
    let (name, kind, direction, folder) = (Some(name), Some(kind), Some(direction), Some(folder));
    Ok(Wish { name, kind, direction, folder, config, ..Wish::default() })
}
