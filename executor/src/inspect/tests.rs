//! Plans and previews over a shop in SQLite: what they say, what they ask of sources, and that they leave no trace.

use flowetl_proto::code::Failure;
use flowetl_proto::control::Output;
use flowetl_proto::pipeline::{Block, Parser, Retries, Secret};
use serde_json::{Value, json};

use super::*;
use crate::tests::world::{ORDERS, World, block, extract, load, place, sql};

fn pipeline(world: &World, blocks: Vec<Block>) -> Pipeline {
    Pipeline {
        name: "p".into(),
        connections: world.connections.clone(),
        blocks: blocks.into_iter().map(|block| (block.id.clone(), block)).collect(),
        retries: Retries::default(),
        memory: None,
        params: Default::default(),
        service: Value::Null,
    }
}

/// The shop's orders, a query over them, what is computed inside the database, a load of each, and a test.
fn shop(world: &World) -> Pipeline {
    let big = json!({"sql": "select id, total from orders where total > 40", "in": "shop", "to": place("shop", "big")});
    let checks = json!({"test": "dear", "unique": ["id"], "sql": ["select * from dear where note is null"]});
    let blocks = vec![
        extract("orders", "shop", "orders"),
        sql("dear", &["orders"], "select id, note, total * 2 as twice from orders where total > 48"),
        block("checks", "test", &["dear"], checks),
        load("out", "dear", "out", "dear", "replace"),
        block("big", "in_database", &[], big),
        extract("endless", "odd", "endless"),
    ];
    pipeline(world, blocks)
}

fn segment(pipeline: &Pipeline, blocks: &[&str], inputs: &[&str], output: Output) -> Segment {
    Segment {
        id: (*blocks.last().unwrap()).into(),
        blocks: blocks.iter().map(|id| pipeline.blocks[*id].clone()).collect(),
        inputs: inputs.iter().map(|id| BlockId::new(*id)).collect(),
        upstream: inputs.iter().map(|id| (*id).into()).collect(),
        rereads: BTreeSet::new(),
        frozen: false,
        output,
    }
}

async fn planned(world: &World, pipeline: &Pipeline, segments: &[Segment]) -> Result<Vec<SegmentPlan>, Failure> {
    let config = world.config.clone();
    plan(pipeline, segments, &BTreeMap::new(), config, Handle::current()).await.map_err(|e| e.to_failure())
}

async fn previewed(world: &World, pipeline: &Pipeline, block: &str, rows: usize) -> Result<Vec<Value>, Failure> {
    let rows = preview(pipeline, &block.into(), rows, world.config.clone(), Handle::current()).await;
    let text = rows.and_then(|rows| rows.to_json()).map_err(|e| e.to_failure())?;
    Ok(serde_json::from_str(&text).unwrap())
}

