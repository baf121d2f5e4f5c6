//! SQL as far as validation needs it: `{{ ref('block') }}`, the tables a query names, and where it breaks off.

use std::collections::HashSet;
use std::ops::ControlFlow;

use super::params;
use sqlparser::ast::{Expr, ObjectName, Query, SetExpr, Spanned, Statement, TableFactor, Visit, Visitor};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Span, Token, Tokenizer};

/// Tokens between two commas. `1 + 1 + 1 ...` becomes a tree as deep as it is long, and taking apart a tree of some ten
/// thousand levels overflows the stack.
const EXPRESSION_TOKENS_MAX: usize = 16_000;
/// Aggregates by their usual names; an engine has more, and refuses those itself.
const AGGREGATES: [&str; 15] = [
    "array_agg",
    "avg",
    "bool_and",
    "bool_or",
    "count",
    "first_value",
    "last_value",
    "max",
    "mean",
    "median",
    "min",
    "stddev",
    "string_agg",
    "sum",
    "variance",
];

/// What is wrong with a text of SQL. Line and column count from 1 inside the text; 0 where they are unknown.
#[derive(Debug)]
pub(super) struct SqlProblem {
    pub line: u32,
    pub column: u32,
    pub message: String,
}

/// A table that a query reads and does not define itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Table {
    /// As SQL reads them: without quotes, lowercase where there were none.
    pub parts: Vec<String>,
    /// As it was written.
    pub written: String,
    pub line: u32,
    pub column: u32,
}

/// Replaces `{{ ref('block') }}` with what `name` makes of the block, and anything else in `{{ }}` is wrong.
pub(super) fn replace_refs(sql: &str, mut name: impl FnMut(&str, &SqlProblem) -> String) -> Result<String, SqlProblem> {
    let mut replaced = String::with_capacity(sql.len());
    let mut rest = sql;
    while let Some(start) = rest.find("{{") {
        replaced.push_str(&rest[..start]);
        let (line, column) = end_of(&sql[..sql.len() - rest.len() + start]);
        let here = |message: &str| SqlProblem { line, column, message: message.to_owned() };
        let inside = &rest[start + 2..];
        let end = inside.find("}}").ok_or_else(|| here("a `{{` has no `}}`"))?;
        if params::named(&inside[..end]).is_some() {
            // A parameter stands there until a run is told its value.
            replaced.push_str(&rest[start..start + 2 + end + 2]);
            rest = &inside[end + 2..];
            continue;
        }
        let message = "only `{{ ref('block') }}` and `{{ var('parameter') }}` are understood in `{{ }}`";
        let block = referenced(&inside[..end]).ok_or_else(|| here(message))?;
        replaced.push_str(&name(block, &here("")));
        rest = &inside[end + 2..];
    }
    replaced.push_str(rest);
    Ok(replaced)
}

/// The block of `ref('block')`.
fn referenced(inside: &str) -> Option<&str> {
    let quoted = inside.trim().strip_prefix("ref")?.trim_start().strip_prefix('(')?.strip_suffix(')')?.trim();
    let quote = quoted.chars().next().filter(|c| "'\"".contains(*c))?;
    quoted.strip_prefix(quote)?.strip_suffix(quote)
}

/// A name in double quotes.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The tables that one query reads.
pub(super) fn tables(sql: &str) -> Result<Vec<Table>, SqlProblem> {
    let padded = padded(sql);
    let statements = parser(&padded)?.parse_statements().map_err(|e| problem(&e, sql))?;
    let [Statement::Query(query)] = statements.as_slice() else {
        let message = match statements.len() {
            0 => "there is no SQL here",
            1 => "only a query, such as `select ...`, can stand here",
            _ => "only one query can stand here",
        };
        return Err(SqlProblem { line: 1, column: 1, message: message.to_owned() });
    };
    if matches!(*query.body, SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) | SetExpr::Merge(_)) {
        let message = "only a query, such as `select ...`, can stand here".to_owned();
        return Err(SqlProblem { line: 1, column: 1, message });
    }
    let mut reader = TableReader::default();
    let _ = query.visit(&mut reader);
    Ok(reader.tables)
}

