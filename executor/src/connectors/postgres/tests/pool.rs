//! The pool: how many sessions there are, who gets them, and what is left in them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use datafusion::prelude::{SessionConfig, SessionContext};
use flowetl_proto::code::Class;
use flowetl_proto::pipeline::{Connection, Secret, WriteMode};
use futures::StreamExt;

use super::{Database, Postgres, attempt, connection, context, loading, source, table, texts, with_database};
use crate::connectors::postgres::pool::Sessions;
use crate::connectors::postgres::settings::Settings;
use crate::connectors::postgres::wire::Side;
use crate::connectors::{Connector, OpenContext, SinkRequest, System};

/// Streams of a plan: more than there are sessions.
const STREAMS: usize = 4;
/// Tables of several slices.
const TABLES: &str = "create table t as select i as id, repeat('x', 100) as filler from generate_series(1, 300000) i; \
    create table u as select * from t; analyze t; analyze u";
/// Sessions that are not the test's own.
const OURS: &str =
    "select count(*) from pg_stat_activity where datname = current_database() and application_name like 'flowetl%'";

fn pooled(db: &Database, size: usize) -> Connection {
    let mut connection = connection(&db.name);
    connection.options.insert("pool_size".into(), Secret::new(size.to_string()));
    connection
}

fn sessions(db: &Database, size: usize) -> Arc<Sessions> {
    Sessions::new(Settings::new(pooled(db, size)).unwrap())
}

async fn open(db: &Database, size: usize) -> Arc<dyn System> {
    Postgres.open(pooled(db, size), OpenContext { parallelism: STREAMS, ..context() }).await.unwrap()
}

/// An engine that knows these tables of the system by their names.
async fn engine(system: &dyn System, tables: &[&str]) -> SessionContext {
    let engine = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(STREAMS));
    for name in tables {
        engine.register_table(*name, source(system, table(name)).await.unwrap()).unwrap();
    }
    engine
}

async fn selected(engine: &SessionContext, sql: &str) -> crate::Result<Vec<Vec<String>>> {
    Ok(texts(&engine.sql(sql).await?.collect().await?))
}

/// The most sessions of the program that are there at once while something is done.
async fn most_sessions<T>(db: &mut Database, work: impl Future<Output = T>) -> (usize, T) {
    let (done, mut most) = (AtomicBool::new(false), 0);
    let watch = async {
        while !done.load(Ordering::Relaxed) {
            most = most.max(db.value(OURS).await.parse().unwrap());
        }
    };
    let work = async {
        let made = work.await;
        done.store(true, Ordering::Relaxed);
        made
    };
    let (_, made) = tokio::join!(watch, work);
    (most, made)
}

