//! Connections on both databases, with an executor that knows one right password.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use flowetl_proto::catalogue::{BlockDescription, Catalogue, ConnectorDescription, Places};
use flowetl_proto::code::{Class, Failure};
use flowetl_proto::control::Segment;
use flowetl_proto::id::{BlockId, ExecutorId};
use flowetl_proto::look::{FileState, Found, Inspector, NotFound, RowsForm, SegmentPlan};
use flowetl_proto::pipeline::{ConnectionSpec, Pipeline, Reference, Unsealed};
use flowetl_proto::tables::{PAGE_TABLES, Sample, Table};
use flowetl_proto::wire::v1::ExecutorInfo;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::{Connection, ConnectionQuery, ConnectionView, Connections, Wish};
use crate::accounts::{Refusal, Tenant};
use crate::fleet::Roster;
use crate::store::Store;
use crate::tests::world::Blind;
use crate::tests::{Database, on_both, service};
use crate::vault::tests::{nobody, tenant};
use crate::vault::{Keyring, Vault};
use crate::{Error, clock};

on_both!(
    cn_1_cn_3_cn_5_a_connection_is_made_shown_changed_and_deleted,
    cn_2_a_name_is_one_connections_in_its_organization,
    cn_6_a_draft_is_tested_with_what_is_kept,
    cn_7_cn_10_cn_11_a_test_is_kept_until_the_settings_change,
    cn_18_what_was_not_tested_for_long_is_tested,
    cn_19_a_list_is_found_by_type_direction_folder_and_words,
    se_5_no_secret_is_shown_or_written_down,
);

/// The password that is right, and one that nobody may ever see again.
pub(crate) const RIGHT: &str = "planted-secret-0815";

/// An executor as tests of connections see it.
#[derive(Default)]
pub(crate) struct Fake {
    /// What it was asked to test: the connection as it is printed, and the secrets that came with it.
    pub asked: Mutex<Vec<(String, Value)>>,
    /// What it finds wherever it looks, and how often it did.
    pub tables: Mutex<Vec<Table>>,
    pub discovered: AtomicU64,
    /// What lies wherever it lists files.
    pub files: Mutex<Vec<FileState>>,
    /// It looks once it has this.
    pub held: tokio::sync::Mutex<()>,
    /// Why it finds nothing the next time.
    pub broken: Mutex<Option<String>>,
    /// What it announces beside what others do.
    pub more: Mutex<Option<(BlockDescription, ConnectorDescription)>>,
}

pub(crate) fn catalogue() -> Catalogue {
    let text = json!({ "type": "string" });
    let connector = |name: &str, schemes: &[&str], places, settings: Value| ConnectorDescription {
        name: name.into(),
        label: name.into(),
        schemes: schemes.iter().map(|s| s.to_string()).collect(),
        places,
        settings,
    };
    let database = json!({
        "type": "object", "additionalProperties": false, "required": ["type", "host"],
        "properties": {
            "host": text, "port": { "type": "integer", "minimum": 1, "maximum": 65535, "default": 5432 },
            "username": text, "password": { "type": "string", "writeOnly": true }, "database": text,
            "sslmode": { "type": "string", "enum": ["disable", "require"] },
            "api_token": { "type": "string", "format": "password" },
        },
    });
    let folder = json!({
        "type": "object", "additionalProperties": false, "required": ["type", "path"],
        "properties": { "type": { "const": "file" }, "path": text },
    });
    let connectors = vec![
        connector("postgres", &["postgres", "postgresql"], Places::Tables, database),
        connector("file", &["file"], Places::Paths, folder),
    ];
    Catalogue { connectors, ..service::catalogue() }
}

#[async_trait]
impl Inspector for Fake {
    async fn plan(
        &self,
        pipeline: &Pipeline,
        segments: &[Segment],
        remembered: &BTreeMap<BlockId, Value>,
        secrets: &Unsealed,
    ) -> Result<Vec<SegmentPlan>, Failure> {
        Blind.plan(pipeline, segments, remembered, secrets).await
    }

