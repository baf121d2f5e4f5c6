//! Putting the staging table in the target's place, with all that belonged to the old one.

use super::catalog::{Relation, text};
use super::quote::{identifier, literal, qualified};
use super::sink::{Load, Staged, StagedIndex, Way};
use super::target;
use super::wire::Client;
use crate::{Error, Result};

/// `invalid_table_definition`: a view would lose columns, or have them changed.
const OTHER_COLUMNS: &str = "42P16";

/// Gives the staging table the target's indexes and keys, under names of its own: long work that is still private.
pub(super) async fn build_like(client: &mut Client, load: &Load, oid: u32) -> Result<Vec<StagedIndex>> {
    if load.is_in_database() && !defaults_like(client, load, oid).await? {
        return Ok(Vec::new());
    }
    let sql = format!(
        "select ic.relname, pg_catalog.pg_get_indexdef(i.indexrelid),
            'CREATE ' || case when i.indisunique then 'UNIQUE ' else '' end || 'INDEX '
                || pg_catalog.quote_ident(ic.relname) || ' ON ' || pg_catalog.quote_ident(n.nspname) || '.'
                || pg_catalog.quote_ident(t.relname) || ' ',
            i.indisunique, con.contype, con.condeferrable, con.condeferred,
            pg_catalog.obj_description(i.indexrelid, 'pg_class')
        from pg_catalog.pg_index i join pg_catalog.pg_class ic on ic.oid = i.indexrelid
            join pg_catalog.pg_class t on t.oid = i.indrelid join pg_catalog.pg_namespace n on n.oid = t.relnamespace
            left join pg_catalog.pg_constraint con on con.conindid = i.indexrelid and con.conrelid = i.indrelid
                and con.contype in ('p', 'u')
        where i.indrelid = {oid} and i.indisvalid order by ic.relname"
    );
    let rows = client.query(&sql).await?;
    let staging = load.names.staging();
    let mut indexes = Vec::with_capacity(rows.len());
    for (n, row) in rows.iter().enumerate() {
        let (name, definition, prefix) = (text(row, 0)?, text(row, 1)?, text(row, 2)?);
        let tail = definition
            .strip_prefix(prefix)
            .ok_or_else(|| Error::internal(format!("index `{name}` is defined in an unknown form")))?;
        let staged = load.names.index(n);
        let quoted = identifier(&staged);
        let unique = if text(row, 3)? == "t" { "unique " } else { "" };
        let mut sql = format!("create {unique}index {quoted} on {staging} {tail}");
        let constraint = row.get(4).cloned().flatten();
        if let Some(kind) = &constraint {
            let kind = if kind == "p" { "primary key" } else { "unique" };
            let deferrable = if text(row, 5)? == "t" { " deferrable" } else { "" };
            let deferred = if text(row, 6)? == "t" { " initially deferred" } else { "" };
            sql.push_str(&format!(
                "; alter table {staging} add constraint {quoted} {kind} using index {quoted}{deferrable}{deferred}"
            ));
        }
        if let Some(Some(comment)) = row.get(7) {
            let index = qualified(&load.names.schema, &staged);
            sql.push_str(&format!("; comment on index {index} is {}", literal(comment)));
        }
        client.execute(&sql).await?;
        indexes.push(StagedIndex { staged, name: name.to_owned(), is_constraint: constraint.is_some() });
    }
    Ok(indexes)
}

/// A table made by `create table as` has neither defaults nor `not null`: gives it the target's, if it has the same
/// columns. False where it has not, and so becomes a table of its own shape.
async fn defaults_like(client: &mut Client, load: &Load, oid: u32) -> Result<bool> {
    let columns = |relation: &str| {
        format!(
            "select attname, atttypid, atttypmod from pg_catalog.pg_attribute \
             where attrelid = {relation} and attnum > 0 and not attisdropped order by 1"
        )
    };
    let staging = load.names.staging();
    let ours = client.query(&columns(&format!("{}::regclass", literal(&staging)))).await?;
    if ours != client.query(&columns(&oid.to_string())).await? {
        return Ok(false);
    }
    let sql = format!(
        "select pg_catalog.quote_ident(a.attname), pg_catalog.pg_get_expr(d.adbin, d.adrelid), a.attnotnull
        from pg_catalog.pg_attribute a
            left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
        where a.attrelid = {oid} and a.attnum > 0 and not a.attisdropped"
    );
    for row in &client.query(&sql).await? {
        let column = text(row, 0)?;
        let mut changes = Vec::new();
        if let Some(Some(default)) = row.get(1) {
            changes.push(format!("alter column {column} set default {default}"));
        }
        if text(row, 2)? == "t" {
            changes.push(format!("alter column {column} set not null"));
        }
        if !changes.is_empty() {
            client.execute(&format!("alter table {staging} {}", changes.join(", "))).await?;
        }
    }
    Ok(true)
}

