//! Files that runs have put among their organization's files: the last run of each is remembered.

use flowetl_proto::id::RunId;
use sqlx::{Any, Transaction};

use super::doing;
use crate::Result;
use crate::files::Spot;

/// A file, or a folder of files, that a load has made visible among an organization's files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Written {
    pub organization: String,
    pub spot: Spot,
}

/// Remembers a file that a run has made visible; nothing where the files are of another organization than the run.
pub(super) async fn put(tx: &mut Transaction<'static, Any>, run: &RunId, written: &Written) -> Result<()> {
    let insert = "insert into written_file (organization, folder, name, run) select o.id, $1, $2, r.id \
                  from run r join organization o on o.id = coalesce(r.organization, \
                  (select default_organization from installation where id = 1)) where r.id = $3 and o.id = $4 \
                  on conflict (organization, folder, name) do update set run = excluded.run";
    sqlx::query(insert)
        .bind(written.spot.folder.clone())
        .bind(written.spot.name.clone())
        .bind(run.as_str().to_owned())
        .bind(written.organization.clone())
        .execute(&mut **tx)
        .await
        .map_err(doing("remember a written file"))?;
    Ok(())
}
