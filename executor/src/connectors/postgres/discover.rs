//! All tables of a database, told in pages: four catalogue queries for each page, none for a single table.

use std::collections::HashMap;
use std::fmt::Write;

use flowetl_proto::tables::{Column, ForeignKey, PAGE_TABLES, Table, TableKind};
use tokio::sync::mpsc::Sender;

use super::catalog::{flag, number, text, types};
use super::types::Type;
use super::wire::{Client, Row};
use crate::{Error, Result};

/// The first version whose catalogue tells a table without rows from one that was never counted.
const COUNTS_FROM: u32 = 140_000;

/// A column's type and its modifier.
type TypeId = (u32, i32);

/// Tells what can be read, in the state that the client's transaction sees. Partitions are no tables of their own, and what
/// is our own in targets is nobody's.
pub(super) async fn discover(client: &mut Client, pages: &Sender<Vec<Table>>) -> Result<()> {
    let relations = relations(client).await?;
    let mut known = HashMap::new();
    for page in relations.chunks(PAGE_TABLES) {
        let tables = page_of(client, page, &mut known).await?;
        if pages.send(tables).await.is_err() {
            return Ok(());
        }
    }
    Ok(())
}

async fn relations(client: &mut Client) -> Result<Vec<(u32, Table)>> {
    let sql = "select c.oid, n.nspname, c.relname, c.relkind, c.reltuples::int8
        from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
            and c.relname !~ '^_flowetl_' and coalesce(to_jsonb(c) ->> 'relispartition', 'false') = 'false'
            and pg_catalog.has_schema_privilege(n.oid, 'usage') and pg_catalog.has_any_column_privilege(c.oid, 'select')
        order by 2, 3";
    let counts_nothing = client.version() >= COUNTS_FROM;
    let rows = client.query(sql).await?;
    let mut relations = Vec::with_capacity(rows.len());
    for row in &rows {
        let kind = match text(row, 3)? {
            "v" | "m" => TableKind::View,
            "f" => TableKind::Foreign,
            _ => TableKind::Table,
        };
        let estimate = u64::try_from(number::<i64>(row, 4)?).ok();
        let table = Table {
            schema: text(row, 1)?.to_owned(),
            name: text(row, 2)?.to_owned(),
            // A view is never counted.
            rows: estimate.filter(|&rows| rows > 0 || (counts_nothing && kind == TableKind::Table)),
            kind,
            columns: Vec::new(),
            primary_key: Vec::new(),
            foreign_keys: Vec::new(),
            problem: None,
        };
        relations.push((number(row, 0)?, table));
    }
    Ok(relations)
}

async fn page_of(client: &mut Client, page: &[(u32, Table)], known: &mut HashMap<TypeId, Type>) -> Result<Vec<Table>> {
    let mut oids = String::new();
    for (oid, _) in page {
        let comma = if oids.is_empty() { "" } else { "," };
        write!(oids, "{comma}{oid}").map_err(|e| Error::internal(e.to_string()))?;
    }
    let mut tables: HashMap<u32, Table> = page.iter().cloned().collect();
    columns(client, &oids, &mut tables, known).await?;
    keys(client, &oids, &mut tables).await?;
    Ok(page.iter().filter_map(|(oid, _)| tables.remove(oid)).collect())
}

async fn columns(
    client: &mut Client,
    oids: &str,
    tables: &mut HashMap<u32, Table>,
    known: &mut HashMap<TypeId, Type>,
) -> Result<()> {
    let sql = format!(
        "select a.attrelid, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull, a.atttypid, a.atttypmod
        from pg_catalog.pg_attribute a
        where a.attrelid = any ('{{{oids}}}'::oid[]) and a.attnum > 0 and not a.attisdropped order by a.attrelid, a.attnum"
    );
    let rows = client.query(&sql).await?;
    let of = |row: &Row| Ok::<TypeId, Error>((number(row, 4)?, number(row, 5)?));
    let mut unknown = rows.iter().map(of).collect::<Result<Vec<_>>>()?;
    unknown.retain(|id| !known.contains_key(id));
    unknown.sort_unstable();
    unknown.dedup();
    let found = types(client, &unknown).await?;
    known.extend(unknown.into_iter().zip(found));
    for row in &rows {
        let Some(table) = tables.get_mut(&number(row, 0)?) else { continue };
        let arrow_type = known.get(&of(row)?).map(|of| of.reading().0.data_type().to_string());
        table.columns.push(Column {
            name: text(row, 1)?.to_owned(),
            declared: text(row, 2)?.to_owned(),
            arrow_type,
            nullable: !flag(row, 3),
        });
    }
    Ok(())
}

async fn keys(client: &mut Client, oids: &str, tables: &mut HashMap<u32, Table>) -> Result<()> {
    let names = |numbers: &str, relation: &str| {
        format!(
            "(select coalesce(json_agg(a.attname order by k.place), '[]')
                from unnest({numbers}) with ordinality k(number, place)
                join pg_catalog.pg_attribute a on a.attrelid = {relation} and a.attnum = k.number)"
        )
    };
    // A key that leads to a partitioned table is listed once more for each of its partitions.
    let sql = format!(
        "select o.conrelid, o.contype, o.conname, {}, coalesce(n.nspname, ''), coalesce(c.relname, ''), {}
        from pg_catalog.pg_constraint o left join pg_catalog.pg_class c on c.oid = o.confrelid
            left join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where o.conrelid = any ('{{{oids}}}'::oid[]) and o.contype in ('p', 'f')
            and coalesce(to_jsonb(o) ->> 'conparentid', '0') = '0'
        order by o.conrelid, o.conname",
        names("o.conkey", "o.conrelid"),
        names("o.confkey", "o.confrelid"),
    );
    let strange = |e| Error::internal("the names of a key cannot be read").because(e);
    for row in &client.query(&sql).await? {
        let Some(table) = tables.get_mut(&number(row, 0)?) else { continue };
        let columns = serde_json::from_str(text(row, 3)?).map_err(strange)?;
        if text(row, 1)? == "p" {
            table.primary_key = columns;
            continue;
        }
        table.foreign_keys.push(ForeignKey {
            name: text(row, 2)?.to_owned(),
            columns,
            schema: text(row, 4)?.to_owned(),
            table: text(row, 5)?.to_owned(),
            references: serde_json::from_str(text(row, 6)?).map_err(strange)?,
        });
    }
    Ok(())
}
