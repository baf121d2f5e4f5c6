//! Alerts in both databases, taken to real receivers over loopback: ones that fail, are slow, come back, or never answer.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use flowetl_proto::code::Class;
use flowetl_proto::run::Phase;
use ring::hmac;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};

use super::post::secret_bytes;
use super::{AlertEvent, DeliveryItem, DeliveryQuery, DeliveryState, Desk, DestinationWish, Kind, Mail, Pace, reader};
use crate::accounts::{Accounts, Caller, Doors, Invitation, Invited, Person, Refusal, Role};
use crate::store::Store;
use crate::tests::pipelines::{Desk as Work, FILE};
use crate::tests::simulate::{Process, TEST_LIMIT, world};
use crate::tests::world::Turn;
use crate::tests::{Database, on_both};

on_both!(
    nr_2_a_failing_target_is_tried_until_it_comes_back,
    nr_2_a_target_that_never_answers_delays_no_other_and_no_run,
    nr_2_what_is_never_taken_is_given_up_and_can_be_sent_again,
    nr_2_each_is_told_once_whoever_reads,
    x11_a_pipeline_without_success_is_stale_once_until_it_succeeds,
    nr_2_secrets_are_sealed_and_wrong_wishes_refused,
);

/// As fast as a test can be; one try may take long.
const PACE: Pace = Pace {
    look_every: Duration::from_millis(5),
    try_limit: TEST_LIMIT,
    first_wait: Duration::from_millis(1),
    longest_wait: Duration::from_millis(2),
};

/// How a call is answered.
#[derive(Clone, Copy)]
pub(crate) enum Reply {
    Status(u16),
    /// Not at all.
    Never,
}

/// A call that came.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub head: String,
    pub body: String,
}

impl Call {
    fn header(&self, name: &str) -> &str {
        let found = self.head.lines().filter_map(|line| line.split_once(": ")).find(|(key, _)| *key == name);
        found.unwrap_or_else(|| panic!("no `{name}` in {}", self.head)).1
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// Whether it is signed with a secret, as Standard Webhooks say.
    fn is_signed(&self, secret: &str) -> bool {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &secret_bytes(secret).unwrap());
        let text = format!("{}.{}.{}", self.header("webhook-id"), self.header("webhook-timestamp"), self.body);
        let signature = self.header("webhook-signature").strip_prefix("v1,").unwrap();
        hmac::verify(&key, text.as_bytes(), &BASE64_STANDARD.decode(signature).unwrap()).is_ok()
    }
}

/// Takes calls over HTTP.
pub(crate) struct Receiver {
    pub url: String,
    calls: Arc<Mutex<Vec<Call>>>,
    /// How the next are answered; 200 when there is nothing left.
    pub replies: Arc<Mutex<VecDeque<Reply>>>,
}

impl Receiver {
    pub(crate) async fn start(replies: &[Reply]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/secret-path", listener.local_addr().unwrap());
        let (calls, replies) = (Arc::default(), Arc::new(Mutex::new(replies.iter().copied().collect())));
        let (own, script) = (Arc::clone(&calls), Arc::clone(&replies));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(take(stream, Arc::clone(&own), Arc::clone(&script)));
            }
        });
        Self { url, calls, replies }
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }
}

/// One call on a connection of its own.
async fn take(mut stream: TcpStream, calls: Arc<Mutex<Vec<Call>>>, replies: Arc<Mutex<VecDeque<Reply>>>) {
    let mut text = String::new();
    let (head, body) = loop {
        let mut bytes = [0; 4096];
        let count = stream.read(&mut bytes).await.unwrap_or(0);
        if count == 0 {
            return;
        }
        text.push_str(std::str::from_utf8(&bytes[..count]).unwrap());
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        if body.len() == length.parse::<usize>().unwrap() {
            break (head.replace("\r\n", "\n"), body.to_owned());
        }
    };
    let reply = replies.lock().unwrap().pop_front().unwrap_or(Reply::Status(200));
    calls.lock().unwrap().push(Call { head, body });
    match reply {
        Reply::Status(status) => {
            let answer =
                format!("HTTP/1.1 {status} X\r\nlocation: http://127.0.0.1:9/\r\ncontent-length: 4\r\n\r\nsaid");
            let _ = stream.write_all(answer.as_bytes()).await;
        }
        // Until the other side goes.
        Reply::Never => drop(stream.read(&mut [0; 1]).await),
    }
}