    async fn preview(
        &self,
        of: &Pipeline,
        block: &BlockId,
        rows: (usize, RowsForm),
        secrets: &Unsealed,
    ) -> Result<Vec<u8>, Failure> {
        Blind.preview(of, block, rows, secrets).await
    }

    async fn test(
        &self,
        _: &str,
        connection: &ConnectionSpec,
        secrets: &Unsealed,
    ) -> Result<Result<Found, NotFound>, Failure> {
        let came = serde_json::to_value(secrets).unwrap();
        let is_right = connection.scheme == "file" || came.as_object().unwrap().values().any(|secret| secret == RIGHT);
        self.asked.lock().unwrap().push((connection.to_string(), came));
        let refused = || NotFound { message: "wrong password".into(), hint: Some("check it".into()) };
        Ok(if is_right { Ok(Found { version: "Fake 1.0".into() }) } else { Err(refused()) })
    }

    async fn discover(
        &self,
        _: &str,
        _: &ConnectionSpec,
        secrets: &Unsealed,
        pages: mpsc::Sender<Vec<Table>>,
    ) -> Result<(), Failure> {
        drop(self.held.lock().await);
        self.discovered.fetch_add(1, Ordering::SeqCst);
        assert!(serde_json::to_string(secrets).unwrap().contains(RIGHT), "it could not sign in");
        let tables = self.tables.lock().unwrap().clone();
        for page in tables.chunks(PAGE_TABLES) {
            pages.send(page.to_vec()).await.unwrap();
        }
        let broken = self.broken.lock().unwrap().take();
        broken.map_or(Ok(()), |message| Err(Failure::new(Class::User, message)))
    }

    async fn sample(&self, _: &ConnectionSpec, from: &Reference, rows: usize, _: &Unsealed) -> Result<Sample, Failure> {
        if let Some(message) = self.broken.lock().unwrap().take() {
            return Err(Failure::new(Class::User, message));
        }
        let rows = vec![vec![Some(format!("{from} {rows}"))]];
        Ok(Sample { columns: vec![("asked".into(), "Utf8".into())], rows, incomplete: false })
    }

    async fn files(&self, _: &ConnectionSpec, _: &Reference, _: &Unsealed) -> Result<Vec<FileState>, Failure> {
        match self.broken.lock().unwrap().take() {
            Some(message) => Err(Failure::new(Class::User, message)),
            None => Ok(self.files.lock().unwrap().clone()),
        }
    }
}

#[async_trait]
impl Roster for Fake {
    fn catalogue(&self) -> Option<Arc<Catalogue>> {
        let mut catalogue = catalogue();
        if let Some((block, connector)) = self.more.lock().unwrap().clone() {
            catalogue.blocks.push(block);
            catalogue.connectors.push(connector);
        }
        Some(Arc::new(catalogue))
    }

    fn executors(&self) -> Vec<ExecutorInfo> {
        Vec::new()
    }

    async fn drain(&self, _: &ExecutorId) -> Result<(), Failure> {
        Err(Failure::new(Class::User, "nobody asks"))
    }
}

/// Connections of a new organization.
struct World {
    store: Store,
    fake: Arc<Fake>,
    connections: Connections,
    acme: Tenant,
}

impl World {
    async fn new(database: &Database) -> Self {
        let store = Store::open(&database.url).await.unwrap();
        let acme = tenant(&store, "acme").await;
        let keys = Keyring::parse(Keyring::generate().unwrap().reveal()).unwrap();
        let fake = Arc::new(Fake::default());
        let connections = Connections::new(&Vault::new(store.clone(), keys), fake.clone());
        Self { store, fake, connections, acme }
    }

    async fn create(&self, document: Value) -> Result<Connection, Refusal> {
        self.connections.create(&nobody(), &self.acme, wish(document)).await
    }

    async fn change(&self, id: &str, document: Value) -> Result<Connection, Refusal> {
        self.connections.change(&nobody(), &self.acme, id, wish(document)).await
    }

    async fn names(&self, query: ConnectionQuery) -> Vec<String> {
        let query = ConnectionQuery { organization: self.acme.organization.id.clone(), limit: 100, ..query };
        self.connections.list(&query).await.unwrap().into_iter().map(|connection| connection.name).collect()
    }
}

