//! FlowETL from Rust: draw a pipeline or read its file, run it on a coordinator, follow it to its end.
//!
//! ```no_run
//! # async fn example() -> flowetl::Result<()> {
//! let client = flowetl::Client::connect("http://127.0.0.1:50051").await?;
//! let pipeline = flowetl::Pipeline::new("large_orders")
//!     .connection("shop", "postgres://etl:${env:SHOP_PASSWORD}@127.0.0.1/shop")
//!     .block("orders", flowetl::Block::extract("shop.public.orders"))
//!     .block("large", flowetl::Block::sql("select * from orders where total > 100"))
//!     .block("publish", flowetl::Block::load("large", "shop.public.large_orders"));
//! let run = client.submit(pipeline, flowetl::Options::default()).await?;
//! println!("{:?}", run.wait().await?.state);
//! # Ok(())
//! # }
//! ```
//!
//! Reading order: [`Client`] asks a coordinator, [`Access`] is what it shows there, [`Run`] is one run there, [`Pipeline`] and [`Block`] are a pipeline file
//! in code, [`read`] and [`text`] take one as it is written.

mod access;
mod client;
mod error;
mod peers;
mod pipeline;
mod run;
mod source;

pub use access::Access;
pub use client::{Client, Rows};
pub use error::{Error, Result};
pub use flowetl_proto::code::{Class, Failure};
pub use flowetl_proto::control::{Activity, Standing};
pub use flowetl_proto::id::{BlockId, RunId, SegmentId};
pub use flowetl_proto::look::{Operators, SegmentPlan};
pub use flowetl_proto::pipeline::{Problem, Source};
pub use flowetl_proto::run::{
    BlockPhase, BlockView, Bottleneck, EdgeView, Options, Phase, RunEvent, RunOptions, RunSummary, RunView,
    SegmentView, Timestamp,
};
pub use flowetl_proto::wire::v1::ExecutorInfo;
pub use pipeline::{Block, Pipeline};
pub use run::Run;
pub use source::{in_this_folder, read, text};