pub(crate) async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let looking = async {
        while !is_so().await {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(TEST_LIMIT, looking).await.unwrap_or_else(|_| panic!("{what}"));
}

fn webhook(name: &str, url: &str, events: &[AlertEvent]) -> DestinationWish {
    DestinationWish {
        name: Some(name.into()),
        kind: Some(Kind::Webhook),
        url: Some(url.into()),
        events: Some(events.to_vec()),
        ..Default::default()
    }
}

/// An organization with a pipeline that names `ops`, and a desk of its alerts.
struct Office {
    work: Work,
    desk: Desk,
    pipeline: String,
}

impl Office {
    async fn new(database: &Database) -> Self {
        let work = Work::new(database).await;
        let desk = Desk::new(work.process.handle.clone());
        let mut office = Self { work, desk, pipeline: String::new() };
        // A file names only what is there when it is applied.
        let (ops, _) = office.make(webhook("ops", "http://127.0.0.1:9/", &[])).await;
        office.pipeline = office.work.create(&format!("{FILE}alerts: {{on: [failed, recovered], to: [ops]}}\n")).await;
        office.desk.remove(&office.work.caller, &office.work.tenant, &ops).await.unwrap();
        office
    }

    fn start(&self, pace: Pace) {
        self.work.process.handle.inner.notifier.start(&self.work.process.handle.inner.around, pace);
    }

    /// Makes a destination, and gives its id and secret.
    async fn make(&self, wish: DestinationWish) -> (String, String) {
        let made = self.desk.create(&self.work.caller, &self.work.tenant, wish).await.unwrap();
        (made.destination.id, made.secret.unwrap_or_default())
    }

    async fn run(&self, fails: bool) -> Phase {
        let turns = if fails { vec![Turn::Fail(Class::User)] } else { Vec::new() };
        self.work.world.lock().unwrap().turns.insert("log".into(), turns);
        let run = self.work.pipelines.run(&self.work.caller, &self.work.tenant, &self.pipeline, Default::default());
        self.work.process.wait(&run.await.unwrap().run.id).await.unwrap().state
    }

    /// Oldest first.
    async fn deliveries(&self) -> Vec<DeliveryItem> {
        let organization = self.work.tenant.organization.id.clone();
        let mut all =
            self.desk.deliveries(&DeliveryQuery { organization, limit: 100, ..Default::default() }).await.unwrap();
        all.reverse();
        all
    }

    async fn end(self) {
        drop(self.desk);
        self.work.end().await;
    }
}

async fn nr_2_a_failing_target_is_tried_until_it_comes_back(database: &Database) {
    let office = Office::new(database).await;
    let receiver = Receiver::start(&[Reply::Status(500), Reply::Never, Reply::Status(302)]).await;
    let (_, secret) = office.make(webhook("ops", &receiver.url, &[])).await;
    // Long enough for whoever answers on a busy machine, and soon over for who does not.
    office.start(Pace { try_limit: Duration::from_secs(2), ..PACE });
    assert_eq!(office.run(true).await, Phase::Failed);
    until("it is delivered", async || {
        office.deliveries().await.first().is_some_and(|one| one.state == DeliveryState::Delivered)
    })
    .await;
    let calls = receiver.calls();
    let delivery = office.deliveries().await.remove(0);
    // A busy machine may have been too slow for one that was answered.
    assert!(calls.len() >= 4 && delivery.tries == calls.len() as i64, "{delivery:?} {calls:?}");
    assert!(calls.iter().all(|call| call.header("webhook-id") == delivery.id && call.is_signed(&secret)));
    assert_eq!((delivery.status, delivery.answer.as_deref()), (Some(200), Some("said")));
    assert_eq!((delivery.event, delivery.next_try_at), (AlertEvent::Failed, None));
    let body = calls[0].json();
    assert_eq!(body, delivery.body);
    assert_eq!((&body["type"], &body["data"]["pipeline"]), (&json!("pipeline.failed"), &json!("shop")));
    assert_eq!(body["data"]["pipeline_id"], office.pipeline);
    assert!(!body["data"]["message"].as_str().unwrap().is_empty());

    assert_eq!(office.run(false).await, Phase::Success);
    assert_eq!(office.run(false).await, Phase::Success);
    assert_eq!(office.run(true).await, Phase::Failed);
    until("all are told", async || {
        office.deliveries().await.iter().filter(|one| one.state == DeliveryState::Delivered).count() == 3
    })
    .await;
    let told: Vec<_> = office.deliveries().await.into_iter().map(|one| one.event).collect();
    assert_eq!(told, [AlertEvent::Failed, AlertEvent::Recovered, AlertEvent::Failed], "the second success is no news");
    office.end().await;
}

async fn nr_2_a_target_that_never_answers_delays_no_other_and_no_run(database: &Database) {
    let office = Office::new(database).await;
    let (dead, lives) = (Receiver::start(&[Reply::Never; 100]).await, Receiver::start(&[]).await);
    office.make(webhook("ops", &dead.url, &[])).await;
    office.make(webhook("a", "http://127.0.0.1:9/", &[AlertEvent::Failed])).await;
    let slack = DestinationWish { kind: Some(Kind::Slack), ..webhook("b", &lives.url, &[AlertEvent::Failed]) };
    office.make(slack).await;
    office.start(PACE);
    assert_eq!(office.run(true).await, Phase::Failed);
    assert_eq!(office.run(true).await, Phase::Failed);
    until("the living one hears both", async || lives.calls().len() == 2).await;
    let text = lives.calls()[0].json();
    assert_eq!(text["text"], ":x: pipeline `shop` has failed");
    assert_eq!(office.run(false).await, Phase::Success);
    assert_eq!(dead.calls().len(), 1, "one at a time");
    office.end().await;
}

async fn nr_2_what_is_never_taken_is_given_up_and_can_be_sent_again(database: &Database) {
    let office = Office::new(database).await;
    let receiver = Receiver::start(&[Reply::Status(503); 10]).await;
    let (id, _) = office.make(webhook("ops", &receiver.url, &[])).await;
    office.start(PACE);
    office.run(true).await;
    let last = async || office.deliveries().await.pop().unwrap();
    until("it is told", async || !office.deliveries().await.is_empty()).await;
    until("it is given up", async || last().await.state == DeliveryState::GivenUp).await;
    let given_up = last().await;
    assert_eq!((given_up.tries, given_up.status, receiver.calls().len()), (10, Some(503), 10));
    let (caller, tenant) = (&office.work.caller, &office.work.tenant);
    let again = office.desk.redeliver(caller, tenant, &given_up.id).await.unwrap();
    assert_eq!((again.state, again.tries), (DeliveryState::Waiting, 0));
    until("it is delivered", async || last().await.state == DeliveryState::Delivered).await;
    let calls = receiver.calls();
    assert!(calls.len() == 11 && calls.iter().all(|call| call.header("webhook-id") == given_up.id));
    // Who says that it is gone is not asked again.
    receiver.replies.lock().unwrap().push_back(Reply::Status(410));
    office.desk.redeliver(caller, tenant, &given_up.id).await.unwrap();
    until("it is gone", async || last().await.state == DeliveryState::GivenUp).await;
    assert_eq!((last().await.tries, receiver.calls().len()), (1, 12));
    office.desk.remove(caller, tenant, &id).await.unwrap();
    assert!(office.deliveries().await.is_empty());
    assert!(matches!(office.desk.redeliver(caller, tenant, &given_up.id).await, Err(Refusal::NotFound(_))));
    office.end().await;
}

async fn nr_2_each_is_told_once_whoever_reads(database: &Database) {
    let office = Office::new(database).await;
    office.make(webhook("ops", "http://127.0.0.1:9/", &[AlertEvent::Failed])).await;
    for fails in [true, false, true, true] {
        office.run(fails).await;
    }
    let (one, two) = (Store::open(&database.url).await.unwrap(), Store::open(&database.url).await.unwrap());
    // Each again and again: what one has decided about, the other must not.
    let reads = async |store: &Store| {
        for _ in 0..20 {
            match reader::tell(store).await {
                Ok(()) => {}
                // Both wrote at once.
                Err(crate::Error::Database { .. }) => {}
                Err(error) => panic!("{error}"),
            }
        }
    };
    tokio::join!(reads(&one), reads(&two));
    reader::tell(&one).await.unwrap();
    let told: Vec<_> = office.deliveries().await.into_iter().map(|one| one.event).collect();
    use AlertEvent::{Failed, Recovered};
    assert_eq!(told, [Failed, Failed, Failed, Recovered].map(|event| event), "{told:?}");
    one.close().await;
    two.close().await;
    office.end().await;
}

async fn nr_2_secrets_are_sealed_and_wrong_wishes_refused(database: &Database) {
    let office = Office::new(database).await;
    let (caller, tenant) = (&office.work.caller, &office.work.tenant);
    let receiver = Receiver::start(&[Reply::Status(500)]).await;
    let (id, secret) = office.make(webhook("ops", &receiver.url, &[])).await;
    let failed = office.desk.test(caller, tenant, &id).await.unwrap();
    assert_eq!((failed.state, failed.tries, failed.status), (DeliveryState::GivenUp, 1, Some(500)));
    let tested = office.desk.test(caller, tenant, &id).await.unwrap();
    assert_eq!((tested.state, tested.event), (DeliveryState::Delivered, AlertEvent::Test));
    assert!(receiver.calls().iter().all(|call| call.is_signed(&secret)));
    assert_eq!(office.deliveries().await.len(), 2);

    let renamed = DestinationWish { name: Some("ops team".into()), ..Default::default() };
    assert_eq!(office.desk.change(caller, tenant, &id, renamed).await.unwrap().name, "ops team");
    office.desk.test(caller, tenant, &id).await.unwrap();
    assert!(receiver.calls()[2].is_signed(&secret), "what a change leaves out stays");
    let dump = database.dump().await;
    assert!(dump.contains("ops team") && !dump.contains("secret-path") && !dump.contains(&secret), "{dump}");

    let field = async |wish| match office.desk.create(caller, tenant, wish).await {
        Err(Refusal::Wrong { field, .. }) => field,
        Err(Refusal::Conflict(_)) => "conflict",
        other => panic!("{other:?}"),
    };
    let good = || webhook("new", &receiver.url, &[]);
    assert_eq!(field(webhook("ops team", &receiver.url, &[])).await, "conflict");
    assert_eq!(field(DestinationWish { kind: None, ..good() }).await, "kind");
    assert_eq!(field(DestinationWish { name: None, ..good() }).await, "name");
    assert_eq!(field(DestinationWish { url: None, ..good() }).await, "url");
    assert_eq!(field(webhook("new", "http://169.254.169.254/", &[])).await, "url");
    assert_eq!(field(webhook("new", &receiver.url, &[AlertEvent::Test])).await, "events");
    assert_eq!(field(DestinationWish { secret: Some("short".into()), ..good() }).await, "secret");
    assert_eq!(field(DestinationWish { addresses: Some(vec![]), ..good() }).await, "addresses");
    let mail = |addresses: &[&str]| DestinationWish {
        name: Some("mail".into()),
        kind: Some(Kind::Email),
        addresses: Some(addresses.iter().map(|one| one.to_string()).collect()),
        ..Default::default()
    };
    assert_eq!(field(mail(&[])).await, "addresses");
    assert_eq!(field(mail(&["nobody"])).await, "addresses");
    let (id, _) = office.make(mail(&["ops@example.com"])).await;
    let untold = office.desk.test(caller, tenant, &id).await.unwrap();
    assert!(untold.answer.unwrap().contains("no mail server"));
    office.end().await;
}

async fn x11_a_pipeline_without_success_is_stale_once_until_it_succeeds(database: &Database) {
    const HOUR: i64 = 3_600_000;
    let office = Office::new(database).await;
    let wished = "alerts: {on: [stale, recovered], to: ops}\n";
    let freshness = |age: &str| format!("{FILE}freshness: {age}\n{wished}");
    office.make(webhook("ops", "http://127.0.0.1:9/", &[])).await;
    let store = office.work.process.handle.store().clone();
    let item = async || office.work.pipelines.get(&office.work.tenant, &office.pipeline).await.unwrap().item;
    assert_eq!(item().await.freshness, None);
    office.work.apply(&freshness("26h")).await;
    let fresh = item().await.freshness.unwrap();
    assert_eq!(
        (fresh.within, fresh.is_stale, fresh.until.0),
        (26 * 3600, false, item().await.created_at.0 + 26 * HOUR)
    );

    let now = crate::clock::now();
    let told = async || {
        reader::tell(&store).await.unwrap();
        office.deliveries().await.into_iter().map(|one| one.event).collect::<Vec<_>>()
    };
    store.find_stale(now + 25 * HOUR).await.unwrap();
    assert_eq!(told().await, []);
    for hours in [27, 28, 100] {
        store.find_stale(now + hours * HOUR).await.unwrap();
        assert_eq!(told().await, [AlertEvent::Stale], "after {hours} hours");
    }
    let body = office.deliveries().await.remove(0).body;
    assert_eq!(body["data"]["pipeline"], "shop");
    assert_eq!(body["data"]["message"], "no run has succeeded for more than 26.0 hours");
    assert_eq!(office.run(false).await, Phase::Success);
    assert_eq!(told().await, [AlertEvent::Stale, AlertEvent::Recovered]);
    let success = item().await.last_success_at.unwrap();
    assert!(success.0 >= now && item().await.freshness.unwrap().until.0 == success.0 + 26 * HOUR);
    store.find_stale(success.0 + 26 * HOUR).await.unwrap();
    assert_eq!(told().await.len(), 2, "fresh since then");
    store.find_stale(success.0 + 26 * HOUR + 1).await.unwrap();
    assert_eq!(told().await[2..], [AlertEvent::Stale]);

    // Another age is another question.
    office.work.apply(&freshness("2h")).await;
    store.find_stale(success.0 + 3 * HOUR).await.unwrap();
    assert_eq!(told().await[3..], [AlertEvent::Stale]);
    office.work.apply(FILE).await;
    store.find_stale(now + 1000 * HOUR).await.unwrap();
    assert_eq!(told().await.len(), 4);
    assert_eq!(item().await.freshness, None);
    office.end().await;
}

/// The message in the mail server's folder that is for an address.
async fn mail_for(address: &str) -> String {
    let folder = std::env::var("FLOWETL_TEST_SMTP_MAIL").expect("this test needs a mail server: set FLOWETL_TEST_SMTP");
    let mut found = None;
    until("mail comes", async || {
        let files = std::fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path());
        let whole = files.filter(|file| file.extension().is_some_and(|end| end == "eml"));
        let mut texts = whole.map(|file| std::fs::read_to_string(file).unwrap());
        found = texts.find(|text| text.lines().next().unwrap().contains(address));
        found.is_some()
    })
    .await;
    found.unwrap()
}

