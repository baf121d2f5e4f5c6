//! Attempts over up to three executors in this process, which reach each other over sockets as others do.

mod clients;
mod database;
mod panics;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::util::pretty::pretty_format_batches;
use datafusion::prelude::{ParquetReadOptions, SessionConfig, SessionContext};
use flowetl_proto::code::{Class, Failure};
use flowetl_proto::control::{
    Activity, AttemptEvent, AttemptEventKind as Kind, AttemptSpec, Executor, Helper, Output, Prepared,
};
use flowetl_proto::id::{BlockId, ExecutorId};
use flowetl_proto::trust::{ClusterKey, Trust};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::Host;
use crate::server::serve_unannounced;
use crate::tests::world::{World, extract, sql};
use crate::usage::Usage;
use crate::{Node, boundary};

/// How long a test waits for anything, on however slow a machine.
const LIMIT: Duration = Duration::from_secs(60);
/// Within so long a cancelled attempt is over everywhere.
const CANCEL_LIMIT: Duration = Duration::from_secs(5);
/// What is told stands still for at least as long as it takes to be told again.
const REPORT: Duration = Duration::from_secs(1);
/// Files of the folder `sales`, and rows of each.
const FILES: i64 = 6;
const ROWS: i64 = 4000;

/// What executors show each other in every call.
fn trust() -> Trust {
    Trust { tls: None, key: Some(ClusterKey::new(&"0123456789abcdef".repeat(2)).unwrap()) }
}

/// One executor: its own runtimes, so that it can go as a process does.
struct Member {
    control: Runtime,
    data: Runtime,
    node: Node,
    host: Arc<Host>,
    events: mpsc::Receiver<AttemptEvent>,
}

impl Member {
    fn new(world: &World, name: &str) -> Self {
        let runtime = |name: &str| Builder::new_multi_thread().worker_threads(2).thread_name(name).enable_all().build();
        let (control, data) = (runtime("control").unwrap(), runtime(name).unwrap());
        let (sender, events) = mpsc::channel(256);
        let (node, host) = control.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            serve_unannounced(world.config.clone(), trust(), listener, data.handle().clone(), sender).await.unwrap()
        });
        Self { control, data, node, host, events }
    }

    fn go(self) {
        self.control.shutdown_background();
        self.data.shutdown_background();
    }
}

/// A leader, those that help it, and files to share out.
struct Crew {
    runtime: Runtime,
    world: World,
    leader: Member,
    helpers: Vec<Member>,
    /// The attempt that was started last, with those that it is named once it asks.
    started: Option<AttemptSpec>,
}

