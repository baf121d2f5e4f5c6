//! Rows for any client of Arrow Flight that holds a ticket.

use arrow::array::{Int64Array, RecordBatch, StringViewArray};
use arrow::compute::concat_batches;
use arrow_flight::Ticket;
use arrow_flight::decode::FlightRecordBatchStream;
use arrow_flight::error::FlightError;
use arrow_flight::flight_service_client::FlightServiceClient;
use datafusion::catalog::memory::MemorySourceConfig;
use datafusion::execution::TaskContext;
use datafusion_distributed::TaskKey;
use flowetl_proto::control::AttemptId;
use flowetl_proto::id::Token;
use flowetl_proto::trust::{Subject, about};
use flowetl_proto::wire::v1;
use futures::TryStreamExt;
use prost::Message;
use tonic::Code;
use tonic::transport::Endpoint;
use uuid::Uuid;

use super::*;
use crate::gate::{Caller, Link};
use crate::remote::hosting::wire_key;
use crate::remote::task::Task;

#[test]
fn a_plain_client_reads_the_rows_of_its_ticket() {
    let runtime = Runtime::new().unwrap();
    let world = runtime.block_on(World::new(2));
    let member = Member::new(&world, "member");
    let texts = (0..50_000).map(|n| "text ".repeat(n % 20));
    let batch = RecordBatch::try_from_iter([
        ("n", Arc::new(Int64Array::from_iter_values(0..50_000)) as _),
        ("text", Arc::new(StringViewArray::from_iter_values(texts)) as _),
    ])
    .unwrap();
    let plan = MemorySourceConfig::try_new_exec(&[vec![batch.clone()]], batch.schema(), None).unwrap();
    let attempt = AttemptId { pipeline: "p".into(), run: "r".into(), segment: "s".into(), token: Token(1) };
    let task = Task::new(attempt.clone(), plan, Arc::new(TaskContext::default()), ("out".into(), Arc::default()));
    let key = TaskKey { query_id: Uuid::nil(), stage_id: 1, task_number: 0 };
    let _kept = member.host.keep(key, Arc::new(task));
    let ask = |key: &TaskKey, token: i64, partition: u64| {
        let ticket = v1::Ticket { task: Some(wire_key(key)), partition, partitioning: Vec::new() };
        let subject = Subject::from(&AttemptId { token: Token(token), ..attempt.clone() });
        let call = about(subject, Ticket::new(ticket.encode_to_vec()));
        let url = member.host.url.to_string();
        runtime.block_on(async move {
            let channel = Endpoint::from_shared(url).unwrap().connect().await.unwrap();
            let answer = FlightServiceClient::new(Link::new(channel, Caller::new(trust().key))).do_get(call).await?;
            let messages = answer.into_inner().map_err(|status| FlightError::Tonic(Box::new(status)));
            let rows = FlightRecordBatchStream::new_from_flight_data(messages).try_collect::<Vec<_>>().await;
            rows.map_err(|error| match error {
                FlightError::Tonic(status) => *status,
                other => panic!("{other}"),
            })
        })
    };
    let rows = ask(&key, 1, 0).unwrap();
    assert!(rows.len() > 1, "it came in pieces");
    assert_eq!(concat_batches(&batch.schema(), &rows).unwrap(), batch);
    assert_eq!(ask(&key, 2, 0).unwrap_err().code(), Code::PermissionDenied, "the ticket of another attempt");
    let fault = ask(&key, 1, 7).unwrap_err();
    assert_eq!(fault.code(), Code::Aborted);
    assert!(String::from_utf8_lossy(fault.details()).contains("partition 7 of a task that has 1"), "{fault:?}");
}
