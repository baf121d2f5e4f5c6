//! All transformations of an organization with what they may read: who refers to whom, and the SQL that each becomes. Pure.

use std::collections::BTreeMap;

use flowetl_proto::pipeline::{At, Problem, ProblemCode, Reference, nearest_word};

use super::model::{Materialization, Model, Transformation};
use super::source::LoadedTable;
use super::template::{Piece, Wrong, pieces, refs};
use crate::warehouse::Tenancy;

/// An organization's transformations, by name, and its sources.
pub(super) struct Project {
    pub all: BTreeMap<String, Transformation>,
    pub sources: Vec<LoadedTable>,
    /// What it has of the built-in warehouse.
    pub tenancy: Option<Tenancy>,
}

/// The SQL of one, as the database gets it.
#[derive(Debug)]
pub(super) struct Rendered {
    pub sql: String,
    /// As they are written: `source.table`.
    pub sources: Vec<String>,
}

impl Project {
    /// The table or view of a transformation.
    pub(super) fn place(&self, of: &Transformation) -> Reference {
        let (connection, schema) = (of.connection.clone(), Some(of.schema_name.clone()));
        let named = Reference::Table { connection, schema, table: of.name.clone() };
        match &self.tenancy {
            Some(own) => own.place(named),
            None => named,
        }
    }

    /// What one reads and makes. What its SQL refers to in vain is left out.
    pub(super) fn model(&self, of: &Transformation) -> Model {
        let makes = |of: &Transformation| (of.materialization != Materialization::Ephemeral).then(|| self.place(of));
        let (mut reads, mut holds) = (Vec::new(), Vec::new());
        for piece in pieces(&of.sql_body).unwrap_or_default() {
            let place = match piece {
                Piece::Text(_) => None,
                Piece::Ref { name, .. } => self.all.get(name).and_then(|other| {
                    let place = makes(other);
                    if place.is_none() && !holds.contains(&other.id) {
                        holds.push(other.id.clone());
                    }
                    place
                }),
                Piece::Source { source, table, .. } => {
                    self.source(&of.connection, source, table).ok().map(LoadedTable::place)
                }
            };
            reads.extend(place.filter(|place| !reads.contains(place)));
        }
        Model { id: of.id.clone(), name: of.name.clone(), run_name: of.run_name(), makes: makes(of), reads, holds }
    }

    /// Those that `name` refers to, in the order of its SQL.
    pub(super) fn upstream(&self, name: &str) -> Vec<&Transformation> {
        let refs = self.all.get(name).map(|of| refs(&of.sql_body)).unwrap_or_default();
        refs.iter().filter_map(|name| self.all.get(name)).collect()
    }

    /// The names of those that refer to `name`.
    pub(super) fn downstream(&self, name: &str) -> Vec<&str> {
        let refers = |of: &&Transformation| refs(&of.sql_body).iter().any(|other| other == name);
        self.all.values().filter(refers).map(|of| of.name.as_str()).collect()
    }

    /// The way from `name` back to itself, where there is one.
    pub(super) fn cycle(&self, name: &str) -> Option<Vec<&str>> {
        let start = self.all.get(name)?;
        let (mut ways, mut seen) = (vec![vec![start.name.as_str()]], vec![]);
        while let Some(way) = ways.pop() {
            for next in self.upstream(way.last()?) {
                let longer: Vec<&str> = way.iter().copied().chain([next.name.as_str()]).collect();
                if next.name == name {
                    return Some(longer);
                }
                if !seen.contains(&next.name.as_str()) {
                    seen.push(next.name.as_str());
                    ways.push(longer);
                }
            }
        }
        None
    }

    /// A transformation behind all that it needs; those come first. There is no cycle.
    pub(super) fn order(&self, name: &str) -> Vec<&Transformation> {
        let mut order = Vec::new();
        self.visit(name, &mut order);
        order
    }