fn wish(document: Value) -> Wish {
    Wish::read(document.as_object().unwrap().clone()).unwrap_or_else(|refusal| panic!("{refusal}"))
}

fn shop() -> Value {
    json!({
        "name": "Production shop", "db_type": "postgresql", "host": "localhost", "database": "shop",
        "username": "etl", "password": RIGHT,
    })
}

fn shown(connection: &Connection) -> Value {
    serde_json::to_value(ConnectionView::from(connection.clone())).unwrap()
}

fn wrong<T>(result: Result<T, Refusal>) -> (&'static str, String) {
    match result {
        Err(Refusal::Wrong { field, message }) => (field, message),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it was taken"),
    }
}

async fn cn_1_cn_3_cn_5_a_connection_is_made_shown_changed_and_deleted(database: &Database) {
    let world = World::new(database).await;
    let made = world.create(shop()).await.unwrap();
    let view = shown(&made);
    for (key, value) in [
        ("_id", json!(made.id)),
        ("db_type", json!("postgresql")),
        ("type", json!("postgresql")),
        ("host", json!("localhost")),
        // Nobody said it.
        ("port", json!(5432)),
        ("username", json!("etl")),
        ("password", json!("encrypted_value")),
        ("direction", json!("both")),
        ("is_source", json!(true)),
        ("last_tested_at", Value::Null),
        ("last_test_status", Value::Null),
    ] {
        assert_eq!(view[key], value, "{key}");
    }
    assert_eq!(view["config"]["password"], "encrypted_value");
    let token = &made.sealed["password"];
    let moved = world.change(&made.id, json!({ "host": "new-host.com", "port": 5433 })).await.unwrap();
    assert_eq!((&moved.config["host"], &moved.config["port"]), (&json!("new-host.com"), &json!(5433)));
    assert_eq!(moved.sealed["password"], *token, "what is not said stays");
    assert!(moved.updated_at > made.updated_at);
    // Sent back as it was shown, but for one place.
    let mut again = shown(&moved);
    again["host"] = json!("third");
    let again = world.change(&made.id, again).await.unwrap();
    assert_eq!((&again.config["host"], &again.sealed["password"]), (&json!("third"), token));
    let (field, _) = wrong(world.change(&made.id, json!({ "host": "a", "config": { "host": "b" } })).await);
    assert_eq!(field, "config");
    let referred = world.change(&made.id, json!({ "password": "${env:SHOP_PASSWORD}" })).await.unwrap();
    assert!(referred.sealed.is_empty());
    assert_eq!(shown(&referred)["password"], "${env:SHOP_PASSWORD}", "a reference is no secret");
    let none = world.change(&made.id, json!({ "password": null })).await.unwrap();
    assert!(none.sealed.is_empty() && none.config.get("password").is_none());
    world.connections.delete(&nobody(), &world.acme, &made.id, false).await.unwrap();
    let gone = world.connections.get(&world.acme, &made.id).await;
    assert!(matches!(gone, Err(Refusal::NotFound(_))));
    world.store.close().await;
}

