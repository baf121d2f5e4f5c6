//! Connections, without their plain secrets.

use std::collections::BTreeMap;

use flowetl_proto::run::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};
use sqlx::Any;
use sqlx::any::AnyArguments;
use sqlx::query::Query;

use super::Directory;
use crate::Result;
use crate::connections::{Connection, ConnectionQuery, Direction, LastTest};
use crate::store::{containing, doing, get, get_json, to_json};

/// What is read of a connection, in this order.
const COLUMNS: &str = "id, organization, name, type, direction, folder, created_at, updated_at, last_tested_at, \
                       last_test_status, last_test_version, last_test_message";
/// And after them, as JSON.
const DOCUMENTS: [&str; 2] = ["config", "sealed"];

/// The [`COLUMNS`] and [`DOCUMENTS`] of one.
#[derive(Deserialize)]
struct Told {
    id: String,
    organization: String,
    name: String,
    kind: String,
    direction: Direction,
    folder: String,
    created_at: i64,
    updated_at: i64,
    tested_at: Option<i64>,
    test_status: Option<String>,
    test_version: Option<String>,
    test_message: Option<String>,
    config: Map<String, Value>,
    sealed: BTreeMap<String, String>,
}

type Asked = Query<'static, Any, AnyArguments>;

impl Directory {
    pub(crate) async fn connection(&mut self, organization: &str, id: &str) -> Result<Option<Connection>> {
        let select = "select * from connection where organization = $1 and id = $2";
        let (organization, id) = (organization.to_owned(), id.to_owned());
        Ok(self.told_connections(select, |asked| asked.bind(organization).bind(id)).await?.pop())
    }

    pub(crate) async fn connection_named(&mut self, organization: &str, name: &str) -> Result<Option<Connection>> {
        let select = "select * from connection where organization = $1 and name = $2";
        let (organization, name) = (organization.to_owned(), name.to_owned());
        Ok(self.told_connections(select, |asked| asked.bind(organization).bind(name)).await?.pop())
    }

    /// Those that the query asks for, last changed first.
    pub(crate) async fn connections(&mut self, query: &ConnectionQuery) -> Result<Vec<Connection>> {
        let select = "select * from connection where organization = $1 \
                      and ($2 = '' or $2 like '%,' || type || ',%') and ($3 = '' or direction = $3) \
                      and ($4 = 0 or folder = $5) \
                      and ($6 = '' or lower(name) like $6 escape '\\' or lower(config) like $6 escape '\\') \
                      and ($7 = '' or (updated_at, id) < (select c.updated_at, c.id from connection c \
                                                         where c.organization = $1 and c.id = $7)) \
                      order by updated_at desc, id desc limit $8";
        let kinds = if query.kinds.is_empty() { String::new() } else { format!(",{},", query.kinds.join(",")) };
        let bound = |asked: Asked| {
            asked
                .bind(query.organization.clone())
                .bind(kinds)
                .bind(query.direction.map(|direction| direction.as_str()).unwrap_or_default())
                .bind(i64::from(query.folder.is_some()))
                .bind(query.folder.clone().unwrap_or_default())
                .bind(query.search.as_deref().map(containing).unwrap_or_default())
                .bind(query.after.clone().unwrap_or_default())
                .bind(query.limit)
        };
        let mut found = self.told_connections(select, bound).await?;
        found.sort_unstable_by(|one, other| (other.updated_at, &other.id).cmp(&(one.updated_at, &one.id)));
        Ok(found)
    }

    /// What `select` finds, in no order.
    async fn told_connections(&mut self, select: &str, bound: impl FnOnce(Asked) -> Asked) -> Result<Vec<Connection>> {
        let asked = sqlx::query(sqlx::AssertSqlSafe(self.line.gathered(COLUMNS, DOCUMENTS, select)));
        let row = bound(asked).fetch_one(&mut *self.line).await.map_err(doing("read the connections"))?;
        let told: Option<Vec<Told>> = get_json(&row, "rows")?;
        Ok(told.into_iter().flatten().map(decode).collect())
    }

    /// How many connections an organization has.
    pub(crate) async fn count_connections(&mut self, organization: &str) -> Result<i64> {
        let query = sqlx::query("select count(*) as number from connection where organization = $1");
        let row = query.bind(organization.to_owned()).fetch_one(&mut *self.line).await;
        get(&row.map_err(doing("count the connections"))?, "number")
    }

