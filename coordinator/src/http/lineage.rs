//! `/lineage`: where an organization's data comes from and goes to.

use super::Site;
use super::body::Json;
use super::gate::Known;
use super::problem::Problem;
use crate::accounts::Tenant;
use crate::lineage::Lineage;

/// Pipelines that are drawn, the first by name: a graph of more is not looked at.
const PIPELINES_MAX: i64 = 5_000;

/// All pipelines and transformations with the tables and files that they read and write, and which pipelines begin others.
#[utoipa::path(get, path = "/lineage", tag = "lineage", responses((status = 200, body = Lineage)))]
pub(super) async fn get(site: Site, Known(tenant): Known<Tenant>) -> Result<Json<Lineage>, Problem> {
    let pipelines = site.pipelines()?.touching(&tenant, PIPELINES_MAX).await?;
    let models = site.transformations()?.models(&tenant).await?;
    let handle = site.handle()?;
    let mut directory = handle.store().directory().await?;
    let dependencies = directory.dependencies(&tenant.organization.id, "").await?;
    let names: Vec<_> = models.iter().map(|model| model.run_name.clone()).collect();
    let last_runs = directory.recent_runs(&names, 1).await?;
    Ok(Json(Lineage::of(&pipelines, &models, &dependencies, &last_runs)))
}