async fn cn_2_a_name_is_one_connections_in_its_organization(database: &Database) {
    let world = World::new(database).await;
    let made = world.create(shop()).await.unwrap();
    assert!(matches!(world.create(shop()).await, Err(Refusal::Conflict(_))));
    let other = world.create(json!({ "name": "lake", "type": "file", "path": "/lake" })).await.unwrap();
    let taken = world.change(&other.id, json!({ "name": "Production shop" })).await;
    assert!(matches!(taken, Err(Refusal::Conflict(_))));
    world.change(&made.id, json!({ "name": "Production shop" })).await.unwrap();
    let stranger = tenant(&world.store, "stranger").await;
    world.connections.create(&nobody(), &stranger, wish(shop())).await.unwrap();
    assert!(matches!(world.connections.get(&stranger, &made.id).await, Err(Refusal::NotFound(_))));
    let foreign = world.connections.change(&nobody(), &stranger, &made.id, wish(json!({}))).await;
    assert!(matches!(foreign, Err(Refusal::NotFound(_))));
    assert!(world.connections.delete(&nobody(), &stranger, &made.id, false).await.is_err());
    for (change, field, words) in [
        (json!({ "name": "" }), "name", "1 to 100 characters"),
        (json!({ "name": "a.b" }), "name", "has none of `.`"),
        (json!({ "db_type": "oracle" }), "type", "there are `postgres`, `postgresql`, `file`"),
        (json!({ "port": 70000 }), "config", "65535"),
        (json!({ "hots": "x" }), "config", "did you mean `host`?"),
        (json!({ "host": null }), "config", "the key `host` is missing"),
        (json!({ "password": 7 }), "config", "`password` takes text"),
        (json!({ "host": "${vault:x/y/password}" }), "config", "not understood"),
    ] {
        let mut document = shop();
        document["name"] = json!("another");
        for (key, value) in change.as_object().unwrap() {
            document[key] = value.clone();
        }
        let (found, message) = wrong(world.create(document).await);
        assert_eq!(found, field, "{message}");
        assert!(message.contains(words), "{message}");
        assert!(!message.contains(RIGHT), "{message}");
    }
    let relative = wrong(world.create(json!({ "name": "lake", "type": "file", "path": "relative" })).await);
    assert!(relative.1.contains("`path` begins with `/`"), "{}", relative.1);
    world.store.close().await;
}

async fn cn_6_a_draft_is_tested_with_what_is_kept(database: &Database) {
    let world = World::new(database).await;
    let answer = world.connections.test_draft(&world.acme, wish(shop())).await.unwrap();
    assert_eq!(
        serde_json::to_value(answer).unwrap(),
        json!({ "success": true, "message": "Connection successful", "details": { "db_type": "postgresql", "version": "Fake 1.0" } })
    );
    assert!(world.names(ConnectionQuery::default()).await.is_empty(), "nothing is kept");
    let mut document = shop();
    document["password"] = json!("wrong");
    let answer = world.connections.test_draft(&world.acme, wish(document)).await.unwrap();
    assert_eq!(
        (answer.success, answer.message.as_str(), answer.hint.as_deref()),
        (false, "wrong password", Some("check it"))
    );
    let made = world.create(shop()).await.unwrap();
    // As a form sends it that shows what is kept.
    let mut edited = shown(&made);
    edited["host"] = json!("elsewhere");
    assert!(world.connections.test_draft(&world.acme, wish(edited)).await.unwrap().success);
    let (connection, secrets) = world.fake.asked.lock().unwrap().last().unwrap().clone();
    assert!(connection.contains("elsewhere") && !connection.contains(RIGHT), "{connection}");
    assert_eq!(secrets.as_object().unwrap().len(), 1);
    assert!(world.connections.get(&world.acme, &made.id).await.unwrap().test.is_none());
    world.store.close().await;
}

async fn cn_7_cn_10_cn_11_a_test_is_kept_until_the_settings_change(database: &Database) {
    let world = World::new(database).await;
    let made = world.create(shop()).await.unwrap();
    assert!(world.connections.test(&world.acme, &made.id).await.unwrap().success);
    let view = shown(&world.connections.get(&world.acme, &made.id).await.unwrap());
    assert_eq!((&view["last_test_status"], &view["last_test_version"]), (&json!("success"), &json!("Fake 1.0")));
    let tested = view["last_tested_at"].clone();
    let named = world.change(&made.id, json!({ "name": "shop", "folder": "/eu/" })).await.unwrap();
    assert_eq!((&shown(&named)["last_tested_at"], &shown(&named)["folder"]), (&tested, &json!("eu")));
    let changed = world.change(&made.id, json!({ "password": "wrong" })).await.unwrap();
    assert_eq!(shown(&changed)["last_tested_at"], Value::Null);
    assert!(!world.connections.test(&world.acme, &made.id).await.unwrap().success);
    let view = shown(&world.connections.get(&world.acme, &made.id).await.unwrap());
    assert_eq!((&view["last_test_status"], &view["last_test_message"]), (&json!("failed"), &json!("wrong password")));
    world.store.close().await;
}

