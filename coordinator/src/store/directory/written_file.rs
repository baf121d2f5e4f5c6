//! Which runs have written files of an organization.

use std::collections::{BTreeSet, HashMap};

use super::Directory;
use crate::Result;
use crate::files::{Maker, Spot};
use crate::store::{doing, get};

impl Directory {
    /// The run that wrote each file of a folder last, as far as loads have named the file itself.
    pub(crate) async fn written_files(&mut self, organization: &str, folder: &str) -> Result<HashMap<Spot, String>> {
        let select = "select folder, name, run from written_file where organization = $1 and folder = $2";
        let query = sqlx::query(select).bind(organization.to_owned()).bind(folder.to_owned());
        let rows = query.fetch_all(&mut *self.line).await.map_err(doing("read who wrote files"))?;
        let one = |row| Ok((Spot { folder: get(row, "folder")?, name: get(row, "name")? }, get(row, "run")?));
        rows.iter().map(one).collect()
    }

    /// Those of these ids that are runs of the organization.
    pub(crate) async fn makers(
        &mut self,
        organization: &str,
        runs: &BTreeSet<String>,
    ) -> Result<HashMap<String, Maker>> {
        if runs.is_empty() {
            return Ok(HashMap::new());
        }
        let places: Vec<_> = (2..runs.len() + 2).map(|at| format!("${at}")).collect();
        let select = format!(
            "select r.id, r.stored_pipeline, coalesce(p.name, f.name, r.pipeline) as called from run r \
             left join stored_pipeline p on p.id = r.stored_pipeline left join transformation f on f.id = r.transformation \
             where coalesce(r.organization, (select default_organization from installation where id = 1)) = $1 \
             and r.id in ({})",
            places.join(", ")
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(select)).bind(organization.to_owned());
        let query = runs.iter().fold(query, |query, run| query.bind(run.clone()));
        let rows = query.fetch_all(&mut *self.line).await.map_err(doing("read who wrote files"))?;
        let one = |row| {
            let run_id: String = get(row, "id")?;
            let maker = Maker {
                run_id: run_id.clone(),
                pipeline: get(row, "called")?,
                pipeline_id: get(row, "stored_pipeline")?,
            };
            Ok((run_id, maker))
        };
        rows.iter().map(one).collect()
    }
}
