//! Every change under every policy, as a table.

use arrow::datatypes::DataType;
use serde_json::{Value, json};

use super::*;

const POLICIES: [&str; 5] = ["evolve", "freeze", "discard_value", "discard_row", "pause"];

fn schema(columns: &[(&str, DataType)]) -> SchemaRef {
    Arc::new(Schema::new(columns.iter().map(|(n, t)| Field::new(*n, t.clone(), false)).collect::<Vec<_>>()))
}

fn judge(rest: Value, before: &[(&str, DataType)], after: &[(&str, DataType)]) -> Result<Drift> {
    let mut settings = json!({"extract": {"table": {"connection": "c", "schema": null, "table": "t"}}});
    settings.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    let settings: Extract = serde_json::from_value(settings).unwrap();
    drift(&BlockId::new("t"), &settings, Some(&schema(before)), &schema(after))
}

/// What is read, in one line: `id=0 x=cast 1 y=null, guards 2`.
fn shown(drift: &Drift) -> String {
    let column = |(field, origin): (&Arc<Field>, &Origin)| {
        let from = match origin {
            Origin::As(index) => format!("{index}"),
            Origin::Cast { from, strict } => format!("{}({from})", if *strict { "strict" } else { "cast" }),
            Origin::Null => "null".to_owned(),
        };
        format!("{} {}={from}", field.name(), field.data_type())
    };
    let columns: Vec<_> = drift.schema.fields().iter().zip(&drift.origins).map(column).collect();
    format!("{} guards {:?}", columns.join(", "), drift.guards)
}

#[test]
fn every_change_under_every_policy() {
    use DataType::{Int32, Int64, Utf8};
    let refused =
        |difference: &str, key: &str, policy: &str| format!("{difference}, and `schema: {{{key}: {policy}}}`");
    let [new, gone, widened, other] = [
        [vec![("id", Int64)], vec![("x", Utf8), ("id", Int64)]],
        [vec![("x", Utf8), ("id", Int64)], vec![("id", Int64)]],
        [vec![("id", Int64), ("x", Int32)], vec![("id", Int64), ("x", Int64)]],
        [vec![("id", Int64), ("x", Int64)], vec![("id", Int64), ("x", Utf8)]],
    ];
    let cases = [
        (
            new,
            "columns",
            "column `x` (Utf8) is new",
            ["x Utf8=0, id Int64=1 guards []", "id Int64=1 guards []", "id Int64=1 guards [0]"],
        ),
        (
            gone,
            "columns",
            "column `x` (Utf8) is gone",
            ["id Int64=0 guards []", "id Int64=0, x Utf8=null guards []", "id Int64=0, x Utf8=null guards []"],
        ),
        (
            widened,
            "types",
            "column `x` was Int32 and is Int64",
            [
                "id Int64=0, x Int64=1 guards []",
                "id Int64=0, x Int32=cast(1) guards []",
                "id Int64=0, x Int32=strict(1) guards []",
            ],
        ),
        (
            other,
            "types",
            "column `x` was Int64 and is Utf8",
            [
                "id Int64=0, x Utf8=1 guards []",
                "id Int64=0, x Int64=cast(1) guards []",
                "id Int64=0, x Int64=strict(1) guards []",
            ],
        ),
    ];
    for ([before, after], key, difference, [evolve, value, row]) in cases {
        for policy in POLICIES {
            let judged = judge(json!({"schema": {key: policy}}), &before, &after);
            let expected = match policy {
                "evolve" => evolve,
                "discard_value" => value,
                "discard_row" => row,
                _ => {
                    let error = judged.unwrap_err();
                    assert!(error.message.starts_with(&refused(difference, key, policy)), "{error}");
                    assert!(error.message.contains(&format!("`{key}: evolve`")), "no next step in: {error}");
                    assert_eq!(error.message.contains("--full-refresh"), policy == "pause", "{error}");
                    continue;
                }
            };
            let drift = judged.unwrap();
            assert_eq!(shown(&drift), expected, "{key}: {policy}");
            assert_eq!(drift.changes.len(), 1);
            assert!(drift.changes[0].to_string().starts_with(difference), "{}", drift.changes[0]);
            // What is read is what is remembered: under the same policy the next run finds the same, or nothing.
            let again = drift_of(&drift, key, policy, &after);
            assert_eq!(shown(&again), expected, "{key}: {policy}");
            assert_eq!(again.changes.is_empty(), policy == "evolve");
        }
    }
}

fn drift_of(before: &Drift, key: &str, policy: &str, after: &[(&str, DataType)]) -> Drift {
    let before: Vec<_> = before.schema.fields().iter().map(|f| (f.name().as_str(), f.data_type().clone())).collect();
    judge(json!({"schema": {key: policy}}), &before, after).unwrap()
}

#[test]
fn the_first_read_takes_the_source_as_it_is() {
    let present = schema(&[("id", DataType::Int64)]);
    let settings = json!({
        "extract": {"table": {"connection": "c", "schema": null, "table": "t"}},
        "schema": {"columns": "freeze", "types": "freeze"},
    });
    let drift = drift(&BlockId::new("t"), &serde_json::from_value(settings).unwrap(), None, &present).unwrap();
    assert!(drift.is_none(&present) && drift.changes.is_empty());
}

#[test]
fn columns_that_are_not_read_may_change() {
    let before = [("id", DataType::Int64), ("gone", DataType::Utf8), ("x", DataType::Utf8)];
    let after = [("id", DataType::Int64), ("x", DataType::Int64), ("new", DataType::Utf8)];
    let frozen = json!({"columns": "freeze", "types": "pause"});
    for columns in [json!({"include": ["id"]}), json!({"exclude": ["gone", "x", "new"]})] {
        let drift = judge(json!({"schema": frozen, "columns": columns}), &before, &after).unwrap();
        assert_eq!(shown(&drift), "id Int64=0, x Int64=1, new Utf8=2 guards []", "`where` may name any of them");
        assert!(drift.changes.is_empty());
    }
}

#[test]
fn all_refused_changes_are_named() {
    let before = [("id", DataType::Int64), ("a", DataType::Int64)];
    let after = [("id", DataType::Utf8), ("b", DataType::Int64)];
    let error = judge(json!({"schema": {"columns": "freeze", "types": "pause"}}), &before, &after).unwrap_err();
    for name in ["`id` was Int64 and is Utf8", "`b` (Int64) is new", "`a` (Int64) is gone"] {
        assert!(error.message.contains(name), "{error}");
    }
    assert_eq!((error.class, error.block), (flowetl_proto::code::Class::User, Some(BlockId::new("t"))));
}

#[test]
fn nothing_stands_in_for_a_cursor() {
    let before = [("id", DataType::Int64), ("at", DataType::Int64)];
    for after in [vec![("id", DataType::Int64)], vec![("id", DataType::Int64), ("at", DataType::Utf8)]] {
        for policy in ["discard_value", "discard_row"] {
            let schema = json!({"columns": policy, "types": policy});
            let error = judge(json!({"schema": schema, "sync": {"cursor": "at"}}), &before, &after).unwrap_err();
            assert!(error.message.contains("cannot stand in for the cursor"), "{error}");
        }
    }
}