#[tokio::test(flavor = "multi_thread")]
async fn cn_17_partitions_read_in_turn_where_sessions_are_few() {
    for size in [2, 3, 16] {
        with_database(|mut db| async move {
            db.run(TABLES).await;
            let system = open(&db, size).await;
            let engine = engine(&*system, &["t"]).await;
            let sql = "select count(*), count(distinct id), sum(id) from t";
            let (most, found) = most_sessions(&mut db, selected(&engine, sql)).await;
            assert_eq!(found.unwrap(), [["300000", "300000", "45000150000"]]);
            assert!((2..=size.min(1 + STREAMS)).contains(&most), "{most} sessions of {size}");
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn cn_17_what_needs_more_sessions_than_there_may_be_is_refused_at_once() {
    with_database(|mut db| async move {
        db.run(TABLES).await;
        // One session cannot both keep a state and read it.
        let error = Postgres.open(pooled(&db, 1), context()).await.unwrap_err();
        assert!(error.message.contains("`pool_size` must be a number from 2 to 1000"), "{}", error.message);
        let sql = "select count(*), sum(t.id - u.id) from t join u on t.id = u.id";
        let few = open(&db, 2).await;
        let error = selected(&engine(&*few, &["t", "u"]).await, sql).await.unwrap_err();
        assert_eq!(error.class, Class::User, "{}", error.message);
        assert!(error.message.contains("needs 3 sessions, and `pool_size` allows 2"), "{}", error.message);
        drop(few);
        sessions(&db, 2).close_idle(tokio::time::Instant::now() + Duration::from_secs(61));
        db.until(OURS, "0").await;
        let enough = open(&db, 3).await;
        let engine = engine(&*enough, &["t", "u"]).await;
        let (most, found) = most_sessions(&mut db, selected(&engine, sql)).await;
        assert_eq!(found.unwrap(), [["300000", "0"]]);
        assert!(most <= 3, "{most}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cn_17_a_connection_is_read_and_written_at_once_with_three_sessions() {
    for size in [2, 3, 6] {
        with_database(|mut db| async move {
            db.run(TABLES).await;
            let system = open(&db, size).await;
            let engine = engine(&*system, &["t"]).await;
            let load = loading("copied", WriteMode::Replace);
            let frame = engine.sql("select id from t").await.unwrap();
            let request = SinkRequest {
                attempt: attempt(&format!("r{size}"), 1),
                block: "out".into(),
                to: table(&load.table),
                write: load.write,
                key: Vec::new(),
                schema: Arc::clone(frame.schema().inner()),
                options: serde_json::Value::Null,
            };
            let sink = system.sink(request).await.unwrap();
            let planned = frame.create_physical_plan().await;
            let plan = match planned {
                Ok(plan) => plan,
                Err(error) if size == 2 => {
                    assert!(error.to_string().contains("needs 3 sessions, and `pool_size` allows 2"), "{error}");
                    return;
                }
                Err(error) => panic!("{size}: {error}"),
            };
            let writers = sink.writers_max();
            let copying = async {
                sink.begin().await.unwrap();
                let rows = datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec::new(plan);
                let rows = datafusion::physical_plan::execute_stream(Arc::new(rows), engine.task_ctx()).unwrap();
                let rows = Arc::new(tokio::sync::Mutex::new(rows));
                let write = |partition| {
                    let (rows, sink) = (Arc::clone(&rows), Arc::clone(&sink));
                    async move {
                        let mut writer = sink.writer(partition).await.unwrap();
                        while let Some(batch) = { rows.lock().await.next().await } {
                            writer.write(batch.unwrap()).await.unwrap();
                        }
                        writer.finish().await.unwrap()
                    }
                };
                let parts = futures::future::join_all((0..writers).map(write)).await.concat();
                let staged = sink.prepare(&parts).await.unwrap();
                sink.commit(&staged, &[]).await.unwrap();
            };
            let (most, ()) = most_sessions(&mut db, copying).await;
            assert!((3..=size).contains(&most), "{most} sessions of {size}, {writers} writers");
            assert_eq!(db.value("select sum(id) from copied").await, "45000150000");
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn cn_17_who_finds_all_sessions_in_use_waits_and_is_told_what_for() {
    with_database(|mut db| async move {
        db.run(TABLES).await;
        let other = sessions(&db, 3);
        let held = other.free_seats(1);
        let (first, second) = (open(&db, 3).await, open(&db, 3).await);
        let reading = engine(&*first, &["t"]).await;
        let waiting = engine(&*second, &["u"]).await;
        let mut stream = reading.sql("select * from t").await.unwrap().execute_stream().await.unwrap();
        assert!(stream.next().await.unwrap().unwrap().num_rows() > 0);
        let error = other.session_within(Duration::from_millis(100), Side::Source, "flowetl").await.unwrap_err();
        assert_eq!(error.class, Class::SourceTransient);
        assert!(
            error.message.contains("its 3 sessions are in use, and after 100ms still none was free"),
            "{}",
            error.message
        );
        assert!(error.message.contains("`pool_size` allows more"), "{}", error.message);
        drop(held);
        let count = tokio::spawn(async move { selected(&waiting, "select count(*) from u").await });
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(!count.is_finished());
        drop((stream, reading, first));
        assert_eq!(count.await.unwrap().unwrap(), [["300000"]]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cn_17_idle_sessions_are_used_again_and_hold_nothing_of_their_last_use() {
    with_database(|mut db| async move {
        let pool = sessions(&db, 2);
        let pid = "select pg_backend_pid()";
        let mut session = pool.session(Side::Sink, "flowetl_a").await.unwrap();
        let first = session.query(pid).await.unwrap();
        session.execute("create temp table left_over (a int); set search_path = nowhere").await.unwrap();
        session.execute("select pg_advisory_lock(7)").await.unwrap();
        session.leave();
        // Another who opens the same connection gets it, as if it were new.
        let version = open(&db, 2).await.version().await.unwrap();
        assert!(version.starts_with("PostgreSQL "), "{version}");
        let mut session = sessions(&db, 2).session(Side::Source, "flowetl_b").await.unwrap();
        assert_eq!(session.query(pid).await.unwrap(), first);
        let looks = "select to_regclass('left_over') is null, current_setting('search_path'), \
            (select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()), \
            current_setting('application_name'), current_setting('intervalstyle')";
        let found: Vec<String> = session.query(looks).await.unwrap().remove(0).into_iter().flatten().collect();
        assert_eq!(found, ["t", "\"$user\", public", "0", "flowetl_b", "postgres"]);
        // Nobody gets a session in the middle of something, nor one whose statement failed and that was dropped.
        session.execute("begin").await.unwrap();
        session.leave();
        let mut session = pool.session(Side::Source, "flowetl_c").await.unwrap();
        let second = session.query(pid).await.unwrap();
        assert_ne!(second, first);
        assert!(session.execute("select 1 / 0").await.is_err());
        drop(session);
        db.until(OURS, "0").await;
        // One that the server has ended is replaced.
        pool.session(Side::Source, "flowetl_d").await.unwrap().leave();
        db.run("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'flowetl_d'").await;
        let mut session = pool.session(Side::Source, "flowetl_e").await.unwrap();
        assert_eq!(session.query("select 1").await.unwrap().len(), 1);
        session.leave();
        // A changed password is another pool.
        let mut changed = pooled(&db, 2);
        changed.password = Some(Secret::new("new"));
        Postgres.open(changed, context()).await.unwrap().version().await.unwrap();
        db.until(OURS, "2").await;
    })
    .await;
}

#[tokio::test]
async fn cn_17_a_session_that_nobody_wants_is_closed() {
    with_database(|mut db| async move {
        let pool = sessions(&db, 2);
        pool.session(Side::Source, "flowetl").await.unwrap().leave();
        let now = tokio::time::Instant::now();
        pool.close_idle(now + Duration::from_secs(59));
        assert_eq!(db.value(OURS).await, "1");
        pool.close_idle(now + Duration::from_secs(61));
        db.until(OURS, "0").await;
    })
    .await;
}
