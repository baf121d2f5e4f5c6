//! Transformations: SQL that is kept by name and makes tables and views of what pipelines have loaded.
//!
//! [`Transformations`] is how the outside asks. [`model`] is what is kept and shown, [`source`] the tables that may be read;
//! [`template`] finds what SQL refers to, [`project`] makes of it what the database gets, [`build`] the pipeline of a run.

mod build;
mod model;
mod project;
mod scheduled;
mod service;
mod source;
mod template;

pub(crate) use self::model::{
    CompileWish, CompiledSql, Model, Transformation, TransformationItem, TransformationPreviewWish,
    TransformationRunWish, TransformationWish,
};
#[cfg(test)]
pub(crate) use self::scheduled::begin_due;
pub use self::scheduled::run_transformations;
pub(crate) use self::service::Transformations;
pub(crate) use self::source::{LoadedTable, SourceItem, Sources};
