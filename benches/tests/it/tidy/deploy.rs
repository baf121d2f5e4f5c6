//! What the ways to install this publish: nothing that need not be reached.

use std::fs;

use super::root;

#[test]
fn se_9_compose_publishes_the_coordinator_alone_and_to_this_machine_alone() {
    let text = fs::read_to_string(root().join("deploy/compose.yaml")).unwrap();
    let services = text.split_once("\nservices:\n").unwrap().1.split_once("\nnetworks:\n").unwrap().0;
    let mut service = "";
    let mut published = Vec::new();
    for line in services.lines() {
        match line.strip_prefix("  ").filter(|rest| !rest.starts_with([' ', '#'])) {
            Some(name) => service = name.trim_end_matches(':'),
            None if line.trim_start().starts_with("ports:") => published.push((service, line.trim())),
            None => {}
        }
    }
    assert_eq!(published.iter().map(|(service, _)| *service).collect::<Vec<_>>(), ["coordinator"], "{published:?}");
    for port in published[0].1.split('"').skip(1).step_by(2) {
        assert!(port.starts_with("127.0.0.1:"), "{port}");
    }
    for server in ["postgres", "etcd", "minio"] {
        let own = services.split_once(&format!("\n  {server}:\n")).unwrap().1;
        let own = own.split("\n\n").next().unwrap();
        assert!(own.contains("networks: [cluster]"), "{server} is reached from outside");
    }
    assert!(text.contains("cluster: {internal: true}"));
}