/// Every file with its bytes, without what SQLite keeps beside a database that is being read.
fn traces(world: &World) -> Vec<(String, Vec<u8>)> {
    let files = world.files("").into_iter().filter(|name| !name.ends_with("-wal") && !name.ends_with("-shm"));
    files.map(|name| (name.clone(), std::fs::read(world.folder.path().join(name)).unwrap())).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_says_what_would_happen_and_does_nothing() {
    let world = World::new(2).await;
    let pipeline = shop(&world);
    let before = traces(&world);
    let segments = [
        segment(&pipeline, &["orders", "dear"], &[], Output::Boundary),
        segment(&pipeline, &["checks"], &["dear"], Output::Verdict),
        segment(&pipeline, &["out"], &["dear"], Output::Sink),
        segment(&pipeline, &["big"], &[], Output::Relation),
    ];
    let plans = planned(&world, &pipeline, &segments).await.unwrap();
    let shown: Vec<_> = plans.iter().map(|p| (p.segment.as_str(), p.after.join(" "), p.inputs.len())).collect();
    let expected = [("dear", "", 0), ("checks", "dear", 1), ("out", "dear", 1), ("big", "", 0)];
    assert_eq!(shown, expected.map(|(segment, after, inputs)| (segment, after.to_owned(), inputs)));
    let columns = [("id", "Int64"), ("note", "Utf8"), ("twice", "Int64")].map(|(n, t)| (n.to_owned(), t.to_owned()));
    assert_eq!((&plans[0].columns[..], &plans[2].columns[..]), (&columns[..], &columns[..]));
    let blocks: Vec<_> = plans[0].operators.iter().filter_map(|o| o.block.as_ref()).map(BlockId::as_str).collect();
    assert_eq!(blocks, ["dear", "orders"]);
    // What is not needed is not asked for.
    let asked = &plans[0].operators.last().unwrap().lines.join("\n");
    assert!(asked.contains("select \"id\", \"total\", \"note\"") && asked.contains("\"total\" > 48"), "{asked}");
    assert_eq!((&plans[0].target, &plans[1].target), (&None, &None));
    assert!(plans[2].target.as_ref().unwrap().contains("dear"), "{:?}", plans[2].target);
    assert!(plans[3].target.as_ref().unwrap().contains("big"), "{:?}", plans[3].target);
    assert_eq!(traces(&world), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_preview_shows_so_many_rows_and_writes_nothing() {
    let world = World::new(2).await;
    let pipeline = shop(&world);
    let before = traces(&world);
    for (block, asked, given) in [
        ("orders", 3, 3),
        ("orders", 0, 0),
        ("orders", 1_000_000, ORDERS as usize),
        ("dear", 5, 5),
        ("out", 5, 5),
        ("big", 7, 7),
        // It would never end if more were read than is shown.
        ("endless", 250, 250),
    ] {
        let rows = previewed(&world, &pipeline, block, asked).await.unwrap();
        assert_eq!(rows.len(), given, "{asked} of `{block}`");
    }
    let rows = previewed(&world, &pipeline, "out", 1).await.unwrap();
    assert_eq!(rows[0]["twice"], 98, "a load shows what it would write: {rows:?}");
    let none = preview(&pipeline, &"dear".into(), 0, world.config.clone(), Handle::current()).await.unwrap();
    assert!(none.to_table().unwrap().contains("| id | note | twice |"), "{}", none.to_table().unwrap());
    assert_eq!(traces(&world), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_there_is_named_with_what_is() {
    let world = World::new(2).await;
    let with = |block: Block| {
        let mut pipeline = shop(&world);
        pipeline.blocks.insert(block.id.clone(), block);
        pipeline
    };
    let checks = |settings: Value| block("checks", "test", &["dear"], settings);
    let cases = [
        (extract("orders", "shop", "ordes"), "orders", "`shop` has no table `ordes`, did you mean `orders`?"),
        (sql("dear", &["orders"], "select notes from orders"), "dear", "Did you mean 'orders.note'"),
        (checks(json!({"test": "dear", "unique": ["idd"]})), "checks", "Did you mean 'dear.id'"),
        (checks(json!({"test": "dear", "sql": ["select * from deer"]})), "checks", "deer"),
    ];
    for (block, named, words) in cases {
        let id = block.id.clone();
        let pipeline = with(block);
        let segments = [
            segment(&pipeline, &["orders", "dear"], &[], Output::Boundary),
            segment(&pipeline, &["checks"], &["dear"], Output::Verdict),
        ];
        let failure = planned(&world, &pipeline, &segments).await.unwrap_err();
        assert_eq!((failure.class, failure.block.as_ref().unwrap().as_str()), (Class::User, named), "{failure}");
        assert!(failure.message.contains(words), "no {words} in: {failure}");
        if id.as_str() != "checks" {
            assert_eq!(previewed(&world, &pipeline, "dear", 1).await.unwrap_err(), failure);
        }
    }
    let pipeline = shop(&world);
    let said = async |block: &str| previewed(&world, &pipeline, block, 1).await.unwrap_err();
    assert_eq!(said("ordrs").await.message, "there is no block `ordrs`, did you mean `orders`?");
    assert_eq!(said("something").await.message, "there is no block `something`");
    assert_eq!(said("checks").await.message, "`checks` is a test and has no rows; preview the block it tests");
}

/// What came of a test of a connection, whose password lies in a vault.
async fn tested(spec: ConnectionSpec, password: &str) -> Result<Found, NotFound> {
    let world = World::new(1).await;
    let mut secrets = Unsealed::default();
    secrets.insert("o/c/password".into(), Secret::new(password));
    let here = Here::new(world.config.clone(), Handle::current());
    here.test("shop", &spec, &secrets).await.unwrap()
}

pub(super) fn spec_of(url: &str) -> ConnectionSpec {
    let (catalogue, none) = (crate::catalogue::catalogue(), IndexMap::new());
    let folder = std::path::Path::new("/");
    let parser =
        Parser { file: "test", folder, catalogue: &catalogue, connections: &none, overrides: &none, secrets: None };
    parser.connection("shop", url).unwrap()
}

fn postgres() -> ConnectionSpec {
    spec_of(&std::env::var("FLOWETL_TEST_POSTGRES").expect("set FLOWETL_TEST_POSTGRES to the URL of a server"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cn_8_a_test_says_what_the_server_says() {
    const NAME: &str = "flowetl_with_password";
    crate::connectors::postgres::tests::with_database(|mut database| async move {
        database.run(&format!("drop role if exists {NAME}")).await;
        database.run(&format!("create role {NAME} login password 'right'")).await;
    })
    .await;
    let sealed = Some("${vault:o/c/password}".to_owned());
    let signs_in = ConnectionSpec { user: Some(NAME.into()), password: sealed, ..postgres() };
    let found = tested(signs_in.clone(), "right").await.unwrap();
    assert!(found.version.starts_with("PostgreSQL 1"), "{found:?}");
    let refused = tested(signs_in.clone(), "planted").await.unwrap_err();
    assert!(refused.message.contains("password authentication failed"), "{refused:?}");
    assert_eq!(refused.hint.as_deref(), Some("check user and password, or the keys"));
    assert!(!format!("{refused:?}").contains("planted"));
    let nowhere = ConnectionSpec { path: "nothing_like_this".into(), ..signs_in };
    let refused = tested(nowhere, "right").await.unwrap_err();
    assert!(refused.message.contains("nothing_like_this") && refused.hint.is_some(), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cn_9_a_test_ends_within_5_s_whoever_does_not_answer() {
    // Takes connections and never says a word.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let silent_port = silent.local_addr().unwrap().port();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let closed_port = closed.local_addr().unwrap().port();
    drop(closed);
    let begun = std::time::Instant::now();
    let mute = format!("postgres://x@127.0.0.1:{silent_port}/y?sslmode=disable");
    let away = format!("postgres://x@127.0.0.1:{closed_port}/y");
    let lake = format!("s3://bucket?endpoint=http://127.0.0.1:{silent_port}&access_key=a&secret_key=b");
    let (mute, away, lake) =
        tokio::join!(tested(spec_of(&mute), ""), tested(spec_of(&away), ""), tested(spec_of(&lake), ""),);
    for late in [mute.unwrap_err(), lake.unwrap_err()] {
        assert!(late.message.ends_with("did not answer within 5 s"), "{late:?}");
        assert!(late.hint.unwrap().contains("firewall"));
    }
    let away = away.unwrap_err();
    assert!(away.message.contains("refused") && away.hint.unwrap().contains("nothing listens"), "{}", away.message);
    // Ours, and whatever a busy machine adds.
    assert!(begun.elapsed() < 5 * TEST_LIMIT, "{:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cn_6_files_and_databases_in_files_are_tried_too() {
    let world = World::new(1).await;
    let folder = world.folder.path().display();
    assert_eq!(tested(spec_of(&format!("file://{folder}")), "").await.unwrap().version, format!("folder {folder}"));
    assert!(tested(spec_of(&format!("file://{folder}/nothing")), "").await.is_err());
    let shop = &world.connections["shop"];
    assert!(tested(shop.clone(), "").await.unwrap().version.starts_with("SQLite 3."));
    let other = world.folder.path().join("other.db");
    std::fs::write(&other, "this is no database, but long enough to be taken for one ".repeat(4)).unwrap();
    let refused = tested(spec_of(&format!("sqlite://{}", other.display())), "").await.unwrap_err();
    assert_eq!(refused.hint.as_deref(), Some("this file is no SQLite database"), "{refused:?}");
    let lake = std::env::var("FLOWETL_TEST_S3").expect("set FLOWETL_TEST_S3 to s3://bucket?endpoint=...");
    assert!(tested(spec_of(&lake), "").await.unwrap().version.starts_with("S3, bucket "));
}
