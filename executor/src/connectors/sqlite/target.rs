//! What a load does to its table: compares the rows that come with the table that is there. Pure, so that the same
//! question has the same answer when the plan is shown, when rows are staged and when they are published.

use arrow::datatypes::{DataType, Field, Schema};
use flowetl_proto::pipeline::WriteMode;

use super::encode::Writing;
use super::table::{Column, Table};
use super::types::{Affinity, Kind, affinity};
use crate::connectors::sql_text::did_you_mean;
use crate::{Error, Result};

/// How the table will look and how rows come into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// As the database spells it, or will.
    pub table: String,
    /// In the order of the rows' schema.
    pub columns: Vec<Writing>,
    pub change: Change,
    pub write: WriteMode,
    /// The merge key, as the database spells it; empty for other modes.
    pub key: Vec<String>,
    /// The table has a unique rule on exactly the key.
    pub key_is_unique: bool,
}

/// What happens to the table itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Create,
    /// Stays, with these of `columns` added.
    Keep {
        added: Vec<usize>,
    },
    /// Replaced by a new one with this primary key, because of these differences. Its indexes and triggers are made again;
    /// other rules of its definition are gone.
    Rebuild {
        because: Vec<String>,
        primary: Vec<String>,
    },
}

impl Target {
    /// `place` is the target's name for people; `table` is what is there now.
    pub(super) fn new(
        place: &str,
        name: &str,
        table: Option<&Table>,
        schema: &Schema,
        write: WriteMode,
        key: &[String],
    ) -> Result<Self> {
        check_names(place, name, table, schema)?;
        let key = if write == WriteMode::Merge { key } else { &[] };
        let mut columns = Vec::with_capacity(schema.fields().len());
        let (mut added, mut because) = (Vec::new(), Vec::new());
        for (index, field) in schema.fields().iter().enumerate() {
            let existing = table.and_then(|table| table.column(field.name()));
            let fitting = match existing {
                Some(column) => writing_to(field, column),
                None => {
                    added.push(index);
                    writing_new(field)
                }
            };
            match fitting {
                Ok(writing) => columns.push(writing),
                Err(reason) if existing.is_some() && write == WriteMode::Replace => {
                    columns.push(writing_new(field).map_err(|e| misfit(place, field, &e))?);
                    because.push(format!("column `{}` {reason}", field.name()));
                }
                Err(reason) => return Err(misfit(place, field, &reason)),
            }
        }
        let mut target = Self {
            table: table.map_or(name, |table| &table.name).to_owned(),
            columns,
            change: Change::Create,
            write,
            key: Vec::new(),
            key_is_unique: table.is_none_or(|table| table.is_unique_by(key)),
        };
        target.set_key(place, key)?;
        if let Some(table) = table {
            target.change = change(place, table, schema, write, added, because)?;
            if let Change::Rebuild { primary, .. } = &target.change {
                target.columns = columns_new(place, schema, primary)?;
            }
        }
        Ok(target)
    }

    /// The table that a query inside the database becomes: types are the database's own, so only names are compared.
    pub(super) fn of_query(place: &str, name: &str, table: Option<&Table>, columns: &[Writing]) -> Result<Self> {
        let fields: Vec<Field> = columns.iter().map(|column| Field::new(&column.name, DataType::Null, true)).collect();
        check_names(place, name, table, &Schema::new(fields))?;
        let declares = |table: &Table| -> Vec<(String, String)> {
            table.columns.iter().map(|column| (column.name.clone(), column.declared.clone())).collect()
        };
        let wanted: Vec<(String, String)> =
            columns.iter().map(|column| (column.name.clone(), column.declared.clone())).collect();
        let change = match table {
            None => Change::Create,
            Some(table) if declares(table) == wanted => Change::Keep { added: Vec::new() },
            Some(_) => {
                Change::Rebuild { because: vec!["its columns differ from the query's".into()], primary: Vec::new() }
            }
        };
        Ok(Self {
            table: table.map_or(name, |table| &table.name).to_owned(),
            columns: columns.to_vec(),
            change,
            write: WriteMode::Replace,
            key: Vec::new(),
            key_is_unique: false,
        })
    }

    fn set_key(&mut self, place: &str, key: &[String]) -> Result<()> {
        for part in key {
            let Some(column) = self.columns.iter_mut().find(|column| column.name.eq_ignore_ascii_case(part)) else {
                let hint = did_you_mean(part, self.columns.iter().map(|column| column.name.as_str()));
                return Err(Error::user(format!("the key column `{part}` is not among the rows for {place}{hint}")));
            };
            column.never_null = true;
            self.key.push(column.name.clone());
        }
        Ok(())
    }

    /// For people: `replaces the rows, adds column `x` text`.
    pub(super) fn describe(&self) -> String {
        let rows = match self.write {
            WriteMode::Append => "appends rows".into(),
            WriteMode::Replace => "replaces all rows".into(),
            WriteMode::Merge => format!("merges rows by `{}`", self.key.join("`, `")),
        };
        match &self.change {
            Change::Create => {
                let columns: Vec<_> =
                    self.columns.iter().map(|column| format!("{} {}", column.name, column.declared)).collect();
                format!("creates table ({})", columns.join(", "))
            }
            Change::Keep { added } => {
                let added = added.iter().map(|index| &self.columns[*index]);
                let added = added.map(|column| format!(", adds column {} {}", column.name, column.declared));
                format!("{rows}{}", added.collect::<String>())
            }
            Change::Rebuild { because, .. } => format!("{rows}, rebuilds the table: {}", because.join(", ")),
        }
    }
}

