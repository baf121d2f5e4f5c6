//! An etcd that believes certificates and passwords only: a cluster that has them works, who lacks one finds nobody.

use std::fs;
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use etcd_client::{Certificate, Client as Etcd, ConnectOptions, Identity, TlsOptions};
use flowetl::Client;
use serde_json::json;
use tokio::runtime::Runtime;

use crate::cluster::Cluster;
use crate::failure::wait_until;
use crate::server::{client, small};
use crate::trust::{make, tls};
use crate::world::{Running, World, free_address};

const PASSWORD: &str = "a-password-that-appears-in-no-output";

/// An etcd of its own; it ends with this.
struct Guarded {
    child: Child,
    url: String,
}

impl Guarded {
    /// Takes clients only whose certificates the authority in `tls` signed.
    fn start(world: &World) -> Self {
        // The ports may be another's by the time that they are listened at.
        (0..5).find_map(|try_number| Self::try_start(world, try_number)).expect("etcd starts")
    }

    fn try_start(world: &World, try_number: usize) -> Option<Self> {
        let (url, peer) = (format!("https://{}", free_address()), format!("http://{}", free_address()));
        let log = fs::File::create(world.path("etcd.log")).unwrap();
        let mut command = Command::new("etcd");
        command.arg("--data-dir").arg(world.path(&format!("etcd-{try_number}"))).arg("--unsafe-no-fsync");
        command.args(["--log-level", "error", "--listen-client-urls", &url, "--advertise-client-urls", &url]);
        command.args(["--listen-peer-urls", &peer, "--initial-advertise-peer-urls", &peer]);
        command.args(["--initial-cluster", &format!("default={peer}"), "--client-cert-auth"]);
        command.args(["--trusted-ca-file", &tls(world, "ca.crt")]);
        command.args(["--cert-file", &tls(world, "etcd.crt"), "--key-file", &tls(world, "etcd.key")]);
        // It does not support every architecture by itself.
        command.env("ETCD_UNSUPPORTED_ARCH", if cfg!(target_arch = "aarch64") { "arm64" } else { "" });
        let child = command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        let mut etcd = Self { child, url };
        let mut runs = true;
        wait_until("etcd", || {
            runs = etcd.child.try_wait().unwrap().is_none();
            !runs || TcpStream::connect(etcd.url.strip_prefix("https://").unwrap()).is_ok()
        });
        runs.then_some(etcd)
    }

    /// Lets in only who signs in.
    fn demand_password(&self, world: &World) {
        let pem = |file: &str| fs::read(tls(world, file)).unwrap();
        let own = Identity::from_pem(pem("process.crt"), pem("process.key"));
        let tls = TlsOptions::new().ca_certificate(Certificate::from_pem(pem("ca.crt"))).identity(own);
        let options = Some(ConnectOptions::new().with_tls(tls));
        let runtime = Runtime::new().unwrap();
        let mut etcd = runtime.block_on(Etcd::connect([&self.url], options)).unwrap();
        // On a busy machine etcd gives up what it may have done all the same.
        wait_until("a refusal of who has no password", || {
            runtime.block_on(async {
                let _ = etcd.user_add("root", PASSWORD, None).await;
                let _ = etcd.user_grant_role("root", "root").await;
                let _ = etcd.auth_enable().await;
                etcd.get("/", None).await.is_err_and(|error| error.to_string().contains("permission denied"))
            })
        });
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        // Gone already where it did not start.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn an_etcd_that_asks_for_a_certificate_and_a_password_is_shown_both() {
    let world = small();
    make(&world, &["process", "etcd"]);
    let etcd = Guarded::start(&world);
    etcd.demand_password(&world);
    let mut cluster = Cluster::new(&world);
    cluster.set("RUST_LOG", "trace".to_owned());
    cluster.set("FLOWETL_ETCD", etcd.url.clone());
    cluster.set("FLOWETL_ETCD_CA", tls(&world, "ca.crt"));
    let refused = |cluster: &Cluster<'_>| {
        let said = cluster.start("refused", &["coordinator", "--listen", "127.0.0.1:0"]).wait().expect(2);
        assert!(said.err.contains("cannot find executors: etcd"), "{}", said.err);
        assert!(!said.err.contains(PASSWORD));
    };
    refused(&cluster);
    cluster.set("FLOWETL_ETCD_CERT", tls(&world, "process.crt"));
    cluster.set("FLOWETL_ETCD_KEY", tls(&world, "process.key"));
    refused(&cluster);
    cluster.set("FLOWETL_ETCD_USER", "root".to_owned());
    cluster.set("FLOWETL_ETCD_PASSWORD", PASSWORD.replace('a', "b"));
    refused(&cluster);

    cluster.set("FLOWETL_ETCD_PASSWORD", PASSWORD.to_owned());
    let (coordinator, url) = cluster.coordinator_with("coordinator", &[]);
    let executor = cluster.start("executor", &["executor", "--listen", "127.0.0.1:0"]);
    let runtime = Runtime::new().unwrap();
    let known = || runtime.block_on(async { Client::connect(&url).await.unwrap().executors().await.unwrap().len() });
    wait_until("the executor", || known() == 1);
    let ended = Running::start(client(&world, &url, &["run", "p.yml", "--json"])).wait().expect(0);
    assert_eq!(ended.json()["state"], json!("success"));
    // It withdraws what it has announced, and the other hears of it.
    executor.signal("TERM");
    let told = executor.wait().expect(0).err;
    wait_until("the executor's end", || known() == 0);
    coordinator.signal("TERM");
    for said in [told, coordinator.wait().expect(0).err] {
        assert!(!said.contains(PASSWORD), "the password is in an output");
    }
}

#[test]
fn what_is_wrong_with_the_way_to_etcd_is_named() {
    let world = World::new();
    make(&world, &["process"]);
    let (clear, encrypted) = (["--etcd", "http://127.0.0.1:1"], ["--etcd", "https://127.0.0.1:1"]);
    let (ca, own) = (["--etcd-ca", "tls/ca.crt"], ["--etcd-cert", "tls/process.crt"]);
    let cases = [
        ([&clear[..], &ca].concat(), "`--etcd` takes `https://host:port`"),
        ([&encrypted[..], &own].concat(), "`--etcd-cert` and `--etcd-key` go together"),
        ([&encrypted[..], &["--etcd-ca", "nowhere"]].concat(), "cannot read `--etcd-ca nowhere`"),
        ([&clear[..], &["--etcd-user", "root"]].concat(), "`--etcd-user` and `FLOWETL_ETCD_PASSWORD` go together"),
        (vec!["--etcd", "http://127.0.0.1:1,https://127.0.0.1:2"], "more of the same after commas"),
    ];
    for (settings, words) in cases {
        let said = world.run(&[&["coordinator"], &settings[..]].concat()).expect(2).err;
        assert!(said.contains(words), "`{words}` is not in: {said}");
    }
}
