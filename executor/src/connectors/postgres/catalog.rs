//! What the server's catalogue says of types, tables and their columns.

use std::fmt::Write;

use super::quote::literal;
use super::types::Type;
use super::wire::{Client, Row};
use crate::{Error, Result};

/// A table, view or what else `select` reads from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Relation {
    pub oid: u32,
    pub schema: String,
    pub name: String,
    pub kind: Kind,
    /// Whether other tables inherit from it, as partitions or otherwise.
    pub has_children: bool,
    pub has_row_security: bool,
    /// The server's own estimate; `None` before the table was first analysed.
    pub rows_estimate: Option<u64>,
    pub columns: Vec<Attribute>,
}

impl Relation {
    pub(super) fn is_view(&self) -> bool {
        self.kind == Kind::View
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Table,
    Partitioned,
    View,
    Foreign,
    Other,
}

impl Kind {
    fn of(relkind: &str) -> Self {
        match relkind {
            "r" => Self::Table,
            "p" => Self::Partitioned,
            // A materialized view has rows of its own, but is never a target.
            "v" | "m" => Self::View,
            "f" => Self::Foreign,
            _ => Self::Other,
        }
    }
}

/// A column of a relation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Attribute {
    pub name: String,
    pub of: Type,
    pub is_nullable: bool,
    /// The server computes it; nobody can write it.
    pub is_generated: bool,
    /// `generated .. as identity`.
    pub is_identity: bool,
    pub has_default: bool,
    /// Whether texts are equal only when their bytes are.
    pub compares_bytes: bool,
}

/// A value of a catalogue query that is never null.
pub(super) fn text(row: &Row, index: usize) -> Result<&str> {
    row.get(index)
        .and_then(Option::as_deref)
        .ok_or_else(|| Error::internal(format!("column {index} of a catalogue query is missing")))
}

pub(super) fn number<T: std::str::FromStr>(row: &Row, index: usize) -> Result<T> {
    text(row, index)?
        .parse()
        .map_err(|_| Error::internal(format!("column {index} of a catalogue query is not a number")))
}

pub(super) fn flag(row: &Row, index: usize) -> bool {
    row.get(index).and_then(Option::as_deref) == Some("t")
}

/// The types of oids with modifiers, in their order; domains as what they are based on.
pub(super) async fn types(client: &mut Client, of: &[(u32, i32)]) -> Result<Vec<Type>> {
    if of.is_empty() {
        return Ok(Vec::new());
    }
    let mut input = String::new();
    for (n, (oid, modifier)) in of.iter().enumerate() {
        let comma = if n == 0 { "" } else { ", " };
        write!(input, "{comma}({n}, {oid}::oid, {modifier})").map_err(|e| Error::internal(e.to_string()))?;
    }
    // What is not the server's own is named with its schema and keeps a modifier, as in `public.vector(3)`.
    let sql = format!(
        "with recursive base(n, oid, modifier) as (
            select * from (values {input}) i(n, oid, modifier)
            union all
            select b.n, t.typbasetype, case when t.typtypmod = -1 then b.modifier else t.typtypmod end
            from base b join pg_catalog.pg_type t on t.oid = b.oid where t.typtype = 'd')
        select t.oid, t.typname, n.nspname = 'pg_catalog', t.typtype = 'e', b.modifier,
            case when n.nspname = 'pg_catalog' then pg_catalog.format_type(t.oid, b.modifier)
                else pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(coalesce(e.typname, t.typname))
                    || coalesce(pg_catalog.substring(pg_catalog.format_type(t.oid, b.modifier), '\\([^\"]*\\)'), '')
                    || case when e.oid is null then '' else '[]' end end,
            e.oid, e.typname, en.nspname = 'pg_catalog', e.typtype = 'e'
        from base b join pg_catalog.pg_type t on t.oid = b.oid and t.typtype <> 'd'
            join pg_catalog.pg_namespace n on n.oid = t.typnamespace
            left join pg_catalog.pg_type e on e.oid = t.typelem and t.typcategory = 'A' and t.typlen = -1
            left join pg_catalog.pg_namespace en on en.oid = e.typnamespace
        order by b.n"
    );
    let rows = client.query(&sql).await?;
    if rows.len() != of.len() {
        return Err(Error::internal("the server's catalogue does not know one of its own types"));
    }
    rows.iter().map(type_of).collect()
}

