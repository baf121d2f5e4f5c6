//! Connections through an SSH server, which is a real one of the test's own.

use std::sync::Arc;
use std::time::{Duration, Instant};

use datafusion::catalog::TableProvider;
use datafusion::physical_plan::execute_stream;
use flowetl_proto::code::Class;
use flowetl_proto::pipeline::{Connection, ConnectionSpec, Pipeline, Retries, Secret, WriteMode};
use futures::StreamExt;
use indexmap::IndexMap;
use tokio::runtime::Handle;

use super::{
    Database, PATIENCE, Postgres, attempt, connection, context, engine, loading, query, select, source, table, texts,
    with_database,
};
use crate::connectors::{Committed, Connector, SinkRequest, System};
use crate::inspect::{self, hint::hint};
use crate::tests::ssh::SshServer;
use crate::tests::world::{World, extract};

/// The database, through the server.
fn through(db: &Database, server: &SshServer) -> Connection {
    let mut connection = connection(&db.name);
    let options = server.options().into_iter().map(|(key, value)| (key.to_owned(), Secret::new(value)));
    connection.options.extend(options);
    connection
}

/// As a pipeline names it.
fn spec(connection: &Connection) -> ConnectionSpec {
    let options = connection.options.iter().map(|(key, value)| (key.clone(), value.reveal().to_owned())).collect();
    ConnectionSpec {
        scheme: connection.scheme.clone(),
        host: connection.host.clone(),
        port: connection.port,
        user: connection.user.clone(),
        password: connection.password.as_ref().map(|password| password.reveal().to_owned()),
        path: connection.path.clone(),
        options,
    }
}

async fn opened(connection: Connection) -> Arc<dyn System> {
    Postgres.open(connection, context()).await.unwrap()
}

