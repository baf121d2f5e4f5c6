//! Plans and previews over a shop in SQLite: what they say, what they ask of sources, and that they leave no trace.

use flowetl_proto::code::Failure;
use flowetl_proto::control::Output;
use flowetl_proto::pipeline::{Block, Retries};
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
