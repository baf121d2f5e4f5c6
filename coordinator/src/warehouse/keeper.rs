//! Sees to it that what organizations have of the warehouse is as it should be: at the start, when one is made or goes, and when
//! a vault is opened.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Weak;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use flowetl_proto::pipeline::Secret;
use flowetl_proto::run::Timestamp;
use serde_json::json;
use tokio::select;
use tokio::time::sleep;

use super::server::Server;
use super::{CONNECTION, LAYERS, Tenancy, Warehouse};
use crate::accounts::{Caller, Change, Organization};
use crate::connections::{Connection, Direction};
use crate::run::Surroundings;
use crate::store::{Directory, Store};
use crate::vault::{Fault, Vault};
use crate::{Error, Result, clock};

/// How often it is looked again at what could not be done.
const RETRY_EVERY: Duration = Duration::from_secs(60);
/// What a password is made of.
const PASSWORD_BYTES: usize = 32;
/// The secret among a connection's settings.
const PASSWORD: &str = "password";

/// Keeps every organization's share of the warehouse until the coordinator is dropped.
pub(crate) async fn keep(around: Weak<Surroundings>, warehouse: Warehouse) {
    let Some(first) = around.upgrade() else { return };
    let (founded, mut opened) = (first.store.founded(), first.vault.opened());
    drop(first);
    let mut seen = BTreeSet::new();
    loop {
        let Some(around) = around.upgrade() else { return };
        let keeper = Keeper { store: &around.store, vault: &around.vault, warehouse: &warehouse };
        if let Err(error) = keeper.see_to_all(&mut seen).await {
            tracing::warn!(error = %error.chain(), "the warehouse is not as it should be yet, trying again");
        }
        drop(around);
        select! {
            () = founded.notified() => {}
            changed = opened.changed() => if changed.is_err() { return },
            () = sleep(RETRY_EVERY) => {}
        }
    }
}

struct Keeper<'a> {
    store: &'a Store,
    vault: &'a Vault,
    warehouse: &'a Warehouse,
}

impl Keeper<'_> {
    /// Makes what is missing and drops what is left. `seen` are the organizations of which nothing is missing.
    async fn see_to_all(&self, seen: &mut BTreeSet<String>) -> Result<()> {
        let mut directory = self.store.directory().await?;
        let (left, mut organizations) = (directory.left_tenancies().await?, directory.organizations().await?);
        drop(directory);
        organizations.retain(|organization| !seen.contains(&organization.id));
        if left.is_empty() && organizations.is_empty() {
            return Ok(());
        }
        let mut server = Server::connect(self.warehouse).await?;
        for tenancy in left {
            seen.remove(&tenancy.organization);
            self.drop(&mut server, &tenancy).await?;
        }
        for organization in organizations {
            match self.see_to(&mut server, &organization).await {
                Ok(true) => drop(seen.insert(organization.id)),
                // It waits for its name, or to be unlocked.
                Ok(false) | Err(Error::Vault(Fault::Locked)) => {}
                Err(error) => {
                    let (organization, error) = (organization.id, error.chain());
                    tracing::warn!(organization, error, "the organization has no schemas in the warehouse yet");
                }
            }
        }
        Ok(())
    }

    /// Makes what is missing of an organization's share. False where nothing is made, because the organization has a connection
    /// of that name that it made itself: that one is meant.
    async fn see_to(&self, server: &mut Server, organization: &Organization) -> Result<bool> {
        let mut directory = self.store.directory().await?;
        let known = directory.tenancy(&organization.id).await?;
        let named = directory.connection_named(&organization.id, CONNECTION).await?;
        drop(directory);
        let own = known.as_ref().and_then(|tenancy| tenancy.connection.as_ref());
        if named.as_ref().is_some_and(|named| own != Some(&named.id)) {
            return Ok(false);
        }
        // Sealed before anything is made that only this password opens.
        let (password, sealed) = match named.as_ref().and_then(|named| named.sealed.get(PASSWORD)) {
            Some(token) => (self.vault.open(&organization.id, token, "the warehouse's password").await?, token.clone()),
            None => {
                let password = Secret::new(URL_SAFE_NO_PAD.encode(clock::random::<PASSWORD_BYTES>()?));
                let sealed = self.vault.seal(&organization.id, &password).await?;
                (password, sealed)
            }
        };
        let tenancy = match known {
            Some(tenancy) => tenancy,
            None => self.take(organization).await?,
        };
        server.make(&tenancy, &password).await?;
        self.lead_there(tenancy, named, sealed).await?;
        Ok(true)
    }

    /// Writes down which names an organization has in the warehouse from now on.
    async fn take(&self, organization: &Organization) -> Result<Tenancy> {
        let mut directory = self.store.change_directory().await?;
        let mut tenancy = Tenancy::new(organization);
        if !directory.add_tenancy(&tenancy, clock::now()).await? {
            tenancy = Tenancy::numbered(organization);
            directory.add_tenancy(&tenancy, clock::now()).await?;
        }
        directory.commit().await?;
        Ok(tenancy)
    }

    /// Makes the connection, or lets the one that is there lead to where the warehouse is now.
    async fn lead_there(&self, tenancy: Tenancy, there: Option<Connection>, sealed: String) -> Result<()> {
        let (config, now) = (self.warehouse.config(&tenancy), clock::now());
        if there.as_ref().is_some_and(|there| there.config == config) {
            return Ok(());
        }
        let mut directory = self.store.change_directory().await?;
        match there {
            Some(there) => {
                let moved =
                    Connection { config, updated_at: Timestamp(now.max(there.updated_at.0 + 1)), test: None, ..there };
                directory.change_connection(&moved).await?;
                note(&mut directory, &tenancy, "warehouse.moved", &moved.id).await?;
            }
            None => {
                let made = Connection {
                    id: clock::new_id(),
                    organization: tenancy.organization.clone(),
                    name: CONNECTION.to_owned(),
                    kind: "postgres".to_owned(),
                    direction: Direction::Both,
                    folder: String::new(),
                    config,
                    sealed: [(PASSWORD.to_owned(), sealed)].into(),
                    created_at: Timestamp(now),
                    updated_at: Timestamp(now),
                    test: None,
                };
                directory.add_connection(&made).await?;
                directory.set_tenancy_connection(&tenancy.organization, &made.id).await?;
                note(&mut directory, &tenancy, "warehouse.made", &made.id).await?;
            }
        }
        directory.commit().await
    }

    /// Drops what an organization had that is gone.
    async fn drop(&self, server: &mut Server, tenancy: &Tenancy) -> Result<()> {
        server.drop(tenancy).await?;
        let mut directory = self.store.change_directory().await?;
        directory.remove_tenancy(&tenancy.organization).await?;
        note(&mut directory, tenancy, "warehouse.dropped", &tenancy.organization).await?;
        directory.commit().await
    }
}

/// Writes down what was done, which nobody has asked for.
async fn note(directory: &mut Directory, tenancy: &Tenancy, action: &'static str, subject: &str) -> Result<()> {
    let nobody = Caller::nobody(IpAddr::V4(Ipv4Addr::LOCALHOST));
    let names = json!({ "schemas": LAYERS.map(|layer| tenancy.schema(layer)), "role": tenancy.role() });
    let (before, after) = if action == "warehouse.dropped" { (Some(names), None) } else { (None, Some(names)) };
    let change = Change { organization: Some(&tenancy.organization), action, subject, before, after };
    directory.audit(&nobody.entry(change)).await
}
