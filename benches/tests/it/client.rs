//! The command line as a client of a service over HTTP: accounts, organizations, connections, vaults.

use serde_json::json;

use crate::world::{Database, Ended, Running, World};

/// Whoever types at a machine of their own: what they sign in with is kept apart.
struct Person<'a> {
    world: &'a World,
    http: &'a str,
    name: &'static str,
}

impl Person<'_> {
    /// A command, with more in its environment.
    fn does_with(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Ended {
        let mut command = self.world.command(arguments);
        command.env("XDG_CONFIG_HOME", self.world.path(self.name)).env("FLOWETL_HOME", self.world.path("nobody"));
        command.env("FLOWETL_API", self.http).env("FLOWETL_PASSWORD", "correct horse");
        command.envs(environment.iter().copied());
        Running::start(command).wait()
    }

    fn does(&self, arguments: &[&str]) -> Ended {
        self.does_with(arguments, &[])
    }

    /// What a command that goes well says.
    fn says(&self, arguments: &[&str]) -> String {
        self.does(arguments).expect(0).out
    }
}

#[test]
fn a_client_keeps_accounts_organizations_connections_and_vaults() {
    let world = World::new();
    let mut serving = world.start(&["up", "--listen", "127.0.0.1:0"]);
    let http = serving.says("HTTP at ").split([' ', ',']).nth(2).unwrap().to_owned();
    let ann = Person { world: &world, http: &http, name: "ann" };
    let bob = Person { world: &world, http: &http, name: "bob" };
    people(&ann, &bob);
    connections(&ann, &bob);

    let locked = ann.does(&["lock"]).expect(2);
    assert!(locked.err.contains("master password"), "{}", locked.err);
    ann.does(&["logout"]).expect(0);
    let out = ann.does(&["user", "show"]).expect(2);
    assert!(out.err.contains("sign in first"), "{}", out.err);
    serving.signal("TERM");
    serving.wait().expect(0);
}

fn people(ann: &Person<'_>, bob: &Person<'_>) {
    let register = ["user", "register", "--email", "ann@example.com", "--name", "Ann", "--found", "Acme"];
    let registered = ann.does(&register).expect(0);
    assert!(registered.err.contains("as ann@example.com") && registered.out.is_empty(), "{}", registered.err);
    assert_eq!(ann.says(&["user", "show"]), "ann@example.com  Ann  super admin\nacme  owner  Acme\n");
    assert_eq!(ann.does(&["user", "show", "--json"]).expect(0).json()["email"], "ann@example.com");
    assert_eq!(ann.says(&["org", "list"]), "acme  owner  Acme\n");
    ann.does(&register).expect(2);

    let secret = ann.says(&["org", "invite", "bob@example.com", "--role", "editor"]);
    let register = ["user", "register", "--email", "bob@example.com", "--name", "Bob", "--invitation", secret.trim()];
    bob.does(&register).expect(0);
    assert_eq!(bob.says(&["org", "members"]), "ann@example.com  owner  Ann\nbob@example.com  editor  Bob\n");
    bob.does(&["org", "role", "ann@example.com", "viewer"]).expect(2);
    ann.does(&["org", "role", "bob@example.com", "viewer"]).expect(0);
    let members = ann.does(&["org", "members", "--json", "--organization", "acme"]).expect(0).json();
    assert_eq!(members[1]["role"], "viewer");
    let nobody = ann.does(&["org", "role", "carl@example.com", "viewer"]).expect(2);
    assert!(nobody.err.contains("there is no member `carl@example.com`"), "{}", nobody.err);

    let new = [("FLOWETL_NEW_PASSWORD", "battery staple")];
    bob.does_with(&["user", "password"], &new).expect(0);
    bob.does(&["login", "--email", "bob@example.com"]).expect(2);
    let new = [("FLOWETL_PASSWORD", "battery staple")];
    bob.does_with(&["login", "--email", "bob@example.com"], &new).expect(0);
}

fn connections(ann: &Person<'_>, bob: &Person<'_>) {
    let database = Database::postgres();
    let url = format!("{}?pool_size=4", database.url);
    let made = ann.does(&["connection", "add", "shop", &url, "--folder", "eu", "--json"]).expect(0);
    let made = made.json();
    assert_eq!(made["config"]["pool_size"], 4, "{made}");
    assert_eq!((&made["name"], &made["folder"], &made["type"]), (&json!("shop"), &json!("eu"), &json!("postgres")));
    let wrong = ann.does(&["connection", "add", "gone", "postgres://etl@127.0.0.1:1/gone"]).expect(1);
    assert!(wrong.out.is_empty() && wrong.err.contains("127.0.0.1:1"), "{}", wrong.err);
    ann.does(&["connection", "add", "gone", "postgres://etl:hush@127.0.0.1:1/gone", "--untested"]).expect(0);
    let list = bob.says(&["connection", "list", "--server", bob.http]);
    assert_eq!(list, "gone  postgres  both  untested\nshop  postgres  both  untested\n");
    bob.does(&["connection", "test", "shop", "--server", bob.http]).expect(2);
    let tested = ann.says(&["connection", "test", "shop", "--server", ann.http]);
    assert!(tested.starts_with("connected: PostgreSQL "), "{tested}");
    ann.does(&["connection", "test", "gone", "--server", ann.http]).expect(1);
    let list = ann.does(&["connection", "list", "--json", "--server", ann.http]).expect(0);
    assert!(!list.out.contains("hush"), "{}", list.out);
    assert_eq!(list.json().as_array().unwrap().len(), 2);
    bob.does(&["connection", "remove", "gone"]).expect(2);
    ann.does(&["connection", "remove", "gone"]).expect(0);
    let gone = ann.does(&["connection", "remove", "gone"]).expect(2);
    assert!(gone.err.contains("there is no connection `gone`"), "{}", gone.err);

    let master = [("FLOWETL_VAULT_PASSWORD", "master password")];
    let unlocked = ann.does_with(&["unlock"], &master).expect(2);
    assert!(!unlocked.err.contains("master password is"), "{}", unlocked.err);
}
