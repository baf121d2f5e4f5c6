//! What a source's columns have become since its extract read them last, judged by the block's policies.

use std::sync::Arc;

use arrow::datatypes::{Field, Schema, SchemaRef};
use flowetl_proto::drift::{SchemaChange, SchemaPolicy};
use flowetl_proto::id::BlockId;

use crate::blocks::Extract;
use crate::{Error, Result};

/// How the rows of a source become what the block reads.
#[derive(Debug, PartialEq)]
pub(super) struct Drift {
    /// What the block reads; remembered once its rows are published.
    pub(super) schema: SchemaRef,
    /// Where each column of `schema` comes from.
    pub(super) origins: Vec<Origin>,
    /// New columns, by their index in the source: rows in which one is not null are left out.
    pub(super) guards: Vec<usize>,
    pub(super) changes: Vec<SchemaChange>,
}

/// Where a column's values come from; an index is one of the source's columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    As(usize),
    /// Cast to the remembered type; a value that does not fit is null, or, where `strict`, leaves its row out.
    Cast {
        from: usize,
        strict: bool,
    },
    /// Nothing but nulls.
    Null,
}

impl Drift {
    /// Whether the source's rows are the block's rows as they stand.
    pub(super) fn is_none(&self, present: &Schema) -> bool {
        self.guards.is_empty() && self.origins.len() == present.fields().len() && self.origins.iter().all(Origin::is_as)
    }
}

impl Origin {
    pub(super) fn is_as(&self) -> bool {
        matches!(self, Self::As(_))
    }
}

/// Compares `present`, the source's columns, with those that the block read last. Columns that the block leaves out are
/// nobody's concern. Fails with every change that a policy refuses.
pub(super) fn drift(
    block: &BlockId,
    settings: &Extract,
    remembered: Option<&Schema>,
    present: &SchemaRef,
) -> Result<Drift> {
    let Some(remembered) = remembered else {
        let origins = (0..present.fields().len()).map(Origin::As).collect();
        return Ok(Drift { schema: Arc::clone(present), origins, guards: Vec::new(), changes: Vec::new() });
    };
    let mut judge = Judge { block, settings, fields: Vec::new(), origins: Vec::new(), guards: vec![], changes: vec![] };
    for (index, field) in present.fields().iter().enumerate() {
        let before = remembered.fields().iter().find(|before| before.name() == field.name());
        judge.present(index, field, before);
    }
    for before in remembered.fields() {
        if present.index_of(before.name()).is_err() {
            judge.gone(before);
        }
    }
    judge.refuse()?;
    Ok(Drift {
        schema: Arc::new(Schema::new_with_metadata(judge.fields, present.metadata().clone())),
        origins: judge.origins,
        guards: judge.guards,
        changes: judge.changes,
    })
}

/// A drift in the making.
struct Judge<'a> {
    block: &'a BlockId,
    settings: &'a Extract,
    fields: Vec<Arc<Field>>,
    origins: Vec<Origin>,
    guards: Vec<usize>,
    changes: Vec<SchemaChange>,
}

impl Judge<'_> {
    fn present(&mut self, index: usize, field: &Arc<Field>, before: Option<&Arc<Field>>) {
        let is_same = before.is_some_and(|before| before.data_type() == field.data_type());
        if is_same || !self.is_read(field.name()) {
            return self.give(Arc::clone(field), Origin::As(index));
        }
        match (self.note(field.name(), before, Some(field)), before) {
            (SchemaPolicy::DiscardValue, None) => {}
            (SchemaPolicy::DiscardRow, None) => self.guards.push(index),
            (policy @ (SchemaPolicy::DiscardValue | SchemaPolicy::DiscardRow), Some(before)) => {
                let strict = policy == SchemaPolicy::DiscardRow;
                self.give(nullable(before), Origin::Cast { from: index, strict });
            }
            _ => self.give(Arc::clone(field), Origin::As(index)),
        }
    }

    fn gone(&mut self, before: &Arc<Field>) {
        if !self.is_read(before.name()) {
            return;
        }
        let policy = self.note(before.name(), Some(before), None);
        if matches!(policy, SchemaPolicy::DiscardValue | SchemaPolicy::DiscardRow) {
            self.give(nullable(before), Origin::Null);
        }
    }

    fn give(&mut self, field: Arc<Field>, origin: Origin) {
        self.fields.push(field);
        self.origins.push(origin);
    }

    /// Writes a change down; gives what becomes of it.
    fn note(&mut self, column: &str, before: Option<&Arc<Field>>, after: Option<&Arc<Field>>) -> SchemaPolicy {
        let kind = |field: Option<&Arc<Field>>| field.map(|f| f.data_type().to_string());
        let policies = &self.settings.schema;
        let policy = if before.is_some() && after.is_some() { policies.types } else { policies.columns };
        let (before, after) = (kind(before), kind(after));
        self.changes.push(SchemaChange { block: self.block.clone(), column: column.to_owned(), before, after, policy });
        policy
    }

    fn is_read(&self, column: &str) -> bool {
        let columns = &self.settings.columns;
        let included = columns.include.as_ref().is_none_or(|names| names.iter().any(|name| name == column));
        included && !columns.exclude.iter().any(|name| name == column)
    }

    /// Whether a null would stand in for a value of the cursor, so that its row would be in no window.
    fn would_lose_rows(&self, change: &SchemaChange) -> bool {
        let discards = matches!(change.policy, SchemaPolicy::DiscardValue | SchemaPolicy::DiscardRow);
        discards && self.settings.sync.as_ref().is_some_and(|sync| sync.cursor == change.column)
    }

    fn refuse(&self) -> Result<()> {
        let refused = |change: &&SchemaChange| {
            matches!(change.policy, SchemaPolicy::Freeze | SchemaPolicy::Pause) || self.would_lose_rows(change)
        };
        let refused: Vec<_> = self.changes.iter().filter(refused).map(|change| self.refusal(change)).collect();
        if refused.is_empty() {
            return Ok(());
        }
        Err(Error::user(refused.join("; ")).in_block(self.block))
    }

    fn refusal(&self, change: &SchemaChange) -> String {
        let (difference, key, policy) = (change.difference(), change.key(), change.policy.as_str());
        let rule = format!("`schema: {{{key}: {policy}}}`");
        match change.policy {
            SchemaPolicy::Freeze => {
                format!("{difference}, and {rule} refuses it; write `{key}: evolve` to take it")
            }
            SchemaPolicy::Pause => format!(
                "{difference}, and {rule} waits for a decision: `flowetl run --full-refresh` takes the source as it is \
                 now and reads all of it again, `{key}: evolve` goes on from here"
            ),
            _ => format!("{difference}, and {rule} cannot stand in for the cursor's values; write `{key}: evolve`"),
        }
    }
}

fn nullable(field: &Arc<Field>) -> Arc<Field> {
    Arc::new(field.as_ref().clone().with_nullable(true))
}

#[cfg(test)]
mod tests;
