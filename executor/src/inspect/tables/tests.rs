//! What is told of real systems, and what is shown of their tables.

use std::path::Path;

use flowetl_proto::code::Failure;
use flowetl_proto::look::Inspector;
use flowetl_proto::pipeline::{Connection, Secret, Unsealed};
use flowetl_proto::tables::{Column, ForeignKey, TableKind};
use tokio::sync::mpsc;

use super::*;
use crate::connectors::postgres::tests::with_database;
use crate::inspect::Here;
use crate::inspect::tests::spec_of;
use crate::storage::Storage;
use crate::tests::world::World;

/// Everything that is told of a system.
async fn told(spec: &ConnectionSpec) -> Result<Vec<Table>, Failure> {
    let world = World::new(1).await;
    let here = Here::new(world.config.clone(), Handle::current());
    let (pages, mut told) = mpsc::channel(1);
    let none = Unsealed::default();
    let (asked, all) = tokio::join!(here.discover("db", spec, &none, pages), async {
        let mut all = Vec::new();
        while let Some(page) = told.recv().await {
            all.extend(page);
        }
        all
    });
    asked.map(|()| all)
}

async fn shown(spec: &ConnectionSpec, from: Reference, count: usize) -> Result<Sample, Failure> {
    let world = World::new(1).await;
    let here = Here::new(world.config.clone(), Handle::current());
    here.sample(spec, &from, count, &Unsealed::default()).await
}

fn of_table(table: &Table) -> Reference {
    Reference::Table { connection: "db".into(), schema: Some(table.schema.clone()), table: table.name.clone() }
}

fn of_files(table: &Table) -> Reference {
    let path = if table.schema == "/" { table.name.clone() } else { format!("{}/{}", table.schema, table.name) };
    Reference::Path { connection: "lake".into(), path, format: None }
}

fn named<'a>(tables: &'a [Table], name: &str) -> &'a Table {
    tables.iter().find(|table| table.name == name).unwrap_or_else(|| panic!("no {name} in {tables:?}"))
}

fn column(name: &str, declared: &str, arrow_type: &str, nullable: bool) -> Column {
    Column { name: name.into(), declared: declared.into(), arrow_type: Some(arrow_type.into()), nullable }
}

