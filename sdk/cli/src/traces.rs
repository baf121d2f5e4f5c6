//! Spans of runs for OpenTelemetry: sent by OTLP over gRPC to where `OTEL_EXPORTER_OTLP_ENDPOINT` says, and nowhere without it.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use flowetl_proto::trace::{self, Span};
use opentelemetry::trace::{SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{BatchSpanProcessor, SpanData, SpanProcessor};

/// The standard's settings: either of the first two says where spans go, the third what this process is called there.
const ENDPOINTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"];
const SERVICE: &str = "OTEL_SERVICE_NAME";
/// What lets this process in there; no pipeline may read it.
pub const HEADERS: [&str; 2] = ["OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS"];
/// How long the last spans may take at the end; who collects them may be away.
const CLOSE_LIMIT: Duration = Duration::from_secs(2);

/// Sends spans until it is closed.
pub struct Traces(Option<Arc<BatchSpanProcessor>>);

impl Traces {
    /// Sends the spans of this process, a `role` of FlowETL, from now on where that is asked for. Is called on the runtime.
    pub fn start(role: &'static str) -> anyhow::Result<Self> {
        let is_set = |name: &&str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let Some(endpoint) = ENDPOINTS.iter().find(|name| is_set(name)) else { return Ok(Self(None)) };
        let exporter = SpanExporter::builder().with_tonic().build();
        let exporter = exporter.with_context(|| format!("`{endpoint}` takes `http://host:port` of a collector"))?;
        let mut resource = Resource::builder();
        if !is_set(&SERVICE) {
            resource = resource.with_service_name(role);
        }
        let mut processor = BatchSpanProcessor::builder(exporter).build();
        processor.set_resource(&resource.build());
        let processor = Arc::new(processor);
        let sending = Arc::clone(&processor);
        let scope = InstrumentationScope::builder("flowetl").with_version(flowetl_proto::VERSION).build();
        anyhow::ensure!(trace::listen(move |span| sending.on_end(data(span, &scope))), "spans are listened to twice");
        Ok(Self(Some(processor)))
    }

    /// Sends what is left. Blocks.
    pub fn close(self) {
        if let Some(processor) = self.0
            && let Err(error) = processor.shutdown_with_timeout(CLOSE_LIMIT)
        {
            tracing::warn!(%error, "the last spans could not be sent");
        }
    }
}

/// A span as OpenTelemetry has it.
fn data(span: Span, scope: &InstrumentationScope) -> SpanData {
    let id = |id: u64| SpanId::from_bytes(id.to_be_bytes());
    let trace = TraceId::from_bytes(span.trace.to_be_bytes());
    let labels = span.labels.into_iter().map(|(name, value)| KeyValue::new(format!("flowetl.{name}"), value));
    let class = span.failed.map(|class| KeyValue::new("error.type", class.as_str()));
    SpanData {
        span_context: SpanContext::new(trace, id(span.id), TraceFlags::SAMPLED, false, TraceState::default()),
        parent_span_id: span.parent.map_or(SpanId::INVALID, id),
        // Attempts and what is done for them may be spans of different processes.
        parent_span_is_remote: span.parent.is_some(),
        span_kind: SpanKind::Internal,
        name: span.name.into(),
        start_time: span.began,
        end_time: span.ended,
        attributes: labels.chain(class).collect(),
        dropped_attributes_count: 0,
        events: Default::default(),
        links: Default::default(),
        status: span.failed.map_or(Status::Unset, |class| Status::error(class.as_str())),
        instrumentation_scope: scope.clone(),
    }
}
