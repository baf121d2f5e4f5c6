//! The table that is written: what it is like, what must be kept when it is replaced, which columns it lacks.

use arrow::datatypes::{Schema, SchemaRef};

use super::catalog::{self, Kind, Relation, text};
use super::quote::{literal, qualified};
use super::stage::Incoming;
use super::types::{self, TYPE_KEY, Type};
use super::wire::{Client, ServerError};
use crate::{Error, Result};

/// `insufficient_privilege`, `undefined_object` and others of class 42: the type's text means nothing here.
const UNDEFINED: &str = "42";

/// Where rows go.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub schema: String,
    pub table: String,
    /// `None` before the first load.
    pub relation: Option<Relation>,
    /// What hangs on the table and would be lost with it: a view, a trigger, a sequence. It is then emptied and filled
    /// instead of being swapped.
    pub dependants: Vec<String>,
}

impl Target {
    pub(super) fn sql(&self) -> String {
        qualified(&self.schema, &self.table)
    }

    /// As people read it.
    pub(super) fn place(&self) -> String {
        format!("{}.{}", self.schema, self.table)
    }
}

/// Looks the target of rows up; a schema that is not there, and a view, is a user's error.
pub(super) async fn find(client: &mut Client, schema: Option<String>, table: &str) -> Result<Target> {
    let target = find_any(client, schema, table).await?;
    match &target.relation {
        Some(relation) if relation.is_view() => Err(unloadable(&target.place())),
        _ => Ok(target),
    }
}

/// The same where it may be a view.
pub(super) async fn find_any(client: &mut Client, schema: Option<String>, table: &str) -> Result<Target> {
    let schema = match schema {
        Some(schema) => schema,
        None => catalog::current_schema(client).await?,
    };
    let relation = catalog::relation(client, &schema, table).await?;
    let dependants = match &relation {
        Some(relation) => dependants(client, relation.oid).await?,
        None => {
            let exists = format!("select 1 from pg_catalog.pg_namespace where nspname = {}", literal(&schema));
            if client.query(&exists).await?.is_empty() {
                return Err(catalog::unknown_relation(client, &schema, table).await?);
            }
            Vec::new()
        }
    };
    let target = Target { schema, table: table.to_owned(), relation, dependants };
    match &target.relation {
        Some(Relation { kind: Kind::Other, .. }) => Err(unloadable(&target.place())),
        _ => Ok(target),
    }
}

fn unloadable(place: &str) -> Error {
    Error::user(format!("`{place}` is a view, which cannot be loaded; name a table"))
}

/// What a swap would lose. An empty answer means an ordinary table with nothing but its own indexes, keys, checks,
/// defaults, comments and grants.
pub(super) async fn dependants(client: &mut Client, oid: u32) -> Result<Vec<String>> {
    let sql = format!(
        "select distinct what from (
            select pg_catalog.pg_describe_object(d.classid, d.objid, d.objsubid) what
            from pg_catalog.pg_depend d
            where d.refclassid = 'pg_catalog.pg_class'::regclass and d.refobjid = {oid}
                and d.classid not in ('pg_catalog.pg_type'::regclass, 'pg_catalog.pg_attrdef'::regclass)
                and not (d.classid = 'pg_catalog.pg_class'::regclass and (d.objid = {oid} or exists (
                    select from pg_catalog.pg_class c where c.oid = d.objid and c.relkind in ('i', 't'))))
                and not (d.classid = 'pg_catalog.pg_constraint'::regclass and exists (
                    select from pg_catalog.pg_constraint c where c.oid = d.objid and c.conrelid = {oid}
                        and c.contype in ('p', 'u', 'c', 'n')))
            union all
            select case when c.relkind <> 'r' then 'it is not an ordinary table' when c.relpersistence <> 'p' then 'it is not logged'
                when c.relispartition then 'it is a partition' when c.relrowsecurity then 'row security'
                when c.reloptions is not null then 'storage parameters' when c.reltablespace <> 0 then 'a tablespace'
                when c.reloftype <> 0 then 'its row type'
                when c.relreplident <> 'd' then 'a replica identity' end
            from pg_catalog.pg_class c where c.oid = {oid}
            union all
            select 'partitions or heirs' from pg_catalog.pg_inherits where inhparent = {oid} or inhrelid = {oid}
            union all
            select 'grants on columns' from pg_catalog.pg_attribute where attrelid = {oid} and attacl is not null
            union all
            select 'a publication of all tables' from pg_catalog.pg_publication where puballtables
        ) w where what is not null order by 1"
    );
    let rows = client.query(&sql).await?;
    rows.iter().map(|row| Ok(text(row, 0)?.to_owned())).collect()
}

