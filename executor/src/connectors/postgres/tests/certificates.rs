//! Certificates, against a server of their own that asks for them, with authorities that `openssl` makes here.

use std::path::Path;
use std::process::{Command, Stdio};

use flowetl_proto::code::Class;
use flowetl_proto::pipeline::{Connection, Secret, WriteMode};

use super::{Postgres, attempt, context, loading, rows, select, source, table};
use crate::connectors::{Committed, Connector, SinkRequest, System};
use crate::inspect::hint::hint;

/// A server that encrypts, and lets `etl` in by a certificate alone.
struct Server {
    folder: tempfile::TempDir,
    port: u16,
}

/// Runs a program to its end, as the user that may run a database server.
fn run(as_server: bool, folder: &Path, program: &str, arguments: &[&str]) -> std::process::Output {
    let is_root = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
    let mut command = match as_server && is_root {
        true => {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--", program]);
            command
        }
        false => Command::new(program),
    };
    command.args(arguments).current_dir(folder).stdin(Stdio::null()).output().unwrap()
}

fn done(as_server: bool, folder: &Path, program: &str, arguments: &[&str]) {
    let output = run(as_server, folder, program, arguments);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {said}");
}

/// The folder of the server's programs.
fn programs() -> String {
    let mut found: Vec<_> = glob::glob("/usr/lib/postgresql/*/bin/initdb").unwrap().flatten().collect();
    found.sort();
    let program = found.pop().expect("PostgreSQL's programs in /usr/lib/postgresql");
    program.parent().unwrap().to_str().unwrap().to_owned()
}

/// An authority, and one that it does not know.
fn make_certificates(folder: &Path) {
    let openssl = |arguments: &[&str]| done(false, folder, "openssl", arguments);
    for authority in ["ours", "foreign"] {
        let (key, certificate) = (format!("{authority}.key"), format!("{authority}.crt"));
        let subject = format!("/CN={authority}");
        openssl(&[
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "2",
            "-subj",
            &subject,
            "-keyout",
            &key,
            "-out",
            &certificate,
        ]);
    }
    let signed = [
        ("server", "ours", "db.test"),
        ("etl", "ours", "etl"),
        ("other", "ours", "other"),
        ("stranger", "foreign", "etl"),
    ];
    for (name, authority, subject) in signed {
        let file = |ending: &str| format!("{name}.{ending}");
        std::fs::write(folder.join(file("ext")), format!("subjectAltName=DNS:{subject}\n")).unwrap();
        openssl(&[
            "req",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-subj",
            &format!("/CN={subject}"),
            "-keyout",
            &file("key"),
            "-out",
            &file("csr"),
        ]);
        openssl(&[
            "x509",
            "-req",
            "-in",
            &file("csr"),
            "-CA",
            &format!("{authority}.crt"),
            "-CAkey",
            &format!("{authority}.key"),
            "-CAcreateserial",
            "-days",
            "2",
            "-extfile",
            &file("ext"),
            "-out",
            &file("crt"),
        ]);
    }
    openssl(&["pkey", "-in", "etl.key", "-aes256", "-passout", "pass:x", "-out", "locked.key"]);
}