/// SQL that can be parsed: with a stand-in for each template, as long as that, which keeps the columns that errors name.
fn padded(sql: &str) -> String {
    let mut padded = sql.to_owned();
    while let Some(start) = padded.find("{{") {
        let Some(length) = padded[start..].find("}}").map(|end| end + 2) else { break };
        let template = &padded[start..start + length];
        let inside = &template[2..length - 2];
        let param = || params::named(inside).map(|_| "''".to_owned());
        let Some(name) = referenced(inside).map(quoted).or_else(param) else { break };
        let width = template.chars().count();
        padded.replace_range(start..start + length, &format!("{name:width$}"));
    }
    padded
}

/// Checks a condition such as stands after `where`: one expression, without a query inside.
pub(super) fn check_condition(sql: &str) -> Result<(), SqlProblem> {
    match expression(sql)?.visit(&mut FindQuery) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => {
            let message = "a condition cannot hold a query of its own; use an `sql` block".to_owned();
            Err(SqlProblem { line: 1, column: 1, message })
        }
    }
}

/// Checks what a column is computed by: one expression over one row.
pub(super) fn check_rule(sql: &str) -> Result<(), SqlProblem> {
    let mut block = None;
    replace_refs(sql, |_, here| {
        block.get_or_insert((here.line, here.column));
        String::new()
    })?;
    if let Some((line, column)) = block {
        let message = "a rule computes with the columns of one block and cannot name another; use an `sql` block";
        return Err(SqlProblem { line, column, message: message.to_owned() });
    }
    match expression(sql)?.visit(&mut FindRows) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(found) => Err(found),
    }
}

fn expression(sql: &str) -> Result<Expr, SqlProblem> {
    let mut parser = parser(&padded(sql))?;
    let parsed = parser.parse_expr().and_then(|parsed| parser.expect_token(&Token::EOF).map(|_| parsed));
    parsed.map_err(|e| problem(&e, sql))
}

/// A parser over the tokens of a text that no expression makes too deep.
fn parser(sql: &str) -> Result<Parser<'static>, SqlProblem> {
    let tokens = Tokenizer::new(&GenericDialect {}, sql).tokenize_with_location();
    let tokens = tokens.map_err(|e| problem(&e.into(), sql))?;
    let mut since_comma = 0;
    for token in &tokens {
        match token.token {
            Token::Whitespace(_) => {}
            Token::Comma => since_comma = 0,
            _ => since_comma += 1,
        }
        if since_comma > EXPRESSION_TOKENS_MAX {
            let (line, column) = (token.span.start.line as u32, token.span.start.column as u32);
            return Err(SqlProblem { line, column, message: "the SQL holds too long an expression".to_owned() });
        }
    }
    Ok(Parser::new(&GenericDialect {}).with_tokens_with_locations(tokens))
}

struct FindQuery;

impl Visitor for FindQuery {
    type Break = ();

    fn pre_visit_query(&mut self, _query: &Query) -> ControlFlow<()> {
        ControlFlow::Break(())
    }
}

/// Finds what needs other rows than the one that is computed.
struct FindRows;

impl Visitor for FindRows {
    type Break = SqlProblem;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<SqlProblem> {
        ControlFlow::Break(over_rows("a query of its own is", query.span()))
    }

    fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<SqlProblem> {
        let Expr::Function(function) = expression else { return ControlFlow::Continue(()) };
        let name = function.name.to_string();
        let what = match &function.over {
            Some(_) => format!("the window function `{name}` is"),
            None if AGGREGATES.contains(&name.to_lowercase().as_str()) => format!("the aggregate `{name}` is"),
            None => return ControlFlow::Continue(()),
        };
        ControlFlow::Break(over_rows(&what, function.name.span()))
    }
}