/// Mail by a server, whose certificate is believed.
fn mail(url: &str) -> Mail {
    let ca = std::env::var("FLOWETL_TEST_SMTP_CA").expect("this test needs a mail server: set FLOWETL_TEST_SMTP_CA");
    let authorities = CertificateDer::pem_file_iter(ca).unwrap().collect::<Result<Vec<_>, _>>().unwrap();
    Mail::trusting(url, "FlowETL <etl@example.com>", authorities).unwrap().at("https://etl.example.com/").unwrap()
}

/// One that nobody else has.
fn address(local: &str) -> String {
    format!("{local}-{}@example.com", crate::clock::new_id())
}

#[tokio::test]
async fn ex_10_mail_is_encrypted_signed_in_and_taken_or_not() {
    for (setting, encrypted) in
        [("FLOWETL_TEST_SMTP", "X-Encrypted: True"), ("FLOWETL_TEST_SMTPS", "X-Encrypted: False")]
    {
        let url = std::env::var(setting).expect("this test needs mail servers");
        let to = [address("a"), address("b")];
        let tried = mail(&url).send(&to, "Zażółć gęślą jaźń", "one\n.\ntwo").await;
        assert!(tried.is_taken && tried.status == Some(250), "{tried:?}");
        let came = mail_for(&to[1]).await;
        assert!(came.contains(&to[0]) && came.contains(encrypted), "{came}");
        assert!(came.contains(&BASE64_STANDARD.encode("one\r\n.\r\ntwo")), "{came}");
        let refused = mail(&url).send(&[address("no")], "x", "y").await;
        assert_eq!((refused.is_taken, refused.status), (false, Some(550)), "{refused:?}");
        let wrong = mail(&url.replace("secret%40word", "wrong")).send(&to, "x", "y").await;
        assert_eq!((wrong.is_taken, wrong.status), (false, Some(535)), "{wrong:?}");
        // Nobody has vouched for its certificate: nothing is sent.
        let nobody = Mail::trusting(&url, "etl@example.com", Vec::new()).unwrap().send(&to, "x", "y").await;
        assert!(!nobody.is_taken && nobody.text.contains("certificate"), "{nobody:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ex_10_alerts_and_invitations_go_by_mail() {
    let database = Database::sqlite();
    let url = std::env::var("FLOWETL_TEST_SMTP").expect("this test needs a mail server: set FLOWETL_TEST_SMTP");
    let process = Process::start_with(&database, &world(&[]), Some(mail(&url))).await;
    let accounts = Accounts::open(process.handle.store(), &Doors::new()).await.unwrap();
    let (tenant, caller) = (accounts.open_tenant(None).await.unwrap(), Caller::nobody([127, 0, 0, 1].into()));
    let desk = Desk::new(process.handle.clone());
    let (ops, guest) = (address("ops"), address("guest"));
    let (name, addresses) = (Some("mail".into()), Some(vec![ops.clone()]));
    let wish = DestinationWish { name, kind: Some(Kind::Email), addresses, ..Default::default() };
    let made = desk.create(&caller, &tenant, wish).await.unwrap();
    assert_eq!(made.secret, None);
    let tested = desk.test(&caller, &tenant, &made.destination.id).await.unwrap();
    assert_eq!((tested.state, tested.status), (DeliveryState::Delivered, Some(250)), "{tested:?}");
    assert!(mail_for(&ops).await.contains("From: FlowETL <etl@example.com>"));

    let at = flowetl_proto::run::Timestamp(0);
    let by = Person { id: "p".into(), email: "a@b".into(), name: "Ann".into(), super_admin: false, created_at: at };
    let invitation = Invitation {
        id: "i".into(),
        organization: tenant.organization.id.clone(),
        email: guest.clone(),
        role: Role::Viewer,
        invited_by: by.id.clone(),
        created_at: at,
        expires_at: at,
    };
    let (secret, link) = ("s".to_owned(), "/signup?invitation=s".to_owned());
    let invited = Invited { invitation, secret, link, mailed: false };
    assert!(super::invite(&process.handle.inner.around, &invited, &by, &tenant));
    let came = mail_for(&guest).await;
    let body: String =
        came.split("\r\n\r\n").nth(1).or(came.split("\n\n").nth(1)).unwrap().split_whitespace().collect();
    let text = String::from_utf8(BASE64_STANDARD.decode(body).unwrap()).unwrap();
    assert!(text.contains("https://etl.example.com/signup?invitation=s"), "{text}");
    drop((desk, accounts));
    process.die().await;
}