impl Crew {
    fn new(helpers: usize) -> Self {
        let runtime = Runtime::new().unwrap();
        let mut world = runtime.block_on(World::new(2));
        world.config.share_bytes = 1 << 10;
        runtime.block_on(async {
            let session = SessionContext::new();
            let lake = world.folder.path().join("lake");
            for file in 0..FILES {
                let (from, to) = (file * ROWS, (file + 1) * ROWS - 1);
                let sql = format!(
                    "copy (select v as id, v % 700 as customer, v * 7 % 1000 as amount, 'sale ' || v as note
                           from generate_series({from}, {to}) as t(v)) to '{}' stored as parquet",
                    lake.join(format!("sales/{file}.parquet")).display()
                );
                session.sql(&sql).await.unwrap().collect().await.unwrap();
            }
            let sql = format!(
                "copy (select v as id, 'customer ' || v as name from generate_series(0, 999) as t(v)) to '{}'
                 stored as parquet",
                lake.join("customers/0.parquet").display()
            );
            session.sql(&sql).await.unwrap().collect().await.unwrap();
        });
        let leader = Member::new(&world, "leader");
        let helpers = (0..helpers).map(|n| Member::new(&world, &format!("helper-{n}"))).collect();
        Self { runtime, world, leader, helpers, started: None }
    }

    /// The attempt of this token to write the query's rows to a boundary.
    fn query(&self, token: i64, query: &str) -> AttemptSpec {
        let blocks = vec![
            extract("sales", "lake", "sales/*.parquet"),
            extract("customers", "lake", "customers/*.parquet"),
            sql("out", &["sales", "customers"], query),
        ];
        self.helped(self.world.attempt("r", token, blocks, Output::Boundary))
    }

    fn start(&mut self, spec: &AttemptSpec) {
        self.started = Some(spec.clone());
        let alone = AttemptSpec { helpers: Vec::new(), ..spec.clone() };
        self.runtime.block_on(self.leader.node.start(alone)).unwrap();
    }

    /// What happens next. Help that is asked for is named.
    fn next(&mut self) -> Kind {
        self.next_event().kind
    }

    fn next_event(&mut self) -> AttemptEvent {
        loop {
            let next = self.runtime.block_on(async { timeout(LIMIT, self.leader.events.recv()).await });
            let next = next.expect("an event").expect("a node");
            match next.kind {
                Kind::NeedsHelp { most } if most > 0 => {
                    let spec = self.started.clone().unwrap();
                    self.runtime.block_on(self.leader.node.help(spec)).unwrap();
                }
                Kind::NeedsHelp { .. } => {}
                _ => return next,
            }
        }
    }

    /// The next event that is no progress.
    fn end(&mut self) -> Kind {
        loop {
            let next = self.next();
            if !matches!(next, Kind::Progress { .. }) {
                return next;
            }
        }
    }

    /// Waits for rows of the block.
    fn flows(&mut self, block: &str) {
        let began = Instant::now();
        loop {
            assert!(began.elapsed() < LIMIT, "no rows");
            let event = self.next_event();
            match event.kind {
                Kind::Progress { .. } if event.blocks.get(block).is_some_and(|m| m.rows_out > 0) => return,
                Kind::Progress { .. } => {}
                kind => panic!("{kind:?}"),
            }
        }
    }

    /// The same attempt with all executors.
    fn helped(&self, spec: AttemptSpec) -> AttemptSpec {
        AttemptSpec { helpers: self.helpers.iter().map(|member| member.helper()).collect(), ..spec }
    }

    fn prepare(&mut self, token: i64, query: &str) -> Prepared {
        self.start(&self.query(token, query));
        self.prepared()
    }

    fn prepared(&mut self) -> Prepared {
        match self.end() {
            Kind::Prepared(prepared) => *prepared,
            kind => panic!("{kind:?}"),
        }
    }

    fn fail(&mut self, spec: &AttemptSpec) -> Failure {
        self.start(spec);
        match self.end() {
            Kind::Failed(failure) => failure,
            kind => panic!("{kind:?}"),
        }
    }

    /// The rows that were written, in lines, sorted.
    fn rows(&self, prepared: &Prepared) -> Vec<String> {
        self.runtime.block_on(async {
            let table = boundary::read(&self.world.config.storage, prepared.manifest.as_ref().unwrap(), 1).await;
            let rows = SessionContext::new().read_table(table.unwrap()).unwrap().collect().await.unwrap();
            lines(&rows)
        })
    }

    /// What the engine alone makes of the query.
    fn oracle(&self, query: &str) -> Vec<String> {
        self.runtime.block_on(async {
            let session = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(1));
            for table in ["sales", "customers"] {
                let folder = self.world.folder.path().join("lake").join(table);
                let options = ParquetReadOptions::default();
                session.register_parquet(table, folder.to_str().unwrap(), options).await.unwrap();
            }
            lines(&session.sql(query).await.unwrap().collect().await.unwrap())
        })
    }

    /// Waits until nobody does anything for anybody.
    fn idles(&self) {
        for member in self.helpers.iter().chain([&self.leader]) {
            self.runtime.block_on(async { timeout(CANCEL_LIMIT, member.host.idle()).await }).expect("an idle executor");
        }
    }
}

impl Member {
    fn helper(&self) -> Helper {
        Helper { id: self.host.id.clone(), url: self.host.url.to_string() }
    }
}

fn lines(rows: &[arrow::array::RecordBatch]) -> Vec<String> {
    let text = pretty_format_batches(rows).unwrap().to_string();
    let mut lines: Vec<String> =
        text.lines().filter(|line| line.starts_with('|')).skip(1).map(|line| line.replace(' ', "")).collect();
    lines.sort();
    lines
}

