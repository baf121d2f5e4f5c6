//! What the service shows of real systems, and does with them.

use serde_json::{Value, json};

use crate::world::{Database, Served, World};

/// The id of a document.
fn id(document: &Value) -> &str {
    document["id"].as_str().unwrap()
}

/// The run of a pipeline, once it has ended.
fn run(served: &Served, pipeline: &str) -> Value {
    let run = served.post(&format!("/pipelines/{pipeline}/run"), &json!({}));
    let path = format!("/runs/{}", id(&run));
    // The log is told to its end, which is when the run has one.
    served.call("GET", &format!("{path}/logs?follow=true"), &Value::Null);
    served.get(&path)
}

#[test]
fn pl_10_rows_of_a_block_are_shown_before_anything_is_kept_or_written() {
    let world = World::new();
    world.write("orders.csv", "id,amount\n1,10\n2,20\n3,\n");
    let served = Served::start(&world);
    let text = format!(
        "connections: {{files: 'file://{folder}'}}\nblocks:\n  orders: {{extract: files/orders.csv}}\n  \
         doubled: {{sql: 'select id, amount * 2 as twice from orders order by id'}}\n  out: {{load: doubled, to: files/out.csv}}\n",
        folder = world.folder().display()
    );
    let preview = |block: &str, limit: u64| {
        let wish = json!({ "pipeline": { "text": text }, "block": block, "limit": limit });
        served.call("POST", "/pipelines/preview", &wish)
    };
    let rows = |answer: (u16, String)| -> Value {
        assert_eq!(answer.0, 200, "{}", answer.1);
        serde_json::from_str(answer.1.split_once("\r\n\r\n").unwrap().1).unwrap()
    };
    let shown = rows(preview("doubled", 2));
    assert_eq!(shown["columns"], json!([{ "name": "id", "type": "Int64" }, { "name": "twice", "type": "Int64" }]));
    assert_eq!((&shown["rows"], &shown["incomplete"]), (&json!([["1", "20"], ["2", "40"]]), &json!(false)));
    // What it would write, and a null as one.
    assert_eq!(rows(preview("out", 10))["rows"][2], json!(["3", null]));
    assert!(!world.path("out.csv").exists());
    let (status, wrong) = preview("doubld", 2);
    assert!(status == 409 && wrong.contains("did you mean `doubled`?"), "{wrong}");
    let made = served.post("/pipelines", &json!({ "name": "orders", "text": text }));
    let kept = served.get(&format!("/pipelines/{}/preview?block=orders", id(&made)));
    assert_eq!(kept["rows"].as_array().unwrap().len(), 3);
    assert!(served.get("/runs")["runs"].as_array().unwrap().is_empty());
    served.end();
}

#[test]
fn dm_6_what_a_pipeline_has_read_is_shown_set_and_forgotten() {
    let world = World::new();
    let database = Database::postgres();
    database.run("create table t (id bigint primary key); insert into t select generate_series(1, 10)");
    let served = Served::start(&world);
    let text = format!(
        "connections: {{shop: '{}'}}\nfrom: shop.public.t\nto: shop.public.copied\nsync: {{cursor: id}}\nwrite: append\n",
        database.url
    );
    let made = served.post("/pipelines", &json!({ "name": "copy", "text": text }));
    let state = format!("/pipelines/{}/state", id(&made));
    assert_eq!(served.get(&state), json!([]));
    let first = run(&served, id(&made));
    assert_eq!(first["status"], "success", "{first}");
    let after = served.get(&state)[0].clone();
    assert_eq!((&after["column"], &after["value"], &after["run_id"]), (&json!("id"), &json!("10"), &first["id"]));

    let block = format!("{state}/{}", after["block"].as_str().unwrap());
    let set = served.good("PUT", &block, &json!({ "value": "8" }));
    assert_eq!((&set[0]["value"], &set[0]["run_id"]), (&json!("8"), &Value::Null));
    assert_eq!(run(&served, id(&made))["records_loaded"], 2);
    assert_eq!(database.number("select count(*) from copied"), 12);
    assert_eq!(served.good("DELETE", &block, &Value::Null), json!([]));
    assert_eq!(run(&served, id(&made))["records_loaded"], 10);
    let (status, refused) = served.call("PUT", &format!("{state}/nothing"), &json!({ "value": "8" }));
    assert!(status == 404 && refused.contains("`nothing`"), "{refused}");
    served.end();
}

