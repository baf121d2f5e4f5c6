//! What a segment gives: the rows of its last block, or for a load those that its `map` makes of another's.

use std::sync::Arc;

use datafusion::common::tree_node::TreeNode;
use datafusion::common::{Column, DFSchema, SchemaError, TableReference};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use datafusion::prelude::SessionContext;
use flowetl_proto::id::BlockId;
use flowetl_proto::pipeline::Block;
use indexmap::IndexMap;

use super::extract::unknown_column;
use super::{Compiled, load};
use crate::{Error, Result};

impl Compiled {
    /// The rows that leave the segment at `root`, its last block: a load's as they are written, else the block's own.
    pub(crate) fn leaving(&self, root: &Block) -> Result<LogicalPlan> {
        if root.kind != "load" {
            return Ok(self.rows(&root.id)?.clone());
        }
        let (from, load) = load(root)?;
        let rows = self.rows(&from)?.clone();
        if load.map.is_empty() {
            return Ok(rows);
        }
        mapped(&self.context, &from, rows, &load.map).map_err(|e| e.in_block(&root.id))
    }
}

/// The columns that `map` names, in its order, over the rows of `from`.
fn mapped(
    context: &SessionContext,
    from: &BlockId,
    rows: LogicalPlan,
    map: &IndexMap<String, String>,
) -> Result<LogicalPlan> {
    // Under the block's name, as a query would read it.
    let rows = LogicalPlanBuilder::from(rows).alias(TableReference::bare(from.as_str()))?;
    let column = |(target, rule): (&String, &String)| Ok(computed(context, rows.schema(), target, rule)?.alias(target));
    let columns = map.iter().map(column).collect::<Result<Vec<_>>>()?;
    Ok(rows.project(columns)?.build()?)
}

/// What `rule` computes of a row.
fn computed(context: &SessionContext, columns: &Arc<DFSchema>, target: &str, rule: &str) -> Result<Expr> {
    // A rule that is a column's name means this column, also where SQL would want quotes.
    if let Ok(named) = columns.qualified_field_with_unqualified_name(rule.trim()) {
        return Ok(Expr::Column(Column::from(named)));
    }
    let expression = context.state().create_logical_expr(rule, columns);
    let expression = expression.map_err(|error| wrong(columns, target, error))?;
    let needs_rows = |part: &Expr| {
        Ok(matches!(
            part,
            Expr::AggregateFunction(_)
                | Expr::WindowFunction(_)
                | Expr::ScalarSubquery(_)
                | Expr::InSubquery(_)
                | Expr::Exists(_)
                | Expr::Unnest(_)
        ))
    };
    if expression.exists(needs_rows)? {
        let text =
            format!("`map`: `{target}` is computed over one row and gives one value; use an `sql` block for more");
        return Err(Error::user(text));
    }
    Ok(expression)
}

/// The engine's error about a rule, with the column that was probably meant.
fn wrong(columns: &DFSchema, target: &str, error: DataFusionError) -> Error {
    let unknown = match error.find_root() {
        DataFusionError::SchemaError(what, _) => match what.as_ref() {
            SchemaError::FieldNotFound { field, .. } => Some(field.name.clone()),
            _ => None,
        },
        _ => None,
    };
    let Some(name) = unknown else {
        return Error::user(format!("`map`: `{target}`: {}", Error::from(error).message));
    };
    let names = || columns.fields().iter().map(|field| field.name().as_str());
    Error::user(match names().find(|known| known.eq_ignore_ascii_case(&name)) {
        Some(known) => format!("`map`: `{target}`: SQL reads capitals only in double quotes: `\"{known}\"`"),
        None => unknown_column(&format!("map.{target}"), &name, names()),
    })
}

#[cfg(test)]
mod tests {
    use flowetl_proto::id::BlockId;
    use serde_json::{Value, json};

    use crate::tests::world::{World, block, extract, place, sql};

    async fn written(world: &World, rows: &str, map: Value) -> Result<(Vec<String>, String), String> {
        let load = block("out", "load", &["b1"], json!({"load": "b1", "to": place("out", "t"), "map": map}));
        let blocks = vec![extract("orders", "shop", "orders"), sql("b1", &["orders"], rows), load.clone()];
        let compiled = world.compile(blocks).await.unwrap();
        let rows = compiled.leaving(&load).map_err(|error| {
            let failure = error.to_failure();
            assert_eq!(failure.block.as_ref().map(BlockId::as_str), Some("out"));
            failure.message
        })?;
        let columns = rows.schema().fields().iter().map(|field| field.name().clone()).collect();
        let plan = compiled.physical(&rows).await.unwrap();
        let batches = datafusion::physical_plan::collect(plan, compiled.context.task_ctx()).await.unwrap();
        Ok((columns, arrow::util::pretty::pretty_format_batches(&batches).unwrap().to_string()))
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn pl_6_rules_make_exactly_the_columns_that_are_named() {
        let world = World::new(2).await;
        let rows = "select id as \"Order ID\", a.total, a.note from orders a where id = 7";
        let map = json!({"total": "b1.total + 1", "Id": "Order ID", "note": "upper(note)", "source": "'shop'"});
        let (columns, rows) = written(&world, rows, map).await.unwrap();
        assert_eq!(columns, ["total", "Id", "note", "source"]);
        assert!(rows.contains("| 8     | 7  | A NOTE OF SOME LENGTH 7 | shop   |"), "{rows}");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn pl_6_what_is_not_there_is_named_with_what_was_meant() {
        let world = World::new(1).await;
        for (rule, expected) in [
            ("totl", "`map.x`: there is no column `totl`, did you mean `total`?"),
            ("totl * 2", "`map.x`: there is no column `totl`, did you mean `total`?"),
            ("upper(custName)", "SQL reads capitals only in double quotes: `\"custName\"`"),
            ("nothing(total)", "`map`: `x`: invalid function 'nothing'"),
            ("approx_distinct(total)", "`map`: `x` is computed over one row"),
            ("unnest(make_array(1, 2))", "`map`: `x` is computed over one row"),
        ] {
            let rows = "select id, total, note as \"custName\" from orders limit 1";
            let failed = written(&world, rows, json!({ "x": rule })).await.unwrap_err();
            assert!(failed.contains(expected), "{rule}: {failed}");
        }
    }
}
