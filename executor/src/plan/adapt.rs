//! A source's table in the columns that its extract reads: values cast, nulls for what is gone, rows left out.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use arrow::array::{Array, ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::compute::kernels::cmp::not_distinct;
use arrow::compute::{
    CastOptions, and, can_cast_types, cast_with_options, filter_record_batch, is_not_null, is_null, not, nullif, or,
};
use arrow::datatypes::{DataType, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, internal_err};
use datafusion::execution::{RecordBatchStream, SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_expr::{EquivalenceProperties, Partitioning, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{ChildrenPropertiesMode, ReplaceChildrenOptions};
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties};
use futures::{Stream, StreamExt};

use super::drift::{Drift, Origin};
use crate::meter::BlockMeter;

/// `table` as `drift` says that the block reads it; rows that are left out are counted in `meter`.
pub(super) fn adapt(table: Arc<dyn TableProvider>, drift: &Drift, meter: Arc<BlockMeter>) -> Arc<dyn TableProvider> {
    if drift.is_none(&table.schema()) {
        return table;
    }
    let (origins, guards) = (drift.origins.clone(), drift.guards.clone());
    Arc::new(AdaptedTable { inner: table, schema: Arc::clone(&drift.schema), origins, guards, meter })
}

#[derive(Debug)]
struct AdaptedTable {
    inner: Arc<dyn TableProvider>,
    schema: SchemaRef,
    origins: Vec<Origin>,
    /// By index in the inner schema.
    guards: Vec<usize>,
    meter: Arc<BlockMeter>,
}

impl AdaptedTable {
    /// Columns of the inner table that decide whether a row is left out, with the type that a value must fit.
    fn conditions(&self) -> Vec<(usize, Condition)> {
        let guards = self.guards.iter().map(|index| (*index, Condition::Null));
        let strict = self.origins.iter().zip(self.schema.fields()).filter_map(|(origin, field)| match origin {
            Origin::Cast { from, strict: true } => Some((*from, Condition::Fits(field.data_type().clone()))),
            _ => None,
        });
        guards.chain(strict).collect()
    }

    fn is_as_it_stands(&self, filter: &Expr) -> bool {
        filter.column_refs().iter().all(|column| {
            let index = self.schema.index_of(&column.name);
            index.is_ok_and(|index| self.origins[index].is_as())
        })
    }
}

#[async_trait]
impl TableProvider for AdaptedTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        self.inner.table_type()
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        let answer = |filter: &&Expr| match self.is_as_it_stands(filter) {
            true => Ok(self.inner.supports_filters_pushdown(&[filter])?.remove(0)),
            false => Ok(TableProviderFilterPushDown::Unsupported),
        };
        filters.iter().map(answer).collect()
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let wanted: Vec<usize> = projection.cloned().unwrap_or_else(|| (0..self.origins.len()).collect());
        let mut read = Vec::new();
        let mut place = |index: usize| {
            read.iter().position(|known| *known == index).unwrap_or_else(|| {
                read.push(index);
                read.len() - 1
            })
        };
        let origins: Vec<Origin> = wanted.iter().map(|index| self.origins[*index].at(&mut place)).collect();
        let conditions: Vec<_> = self.conditions().into_iter().map(|(index, c)| (place(index), c)).collect();
        let limit = if conditions.is_empty() { limit } else { None };
        let input = self.inner.scan(state, Some(&read), filters, limit).await?;
        if conditions.is_empty() && origins.iter().all(Origin::is_as) {
            return Ok(input);
        }
        let schema = Arc::new(self.schema.project(&wanted)?);
        Ok(Arc::new(AdaptExec::new(input, schema, origins, conditions, Arc::clone(&self.meter))))
    }
}

impl Origin {
    /// With the index that `place` gives the source's column.
    fn at(self, place: &mut impl FnMut(usize) -> usize) -> Self {
        match self {
            Self::As(index) => Self::As(place(index)),
            Self::Cast { from, strict } => Self::Cast { from: place(from), strict },
            Self::Null => Self::Null,
        }
    }
}

/// What a value must be for its row to stay.
#[derive(Clone, Debug)]
enum Condition {
    Null,
    Fits(DataType),
}

