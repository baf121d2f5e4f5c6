//! The features that were promised, by their IDs, and that each has a test which is named after it.

use std::collections::BTreeSet;

use super::{SourceFile, browser_tests, report, rust_files};

/// The groups of features of the service, and how many each has.
const FEATURES: [(&str, u32); 13] = [
    ("cn", 20), // connections
    ("sd", 6),  // schema discovery
    ("pl", 13), // pipelines
    ("fi", 3),  // files
    ("sc", 8),  // scheduling
    ("st", 4),  // incremental and state
    ("mo", 11), // monitoring
    ("ap", 20), // endpoints
    ("dm", 15), // data model
    ("au", 13), // people and organizations
    ("se", 9),  // security and vault
    ("so", 3),  // settings of an organization
    ("nr", 3),  // retries and notifications
];

/// Features without a test. This list only shrinks.
const UNTESTED: &[&str] = &[];

#[test]
fn every_feature_has_a_test_of_its_name() {
    let files = rust_files();
    let pages = browser_tests();
    let named = files.iter().flat_map(functions).chain(pages.iter().flat_map(titles));
    let tested: BTreeSet<String> = named.flat_map(|name| features_of(&name)).collect();
    let promised = FEATURES.iter().flat_map(|(group, count)| (1..=*count).map(move |at| format!("{group}_{at}")));
    let mut breaches = Vec::new();
    for feature in promised {
        match (tested.contains(&feature), UNTESTED.contains(&feature.as_str())) {
            (false, false) => breaches.push(format!("no test is named after `{feature}`")),
            (true, true) => breaches.push(format!("`{feature}` has a test now: take it off the list of those without")),
            _ => {}
        }
    }
    report("every feature has a test whose name holds its ID", breaches);
}

#[test]
fn a_name_holds_one_feature_or_a_row_of_them() {
    assert_eq!(features_of("ap_3_to_5_connections"), ["ap_3", "ap_4", "ap_5"]);
    assert_eq!(features_of("so_1_and_so_3_an_organization"), ["so_1", "so_3"]);
    assert_eq!(features_of("step_3_is_none_and_so_forth"), [""; 0]);
    let file =
        SourceFile { path: "a.rs".into(), text: "async fn cn_1_a(b: C) {}\n    fn d() {}\nlet fn_e = 1;".into() };
    assert_eq!(functions(&file).collect::<Vec<_>>(), ["cn_1_a", "d"]);
    let page =
        SourceFile { path: "a.e2e.ts".into(), text: "\ntest(\n  \"CN-12, AU-9: a card\",\n  async () => {});".into() };
    let named: Vec<_> = titles(&page).flat_map(|name| features_of(&name)).collect();
    assert_eq!(named, ["cn_12", "au_9"]);
}

/// The names of a file's functions.
fn functions(file: &SourceFile) -> impl Iterator<Item = String> {
    let starts = file.text.lines().filter_map(|line| {
        let line = line.trim_start();
        line.strip_prefix("async fn ").or_else(|| line.strip_prefix("fn "))
    });
    starts.filter_map(|rest| Some(rest.split_once(['(', '<'])?.0.to_owned()))
}

/// The titles of a file's tests in the browser, as names: `test("CN-12: a card"` is `cn_12__a_card`.
fn titles(file: &SourceFile) -> impl Iterator<Item = String> {
    let starts = file.text.split("test(").skip(1).filter_map(|rest| rest.trim_start().strip_prefix('"'));
    let titles = starts.filter_map(|rest| rest.split('"').next());
    titles.map(|title| title.to_lowercase().replace(|c: char| !c.is_ascii_alphanumeric(), "_"))
}

/// The features that a test's name holds: `so_1_and_so_3_...` has two, `ap_3_to_9_...` has seven.
fn features_of(name: &str) -> Vec<String> {
    let parts: Vec<&str> = name.split('_').collect();
    let mut found = Vec::new();
    for (at, group) in parts.iter().enumerate() {
        let number = |at: usize| parts.get(at).and_then(|part| part.parse::<u32>().ok());
        let Some(first) = number(at + 1).filter(|_| FEATURES.iter().any(|(known, _)| known == group)) else { continue };
        let last = number(at + 3).filter(|_| parts.get(at + 2) == Some(&"to")).unwrap_or(first);
        found.extend((first..=last).map(|number| format!("{group}_{number}")));
    }
    found
}
