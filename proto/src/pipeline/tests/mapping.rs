//! `map` of a load: what is read, and everything that is wrong with one.

use serde_json::json;

use super::{pipeline, problems};

const HEAD: &str = "connections: {shop: postgres://127.0.0.1/shop, lake: s3://lake}\n";

/// A pipeline whose load holds these lines.
fn load(lines: &str) -> String {
    let lines: String = lines.lines().map(|line| format!("    {line}\n")).collect();
    format!("{HEAD}blocks:\n  orders: {{extract: shop.public.orders}}\n  out:\n    load: orders\n{lines}")
}

#[test]
fn pl_6_columns_are_written_in_the_order_of_the_file() {
    let rules = "{source: \"'shop'\", customer: customer_id, cents: cast(total * 100 as bigint), one: 1}";
    let expected = json!({
        "source": "'shop'", "customer": "customer_id", "cents": "cast(total * 100 as bigint)", "one": "1",
    });
    let long = pipeline(&load(&format!("to: shop.public.sales\nwrite: merge\nkey: customer\nmap: {rules}")));
    let short = pipeline(&format!("{HEAD}from: shop.public.orders\nto: lake/sales.parquet\nmap: {rules}\n"));
    for map in [&long.blocks["out"].settings["map"], &short.blocks["load"].settings["map"]] {
        assert_eq!(map.to_string(), expected.to_string());
    }
    assert!(short.blocks["extract"].settings.get("map").is_none());
}

#[test]
fn pl_6_parameters_are_values_in_rules() {
    let params = "params: {day: {type: date}, path: {type: string, default: eu}}\n";
    let map = "map:\n  path: \"{{ var('path') }}\"\n  connection: \"coalesce(day, {{ var('day') }})\"";
    let text = format!("{params}{}", load(&format!("to: shop.public.sales\n{map}")));
    let bound = pipeline(&text).bound(&[("day".to_owned(), json!("2026-11-22"))].into()).unwrap();
    let map = &bound.blocks["out"].settings["map"];
    assert_eq!(map, &json!({ "path": "'eu'", "connection": "coalesce(day, '2026-11-22')" }));
    let quoted = text.replace("\"{{ var('path') }}\"", "\"'in {{ var('path') }}'\"");
    assert!(problems(&quoted)[0].contains("write it outside of quotes"), "{:?}", problems(&quoted));
}

#[test]
fn pl_6_what_is_wrong_with_a_rule_is_told_where_it_stands() {
    let many = "is computed over many rows, but a rule over one; use an `sql` block";
    for (lines, expected) in [
        ("map:\n  a: id +", "8:14: block `out`: `a`: SQL syntax: expected an expression, found the end".to_owned()),
        ("map:\n  a: id\n  b: id as x", "9:13: block `out`: `b`: SQL syntax: expected EOF, found as".to_owned()),
        ("map:\n  a: abs(sum(id))", format!("8:14: block `out`: `a`: the aggregate `sum` {many}")),
        ("map:\n  a: |\n    1 +\n    rank() over (order by id)", format!("`a`: the window function `rank` {many}")),
        ("map:\n  a: 1 + (select 2)", format!("`a`: a query of its own {many}")),
        ("map:\n  a: id in (select 2)", format!("`a`: a query of its own {many}")),
        ("map:\n  a: \"id + {{ ref('orders') }}\"", "a rule computes with the columns of one block".to_owned()),
        ("map:\n  a: true", "8:10: block `out`: `a` takes text, but this is true or false".to_owned()),
        ("map: {}", "7:10: block `out`: `map` names no column; leave it out to write all columns".to_owned()),
        ("map:", "`map` takes a map, but this is empty".to_owned()),
        ("map: [id]", "`map` takes a map, but this is a list".to_owned()),
        ("map: {a: id, a: total}", "the key `a`".to_owned()),
        ("map: {'': id}", "`map`: a column has no name".to_owned()),
        (
            "write: merge\nkey: [a, id]\nmap: {a: total, b: id}",
            "8:14: block `out`: `key` names `id`, but `map` writes no such column, did you mean `b`, which holds it?"
                .to_owned(),
        ),
        (
            "partition_by: regin\nmap: {region: upper(region)}",
            "`partition_by` names `regin`, but `map` writes no such column, did you mean `region`?".to_owned(),
        ),
    ] {
        let found = problems(&load(&format!("to: shop.public.sales\n{lines}")));
        assert!(found.iter().any(|problem| problem.contains(&expected)), "{lines}:\n{found:#?}\n{expected}");
    }
    let two = problems(&load("to: shop.public.sales\nmap: {a: sum(x), b: id +}"));
    assert_eq!(two.len(), 2, "all problems at once: {two:?}");
}