impl Server {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        make_certificates(folder.path());
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        // The server's user must reach its folder, and own its key.
        done(false, folder.path(), "chmod", &["-R", "a+rX", "."]);
        let (bin, data) = (programs(), folder.path().join("data"));
        std::fs::create_dir(&data).unwrap();
        std::fs::copy(folder.path().join("server.key"), folder.path().join("serving.key")).unwrap();
        done(false, folder.path(), "chmod", &["600", "serving.key"]);
        if run(false, folder.path(), "id", &["-u"]).stdout == b"0\n" {
            done(false, folder.path(), "chown", &["postgres", "data", "serving.key"]);
        }
        let server = Self { folder, port };
        let path = |name: &str| server.path(name);
        let (data, log) = (path("data"), path("data/server.log"));
        server.as_server(&format!("{bin}/initdb"), &["-D", &data, "-U", "postgres", "-A", "trust", "--no-sync"]);
        std::fs::write(
            path("data/postgresql.auto.conf"),
            format!(
                "listen_addresses = '127.0.0.1'\nport = {port}\nunix_socket_directories = ''\nfsync = off\nssl = on\n\
                 ssl_cert_file = '{}'\nssl_key_file = '{}'\nssl_ca_file = '{}'\n",
                path("server.crt"),
                path("serving.key"),
                path("ours.crt")
            ),
        )
        .unwrap();
        let rules = "host all postgres 127.0.0.1/32 trust\nhostssl all all 127.0.0.1/32 trust clientcert=verify-full\n";
        std::fs::write(path("data/pg_hba.conf"), rules).unwrap();
        server.as_server(&format!("{bin}/pg_ctl"), &["-D", &data, "-l", &log, "-w", "-t", "60", "start"]);
        server
    }

    fn as_server(&self, program: &str, arguments: &[&str]) {
        done(true, self.folder.path(), program, arguments);
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn connection(&self, user: &str, options: &[(&str, &str)]) -> Connection {
        Connection {
            name: "db".into(),
            scheme: "postgres".into(),
            host: Some("127.0.0.1".into()),
            port: Some(self.port),
            user: Some(user.into()),
            password: None,
            path: "postgres".into(),
            options: options.iter().map(|(key, value)| ((*key).to_owned(), Secret::new(*value))).collect(),
        }
    }

    /// Options of a connection that shows the certificate of this name.
    fn shown<'a>(&self, name: &str, more: &[(&'a str, &'a str)]) -> Connection {
        let (certificate, key) = (self.path(&format!("{name}.crt")), self.path(&format!("{name}.key")));
        let options = [("sslcert", certificate.as_str()), ("sslkey", key.as_str())];
        self.connection("etl", &[&options[..], more].concat())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let arguments = ["-D", &self.path("data"), "-m", "immediate", "stop"];
        run(true, self.folder.path(), &format!("{}/pg_ctl", programs()), &arguments);
    }
}

async fn opened(connection: Connection) -> std::sync::Arc<dyn System> {
    Postgres.open(connection, context()).await.unwrap()
}

/// What a connection that must not work says.
async fn refused(connection: Connection) -> String {
    let error = opened(connection).await.version().await.unwrap_err();
    assert_eq!(error.class, Class::User, "{}", error.message);
    error.message
}

#[tokio::test(flavor = "multi_thread")]
async fn cn_16_a_client_certificate_opens_the_door_and_no_other_does() {
    let server = Server::start();
    opened(server.connection("postgres", &[])).await.version().await.unwrap();
    let mut admin = super::client_of(server.connection("postgres", &[])).await;
    admin.execute("create role etl login; create table t as select generate_series(1, 100) as id").await.unwrap();
    admin.execute("grant select on t to etl; grant create on schema public to etl").await.unwrap();

    let root = ("sslrootcert", server.path("ours.crt"));
    let full = [("sslmode", "verify-ca"), (root.0, root.1.as_str())];
    let version = opened(server.shown("etl", &full)).await.version().await.unwrap();
    assert!(version.starts_with("PostgreSQL"), "{version}");

    // Rows go both ways, with the texts themselves, in one line, as a form has them.
    let text = |name: &str| std::fs::read_to_string(server.path(name)).unwrap().replace('\n', "");
    let (certificate, key, ca) = (text("etl.crt"), text("etl.key"), text("ours.crt"));
    let texts = [("sslmode", "verify-ca"), ("sslrootcert", &ca), ("sslcert", &certificate), ("sslkey", &key)];
    let system = opened(server.connection("etl", &texts)).await;
    assert!(!format!("{system:?}").contains("PRIVATE"));
    let read = select(source(&*system, table("t")).await.unwrap(), "select * from t").await.unwrap();
    assert_eq!(rows(&read), 100);
    let load = loading("made", WriteMode::Replace);
    let sink = system
        .sink(SinkRequest {
            attempt: attempt("r", 1),
            block: "out".into(),
            to: table(&load.table),
            write: load.write,
            key: Vec::new(),
            schema: read[0].schema(),
            options: serde_json::Value::Null,
        })
        .await
        .unwrap();
    sink.begin().await.unwrap();
    let mut writer = sink.writer(0).await.unwrap();
    for batch in read {
        writer.write(batch).await.unwrap();
    }
    let staged = sink.prepare(&writer.finish().await.unwrap()).await.unwrap();
    assert_eq!(sink.commit(&staged, &[]).await.unwrap(), Committed::Done);
    assert_eq!(admin.query("select sum(id) from made").await.unwrap()[0][0].as_deref(), Some("5050"));

    let require = [("sslmode", "require")];
    let none = refused(server.connection("etl", &require)).await;
    assert!(none.contains("connection requires a valid client certificate"), "{none}");
    assert!(hint(&none).unwrap().contains("`sslcert`"), "{none}");
    let others = refused(server.shown("other", &require)).await;
    // Servers name the way of signing in that stands beside the certificate, each version in its own words.
    assert!(others.contains("authentication failed for user \"etl\""), "{others}");
    let foreign = refused(server.shown("stranger", &require)).await;
    assert!(foreign.contains("does not take the client certificate of `sslcert`"), "{foreign}");
    assert!(foreign.contains("UnknownCA"), "{foreign}");
    assert!(hint(&foreign).unwrap().contains("`sslcert`"), "{foreign}");
}

