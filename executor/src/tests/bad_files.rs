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

pub(super) fn catalogue() -> Catalogue {
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

pub(super) fn parse(text: &str) -> Result<Parsed, Vec<Problem>> {
    let parser = Parser {
        file: "orders.yml",
        folder: Path::new("/work"),
        catalogue: &catalogue(),
        connections: &IndexMap::new(),
        overrides: &IndexMap::new(),
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
        orders.yml:14:11: block `checks`: `rows`: `3` is no expectation; write for example `> 0`, `>= 10` or `= 3`
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
    check(
        "blocks: {orders: [",
        "orders.yml:2:1: cannot read this: while parsing a node, did not find expected node content",
    );
    check(
        "blocks:\n  orders: {extract: x\n  publish: y}\n",
        "orders.yml:3:10: cannot read this: while parsing a flow mapping, did not find expected ',' or '}'",
    );
    check("", "orders.yml:1:1: the file is empty");
    check("- a\n- b\n", "orders.yml:1:1: a pipeline is a map of keys, but this is a list");
    check("a: 1\n---\nb: 2\n", "orders.yml:2:1: a second document begins here, but one file holds one pipeline");
}

#[test]
fn pl_7_and_pl_8_a_wrong_port_is_refused() {
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
        "
        orders.yml:7:31: block `report`: it reads S3_FILE, but `in_db` gives DB_TABLE; extract it first: `extract: shop.public.big_orders` with `after: in_db`
        orders.yml:9:31: block `other`: it reads DB_TABLE, but `orders` gives S3_FILE; load it first: `load: orders`, then name the loaded table, with `after:` the load
        orders.yml:11:19: block `publish`: it reads S3_FILE, but `checks` is a `test` block and gives nothing; read `orders` instead
        ",
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
        "
        orders.yml:7:3: the key `orders` stands here a second time
        orders.yml:7:41: a key must be text, but this is a number; put it in quotes
        ",
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
        "
        orders.yml:5:9: `memory`: `512` is no size; write for example `512MB` or `1GiB`
        orders.yml:6:16: `max` is -1, but at least 0
        orders.yml:6:29: `backoff`: `10m..30s` begins with the longer duration
        orders.yml:7:12: `freshness`: `26 hours` is no duration; write for example `30s`, `10m`, `26h` or `7d`
        orders.yml:8:18: `cron`: `0 3 * *` has 4 fields; a cron line has five: minute, hour, day, month, weekday; or six, with seconds first
        orders.yml:8:37: `missed` cannot be `run-now`, did you mean `run_now`?
        orders.yml:12:41: block `orders`: `overlap`: `10 minutes` is no duration; write for example `30s`, `10m`, `26h` or `7d`
        orders.yml:13:28: block `orders`: `quarantine`: `200%` is neither a share such as `0.1%` nor a number of rows
        orders.yml:14:15: block `orders`: `boundary` is `stream`, `checkpoint` or `auto`, but not `checkpoints`, did you mean `checkpoint`?
        orders.yml:15:54: block `publish`: `write` cannot be `upsert`; it is `append`, `replace` or `merge`
        orders.yml:15:73: block `publish`: `file_size`: `12XB` is no size; write for example `512MB` or `1GiB`
        orders.yml:16:32: block `checks`: `rows`: `many` is no expectation; write for example `> 0`, `>= 10` or `= 3`
        orders.yml:16:48: block `checks`: `severity` cannot be `eror`, did you mean `error`?
        ",
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
  again: {load: orders, to: shop.public.replaced, write: replace}
",
        "
        orders.yml:9:15: block `orders`: `boundary: stream` fits one reader, but `merged` and `appended` and `replaced` and `again` read this block; write `checkpoint` or leave it out
        orders.yml:10:57: block `merged`: `write: merge` needs a `key`: the columns that name a row
        orders.yml:11:61: block `appended`: `write: append` would double rows, because `orders` reads some of them again (`overlap`); write `merge` with a `key`, or leave `overlap` out
        orders.yml:12:20: block `replaced`: `write` is left out, so that every run would replace the target with only what is new in `orders`; write `merge` with a `key`, `append`, or `replace` if it is meant
        orders.yml:13:29: block `again`: `replaced` writes `shop.public.replaced` as well, and one would replace the other's rows
        ",
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
      select id
      from orders
      where total > and id = 3
  refs:
    sql: |
      select *
      from {{ ref('order') }} o
  templates: {sql: \"select {{ config(x) }} from orders\"}
  writes: {sql: delete from orders}
",
        "
        orders.yml:6:55: block `orders`: SQL syntax: expected an expression, found the end
        orders.yml:11:19: block `unknown`: the SQL names `customer`, but there is no such block
        orders.yml:12:12: block `unknown`: the SQL names `public.orders`, but its tables are blocks; extract the table first, and name that block
        orders.yml:17:25: block `broken`: SQL syntax: expected end of statement, found id
        orders.yml:21:12: block `refs`: unknown block `order`, did you mean `orders`?
        orders.yml:22:28: block `templates`: only `{{ ref('block') }}` and `{{ var('parameter') }}` are understood in `{{ }}`
        orders.yml:23:17: block `writes`: only a query, such as `select ...`, can stand here
        ",
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
        "
        orders.yml:3:9: connection `shop`: the URL's port is no number from 1 to 65535; in a password, `/`, `#`, `?` and `@` are written `%2F`, `%23`, `%3F` and `%40`
        orders.yml:4:9: connection `lake`: no connector answers to `s4`, did you mean `s3`?
        orders.yml:5:9: connection `ware`: unknown key `sslmod`, did you mean `sslmode`?
        orders.yml:7:8: connection `odd`: the key `type` is missing
        orders.yml:10:16: block `b`: `ok/orders` names no table, but `ok` (SQLite) holds tables; write `ok.schema.table`
        orders.yml:11:16: block `c`: `ok` names no table, but `ok` (SQLite) holds tables; write `ok.schema.table`
        orders.yml:12:16: block `d`: the key `query` is missing in `extract`
        orders.yml:12:33: block `d`: unknown key `qury` in `extract`, did you mean `query`?
        orders.yml:13:16: block `e`: `extract` names no table of `postgres://etl@127.0.0.1/shop`; write it after a `#`: `...#schema.table`
        orders.yml:14:16: block `f`: `orders` is no place; write `connection.schema.table`, `connection/path`, a file or a URL
        orders.yml:15:16: block `g`: `a.b.c` has 3 parts, but a table has a schema and a name; a name that holds a dot stands in double quotes
        orders.yml:16:26: block `h`: unknown connection `okk`, did you mean `ok`?
        orders.yml:17:3: block `i`: a block does one thing, but here stand `extract` and `load`
        orders.yml:18:3: block `j`: this says not what the block does; one of `extract`, `load`, `sql` or `test` must stand here
        ",
    );
}

#[test]
fn short_form() {
    check(
        "from: shop.public.orders\nwhre: x\n",
        "
        orders.yml:1:1: the key `to` is missing
        orders.yml:2:1: unknown key `whre`, did you mean `where`?
        ",
    );
    check(
        "nothing: 1\n",
        "
        orders.yml:1:1: unknown key `nothing`
        orders.yml:1:1: nothing to do: write `blocks`, or `from` and `to`
        ",
    );
    check(
        "from: a.csv\nto: b.parquet\nwrite: merge\n",
        "orders.yml:3:8: block `load`: `write: merge` needs a `key`: the columns that name a row",
    );
    check(
        "from: a.csv\nto: b.parquet\nblocks: {}\n",
        "
        orders.yml:1:1: `from` does not go with `blocks`; write the one or the other
        orders.yml:2:1: `to` does not go with `blocks`; write the one or the other
        orders.yml:3:9: there are no blocks
        ",
    );
}