#[test]
fn rows_are_the_same_over_one_two_and_three_executors() {
    let queries = [
        "select * from sales",
        "select s.id, c.name, s.note from sales s join customers c on s.customer = c.id where s.amount > 300",
        "select c.id, s.amount from customers c left join sales s on s.customer = c.id and s.amount > 990",
        "select customer, count(*) as n, sum(amount) as total, max(note) as last from sales group by customer",
        "select count(*) as n, avg(amount) as mean from sales where note like '%7'",
        "select id, amount from sales order by amount desc, id limit 100",
        "select id, customer from sales where amount < 100 union all select id, id % 10 from customers",
        "select distinct customer from sales where id > 5000",
        "select id, row_number() over (partition by customer order by id desc) as n from sales where customer < 50",
        "select id from customers where id not in (select customer from sales where customer is not null)",
        "select s.id, s.amount from sales s where s.amount > (select avg(amount) from sales)",
        "select id, amount from sales where amount > 99999",
    ];
    for helpers in [0, 1, 2] {
        let mut crew = Crew::new(helpers);
        for (at, query) in queries.iter().enumerate() {
            let prepared = crew.prepare(at as i64, query);
            assert_eq!(crew.rows(&prepared), crew.oracle(query), "over {} executors: {query}", helpers + 1);
        }
        crew.idles();
    }
}

#[test]
fn every_executor_has_a_share_and_its_counters_come_back() {
    let mut crew = Crew::new(2);
    let prepared = crew.prepare(1, "select place(id) as place, count(*) as n from sales group by place(id)");
    let places: BTreeSet<_> =
        crew.rows(&prepared).iter().map(|line| line.split('|').nth(1).unwrap().to_owned()).collect();
    assert_eq!(places, BTreeSet::from(["helper-0", "helper-1", "leader"].map(str::to_owned)));
    let sales = &prepared.blocks[&BlockId::new("sales")];
    assert_eq!((sales.rows_in, sales.rows_out), ((FILES * ROWS) as u64, (FILES * ROWS) as u64));
    assert_eq!(prepared.blocks[&BlockId::new("out")].rows_out, 3);
    crew.idles();
}

#[test]
fn a_boundary_is_written_and_read_by_all() {
    let mut crew = Crew::new(1);
    let first = crew.prepare(1, "select id, amount from sales").manifest.unwrap();
    // Each executor has written what it read, in two streams.
    assert_eq!(first.parts.len(), 4, "{first:?}");
    let query = "select place(id) as place, count(*) as n from out group by place(id)";
    let mut spec = crew.world.attempt("r", 2, vec![sql("sums", &["out"], query)], Output::Boundary);
    spec.segment.inputs = vec![BlockId::new("out")];
    spec.inputs = BTreeMap::from([(BlockId::new("out"), first)]);
    spec.helpers = vec![crew.helpers[0].helper()];
    crew.start(&spec);
    let prepared = crew.prepared();
    let rows = crew.rows(&prepared);
    let places: Vec<_> = rows.iter().map(|row| row.split('|').nth(1).unwrap()).collect();
    assert_eq!(places, ["helper-0", "leader"], "{rows:?}");
    assert_eq!(prepared.blocks[&BlockId::new("sums")].rows_in, (FILES * ROWS) as u64);
}

#[test]
fn text_files_are_shared_out_whole() {
    let mut crew = Crew::new(2);
    let lake = crew.world.folder.path().join("lake/text");
    for file in 0..FILES {
        let folder = lake.join(match file {
            3 => "day=__HIVE_DEFAULT_PARTITION__".to_owned(),
            _ => format!("day=2026-01-0{}", file + 1),
        });
        std::fs::create_dir_all(&folder).unwrap();
        let rows = (0..ROWS).map(|n| format!("{};{}\n", file * ROWS + n, n % 3));
        std::fs::write(folder.join("part.csv"), format!("id;kind\n{}", rows.collect::<String>())).unwrap();
    }
    let mut text = extract("text", "lake", "text/");
    text.settings["format"] = "csv".into();
    text.settings["delimiter"] = ";".into();
    let query =
        "select place(id) as place, count(*) as n, sum(id) as ids, count(distinct day) as days from text group by 1";
    let spec = crew.world.attempt("r", 1, vec![text, sql("out", &["text"], query)], Output::Boundary);
    crew.start(&crew.helped(spec));
    let prepared = crew.prepared();
    let rows = crew.rows(&prepared);
    let cells: Vec<Vec<&str>> = rows.iter().map(|row| row.split('|').skip(1).collect()).collect();
    let sum = |at: usize| cells.iter().map(|row| row[at].parse::<i64>().unwrap()).sum::<i64>();
    let places: Vec<_> = cells.iter().map(|row| row[0]).collect();
    assert_eq!(places, ["helper-0", "helper-1", "leader"], "{rows:?}");
    let all = FILES * ROWS;
    assert_eq!((sum(1), sum(2), sum(3)), (all, all * (all - 1) / 2, FILES - 1), "{rows:?}");
    crew.idles();
}