/// Waits until no `ssh` of ours leads to the server.
async fn no_clients(server: &SshServer) {
    let start = Instant::now();
    while server.clients() > 0 {
        assert!(start.elapsed() < PATIENCE, "{} of `ssh` are left", server.clients());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn cn_15_rows_go_both_ways_through_an_ssh_server() {
    with_database(|mut db| async move {
        db.run(
            "create table t as select i as id, repeat('x', 100) as filler from generate_series(1, 300000) i; analyze t",
        )
        .await;
        let server = SshServer::start();
        let mut connection = through(&db, &server);
        // A key's text does as well as its file, also without line breaks.
        connection.options.insert("ssh_key".into(), Secret::new(server.text("user").replace('\n', "")));
        let world = World::new(1).await;
        let version = inspect::version("db", &spec(&connection), &world.config).await.unwrap();
        assert!(version.starts_with("PostgreSQL "), "{version}");
        assert!(server.clients() > 0);

        let pipeline = Pipeline {
            name: "p".into(),
            connections: IndexMap::from([("db".to_owned(), spec(&connection))]),
            blocks: IndexMap::from([("t".into(), extract("t", "db", "t"))]),
            retries: Retries::default(),
            memory: None,
            params: Default::default(),
            service: serde_json::Value::Null,
        };
        let seen = inspect::preview(&pipeline, &"t".into(), 5, world.config.clone(), Handle::current()).await.unwrap();
        assert_eq!(super::rows(&seen.batches), 5);

        let system = opened(connection).await;
        assert!(!format!("{system:?}").contains("PRIVATE KEY"));
        let from = source(&*system, table("t")).await.unwrap();
        let found = select(Arc::clone(&from), "select count(*), count(distinct id), sum(id) from t").await.unwrap();
        assert_eq!(texts(&found), [["300000", "300000", "45000150000"]]);
        let read = select(from, "select id from t").await.unwrap();
        let load = loading("made", WriteMode::Append);
        let request = SinkRequest {
            attempt: attempt("r", 1),
            block: "out".into(),
            to: table(&load.table),
            write: load.write,
            key: Vec::new(),
            schema: read[0].schema(),
            options: serde_json::Value::Null,
        };
        let sink = system.sink(request).await.unwrap();
        let staged = db.stage(&sink, &read).await.unwrap();
        assert_eq!(sink.commit(&staged, &[]).await.unwrap(), Committed::Done);
        assert_eq!(db.value("select sum(id) from made").await, "45000150000");
    })
    .await;
}

async fn first_batch(provider: Arc<dyn TableProvider>) {
    let engine = engine(provider);
    let plan = engine.sql("select * from t").await.unwrap().create_physical_plan().await.unwrap();
    let mut stream = execute_stream(plan, engine.task_ctx()).unwrap();
    assert!(stream.next().await.unwrap().unwrap().num_rows() > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn cn_15_what_is_cancelled_leaves_no_ssh_behind() {
    with_database(|mut db| async move {
        let server = SshServer::start();
        let endless = query("select i, pg_sleep(0.0005)::text from generate_series(1, 1000000) i");
        let system = opened(through(&db, &server)).await;
        let provider = source(&*system, endless).await.unwrap();
        first_batch(Arc::clone(&provider)).await;
        drop((provider, system));
        no_clients(&server).await;
        db.until(
            "select count(*) from pg_stat_activity where datname = current_database() and query like 'copy%'",
            "0",
        )
        .await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cn_15_a_way_that_does_not_lead_on_says_why() {
    with_database(|db| async move {
        let server = SshServer::start();
        let refused = async |changes: &[(&str, Option<&str>)], class| {
            let mut connection = through(&db, &server);
            for (key, value) in changes {
                connection.options.shift_remove(*key);
                connection.options.extend(value.map(|value| ((*key).to_owned(), Secret::new(value))));
            }
            let error = opened(connection).await.version().await.unwrap_err();
            assert_eq!(error.class, class, "{changes:?}: {}", error.message);
            assert!(
                !error.message.contains("secret-words") && !error.message.contains("PRIVATE KEY"),
                "{}",
                error.message
            );
            error.message
        };
        let stranger = refused(&[("ssh_key", Some(&server.path("stranger")))], Class::User).await;
        assert!(stranger.contains("Permission denied (publickey"), "{stranger}");
        assert!(hint(&stranger).unwrap().contains("`ssh_key`"), "{stranger}");
        let locked = refused(&[("ssh_key", Some(&server.text("locked")))], Class::User).await;
        assert!(locked.contains("`ssh_key` has a passphrase"), "{locked}");
        let no_key = refused(&[("ssh_key", Some("/no/such/key"))], Class::User).await;
        assert!(no_key.contains("`ssh_key`: the file `/no/such/key` cannot be read"), "{no_key}");

        // A host that nobody vouched for is named by its fingerprint, and so is one that is another than it was.
        let unknown = refused(&[("ssh_host_key", None)], Class::User).await;
        let fingerprint = server.fingerprint("host.pub");
        assert!(unknown.contains(&fingerprint) && unknown.contains("set `ssh_host_key`"), "{unknown}");
        let other = refused(&[("ssh_host_key", Some(&server.text("stranger.pub")))], Class::User).await;
        assert!(other.contains(&fingerprint) && other.contains("not that of `ssh_host_key`"), "{other}");

        let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
        let no_server = refused(&[("ssh_port", Some(&closed))], Class::SourceTransient).await;
        assert!(no_server.contains("Connection refused") && no_server.contains("`ssh` to `127.0.0.1:"), "{no_server}");
        let mut nowhere = through(&db, &server);
        nowhere.port = closed.parse().ok();
        for mode in ["disable", "prefer"] {
            nowhere.options.insert("sslmode".into(), Secret::new(mode));
            let error = opened(nowhere.clone()).await.version().await.unwrap_err();
            assert_eq!(error.class, Class::SourceTransient, "{}", error.message);
            assert!(error.message.contains("open failed: connect failed: Connection refused"), "{}", error.message);
        }
        no_clients(&server).await;
    })
    .await;
}

#[tokio::test]
async fn cn_15_the_settings_of_a_tunnel_are_checked() {
    let all = [("ssh_host", "bastion"), ("ssh_user", "me"), ("ssh_key", "/key")];
    for (change, says) in [
        (("ssh_host", ""), "`ssh_user` says how to get through an SSH server, and `ssh_host` is missing"),
        (("ssh_user", ""), "`ssh_host` needs `ssh_user`"),
        (("ssh_key", ""), "`ssh_host` needs `ssh_key`"),
        (("ssh_port", "no"), "`ssh_port` takes a number"),
        (("ssh_host", "-oProxyCommand=x"), "`ssh_host` is a name alone"),
        (("ssh_host", "me@bastion"), "`ssh_host` is a name alone"),
        (("ssh_password", "hidden"), "sign in to the SSH server by `ssh_key`"),
    ] {
        let mut connection = connection("");
        let options = all.into_iter().chain([change]);
        connection.options = options.map(|(key, value)| (key.to_owned(), Secret::new(value))).collect();
        let error = Postgres.open(connection, context()).await.unwrap_err();
        assert_eq!(error.class, Class::User);
        assert!(error.message.contains(says) && !error.message.contains("hidden"), "{change:?}: {}", error.message);
    }
    let mut socket = connection("");
    socket.host = Some("/run/postgresql".into());
    socket.options = all.into_iter().map(|(key, value)| (key.to_owned(), Secret::new(value))).collect();
    assert!(Postgres.open(socket, context()).await.unwrap_err().message.contains("`host` is a folder"));
    let described = Postgres.describe();
    let secrets: Vec<&str> = described.secrets().collect();
    assert!(secrets.contains(&"ssh_key") && !secrets.contains(&"ssh_host_key"), "{secrets:?}");
}
