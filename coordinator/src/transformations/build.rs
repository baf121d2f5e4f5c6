//! The pipeline file that a run of transformations is: one block makes each, others read and test what was made. Pure.

use flowetl_proto::pipeline::Problem;
use serde_json::{Map, Value, json};

use super::model::{Materialization, Transformation};
use super::project::Project;
use super::template::{Piece, pieces};
use crate::accounts::Refusal;

/// What the blocks are called that read what a transformation has made, that test it, and that read what is new for it.
const ROWS: &str = "rows_of_";
const TESTS: &str = "tests_of_";
const NEW: &str = "new_rows_of_";

/// Whether the name of a transformation leaves those of other blocks free.
pub(super) fn is_free(name: &str) -> bool {
    ![ROWS, TESTS, NEW].iter().any(|start| name.starts_with(start))
}

/// The file of a run that makes these, in their order, and tests what `with_tests` says. What is ephemeral makes nothing.
pub(super) fn file(
    project: &Project,
    made: &[&Transformation],
    with_tests: bool,
) -> Result<Map<String, Value>, Refusal> {
    let (mut blocks, mut params) = (Map::new(), Map::new());
    let is_made =
        |name: &str| made.iter().any(|of| of.name == name && of.materialization != Materialization::Ephemeral);
    let tests = |of: &Transformation| with_tests && !of.tests.is_empty();
    for of in made {
        for (name, param) in &of.params {
            if params.insert(name.clone(), param.clone()).is_some_and(|other| other != *param) {
                let message = format!("the parameter `{name}` is another one in one that `{}` needs", of.name);
                return Err(Refusal::Wrong { field: "params", message });
            }
        }
        if of.materialization == Materialization::Ephemeral {
            continue;
        }
        let sql = project.render(of).map_err(wrong_sql)?.sql;
        let mut after = Vec::new();
        for upstream in needed(project, of).into_iter().filter(|upstream| is_made(&upstream.name)) {
            after.push(upstream.name.clone());
            after.extend(tests(upstream).then(|| format!("{TESTS}{}", upstream.name)));
        }
        let to = project.place(of).to_string();
        match of.materialization {
            Materialization::Incremental => {
                let rows = format!("{NEW}{}", of.name);
                let key = &of.incremental.unique_key;
                let mut extract = json!({ "extract": { "connection": of.connection, "query": sql }, "after": after });
                if let Some(cursor) = &of.incremental.cursor {
                    extract["sync"] = json!({ "cursor": cursor, "key": key });
                }
                blocks.insert(rows.clone(), extract);
                blocks.insert(of.name.clone(), json!({ "load": rows, "to": to, "write": "merge", "key": key }));
            }
            Materialization::View | Materialization::Table => {
                let made = of.materialization;
                let block = json!({ "sql": sql, "in": of.connection, "to": to, "as": made, "after": after });
                blocks.insert(of.name.clone(), block);
            }
            Materialization::Ephemeral => {}
        }
    }
    for of in made.iter().filter(|of| tests(of) && is_made(&of.name)) {
        let test = test(project, of, &mut |other| {
            let after: Vec<&str> = Some(other.name.as_str()).filter(|name| is_made(name)).into_iter().collect();
            let rows = format!("{ROWS}{}", other.name);
            blocks.insert(rows, json!({ "extract": project.place(other).to_string(), "after": after }));
        })?;
        blocks.insert(format!("{TESTS}{}", of.name), test);
    }
    let mut file = Map::new();
    if !params.is_empty() {
        file.insert("params".to_owned(), Value::Object(params));
    }
    file.insert("blocks".to_owned(), Value::Object(blocks));
    Ok(file)
}

/// Those whose tables and views one reads, also through what is ephemeral.
fn needed<'p>(project: &'p Project, of: &Transformation) -> Vec<&'p Transformation> {
    let mut needed = Vec::new();
    for upstream in project.upstream(&of.name) {
        match upstream.materialization {
            Materialization::Ephemeral => needed.extend(self::needed(project, upstream)),
            _ => needed.push(upstream),
        }
    }
    needed
}

/// The test block of one; `read` is told of each whose rows it reads.
fn test<'p>(
    project: &'p Project,
    of: &'p Transformation,
    read: &mut impl FnMut(&'p Transformation),
) -> Result<Value, Refusal> {
    let wrong = |message: String| Refusal::Wrong { field: "tests", message };
    let mut rows_of = |name: &str| {
        let other = match name == of.name {
            true => Some(of),
            false => project.all.get(name).filter(|other| other.materialization != Materialization::Ephemeral),
        };
        let other =
            other.ok_or_else(|| wrong(format!("there is no transformation `{name}` with rows to compare with")))?;
        read(other);
        Ok::<_, Refusal>(format!("{ROWS}{name}"))
    };
    let mut test = Map::new();
    test.insert("test".to_owned(), json!(rows_of(&of.name)?));
    for (key, value) in &of.tests {
        let value = match (key.as_str(), value) {
            ("relationships", Value::Object(columns)) => {
                let mut compared = Map::new();
                for (column, to) in columns {
                    let (name, other) = to
                        .as_str()
                        .and_then(|to| to.rsplit_once('.'))
                        .ok_or_else(|| wrong(format!("`relationships`: `{column}` takes `transformation.column`")))?;
                    compared.insert(column.clone(), json!(format!("{}.{other}", rows_of(name)?)));
                }
                Value::Object(compared)
            }
            ("sql", Value::String(sql)) => json!(query(sql, &mut rows_of)?),
            ("sql", Value::Array(all)) => {
                let one = |sql: &Value| match sql.as_str() {
                    Some(sql) => Ok(json!(query(sql, &mut rows_of)?)),
                    None => Ok(sql.clone()),
                };
                all.iter().map(one).collect::<Result<_, Refusal>>()?
            }
            (_, other) => other.clone(),
        };
        test.insert(key.clone(), value);
    }
    Ok(Value::Object(test))
}

/// A query over rows that were made, in which `{{ ref('name') }}` names the block that reads them.
fn query(sql: &str, rows_of: &mut impl FnMut(&str) -> Result<String, Refusal>) -> Result<String, Refusal> {
    let wrong = |message: String| Refusal::Wrong { field: "tests", message };
    let mut whole = String::new();
    for piece in pieces(sql).map_err(|wrong_at| wrong(format!("`sql`: {}", wrong_at.message)))? {
        match piece {
            Piece::Text(text) => whole.push_str(text),
            Piece::Ref { name, .. } => whole.push_str(&rows_of(name)?),
            Piece::Source { source, table, .. } => {
                return Err(wrong(format!("`sql`: `{source}.{table}` is no transformation, whose rows tests compare")));
            }
        }
    }
    Ok(whole)
}

/// Refused with the place in the SQL.
pub(super) fn wrong_sql(problem: Problem) -> Refusal {
    Refusal::WrongSql(vec![problem])
}
