//! Organizations in a real warehouse: what each has there, what it cannot do, and what becomes of it.

use std::collections::BTreeSet;
use std::time::Duration;

use flowetl_proto::pipeline::{Connection as Resolved, Secret};
use indexmap::IndexMap;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row};
use tokio::time::{sleep, timeout};
use url::Url;

use super::{CONNECTION, Tenancy, Warehouse};
use crate::accounts::{Organization, OrganizationWish, Tenant};
use crate::connections::tests::Fake;
use crate::connections::{Connection, Connections, Wish};
use crate::store::Store;
use crate::tests::simulate::{Process, TEST_LIMIT, config, world};
use crate::tests::{Database, on_both};
use crate::vault::NewPassword;
use crate::vault::tests::{nobody, tenant};
use crate::{Config, clock};

on_both!(
    au_8_each_organization_has_schemas_that_no_other_can_use,
    au_8_schemas_keep_their_names_and_go_with_their_organization,
    au_8_a_locked_vault_and_a_taken_name_are_waited_for,
);

/// A database of a test's own on the server that `FLOWETL_TEST_POSTGRES` names, as a warehouse.
struct House {
    server: Url,
    name: String,
}

impl House {
    async fn new() -> Self {
        let server = std::env::var("FLOWETL_TEST_POSTGRES")
            .expect("this test needs a PostgreSQL server: set FLOWETL_TEST_POSTGRES to its URL");
        let house = Self { server: server.parse().unwrap(), name: format!("house_{}", uuid::Uuid::now_v7().simple()) };
        let mut admin = PgConnection::connect(&server).await.unwrap();
        run(&mut admin, &format!("create database {}", house.name)).await.unwrap();
        // Whoever belongs to it must show a password.
        let group = "do $$ begin create role flowetl_by_password; exception when others then null; end $$";
        run(&mut admin, group).await.unwrap();
        house
    }

    fn warehouse(&self) -> Warehouse {
        let password = self.server.password().map(Secret::new);
        let connection = Resolved {
            name: CONNECTION.into(),
            scheme: "postgres".into(),
            host: self.server.host_str().map(str::to_owned),
            port: self.server.port(),
            user: Some(self.server.username().to_owned()),
            password,
            path: self.name.clone(),
            options: IndexMap::from([("sslmode".to_owned(), Secret::new("disable"))]),
        };
        Warehouse::open(connection).unwrap()
    }

    async fn admin(&self) -> PgConnection {
        let mut url = self.server.clone();
        url.set_path(&self.name);
        PgConnection::connect(url.as_str()).await.unwrap()
    }

    /// A session as the role of a connection, which has to show its password.
    async fn enter(&self, process: &Process, connection: &Connection) -> Result<PgConnection, sqlx::Error> {
        let text = |key: &str| connection.config[key].as_str().unwrap().to_owned();
        let role = text("username");
        run(&mut self.admin().await, &format!("grant flowetl_by_password to \"{role}\"")).await.unwrap();
        let token = &connection.sealed["password"];
        let password = process.handle.vault().open(&connection.organization, token, "it").await.unwrap();
        let options = PgConnectOptions::new_without_pgpass().host(&text("host")).database(&text("database"));
        let port = connection.config["port"].as_u64().unwrap();
        let entered =
            PgConnection::connect_with(&options.port(port as u16).username(&role).password(password.reveal())).await;
        // Else whoever becomes a member of the role, as its keeper does to drop it, has to show a password for that time.
        run(&mut self.admin().await, &format!("revoke flowetl_by_password from \"{role}\"")).await.unwrap();
        entered
    }

    async fn end(self) {
        let mut admin = PgConnection::connect(self.server.as_str()).await.unwrap();
        run(&mut admin, &format!("drop database {} with (force)", self.name)).await.unwrap();
    }
}

async fn run(session: &mut PgConnection, sql: &str) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(session).await.map(drop)
}

/// The SQLSTATE that a statement is refused with.
async fn refused(session: &mut PgConnection, sql: &str) -> String {
    match run(session, sql).await {
        Err(sqlx::Error::Database(said)) => said.code().unwrap().into_owned(),
        other => panic!("{sql}: {other:?}"),
    }
}

async fn texts(session: &mut PgConnection, sql: &str) -> BTreeSet<String> {
    let rows = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).fetch_all(session).await.unwrap();
    rows.iter().map(|row| row.get::<String, _>(0)).collect()
}

const SCHEMAS: &str = "select nspname::text from pg_namespace where nspname like 'tenant_%'";

async fn start(database: &Database, house: &House) -> Process {
    let config = Config { warehouse: Some(house.warehouse()), ..config(database) };
    Process::start_as(config, &world(&[])).await
}

