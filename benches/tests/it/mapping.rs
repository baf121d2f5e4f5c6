//! `map` of a load: what a target holds is what the database, or the plain engine, makes of the same rules.

use datafusion::prelude::{ParquetReadOptions, SessionContext};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::world::{Database, Served, World};

const ORDERS: &str = "
    create table orders (id bigint primary key, customer_id int, total numeric(12,2), region text, day date);
    insert into orders select n, n % 97, case when n % 10 > 0 then n * 1.37 end, 'region ' || n % 5, date '2026-01-01' + n % 365
        from generate_series(1, 20000) n;";

/// The target as somebody made it: other names, other types, another order, and a column with a default.
const SALES: &str = "
    (region varchar(20), customer bigint not null, cents bigint, source text, loaded text default 'by default',
     order_id bigint primary key, month text)";

const RULES: &str = "
      order_id: id
      customer: customer_id
      cents: cast(round(total * 100) as bigint)
      region: upper(region)
      source: \"'shop'\"
      month: \"case when day < {{ var('until') }} then to_char(day, '%Y-%m') else 'later' end\"
";

/// The same in the database's own words.
const SELECT: &str = "select id, customer_id, cast(round(total * 100) as bigint), upper(region), 'shop',
    case when day < '2026-07-01' then to_char(day, 'YYYY-MM') else 'later' end from orders";

fn pipeline(database: &Database, load: &str) -> String {
    format!(
        "connections: {{db: \"{}\"}}\nparams: {{until: {{type: date, default: 2026-07-01}}}}\nblocks:\n  \
         orders: {{extract: db.public.orders}}\n  sales:\n    load: orders\n    {load}\n    map:{RULES}",
        database.url
    )
}

#[track_caller]
fn same(database: &Database, left: &str, right: &str) {
    for (one, other) in [(left, right), (right, left)] {
        let differing = format!("select count(*) from (({one}) except all ({other})) as differing");
        assert_eq!(database.number(&differing), 0, "{one} | {other}");
    }
}

#[test]
fn pl_6_rules_write_what_the_database_computes_itself() {
    let (world, database) = (World::new(), Database::postgres());
    database.run(&format!("{ORDERS} create table sales {SALES}; create table expected {SALES};"));
    let insert = format!("insert into expected (order_id, customer, cents, region, source, month) {SELECT}");
    database.run(&insert);
    database.run(
        "insert into sales values ('old', 1, 1, 'old', 'kept', 7, 'old'), ('old', 1, 1, 'old', 'kept', -1, 'old')",
    );
    database.run("insert into expected values ('old', 1, 1, 'old', 'kept', -1, 'old'); update expected set loaded = 'kept' where order_id = 7");
    world.write("p.yml", &pipeline(&database, "to: db.public.sales\n    write: merge\n    key: order_id"));
    let plan = world.run(&["plan", "p.yml"]).expect(0).out;
    assert!(
        plan.contains("region <- upper(region)") && plan.contains("columns: order_id Int64, customer Int32"),
        "{plan}"
    );
    for _ in 0..2 {
        world.run(&["run", "p.yml"]).expect(0);
        same(&database, "select * from sales", "select * from expected");
    }

    // A table that is not there gets these columns, in this order.
    world.write("p.yml", &pipeline(&database, "to: db.public.made"));
    world.run(&["run", "p.yml"]).expect(0);
    let columns = "select string_agg(column_name || ' ' || data_type, ', ' order by ordinal_position) \
                   from information_schema.columns where table_name = 'made'";
    assert_eq!(
        database.text(columns),
        "order_id bigint, customer integer, cents bigint, region text, source text, month text"
    );
    same(&database, "select * from made", SELECT);

    // What a rule cannot compute names the load.
    let month = "\"case when day < {{ var('until') }} then to_char(day, '%Y-%m') else 'later' end\"";
    let failing = pipeline(&database, "to: db.public.made").replace(month, "cast(cast(region as bigint) as varchar)");
    world.write("p.yml", &failing);
    let failed = world.run(&["run", "p.yml"]).expect(1);
    assert!(failed.err.contains("sales") && failed.err.contains("'region "), "{}", failed.err);
    same(&database, "select * from made", SELECT);
    let unknown = pipeline(&database, "to: db.public.made").replace("customer_id", "custmer_id");
    world.write("p.yml", &unknown);
    let planned = world.run(&["plan", "p.yml"]).expect(2);
    let expected =
        "p.yml:5:3: block `sales`: `map.customer`: there is no column `custmer_id`, did you mean `customer_id`?";
    assert!(planned.err.contains(expected), "{}", planned.err);
}

