//! Making staged rows visible, once: the commit record and the change of the target are one transaction.

use flowetl_proto::control::Position;
use flowetl_proto::id::BlockId;
use serde_json::{Map, Value, json};

use super::catalog::{self, Relation, text};
use super::pool::Session;
use super::quote::{identifier, list, literal, qualified};
use super::sink::{Load, Staged, Way};
use super::stage::ORDER;
use super::swap;
use super::target::sqlstate;
use super::wire::Client;
use crate::connectors::Committed;
use crate::{Error, Result};

/// The table of what was committed, in the target's schema.
const RECORDS: &str = "_flowetl_commits";
/// `unique_violation`, `duplicate_table` and `duplicate_object`: another session made the same table, or the type that comes
/// with it, in the same moment.
const MADE_BY_ANOTHER: [&str; 3] = ["23505", "42P07", "42710"];

/// What a commit's transaction came to.
enum Change {
    Made,
    /// The record of an earlier commit was there.
    MadeBefore,
    /// The staged rows are not there any more.
    Gone,
}

/// Publishes what was staged, or finds that this was done before. `held` is the session whose open transaction has
/// written the direct way's rows; without it they are lost.
pub(super) async fn publish(
    load: &Load,
    staged: &Staged,
    positions: &[(BlockId, Position)],
    held: Option<Session>,
) -> Result<Committed> {
    let mut session = match (staged.way, held) {
        (Way::Direct, Some(held)) => held,
        (Way::Direct, None) => return recorded(load).await,
        _ => {
            let mut session = load.session().await?;
            make_records(&mut session, load).await?;
            session.execute("begin").await?;
            session
        }
    };
    let change = match record(&mut session, load, positions).await? {
        true => change(&mut session, load, staged).await?,
        false => Change::MadeBefore,
    };
    let (end, committed) = match change {
        Change::Made => ("commit", Committed::Done),
        Change::MadeBefore => ("rollback", Committed::Done),
        Change::Gone => ("rollback", Committed::Lost),
    };
    session.execute(end).await?;
    load.seats.leave(session);
    Ok(committed)
}

fn records(load: &Load) -> String {
    qualified(&load.target.schema, RECORDS)
}

/// Whether this load was committed: asked where the rows themselves are gone.
async fn recorded(load: &Load) -> Result<Committed> {
    let mut session = load.session().await?;
    make_records(&mut session, load).await?;
    let sql = format!(
        "select 1 from {} where pipeline = {} and block = {} and run = {}",
        records(load),
        literal(&load.attempt.pipeline),
        literal(load.block.as_str()),
        literal(load.attempt.run.as_str())
    );
    let is_recorded = !session.query(&sql).await?.is_empty();
    load.seats.leave(session);
    Ok(if is_recorded { Committed::Done } else { Committed::Lost })
}

/// Makes the table of records, in a transaction of its own so that two first commits do not wait for each other.
pub(super) async fn make_records(client: &mut Client, load: &Load) -> Result<()> {
    let table = records(load);
    let exists = format!("select pg_catalog.to_regclass({})", literal(&table));
    if matches!(client.query(&exists).await?.as_slice(), [row] if matches!(row.as_slice(), [Some(_)])) {
        return Ok(());
    }
    let create = format!(
        "create table if not exists {table} (pipeline text, block text, run text, token bigint not null, \
         positions jsonb not null, committed_at timestamptz not null default now(), primary key (pipeline, block, run))"
    );
    match client.execute(&create).await {
        Err(error) if sqlstate(&error).is_some_and(|code| MADE_BY_ANOTHER.contains(&code)) => Ok(()),
        result => result.map(|_| ()),
    }
}

/// Writes the commit record; false where there is one, of whatever attempt: the first to commit has won.
async fn record(client: &mut Client, load: &Load, positions: &[(BlockId, Position)]) -> Result<bool> {
    let positions: Map<String, Value> =
        positions.iter().map(|(block, position)| (block.to_string(), json!(position))).collect();
    let sql = format!(
        "insert into {} (pipeline, block, run, token, positions) values ({}, {}, {}, {}, {}) on conflict do nothing",
        records(load),
        literal(&load.attempt.pipeline),
        literal(load.block.as_str()),
        literal(load.attempt.run.as_str()),
        load.attempt.token,
        literal(&Value::Object(positions).to_string())
    );
    Ok(client.execute(&sql).await? == 1)
}

