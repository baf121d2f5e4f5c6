//! A page of pipeline files that are wrong, each with the messages as a person reads them.

use std::io;
use std::path::Path;

use flowetl_proto::catalogue::{Catalogue, ConnectorDescription, Places};
use flowetl_proto::pipeline::{Parsed, Parser, Problem, Secrets};
use indexmap::IndexMap;
use serde_json::json;

/// The connections that most files here have.
const HEAD: &str = "\
connections:
  shop: postgres://etl:${env:SHOP_PASSWORD}@127.0.0.1:5432/shop
  lake: s3://lake/?endpoint=http://127.0.0.1:9000
";

struct Vault;

impl Secrets for Vault {
    fn env(&self, name: &str) -> Option<String> {
        (name == "SHOP_PASSWORD").then(|| "hunter2".to_owned())
    }

    fn file(&self, _path: &str) -> io::Result<String> {
        Err(io::Error::from(io::ErrorKind::NotFound))
    }
}

fn connector(name: &str, schemes: &[&str], places: Places, options: &[&str]) -> ConnectorDescription {
    let properties: serde_json::Map<_, _> =
        options.iter().map(|option| ((*option).to_owned(), json!({ "type": "string" }))).collect();
    ConnectorDescription {
        name: name.to_owned(),
        label: name.to_owned(),
        schemes: schemes.iter().map(|s| (*s).to_owned()).collect(),
        places,
        settings: json!({ "type": "object", "additionalProperties": false, "properties": properties }),
    }
}

fn catalogue() -> Catalogue {
    Catalogue {
        blocks: crate::blocks::all(),
        connectors: vec![
            connector("PostgreSQL", &["postgres", "postgresql"], Places::Tables, &["sslmode"]),
            connector("SQLite", &["sqlite"], Places::Tables, &[]),
            connector("S3", &["s3"], Places::Paths, &["endpoint", "region", "access_key", "secret_key"]),
            connector("Files", &["file"], Places::Paths, &[]),
        ],
    }
}

fn parse(text: &str) -> Result<Parsed, Vec<Problem>> {
    let parser = Parser {
        file: "orders.yml",
        folder: Path::new("/work"),
        catalogue: &catalogue(),
        connections: &IndexMap::new(),
        secrets: Some(&Vault),
    };
    parser.parse(text)
}

/// The messages of a file, a line each.
#[track_caller]
fn check(text: &str, expected: &str) {
    let problems = parse(text).expect_err("the file is wrong");
    let found: Vec<String> = problems.iter().map(Problem::to_string).collect();
    let expected: Vec<&str> = expected.trim().lines().map(str::trim).collect();
    assert_eq!(found.join("\n"), expected.join("\n"));
}

/// The same with the usual connections before the text, which then begins in line 4.
#[track_caller]
fn check_blocks(blocks: &str, expected: &str) {
    check(&format!("{HEAD}{blocks}"), expected);
}

#[test]
fn wrong_key() {
    check_blocks(
        "
blocks:
  features:
    extract: shop.public.orders
    sync: {cursor: updated_at, key: id, overlp: 10m}
",
        "orders.yml:8:41: block `features`: unknown key `overlp`, did you mean `overlap`?",
    );
}

#[test]
fn wrong_type() {
    check_blocks(
        "
blocks:
  orders:
    extract: shop.public.orders
    where: [1]
    columns: {exclude: card_number}
    header: 'yes'
  checks:
    test: orders
    unique: id
    rows: 3
",
        "
        orders.yml:8:12: block `orders`: `where` takes text, but this is a list
        orders.yml:9:24: block `orders`: `exclude` takes a list, but this is text; write `[card_number]`
        orders.yml:10:13: block `orders`: `header` takes true or false, but this is text
        orders.yml:13:13: block `checks`: `unique` takes a list, but this is text; write `[id]`
        orders.yml:14:11: block `checks`: `rows` takes text, but this is a number
        ",
    );
}

#[test]
fn unknown_block() {
    check_blocks(
        "
blocks:
  orders: {extract: shop.public.orders}
  publish: {load: order, to: lake/orders.parquet}
  checks: {test: orders, relationships: {id: customers.id}}
  more: {extract: shop.public.more, after: [publsh]}
",
        "
        orders.yml:7:19: block `publish`: unknown block `order`, did you mean `orders`?
        orders.yml:8:46: block `checks`: unknown block `customers`
        orders.yml:9:45: block `more`: unknown block `publsh`, did you mean `publish`?
        ",
    );
}

#[test]
fn cycle() {
    check_blocks(
        "
blocks:
  a: {sql: select * from c}
  b: {sql: select * from a}
  c: {sql: select * from b}
  me: {sql: select * from me}
  x: {extract: shop.public.x, after: y}
  y: {load: x, to: shop.public.y}
",
        "
        orders.yml:7:26: the blocks go in a circle: `a` -> `b` -> `c` -> `a`
        orders.yml:9:27: `me` reads itself
        orders.yml:11:13: the blocks go in a circle: `x` -> `y` -> `x`
        ",
    );
}