#[test]
fn pl_6_rules_write_files_as_the_plain_engine_computes_them() {
    let world = World::new();
    let runtime = Runtime::new().unwrap();
    let context = SessionContext::new();
    let path = |name: &str| world.path(name).display().to_string();
    let collected = |sql: &str| {
        let rows = runtime.block_on(async { context.sql(sql).await.unwrap().collect().await.unwrap() });
        datafusion::arrow::util::pretty::pretty_format_batches(&rows).unwrap().to_string()
    };
    let source = "select v as id, cast(v % 13 as int) as kind, v * 0.5 as total, 'Name ' || v as name from generate_series(1, 50000) t(v)";
    collected(&format!("copy ({source}) to '{}' stored as parquet", path("orders.parquet")));
    world.write(
        "p.yml",
        "from: orders.parquet\nto: sales/\npartition_by: group\nmap:\n  name: lower(name)\n  group: \"'g' || kind\"\n  \
         total: total\n  bonus: case when total > 100 then cast(total / 10 as decimal(10, 2)) end\n",
    );
    world.run(&["run", "p.yml"]).expect(0);
    let partitions = world.files("sales").into_iter().filter(|name| name.starts_with("group=g12/")).count();
    assert!(partitions > 0, "{:?}", world.files("sales"));
    runtime.block_on(async {
        let options = ParquetReadOptions::default()
            .table_partition_cols(vec![("group".to_owned(), datafusion::arrow::datatypes::DataType::Utf8)]);
        context.register_parquet("sales", path("sales"), options).await.unwrap();
    });
    let shown = |select: &str| collected(&format!("{select} order by name"));
    let by_hand = format!(
        "select lower(name) as name, total, case when total > 100 then cast(total / 10 as decimal(10, 2)) end as bonus, \
         'g' || kind as \"group\" from ({source}) orders"
    );
    let written = shown("select name, total, bonus, \"group\" from sales");
    assert_eq!(written.lines().count(), 50_004);
    assert!(written == shown(&by_hand), "the rows differ");

    // Text keeps the order of the columns.
    world.write("q.yml", "from: orders.parquet\nto: some.csv\nwhere: id <= 2\nmap: {b: total, a: id, c: \"'x'\"}\n");
    world.run(&["run", "q.yml"]).expect(0);
    assert_eq!(std::fs::read_to_string(world.path("some.csv")).unwrap(), "b,a,c\n0.5,1,x\n1.0,2,x\n");
}

#[test]
fn pl_6_a_pipeline_of_the_service_maps_what_it_loads() {
    let (world, database) = (World::new(), Database::postgres());
    database.run(&format!("{ORDERS} create table sales {SALES};"));
    let served = Served::start(&world);
    let text = pipeline(&database, "to: db.public.sales");
    let wrong = json!({ "name": "sales", "text": text.replace("upper(region)", "max(region)") });
    let (status, refused) = served.call("POST", "/pipelines", &wrong);
    assert!(status == 422 && refused.contains("the aggregate `max` is computed over many rows"), "{refused}");
    let made = served.post("/pipelines", &json!({ "name": "sales", "text": text }));
    let id = made["id"].as_str().unwrap();
    let plan = served.post(&format!("/pipelines/{id}/plan"), &Value::Null);
    assert_eq!(plan["segments"][0]["mapping"][3], json!(["region", "upper(region)"]), "{plan}");
    let shown = served.get(&format!("/pipelines/{id}/preview?block=sales&limit=1"));
    assert_eq!(shown["columns"][2], json!({ "name": "cents", "type": "Int64" }), "{shown}");
    let run = served.post(&format!("/pipelines/{id}/run"), &json!({ "params": { "until": "2026-07-01" } }));
    let path = format!("/runs/{}", run["id"].as_str().unwrap());
    served.call("GET", &format!("{path}/logs?follow=true"), &Value::Null);
    assert_eq!(served.get(&path)["status"], "success");
    same(&database, "select order_id, customer, cents, region, source, month from sales", SELECT);
    served.end();
}