fn over_rows(what: &str, span: Span) -> SqlProblem {
    let message = format!("{what} computed over many rows, but a rule over one; use an `sql` block");
    SqlProblem { line: span.start.line as u32, column: span.start.column as u32, message }
}

/// Collects tables, leaving out the names that `with` defines where they can be seen.
#[derive(Default)]
struct TableReader {
    scopes: Vec<Scope>,
    tables: Vec<Table>,
}

/// The `with` of one query. A name is visible from the end of its own definition on, so that
/// `with orders as (select * from orders)` still reads the outer `orders`.
struct Scope {
    visible: HashSet<String>,
    /// Where each definition's query lies, and the name it becomes.
    pending: Vec<(*const Query, String)>,
}

impl Visitor for TableReader {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        let mut scope = Scope { visible: HashSet::new(), pending: Vec::new() };
        if let Some(with) = &query.with {
            for cte in &with.cte_tables {
                let name = folded(&cte.alias.name);
                if with.recursive {
                    scope.visible.insert(name);
                } else {
                    scope.pending.push((&raw const *cte.query, name));
                }
            }
        }
        self.scopes.push(scope);
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        self.scopes.pop();
        if let Some(scope) = self.scopes.last_mut()
            && let Some((_, name)) = scope.pending.iter().find(|(defined, _)| std::ptr::eq(*defined, query))
        {
            scope.visible.insert(name.clone());
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        // With arguments it is a function, such as `generate_series(1, 10)`.
        if let TableFactor::Table { name, args: None, .. } = factor {
            self.table(name);
        }
        ControlFlow::Continue(())
    }
}

impl TableReader {
    fn table(&mut self, name: &ObjectName) {
        let parts: Vec<_> = name.0.iter().filter_map(|part| part.as_ident()).collect();
        let Some(first) = parts.first() else { return };
        let folded: Vec<_> = parts.iter().map(|part| self::folded(part)).collect();
        if let [only] = folded.as_slice()
            && self.scopes.iter().any(|scope| scope.visible.contains(only))
        {
            return;
        }
        let start = first.span.start;
        let (line, column) = (start.line as u32, start.column as u32);
        self.tables.push(Table { parts: folded, written: name.to_string(), line, column });
    }
}

/// A name as SQL reads it: lowercase unless it is quoted.
fn folded(ident: &sqlparser::ast::Ident) -> String {
    match ident.quote_style {
        Some(_) => ident.value.clone(),
        None => ident.value.to_lowercase(),
    }
}

/// The parser's error in our words, with its place.
fn problem(error: &ParserError, sql: &str) -> SqlProblem {
    let text = match error {
        ParserError::ParserError(text) | ParserError::TokenizerError(text) => text.as_str(),
        ParserError::RecursionLimitExceeded => "the SQL is nested too deeply",
    };
    let (text, place) = match text.rsplit_once(" at Line: ") {
        Some((text, place)) => (text, place.split_once(", Column: ")),
        None => (text, None),
    };
    let place = place.and_then(|(line, column)| Some((line.trim().parse().ok()?, column.trim().parse().ok()?)));
    // Without a place the parser ran out of text.
    let (line, column) = place.unwrap_or_else(|| end_of(sql.trim_end()));
    let said =
        text.replace("Expected: ", "expected ").replace("found: ", "found ").replace("found EOF", "found the end");
    let mut said = said.chars();
    let first = said.next().map(|c| c.to_lowercase().to_string()).unwrap_or_default();
    SqlProblem { line, column, message: format!("SQL syntax: {first}{}", said.as_str()) }
}

/// The line and column just after a text.
fn end_of(text: &str) -> (u32, u32) {
    let last = text.rsplit('\n').next().unwrap_or("");
    (text.matches('\n').count() as u32 + 1, last.chars().count() as u32 + 1)
}
