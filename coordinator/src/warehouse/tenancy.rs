//! What an organization has of the warehouse, by the names it has there. Pure.

use flowetl_proto::pipeline::Reference;

use super::CONNECTION;
use crate::accounts::Organization;

/// The schemas of every organization, by what is behind its prefix: as it came, made clean, as people ask for it.
pub(crate) const LAYERS: [&str; 3] = ["raw", "staging", "marts"];

/// What every prefix begins with.
const START: &str = "tenant_";
/// With the longest layer, or with a number behind it, a name stays below PostgreSQL's 63 bytes.
const PREFIX_BYTES_MAX: usize = 50;
/// The last part of an organization's id, which is random.
const NUMBER_BYTES: usize = 12;

/// An organization's schemas and role. Their names are as old as they are: those of an organization that is renamed stay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tenancy {
    /// The id of the organization.
    pub organization: String,
    /// What the names of its schemas begin with.
    pub prefix: String,
    /// The id of the connection that leads there; `None` until it does.
    pub connection: Option<String>,
}

impl Tenancy {
    /// That of an organization that has none yet.
    pub(super) fn new(organization: &Organization) -> Self {
        Self::with(organization, "")
    }

    /// The same where another has the prefix.
    pub(super) fn numbered(organization: &Organization) -> Self {
        Self::with(organization, &format!("_{}", number(&organization.id)))
    }

    fn with(organization: &Organization, end: &str) -> Self {
        let mut prefix = format!("{START}{}", organization.slug.replace('-', "_"));
        // Slugs have letters of one byte alone.
        prefix.truncate(PREFIX_BYTES_MAX - end.len());
        Self { organization: organization.id.clone(), prefix: prefix + end, connection: None }
    }

    /// The schema of a layer.
    pub(super) fn schema(&self, layer: &str) -> String {
        format!("{}_{layer}", self.prefix)
    }

    /// A place as pipelines name it: `warehouse.raw.orders` is in the organization's own schema of that layer.
    pub(crate) fn place(&self, named: Reference) -> Reference {
        match named {
            Reference::Table { connection, schema: Some(layer), table }
                if self.connection.is_some() && connection == CONNECTION && LAYERS.contains(&&*layer) =>
            {
                Reference::Table { connection, schema: Some(self.schema(&layer)), table }
            }
            other => other,
        }
    }

    pub(super) fn schemas(&self) -> [String; 3] {
        LAYERS.map(|layer| self.schema(layer))
    }

    /// Who the organization signs in as. A role belongs to all databases of a server, where another installation may have an
    /// organization of this name, too.
    pub(super) fn role(&self) -> String {
        format!("{}_{}", self.prefix, number(&self.organization))
    }
}

fn number(organization: &str) -> &str {
    &organization[organization.len().saturating_sub(NUMBER_BYTES)..]
}