#[test]
fn two_problems_at_once() {
    check_blocks(
        "
memory: lots
blocks:
  orders: {extract: shpo.public.orders}
  publish: {laod: orders, to: lake/orders.parquet}
",
        "
        orders.yml:5:9: `memory`: `lots` is no size; write for example `512MB` or `1GiB`
        orders.yml:7:21: block `orders`: unknown connection `shpo`, did you mean `shop`?
        orders.yml:8:13: block `publish`: unknown key `laod`, did you mean `load`?
        ",
    );
}

#[test]
fn missing_secret() {
    check(
        "
connections:
  shop: postgres://etl:${env:SHOP_PASSWORT}@127.0.0.1:5432/shop
  lake: {type: s3, bucket: lake, secret_key: '${file:/run/secrets/lake}'}
  unused: postgres://${env:NOBODY}@127.0.0.1/x
from: shop.public.orders
to: lake/orders.parquet
",
        "
        orders.yml:3:9: connection `shop`: the environment variable `SHOP_PASSWORT` is not set
        orders.yml:4:9: connection `lake`: cannot read the secret file `/run/secrets/lake`: entity not found
        ",
    );
}

#[test]
fn unreadable_file() {
    check("blocks: {orders: [", "");
    check("blocks:\n  orders: {extract: x\n  publish: y}\n", "");
    check("", "");
    check("- a\n- b\n", "");
    check("a: 1\n---\nb: 2\n", "");
}

#[test]
fn wrong_port() {
    check_blocks(
        "
blocks:
  in_db: {sql: select * from public.orders, in: shop, to: public.big_orders}
  report: {sql: select * from in_db}
  orders: {extract: shop.public.orders}
  other: {sql: \"select * from {{ ref('orders') }}\", in: shop, to: public.other}
  checks: {test: orders, unique: [id]}
  publish: {load: checks, to: lake/x.parquet}
",
        "",
    );
}

#[test]
fn not_yet() {
    check_blocks(
        "
blocks:
  orders: {extract: shop.public.orders}
  cleaned: {python: scripts/clean.py, input: orders}
  model: {train: cleaned, target: churned}
  scores: {predict: cleaned, with: model}
  publish: {load: scores, to: lake/scores.parquet}
",
        "
        orders.yml:7:13: block `cleaned`: `python` blocks are not supported yet
        orders.yml:8:11: block `model`: `train` blocks are not supported yet
        orders.yml:9:12: block `scores`: `predict` blocks are not supported yet
        ",
    );
}

#[test]
fn duplicated_key() {
    check_blocks(
        "
blocks:
  orders: {extract: shop.public.orders}
  orders: {extract: shop.public.orders, 1: x}
",
        "",
    );
}

#[test]
fn wrong_quantities() {
    check_blocks(
        "
memory: 512
retries: {max: -1, backoff: 10m..30s}
freshness: 26 hours
schedule: {cron: '0 3 * *', missed: run-now}
blocks:
  orders:
    extract: shop.public.orders
    sync: {cursor: updated_at, overlap: 10 minutes}
    bad_rows: {quarantine: 200%}
    boundary: checkpoints
  publish: {load: orders, to: lake/x.parquet, write: upsert, file_size: 12XB}
  checks: {test: orders, rows: many, severity: eror}
",
        "",
    );
}

#[test]
fn rows_lost_or_doubled() {
    check_blocks(
        "
blocks:
  orders:
    extract: shop.public.orders
    sync: {cursor: updated_at, overlap: 10m}
    boundary: stream
  merged: {load: orders, to: shop.public.merged, write: merge}
  appended: {load: orders, to: shop.public.appended, write: append}
  replaced: {load: orders, to: shop.public.replaced}
",
        "",
    );
}

#[test]
fn wrong_sql() {
    check_blocks(
        "
blocks:
  orders: {extract: shop.public.orders, where: total >}
  unknown:
    sql: |
      with o as (select * from orders)
      select *
      from o join customer c on c.id = o.customer_id
      join public.orders p on p.id = o.id
  broken:
    sql: |
      select id,
        from orders where where
  refs:
    sql: |
      select *
      from {{ ref('order') }} o
  templates: {sql: \"select {{ config(x) }} from orders\"}
  writes: {sql: delete from orders}
",
        "",
    );
}

#[test]
fn wrong_places() {
    check(
        "
connections:
  shop: postgres://etl:pass/word@127.0.0.1:5432/shop
  lake: s4://lake/
  ware: postgres://127.0.0.1/ware?sslmod=require
  ok: sqlite:shop.db
  odd: {host: x}
blocks:
  a: {extract: shop.public.orders}
  b: {extract: ok/orders}
  c: {extract: ok}
  d: {extract: {connection: ok, qury: select 1}}
  e: {extract: 'postgres://etl:secret@127.0.0.1/shop'}
  f: {extract: orders}
  g: {extract: ok.a.b.c}
  h: {sql: select 1, in: okk, to: x}
  i: {extract: x, load: y}
  j: {}
",
        "",
    );
}

#[test]
fn short_form() {
    check("from: shop.public.orders\nwhre: x\n", "");
    check("nothing: 1\n", "");
    check("from: a.csv\nto: b.parquet\nwrite: merge\n", "");
    check("from: a.csv\nto: b.parquet\nblocks: {}\n", "");
}
