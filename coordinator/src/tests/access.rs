//! Who is answered by the service: callers with a token, over a connection that they can trust.

use std::path::Path;
use std::sync::Arc;

use flowetl_proto::catalogue::Catalogue;
use flowetl_proto::trust::{Authority, Certificate};
use flowetl_proto::wire::v1;
use flowetl_proto::wire::v1::coordinator_client::CoordinatorClient;
use flowetl_proto::wire::v1::executor_client::ExecutorClient;
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};

use super::Database;
use super::simulate::{Process, TEST_LIMIT, world};
use super::world::Blind;
use crate::grpc::{self, Access, Tokens};
use crate::{Error, fleet};

/// The authority of one cluster and a certificate of it, in a folder of their own.
pub(crate) struct Certificates(TempDir);

impl Certificates {
    pub(crate) fn new() -> Self {
        let folder = TempDir::with_prefix("flowetl-certificates-").unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("deploy/certificates.sh");
        let made = std::process::Command::new(script).arg(folder.path()).arg("process").output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        Self(folder)
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.0.path().join(name)).unwrap()
    }

    pub(crate) fn authority(&self) -> Authority {
        Authority::new(&self.read("ca.crt")).unwrap()
    }

    pub(crate) fn own(&self) -> Certificate {
        Certificate::new(&self.read("process.crt"), &self.read("process.key")).unwrap()
    }
}

/// A coordinator that is served behind `access`.
struct Served {
    address: String,
    process: Process,
    stop: oneshot::Sender<()>,
    _database: Database,
}

impl Served {
    async fn start(access: Access) -> Self {
        let database = Database::sqlite();
        let process = Process::start(&database, &world(&[])).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let nothing = Catalogue { blocks: vec![], connectors: vec![] };
        let roster = Arc::new(fleet::Alone::new(process.handle.clone(), nothing, Arc::new(Blind)));
        let seat = grpc::Seat::alone(process.handle.clone(), roster);
        let (stop, stopped) = oneshot::channel();
        tokio::spawn(grpc::serve(listener, seat, access, async { drop(stopped.await) }));
        Self { address, process, stop, _database: database }
    }

    async fn channel(&self) -> Channel {
        Endpoint::from_shared(format!("http://{}", self.address)).unwrap().connect().await.unwrap()
    }

    async fn end(self) {
        self.stop.send(()).unwrap();
        self.process.die().await;
    }
}

/// Asks with what stands in the header, if anything does.
async fn asks(channel: &Channel, authorization: Option<&str>) -> Result<(), Status> {
    let mut request = Request::new(v1::ListRunsRequest {});
    if let Some(text) = authorization {
        request.metadata_mut().insert("authorization", text.parse().unwrap());
    }
    CoordinatorClient::new(channel.clone()).list_runs(request).await.map(drop)
}

fn line(name: &str, token: &str) -> String {
    let hash: String = Sha256::digest(token).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{name} {hash}\n")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_token_nothing_answers() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("tokens");
    std::fs::write(&path, line("ann", "first")).unwrap();
    let access = Access { certificate: None, tokens: Some(Tokens::read(&path).await.unwrap()) };
    let served = Served::start(access).await;
    let channel = served.channel().await;
    asks(&channel, Some("Bearer first")).await.unwrap();
    let none = "this coordinator answers calls with a token only, and none came with this one";
    let wrong = "the token that came with this call is none of this coordinator's";
    let cases = [(None, none), (Some("Bearer second"), wrong), (Some("first"), wrong), (Some("Basic first"), wrong)];
    for (shown, words) in cases {
        let refused = asks(&channel, shown).await.unwrap_err();
        assert_eq!((refused.code(), refused.message()), (Code::Unauthenticated, words), "{shown:?}");
    }
    // Whatever service is asked for, also one that is not there.
    let stranger = ExecutorClient::new(channel.clone()).describe(v1::DescribeRequest {}).await.unwrap_err();
    assert_eq!(stranger.code(), Code::Unauthenticated);

    // Who is taken out is refused, who is put in is answered, without a new start.
    std::fs::write(&path, line("bob", "second")).unwrap();
    until(async || asks(&channel, Some("Bearer second")).await.is_ok()).await;
    assert_eq!(asks(&channel, Some("Bearer first")).await.unwrap_err().code(), Code::Unauthenticated);
    // Nobody is let in by a file that cannot be read.
    std::fs::write(&path, "bob second\n").unwrap();
    until(async || asks(&channel, Some("Bearer second")).await.is_err()).await;
    std::fs::write(&path, line("bob", "second")).unwrap();
    until(async || asks(&channel, Some("Bearer second")).await.is_ok()).await;
    served.end().await;
}

async fn until(mut is_so: impl AsyncFnMut() -> bool) {
    let looking = async {
        while !is_so().await {
            sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    timeout(TEST_LIMIT, looking).await.expect("the file is read again");
}

#[tokio::test]
async fn a_file_without_tokens_is_refused_and_its_words_are_not_repeated() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("tokens");
    assert!(matches!(Tokens::read(&path).await, Err(Error::File { .. })));
    std::fs::write(&path, format!("{}ann a-token-in-the-clear\n", line("bob", "second"))).unwrap();
    let refused = Tokens::read(&path).await.unwrap_err().chain();
    assert!(refused.starts_with("line 2 of `") && !refused.contains("clear"), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_encrypts_is_sure_of_the_coordinator() {
    let (ours, theirs) = (Certificates::new(), Certificates::new());
    let served = Served::start(Access { certificate: Some(ours.own()), tokens: None }).await;
    let https = |tls| Endpoint::from_shared(format!("https://{}", served.address)).unwrap().tls_config(tls).unwrap();
    let channel = https(ours.authority().client()).connect().await.unwrap();
    asks(&channel, None).await.unwrap();
    assert!(https(theirs.authority().client()).connect().await.is_err(), "another authority's");
    assert!(https(ours.authority().client().domain_name("etl.example")).connect().await.is_err(), "another's name");
    if let Ok(channel) = Endpoint::from_shared(format!("http://{}", served.address)).unwrap().connect().await {
        assert!(asks(&channel, None).await.is_err(), "in the clear");
    }
    served.end().await;
}
