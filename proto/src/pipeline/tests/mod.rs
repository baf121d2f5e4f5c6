//! Tests of reading pipeline files, over a small catalogue made by hand.

mod catalogue;
mod mapping;
mod properties;
mod touches;

use std::path::Path;
use std::time::Duration;

use indexmap::IndexMap;
use serde_json::{Value, json};

use self::catalogue::catalogue;
use super::quantity::{self, Share};
use super::validate::{Copy, Parsed, Parser};
use super::{BoundaryPolicy, ConnectionSpec, GraphDefinition, Layout, Pipeline, Problem, Reference, Secrets, schema};
use crate::id::BlockId;

/// Hands a parser for `/srv/orders.yml` to `act`.
fn with_parser<T>(act: impl FnOnce(&Parser<'_>) -> T) -> T {
    let (catalogue, connections) = (catalogue(), IndexMap::new());
    act(&Parser {
        file: "orders.yml",
        folder: Path::new("/srv"),
        catalogue: &catalogue,
        connections: &connections,
        overrides: &connections,
        secrets: None,
    })
}

fn parse(text: &str) -> Result<Parsed, Vec<Problem>> {
    with_parser(|parser| parser.parse(text))
}

#[track_caller]
fn pipeline(text: &str) -> Pipeline {
    match parse(text) {
        Ok(parsed) => parsed.pipeline,
        Err(problems) => panic!("{}", problems.iter().map(|p| format!("{p}\n")).collect::<String>()),
    }
}

fn problems(text: &str) -> Vec<String> {
    parse(text).err().unwrap_or_default().iter().map(Problem::to_string).collect()
}

/// The place of a block of the short form, and its connection.
#[track_caller]
fn place(from: &str) -> (Reference, ConnectionSpec) {
    let pipeline = pipeline(&format!(
        "connections: {{shop: postgres://127.0.0.1/shop, lake: s3://lake}}\nfrom: {from}\nto: lake/x.parquet\n"
    ));
    let place: Reference = serde_json::from_value(pipeline.blocks["extract"].settings["extract"].clone()).unwrap();
    let connection = pipeline.connections[place.connection()].clone();
    (place, connection)
}

fn spec(url: &str) -> ConnectionSpec {
    with_parser(|parser| parser.connection("shop", url)).unwrap()
}

const WHOLE: &str = "
connections:
  shop: postgres://etl:${env:SHOP_PASSWORD}@127.0.0.1:5432/shop
  lake: s3://lake/raw?endpoint=http://127.0.0.1:9000
  unused: postgres://127.0.0.1/unused
retries: {max: 5, backoff: 30s..10m}
memory: 512MB
freshness: 26h
blocks:
  orders:
    extract: shop.public.orders
    sync: {cursor: updated_at, key: id, overlap: 10m, start: 2025-01-01}
    where: total >= 0
  customers: {extract: {connection: shop, query: select * from customers}}
  features:
    sql: |
      with orders as (select * from orders where total > 1)
      select * from customers c left join {{ ref('orders') }} o on o.customer_id = c.id
    boundary: checkpoint
  base: {sql: select 1 as id, in: shop, to: public.base}
  in_db: {sql: \"select * from {{ ref('base') }}\", in: shop, to: shop.public.\"Big Orders\", after: orders}
  checks: {test: features, relationships: {customer_id: customers.id}, sql: select * from features where x < 0}
  publish: {load: features, to: shop.public.features, write: merge, key: customer_id, after: [in_db]}
";

#[test]
fn a_whole_file_becomes_a_graph() {
    let pipeline = pipeline(WHOLE);
    assert_eq!(pipeline.name, "orders");
    assert_eq!(pipeline.memory, Some(512_000_000));
    assert_eq!(pipeline.retries.backoff_max, Duration::from_secs(600));
    assert_eq!(pipeline.service, json!({"freshness": "26h"}));
    assert_eq!(pipeline.connections.keys().collect::<Vec<_>>(), ["shop"], "unused connections stay out");
    let inputs = |id: &str| pipeline.blocks[id].inputs.iter().map(|i| i.block.as_str()).collect::<Vec<_>>();
    assert_eq!(inputs("features"), ["orders", "customers"]);
    assert_eq!(inputs("checks"), ["features", "customers"]);
    assert_eq!(inputs("in_db"), ["base"]);
    assert_eq!(pipeline.blocks["features"].boundary, BoundaryPolicy::Checkpoint);
    assert_eq!(pipeline.blocks["in_db"].kind, "in_database");
    assert_eq!(
        pipeline.blocks["in_db"].settings,
        json!({
            "sql": "select * from \"public\".\"base\"",
            "in": "shop",
            "to": {"table": {"connection": "shop", "schema": "public", "table": "Big Orders"}},
        })
    );
    let sql = pipeline.blocks["features"].settings["sql"].as_str().unwrap();
    assert!(sql.ends_with("left join \"orders\" o on o.customer_id = c.id\n"), "{sql}");
    assert_eq!(pipeline.blocks["orders"].settings["sync"]["start"], "2025-01-01");
}

#[test]
fn queries_read_what_they_do_not_define() {
    let inputs = |sql: &str| {
        let blocks = "orders: {extract: lake/o.csv}\n  a: {extract: lake/a.csv}";
        let text = format!("connections: {{lake: s3://lake}}\nblocks:\n  {blocks}\n  q:\n    sql: |\n      {sql}\n");
        let pipeline = pipeline(&text);
        pipeline.blocks["q"].inputs.iter().map(|input| input.block.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(inputs("with b as (select * from orders), c as (select * from b) select * from c, ORDERS"), ["orders"]);
    assert_eq!(inputs("with orders as (select * from orders) select * from orders"), ["orders"]);
    assert_eq!(inputs("with recursive a as (select 1 union all select * from a) select * from a"), [""; 0]);
    assert_eq!(inputs("select (with a as (select 1) select * from a), x from a"), ["a"], "the inner `a` ends inside");
    assert_eq!(inputs("select * from orders where id in (select id from a) and exists (select 1)"), ["orders", "a"]);
    assert_eq!(inputs("select * from generate_series(1, 3) g, unnest([1]) u union select 1, 2 from \"a\""), ["a"]);
    assert_eq!(inputs("select '{x}' from {{ ref(\"orders\") }} as a -- from b"), ["orders"]);
}

#[test]
fn json_is_read_like_yaml() {
    let one = pipeline(
        "{\r\n\t\"from\": \"a\\/b.csv\",\r\n\t\"to\": \"\\u00e9.parquet\", \"retries\": {\"max\": 0}\r\n}\r\n",
    );
    assert_eq!(one, pipeline("from: a/b.csv\nto: é.parquet\nretries: {max: 0}\n"));
    assert_eq!(pipeline("\u{feff}from: a.csv\r\nto: b.csv\r\n"), pipeline("from: a.csv\nto: b.csv\n"));
    let wrong = "{\n  \"from\": \"a.csv\",\n  \"tu\": \"b.parquet\",\n  \"to\": 3\n}";
    assert_eq!(
        problems(wrong),
        [
            "orders.yml:3:3: unknown key `tu`, did you mean `to`?",
            "orders.yml:4:9: block `load`: `to` takes a place: text, but this is a number"
        ]
    );
}

#[test]
fn connections_of_the_call_win() {
    let (catalogue, folder) = (catalogue(), Path::new("/srv"));
    let given =
        IndexMap::from([("shop".to_owned(), spec("postgres://given/x")), ("ware".to_owned(), spec("sqlite:///w"))]);
    let call = IndexMap::from([("shop".to_owned(), spec("postgres://call/x"))]);
    let (connections, overrides, secrets) = (&given, &call, None);
    let parser = Parser { file: "orders.yml", folder, catalogue: &catalogue, connections, overrides, secrets };
    let text = "connections: {shop: postgres://file/x}\nfrom: shop.t\nto: ware.t\n";
    let pipeline = parser.parse(text).unwrap().pipeline;
    assert_eq!(pipeline.connections["shop"].address(), "postgres://call/x");
    assert_eq!(pipeline.connections["ware"].address(), "sqlite:///w");
    let text_of_secret = "from: shop.t\nto: ware.t\n";
    let call = IndexMap::from([("shop".to_owned(), spec("postgres://${env:B}@h/x"))]);
    let wrong = Parser { overrides: &call, secrets: Some(&Only("A")), ..parser }.parse(text_of_secret).unwrap_err();
    let expected = "orders.yml:1:7: connection `shop`: the environment variable `B` is not set";
    assert_eq!(wrong[0].to_string(), expected, "told where the connection is used");
    let none = IndexMap::new();
    let pipeline = Parser { overrides: &none, ..parser }.parse(text).unwrap().pipeline;
    assert_eq!(pipeline.connections["shop"].address(), "postgres://file/x");
}

#[test]
fn the_graph_answers() {
    let pipeline = pipeline(WHOLE);
    let ids = |pipeline: &Pipeline| pipeline.blocks.keys().map(ToString::to_string).collect::<Vec<_>>();
    let order: Vec<&str> = pipeline.topological().iter().map(|block| block.id.as_str()).collect();
    assert_eq!(order, ["orders", "customers", "base", "features", "in_db", "checks", "publish"]);
    let readers: Vec<&str> = pipeline.consumers(&"features".into()).iter().map(|block| block.id.as_str()).collect();
    assert_eq!(readers, ["checks", "publish"]);
    let until = pipeline.until(&"publish".into()).unwrap();
    assert_eq!(ids(&until), ["orders", "customers", "features", "base", "in_db", "publish"], "the test stays out");
    let feeding = pipeline.feeding(&"publish".into()).unwrap();
    assert_eq!(ids(&feeding), ["orders", "customers", "features", "publish"]);
    assert!(feeding.blocks["publish"].after.is_empty());
    assert_eq!(ids(&pipeline.until(&"checks".into()).unwrap()), ["orders", "customers", "features", "checks"]);
    assert!(pipeline.until(&"nobody".into()).is_none());
}

#[test]
fn equal_pipelines_have_equal_hashes() {
    let one = pipeline("from: a.csv\nto: b.parquet\nmemory: 1GB\n");
    let same = pipeline("{\"memory\": \"1000MB\", \"to\": \"b.parquet\", \"from\": \"a.csv\"}");
    assert_eq!(one, same, "JSON and YAML are one language");
    assert_eq!(one.hash(), same.hash());
    assert_eq!(one.hash().len(), 64);
    assert_ne!(one.hash(), pipeline("from: a.csv\nto: c.parquet\nmemory: 1GB\n").hash());
    let url = |password: &str| format!("from: postgres://u:{password}@h/shop#orders\nto: b.parquet\n");
    assert_eq!(pipeline(&url("one")).hash(), pipeline(&url("two")).hash(), "a password is no part of it");
}

#[test]
fn places() {
    let table = |from: &str| match place(from).0 {
        Reference::Table { connection, schema, table } => (connection, schema, table),
        other => panic!("{other:?}"),
    };
    let named = |schema: Option<&str>, table: &str| ("shop".to_owned(), schema.map(str::to_owned), table.to_owned());
    assert_eq!(table("shop.public.orders"), named(Some("public"), "orders"));
    assert_eq!(table("shop.orders"), named(None, "orders"));
    assert_eq!(table("'shop.\"Odd.One\".\"say \"\"x\"\"\"'"), named(Some("Odd.One"), "say \"x\""));
    let path = |from: &str| match place(from) {
        (Reference::Path { connection, path, .. }, spec) => (connection, path, spec.path),
        other => panic!("{other:?}"),
    };
    let text = |a: &str, b: &str, c: &str| (a.to_owned(), b.to_owned(), c.to_owned());
    assert_eq!(path("lake/raw/*.csv.gz"), text("lake", "raw/*.csv.gz", ""));
    assert_eq!(path("data/a.csv"), text("file:///srv", "data/a.csv", "/srv"));
    assert_eq!(path("a.csv"), text("file:///srv", "a.csv", "/srv"));
    assert_eq!(path("./lake/"), text("file:///srv", "lake/", "/srv"));
    assert_eq!(path("../b/c/*/x.csv"), text("file:///b/c", "*/x.csv", "/b/c"));
    assert_eq!(path("file:///tmp/x%20y.csv"), text("file:///tmp", "x y.csv", "/tmp"));
    assert_eq!(path("s3://other/raw/a.parquet?region=eu"), text("s3://other", "raw/a.parquet", ""));
}

#[test]
fn places_by_url() {
    let (place, spec) = place("postgresql://etl:p%2Fw@[::1]:5433/shop?sslmode=require#public.orders");
    assert_eq!(place.to_string(), "postgres://etl@[::1]:5433/shop.public.orders");
    assert_eq!((spec.host.as_deref(), spec.port, spec.password.as_deref()), (Some("::1"), Some(5433), Some("p/w")));
    assert_eq!(format!("{spec:?}"), "ConnectionSpec(postgres://etl:***@[::1]:5433/shop?sslmode=require)");
    let (place, spec) = self::place("sqlite:data/shop.db#orders");
    assert_eq!(
        (place.to_string(), spec.path),
        ("sqlite:///srv/data/shop.db.orders".into(), "/srv/data/shop.db".into())
    );
    let twice = pipeline("from: 's3://b/a.csv?region=x'\nto: 's3://b/a.parquet?region=y'\n");
    assert_eq!(twice.connections.keys().collect::<Vec<_>>(), ["s3://b", "s3://b (2)"]);
}

#[test]
fn connections_keep_references_and_hide_secrets() {
    let shop = spec("postgres://${env:U}:${file:/run/a:b@c}@db-${env:H}:5432/shop?token=abc&a=%20b");
    assert_eq!(shop.password.as_deref(), Some("${file:/run/a:b@c}"));
    assert_eq!(shop.host.as_deref(), Some("db-${env:H}"));
    let shown = "postgres://${env:U}:${file:/run/a:b@c}@db-${env:H}:5432/shop?token=***&a= b";
    assert_eq!(shop.to_string(), shown);
    let json = serde_json::to_value(&shop).unwrap();
    assert_eq!(json["options"]["token"], "abc");
    assert_eq!(serde_json::from_value::<ConnectionSpec>(json).unwrap(), shop);
    assert_eq!(spec("sqlite:///data/a.db").path, "/data/a.db");
    assert_eq!(spec("sqlite://rel/a.db").path, "/srv/rel/a.db");
    assert_eq!(spec("s3://bucket/pre/fix").path, "pre/fix");
    let text = "
connections:
  shop: {type: postgresql, host: db, port: 5432, user: etl, password: 1234, database: shop, ssl: true}
  files: {type: file, path: out}
";
    let read = with_parser(|parser| parser.connections(text)).unwrap();
    assert_eq!(read["shop"].to_string(), "postgres://etl:***@db:5432/shop?ssl=true");
    assert_eq!(read["files"].path, "/srv/out");
}

struct Only(&'static str);

impl Secrets for Only {
    fn env(&self, name: &str) -> Option<String> {
        (name == self.0).then(|| "p@ss".to_owned())
    }
}

#[test]
fn secrets_are_resolved_at_the_end() {
    let shop = spec("postgres://etl:${env:A}x@h/shop?key=${env:A}");
    let connection = shop.resolve("shop", &Only("A")).unwrap();
    assert_eq!(connection.password.as_ref().unwrap().reveal(), "p@ssx");
    assert!(!format!("{connection:?}").contains("p@ss"));
    let failure = shop.resolve("shop", &Only("B")).unwrap_err();
    assert_eq!(failure.message, "connection `shop`: the environment variable `A` is not set");
}

#[test]
fn the_short_form_writes_what_sync_asks_for() {
    let write = |sync: &str| {
        let pipeline = pipeline(&format!("from: a.csv\nto: b.parquet\nformat: ndjson\n{sync}"));
        assert_eq!(pipeline.blocks["extract"].settings["format"], "ndjson");
        let load = &pipeline.blocks["load"].settings;
        (load["write"].clone(), load["key"].clone())
    };
    assert_eq!(write(""), (Value::Null, Value::Null));
    assert_eq!(write("sync: {cursor: at}"), (json!("append"), Value::Null));
    assert_eq!(write("sync: {cursor: at, key: id}"), (json!("merge"), json!("id")));
    assert_eq!(write("sync: {cursor: at}\nkey: [a, b]"), (json!("merge"), json!(["a", "b"])));
    let copy = Copy { from: "a.csv".into(), to: "b.parquet".into(), cursor: Some("at".into()), ..Copy::default() };
    let name = |copy: &Copy| with_parser(|parser| parser.copy(copy)).unwrap().pipeline.name;
    assert!(name(&copy).starts_with("copy_"));
    assert_eq!(name(&copy), name(&Copy { write: Some("append".into()), ..copy.clone() }));
    assert_ne!(name(&copy), name(&Copy { to: "c.parquet".into(), ..copy.clone() }));
    let named = with_parser(|parser| Parser { file: "the command line", ..*parser }.copy(&copy));
    assert_eq!(named.unwrap().pipeline.name, name(&copy));
    let wrong = with_parser(|parser| parser.copy(&Copy { write: Some("apend".into()), ..copy })).unwrap_err();
    assert_eq!(wrong[0].to_string(), "orders.yml: block `load`: `write` cannot be `apend`, did you mean `append`?");
}

#[test]
fn r12_a_file_is_a_graph_and_back() {
    let graph = |text: &str| with_parser(|parser| parser.graph(text, &Layout::new())).unwrap();
    let whole = graph(WHOLE);
    assert_eq!(pipeline(&whole.to_text()).hash(), pipeline(WHOLE).hash(), "{}", whole.to_text());
    let edges: Vec<String> = whole.edges.iter().map(|e| format!("{} {} {:?}", e.source, e.target, e.port)).collect();
    assert!(edges.contains(&"orders features Some(S3File)".to_owned()), "{edges:?}");
    assert!(edges.contains(&"in_db publish None".to_owned()), "order alone: {edges:?}");
    assert_eq!(whole.file.keys().collect::<Vec<_>>(), ["connections", "retries", "memory", "freshness"]);

    let short = graph("from: a.csv\nto: b.parquet\nsync: {cursor: at, key: id}\nmemory: 1GB\n");
    let ids: Vec<_> = short.nodes.iter().map(|node| (node.id.as_str(), node.kind.as_deref().unwrap())).collect();
    assert_eq!(ids, [("extract", "extract"), ("load", "load")]);
    assert_eq!(short.file.keys().collect::<Vec<_>>(), ["memory"]);
    let same = pipeline("from: a.csv\nto: b.parquet\nsync: {cursor: at, key: id}\nmemory: 1GB\n");
    assert_eq!(pipeline(&short.to_text()), same);

    let unfinished = graph("blocks: {a: {extract: b.csv}, b: {load: a}, c: {}, d: 3}");
    assert_eq!((unfinished.nodes.len(), unfinished.edges.len()), (4, 1), "what can be read is drawn");
    assert!(with_parser(|parser| parser.graph("[1]", &Layout::new())).is_none());
    assert!(with_parser(|parser| parser.graph("a: [", &Layout::new())).is_none());
    let twice = GraphDefinition { nodes: vec![whole.nodes[0].clone(), whole.nodes[0].clone()], ..Default::default() };
    assert_eq!(twice.check().unwrap_err(), "the node `orders` is there twice");
}

#[test]
fn secrets_that_stand_in_a_file_are_found() {
    let found = |text: &str| with_parser(|parser| parser.literals(text)).len();
    assert_eq!(found(WHOLE), 0);
    assert_eq!(found("a: postgres://u:${env:A}${file:/b}@h/d?token=${env:T}#t"), 0);
    assert_eq!(found("a: postgres://u@h:5432/d?sslmode=require"), 0);
    assert_eq!(found("a: {type: postgres, password: '${env:A}', port: 5432}"), 0);
    for text in [
        "a: postgres://u:hunter2@h/d",
        "a: postgres://u:${env:A}x@h/d",
        "a: {sql: \"copy from 's3://k:hunter2@b' and more\"}",
        "a: [s3://b?secret_access_key=hunter2]",
        "a: {password: hunter2}",
        "a: {password: 1234}",
        "'postgres://u:hunter2@h': 1",
    ] {
        let problems = with_parser(|parser| parser.literals(text));
        assert_eq!(problems.len(), 1, "{text}");
        assert!(!problems[0].to_string().contains("hunter2"));
    }
    assert_eq!(found("a: ["), 1, "what cannot be looked through");
}

#[test]
fn planning_can_name_a_block_in_the_file() {
    let parsed = parse(WHOLE).unwrap();
    let problem = parsed.positions.problem(&BlockId::from("features"), super::ProblemCode::WrongSql, "no column `x`");
    assert_eq!(problem.to_string(), "orders.yml:15:3: block `features`: no column `x`");
}

#[test]
fn no_file_is_too_wild() {
    let bomb = (1..20).fold("a0: &a0 [x, x, x, x]\n".to_owned(), |text, i| {
        format!("{text}a{i}: &a{i} [{}]\n", vec![format!("*a{}", i - 1); 9].join(", "))
    });
    assert_eq!(
        problems(&bomb),
        ["orders.yml:6:15: more than 100000 values, aliases counted as often as they are used"]
    );
    let deep = format!("a: {}", "[".repeat(100));
    assert_eq!(problems(&deep), ["orders.yml:1:36: nested more than 32 levels deep"]);
    assert!(problems(&"x".repeat(2 << 20))[0].contains("larger than 1048576 bytes"));
    let sum = |terms: usize| format!("blocks:\n  a: {{sql: \"select {}1\"}}\n", "1+".repeat(terms));
    assert_eq!(problems(&sum(7_000)), [""; 0]);
    assert_eq!(problems(&sum(200_000)), ["orders.yml:2:12: block `a`: the SQL holds too long an expression"]);
    let nested = format!("blocks:\n  a: {{sql: \"select {}1{}\"}}\n", "(".repeat(1_000), ")".repeat(1_000));
    assert_eq!(problems(&nested), ["orders.yml:2:12: block `a`: SQL syntax: the SQL is nested too deeply"]);
    assert!(problems("a: &a [*a]")[0].contains("inside its own anchor"), "{:?}", problems("a: &a [*a]"));
}

#[test]
fn quantities() {
    assert_eq!(quantity::duration("1h30m"), Ok(Duration::from_secs(5400)));
    assert_eq!(quantity::duration("500ms"), Ok(Duration::from_millis(500)));
    assert!(quantity::duration("10").is_err() && quantity::duration("99999999999999999d").is_err());
    assert_eq!(quantity::size("1.5GB"), Ok(1_500_000_000));
    assert_eq!(quantity::size("1 GiB"), Ok(1 << 30));
    assert!(quantity::size("0MB").is_err() && quantity::size("12").is_err());
    assert_eq!(quantity::share("0.5%"), Ok(Share::Ratio(0.005)));
    assert_eq!(quantity::share("10"), Ok(Share::Rows(10)));
    assert!(quantity::expectation(">= 10").unwrap().holds(10) && !quantity::expectation("!= 0").unwrap().holds(0));
}

#[test]
fn the_schema_is_one_document() {
    let schema = schema(&catalogue());
    assert_eq!(schema["properties"]["from"], json!({ "x-reference": "source" }));
    assert!(schema["$defs"]["in_database"]["properties"]["boundary"].is_object());
    let first = &schema["properties"]["blocks"]["additionalProperties"];
    assert_eq!(first["if"]["required"], json!(["test"]));
    let cases: Vec<&str> =
        std::iter::successors(Some(first), |case| case.get("else").filter(|e| e.get("if").is_some()))
            .filter_map(|case| case["then"]["$ref"].as_str())
            .collect();
    assert_eq!(cases, ["#/$defs/test", "#/$defs/in_database", "#/$defs/sql", "#/$defs/load", "#/$defs/extract"]);
}

const WITH_PARAMS: &str = "
connections: {shop: \"postgres://etl@h/shop\", lake: \"s3://lake/\"}
params:
  day: {type: date}
  region: {type: string, default: eu, values: [eu, us]}
  most: {type: integer, default: 10}
blocks:
  orders: {extract: shop.public.orders, where: \"day >= {{ var('day') }}\"}
  big: {sql: \"select * from {{ ref('orders') }} where region = {{ var('region') }} limit {{ var('most') }}\"}
  out: {load: big, to: \"lake/raw/{{ var('day') }}/orders.parquet\"}
";

#[test]
fn pl_a_pipeline_is_bound_to_what_a_run_is_told() {
    let pipeline = pipeline(WITH_PARAMS);
    assert_eq!(pipeline.params.keys().collect::<Vec<_>>(), ["day", "region", "most"]);
    let bound = |given: Value| {
        let given = given.as_object().unwrap().clone().into_iter().collect();
        pipeline.clone().bound(&given)
    };
    let run = bound(json!({ "day": "2026-11-22", "most": "5" })).unwrap();
    assert_eq!(run.blocks["orders"].settings["where"], "day >= '2026-11-22'");
    assert_eq!(run.blocks["big"].settings["sql"], "select * from \"orders\" where region = 'eu' limit 5");
    assert_eq!(run.blocks["out"].settings["to"]["path"]["path"], "raw/2026-11-22/orders.parquet");
    let values = json!({ "day": "2026-11-22", "region": "eu", "most": 5 });
    assert_eq!(json!(run.values()), values);
    assert_eq!(json!(run.clone().bound(&Default::default()).unwrap().values()), values, "they stay");
    assert_eq!(bound(json!({})).unwrap_err(), "parameter `day` is missing: it has no default");
    let unknown = bound(json!({ "dya": "2026-11-22" })).unwrap_err();
    assert_eq!(unknown, "unknown parameter `dya`: the pipeline has `day`, `region`, `most`");
    let wrong = bound(json!({ "day": "2026-11-22' or 1=1" })).unwrap_err();
    assert_eq!(wrong, "parameter `day`: `2026-11-22' or 1=1` is no date such as `2026-11-22`");
    assert!(bound(json!({ "day": "2026-11-22", "region": "asia" })).unwrap_err().contains("none of `eu`, `us`"));
    let again: Pipeline = serde_json::from_value(serde_json::to_value(&run).unwrap()).unwrap();
    assert_eq!(again, run);
}

#[test]
fn wrong_parameters_are_told_with_their_place() {
    let problem = |from: &str, to: &str| {
        assert!(WITH_PARAMS.contains(from));
        parse(&WITH_PARAMS.replace(from, to)).unwrap_err().into_iter().map(|p| p.message).collect::<Vec<_>>()
    };
    assert_eq!(
        problem("  day: {type: date}\n", ""),
        ["`day` is no parameter: declare it under `params`", "`day` is no parameter: declare it under `params`",]
    );
    assert_eq!(
        problem("most: {type: integer, default: 10}", "most: {type: integer, default: ten}"),
        ["parameter `most`: `ten` is no integer",]
    );
    let quoted = problem("= {{ var('region') }}", "= '{{ var('region') }}'");
    assert!(quoted[0].contains("write it outside of quotes and comments"), "{quoted:?}");
    let placed = problem("shop.public.orders,", "shop.public.orders, sync: {cursor: \"{{ var('region') }}\"},");
    assert!(placed[0].contains("a parameter can stand in SQL and in the path of files only"), "{placed:?}");
    let table = problem("shop.public.orders", "\"shop.public.{{ var('region') }}\"");
    assert!(table[0].contains("is no table's name"), "{table:?}");
}
