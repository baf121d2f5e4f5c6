//! What holds for every text: nothing panics, no password is shown, and a pipeline survives its JSON.

use proptest::prelude::*;

use super::{WHOLE, parse, problems, with_parser};
use crate::pipeline::{GraphDefinition, Layout, Pipeline, Spot};

/// Words that a file is made of, so that random texts come near to real ones.
fn any_yaml() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "blocks:",
        "connections:",
        "extract:",
        "sql:",
        "load:",
        "to:",
        "from:",
        "a",
        "b",
        "shop",
        "lake",
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "-",
        "|",
        ">",
        "&a",
        "*a",
        "\n",
        "\n  ",
        "\n    ",
        " ",
        "'",
        "\"",
        "select * from a",
        "{{",
        "}}",
        "ref('a')",
        "${env:X}",
        "postgres://u:p@h:1/d#t",
        "s3://b/p",
        "!t",
        "~",
        "10m",
        "1",
        "#",
        "shop.a.b",
        "é",
        "\t",
        "where:",
        "in:",
        "test:",
        "sync:",
        "%",
        "---",
        "?",
        "\u{feff}",
        "with a as (select 1)",
        "/",
        "*",
    ]);
    prop::collection::vec(word, 0..60).prop_map(|words| words.concat())
}

/// Pipelines of extracts, queries over them, and loads.
fn any_pipeline() -> impl Strategy<Value = String> {
    let source = prop::sample::select(vec!["shop.public.orders", "lake/raw/*.csv", "data/x.csv", "sqlite:a.db#t"]);
    let block = (source, any::<prop::sample::Index>(), any::<bool>(), 0..3);
    prop::collection::vec(block, 1..8).prop_map(|blocks| {
        let mut text = "connections: {shop: 'postgres://u:${env:P}@h/d', lake: s3://lake}\nblocks:\n".to_owned();
        for (i, (source, earlier, merges, kind)) in blocks.iter().enumerate() {
            let earlier = earlier.index(i.max(1));
            let line = match kind {
                1 if i > 0 => format!("q{i}: {{sql: select * from x{earlier}}}\n  x{i}: {{extract: {source}}}"),
                2 if i > 0 && *merges => format!(
                    "l{i}: {{load: x{earlier}, to: shop.t{i}, write: merge, key: [a]}}\n  x{i}: {{extract: {source}}}"
                ),
                _ => format!("x{i}: {{extract: {source}, where: a > {i}, sync: {{cursor: at, start: {i}.5}}}}"),
            };
            text.push_str(&format!("  {line}\n"));
        }
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn no_text_panics(text in any_yaml()) {
        let _ = parse(&text);
    }

    #[test]
    fn no_mutilated_file_panics(
        from in any::<prop::sample::Index>(), length in 0..30_usize, with in any_yaml(), unescaped in any::<bool>(),
    ) {
        let mut letters: Vec<char> = WHOLE.chars().collect();
        let start = from.index(letters.len());
        let end = (start + length).min(letters.len());
        let with = if unescaped { with } else { with.chars().take(3).collect() };
        letters.splice(start..end, with.chars());
        for problem in parse(&letters.iter().collect::<String>()).err().unwrap_or_default() {
            prop_assert!(problem.at.line >= 1 && problem.at.column >= 1, "{problem}");
        }
    }

    #[test]
    fn no_problem_shows_a_password(at in 0..60_usize, cut in 0..4_usize, with in "[a-z:/@#?%{}\\[\\] .$-]{0,3}", form in 0..7) {
        let url = "postgres://etl:hunter2@127.0.0.1:5432/shop?token=hunter2#public.orders";
        let (start, end) = (at.min(url.len()), (at + cut).min(url.len()));
        let url = format!("{}{with}{}", &url[..start], &url[end..]);
        // Elsewhere the word is no password any more.
        let is_secret = url.contains(":hunter2@") && url.contains("?token=hunter2");
        let text = match form {
            0 => format!("connections: {{shop: '{url}'}}\nfrom: shop.orders\nto: b.csv\n"),
            1 => format!("from: '{url}'\nto: b.csv\n"),
            2 => format!("connections: {{'{url}': x}}\nfrom: shop.orders\nto: b.csv\n"),
            3 => format!("from: a.csv\nto: '{url}'\n'{url}': 1\n"),
            4 => format!("blocks: {{a: {{load: '{url}', to: b.csv, after: '{url}'}}, '{url}': {{}}}}"),
            5 => format!("connections: {{shop: {{type: postgres, password: '{url}', port: '{url}', secret: ['{url}']}}}}"),
            _ => format!("blocks: {{a: {{sql: select 1, in: '{url}', to: '{url}'}}, '{url}': {{extrat: 1}}}}"),
        };
        for problem in problems(&text).into_iter().filter(|_| is_secret) {
            prop_assert!(!problem.contains("hunter2"), "{problem}\n{text}");
        }
    }

    #[test]
    fn no_characters_panic(text in "\\PC{0,80}") {
        let _ = parse(&text);
        let _ = parse(&format!("from: {text}\nto: x.csv"));
        let _ = parse(&format!("blocks:\n  a:\n    sql: |\n      {text}\n"));
        let _ = with_parser(|parser| parser.connection("shop", &format!("postgres://{text}")));
    }

    /// File, graph and file again are one pipeline.
    #[test]
    fn r12_a_pipeline_survives_its_graph(text in any_pipeline(), x in -1e6..1e6) {
        let layout = Layout::from([("x0".into(), Spot { x, y: 0.5 })]);
        let (first, graph) = with_parser(|parser| (parser.parse(&text), parser.graph(&text, &layout).unwrap()));
        let first = first.map_err(|p| TestCaseError::fail(format!("{p:?}\n{text}")))?.pipeline;
        let json = serde_json::to_string(&graph).unwrap();
        let graph: GraphDefinition = serde_json::from_str(&json).unwrap();
        prop_assert_eq!(graph.check(), Ok(()));
        let written = graph.to_text();
        let (second, again) = with_parser(|parser| (parser.parse(&written), parser.graph(&written, &graph.layout()).unwrap()));
        let second = second.map_err(|p| TestCaseError::fail(format!("{p:?}\n{written}")))?.pipeline;
        prop_assert_eq!(&second, &first, "{}", written);
        prop_assert_eq!(second.hash(), first.hash());
        prop_assert_eq!(&again, &graph);
        let edges = first.blocks.values().map(|block| block.upstream().count()).sum::<usize>();
        prop_assert_eq!(graph.edges.len(), edges);
    }

    #[test]
    fn a_pipeline_survives_json(text in any_pipeline()) {
        let pipeline = parse(&text).map_err(|p| TestCaseError::fail(format!("{p:?}\n{text}")))?.pipeline;
        let json = serde_json::to_string(&pipeline).unwrap();
        let back: Pipeline = serde_json::from_str(&json).unwrap();
        prop_assert_eq!(&back, &pipeline);
        prop_assert_eq!(back.hash(), pipeline.hash());
    }
}