async fn change(client: &mut Client, load: &Load, staged: &Staged) -> Result<Change> {
    if staged.way == Way::Direct {
        return Ok(Change::Made);
    }
    let Some(staging) = catalog::relation(client, &load.names.schema, &load.names.staging).await? else {
        return Ok(Change::Gone);
    };
    let (schema, table) = (&load.target.schema, &load.target.table);
    if load.is_in_database()
        && let Some(old) = catalog::relation(client, schema, table).await?
        && (staged.way == Way::View || old.is_view())
    {
        return swap::replace(client, load, staged, &old).await.map(|()| Change::Made);
    }
    let exists = catalog::relation(client, schema, table).await?.is_some();
    if exists {
        let mode = match staged.way {
            Way::Swap | Way::Refill => "access exclusive",
            Way::Insert | Way::Merge | Way::Direct | Way::View => "row exclusive",
        };
        client.execute(&format!("lock table {} in {mode} mode", load.target.sql())).await?;
    }
    // What was true when the rows were staged need not be true any more; from here on it stays so.
    let relation = if exists { catalog::relation(client, schema, table).await? } else { None };
    let is_complete = match (staged.way, relation) {
        (Way::Merge, relation) => merge(client, load, staged, &staging, relation).await?,
        (_, None) => {
            swap::rename(client, load, staged, None).await?;
            return Ok(Change::Made);
        }
        (Way::Insert, Some(relation)) => insert(client, load, staged, &staging, &relation).await?,
        // An append that was to make the table: someone else did.
        (Way::Swap, Some(relation)) if load.write == flowetl_proto::pipeline::WriteMode::Append => {
            insert(client, load, staged, &staging, &relation).await?
        }
        (Way::Swap, Some(relation)) if swap::is_possible(client, load, staged, &staging, &relation).await? => {
            swap::rename(client, load, staged, Some(&relation)).await?;
            return Ok(Change::Made);
        }
        (_, Some(relation)) => {
            empty(client, load, &relation).await?;
            insert(client, load, staged, &staging, &relation).await?
        }
    };
    if !is_complete {
        return Ok(Change::Gone);
    }
    client.execute(&format!("drop table {}", load.names.staging())).await?;
    Ok(Change::Made)
}

/// Removes all rows of the target, by `truncate` where nothing refers to them.
async fn empty(client: &mut Client, load: &Load, relation: &Relation) -> Result<()> {
    let referring =
        format!("select 1 from pg_catalog.pg_constraint where contype = 'f' and confrelid = {} limit 1", relation.oid);
    let target = load.target.sql();
    let sql = match client.query(&referring).await?.is_empty() {
        true => format!("truncate table {target}"),
        false => format!("delete from {target}"),
    };
    client.execute(&sql).await?;
    Ok(())
}

/// Columns of the staging table that rows have, and those of them that the target lacks are added to it.
async fn shared_columns(
    client: &mut Client,
    load: &Load,
    staging: &Relation,
    relation: &Relation,
) -> Result<Vec<String>> {
    let mut names = Vec::with_capacity(staging.columns.len());
    for column in staging.columns.iter().filter(|c| c.name != ORDER && !c.is_generated) {
        if !relation.columns.iter().any(|c| c.name == column.name) {
            let (target, name) = (load.target.sql(), identifier(&column.name));
            client.execute(&format!("alter table {target} add column {name} {}", column.of.sql)).await?;
        }
        names.push(column.name.clone());
    }
    Ok(names)
}

/// Whether identity columns must be told to take given values.
fn overriding(relation: &Relation) -> &'static str {
    if relation.columns.iter().any(|c| c.is_identity) { " overriding system value" } else { "" }
}