/// What an organization has of the warehouse, as soon as it does.
async fn share(store: &Store, organization: &Organization) -> (Tenancy, Connection) {
    let look = async {
        loop {
            let mut directory = store.directory().await.unwrap();
            let tenancy = directory.tenancy(&organization.id).await.unwrap();
            let connection = directory.connection_named(&organization.id, CONNECTION).await.unwrap();
            drop(directory);
            if let (Some(tenancy), Some(connection)) = (tenancy, connection)
                && tenancy.connection.as_ref() == Some(&connection.id)
            {
                return (tenancy, connection);
            }
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(TEST_LIMIT, look).await.expect("the organization gets its schemas")
}

async fn au_8_each_organization_has_schemas_that_no_other_can_use(database: &Database) {
    let house = House::new().await;
    let process = start(database, &house).await;
    let store = process.handle.store();
    let (acme, other) = (tenant(store, "acme-co").await, tenant(store, "other").await);
    let (tenancy, connection) = share(store, &acme.organization).await;
    let (_, others) = share(store, &other.organization).await;
    assert_eq!(tenancy.schemas(), ["tenant_acme_co_raw", "tenant_acme_co_staging", "tenant_acme_co_marts"]);
    assert_eq!((connection.kind.as_str(), &connection.config["database"]), ("postgres", &house.name.clone().into()));
    let dump = database.dump().await;
    let password = process.handle.vault().open(&acme.organization.id, &connection.sealed["password"], "it").await;
    assert!(!dump.contains(password.unwrap().reveal()), "the password lies in the metadata database");
    assert!(dump.contains("warehouse.made"), "the audit log does not tell of it");

    let mut own = house.enter(&process, &connection).await.unwrap();
    run(&mut own, "create table orders (id int); insert into orders values (1)").await.unwrap();
    run(&mut own, "create table tenant_acme_co_marts.best as select * from tenant_acme_co_raw.orders").await.unwrap();
    assert_eq!(texts(&mut own, "select count(*)::text from best").await, ["1".to_owned()].into());

    let mut stranger = house.enter(&process, &others).await.unwrap();
    for forbidden in [
        "select * from tenant_acme_co_raw.orders",
        "create table tenant_acme_co_staging.x (id int)",
        "insert into tenant_acme_co_raw.orders values (2)",
        "drop table tenant_acme_co_marts.best",
        "drop schema tenant_acme_co_raw cascade",
        "drop schema tenant_other_raw cascade",
        "alter schema tenant_acme_co_raw rename to x",
        "grant all on schema tenant_acme_co_raw to public",
        "create schema mine",
        "create role mine",
        "set role postgres",
        &format!("set role \"{}\"", tenancy.role()),
        &format!("alter role \"{}\" password 'x'", tenancy.role()),
        "copy (select 1) to program 'true'",
    ] {
        assert_eq!(refused(&mut stranger, forbidden).await, "42501", "{forbidden}");
    }
    let wrong = house.warehouse().connection.user.unwrap();
    assert_ne!(connection.config["username"], wrong.as_str(), "it signs in as who makes schemas");

    // It is the installation's: whoever could change it could send its password elsewhere.
    let connections = Connections::new(process.handle.vault(), std::sync::Arc::new(Fake::default()));
    let wish = || Wish::read(serde_json::json!({ "host": "evil" }).as_object().unwrap().clone()).unwrap();
    let refused = connections.change(&nobody(), &acme, &connection.id, wish()).await.unwrap_err();
    assert_eq!(refused.to_string(), "connection `warehouse` is built in and stays as it is");
    connections.delete(&nobody(), &acme, &connection.id, false).await.unwrap_err();
    assert!(connections.export(&nobody(), &acme, None).await.unwrap().connections.is_empty());

    // Everything is made once more at the next start, and is as it was.
    drop(connections);
    process.die().await;
    let process = start(database, &house).await;
    let third = tenant(process.handle.store(), "third").await;
    share(process.handle.store(), &third.organization).await;
    assert_eq!(share(process.handle.store(), &acme.organization).await.1, connection);
    house.enter(&process, &connection).await.unwrap();
    assert_eq!(texts(&mut own, "select id::text from orders").await, ["1".to_owned()].into());
    process.die().await;
    house.end().await;
}

async fn au_8_schemas_keep_their_names_and_go_with_their_organization(database: &Database) {
    let house = House::new().await;
    let mut admin = house.admin().await;
    // Somebody else's, of the name that the third organization would have.
    run(&mut admin, "create schema tenant_third_raw").await.unwrap();
    let process = start(database, &house).await;
    let store = process.handle.store();
    let accounts = crate::accounts::Accounts::open(store, &crate::accounts::Doors::new()).await.unwrap();
    let acme = tenant(store, "acme").await;
    let (tenancy, connection) = share(store, &acme.organization).await;
    let wish = OrganizationWish { name: None, slug: Some("renamed".into()), runs_at_once: None };
    let renamed = accounts.rename(&nobody(), &acme, wish).await.unwrap();
    let second = tenant(store, "acme").await;
    let (numbered, _) = share(store, &second.organization).await;
    assert_eq!(share(store, &renamed).await.0, tenancy);
    assert!(numbered.prefix.starts_with("tenant_acme_") && numbered.prefix != tenancy.prefix, "{numbered:?}");

    let mut own = house.enter(&process, &connection).await.unwrap();
    run(&mut own, "create table orders (id int); create function f() returns int language sql as 'select 1'")
        .await
        .unwrap();
    // While a session of it goes on, and holds its table.
    run(&mut own, "begin; lock table orders").await.unwrap();
    let tenant = Tenant { organization: renamed, ..acme };
    accounts.dissolve(&nobody(), &tenant).await.unwrap();
    let gone = async {
        loop {
            let schemas = texts(&mut admin, SCHEMAS).await;
            let left = store.directory().await.unwrap().tenancy(&tenant.organization.id).await.unwrap();
            if left.is_none() {
                return schemas;
            }
            sleep(Duration::from_millis(10)).await;
        }
    };
    let schemas = timeout(TEST_LIMIT, gone).await.expect("the schemas are dropped");
    let mut expected = BTreeSet::from(numbered.schemas());
    expected.insert("tenant_third_raw".to_owned());
    assert_eq!(schemas, expected);
    let roles = texts(&mut admin, "select rolname::text from pg_roles").await;
    assert!(!roles.contains(&tenancy.role()) && roles.contains(&numbered.role()));

    // What is another's is not taken, and nobody else is kept from anything.
    let third = self::tenant(store, "third").await;
    let fourth = self::tenant(store, "fourth").await;
    share(store, &fourth.organization).await;
    let none = store.directory().await.unwrap().connection_named(&third.organization.id, CONNECTION).await.unwrap();
    assert_eq!(none, None);
    process.die().await;
    house.end().await;
}

async fn au_8_a_locked_vault_and_a_taken_name_are_waited_for(database: &Database) {
    let house = House::new().await;
    // Without the warehouse first: it comes to organizations that are there.
    let process = Process::start(database, &world(&[])).await;
    let store = process.handle.store();
    let (locked, own) = (tenant(store, "locked").await, tenant(store, "own").await);
    let password = NewPassword { current: None, password: "correct horse".into(), only: true };
    process.handle.vault().set_password(&nobody(), &locked, password).await.unwrap();
    let connections = Connections::new(process.handle.vault(), std::sync::Arc::new(Fake::default()));
    let document = serde_json::json!({ "name": CONNECTION, "type": "postgres", "host": "h" });
    let wish = Wish::read(document.as_object().unwrap().clone()).unwrap();
    let made = connections.create(&nobody(), &own, wish).await.unwrap();
    drop(connections);
    process.die().await;

    let process = start(database, &house).await;
    let store = process.handle.store();
    let last = tenant(store, "last").await;
    share(store, &last.organization).await;
    let mut directory = store.directory().await.unwrap();
    assert_eq!(directory.connection_named(&locked.organization.id, CONNECTION).await.unwrap(), None);
    assert_eq!(directory.connection_named(&own.organization.id, CONNECTION).await.unwrap(), Some(made));
    drop(directory);
    process.handle.vault().unlock(&nobody(), &locked, "correct horse".into()).await.unwrap();
    let (_, connection) = share(store, &locked.organization).await;
    house.enter(&process, &connection).await.unwrap();
    process.die().await;
    house.end().await;
}

#[test]
fn au_8_names_stay_below_what_postgresql_takes() {
    let organization = |slug: &str| Organization {
        id: clock::new_id(),
        name: slug.to_owned(),
        slug: slug.to_owned(),
        runs_at_once: None,
        created_at: flowetl_proto::run::Timestamp(0),
    };
    let long = organization(&"x".repeat(50));
    for tenancy in [Tenancy::new(&long), Tenancy::numbered(&long)] {
        let names = tenancy.schemas().into_iter().chain([tenancy.role()]);
        assert!(names.into_iter().all(|name| name.len() <= 63), "{tenancy:?}");
    }
    assert_eq!(Tenancy::new(&organization("a-b-1")).schema("marts"), "tenant_a_b_1_marts");
}

#[test]
fn au_8_a_setting_that_is_no_warehouse_is_refused_by_what_is_wrong() {
    let with = |change: fn(&mut Resolved)| {
        let mut connection = Resolved {
            name: CONNECTION.into(),
            scheme: "postgres".into(),
            host: Some("db".into()),
            port: None,
            user: Some("etl".into()),
            password: Some(Secret::new("hidden")),
            path: "house".into(),
            options: IndexMap::new(),
        };
        change(&mut connection);
        Warehouse::open(connection).map(drop)
    };
    assert_eq!(with(|_| {}), Ok(()));
    for (change, said) in [
        ((|c| c.scheme = "mysql".into()) as fn(&mut Resolved), "`mysql` is no warehouse"),
        (|c| c.host = None, "a host and a user are missing"),
        (|c| c.path = String::new(), "the database is missing"),
        (|c| drop(c.options.insert("sslmode".into(), Secret::new("no"))), "`sslmode` is none"),
    ] {
        let wrong = with(change).unwrap_err();
        assert!(wrong.contains(said) && !wrong.contains("hidden"), "{wrong}");
    }
}
