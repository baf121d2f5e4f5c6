//! An SSH server of a test's own, with one user key that it lets in: the person who runs the tests.

use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long it takes at most until the server listens.
const START_LIMIT: Duration = Duration::from_secs(10);

/// Lives as long as its test.
pub(crate) struct SshServer {
    folder: tempfile::TempDir,
    server: Child,
    pub(crate) port: u16,
    pub(crate) user: String,
}

fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn make_key(folder: &Path, name: &str, passphrase: &str) {
    let path = folder.join(name);
    run("ssh-keygen", &["-q", "-t", "ed25519", "-N", passphrase, "-C", "test", "-f", path.to_str().unwrap()]);
}

impl SshServer {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        for (name, passphrase) in [("host", ""), ("user", ""), ("stranger", ""), ("locked", "secret-words")] {
            make_key(folder.path(), name, passphrase);
        }
        fs::copy(path("user.pub"), path("authorized")).unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let settings = format!(
            "ListenAddress 127.0.0.1:{port}\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\nStrictModes no\nUsePAM no\n\
             PasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin prohibit-password\n\
             MaxStartups 100\nUseDNS no\n",
            path("host"),
            path("authorized")
        );
        fs::write(path("config"), settings).unwrap();
        // Where a server that is no service of the machine's would otherwise not start.
        let _ = fs::create_dir("/run/sshd");
        let log = fs::File::create(path("log")).unwrap();
        let mut command = Command::new("/usr/sbin/sshd");
        command.args(["-D", "-e", "-f", &path("config")]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let server = command.spawn().expect("the package `openssh-server`");
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(started.elapsed() < START_LIMIT, "{}", fs::read_to_string(path("log")).unwrap());
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { server, port, user: run("id", &["-un"]), folder }
    }

    /// `user`, `stranger` and `locked` are private keys, `host.pub` and the like public ones.
    pub(crate) fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    pub(crate) fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// `SHA256:...` of a public key.
    pub(crate) fn fingerprint(&self, name: &str) -> String {
        let told = run("ssh-keygen", &["-lf", &self.path(name)]);
        told.split(' ').nth(1).unwrap().to_owned()
    }

    /// The options of a connection that goes through it.
    pub(crate) fn options(&self) -> Vec<(&'static str, String)> {
        vec![
            ("ssh_host", "127.0.0.1".to_owned()),
            ("ssh_port", self.port.to_string()),
            ("ssh_user", self.user.clone()),
            ("ssh_key", self.path("user")),
            ("ssh_host_key", self.text("host.pub")),
        ]
    }

    /// How many `ssh` of this program lead here.
    pub(crate) fn clients(&self) -> usize {
        let port = self.port.to_string();
        let processes = fs::read_dir("/proc").unwrap().flatten();
        let lines = processes.filter_map(|process| fs::read(process.path().join("cmdline")).ok());
        let is_client = |line: &Vec<u8>| {
            let mut words = line.split(|&byte| byte == 0);
            words.next() == Some(b"ssh") && words.any(|word| word == port.as_bytes())
        };
        lines.filter(is_client).count()
    }
}

impl Drop for SshServer {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
