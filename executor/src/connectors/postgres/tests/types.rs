//! Every type, with its edges: what is read equals what the server prints, and what is copied equals its origin.

use flowetl_proto::pipeline::WriteMode;

use super::{attempt, loading, query, rows, table, texts, with_database};
use crate::connectors::postgres::types::TYPE_KEY;

/// Type, values as SQL, and how the text of Arrow differs from the server's, if it does.
const MATRIX: &[(&str, &[&str])] = &[
    ("bool", &["true", "false"]),
    ("int2", &["-32768", "32767", "0"]),
    ("int4", &["-2147483648", "2147483647", "0"]),
    ("int8", &["'-9223372036854775808'", "9223372036854775807", "0"]),
    ("oid", &["0", "4294967295"]),
    ("float4", &["1.5", "'-0'", "3.4028235e38", "1e-45"]),
    ("float8", &["1.5", "'-0'", "1.7976931348623157e308", "5e-324", "0.1"]),
    ("numeric(15,2)", &["9999999999999.99", "-9999999999999.99", "0", "0.01", "-0.1", "1000", "100000000"]),
    ("numeric(38,0)", &["99999999999999999999999999999999999999", "-99999999999999999999999999999999999999", "1"]),
    ("numeric(38,37)", &["9.9999999999999999999999999999999999999", "0.0000000000000000000000000000000000001"]),
    ("numeric(38,38)", &["0.99999999999999999999999999999999999999", "-0.00000000000000000000000000000000000001"]),
    ("numeric(5,5)", &["0.99999", "0.00001"]),
    ("numeric(3,5)", &["0.00999", "0.00001"]),
    ("numeric(3,-2)", &["99900", "100", "0"]),
    (
        "numeric(76,10)",
        &["123456789012345678901234567890123456789012345678901234567890123456.0123456789", "-0.0000000001"],
    ),
    (
        "numeric",
        &[
            "'NaN'",
            "'Infinity'",
            "'-Infinity'",
            "1.500",
            "-0.00012",
            "123456789012345678901234567890",
            "1e100",
            "0.000",
        ],
    ),
    ("numeric(90,3)", &["1e80", "-1.005"]),
    ("text", &["''", "'żółć 🐘'", "e'tab\\tnl\\n'", "'a''b\"c\\d'"]),
    ("varchar(5)", &["'abcde'", "''"]),
    ("char(5)", &["'ab'", "'abcde'"]),
    ("name", &["'pg_class'"]),
    ("\"char\"", &["'x'"]),
    ("bytea", &["'\\x'", "'\\x00ff10'"]),
    ("date", &["'0001-01-01'", "'9999-12-31'", "'1970-01-01'", "'1969-12-31'"]),
    ("timestamp", &["'0001-01-01 00:00:00'", "'9999-12-31 23:59:59.999999'", "'1969-12-31 23:59:59.999999'"]),
    ("timestamptz", &["'0001-01-02 00:00:00+00'", "'9999-12-30 23:59:59.999999+00'", "'2024-02-29 12:00:00+05:30'"]),
    ("time", &["'00:00:00'", "'23:59:59.999999'"]),
    ("timetz", &["'12:00:00+05:30'", "'23:59:59.999999-15:59'"]),
    ("interval", &["'1 year 2 months 3 days 04:05:06.789'", "'-1 day'", "'0'"]),
    ("uuid", &["'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", "'00000000-0000-0000-0000-000000000000'"]),
    ("json", &["'{\"a\":  [1, null]}'", "'1'"]),
    ("jsonb", &["'{\"a\":  [1, null]}'", "'\"x\"'"]),
    ("mood", &["'happy'", "'so, so'"]),
    ("\"Odd Schema\".\"Odd \"\"Enum\"", &["'a'"]),
    ("positive", &["1", "2147483647"]),
    ("inet", &["'192.168.0.1/24'", "'::1'"]),
    ("cidr", &["'10.0.0.0/8'"]),
    ("macaddr", &["'08:00:2b:01:02:03'"]),
    ("macaddr8", &["'08:00:2b:01:02:03:04:05'"]),
    ("money", &["'12.34'", "'-1000000.00'"]),
    ("bit(3)", &["B'101'"]),
    ("varbit(8)", &["B'101'", "B''"]),
    ("int4range", &["'[1,10)'", "'empty'"]),
    ("tstzrange", &["'[2024-01-01 00:00+00,)'"]),
    ("int4multirange", &["'{[1,3),[5,7)}'"]),
    ("point", &["'(1.5,-2)'"]),
    ("polygon", &["'((0,0),(1,1),(2,0))'"]),
    ("tsvector", &["'a:1 b:2'"]),
    ("tsquery", &["'a & b'"]),
    ("xml", &["'<a>x</a>'"]),
    ("pg_lsn", &["'16/B374D848'"]),
    ("pair", &["row(1, 'x y')"]),
    ("int4[]", &["'{1,NULL,-3}'", "'{}'"]),
    ("text[]", &["'{\"a,b\",\"\",NULL}'"]),
    ("varchar(3)[]", &["'{abc,d}'"]),
    ("numeric(10,2)[]", &["'{1.50,-2.00}'"]),
    ("timestamptz[]", &["'{2024-01-01 00:00:00+00}'"]),
    ("uuid[]", &["'{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}'"]),
    ("mood[]", &["'{happy,\"so, so\"}'"]),
    ("inet[]", &["'{10.0.0.1,::1}'"]),
    ("bytea[]", &["array['\\x00'::bytea]"]),
    ("jsonb[]", &["array['{\"a\": 1}'::jsonb]"]),
];