/// Makes the block's rows of the source's.
#[derive(Debug)]
pub(super) struct AdaptExec {
    input: Arc<dyn ExecutionPlan>,
    schema: SchemaRef,
    /// Of each column of `schema`; indexes are the input's.
    origins: Vec<Origin>,
    conditions: Vec<(usize, Condition)>,
    meter: Arc<BlockMeter>,
    properties: Arc<PlanProperties>,
}

impl AdaptExec {
    fn new(
        input: Arc<dyn ExecutionPlan>,
        schema: SchemaRef,
        origins: Vec<Origin>,
        conditions: Vec<(usize, Condition)>,
        meter: Arc<BlockMeter>,
    ) -> Self {
        let properties = PlanProperties::clone(input.properties())
            .with_partitioning(Partitioning::UnknownPartitioning(input.output_partitioning().partition_count()))
            .with_eq_properties(EquivalenceProperties::new(Arc::clone(&schema)));
        Self { input, schema, origins, conditions, meter, properties: Arc::new(properties) }
    }
}

impl DisplayAs for AdaptExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.schema.fields().iter().map(|field| field.name().as_str()).collect();
        write!(f, "Adapt: {}", names.join(", "))
    }
}

impl ExecutionPlan for AdaptExec {
    fn name(&self) -> &str {
        "Adapt"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        match (children.pop(), children.is_empty()) {
            (Some(input), true) => {
                let (origins, conditions) = (self.origins.clone(), self.conditions.clone());
                let schema = Arc::clone(&self.schema);
                Ok(Arc::new(Self::new(input, schema, origins, conditions, Arc::clone(&self.meter))))
            }
            _ => internal_err!("an adaptation has one input"),
        }
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        Ok(Box::pin(AdaptStream {
            input: self.input.execute(partition, context)?,
            schema: Arc::clone(&self.schema),
            origins: self.origins.clone(),
            conditions: self.conditions.clone(),
            meter: Arc::clone(&self.meter),
        }))
    }
}

struct AdaptStream {
    input: SendableRecordBatchStream,
    schema: SchemaRef,
    origins: Vec<Origin>,
    conditions: Vec<(usize, Condition)>,
    meter: Arc<BlockMeter>,
}

impl AdaptStream {
    fn adapt(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let batch = self.stay(batch)?;
        let columns = self.origins.iter().zip(self.schema.fields()).map(|(origin, field)| {
            Ok(match origin {
                Origin::As(index) => Arc::clone(batch.column(*index)),
                Origin::Cast { from, .. } => fitting(batch.column(*from), field.data_type())?,
                Origin::Null => new_null_array(field.data_type(), batch.num_rows()),
            })
        });
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        Ok(RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns.collect::<Result<_>>()?, &options)?)
    }

    /// The rows that meet every condition; the others are counted.
    fn stay(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let mut kept: Option<BooleanArray> = None;
        for (index, condition) in &self.conditions {
            let column = batch.column(*index);
            let meets = match condition {
                Condition::Null => is_null(column)?,
                Condition::Fits(data_type) => or(&is_null(column)?, &is_not_null(&fitting(column, data_type)?)?)?,
            };
            kept = Some(match kept {
                Some(kept) => and(&kept, &meets)?,
                None => meets,
            });
        }
        let Some(kept) = kept else { return Ok(batch.clone()) };
        let rows = filter_record_batch(batch, &kept)?;
        self.meter.add_discarded((batch.num_rows() - rows.num_rows()) as u64);
        Ok(rows)
    }
}

/// `values` as `data_type`, null where a value would not be the same in it. Text that says a value fits the value's type.
fn fitting(values: &ArrayRef, data_type: &DataType) -> Result<ArrayRef> {
    let from = values.data_type();
    if !can_cast_types(from, data_type) {
        return Ok(new_null_array(data_type, values.len()));
    }
    let safe = CastOptions { safe: true, ..CastOptions::default() };
    let cast = cast_with_options(values, data_type, &safe)?;
    if matches!(from, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
        || from.is_nested()
        || !can_cast_types(data_type, from)
    {
        return Ok(cast);
    }
    // A cast may round, or cut off the time of a day: what does not come back as it was has not fitted.
    let back = cast_with_options(&cast, from, &safe)?;
    Ok(nullif(&cast, &not(&not_distinct(&back, values)?)?)?)
}

impl Stream for AdaptStream {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.input.poll_next_unpin(cx).map(|next| next.map(|batch| self.adapt(&batch?)))
    }
}

impl RecordBatchStream for AdaptStream {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}

#[cfg(test)]
mod tests;
