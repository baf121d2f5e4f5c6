//! What connections name in vaults, opened for whoever does the connecting: a moment before, and for that alone.

use std::collections::BTreeSet;

use flowetl_proto::pipeline::{ConnectionSpec, Unsealed};

use crate::vault::Vault;
use crate::{Error, Result};

/// Where a connection's secret lies.
pub(crate) fn path(organization: &str, connection: &str, key: &str) -> String {
    format!("{organization}/{connection}/{key}")
}

/// The organizations whose vaults must be open.
pub(crate) fn sealed_by<'a>(specs: impl IntoIterator<Item = &'a ConnectionSpec>) -> Vec<String> {
    let paths = specs.into_iter().flat_map(ConnectionSpec::sealed);
    let organizations: BTreeSet<&str> = paths.filter_map(|path| Some(path.split_once('/')?.0)).collect();
    organizations.into_iter().map(str::to_owned).collect()
}

/// All secrets that these connections name.
pub(crate) async fn unseal<'a>(vault: &Vault, specs: impl IntoIterator<Item = &'a ConnectionSpec>) -> Result<Unsealed> {
    let mut unsealed = Unsealed::default();
    let paths: BTreeSet<&str> = specs.into_iter().flat_map(ConnectionSpec::sealed).collect();
    for path in paths {
        let gone = || Error::NoSecret(path.to_owned());
        let mut parts = path.splitn(3, '/');
        let (Some(organization), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(gone());
        };
        let connection = vault.store().directory().await?.connection(organization, id).await?.ok_or_else(gone)?;
        let token = connection.sealed.get(key).ok_or_else(gone)?;
        let what = format!("`{key}` of connection `{}`", connection.name);
        unsealed.insert(path.to_owned(), vault.open(organization, token, &what).await?);
    }
    Ok(unsealed)
}
