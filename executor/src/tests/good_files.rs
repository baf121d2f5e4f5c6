//! A whole pipeline file against the real catalogue: what validation accepts, every block's own settings can be read.

use flowetl_proto::control::Severity;
use flowetl_proto::pipeline::{Pipeline, PortType, Problem, Reference, WriteMode, schema};
use serde::de::DeserializeOwned;
use serde_json::json;

use super::bad_files::{catalogue, parse};
use crate::blocks::{Extract, InDatabase, Load, Sql, Test};

const CHURN: &str = "
connections:
  shop: postgres://etl:${env:SHOP_PASSWORD}@127.0.0.1:5432/shop
  lake: s3://lake/?endpoint=http://127.0.0.1:9000
schedule: {cron: '0 3 * * *', timezone: Europe/Warsaw, missed: run_now}
retries: {max: 3, backoff: 30s..10m}
memory: 512MB
alerts: {on: [failed, stalled, stale], to: slack_ops}
freshness: 26h
blocks:
  orders:
    description: Everything that was ordered.
    extract: shop.public.orders
    sync: {cursor: updated_at, key: id, overlap: 10m, start: 2025-01-01}
    columns: {exclude: [card_number], hash: [email], rename: {old: new}}
    where: \"total >= 0\"
    bad_rows: {quarantine: 0.1%}
  customers: {extract: {connection: shop, query: 'select * from customers'}}
  prices:
    extract: lake/prices/*.csv.gz
    types: {id: int64}
    delimiter: ;
    header:
    bad_rows: {quarantine: 10}
  features:
    sql: |
      select c.id as customer_id, count(o.id) as orders_90d
      from customers c
      left join {{ ref('orders') }} o on o.customer_id = c.id
      group by c.id
    boundary: checkpoint
  in_db:
    sql: select * from public.orders where total > 100
    in: shop
    to: public.big_orders
  checks:
    test: features
    unique: [customer_id, [customer_id, orders_90d]]
    not_null: [customer_id]
    accepted_values: {plan: [free, 1, null]}
    relationships: {customer_id: customers.id}
    rows: \"> 0\"
    sql: [select * from features where orders_90d < 0, select 1 from orders where false]
    severity: warn
  publish:
    load: features
    to: shop.public.churn_scores
    write: merge
    key: customer_id
    after: in_db
  out: {load: prices, to: lake/out/, partition_by: [country], file_size: 128MB}
";

fn settings<T: DeserializeOwned>(pipeline: &Pipeline, block: &str) -> T {
    serde_json::from_value(pipeline.blocks[block].settings.clone()).unwrap()
}

#[test]
fn blocks_read_what_validation_accepts() {
    let parsed = parse(CHURN).unwrap_or_else(|problems| {
        panic!("{}", problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n"))
    });
    let pipeline = parsed.pipeline;
    let orders: Extract = settings(&pipeline, "orders");
    assert_eq!(orders.extract.to_string(), "shop.public.orders");
    assert_eq!(orders.sync.as_ref().unwrap().key, ["id"]);
    assert_eq!(orders.columns.rename["old"], "new");
    let prices: Extract = settings(&pipeline, "prices");
    assert_eq!(prices.bad_rows.unwrap().quarantine, json!(10));
    assert_eq!(prices.header, None, "an empty key says nothing");
    let customers: Extract = settings(&pipeline, "customers");
    assert!(matches!(customers.extract, Reference::Query { .. }));
    let features: Sql = settings(&pipeline, "features");
    assert!(features.sql.contains("left join \"orders\" o"));
    let in_db: InDatabase = settings(&pipeline, "in_db");
    assert_eq!(in_db.to.to_string(), "shop.public.big_orders");
    let checks: Test = settings(&pipeline, "checks");
    assert_eq!((checks.unique.len(), checks.sql.len(), checks.severity), (2, 2, Severity::Warn));
    let publish: Load = settings(&pipeline, "publish");
    assert_eq!((publish.write, publish.key), (WriteMode::Merge, vec!["customer_id".to_owned()]));
    let out: Load = settings(&pipeline, "out");
    assert_eq!((out.write, out.file_size.as_deref()), (WriteMode::Replace, Some("128MB")));
    assert!(pipeline.blocks["checks"].inputs.iter().all(|input| input.port == PortType::S3File));
}

#[test]
fn the_schema_describes_every_kind() {
    let schema = schema(&catalogue());
    for kind in crate::blocks::all() {
        let described = &schema["$defs"][&kind.kind]["properties"];
        assert!(described[&kind.keyword].is_object(), "{}", kind.kind);
        assert!(described["boundary"].is_object(), "{}", kind.kind);
    }
    assert!(schema["properties"]["partition_by"].is_object(), "the short form has the keys of a load");
    let mut waiting = vec![&schema];
    while let Some(value) = waiting.pop() {
        if let Some(path) = value.get("$ref").and_then(|path| path.as_str()) {
            assert!(schema.pointer(path.trim_start_matches('#')).is_some(), "{path} leads nowhere");
        }
        match value {
            serde_json::Value::Object(map) => waiting.extend(map.values()),
            serde_json::Value::Array(items) => waiting.extend(items),
            _ => {}
        }
    }
}