#[tokio::test(flavor = "multi_thread")]
async fn cn_16_a_server_is_believed_as_far_as_sslmode_says() {
    let server = Server::start();
    let (ours, foreign) = (server.path("ours.crt"), server.path("foreign.crt"));
    let with = |mode, root: &str, host: &str| {
        let mut connection = server.connection("postgres", &[("sslmode", mode), ("sslrootcert", root)]);
        connection.host = Some(host.into());
        connection
    };
    for mode in ["verify-ca", "verify-full", "require"] {
        let said = refused(with(mode, &foreign, "127.0.0.1")).await;
        assert!(said.contains("invalid peer certificate"), "{mode}: {said}");
    }
    opened(with("verify-ca", &ours, "127.0.0.1")).await.version().await.unwrap();
    let said = refused(with("verify-full", &ours, "127.0.0.1")).await;
    assert!(said.contains("not valid for name"), "{said}");
    // Files that are not what they should be are named; what is in them is not told.
    for (option, file, says) in [
        ("sslkey", "locked.key", "`sslkey` is encrypted"),
        ("sslkey", "other.key", "cannot be used together"),
        ("sslkey", "etl.crt", "`sslkey` holds no private key"),
        ("sslkey", "none.key", "none.key` cannot be read: entity not found"),
        ("sslcert", "etl.key", "`sslcert` holds no certificate"),
    ] {
        let mut connection = server.shown("etl", &[("sslmode", "require")]);
        connection.options.insert(option.into(), Secret::new(server.path(file)));
        let said = refused(connection).await;
        assert!(said.contains(says), "{option}={file}: {said}");
    }
}

#[tokio::test]
async fn cn_16_a_certificate_and_its_key_come_together() {
    for (options, says) in [
        (&[("sslcert", "/c")][..], "`sslcert` needs its `sslkey`"),
        (&[("sslkey", "/k")], "`sslkey` needs its `sslcert`"),
        (&[("sslcert", "/c"), ("sslkey", "/k"), ("sslmode", "disable")], "only where the connection is encrypted"),
    ] {
        let mut connection = super::connection("");
        connection.options = options.iter().map(|(key, value)| ((*key).to_owned(), Secret::new(*value))).collect();
        let error = Postgres.open(connection, context()).await.unwrap_err();
        assert_eq!(error.class, Class::User);
        assert!(error.message.contains(says), "{}", error.message);
    }
    let described = Postgres.describe();
    assert!(described.secrets().any(|key| key == "sslkey"));
}
