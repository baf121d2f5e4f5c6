//! What is seen of a run on many machines: its cost, what it waits for, and its spans under one trace.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Text;
use opentelemetry_proto::tonic::trace::v1::Span;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tonic::transport::server::{Server, TcpIncoming};
use tonic::{Request, Response, Status};

use super::{Cluster, server};
use crate::failure::wait_until;
use crate::server::client;
use crate::world::{Database, Running, World};

/// The password in the pipeline's connection, which the server does not ask for; it must stand in no span.
const SECRET: &str = "hunter2";

/// A span, with what its process says of itself.
type Told = (BTreeMap<String, String>, Span);

/// Takes spans as a collector does.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<Told>>>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        for of_process in request.into_inner().resource_spans {
            let process = texts(&of_process.resource.unwrap_or_default().attributes);
            let spans = of_process.scope_spans.into_iter().flat_map(|scope| scope.spans);
            self.0.lock().unwrap().extend(spans.map(|span| (process.clone(), span)));
        }
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

impl Collector {
    /// Collects on a free port; gives its address.
    fn start(&self, runtime: &Runtime) -> String {
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let service = TraceServiceServer::new(self.clone());
        runtime.spawn(Server::builder().add_service(service).serve_with_incoming(TcpIncoming::from(listener)));
        format!("http://{address}")
    }

    fn spans(&self) -> Vec<Told> {
        self.0.lock().unwrap().clone()
    }

    fn has(&self, name: &str) -> bool {
        self.spans().iter().any(|(_, span)| span.name == name)
    }
}

fn texts(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |attribute: &KeyValue| match attribute.value.as_ref()?.value.as_ref()? {
        Text::StringValue(text) => Some((attribute.key.clone(), text.clone())),
        _ => None,
    };
    attributes.iter().filter_map(text).collect()
}

#[test]
fn a_spread_run_is_seen_as_one() {
    let (world, database) = (World::new(), Database::postgres());
    let files = server("FLOWETL_TEST_TPCH");
    let runtime = Runtime::new().unwrap();
    let collector = Collector::default();
    let mut cluster = Cluster::new(&world);
    cluster.set("OTEL_EXPORTER_OTLP_ENDPOINT", collector.start(&runtime));
    cluster.set("OTEL_BSP_SCHEDULE_DELAY", "100".to_owned());
    cluster.set("SHOP_WORD", SECRET.to_owned());
    let query = "select l_suppkey, count(*) as n, sum(l_extendedprice) as total from lineitem join orders \
                 on l_orderkey = o_orderkey group by l_suppkey";
    let shop = database.url.replacen('@', ":${env:SHOP_WORD}@", 1);
    world.write(
        "p.yml",
        &format!(
            "connections: {{files: \"file://{files}\", db: \"{shop}\"}}\nblocks:\n  \
             lineitem: {{extract: files/lineitem.parquet}}\n  orders: {{extract: files/orders.parquet}}\n  \
             joined: {{sql: \"{query}\"}}\n  out: {{load: joined, to: db.public.out}}\n"
        ),
    );
    let name = |instance: &str| format!("service.instance.id={instance}");
    cluster.set("OTEL_RESOURCE_ATTRIBUTES", name("coordinator"));
    let (_coordinator, url) = cluster.coordinator("coordinator");
    let mut executors = Vec::new();
    for count in 1..=2 {
        let home = format!("executor-{count}");
        cluster.set("OTEL_RESOURCE_ATTRIBUTES", name(&home));
        executors.push(cluster.executor_with(&home, &url, count, &["--share", "8KB"]));
    }
    let document = cluster.ask(&url, &["run", "p.yml", "--json"]).expect(0).json();
    let run = document["run_id"].as_str().unwrap();
    is_told(&document);
    let shown = cluster.ask(&url, &["runs", run, "--json"]).expect(0).json();
    for key in ["cpu_seconds", "peak_memory_bytes", "edges", "bottleneck"] {
        assert_eq!(shown[key], document[key], "{key}");
    }

    // Each process tells of what is over within its own time; the run is the last.
    let wanted = ["run", "attempt", "plan", "write", "prepare", "publish", "task"];
    wait_until("all spans", || wanted.iter().all(|name| collector.has(name)));
    let spans = collector.spans();
    let trace = run.replace('-', "");
    let ids: BTreeSet<_> = spans.iter().map(|(_, span)| span.span_id.clone()).collect();
    assert_eq!(ids.len(), spans.len(), "two spans have one id");
    for (process, span) in &spans {
        let hex: String = span.trace_id.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, trace, "{process:?} {span:?}");
        assert_eq!(span.name == "run", span.parent_span_id.is_empty(), "{span:?}");
        assert!(span.parent_span_id.is_empty() || ids.contains(&span.parent_span_id), "no parent: {span:?}");
        assert!(!format!("{process:?} {span:?}").contains(SECRET), "{span:?}");
    }
    let told: BTreeSet<_> = spans.iter().map(|(process, _)| process["service.instance.id"].as_str()).collect();
    assert_eq!(told, BTreeSet::from(["coordinator", "executor-1", "executor-2"]));
    let called: BTreeSet<_> = spans.iter().map(|(process, _)| process["service.name"].as_str()).collect();
    assert_eq!(called, BTreeSet::from(["flowetl-coordinator", "flowetl-executor"]));
}

/// The run has cost something, and its rows were counted on every edge.
fn is_told(document: &Value) {
    assert!(document["cpu_seconds"].as_f64().unwrap() > 0.0, "{document:#}");
    assert!(document["peak_memory_bytes"].as_u64().unwrap() > 1 << 20, "{document:#}");
    let edges = document["edges"].as_array().unwrap();
    let between: Vec<_> = edges.iter().map(|edge| (&edge["from"], &edge["to"])).collect();
    let wanted = [("lineitem", "joined"), ("orders", "joined"), ("joined", "out")].map(|(a, b)| (json!(a), json!(b)));
    assert!(wanted.iter().all(|(a, b)| between.contains(&(a, b))) && edges.len() == 3, "{edges:?}");
    for edge in edges {
        assert_eq!(edge["rows"], document["blocks"][edge["from"].as_str().unwrap()]["rows_out"], "{document:#}");
        assert!(edge["rows"].as_u64().unwrap() > 0 && edge["bytes"].as_u64().unwrap() > 0, "{edge}");
    }
}

#[test]
fn a_collector_that_cannot_be_is_named() {
    let world = World::new();
    let mut command = client(&world, "http://127.0.0.1:1", &["runs"]);
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", "not a place");
    let said = Running::start(command).wait().expect(2).err;
    assert!(said.contains("`OTEL_EXPORTER_OTLP_ENDPOINT` takes"), "{said}");
}