    fn visit<'p>(&'p self, name: &str, order: &mut Vec<&'p Transformation>) {
        if order.iter().any(|done| done.name == name) {
            return;
        }
        for upstream in self.upstream(name) {
            self.visit(&upstream.name, order);
        }
        order.extend(self.all.get(name));
    }

    /// The SQL of one, with what is ephemeral before it. The problem names a place in the SQL of whichever is wrong.
    pub(super) fn render(&self, of: &Transformation) -> Result<Rendered, Problem> {
        let mut rendered = Rendered { sql: String::new(), sources: Vec::new() };
        let mut inlined = Vec::new();
        let body = self.body(of, of, &mut rendered.sources, &mut inlined)?;
        rendered.sql = match inlined.is_empty() {
            true => body,
            false => {
                let inlined: Vec<_> =
                    inlined.iter().map(|(name, sql)| format!("{} as (\n{sql}\n)", quoted(name))).collect();
                format!("with {}\nselect * from (\n{body}\n) as {}", inlined.join(", "), quoted(&of.name))
            }
        };
        Ok(rendered)
    }

    /// The SQL of `part`, which is `of` itself or stands in it.
    fn body(
        &self,
        of: &Transformation,
        part: &Transformation,
        sources: &mut Vec<String>,
        inlined: &mut Vec<(String, String)>,
    ) -> Result<String, Problem> {
        let problem = |at: At, message: String, hint: Option<String>| Problem {
            file: format!("{}.sql", part.name),
            at,
            block: None,
            code: ProblemCode::WrongSql,
            message,
            hint,
        };
        let text = part.sql_body.trim_end().trim_end_matches(';');
        let mut sql = String::with_capacity(text.len());
        for piece in pieces(text).map_err(|Wrong { at, message }| problem(at, message, None))? {
            match piece {
                Piece::Text(text) => sql.push_str(text),
                Piece::Ref { name, at } => {
                    let hint = nearest_word(name, self.all.keys().map(String::as_str));
                    let hint = hint.map(|near| format!("did you mean `{near}`?"));
                    let unknown = || problem(at, format!("there is no transformation `{name}`"), hint);
                    let other = self.all.get(name).ok_or_else(unknown)?;
                    if other.connection != of.connection {
                        let (there, here) = (&other.connection, &of.connection);
                        let message = format!("`{name}` is made in `{there}`, but this one runs in `{here}`");
                        return Err(problem(at, message, None));
                    }
                    if other.materialization != Materialization::Ephemeral {
                        sql.push_str(&relation(&self.place(other)));
                        continue;
                    }
                    if !inlined.iter().any(|(known, _)| known == name) {
                        let body = self.body(of, other, sources, inlined)?;
                        inlined.push((name.to_owned(), body));
                    }
                    sql.push_str(&quoted(name));
                }
                Piece::Source { source, table, at } => {
                    let found = self.source(&of.connection, source, table);
                    let found = found.map_err(|hint| {
                        let message = format!("no pipeline has loaded `{source}.{table}` into `{}`", of.connection);
                        problem(at, message, hint)
                    })?;
                    sql.push_str(&relation(&found.place()));
                    let name = format!("{source}.{table}");
                    if !sources.contains(&name) {
                        sources.push(name);
                    }
                }
            }
        }
        Ok(sql)
    }

    /// The table that a source names, by what lists call its schema or by the schema's own name; else what is near.
    fn source(&self, connection: &str, source: &str, table: &str) -> Result<&LoadedTable, Option<String>> {
        let own = || self.sources.iter().filter(|loaded| loaded.connection == connection);
        let is_it = |loaded: &&LoadedTable| {
            loaded.table == table && (loaded.source() == source || loaded.schema.as_deref() == Some(source))
        };
        own().find(is_it).ok_or_else(|| {
            let known: Vec<String> = own().map(|loaded| format!("{}.{}", loaded.source(), loaded.table)).collect();
            let near = nearest_word(&format!("{source}.{table}"), known.iter().map(String::as_str));
            near.map(|near| format!("did you mean `{near}`?"))
        })
    }
}

/// A table as SQL names it.
fn relation(place: &Reference) -> String {
    match place {
        Reference::Table { schema: Some(schema), table, .. } => format!("{}.{}", quoted(schema), quoted(table)),
        Reference::Table { schema: None, table, .. } => quoted(table),
        other => other.to_string(),
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