fn texts(row: &[Option<String>]) -> Vec<&str> {
    row.iter().map(|cell| cell.as_deref().unwrap_or("-")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sd_1_postgres_tells_tables_columns_keys_and_estimates() {
    with_database(|mut database| async move {
        database
            .run(
                "create schema sales; create domain sales.money as numeric(12, 2);
                 create type sales.mood as enum ('good', 'bad');
                 create table sales.customers (region text, id int, name varchar(40) not null, m sales.mood,
                    primary key (region, id));
                 create table sales.orders (id bigint primary key, customer_region text, customer_id int,
                    total sales.money not null, tags text[], at timestamptz default now(),
                    constraint whose foreign key (customer_region, customer_id) references sales.customers);
                 insert into sales.customers values ('eu', 1, 'Ann', 'good');
                 insert into sales.orders select n, 'eu', 1, n, '{a}', '2025-01-01 00:00+00' from generate_series(1, 500) n;
                 create view sales.dear as select * from sales.orders where total > 100;
                 create table public.days (day date not null) partition by range (day);
                 create table public.days_1 partition of days for values from ('2025-01-01') to ('2025-02-01');
                 create table public._flowetl_commits (x int); create table public.empty (x int);
                 analyze;",
            )
            .await;
        let tables = told(&database.spec()).await.unwrap();
        let names: Vec<_> = tables.iter().map(|table| format!("{}.{}", table.schema, table.name)).collect();
        assert_eq!(names, ["public.days", "public.empty", "sales.customers", "sales.dear", "sales.orders"]);
        let orders = named(&tables, "orders");
        assert_eq!(
            orders.columns,
            [
                column("id", "bigint", "Int64", false),
                column("customer_region", "text", "Utf8", true),
                column("customer_id", "integer", "Int32", true),
                column("total", "sales.money", "Decimal128(12, 2)", false),
                column("tags", "text[]", &orders.columns[4].arrow_type.clone().unwrap(), true),
                column("at", "timestamp with time zone", &orders.columns[5].arrow_type.clone().unwrap(), true),
            ]
        );
        assert!(orders.columns[4].arrow_type.as_ref().unwrap().starts_with("List("));
        assert_eq!((orders.primary_key.join(","), orders.rows, orders.kind), ("id".into(), Some(500), TableKind::Table));
        let whose = ForeignKey {
            name: "whose".into(),
            columns: vec!["customer_region".into(), "customer_id".into()],
            schema: "sales".into(),
            table: "customers".into(),
            references: vec!["region".into(), "id".into()],
        };
        assert_eq!(orders.foreign_keys, [whose]);
        assert_eq!(named(&tables, "customers").primary_key, ["region", "id"]);
        assert_eq!(named(&tables, "customers").columns[3], column("m", "sales.mood", "Utf8", true));
        assert_eq!((named(&tables, "dear").kind, named(&tables, "dear").rows), (TableKind::View, None));

        let rows = shown(&database.spec(), of_table(orders), 3).await.unwrap();
        assert_eq!((rows.rows.len(), rows.incomplete, rows.columns.len()), (3, false, 6));
        assert_eq!(texts(&rows.rows[0])[..5], ["1", "eu", "1", "1.00", "[a]"]);
        let refused = shown(&database.spec(), of_table(&Table { name: "ordes".into(), ..orders.clone() }), 3).await;
        assert!(refused.unwrap_err().message.contains("did you mean `orders`?"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sd_1_twenty_thousand_tables_are_told() {
    const TABLES: usize = 20_000;
    with_database(|mut database| async move {
        // A transaction has room for the locks of a few thousand.
        database
            .run(&format!(
                "do $$ begin for i in 1..{TABLES} loop
                    execute format('create table t%s (id int not null, other int)', lpad(i::text, 5, '0'));
                    if i % 500 = 0 then commit; end if;
                 end loop; end $$"
            ))
            .await;
        let tables = told(&database.spec()).await.unwrap();
        assert_eq!(
            (tables.len(), tables[0].name.as_str(), tables[TABLES - 1].name.as_str()),
            (TABLES, "t00001", "t20000")
        );
        assert!(tables.iter().all(|table| table.columns.len() == 2 && table.problem.is_none()));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sd_5_a_preview_writes_nothing_and_stays_in_its_limits() {
    with_database(|mut database| async move {
        database
            .run(
                "create table marks (x int);
                 create function mark() returns int language sql volatile as 'insert into marks values (1) returning x';
                 create view writes as select mark() as x;
                 create view wide as select n, repeat('x', 5000) as a, repeat('y', 900) as b, null::text as c
                    from generate_series(1, 2000) n;
                 create view more as select n, repeat('z', 900) as a, repeat('z', 900) as b, repeat('z', 900) as c,
                    repeat('z', 900) as d, repeat('z', 900) as e, repeat('z', 900) as f, repeat('z', 900) as g,
                    repeat('z', 900) as h, repeat('z', 900) as i, repeat('z', 900) as j, repeat('z', 900) as k,
                    repeat('z', 900) as l from generate_series(1, 2000) n;",
            )
            .await;
        let of = |name: &str| Reference::Table { connection: "db".into(), schema: None, table: name.into() };
        let refused = shown(&database.spec(), of("writes"), 1).await.unwrap_err();
        assert!(refused.message.contains("read-only transaction"), "{refused}");
        assert_eq!(database.value("select count(*) from marks").await, "0");
        let wide = shown(&database.spec(), of("wide"), 100).await.unwrap();
        assert_eq!((wide.rows.len(), wide.incomplete), (100, false));
        let cell = wide.rows[0][1].clone().unwrap();
        assert_eq!((cell.chars().count(), cell.ends_with(CUT)), (CELL_CHARS_MAX + 1, true));
        assert_eq!((wide.rows[0][2].as_ref().unwrap().len(), &wide.rows[0][3]), (900, &None));
        let more = shown(&database.spec(), of("more"), 1000).await.unwrap();
        assert!(more.incomplete && more.rows.len() < 100, "{}", more.rows.len());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sd_5_a_preview_ends_in_time() {
    let world = World::new(1).await;
    let here = Here::new(world.config.clone(), Handle::current());
    let of = |table: &str| Reference::Table { connection: "odd".into(), schema: None, table: table.into() };
    let (odd, none) = (&world.connections["odd"], Unsealed::default());
    let (silent, mute) = (of("silent"), of("mute"));
    let (silent, mute) = tokio::join!(here.sample(odd, &silent, 5, &none), here.sample(odd, &mute, 5, &none));
    for late in [silent, mute] {
        assert_eq!(late.unwrap_err().message, "its first row did not come within 10 s");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sd_1_sqlite_tells_tables_columns_keys_and_estimates() {
    let world = World::new(1).await;
    world.shop(
        "create table lines (order_id integer not null references orders, number integer, amount decimal(9,2), x,
            primary key (order_id, number)) without rowid;
         create table notes (a integer, b integer, foreign key (a, b) references lines (order_id, number));
         create view dear as select * from orders; create table gone (x); create view broken as select * from gone;
         drop table gone; create table _flowetl_commits (x); create table \"odd name\" (_rowid_ text);",
    );
    let shop = world.connections["shop"].clone();
    let tables = told(&shop).await.unwrap();
    let names: Vec<_> = tables.iter().map(|table| table.name.as_str()).collect();
    assert_eq!(names, ["broken", "customers", "dear", "lines", "notes", "odd name", "orders"]);
    let orders = named(&tables, "orders");
    assert_eq!(
        (orders.schema.as_str(), orders.rows, orders.primary_key.join(",")),
        ("main", Some(19_999), "id".into())
    );
    assert_eq!(orders.columns[0], column("id", "INTEGER", "Int64", false));
    assert_eq!(orders.columns[3], column("day", "date", "Date32", false));
    let lines = named(&tables, "lines");
    assert_eq!((lines.primary_key.join(","), lines.rows), ("order_id,number".into(), None));
    let key = &lines.foreign_keys[0];
    assert_eq!(
        (key.table.as_str(), &key.columns[..], &key.references[..]),
        ("orders", &["order_id".into()][..], &["id".into()][..])
    );
    assert_eq!(lines.columns[3].arrow_type, None);
    let key = &named(&tables, "notes").foreign_keys[0];
    assert_eq!((key.columns.join(","), key.references.join(",")), ("a,b".into(), "order_id,number".into()));
    assert!(named(&tables, "broken").problem.as_ref().unwrap().contains("gone"), "{tables:?}");
    let rows = shown(&shop, of_table(orders), 2).await.unwrap();
    assert_eq!(texts(&rows.rows[1]), ["1", "1", "1", "2025-01-02", "a note of some length 1"]);
    world.shop("analyze");
    assert_eq!(named(&told(&shop).await.unwrap(), "orders").rows, Some(20_000));
}

const FILES: [(&str, &str); 9] = [
    ("people.csv", "id,name\n1,Ann\n2,Bob\n"),
    ("raw/orders-2025-01.csv", "id,total\n1,2.5\n"),
    ("raw/orders-2025-02.csv", "id,total\n2,3.5\n3,4.5\n"),
    ("raw/other.ndjson", "{\"a\": 1}\n"),
    ("raw/a[1].csv", "x\n1\n"),
    ("by/country=PL/f.csv", "id\n1\n"),
    ("by/country=DE/f.csv", "id\n2\n"),
    ("bad.parquet", "this is none"),
    ("readme.txt", "nothing to read"),
];

/// What is told of the files above, wherever they lie.
async fn files_are_tables(spec: &ConnectionSpec) {
    let tables = told(spec).await.unwrap();
    let names: Vec<_> = tables.iter().map(|table| format!("{} {}", table.schema, table.name)).collect();
    let expected =
        ["/ bad.parquet", "/ by/", "/ people.csv", "raw a[[]1[]].csv", "raw orders-*-*.csv", "raw other.ndjson"];
    assert_eq!(names, expected);
    let people = named(&tables, "people.csv");
    assert_eq!(people.columns, [column("id", "int64", "Int64", true), column("name", "utf8", "Utf8", true)]);
    assert!(named(&tables, "bad.parquet").problem.is_some());
    let by = named(&tables, "by/");
    assert_eq!(by.columns.iter().map(|c| c.name.as_str()).collect::<Vec<_>>(), ["id", "country"]);
    for (table, rows) in [("people.csv", 2), ("orders-*-*.csv", 3), ("by/", 2), ("a[[]1[]].csv", 1)] {
        let sample = shown(spec, of_files(named(&tables, table)), 100).await.unwrap();
        assert_eq!(sample.rows.len(), rows, "{table}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sd_1_files_in_a_folder_are_tables() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in FILES {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap_or(Path::new("/"))).unwrap();
        std::fs::write(path, text).unwrap();
    }
    files_are_tables(&spec_of(&format!("file://{}", folder.path().display()))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sd_1_files_on_s3_are_tables() {
    let url = std::env::var("FLOWETL_TEST_S3").expect("set FLOWETL_TEST_S3 to s3://bucket?endpoint=...");
    let spec = ConnectionSpec { path: format!("tables-{}", uuid::Uuid::now_v7()), ..spec_of(&url) };
    let plain = |text: &Option<String>| text.clone();
    let storage = Storage::open(&Connection {
        name: "lake".into(),
        scheme: "s3".into(),
        host: plain(&spec.host),
        port: None,
        user: plain(&spec.user),
        password: spec.password.clone().map(Secret::new),
        path: spec.path.clone(),
        options: spec.options.iter().map(|(name, value)| (name.clone(), Secret::new(value.clone()))).collect(),
    })
    .unwrap();
    for (name, text) in FILES {
        storage.replace(name, text.as_bytes().to_vec()).await.unwrap();
    }
    files_are_tables(&spec).await;
}
