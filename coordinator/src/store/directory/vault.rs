//! The wraps of vaults' keys.

use sqlx::any::AnyRow;

use super::Directory;
use crate::store::{doing, get};
use crate::vault::Wrap;
use crate::{Error, Result};

impl Directory {
    /// The ways to open an organization's vault; none where it has no vault.
    pub(crate) async fn wraps(&mut self, organization: &str) -> Result<Vec<Wrap>> {
        let query = sqlx::query("select * from vault_wrap where organization = $1 order by kind");
        let rows = query.bind(organization.to_owned()).fetch_all(&mut *self.line).await;
        rows.map_err(doing("read a vault"))?.iter().map(decode).collect()
    }

    /// The organizations whose vault a key of the installation opens.
    pub(crate) async fn vaults_with_key(&mut self) -> Result<Vec<String>> {
        let query = sqlx::query("select organization from vault_wrap where kind = 'key' order by organization");
        let rows = query.fetch_all(&mut *self.line).await.map_err(doing("list the vaults"))?;
        rows.iter().map(|row| get(row, "organization")).collect()
    }

    /// Adds a way to open a vault, or puts it in the place of the one of its kind.
    pub(crate) async fn put_wrap(&mut self, organization: &str, wrap: &Wrap, now: i64) -> Result<()> {
        let (kind, sealed, salt, iterations) = match wrap {
            Wrap::Key { sealed } => ("key", sealed, None, None),
            Wrap::Password { sealed, salt, iterations } => ("password", sealed, Some(salt), Some(*iterations)),
        };
        let insert = "insert into vault_wrap (organization, kind, sealed, salt, iterations, created_at) \
                      values ($1, $2, $3, $4, $5, $6) on conflict (organization, kind) do update set \
                      sealed = excluded.sealed, salt = excluded.salt, iterations = excluded.iterations, \
                      created_at = excluded.created_at";
        sqlx::query(insert)
            .bind(organization.to_owned())
            .bind(kind)
            .bind(sealed.clone())
            .bind(salt.cloned())
            .bind(iterations.map(i64::from))
            .bind(now)
            .execute(&mut *self.line)
            .await
            .map_err(doing("write a vault"))?;
        Ok(())
    }

    /// Leaves a vault to its master password alone.
    pub(crate) async fn remove_key_wrap(&mut self, organization: &str) -> Result<()> {
        let delete = sqlx::query("delete from vault_wrap where organization = $1 and kind = 'key'");
        let done = delete.bind(organization.to_owned()).execute(&mut *self.line).await;
        done.map_err(doing("write a vault"))?;
        Ok(())
    }
}

fn decode(row: &AnyRow) -> Result<Wrap> {
    let sealed = get(row, "sealed")?;
    Ok(match get::<String>(row, "kind")?.as_str() {
        "key" => Wrap::Key { sealed },
        _ => {
            let unreadable = |what| Error::Stored { what: "a vault", source: serde::de::Error::custom(what) };
            let iterations = get::<Option<i64>>(row, "iterations")?.and_then(|n| u32::try_from(n).ok());
            Wrap::Password {
                sealed,
                salt: get::<Option<String>>(row, "salt")?.ok_or_else(|| unreadable("it has no salt"))?,
                iterations: iterations.ok_or_else(|| unreadable("it has no iterations"))?,
            }
        }
    })
}