fn check_names(place: &str, name: &str, table: Option<&Table>, schema: &Schema) -> Result<()> {
    let lower = name.to_ascii_lowercase();
    if lower.starts_with("sqlite_") || lower.starts_with("_flowetl_") {
        return Err(Error::user(format!("{place}: names that begin with `sqlite_` or `_flowetl_` are reserved")));
    }
    if let Some(table) = table.filter(|table| table.sort != "table") {
        return Err(Error::user(format!("{place} is a {}; rows can be loaded into tables only", table.sort)));
    }
    if schema.fields().is_empty() {
        return Err(Error::user(format!("{place}: the rows have no columns")));
    }
    for (index, field) in schema.fields().iter().enumerate() {
        let same = |other: &&std::sync::Arc<Field>| other.name().eq_ignore_ascii_case(field.name());
        if let Some(other) = schema.fields()[..index].iter().find(same) {
            let (one, two) = (other.name(), field.name());
            return Err(Error::user(format!("{place}: SQLite takes the columns `{one}` and `{two}` for the same")));
        }
    }
    Ok(())
}

fn change(
    place: &str,
    table: &Table,
    schema: &Schema,
    write: WriteMode,
    added: Vec<usize>,
    mut because: Vec<String>,
) -> Result<Change> {
    let comes = |column: &Column| schema.fields().iter().any(|field| field.name().eq_ignore_ascii_case(&column.name));
    for column in table.columns.iter().filter(|column| !column.generated && !comes(column)) {
        if write == WriteMode::Replace {
            because.push(format!("drops column {}", column.name));
        } else if column.not_null && !column.has_default && !column.is_rowid {
            let name = &column.name;
            return Err(Error::user(format!(
                "{place}: column `{name}` must not be null, but the rows do not bring it"
            )));
        }
    }
    if because.is_empty() {
        return Ok(Change::Keep { added });
    }
    let remains = |name: &String| schema.fields().iter().any(|field| field.name().eq_ignore_ascii_case(name));
    let primary = if table.primary.iter().all(remains) { table.primary.clone() } else { Vec::new() };
    Ok(Change::Rebuild { because, primary })
}

fn misfit(place: &str, field: &Field, reason: &str) -> Error {
    Error::user(format!("column `{}` cannot be loaded into {place}: {reason}", field.name()))
}

fn columns_new(place: &str, schema: &Schema, primary: &[String]) -> Result<Vec<Writing>> {
    let mut columns = Vec::with_capacity(schema.fields().len());
    for field in schema.fields() {
        let mut column = writing_new(field).map_err(|reason| misfit(place, field, &reason))?;
        column.never_null = primary.iter().any(|name| name.eq_ignore_ascii_case(&column.name));
        columns.push(column);
    }
    Ok(columns)
}

fn writing_new(field: &Field) -> Result<Writing, String> {
    let kind = kind_of(field.data_type())?;
    Ok(Writing { name: field.name().clone(), kind, declared: kind.ddl(), numbers_only: false, never_null: false })
}

fn writing_to(field: &Field, column: &Column) -> Result<Writing, String> {
    if column.generated {
        return Err("is computed by the table itself".into());
    }
    let incoming = kind_of(field.data_type())?;
    let numeric = affinity(&column.declared) == Affinity::Numeric;
    let kind = match column.kind {
        None if numeric && incoming == Kind::Blob => None,
        None => Some(incoming),
        Some(kind) => written_as(field.data_type(), incoming, kind),
    };
    let kind = kind.ok_or_else(|| format!("is `{}`, but the rows bring {}", column.declared, field.data_type()))?;
    let numbers_only = column.kind.is_none() && numeric && kind == Kind::Text;
    Ok(Writing {
        name: column.name.clone(),
        kind,
        declared: column.declared.clone(),
        numbers_only,
        never_null: column.not_null || column.is_rowid,
    })
}

fn kind_of(data_type: &DataType) -> Result<Kind, String> {
    Kind::of(data_type).ok_or_else(|| format!("SQLite has no type for {data_type}; cast it, for example to text"))
}

/// How values of one kind are written into a column of another, if that loses nothing and is read back as it is meant.
fn written_as(data_type: &DataType, incoming: Kind, column: Kind) -> Option<Kind> {
    match (incoming, column) {
        (incoming, column) if incoming == column => Some(column),
        (_, Kind::Text) if *data_type == DataType::Null => Some(column),
        (Kind::Date | Kind::Time | Kind::Timestamp { .. }, Kind::Text) => Some(incoming),
        (Kind::Boolean | Kind::Integer | Kind::Real | Kind::Decimal { .. }, Kind::Text) => Some(Kind::Text),
        (Kind::Boolean, Kind::Integer) => Some(Kind::Integer),
        (Kind::Integer, Kind::Real) if data_type.primitive_width().is_some_and(|bytes| bytes < 8) => Some(Kind::Real),
        (Kind::Integer, Kind::Decimal { .. }) => Some(column),
        (Kind::Date, Kind::Timestamp { instant: false }) => Some(column),
        (Kind::Decimal { precision: 20, scale: 0 }, Kind::Integer) if *data_type == DataType::UInt64 => Some(column),
        (Kind::Decimal { precision: p, scale: s }, Kind::Decimal { precision, scale }) => {
            (s <= scale && p as i8 - s <= precision as i8 - scale).then_some(column)
        }
        _ if *data_type == DataType::Null => Some(column),
        _ => None,
    }
}