/// How each column of the rows reaches the target. Columns that do not fit are errors, with the cast that would.
pub(super) async fn incoming(client: &mut Client, target: &Target, schema: &SchemaRef) -> Result<Vec<Incoming>> {
    let new = new_types(client, schema).await?;
    let mut incoming = Vec::with_capacity(schema.fields().len());
    for (field, new) in schema.fields().iter().zip(new) {
        let name = field.name();
        let existing =
            target.relation.as_ref().and_then(|r| r.columns.iter().find(|c| c.name == *name).map(|c| (r, c)));
        let (of, is_new) = match existing {
            Some((_, column)) if column.is_generated => {
                return Err(Error::user(format!(
                    "column `{name}` of `{}` is computed by the database; leave it out of the rows",
                    target.place()
                )));
            }
            Some((_, column)) => (column.of.clone(), false),
            None => match new {
                Some(of) => (of, true),
                None => {
                    return Err(Error::user(format!(
                        "column `{name}` has the type {}, which PostgreSQL has not; cast it, for example to text",
                        field.data_type()
                    )));
                }
            },
        };
        let writing = types::writing(field.data_type(), &of).ok_or_else(|| {
            let sql = &of.sql;
            Error::user(format!(
                "column `{name}` is {} and does not fit `{sql}` of `{}` without loss; cast it: `cast({name} as {})`",
                field.data_type(),
                target.place(),
                engine_cast(&of)
            ))
        })?;
        incoming.push(Incoming { name: name.clone(), sql: of.sql, writing, is_new });
    }
    Ok(incoming)
}

/// The engine's name of the type that fits.
fn engine_cast(of: &Type) -> String {
    use arrow::datatypes::DataType as D;
    match of.reading().0.data_type() {
        D::Utf8 => "varchar".into(),
        D::Binary => "bytea".into(),
        D::Int16 => "smallint".into(),
        D::Int32 => "int".into(),
        D::Int64 => "bigint".into(),
        D::Float32 => "real".into(),
        D::Float64 => "double".into(),
        D::Boolean => "boolean".into(),
        D::Date32 => "date".into(),
        D::Decimal128(p, s) | D::Decimal256(p, s) => format!("decimal({p},{s})"),
        D::Timestamp(_, None) => "timestamp".into(),
        D::Timestamp(_, Some(_)) => "timestamp with time zone".into(),
        other => other.to_string(),
    }
}

/// The types that columns would have if the target lacked them: what the field remembers, if this database knows it and
/// it takes the rows' values, else the usual one.
async fn new_types(client: &mut Client, schema: &Schema) -> Result<Vec<Option<Type>>> {
    let mut types = Vec::with_capacity(schema.fields().len());
    let wanted: Vec<Option<String>> = schema
        .fields()
        .iter()
        .map(|f| f.metadata().get(TYPE_KEY).cloned().or_else(|| types::default_sql(f.data_type())))
        .collect();
    // All at once, which nearly always works.
    if let Some(all) = resolve(client, &wanted.iter().flatten().map(String::as_str).collect::<Vec<_>>()).await? {
        let mut all = all.into_iter();
        types.extend(wanted.iter().map(|w| w.as_ref().and_then(|_| all.next())));
    } else {
        for sql in &wanted {
            types.push(match sql {
                Some(sql) => resolve(client, &[sql]).await?.and_then(|mut t| t.pop()),
                None => None,
            });
        }
    }
    for (of, field) in types.iter_mut().zip(schema.fields()) {
        let fits = of.as_ref().is_some_and(|of| types::writing(field.data_type(), of).is_some());
        if let (false, Some(usual)) = (fits, types::default_sql(field.data_type())) {
            *of = resolve(client, &[&usual]).await?.and_then(|mut t| t.pop());
        }
    }
    Ok(types)
}

/// What texts mean as types; `None` where one means nothing here. A text may come from anywhere (a file's metadata), so
/// it is only ever parsed by the server, never run.
async fn resolve(client: &mut Client, texts: &[&str]) -> Result<Option<Vec<Type>>> {
    if texts.is_empty() {
        return Ok(Some(Vec::new()));
    }
    let list = texts.iter().map(|t| format!("null::{t}")).collect::<Vec<_>>().join(", ");
    let described = match client.describe(&format!("select {list}")).await {
        Ok(Some(described)) => described,
        Ok(None) => return Ok(None),
        Err(error) if sqlstate(&error).is_some_and(|code| code.starts_with(UNDEFINED)) => return Ok(None),
        Err(error) => return Err(error),
    };
    if described.len() != texts.len() {
        return Ok(None);
    }
    let of: Vec<_> = described.iter().map(|c| (c.type_oid, c.type_modifier)).collect();
    Ok(Some(catalog::types(client, &of).await?))
}

/// The server's code of an error, if it came from the server.
pub(super) fn sqlstate(error: &Error) -> Option<&str> {
    server_error(error).map(|said| said.code.as_str())
}

/// An error with the line and column of `sql` at which the server has found that wrong, where it says so.
pub(super) fn located(error: Error, sql: &str) -> Error {
    let Some(position) = server_error(&error).and_then(|said| said.position) else { return error };
    let before: String = sql.chars().take(position.saturating_sub(1)).collect();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    Error { message: format!("{} at line {line}, column {column}", error.message), ..error }
}

fn server_error(error: &Error) -> Option<&ServerError> {
    error.source.as_deref()?.downcast_ref()
}
