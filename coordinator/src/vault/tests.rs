//! Vaults on both databases: opened and locked, wrapped anew, and what a mistake or a thief can do to them.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use flowetl_proto::pipeline::Secret;
use flowetl_proto::run::Timestamp;
use tokio::time::timeout;

use super::{Fault, Keyring, NewPassword, Vault, Wrap};
use crate::accounts::{Caller, Organization, Refusal, Role, Tenant};
use crate::store::Store;
use crate::tests::{Database, on_both};
use crate::{Error, clock};

on_both!(
    se_1_secrets_are_sealed_by_their_organizations_own_key,
    se_2_a_changed_key_rewrites_wraps_alone,
    se_3_a_master_password_opens_what_the_key_does_not,
    se_4_a_vault_is_unlocked_after_a_start,
    se_5_what_was_changed_opens_no_more,
    se_7_guessing_gets_slower,
);

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

pub(crate) fn nobody() -> Caller {
    Caller::nobody(HERE)
}

/// A new organization and its owner.
pub(crate) async fn tenant(store: &Store, slug: &str) -> Tenant {
    let organization = Organization {
        id: clock::new_id(),
        name: slug.to_owned(),
        slug: slug.to_owned(),
        runs_at_once: None,
        created_at: Timestamp(clock::now()),
    };
    let mut directory = store.change_directory().await.unwrap();
    assert!(directory.add_organization(&organization).await.unwrap());
    directory.commit().await.unwrap();
    Tenant { organization, role: Role::Owner }
}

fn key() -> String {
    Keyring::generate().unwrap().reveal().to_owned()
}

fn vault(store: &Store, keys: &str) -> Vault {
    Vault::new(store.clone(), Keyring::parse(keys).unwrap())
}

fn secret() -> Secret {
    Secret::new("zażółć ${env:X}")
}

fn fault<T: std::fmt::Debug>(result: Result<T, Error>) -> Fault {
    match result.unwrap_err() {
        Error::Vault(fault) => fault,
        other => panic!("{other}"),
    }
}

fn refused<T: std::fmt::Debug>(result: Result<T, Refusal>) -> Fault {
    match result.unwrap_err() {
        Refusal::Failed(Error::Vault(fault)) => fault,
        other => panic!("{other}"),
    }
}

fn password(current: Option<&str>, password: &str, only: bool) -> NewPassword {
    NewPassword { current: current.map(str::to_owned), password: password.to_owned(), only }
}

async fn se_1_secrets_are_sealed_by_their_organizations_own_key(database: &Database) {
    let store = Store::open(&database.url).await.unwrap();
    let (acme, other) = (tenant(&store, "acme").await, tenant(&store, "other").await);
    let (acme, other) = (&acme.organization.id, &other.organization.id);
    let vault = vault(&store, &key());
    assert!(!vault.status(acme).await.unwrap().exists);
    let token = vault.seal(acme, &secret()).await.unwrap();
    assert!(token.starts_with("gAAAAA") && !token.contains("za"), "{token}");
    assert_eq!(vault.open(acme, &token, "`x`").await.unwrap(), secret());
    let damaged = Fault::Damaged("`x`".to_owned());
    assert_eq!(fault(vault.open(other, &token, "`x`").await), damaged, "there is no vault yet");
    vault.seal(other, &secret()).await.unwrap();
    assert_eq!(fault(vault.open(other, &token, "`x`").await), damaged);
    let status = vault.status(acme).await.unwrap();
    assert_eq!((status.locked, status.exists, status.key, status.password), (false, true, true, false));
    let nothing = Vault::new(store.clone(), Keyring::default());
    assert_eq!(fault(nothing.open(acme, &token, "`x`").await), Fault::OtherKey);
    let none = tenant(&store, "none").await;
    assert_eq!(fault(nothing.seal(&none.organization.id, &secret()).await), Fault::NoKey);
    assert_eq!(refused(nothing.lock(&nobody(), &none).await), Fault::NoPassword);
    store.close().await;
}

async fn se_2_a_changed_key_rewrites_wraps_alone(database: &Database) {
    let store = Store::open(&database.url).await.unwrap();
    let acme = tenant(&store, "acme").await.organization.id;
    let (old, new) = (key(), key());
    let token = vault(&store, &old).seal(&acme, &secret()).await.unwrap();
    let both = vault(&store, &format!("{new},{old}"));
    both.rewrap().await.unwrap();
    both.rewrap().await.unwrap();
    let after = vault(&store, &new);
    assert_eq!(after.open(&acme, &token, "`x`").await.unwrap(), secret(), "the token is the one of before");
    let before = vault(&store, &old);
    assert_eq!(fault(before.open(&acme, &token, "`x`").await), Fault::OtherKey);
    before.rewrap().await.unwrap();
    assert!(before.status(&acme).await.unwrap().locked);
    store.close().await;
}

