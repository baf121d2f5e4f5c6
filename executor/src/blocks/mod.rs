//! What a person can draw: one file a kind, and the list.

use flowetl_proto::catalogue::BlockDescription;

mod extract;
mod in_database;
mod load;
mod sql;
mod test;

pub use extract::{BadRows, Columns, Extract, Policies, Sync};
pub use in_database::{InDatabase, Made};
pub use load::Load;
pub use sql::Sql;
pub use test::Test;

/// The list of kinds, sorted by name.
pub fn all() -> Vec<BlockDescription> {
    vec![extract::describe(), in_database::describe(), load::describe(), sql::describe(), test::describe()]
}

/// A name, or a list of names.
#[derive(Clone, Debug, serde::Deserialize, schemars::JsonSchema)]
#[serde(untagged)]
pub enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    pub fn into_vec(self) -> Vec<String> {
        match self {
            Self::One(name) => vec![name],
            Self::Many(names) => names,
        }
    }
}

/// Reads a name or a list of names as a list.
pub(crate) fn one_or_many<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    <OneOrMany as serde::Deserialize>::deserialize(deserializer).map(OneOrMany::into_vec)
}
