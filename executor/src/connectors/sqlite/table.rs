//! What the database says about a table: its columns, their declared types, keys and rules.

use rusqlite::{Connection, OptionalExtension};

use super::types::Kind;

#[derive(Clone, Debug)]
pub(super) struct Table {
    /// As the database spells it.
    pub name: String,
    /// `table`, `view`, `virtual` or `shadow`.
    pub sort: String,
    pub has_rowid: bool,
    pub strict: bool,
    pub columns: Vec<Column>,
    pub primary: Vec<String>,
    /// The columns of each unique rule that counts every row and compares bytes, the primary key's included.
    pub unique: Vec<Vec<String>>,
}

#[derive(Clone, Debug)]
pub(super) struct Column {
    pub name: String,
    pub declared: String,
    pub kind: Option<Kind>,
    pub not_null: bool,
    pub has_default: bool,
    /// Computed by the database; cannot be written.
    pub generated: bool,
    /// Texts are compared byte by byte.
    pub binary: bool,
    /// Another name of the rowid, so that it holds integers alone.
    pub is_rowid: bool,
}

impl Table {
    /// `None` where `main` has no table or view of that name; names of SQLite ignore the case of ASCII letters.
    pub(super) fn find(connection: &Connection, name: &str) -> rusqlite::Result<Option<Self>> {
        let found = connection
            .query_row(
                "select name, type, wr, strict from pragma_table_list where schema = 'main' and name = ?1 collate nocase",
                [name],
                |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, bool>(2)?, row.get(3)?)),
            )
            .optional()?;
        let Some((name, sort, without_rowid, strict)) = found else { return Ok(None) };
        let has_rowid = sort == "table" && !without_rowid;
        let (columns, primary) = columns(connection, &name, &sort, has_rowid)?;
        let mut unique = unique_indexes(connection, &name)?;
        if columns.iter().any(|column| column.is_rowid) {
            unique.push(primary.clone());
        }
        Ok(Some(Self { name, sort, has_rowid, strict, columns, primary, unique }))
    }

    pub(super) fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name))
    }

    /// A name by which the rowid can be asked for.
    pub(super) fn rowid(&self) -> Option<&'static str> {
        let is_free = |name: &&str| self.column(name).is_none();
        ["rowid", "_rowid_", "oid"].into_iter().find(is_free).filter(|_| self.has_rowid)
    }

    /// Whether two rows can never agree in all these columns.
    pub(super) fn is_unique_by(&self, key: &[String]) -> bool {
        let holds = |column: &String| key.iter().any(|part| part.eq_ignore_ascii_case(column));
        self.unique.iter().any(|columns| columns.len() == key.len() && columns.iter().all(holds))
    }
}

/// The names that a person can read from, for the nearest one.
pub(super) fn names(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare(
        "select name from pragma_table_list where schema = 'main' and type in ('table', 'view', 'virtual') \
         and name not like 'sqlite\\_%' escape '\\' and name not like '\\_flowetl\\_%' escape '\\' order by name",
    )?;
    statement.query_map([], |row| row.get(0))?.collect()
}

/// The columns, and the names of those in the primary key.
fn columns(
    connection: &Connection,
    table: &str,
    sort: &str,
    has_rowid: bool,
) -> rusqlite::Result<(Vec<Column>, Vec<String>)> {
    let mut statement = connection.prepare(
        "select name, type, \"notnull\", dflt_value is not null, pk, hidden from pragma_table_xinfo(?1, 'main') \
         where hidden <> 1 order by cid",
    )?;
    let mut rows = statement.query([table])?;
    let (mut columns, mut primary) = (Vec::new(), Vec::new());
    while let Some(row) = rows.next()? {
        let name: String = row.get(0)?;
        let declared: String = row.get(1)?;
        if row.get::<_, i64>(4)? > 0 {
            primary.push(name.clone());
        }
        columns.push(Column {
            kind: Kind::declared(&declared),
            not_null: row.get(2)?,
            has_default: row.get(3)?,
            generated: row.get::<_, i64>(5)? > 1,
            binary: sort == "table" && compares_bytes(connection, table, &name)?,
            is_rowid: false,
            name,
            declared,
        });
    }
    if let ([only], true) = (primary.as_slice(), has_rowid) {
        let is_rowid = is_rowid_alias(connection, table)?;
        for column in columns.iter_mut().filter(|column| &column.name == only) {
            column.is_rowid = is_rowid && column.declared.eq_ignore_ascii_case("integer");
        }
    }
    Ok((columns, primary))
}

fn compares_bytes(connection: &Connection, table: &str, column: &str) -> rusqlite::Result<bool> {
    let (_, collation, ..) = connection.column_metadata(Some("main"), table, column)?;
    Ok(collation.is_none_or(|name| name.to_bytes().eq_ignore_ascii_case(b"binary")))
}

/// A primary key of one column that is not the rowid itself is kept by an index.
fn is_rowid_alias(connection: &Connection, table: &str) -> rusqlite::Result<bool> {
    let query = "select not exists (select 1 from pragma_index_list(?1, 'main') where origin = 'pk')";
    connection.query_row(query, [table], |row| row.get(0))
}

fn unique_indexes(connection: &Connection, table: &str) -> rusqlite::Result<Vec<Vec<String>>> {
    let mut statement =
        connection.prepare("select name from pragma_index_list(?1, 'main') where \"unique\" and not partial")?;
    let indexes: Vec<String> = statement.query_map([table], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    let mut columns_of = connection.prepare("select name, coll from pragma_index_xinfo(?1, 'main') where key")?;
    let mut unique = Vec::new();
    for index in indexes {
        let columns: Vec<(Option<String>, String)> =
            columns_of.query_map([&index], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<rusqlite::Result<_>>()?;
        let plain = columns.iter().all(|(_, collation)| collation.eq_ignore_ascii_case("binary"));
        let names: Option<Vec<String>> = columns.into_iter().map(|(name, _)| name).collect();
        unique.extend(names.filter(|_| plain));
    }
    Ok(unique)
}