/// Whether the target is still the table that the staging table was made after, with nothing new hanging on it.
pub(super) async fn is_possible(
    client: &mut Client,
    load: &Load,
    staged: &Staged,
    staging: &Relation,
    relation: &Relation,
) -> Result<bool> {
    let has_all = relation.columns.iter().all(|c| staging.columns.iter().any(|s| s.name == c.name && s.of == c.of));
    let is_same = staged.target_oid == Some(relation.oid) && (has_all || load.is_in_database());
    Ok(is_same && target::dependants(client, relation.oid).await?.is_empty())
}

/// Renames the staging table to the target, after dropping the old one and taking over its owner, grants and comment.
pub(super) async fn rename(client: &mut Client, load: &Load, staged: &Staged, old: Option<&Relation>) -> Result<()> {
    let staging = load.names.staging();
    if let Some(old) = old {
        for row in &client.query(&inheritance(&staging, old.oid)).await? {
            client.execute(text(row, 0)?).await?;
        }
        client.execute(&format!("drop table {}", load.target.sql())).await?;
    }
    let sort = load.sort();
    client.execute(&format!("alter {sort} {staging} rename to {}", identifier(&load.target.table))).await?;
    for index in &staged.indexes {
        let name = identifier(&index.name);
        let sql = match index.is_constraint {
            true => {
                let staged = identifier(&index.staged);
                format!("alter table {} rename constraint {staged} to {name}", load.target.sql())
            }
            false => format!("alter index {} rename to {name}", qualified(&load.names.schema, &index.staged)),
        };
        client.execute(&sql).await?;
    }
    Ok(())
}

/// Puts a view, or a table in place of one, where `old` is. What reads a view goes on reading it where the columns allow that;
/// else the server refuses, and names it.
pub(super) async fn replace(client: &mut Client, load: &Load, staged: &Staged, old: &Relation) -> Result<()> {
    let (target, staging) = (load.target.sql(), load.names.staging());
    if let (Way::View, true, Some(query)) = (staged.way, old.is_view(), &load.query) {
        client.execute("savepoint kept").await?;
        match client.execute(&format!("create or replace view {target} as {query}")).await {
            Ok(_) => return client.execute(&format!("drop view {staging}")).await.map(drop),
            Err(error) if target::sqlstate(&error) == Some(OTHER_COLUMNS) => {
                client.execute("rollback to savepoint kept").await?;
            }
            Err(error) => return Err(error),
        }
    }
    let sort = if old.is_view() { "view" } else { "table" };
    client.execute(&format!("drop {sort} {target}")).await?;
    rename(client, load, staged, None).await
}

/// Gives the statements that make `table` like the relation `oid` in owner, rights and comment; the owner last, because
/// only the owner may do the rest.
fn inheritance(table: &str, oid: u32) -> String {
    let table = literal(table);
    format!(
        "select format('grant %s on table %s to %s%s', a.privilege_type, {table},
                case when a.grantee = 0 then 'public' else quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) end,
                case when a.is_grantable then ' with grant option' else '' end)
            from pg_catalog.pg_class c, pg_catalog.aclexplode(c.relacl) a where c.oid = {oid} and a.grantee <> c.relowner
        union all
        select format('comment on table %s is %L', {table}, pg_catalog.obj_description({oid}, 'pg_class'))
            where pg_catalog.obj_description({oid}, 'pg_class') is not null
        union all
        select format('alter table %s owner to %I', {table}, pg_catalog.pg_get_userbyid(c.relowner))
            from pg_catalog.pg_class c
            where c.oid = {oid} and pg_catalog.pg_get_userbyid(c.relowner) <> current_user"
    )
}