async fn se_3_a_master_password_opens_what_the_key_does_not(database: &Database) {
    let store = Store::open(&database.url).await.unwrap();
    let acme = tenant(&store, "acme").await;
    let organization = &acme.organization.id;
    let keys = key();
    let by_key = vault(&store, &keys);
    let token = by_key.seal(organization, &secret()).await.unwrap();
    let status = by_key.set_password(&nobody(), &acme, password(None, "correct horse", false)).await.unwrap();
    assert_eq!((status.key, status.password, status.iterations), (true, true, Some(100_000)));
    let again = by_key.set_password(&nobody(), &acme, password(None, "another horse", false)).await;
    assert!(matches!(again, Err(Refusal::Wrong { field: "current", .. })));
    let wrong = password(Some("battery staple"), "another horse", false);
    assert_eq!(refused(by_key.set_password(&nobody(), &acme, wrong).await), Fault::WrongPassword);
    let short = by_key.set_password(&nobody(), &acme, password(Some("correct horse"), "short", false)).await;
    assert!(matches!(short, Err(Refusal::Wrong { field: "password", .. })));
    // The key is lost: the password is left.
    let lost = vault(&store, &key());
    assert_eq!(fault(lost.open(organization, &token, "`x`").await), Fault::Locked);
    lost.unlock(&nobody(), &acme, "correct horse".into()).await.unwrap();
    assert_eq!(lost.open(organization, &token, "`x`").await.unwrap(), secret());
    let new = password(Some("correct horse"), "another horse", false);
    lost.set_password(&nobody(), &acme, new).await.unwrap();
    assert_eq!(lost.open(organization, &token, "`x`").await.unwrap(), secret());
    assert_eq!(fault(vault(&store, &keys).open(organization, &token, "`x`").await), Fault::Locked);
    store.close().await;
}

async fn se_4_a_vault_is_unlocked_after_a_start(database: &Database) {
    let store = Store::open(&database.url).await.unwrap();
    let acme = tenant(&store, "acme").await;
    let organization = &acme.organization.id;
    // Without any key of the installation.
    let first = Vault::new(store.clone(), Keyring::default());
    let status = first.set_password(&nobody(), &acme, password(None, "correct horse", true)).await.unwrap();
    assert_eq!((status.locked, status.key, status.password), (false, false, true));
    let token = first.seal(organization, &secret()).await.unwrap();

    let started = Vault::new(store.clone(), Keyring::default());
    assert!(started.status(organization).await.unwrap().locked);
    assert_eq!(fault(started.open(organization, &token, "`x`").await), Fault::Locked);
    assert_eq!(fault(started.seal(organization, &secret()).await), Fault::Locked);
    assert_eq!(refused(started.unlock(&nobody(), &acme, "Correct horse".into()).await), Fault::WrongPassword);
    let waiting = tokio::spawn({
        let (vault, organizations) = (started.clone(), vec![organization.clone()]);
        async move { vault.unlocked(&organizations).await }
    });
    assert!(!started.unlock(&nobody(), &acme, "correct horse".into()).await.unwrap().locked);
    timeout(Duration::from_secs(60), waiting).await.unwrap().unwrap();
    assert_eq!(started.open(organization, &token, "`x`").await.unwrap(), secret());
    assert!(started.lock(&nobody(), &acme).await.unwrap().locked);
    assert_eq!(fault(started.open(organization, &token, "`x`").await), Fault::Locked);

    // One that the key opens, too, stays shut as well where somebody has locked it.
    let keys = key();
    let both = vault(&store, &keys);
    let new = password(Some("correct horse"), "another horse", false);
    assert!(both.set_password(&nobody(), &acme, new).await.unwrap().key);
    both.lock(&nobody(), &acme).await.unwrap();
    assert_eq!(fault(both.open(organization, &token, "`x`").await), Fault::Locked);
    assert_eq!(vault(&store, &keys).open(organization, &token, "`x`").await.unwrap(), secret(), "after a start");
    let actions = store.directory().await.unwrap().audit_log(Some(organization), None, 10).await.unwrap();
    let actions = actions.iter().map(|entry| entry.action.as_str()).collect::<Vec<_>>();
    let expected = ["vault.locked", "vault.password_set", "vault.locked", "vault.unlocked", "vault.password_set"];
    assert_eq!(actions, expected);
    store.close().await;
}

async fn se_5_what_was_changed_opens_no_more(database: &Database) {
    let store = Store::open(&database.url).await.unwrap();
    let acme = tenant(&store, "acme").await.organization.id;
    let keys = key();
    let token = vault(&store, &keys).seal(&acme, &secret()).await.unwrap();
    let mut changed = token.clone().into_bytes();
    changed[60] = if changed[60] == b'A' { b'B' } else { b'A' };
    let changed = String::from_utf8(changed).unwrap();
    let opened = vault(&store, &keys).open(&acme, &changed, "`password` of connection `shop`").await;
    let said = opened.unwrap_err().to_string();
    assert!(said.starts_with("`password` of connection `shop` cannot be opened"), "{said}");
    let mut directory = store.change_directory().await.unwrap();
    let Wrap::Key { sealed } = directory.wraps(&acme).await.unwrap().remove(0) else { panic!("no key") };
    let wrap = Wrap::Key { sealed: sealed.replacen("gAAAAA", "gAAAAB", 1) };
    directory.put_wrap(&acme, &wrap, 0).await.unwrap();
    directory.commit().await.unwrap();
    assert_eq!(fault(vault(&store, &keys).open(&acme, &token, "`x`").await), Fault::OtherKey);
    store.close().await;
}

async fn se_7_guessing_gets_slower(database: &Database) {
    let store = Store::open(&database.url).await.unwrap();
    let acme = tenant(&store, "acme").await;
    let vault = Vault::new(store.clone(), Keyring::default());
    vault.set_password(&nobody(), &acme, password(None, "correct horse", true)).await.unwrap();
    for _ in 0..5 {
        assert_eq!(refused(vault.unlock(&nobody(), &acme, "wrong".into()).await), Fault::WrongPassword);
    }
    let slowed = vault.unlock(&nobody(), &acme, "correct horse".into()).await;
    assert!(matches!(slowed, Err(Refusal::TooOften { .. })), "{slowed:?}");
    store.close().await;
}