async fn cn_18_what_was_not_tested_for_long_is_tested(database: &Database) {
    let world = World::new(database).await;
    let made = world.create(shop()).await.unwrap();
    let status = async || {
        let view = shown(&world.connections.get(&world.acme, &made.id).await.unwrap());
        (view["last_test_status"].clone(), view["last_tested_at"].clone())
    };
    assert_eq!(status().await.0, Value::Null);
    world.connections.check(clock::now()).await.unwrap();
    let (found, at) = status().await;
    assert_eq!(found, "success");
    let since = made.created_at.0 - 1;
    world.connections.check(since).await.unwrap();
    assert_eq!(status().await, (found, at), "it was tested since then");
    assert_eq!(world.fake.asked.lock().unwrap().len(), 1);
    world.store.close().await;
}

async fn cn_19_a_list_is_found_by_type_direction_folder_and_words(database: &Database) {
    let world = World::new(database).await;
    for (name, kind, direction, folder) in [
        ("one", "postgres", "source", ""),
        ("two", "postgresql", "destination", "eu/west"),
        ("three", "file", "both", "eu/west"),
    ] {
        let document = json!({ "name": name, "type": kind, "direction": direction, "folder": folder });
        let mut document = document.as_object().unwrap().clone();
        let settings = if kind == "file" { json!({ "path": "/100%_lake" }) } else { json!({ "host": "Berlin" }) };
        document.insert("config".into(), settings);
        world.create(Value::Object(document)).await.unwrap();
    }
    let query = ConnectionQuery::default;
    assert_eq!(world.names(query()).await, ["three", "two", "one"]);
    let kinds = vec!["postgres".to_owned(), "postgresql".to_owned()];
    assert_eq!(world.names(ConnectionQuery { kinds, ..query() }).await, ["two", "one"]);
    let direction = Some("source".parse().unwrap());
    assert_eq!(world.names(ConnectionQuery { direction, ..query() }).await, ["one"]);
    assert_eq!(world.names(ConnectionQuery { folder: Some("eu/west".into()), ..query() }).await, ["three", "two"]);
    assert_eq!(world.names(ConnectionQuery { folder: Some(String::new()), ..query() }).await, ["one"]);
    for (search, found) in
        [("TW", vec!["two"]), ("berlin", vec!["two", "one"]), ("0%_l", vec!["three"]), ("b%n", vec![])]
    {
        assert_eq!(world.names(ConnectionQuery { search: Some(search.into()), ..query() }).await, found, "{search}");
    }
    let two = ConnectionQuery { organization: world.acme.organization.id.clone(), limit: 2, ..query() };
    let after = Some(world.connections.list(&two).await.unwrap()[1].id.clone());
    assert_eq!(world.names(ConnectionQuery { after, ..query() }).await, ["one"]);
    world.store.close().await;
}

async fn se_5_no_secret_is_shown_or_written_down(database: &Database) {
    let world = World::new(database).await;
    let made = world.create(shop()).await.unwrap();
    world.change(&made.id, json!({ "password": RIGHT, "api_token": RIGHT })).await.unwrap();
    world.connections.test(&world.acme, &made.id).await.unwrap();
    let named = world.connections.named(&world.acme.organization.id, &catalogue()).await.unwrap();
    let spec = &named["Production shop"];
    let expected = format!("${{vault:{}/{}/password}}", made.organization, made.id);
    assert_eq!(spec.password.as_deref(), Some(expected.as_str()));
    assert_eq!(spec.sealed().count(), 2);
    let dump = database.dump().await;
    assert!(dump.contains("Production shop") && dump.contains("connection.changed"), "{dump}");
    assert!(!dump.contains(RIGHT));
    world.connections.delete(&nobody(), &world.acme, &made.id, false).await.unwrap();
    let gone = super::unseal(&Vault::new(world.store.clone(), Keyring::default()), [spec]).await;
    assert!(matches!(gone, Err(Error::NoSecret(_))));
    assert!(!database.dump().await.contains(RIGHT));
    world.store.close().await;
}