#[test]
fn rows_that_cannot_be_read_are_put_aside_with_their_reasons() {
    let world = World::new();
    let orders: String =
        (1..=500).map(|id| if id % 50 == 0 { "x,7\n".to_owned() } else { format!("{id},{id}\n") }).collect();
    world.write("orders.csv", &format!("id,amount\n{orders}"));
    let served = Served::start(&world);
    let text = |limit: &str| {
        format!(
            "connections: {{files: 'file://{folder}'}}\nblocks:\n  orders: {{extract: files/orders.csv, types: {{id: int64}}, \
             bad_rows: {{quarantine: {limit}}}}}\n  out: {{load: orders, to: files/out.csv}}\n",
            folder = world.folder().display()
        )
    };
    let made = served.post("/pipelines", &json!({ "name": "orders", "text": text("2%") }));
    let ended = run(&served, id(&made));
    assert_eq!(ended["status"], "success", "{ended}");
    assert_eq!((&ended["records_loaded"], &ended["records_failed"]), (&json!(490), &json!(10)));
    let path = format!("/runs/{}/quarantine", id(&ended));
    let (mut rows, mut query) = (Vec::new(), "?limit=4".to_owned());
    loop {
        let page = served.get(&format!("{path}{query}"));
        rows.extend(page["rows"].as_array().unwrap().iter().cloned());
        if page["has_more"] == false {
            break;
        }
        query = format!("?limit=4&after={}", page["next"].as_str().unwrap());
    }
    assert_eq!(rows.len(), 10);
    for (at, row) in rows.iter().enumerate() {
        let line = format!("line {}", (at + 1) * 50 + 1);
        assert!(row["location"].as_str().unwrap().ends_with(&line), "{row} is {line}");
        assert_eq!((&row["block"], row["row"].as_str().unwrap().trim_end()), (&json!("orders"), "x,7"), "{row}");
        assert!(row["reason"].as_str().unwrap().contains("`x`"), "{row}");
    }

    // Too many of them: what they were is shown just as well.
    let made = served.post("/pipelines", &json!({ "name": "strict", "text": text("2") }));
    let ended = run(&served, id(&made));
    assert_eq!(ended["status"], "failed", "{ended}");
    let page = served.get(&format!("/runs/{}/quarantine", id(&ended)));
    let rows = page["rows"].as_array().unwrap();
    assert!(rows.len() > 2 && rows[2]["location"].as_str().unwrap().ends_with("line 151"), "{page}");
    assert_eq!(ended["records_failed"], rows.len(), "{ended}");
    let run = served.get(&format!("/runs/{}", id(&ended)));
    assert_eq!(run["view"]["blocks"]["orders"]["rows_quarantined"], rows.len(), "{run}");
    let cause = run["error"]["cause"].as_str().unwrap();
    assert!(cause.contains("more than the quarantine's limit of 2 rows"), "{cause}");
    served.end();
}

#[test]
fn cn_4_a_bucket_is_reached_with_its_endpoint_and_keys() {
    let server =
        std::env::var("FLOWETL_TEST_S3").expect("`FLOWETL_TEST_S3` names no bucket; `deploy/test.sh` starts a server");
    let (bucket, options) = server.trim_start_matches("s3://").split_once('?').unwrap();
    let option = |name: &str| {
        let found = options.split('&').find_map(|option| option.strip_prefix(&format!("{name}=")));
        found.unwrap_or_else(|| panic!("{server}")).to_owned()
    };
    let world = World::new();
    let served = Served::start(&world);
    let wish = |secret: &str| {
        json!({ "name": "lake", "type": "s3", "endpoint": option("endpoint"), "bucket": bucket,
                "access_key": option("access_key"), "secret_key": secret })
    };
    let right = served.post("/connections/test", &wish(&option("secret_key")));
    assert_eq!(right["success"], true, "{right}");
    let wrong = served.post("/connections/test", &wish("not the key"));
    assert_eq!(wrong["success"], false, "{wrong}");
    let made = served.post("/connections", &wish(&option("secret_key")));
    assert!(!made.to_string().contains(&option("secret_key")), "{made}");
    assert_eq!(served.post(&format!("/connections/{}/test", id(&made)), &Value::Null)["success"], true);
    served.end();
}