fn type_of(row: &Row) -> Result<Type> {
    let modifier = number(row, 4)?;
    let element = match row.get(6) {
        Some(Some(_)) => Some(Box::new(Type {
            oid: number(row, 6)?,
            name: text(row, 7)?.to_owned(),
            is_builtin: flag(row, 8),
            is_enum: flag(row, 9),
            sql: text(row, 5)?.trim_end_matches("[]").to_owned(),
            modifier,
            element: None,
        })),
        _ => None,
    };
    Ok(Type {
        oid: number(row, 0)?,
        name: text(row, 1)?.to_owned(),
        is_builtin: flag(row, 2),
        is_enum: flag(row, 3),
        sql: text(row, 5)?.to_owned(),
        modifier,
        element,
    })
}

/// The schema that unqualified names mean.
pub(super) async fn current_schema(client: &mut Client) -> Result<String> {
    let rows = client.query("select pg_catalog.current_schema()").await?;
    match rows.first().and_then(|r| r.first()).cloned().flatten() {
        Some(schema) => Ok(schema),
        None => Err(Error::user("the database's search path names no schema that exists; name the schema")),
    }
}

/// A relation by its exact name; `None` where there is none.
pub(super) async fn relation(client: &mut Client, schema: &str, name: &str) -> Result<Option<Relation>> {
    let sql = format!(
        "select c.oid, c.relkind, exists (select from pg_catalog.pg_inherits where inhparent = c.oid),
            c.relrowsecurity, c.reltuples::int8,
            pg_catalog.has_schema_privilege(n.oid, 'usage') and pg_catalog.has_any_column_privilege(c.oid, 'select')
        from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where n.nspname = {} and c.relname = {} and c.relkind in ('r', 'p', 'v', 'm', 'f')",
        literal(schema),
        literal(name)
    );
    let rows = client.query(&sql).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let oid = number(row, 0)?;
    let estimate: i64 = number(row, 4)?;
    Ok(Some(Relation {
        oid,
        schema: schema.to_owned(),
        name: name.to_owned(),
        kind: Kind::of(text(row, 1)?),
        has_children: flag(row, 2),
        has_row_security: flag(row, 3),
        rows_estimate: u64::try_from(estimate).ok().filter(|&rows| rows > 0),
        columns: attributes(client, oid).await?,
    }))
}

async fn attributes(client: &mut Client, oid: u32) -> Result<Vec<Attribute>> {
    // Some columns of these tables are younger than servers in use: `to_jsonb` gives null for one that is not there.
    let sql = format!(
        "select a.attname, a.atttypid, a.atttypmod, a.attnotnull,
            coalesce(to_jsonb(a) ->> 'attgenerated', '') <> '', coalesce(to_jsonb(a) ->> 'attidentity', '') <> '',
            a.atthasdef, coalesce(to_jsonb(c) ->> 'collisdeterministic', 'true') = 'true'
        from pg_catalog.pg_attribute a left join pg_catalog.pg_collation c on c.oid = a.attcollation
        where a.attrelid = {oid} and a.attnum > 0 and not a.attisdropped order by a.attnum"
    );
    let rows = client.query(&sql).await?;
    let mut of = Vec::with_capacity(rows.len());
    for row in &rows {
        of.push((number(row, 1)?, number(row, 2)?));
    }
    let types = types(client, &of).await?;
    let mut columns = Vec::with_capacity(rows.len());
    for (row, of) in rows.iter().zip(types) {
        columns.push(Attribute {
            name: text(row, 0)?.to_owned(),
            of,
            is_nullable: !flag(row, 3),
            is_generated: flag(row, 4),
            is_identity: flag(row, 5),
            has_default: flag(row, 6),
            compares_bytes: flag(row, 7),
        });
    }
    Ok(columns)
}

/// The error of a relation that is not there, with the name that comes nearest to it.
pub(super) async fn unknown_relation(client: &mut Client, schema: &str, name: &str) -> Result<Error> {
    let schemas: Vec<String> =
        names(client, "select nspname from pg_catalog.pg_namespace where nspname !~ '^pg_(toast|temp)' order by 1")
            .await?;
    if !schemas.iter().any(|s| s == schema) {
        return Ok(Error::user(format!("schema `{schema}` does not exist{}", nearest(schema, &schemas))));
    }
    let sql = format!(
        "select c.relname from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where n.nspname = {} and c.relkind in ('r', 'p', 'v', 'm', 'f') order by 1",
        literal(schema)
    );
    let tables = names(client, &sql).await?;
    Ok(Error::user(format!("table `{schema}.{name}` does not exist{}", nearest(name, &tables))))
}