/// Adds the staged rows to the target; false where some of them are gone.
async fn insert(
    client: &mut Client,
    load: &Load,
    staged: &Staged,
    staging: &Relation,
    relation: &Relation,
) -> Result<bool> {
    let columns = shared_columns(client, load, staging, relation).await?;
    let columns = list(columns.iter().map(String::as_str));
    let (target, from) = (load.target.sql(), load.names.staging());
    let overriding = overriding(relation);
    let sql = format!("insert into {target} ({columns}){overriding} select {columns} from {from}");
    Ok(client.execute(&sql).await? == staged.rows)
}

/// Changes rows whose key is known and adds the others; of several staged rows with one key the last one counts.
async fn merge(
    client: &mut Client,
    load: &Load,
    staged: &Staged,
    staging: &Relation,
    relation: Option<Relation>,
) -> Result<bool> {
    let from = load.names.staging();
    let count = client.query(&format!("select count(*) from {from}")).await?;
    if text(count.first().unwrap_or(&Vec::new()), 0)? != staged.rows.to_string() {
        return Ok(false);
    }
    let target = load.target.sql();
    let key = list(load.key.iter().map(String::as_str));
    let relation = match relation {
        Some(relation) => relation,
        None => {
            let columns = load.incoming.iter().map(|c| c.definition()).collect::<Vec<_>>().join(", ");
            client.execute(&format!("create table {target} ({columns}, primary key ({key}))")).await?;
            let made = catalog::relation(client, &load.target.schema, &load.target.table).await?;
            made.ok_or_else(|| Error::internal("a table that was just created is not there"))?
        }
    };
    let columns = shared_columns(client, load, staging, &relation).await?;
    let others: Vec<&str> = columns.iter().map(String::as_str).filter(|c| !load.key.iter().any(|k| k == c)).collect();
    let names = list(columns.iter().map(String::as_str));
    let last = format!("(select distinct on ({key}) * from {from} order by {key}, {} desc) s", identifier(ORDER));
    let overriding = overriding(&relation);
    if has_unique_index(client, relation.oid, &load.key).await? {
        let sets: Vec<String> = others.iter().map(|c| format!("{0} = excluded.{0}", identifier(c))).collect();
        let action = if sets.is_empty() { "nothing".into() } else { format!("update set {}", sets.join(", ")) };
        let sql = format!(
            "insert into {target} ({names}){overriding} select {names} from {last} on conflict ({key}) do {action}"
        );
        client.execute(&sql).await?;
        return Ok(true);
    }
    // Without an index nothing else keeps a key from coming in twice.
    client.execute(&format!("lock table {target} in share row exclusive mode")).await?;
    let equal: Vec<String> = load.key.iter().map(|k| format!("t.{0} = s.{0}", identifier(k))).collect();
    let equal = equal.join(" and ");
    let sets: Vec<String> = others.iter().map(|c| format!("{0} = s.{0}", identifier(c))).collect();
    if !sets.is_empty() {
        client.execute(&format!("update {target} t set {} from {last} where {equal}", sets.join(", "))).await?;
    }
    let sql = format!(
        "insert into {target} ({names}){overriding} select {names} from {last} \
         where not exists (select from {target} t where {equal})"
    );
    client.execute(&sql).await?;
    Ok(true)
}

/// Whether a unique index on exactly these columns can find conflicts.
async fn has_unique_index(client: &mut Client, oid: u32, key: &[String]) -> Result<bool> {
    let key: Vec<String> = key.iter().map(|k| literal(k)).collect();
    let sql = format!(
        "select 1 from pg_catalog.pg_index i
        where i.indrelid = {oid} and i.indisunique and i.indisvalid and i.indimmediate
            and i.indpred is null and i.indexprs is null and i.indnkeyatts = {}
            and (select count(*) from pg_catalog.pg_attribute a where a.attrelid = {oid} and a.attname in ({})
                and a.attnum = any ((i.indkey::int2[])[0:i.indnkeyatts - 1])) = {}
        limit 1",
        key.len(),
        key.join(", "),
        key.len()
    );
    Ok(!client.query(&sql).await?.is_empty())
}