#[test]
fn helpers_are_asked_for_once_and_only_where_they_are_needed() {
    let mut crew = Crew::new(1);
    let spec = crew.query(1, "select distinct place(id) as place from sales");
    crew.start(&spec);
    let asked = loop {
        let next = crew.runtime.block_on(crew.leader.events.recv()).expect("a node").kind;
        if !matches!(next, Kind::Progress { .. }) {
            break next;
        }
    };
    assert!(matches!(asked, Kind::NeedsHelp { most } if most > 0), "{asked:?}");
    let name = |helpers| crew.runtime.block_on(crew.leader.node.help(AttemptSpec { helpers, ..spec.clone() }));
    name(Vec::new()).unwrap();
    let late = name(vec![crew.helpers[0].helper()]).unwrap_err();
    assert_eq!(late.message, "attempt 1 does not wait for help");
    let prepared = crew.prepared();
    assert_eq!(crew.rows(&prepared), ["|leader|"]);
}

#[test]
fn few_bytes_stay_with_the_leader() {
    let mut crew = Crew::new(2);
    crew.world.config.share_bytes = 1 << 20;
    crew.leader = Member::new(&crew.world, "leader");
    let prepared = crew.prepare(1, "select distinct place(id) as place from sales");
    assert_eq!(crew.rows(&prepared), ["|leader|"]);
}

#[test]
fn a_panic_on_another_executor_fails_the_attempt() {
    let mut crew = Crew::new(2);
    for (token, query) in
        ["select trap(id % 100) as id from sales", "select trap(id % 100) as n, count(*) as m from sales group by 1"]
            .iter()
            .enumerate()
    {
        let failure = crew.fail(&crew.query(token as i64, query));
        assert_eq!(failure.class, Class::Panic, "{failure:?}");
        assert!(failure.block.is_some() && failure.message.contains("13 is too much"), "{failure:?}");
    }
    crew.idles();
}

#[test]
fn memory_that_cannot_hold_what_is_on_its_way_is_said_to_be_too_small() {
    let mut crew = Crew::new(2);
    let query = "select customer, count(*) as n from sales group by customer";
    let small = |token| AttemptSpec { memory: Some(96_000_000), ..crew.query(token, query) };
    let (enough, too_little) = (small(1), small(2));
    crew.start(&enough);
    crew.prepared();
    // As on executors of so many cores: a stream from each to each.
    crew.world.config.parallelism = 64;
    crew.leader = Member::new(&crew.world, "leader");
    let failure = crew.fail(&too_little);
    assert_eq!(failure.class, Class::Resource, "{failure:?}");
    assert!(failure.message.contains("`memory` is too small for rows "), "{failure:?}");
    crew.idles();
}

#[test]
fn what_a_user_did_wrong_is_told_as_such() {
    let mut crew = Crew::new(2);
    let failure = crew.fail(&crew.query(1, "select cast(note as bigint) as n, count(*) as m from sales group by 1"));
    assert_eq!(failure.class, Class::User, "{failure:?}");
    crew.idles();
}

