//! What is sent to a database: only the columns and rows that the blocks behind it need, whatever lies between.

use crate::world::{Database, World};

const TABLES: &str = "
    create table customer (c_custkey bigint primary key, c_name text, c_mktsegment text, c_comment text);
    create table orders (o_orderkey bigint primary key, o_custkey bigint, o_orderdate date, o_shippriority int, o_comment text);
    create table lineitem (l_orderkey bigint, l_linenumber int, l_extendedprice numeric(15,2), l_discount numeric(15,2),
        l_shipdate date, l_comment text, primary key (l_orderkey, l_linenumber));
    insert into customer select n, 'customer ' || n, (array['BUILDING', 'MACHINERY'])[1 + n % 2], repeat('c', 50)
        from generate_series(1, 300) n;
    insert into orders select n, 1 + n * 7 % 300, date '1995-01-01' + n % 200, 0, repeat('o', 50) from generate_series(1, 3000) n;
    insert into lineitem select 1 + n % 3000, n / 3000, n * 1.13, (n % 10) / 100.0, date '1995-01-01' + n % 300, repeat('l', 50)
        from generate_series(0, 11999) n;";

const JOINED: &str =
    "select l_orderkey, o_orderdate, o_shippriority, l_extendedprice * (1 - l_discount) as price, l_shipdate
    from customer join orders on c_custkey = o_custkey join lineitem on l_orderkey = o_orderkey
    where c_mktsegment = 'BUILDING'";

const REVENUE: &str = "select l_orderkey, o_orderdate, sum(price) as revenue from joined
    where o_orderdate < date '1995-03-15' and l_shipdate > date '1995-03-15' group by l_orderkey, o_orderdate";

#[test]
fn columns_and_dates_reach_the_source_across_blocks() {
    let (world, database) = (World::new(), Database::postgres());
    database.run(TABLES);
    let extract = |table: &str| format!("  {table}: {{extract: db.public.{table}}}\n");
    world.write(
        "p.yml",
        &format!(
            "connections: {{db: \"{}\"}}\nblocks:\n{}{}{}  joined: {{sql: \"{JOINED}\"}}\n  revenue: {{sql: \"{REVENUE}\"}}\n  \
             out: {{load: revenue, to: db.public.revenue}}\n",
            database.url,
            extract("customer"),
            extract("orders"),
            extract("lineitem"),
        ),
    );
    let plan = world.run(&["plan", "p.yml"]).expect(0).out;
    let sent = |table: &str| {
        let line = plan
            .lines()
            .find(|line| line.contains("PostgresScan: ") && line.contains(&format!("from \"public\".\"{table}\"")));
        line.unwrap_or_else(|| panic!("no SQL for `{table}` in:\n{plan}"))
    };
    for (table, wanted, needless) in [
        ("customer", vec!["c_custkey", "'BUILDING'"], vec!["c_name", "c_comment"]),
        ("orders", vec!["o_orderkey", "o_custkey", "o_orderdate", "1995-03-15"], vec!["o_shippriority", "o_comment"]),
        ("lineitem", vec!["l_orderkey", "l_extendedprice", "1995-03-15"], vec!["l_linenumber", "l_comment"]),
    ] {
        let sql = sent(table);
        for word in wanted {
            assert!(sql.contains(word), "`{word}` is not in: {sql}");
        }
        for word in needless {
            assert!(!sql.contains(word), "`{word}` is read in vain: {sql}");
        }
    }

    let json = world.run(&["run", "p.yml", "--json"]).expect(0).json();
    let read = database.number("select count(*) from lineitem where l_shipdate > date '1995-03-15'");
    assert_eq!(json["blocks"]["lineitem"]["rows_out"], read, "{json:#}");
    let by_hand = REVENUE.replace("joined", &format!("({JOINED}) as joined"));
    assert!(database.number("select count(*) from revenue") > 100);
    for (left, right) in [(by_hand.as_str(), "select * from revenue"), ("select * from revenue", by_hand.as_str())] {
        assert_eq!(database.number(&format!("select count(*) from (({left}) except all ({right})) as differing")), 0);
    }
}
