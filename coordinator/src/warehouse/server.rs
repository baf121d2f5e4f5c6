//! The warehouse's server: schemas and roles are made there, and dropped, each as often as it is asked for.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flowetl_proto::pipeline::Secret;
use ring::{digest, hmac, pbkdf2};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};
use tokio::time::timeout;

use super::{Tenancy, Warehouse};
use crate::{Error, Result, clock};

/// The usual port of a PostgreSQL server.
pub(super) const PORT: u16 = 5432;

/// A server that does not answer in this time is not there.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// How long a statement may wait for tables that are in use, and how long it may take: dropping a schema drops all its tables.
const LIMITS: &str = "set lock_timeout = '10s'; set statement_timeout = '120s'";
/// What PostgreSQL itself takes.
const SCRAM_ITERATIONS: NonZeroU32 = NonZeroU32::MIN.saturating_add(4095);
const SALT_BYTES: usize = 16;

/// A session of who may make schemas and roles.
pub(super) struct Server {
    session: PgConnection,
    database: String,
}

/// How the warehouse is reached; says which setting is wrong.
pub(super) fn options(warehouse: &Warehouse) -> Result<PgConnectOptions, String> {
    let connection = &warehouse.connection;
    let mut options = PgConnectOptions::new_without_pgpass()
        .host(connection.host.as_deref().unwrap_or_default())
        .port(connection.port.unwrap_or(PORT))
        .username(connection.user.as_deref().unwrap_or_default())
        .database(warehouse.database())
        .application_name("flowetl")
        // They hold what is made of passwords.
        .disable_statement_logging();
    if let Some(password) = &connection.password {
        options = options.password(password.reveal());
    }
    for (option, value) in &connection.options {
        options = match option.as_str() {
            "sslmode" => {
                let mode = value.reveal().parse::<PgSslMode>();
                options.ssl_mode(mode.map_err(|_| "`sslmode` is none that PostgreSQL knows".to_owned())?)
            }
            "sslrootcert" => options.ssl_root_cert(PathBuf::from(value.reveal())),
            other => return Err(format!("there is no option `{other}`; there are `sslmode` and `sslrootcert`")),
        };
    }
    Ok(options)
}

impl Server {
    pub(super) async fn connect(warehouse: &Warehouse) -> Result<Self> {
        let options = options(warehouse).map_err(|wrong| Error::Warehouse(wrong.into()))?;
        let connected = timeout(CONNECT_LIMIT, PgConnection::connect_with(&options)).await;
        let late = |_| Error::Warehouse(format!("no answer within {} s", CONNECT_LIMIT.as_secs()).into());
        let mut session = connected.map_err(late)?.map_err(failed)?;
        sqlx::raw_sql(LIMITS).execute(&mut session).await.map_err(failed)?;
        Ok(Self { session, database: warehouse.database().to_owned() })
    }

    /// Makes what is missing of a tenancy, and lets its role sign in with the password alone. Refused where one of its schemas
    /// is there and is another's.
    pub(super) async fn make(&mut self, tenancy: &Tenancy, password: &Secret) -> Result<()> {
        let role = quoted(&tenancy.role());
        let known: Option<String> =
            sqlx::query_scalar("select rolname::text from pg_catalog.pg_roles where rolname = $1")
                .bind(tenancy.role())
                .fetch_optional(&mut self.session)
                .await
                .map_err(failed)?;
        let verifier = verifier(password, &clock::random::<SALT_BYTES>()?);
        let verb = if known.is_some() { "alter" } else { "create" };
        let mut statements = vec![format!("{verb} role {role} login password '{verifier}'")];
        let owner = format!("of organization {}", tenancy.organization);
        for schema in tenancy.schemas() {
            let comment = "select coalesce(pg_catalog.obj_description(oid, 'pg_namespace'), '') \
                           from pg_catalog.pg_namespace where nspname = $1";
            let comment: Option<String> = sqlx::query_scalar(comment)
                .bind(schema.clone())
                .fetch_optional(&mut self.session)
                .await
                .map_err(failed)?;
            let name = quoted(&schema);
            match comment {
                None => {
                    statements.push(format!("create schema {name}; comment on schema {name} is '{owner}'"));
                }
                Some(comment) if comment == owner => {}
                Some(_) => {
                    let taken = format!("there is a schema `{schema}` already, which is another's: rename or drop it");
                    return Err(Error::Warehouse(taken.into()));
                }
            }
            statements.push(format!("grant usage, create on schema {name} to {role}"));
        }
        // A name without a schema is one of theirs: nothing that somebody puts into `public` is taken for it.
        let path = tenancy.schemas().map(|schema| quoted(&schema)).join(", ");
        statements.push(format!("alter role {role} in database {} set search_path = {path}", quoted(&self.database)));
        self.all(statements).await
    }

    /// Drops a tenancy with all that is in it; fine where there is nothing of it.
    pub(super) async fn drop(&mut self, tenancy: &Tenancy) -> Result<()> {
        let role = quoted(&tenancy.role());
        let known: Option<String> =
            sqlx::query_scalar("select rolname::text from pg_catalog.pg_roles where rolname = $1")
                .bind(tenancy.role())
                .fetch_optional(&mut self.session)
                .await
                .map_err(failed)?;
        // Whoever made the schemas owns them; what is in them, and the role's sessions, take the role's own rights.
        let schemas = tenancy.schemas().map(|schema| quoted(&schema)).join(", ");
        let Some(name) = known else { return Ok(()) };
        self.all(vec![format!("alter role {role} nologin; grant {role} to current_user")]).await?;
        let end = "select pg_catalog.pg_terminate_backend(pid) from pg_catalog.pg_stat_activity where usename = $1";
        sqlx::query(end).bind(name).execute(&mut self.session).await.map_err(failed)?;
        self.all(vec![
            format!("drop schema if exists {schemas} cascade"),
            format!("drop owned by {role} cascade"),
            format!("drop role {role}"),
        ])
        .await
    }

    /// All of them, or none.
    async fn all(&mut self, statements: Vec<String>) -> Result<()> {
        let mut tx = self.session.begin().await.map_err(failed)?;
        for statement in statements {
            sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut *tx).await.map_err(failed)?;
        }
        tx.commit().await.map_err(failed)
    }
}

fn failed(error: sqlx::Error) -> Error {
    Error::Warehouse(error.into())
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// What a server keeps of a password by SCRAM-SHA-256 (RFC 5802 and 7677): in this form the password is in no statement, and
/// in no log of statements.
fn verifier(password: &Secret, salt: &[u8]) -> String {
    let mut salted = [0; digest::SHA256_OUTPUT_LEN];
    let secret = password.reveal().as_bytes();
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, SCRAM_ITERATIONS, salt, secret, &mut salted);
    let key = |of: &str| hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &salted), of.as_bytes());
    let stored = digest::digest(&digest::SHA256, key("Client Key").as_ref());
    let [salt, stored, server] = [salt, stored.as_ref(), key("Server Key").as_ref()].map(|part| STANDARD.encode(part));
    format!("SCRAM-SHA-256${SCRAM_ITERATIONS}:{salt}${stored}:{server}")
}