async fn names(client: &mut Client, sql: &str) -> Result<Vec<String>> {
    let rows = client.query(sql).await?;
    rows.iter().map(|row| Ok(text(row, 0)?.to_owned())).collect()
}

/// `; did you mean ...?`, where a name is near enough for a slip of the fingers.
pub(super) fn nearest(name: &str, among: &[String]) -> String {
    /// Edits a person makes by mistake in a name of usual length.
    const EDITS_MAX: usize = 3;
    let wanted = name.to_lowercase();
    let best = among.iter().map(|n| (edits(&wanted, &n.to_lowercase()), n)).min();
    match best {
        Some((distance, found)) if distance <= EDITS_MAX => format!("; did you mean `{found}`?"),
        _ => String::new(),
    }
}

/// Levenshtein's distance.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

/// A table with rows of its own: an ordinary table, or a leaf of a partitioned one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Leaf {
    pub schema: String,
    pub name: String,
    pub kind: Kind,
    /// Blocks of 8 KB (or what the server was built with) that the table has now.
    pub blocks: u64,
    pub block_bytes: u64,
}

/// The relation itself and all that inherit from it, those with rows of their own; `None` where one of them may not be
/// read directly although the parent may (rights, row security), so that only the parent's own scan is right.
pub(super) async fn leaves(client: &mut Client, relation: &Relation) -> Result<Option<Vec<Leaf>>> {
    let sql = format!(
        "with recursive tree(oid) as (
            select {}::oid union all select i.inhrelid from pg_catalog.pg_inherits i join tree t on t.oid = i.inhparent)
        select n.nspname, c.relname, c.relkind,
            case when c.relkind = 'r' then pg_catalog.pg_relation_size(c.oid) / current_setting('block_size')::int8 else 0 end,
            current_setting('block_size')::int8,
            pg_catalog.has_table_privilege(c.oid, 'select') and pg_catalog.has_schema_privilege(n.oid, 'usage')
                and not c.relrowsecurity
        from (select distinct oid from tree) t join pg_catalog.pg_class c on c.oid = t.oid
            join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where c.relkind <> 'p' order by 1, 2",
        relation.oid
    );
    let rows = client.query(&sql).await?;
    let mut leaves = Vec::with_capacity(rows.len());
    for row in &rows {
        if !flag(row, 5) {
            return Ok(None);
        }
        leaves.push(Leaf {
            schema: text(row, 0)?.to_owned(),
            name: text(row, 1)?.to_owned(),
            kind: Kind::of(text(row, 2)?),
            blocks: number(row, 3)?,
            block_bytes: number(row, 4)?,
        });
    }
    Ok(Some(leaves))
}

/// How the server would run a query.
pub(super) struct Planned {
    /// About how many rows it gives.
    pub rows: u64,
    /// Whether some table of it is read from end to end.
    pub reads_all: bool,
}

/// Asks the server's planner; runs nothing.
pub(super) async fn planned(client: &mut Client, query: &str) -> Result<Planned> {
    let rows = client.query(&format!("explain (format json) {query}")).await?;
    let told = rows.iter().map(|row| text(row, 0)).collect::<Result<Vec<_>>>()?.join("\n");
    let strange = |e| Error::internal("the server's plan cannot be read").because(e);
    let plans: Vec<Explained> = serde_json::from_str(&told).map_err(strange)?;
    let rows = plans.iter().map(|plan| plan.root.rows).sum::<f64>() as u64;
    Ok(Planned { rows, reads_all: plans.iter().any(|plan| plan.root.reads_all()) })
}

#[derive(serde::Deserialize)]
struct Explained {
    #[serde(rename = "Plan")]
    root: PlanNode,
}

#[derive(serde::Deserialize)]
struct PlanNode {
    #[serde(rename = "Node Type")]
    kind: String,
    #[serde(rename = "Plan Rows")]
    rows: f64,
    #[serde(rename = "Plans", default)]
    inputs: Vec<Self>,
}

impl PlanNode {
    fn reads_all(&self) -> bool {
        self.kind == "Seq Scan" || self.inputs.iter().any(Self::reads_all)
    }
}