    /// Of all organizations those that were not tested since `before`, in the order of their ids from behind `after` on.
    pub(crate) async fn untested_connections(
        &mut self,
        before: i64,
        after: &str,
        limit: i64,
    ) -> Result<Vec<Connection>> {
        let select = "select * from connection where coalesce(last_tested_at, 0) < $1 and id > $2 order by id limit $3";
        let after = after.to_owned();
        let mut found = self.told_connections(select, |asked| asked.bind(before).bind(after).bind(limit)).await?;
        found.sort_unstable_by(|one, other| one.id.cmp(&other.id));
        Ok(found)
    }

    pub(crate) async fn add_connection(&mut self, connection: &Connection) -> Result<()> {
        let insert = "insert into connection (id, organization, name, type, direction, folder, config, sealed, \
                      created_at, updated_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
        sqlx::query(insert)
            .bind(connection.id.clone())
            .bind(connection.organization.clone())
            .bind(connection.name.clone())
            .bind(connection.kind.clone())
            .bind(connection.direction.as_str())
            .bind(connection.folder.clone())
            .bind(to_json("a connection", &connection.config)?)
            .bind(to_json("a connection", &connection.sealed)?)
            .bind(connection.created_at.0)
            .bind(connection.updated_at.0)
            .execute(&mut *self.line)
            .await
            .map_err(doing("write a connection"))?;
        Ok(())
    }

    /// Writes all that can change, the last test included.
    pub(crate) async fn change_connection(&mut self, connection: &Connection) -> Result<()> {
        let update = "update connection set name = $1, type = $2, direction = $3, folder = $4, config = $5, sealed = $6, \
                      updated_at = $7, last_tested_at = $8, last_test_status = $9, last_test_version = $10, \
                      last_test_message = $11 where organization = $12 and id = $13";
        let test = connection.test.as_ref();
        sqlx::query(update)
            .bind(connection.name.clone())
            .bind(connection.kind.clone())
            .bind(connection.direction.as_str())
            .bind(connection.folder.clone())
            .bind(to_json("a connection", &connection.config)?)
            .bind(to_json("a connection", &connection.sealed)?)
            .bind(connection.updated_at.0)
            .bind(test.map(|test| test.at.0))
            .bind(test.map(|test| test.status()))
            .bind(test.and_then(|test| test.version.clone()))
            .bind(test.map(|test| test.message.clone()))
            .bind(connection.organization.clone())
            .bind(connection.id.clone())
            .execute(&mut *self.line)
            .await
            .map_err(doing("write a connection"))?;
        Ok(())
    }

    /// Writes what a test has found, unless the settings that were tested have changed meanwhile.
    pub(crate) async fn connection_tested(&mut self, tested: &Connection, test: &LastTest) -> Result<()> {
        let update = "update connection set last_tested_at = $1, last_test_status = $2, last_test_version = $3, \
                      last_test_message = $4 where organization = $5 and id = $6 and updated_at = $7";
        sqlx::query(update)
            .bind(test.at.0)
            .bind(test.status())
            .bind(test.version.clone())
            .bind(test.message.clone())
            .bind(tested.organization.clone())
            .bind(tested.id.clone())
            .bind(tested.updated_at.0)
            .execute(&mut *self.line)
            .await
            .map_err(doing("write a connection's test"))?;
        Ok(())
    }

    pub(crate) async fn remove_connection(&mut self, organization: &str, id: &str) -> Result<()> {
        let delete = sqlx::query("delete from connection where organization = $1 and id = $2");
        let done = delete.bind(organization.to_owned()).bind(id.to_owned()).execute(&mut *self.line).await;
        done.map_err(doing("remove a connection"))?;
        Ok(())
    }
}

fn decode(told: Told) -> Connection {
    let test = told.tested_at.map(|at| LastTest {
        at: Timestamp(at),
        success: told.test_status.as_deref() == Some("success"),
        version: told.test_version,
        message: told.test_message.unwrap_or_default(),
    });
    Connection {
        id: told.id,
        organization: told.organization,
        name: told.name,
        kind: told.kind,
        direction: told.direction,
        folder: told.folder,
        config: told.config,
        sealed: told.sealed,
        created_at: Timestamp(told.created_at),
        updated_at: Timestamp(told.updated_at),
        test,
    }
}
