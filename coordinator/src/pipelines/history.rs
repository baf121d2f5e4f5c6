//! Looking back: revisions, and what lies between two of them.

use std::collections::BTreeSet;

use flowetl_proto::catalogue::Catalogue;
use flowetl_proto::pipeline::{GraphDefinition, Layout};
use flowetl_proto::run::Timestamp;
use serde::Serialize;
use serde_json::Value;
use similar::TextDiff;
use utoipa::ToSchema;

use super::{PipelineFile, Pipelines, Revision, nothing};
use crate::accounts::{Refusal, Tenant};

/// How long two texts are compared line by line; what is not compared then shows as replaced.
const DIFF_LIMIT: std::time::Duration = std::time::Duration::from_secs(1);

/// A revision in a list.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct RevisionItem {
    pub number: i64,
    /// The id of the person who applied it; null where nobody has to sign in.
    pub author: Option<String>,
    pub message: String,
    /// The revision that this one brought back.
    pub restored: Option<i64>,
    /// Whether it can be run.
    pub is_valid: bool,
    pub created_at: Timestamp,
}

impl From<&Revision> for RevisionItem {
    fn from(revision: &Revision) -> Self {
        Self {
            number: revision.number,
            author: revision.author.clone(),
            message: revision.message.clone(),
            restored: revision.restored,
            is_valid: revision.definition.is_some(),
            created_at: revision.created_at,
        }
    }
}

/// What lies between two revisions.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Difference {
    pub from: i64,
    pub to: i64,
    /// Line by line, as `diff --unified` writes it; empty where the texts are the same.
    pub text: String,
    pub blocks_added: Vec<String>,
    pub blocks_removed: Vec<String>,
    pub blocks_changed: Vec<String>,
    /// Keys beside the blocks that are not what they were: `schedule`, `memory`, ...
    pub keys_changed: Vec<String>,
}

impl Pipelines {
    /// Newest first, those below the number `before`.
    pub(crate) async fn revisions(
        &self,
        tenant: &Tenant,
        id: &str,
        before: i64,
        limit: i64,
    ) -> Result<Vec<RevisionItem>, Refusal> {
        let mut directory = self.handle.store().directory().await?;
        directory.stored_pipeline(&tenant.organization.id, id).await?.ok_or_else(|| nothing(id))?;
        let revisions = directory.revisions(id, before, limit).await?;
        Ok(revisions.iter().map(RevisionItem::from).collect())
    }

    /// One revision with its file.
    pub(crate) async fn revision(
        &self,
        tenant: &Tenant,
        id: &str,
        number: i64,
    ) -> Result<(RevisionItem, PipelineFile), Refusal> {
        let mut directory = self.handle.store().directory().await?;
        directory.stored_pipeline(&tenant.organization.id, id).await?.ok_or_else(|| nothing(id))?;
        let revision = directory.revision(id, number).await?.ok_or_else(|| no_revision(number))?;
        Ok((RevisionItem::from(&revision), revision.file))
    }

    pub(crate) async fn difference(
        &self,
        tenant: &Tenant,
        id: &str,
        from: i64,
        to: i64,
    ) -> Result<Difference, Refusal> {
        let (_, old) = self.revision(tenant, id, from).await?;
        let (_, new) = self.revision(tenant, id, to).await?;
        let catalogue = self.catalogue()?;
        // It may take its time.
        let compared = tokio::task::spawn_blocking(move || compare(&catalogue, (from, &old), (to, &new))).await;
        compared.map_err(|_| Refusal::Unavailable("the two cannot be compared now".into()))
    }
}

fn no_revision(number: i64) -> Refusal {
    Refusal::NotFound(format!("there is no revision {number}"))
}

fn compare(catalogue: &Catalogue, (from, old): (i64, &PipelineFile), (to, new): (i64, &PipelineFile)) -> Difference {
    let lines = TextDiff::configure().timeout(DIFF_LIMIT).diff_lines(&old.text, &new.text);
    let (a, b) = (format!("revision {from}"), format!("revision {to}"));
    let text = lines.unified_diff().header(&a, &b).to_string();
    let graph = |file: &PipelineFile| file.source().graph(catalogue, &Layout::new()).unwrap_or_default();
    let (before, after) = (graph(old), graph(new));
    let (names_before, names_after) = (names(&before), names(&after));
    let is_changed = |name: &&String| settings(&before, name) != settings(&after, name);
    let keys: BTreeSet<&String> = before.file.keys().chain(after.file.keys()).collect();
    let keys = keys.into_iter().filter(|key| before.file.get(*key) != after.file.get(*key));
    Difference {
        from,
        to,
        text,
        blocks_added: names_after.difference(&names_before).cloned().collect(),
        blocks_removed: names_before.difference(&names_after).cloned().collect(),
        blocks_changed: names_before.intersection(&names_after).filter(is_changed).cloned().collect(),
        keys_changed: keys.cloned().collect(),
    }
}

fn names(graph: &GraphDefinition) -> BTreeSet<String> {
    graph.nodes.iter().map(|node| node.id.to_string()).collect()
}

fn settings<'a>(graph: &'a GraphDefinition, name: &str) -> Option<&'a Value> {
    graph.nodes.iter().find(|node| node.id.as_str() == name).map(|node| &node.settings)
}
