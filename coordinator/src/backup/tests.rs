//! Copies of one installation, restored into another: of the same kind of database, and of the other.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::sync::Arc;

use flowetl_proto::run::{Options, Phase};
use serde_json::json;

use super::*;
use crate::accounts::{Accounts, Doors, Registration, Tenant};
use crate::connections::tests::{Fake, RIGHT};
use crate::connections::{ConnectionQuery, Connections, Wish};
use crate::tests::simulate::{Process, config, world};
use crate::tests::{Database, extract, load, pipeline};
use crate::vault::tests::nobody;

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const PASSWORD: &str = "correct horse";

/// An installation with a person, a connection with a secret, and a run. Gives the organization and the copy.
async fn filled(database: &Database) -> (Tenant, PathBuf, u64) {
    let process = Process::start(database, &world(&[])).await;
    let accounts = Accounts::open(process.handle.store(), &Doors::new()).await.unwrap();
    let wish = Registration {
        email: "ann@example.com".into(),
        password: PASSWORD.into(),
        name: "Ann".into(),
        organization: Some("Acme".into()),
        invitation: None,
    };
    accounts.register(wish, HERE).await.unwrap();
    let tenant = accounts.open_tenant(None).await.unwrap();
    let connections = Connections::new(process.handle.vault(), Arc::new(Fake::default()));
    let shop = json!({ "name": "shop", "type": "postgres", "host": "db", "password": RIGHT });
    let wish = Wish::read(shop.as_object().unwrap().clone()).ok().unwrap();
    connections.create(&nobody(), &tenant, wish).await.unwrap();
    let run =
        process.handle.submit(pipeline("p", vec![extract("a"), load("b", "a", "append")]), Options::default()).await;
    process.wait(&run.unwrap()).await.unwrap();
    // While the installation is served.
    let file = database.home.path().join("copy.flowetl");
    let rows = back_up(&config(database), &file).await.unwrap();
    process.die().await;
    (tenant, file, rows)
}

/// What was filled is there and works.
async fn works(database: &Database, tenant: &Tenant) {
    let process = Process::start(database, &world(&[])).await;
    let accounts = Accounts::open(process.handle.store(), &Doors::new()).await.unwrap();
    assert!(accounts.sign_in("ann@example.com", PASSWORD.into(), HERE).await.is_ok());
    let runs = process.handle.runs().await.unwrap();
    assert_eq!((runs.len(), runs[0].state), (1, Phase::Success));
    let connections = Connections::new(process.handle.vault(), Arc::new(Fake::default()));
    let query = ConnectionQuery { organization: tenant.organization.id.clone(), limit: 10, ..Default::default() };
    let shop = connections.list(&query).await.unwrap().remove(0);
    assert!(connections.test(tenant, &shop.id).await.unwrap().success, "its secret is opened with the same key");
    let again = pipeline("p", vec![extract("a"), load("b", "a", "append")]);
    let run = process.handle.submit(again, Options::default()).await.unwrap();
    assert_eq!(process.wait(&run).await.unwrap().state, Phase::Success);
    process.die().await;
}

async fn moves(from: Database, to: Database) {
    let (tenant, file, rows) = filled(&from).await;
    let text = String::from_utf8(zstd::decode_all(&std::fs::read(&file).unwrap()[..]).unwrap()).unwrap();
    let key = std::fs::read_to_string(from.home.path().join("vault.key")).unwrap();
    assert!(key.trim().len() > 40 && from.dump().await.contains("shop"), "there is something to look for");
    for secret in [RIGHT, key.trim(), PASSWORD] {
        assert!(!text.contains(secret), "`{secret}` is in the copy");
    }
    assert!(!text.contains("signing_key"), "whoever has it signs in as anybody");
    assert_eq!(restore(&config(&to), &file).await.unwrap(), rows);
    std::fs::copy(from.home.path().join("vault.key"), to.home.path().join("vault.key")).unwrap();
    works(&to, &tenant).await;
    let refused = restore(&config(&to), &file).await.unwrap_err().to_string();
    assert!(refused.contains("is not empty"), "{refused}");
    from.drop().await;
    to.drop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fi_3_a_copy_of_sqlite_restores_into_postgres() {
    moves(Database::sqlite(), Database::postgres().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fi_3_a_copy_of_postgres_restores_into_sqlite() {
    moves(Database::postgres().await, Database::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fi_3_a_damaged_copy_restores_nothing() {
    let (from, to) = (Database::sqlite(), Database::sqlite());
    let (_, file, _) = filled(&from).await;
    let text = String::from_utf8(zstd::decode_all(&std::fs::read(&file).unwrap()[..]).unwrap()).unwrap();
    let refused = async |text: String, why: &str| {
        let other = from.home.path().join("other");
        std::fs::write(&other, zstd::encode_all(text.as_bytes(), 1).unwrap()).unwrap();
        let refused = restore(&config(&to), &other).await.unwrap_err().to_string();
        assert!(refused.contains(why), "{refused}");
    };
    refused(text.replacen("Ann", "Eve", 1), "its checksum is another").await;
    let mut lines: Vec<_> = text.lines().collect();
    lines.pop();
    refused(lines.join("\n"), "its end is missing").await;
    refused(text.replacen(&schema().to_string(), "7", 1), "schema 7").await;
    refused("anything".into(), "is no backup").await;
    let cut = std::fs::read(&file).unwrap();
    std::fs::write(&file, &cut[..cut.len() / 2]).unwrap();
    assert!(restore(&config(&to), &file).await.is_err());
    assert_eq!(to_is_empty(&to).await, None);
    from.drop().await;
    to.drop().await;
}

async fn to_is_empty(database: &Database) -> Option<String> {
    let store = config(database).store().await.unwrap();
    let holds = store.holds().await.unwrap();
    store.close().await;
    holds
}