#[test]
fn an_executor_that_goes_fails_the_attempt_and_is_left_out_of_the_next() {
    let mut crew = Crew::new(2);
    let hold = crew.world.folder.path().join("hold");
    std::fs::write(&hold, "").unwrap();
    crew.start(&crew.query(1, &format!("select held('{}', id) as id from sales", hold.display())));
    crew.flows("sales");
    let gone = crew.helpers.remove(0);
    let helper = gone.helper();
    gone.go();
    let Kind::Failed(failure) = crew.end() else { panic!("it was prepared") };
    assert_eq!(failure.class, Class::LostExecutor, "{failure:?}");
    std::fs::remove_file(hold).unwrap();
    crew.idles();
    let mut spec = crew.query(2, "select distinct place(id) as place from sales");
    spec.helpers.push(helper);
    // Another executor than is meant.
    spec.helpers.push(Helper { id: ExecutorId::new("x"), url: crew.leader.host.url.to_string() });
    crew.start(&spec);
    let prepared = crew.prepared();
    assert_eq!(crew.rows(&prepared), ["|helper-1|", "|leader|"]);
}

#[test]
fn what_stands_still_is_told_of_every_executor() {
    let mut crew = Crew::new(1);
    // Whatever did not move between two reports stands still.
    crew.world.config.stall_limit = Duration::ZERO;
    crew.leader = Member::new(&crew.world, "leader");
    let hold = crew.world.folder.path().join("hold");
    std::fs::write(&hold, "").unwrap();
    let helper = crew.helpers[0].host.url.to_string();
    crew.start(&crew.query(1, &format!("select held('{}', id) as id from sales", hold.display())));
    let began = Instant::now();
    loop {
        assert!(began.elapsed() < LIMIT, "the helper does not say what it does");
        let next = crew.next();
        let Kind::Progress { stalled, standing, .. } = next else { panic!("{next:?}") };
        let mut there = standing.iter().filter(|s| s.executor == helper && s.activity == Activity::Computing);
        if there.any(|s| s.block.as_str() == "out" && s.ms >= REPORT.as_millis() as u64) {
            let stalled = stalled.unwrap();
            assert!(stalled.ends_with(&format!("`out` is computing at {helper}")), "{stalled}");
            break;
        }
    }
    std::fs::remove_file(hold).unwrap();
    crew.prepared();
    crew.idles();
}

/// The executors of a crew are one process, whose time is counted by each of them: what two of them tell is more than it has
/// used.
#[test]
fn what_helpers_use_is_told() {
    let mut crew = Crew::new(1);
    let own = Arc::new(Usage::default()).open();
    crew.start(&crew.query(1, "select count(*) as n from sales a join sales b on a.amount % 50 = b.amount % 50"));
    let cost = loop {
        let event = crew.next_event();
        match event.kind {
            Kind::Progress { .. } => {}
            Kind::Prepared(_) => break event.cost,
            kind => panic!("{kind:?}"),
        }
    };
    let used = own.cost();
    assert!(cost.cpu_ms > used.cpu_ms && cost.peak_bytes > 1 << 20, "{cost:?} of {used:?}");
}

#[test]
fn a_cancelled_attempt_ends_everywhere() {
    let mut crew = Crew::new(2);
    // More than a billion times a thousand rows.
    let query = "select count(*) as n from sales a join sales b on a.amount % 3 = b.amount % 3
                 join sales c on b.amount % 3 = c.amount % 3";
    let spec = crew.query(1, query);
    crew.start(&spec);
    crew.flows("sales");
    let began = Instant::now();
    crew.runtime.block_on(crew.leader.node.cancel(spec.id.run.clone(), spec.id.token, CANCEL_LIMIT)).unwrap();
    let Kind::Failed(failure) = crew.end() else { panic!("it was prepared") };
    assert_eq!(failure.class, Class::Cancelled);
    crew.idles();
    assert!(began.elapsed() < CANCEL_LIMIT, "it took {:?}", began.elapsed());
}

#[test]
fn an_overtaken_attempt_gets_no_help() {
    let mut crew = Crew::new(1);
    let newer = crew.query(7, "select id from sales");
    crew.helpers[0].host.admit(&newer.id).unwrap();
    let failure = crew.fail(&crew.query(6, "select id from sales"));
    assert_eq!(failure.class, Class::Fenced, "{failure:?}");
    assert!(failure.message.contains("was overtaken by attempt 7"), "{failure:?}");
}
