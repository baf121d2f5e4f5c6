//! Golden plans: with the markers taken out, every plan is the one that is made without them.

use datafusion::common::tree_node::Transformed;
use datafusion::physical_plan::displayable;
use flowetl_proto::pipeline::Block;

use super::marker::BlockMarkerExec;
use super::*;
use crate::tests::world::{World, extract, sql};

/// The plan without markers, a line an operator.
fn lines(plan: &Arc<dyn ExecutionPlan>, depth: usize, text: &mut String) {
    let is_marker = plan.downcast_ref::<BlockMarkerExec>().is_some();
    if !is_marker {
        text.push_str(&format!("{}{}\n", "  ".repeat(depth), displayable(plan.as_ref()).one_line().to_string().trim()));
    }
    for child in plan.children() {
        lines(child, depth + usize::from(!is_marker), text);
    }
}

fn unmarked(plan: LogicalPlan) -> LogicalPlan {
    let strip = |plan: LogicalPlan| {
        Ok(match &plan {
            LogicalPlan::Extension(node) if node.node.name() == "Block" => {
                // The input may be a marker itself.
                Transformed::yes(unmarked(node.node.inputs()[0].clone()))
            }
            _ => Transformed::no(plan),
        })
    };
    plan.transform_up_with_subqueries(strip).unwrap().data
}

async fn plans(world: &World, blocks: Vec<Block>) -> (String, String) {
    let root = blocks.last().unwrap().id.clone();
    let compiled = world.compile(blocks).await.unwrap();
    let rows = compiled.rows(&root).unwrap();
    let bare = unmarked(rows.clone());
    assert!(rows.display_indent().to_string().contains("Block: "));
    assert!(!bare.display_indent().to_string().contains("Block: "));
    let (mut with, mut without) = (String::new(), String::new());
    lines(&compiled.physical(rows).await.unwrap(), 0, &mut with);
    lines(&compiled.physical(&bare).await.unwrap(), 0, &mut without);
    (with, without)
}

/// SQL blocks `b1`, `b2`, ... over `orders`, `customers` and `events`, each reading what it names, and what the plan of
/// the last must contain.
type Case = (&'static str, &'static [&'static str], &'static [&'static str]);

const CASES: &[Case] = &[
    (
        "projection and filter across two blocks",
        &["select id, total + 1 as more, note, day from orders", "select id, more from b1 where id = 7"],
        &["SqliteScan: select \"id\", \"total\", rowid from \"orders\" where \"id\" = 7"],
    ),
    ("limit", &["select * from orders", "select id from b1 limit 5"], &["from \"orders\" limit 5"]),
    ("limit of parquet", &["select * from events", "select id from b1 limit 5"], &["limit=5", "projection=[id]"]),
    ("filter of parquet", &["select id, size from events", "select id from b1 where size > 100"], &["predicate=size"]),
    (
        "join reordered by statistics",
        &[
            "select e.id, e.size, o.total from events e join orders o on o.id = e.id",
            "select b1.id, c.name from customers c join b1 on c.id = b1.id where b1.size > 10",
        ],
        &["HashJoinExec"],
    ),
    (
        "aggregate",
        &[
            "select customer_id, total from orders where total > 3",
            "select customer_id, sum(total) as s from b1 group by customer_id",
            "select s from b2 where customer_id = 4",
        ],
        &["AggregateExec"],
    ),
    (
        "distinct count",
        &["select * from orders", "select count(distinct customer_id) as n, sum(total) as s from b1"],
        &[],
    ),
    ("count by statistics", &["select * from events", "select count(*) as n from b1"], &[]),
    (
        "union all",
        &["select id, total as v from orders union all select id, size from events", "select id from b1 where v > 20"],
        &["UnionExec"],
    ),
    (
        "common table expression used twice",
        &[
            "with big as (select * from orders where total > 40) select a.id, b.note from big a join big b on a.id = b.customer_id",
            "select * from b1 where id < 100",
        ],
        &[],
    ),
    (
        "window function",
        &[
            "select id, customer_id, row_number() over (partition by customer_id order by id) as n from orders",
            "select id from b1 where n = 1",
            "select * from b2 where id < 50",
        ],
        &["BoundedWindowAggExec"],
    ),
    (
        "a block used twice",
        &[
            "select id, customer_id, total from orders",
            "select x.id, y.total from b1 x join b1 y on x.customer_id = y.id",
        ],
        &[],
    ),
    (
        "order by and limit",
        &["select * from orders order by total desc", "select id, total from b1 order by total, id limit 10"],
        &["TopK"],
    ),
    (
        "an order inside is no order outside",
        &["select id, total from orders order by total, id", "select * from b1 limit 3"],
        &["from \"orders\" limit 3"],
    ),
    (
        "subqueries",
        &[
            "select id, customer_id, total from orders",
            "select id from customers where exists (select 1 from b1 where b1.customer_id = customers.id and b1.total > 3)",
            "select id from b2 where id in (select customer_id from b1) and id > (select min(total) from b1)",
        ],
        &[],
    ),
    (
        "left join that becomes inner",
        &[
            "select o.id, c.city from orders o left join customers c on c.id = o.customer_id",
            "select id from b1 where city = 'city 1'",
        ],
        &["join_type=Inner"],
    ),
    (
        "chain of ten",
        &[
            "select * from orders",
            "select * from b1",
            "select id, total, note from b2",
            "select id, total * 2 as t, note from b3",
            "select id, t from b4",
            "select * from b5 where t > 4",
            "select id, t + 1 as u from b6",
            "select * from b7",
            "select id, u from b8 where id > 5",
            "select u from b9",
        ],
        &[],
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn markers_change_no_plan() {
    let world = World::new(2).await;
    let mut wrong = Vec::new();
    for (name, texts, expected) in CASES {
        let mut blocks = vec![
            extract("orders", "shop", "orders"),
            extract("customers", "shop", "customers"),
            extract("events", "lake", "events.parquet"),
        ];
        for (at, text) in texts.iter().enumerate() {
            blocks.push(sql(&format!("b{}", at + 1), &[], text));
        }
        let (with, without) = plans(&world, blocks).await;
        if with != without {
            wrong.push(format!("{name}\nwith markers:\n{with}without:\n{without}"));
        }
        for text in *expected {
            if !with.contains(text) {
                wrong.push(format!("{name}: no `{text}` in\n{with}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn meters_count_every_input() {
    let world = World::new(2).await;
    let blocks = vec![
        extract("orders", "shop", "orders"),
        extract("customers", "shop", "customers"),
        {
            let text = "select o.id, c.name from orders o join customers c on c.id = o.customer_id where o.total < 10";
            sql("joined", &["orders", "customers"], text)
        },
        sql("counted", &["joined"], "select name, count(*) as n from joined group by name"),
    ];
    let compiled = world.compile(blocks).await.unwrap();
    let plan = compiled.physical(compiled.rows(&BlockId::new("counted")).unwrap()).await.unwrap();
    let rows = datafusion::physical_plan::collect(plan, compiled.context.task_ctx()).await.unwrap();
    let rows: usize = rows.iter().map(|batch| batch.num_rows()).sum();
    let meters = compiled.meters.snapshot();
    let seen = |id: &str| (meters[id].rows_in, meters[id].rows_out);
    assert_eq!(seen("orders"), (4_000, 4_000));
    assert_eq!(seen("customers"), (1_000, 1_000));
    assert_eq!(seen("joined"), (5_000, 4_000));
    assert_eq!(seen("counted"), (4_000, rows as u64));
}
