//! Our own errors through the engine's wrappers.

use std::io;
use std::sync::Arc;

use super::*;

fn ours() -> Error {
    let cause = DataFusionError::Plan("the cause".into());
    Error::new(Class::SinkTransient, "ours").in_block(&BlockId::new("a")).because(cause)
}

#[test]
fn our_error_comes_out_of_every_wrapper() {
    let wrapped: [fn(DataFusionError) -> DataFusionError; 6] = [
        |e| e,
        |e| e.context("somewhere"),
        |e| DataFusionError::ArrowError(Box::new(ArrowError::ExternalError(Box::new(e))), None),
        |e| DataFusionError::External(Box::new(e)),
        |e| DataFusionError::Shared(Arc::new(e)),
        |e| DataFusionError::Shared(Arc::new(DataFusionError::Shared(Arc::new(e.context("a join"))))),
    ];
    for wrap in wrapped {
        let out = Error::from(wrap(ours().into())).in_block(&BlockId::new("later")).to_failure();
        assert_eq!((out.class, out.block), (Class::SinkTransient, Some(BlockId::new("a"))));
        assert!(out.message.starts_with("ours: ") && out.message.contains("the cause"), "{}", out.message);
        assert_eq!(out.message.matches("the cause").count(), 1, "{}", out.message);
    }
}

#[test]
fn what_the_engine_says_is_classed() {
    let full = || io::Error::from(ErrorKind::StorageFull);
    let cases: [(DataFusionError, Class); 5] = [
        (DataFusionError::ResourcesExhausted("no".into()), Class::Resource),
        (DataFusionError::IoError(full()), Class::Resource),
        (DataFusionError::ArrowError(Box::new(ArrowError::IoError("spill".into(), full())), None), Class::Resource),
        (DataFusionError::IoError(io::Error::from(ErrorKind::NotFound)), Class::SourceTransient),
        (DataFusionError::Execution("a cast".into()), Class::User),
    ];
    for (error, class) in cases {
        let text = error.to_string();
        let shared = Error::from(DataFusionError::Shared(Arc::new(match &error {
            DataFusionError::ResourcesExhausted(text) => DataFusionError::ResourcesExhausted(text.clone()),
            DataFusionError::IoError(e) => DataFusionError::IoError(io::Error::from(e.kind())),
            DataFusionError::ArrowError(..) => {
                DataFusionError::ArrowError(Box::new(ArrowError::IoError("spill".into(), full())), None)
            }
            _ => DataFusionError::Execution("a cast".into()),
        })));
        assert_eq!(shared.class, class, "{text}, shared");
        assert_eq!(Error::from(error).class, class, "{text}");
    }
}

#[test]
fn the_engine_speaks_in_our_manner() {
    let arrow = |error| DataFusionError::ArrowError(Box::new(error), None);
    let cases = [
        (
            DataFusionError::Plan("Invalid function 'spice'.\nDid you mean 'slice'?".into()),
            "invalid function 'spice'; Did you mean 'slice'?",
        ),
        (DataFusionError::Execution("DATE_BIN stride must be non-zero".into()), "DATE_BIN stride must be non-zero"),
        (DataFusionError::Internal("a broken rule".into()), "a broken rule"),
        (
            DataFusionError::Plan(format!("{}. No function matches", DataFusionError::Internal("two of three".into()))),
            "internal error: two of three; No function matches",
        ),
        (arrow(ArrowError::CastError("Can't cast 'x' to Int32".into())), "can't cast 'x' to Int32"),
        (arrow(ArrowError::DivideByZero), "divide by zero error"),
    ];
    for (error, told) in cases {
        assert_eq!(Error::of_shared(&error).message, told);
        assert_eq!(Error::from(error).message, told);
    }
}
