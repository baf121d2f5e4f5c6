//! A backup of an installation that serves, taken into a new one of the other database: people sign in there, pipelines run.

use std::path::Path;

use crate::failure::wait_until;
use crate::world::{Database, Ended, Running, World};

const KEY: &str = "ENCRYPTION_KEY";

/// An installation: its settings.
struct Installation<'a> {
    world: &'a World,
    settings: Vec<(&'static str, String)>,
}

impl Installation<'_> {
    fn start(&self, arguments: &[&str]) -> Running {
        let mut command = self.world.command(arguments);
        command.envs(self.settings.iter().map(|(name, value)| (*name, value)));
        Running::start(command)
    }

    fn does(&self, arguments: &[&str]) -> Ended {
        self.start(arguments).wait()
    }

    fn up(&self) -> (Running, String) {
        let mut serving = self.start(&["up", "--listen", "127.0.0.1:0"]);
        let http = serving.says("HTTP at ").split([' ', ',']).nth(2).unwrap().to_owned();
        (serving, http)
    }
}

/// Whoever asks a service, as ann.
fn ann(world: &World, http: &str, arguments: &[&str]) -> Ended {
    let mut command = world.command(arguments);
    command.env("XDG_CONFIG_HOME", world.path("ann")).env("FLOWETL_HOME", world.path("nobody"));
    command.env("FLOWETL_API", http).env("FLOWETL_PASSWORD", "correct horse");
    Running::start(command).wait()
}

fn runs(world: &World, http: &str) {
    ann(world, http, &["pipeline", "run", "copy"]).expect(0);
    wait_until("the run is over", || {
        let listed = ann(world, http, &["pipeline", "list", "--json"]).expect(0).json();
        let status = listed[0]["last_run"]["status"].as_str().unwrap_or_default().to_owned();
        assert!(status != "failed", "{listed}");
        status == "success"
    });
}

fn home(world: &World, name: &str) -> String {
    world.path(name).display().to_string()
}

#[test]
fn fi_3_a_backup_restores_into_a_new_installation() {
    let (world, metadata, shop) = (World::new(), Database::postgres(), Database::postgres());
    shop.run("create table orders (id integer primary key); insert into orders values (1), (2)");
    let key = world.run(&["keygen"]).expect(0).out.trim().to_owned();
    let old = Installation { world: &world, settings: vec![(KEY, key.clone())] };
    let settings = vec![
        (KEY, key.clone()),
        ("FLOWETL_HOME", home(&world, "new")),
        ("FLOWETL_DATABASE_URL", metadata.url.clone()),
        ("FLOWETL_STORAGE_URL", format!("file://{}", home(&world, "home/storage"))),
    ];
    let new = Installation { world: &world, settings };

    let (serving, http) = old.up();
    ann(&world, &http, &["user", "register", "--email", "ann@example.com", "--name", "Ann", "--found", "Acme"])
        .expect(0);
    ann(&world, &http, &["connection", "add", "shop", &shop.url]).expect(0);
    world.write("copy.yml", "from: shop.public.orders\nto: shop.public.copied\n");
    ann(&world, &http, &["apply", "copy.yml"]).expect(0);
    runs(&world, &http);
    let said = old.does(&["backup", "create", "copy.flowetl"]).expect(0).out;
    assert!(said.starts_with("copied ") && said.ends_with("rows: copy.flowetl\n"), "{said}");
    let again = old.does(&["backup", "create", "copy.flowetl"]).expect(2);
    assert!(again.err.contains("is there already"), "{}", again.err);
    let name = old.does(&["backup", "create"]).expect(0).out.trim().to_owned();
    assert!(old.does(&["backup", "list"]).expect(0).out.starts_with(&format!("{name}  ")));
    let full = old.does(&["backup", "restore", "copy.flowetl"]).expect(2);
    assert!(full.err.contains("is not empty"), "{}", full.err);
    serving.signal("TERM");
    serving.wait().expect(0);
    shop.run("drop table copied");

    let nothing = new.does(&["backup", "restore", "nothing.flowetl"]).expect(2);
    assert!(nothing.err.contains("there is no file and no backup `nothing.flowetl`"), "{}", nothing.err);
    let restored = new.does(&["backup", "restore", &name]).expect(0).out;
    assert!(restored.starts_with("restored "), "{restored}");
    assert!(!Path::new(&home(&world, "new")).join("vault.key").exists());
    let (serving, http) = new.up();
    ann(&world, &http, &["login", "--email", "ann@example.com"]).expect(0);
    assert_eq!(
        ann(&world, &http, &["user", "show"]).expect(0).out,
        "ann@example.com  Ann  super admin\nacme  owner  Acme\n"
    );
    runs(&world, &http);
    assert_eq!(shop.texts("select cast(id as text) from copied order by 1"), ["1", "2"]);
    serving.signal("TERM");
    serving.wait().expect(0);
}
