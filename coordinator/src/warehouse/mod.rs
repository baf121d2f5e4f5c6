//! The built-in warehouse: a PostgreSQL database in which each organization has schemas of its own, a role that can use these
//! alone, and a connection `warehouse` that signs in as it.
//!
//! [`Warehouse`] says where it is, [`Tenancy`] what an organization has of it, [`server`] makes and drops that there, [`keeper`]
//! sees to it that every organization has it, and that nothing is left of those that are gone.

mod keeper;
mod server;
mod tenancy;
#[cfg(test)]
mod tests;

use flowetl_proto::pipeline::Connection;
use serde_json::{Map, Value, json};

pub(crate) use self::keeper::keep;
pub(crate) use self::tenancy::{LAYERS, Tenancy};

/// The connection by which pipelines of every organization name the warehouse.
pub(crate) const CONNECTION: &str = "warehouse";

/// The database, and who may make schemas and roles there.
#[derive(Clone, Debug)]
pub struct Warehouse {
    connection: Connection,
}

impl Warehouse {
    /// Checks what a connection says, and does not connect. The error names what is wrong, and no secret.
    pub fn open(connection: Connection) -> Result<Self, String> {
        if connection.scheme != "postgres" {
            return Err(format!(
                "`{}` is no warehouse; use `postgres://user:password@host/database`",
                connection.scheme
            ));
        }
        if connection.host.as_deref().is_none_or(str::is_empty) || connection.user.is_none() {
            return Err("a host and a user are missing; use `postgres://user:password@host/database`".to_owned());
        }
        let warehouse = Self { connection };
        if warehouse.database().is_empty() {
            return Err("the database is missing; use `postgres://user:password@host/database`".to_owned());
        }
        server::options(&warehouse)?;
        Ok(warehouse)
    }

    fn database(&self) -> &str {
        self.connection.path.trim_matches('/')
    }

    /// The settings of an organization's connection, but for the password.
    fn config(&self, tenancy: &Tenancy) -> Map<String, Value> {
        let mut config = Map::new();
        let mut set = |key: &str, value: Value| drop(config.insert(key.to_owned(), value));
        set("host", json!(self.connection.host));
        set("port", json!(self.connection.port.unwrap_or(server::PORT)));
        set("database", json!(self.database()));
        set("username", json!(tenancy.role()));
        for (option, value) in &self.connection.options {
            set(option, json!(value.reveal()));
        }
        config
    }
}