const TYPES: &str = "create type mood as enum ('happy', 'so, so'); create schema \"Odd Schema\"; \
    create type \"Odd Schema\".\"Odd \"\"Enum\" as enum ('a'); create domain positive as int check (value > 0); \
    create type pair as (a int, b text)";

/// `create table t` with a column per type, every value of each once and a row of nulls.
fn tables() -> String {
    let columns: Vec<String> = MATRIX.iter().enumerate().map(|(i, (t, _))| format!("c{i} {t}")).collect();
    let mut sql = format!("create table t (id int primary key, {}); insert into t values (0)", columns.join(", "));
    let mut id = 0;
    for (i, (of, values)) in MATRIX.iter().enumerate() {
        for value in *values {
            id += 1;
            sql.push_str(&format!("; insert into t (id, c{i}) values ({id}, ({value})::{of})"));
        }
    }
    sql
}

/// Arrow's text in the form that the server prints.
fn as_server(of: &str, text: &str) -> String {
    match of {
        "bytea" => format!("\\x{text}"),
        "float4" | "float8" => text.parse::<f64>().unwrap().to_string(),
        "timestamp" => text.replace('T', " "),
        "timestamptz" => text.replace('T', " ").replace('Z', "+00"),
        _ => text.to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_type_is_read_as_the_server_prints_it() {
    with_database(|mut db| async move {
        db.run(TYPES).await;
        db.run(&tables()).await;
        db.run("set timezone = 'UTC'").await;
        let batches = db.read(table("t")).await;
        let schema = batches[0].schema();
        assert_eq!(rows(&batches), 1 + MATRIX.iter().map(|(_, v)| v.len()).sum::<usize>());
        for (i, (of, _)) in MATRIX.iter().enumerate() {
            // Lists and intervals print in forms of their own; the copy below compares them.
            if of.ends_with("[]") || *of == "interval" {
                continue;
            }
            let column = format!("c{i}");
            let sql = format!("select id::text, {column}::text from t where {column} is not null");
            let mut expected = Vec::new();
            for row in db.rows(&sql).await {
                let text = row[1].clone().unwrap();
                let text = if of.starts_with("float") { text.parse::<f64>().unwrap().to_string() } else { text };
                expected.push(vec![row[0].clone().unwrap(), text]);
            }
            expected.sort();
            let index = schema.index_of(&column).unwrap();
            let found: Vec<_> = batches.iter().map(|b| b.project(&[0, index]).unwrap()).collect();
            let mut found: Vec<_> =
                texts(&found).into_iter().filter(|r| expected.iter().any(|e| e[0] == r[0])).collect();
            for row in &mut found {
                row[1] = as_server(of, &row[1]);
            }
            assert_eq!(found, expected, "{of}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_equals_its_origin_in_values_and_types() {
    with_database(|mut db| async move {
        db.run(TYPES).await;
        db.run(&tables()).await;
        for (write, name) in [(WriteMode::Replace, "copied"), (WriteMode::Append, "appended")] {
            let batches = db.read(table("t")).await;
            db.load(&attempt(name, 1), &loading(name, write), &batches).await.unwrap();
            let types = |of: &str| {
                format!(
                    "select a.attname, format_type(coalesce(nullif(t.typbasetype, 0), t.oid), a.atttypmod) from pg_attribute a
                    join pg_type t on t.oid = a.atttypid where attrelid = '{of}'::regclass and attnum > 0 order by attnum"
                )
            };
            assert_eq!(db.rows(&types("t")).await, db.rows(&types(name)).await);
            // Not every type can be compared, their texts can.
            let columns: Vec<String> = (0..MATRIX.len()).map(|i| format!("c{i}::text")).collect();
            let columns = columns.join(", ");
            for (a, b) in [("t", name), (name, "t")] {
                let sql = format!(
                    "select count(*) from (select id, {columns} from {a} except select id, {columns} from {b}) d"
                );
                assert_eq!(db.value(&sql).await, "0", "{a} except {b}");
            }
            assert_eq!(db.leftovers().await, "0");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_is_loaded_again_into_the_table_it_made() {
    with_database(|mut db| async move {
        db.run(TYPES).await;
        db.run(&tables()).await;
        let batches = db.read(table("t")).await;
        for (run, write) in [("1", WriteMode::Replace), ("2", WriteMode::Replace), ("3", WriteMode::Append)] {
            db.load(&attempt(run, 1), &loading("copied", write), &batches).await.unwrap();
        }
        let once = rows(&batches);
        assert_eq!(db.value("select count(*) from copied").await, (2 * once).to_string());
        db.run("delete from copied; alter table copied add primary key (id)").await;
        for run in ["4", "5"] {
            db.load(&attempt(run, 1), &super::merging("copied", &["id"]), &batches).await.unwrap();
        }
        assert_eq!(db.value("select count(*) from copied").await, once.to_string());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_arrow_cannot_hold_is_an_error_that_names_column_and_row() {
    with_database(|mut db| async move {
        for (of, value) in [
            ("timestamptz", "'infinity'"),
            ("timestamp", "'-infinity'"),
            ("date", "'infinity'"),
            ("numeric(10,2)", "'NaN'"),
            ("int4[]", "'{{1,2},{3,4}}'"),
            ("int4[]", "'[0:1]={1,2}'"),
            ("interval", "'9000000 hours'"),
        ] {
            db.run(&format!(
                "drop table if exists t; create table t (id int, v {of}); insert into t values (17, {value})"
            ))
            .await;
            let error = super::select(db.source(table("t")).await.unwrap(), "select * from t").await.unwrap_err();
            let message = error.to_failure().message;
            assert_eq!(error.class, flowetl_proto::code::Class::User, "{message}");
            assert!(message.contains("`v`") && message.contains("id=17") && message.contains("::text"), "{message}");
            let cast = db.read(query("select id, v::text from t")).await;
            assert_eq!(rows(&cast), 1);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_remember_their_type_and_a_forged_one_is_never_run() {
    with_database(|mut db| async move {
        db.run("create table t (a varchar(3) not null, b numeric(9,2)); insert into t values ('x', 1)").await;
        let batches = db.read(table("t")).await;
        let schema = batches[0].schema();
        assert_eq!(schema.field(0).metadata()[TYPE_KEY], "character varying(3)");
        assert!(!schema.field(0).is_nullable() && schema.field(1).is_nullable());
        let forged = "int4); drop table t; --".to_owned();
        let field = schema.field(0).clone().with_metadata([(TYPE_KEY.to_owned(), forged)].into());
        let schema = std::sync::Arc::new(arrow::datatypes::Schema::new(vec![field]));
        let batch = arrow::array::RecordBatch::try_new(schema, vec![batches[0].column(0).clone()]).unwrap();
        db.load(&attempt("r", 1), &loading("forged", WriteMode::Replace), &[batch]).await.unwrap();
        assert_eq!(db.value("select count(*) from t").await, "1");
        assert_eq!(db.value("select pg_typeof(a) from forged").await, "text");
    })
    .await;
}
