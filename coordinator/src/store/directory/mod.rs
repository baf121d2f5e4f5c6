//! People, organizations, how they are let in, and what belongs to them, all through a [`Directory`]; what is written is one
//! transaction.

mod api_key;
mod audit;
mod connection;
mod destination;
mod file;
mod file_watch;
mod identity;
mod invitation;
mod line;
mod loaded_table;
mod member;
mod metadata_cache;
mod organization;
mod person;
mod revision;
mod schedule;
mod session;
mod stored_pipeline;
mod tenancy;
mod transformation;
mod trigger;
mod vault;
mod written_file;

use std::sync::Arc;

pub(super) use self::destination::{decode_delivery, decode_destination, insert_delivery};
pub(crate) use self::stored_pipeline::PipelineQuery;
pub(crate) use self::trigger::Edge;
use tokio::sync::Notify;

use self::line::Line;
use super::news::{self, News, Of};
use super::{Store, commit, doing, get};
use crate::Result;

/// Accounts and what they own. Who reads sees the newest at each question; of who writes, what is not committed has not
/// happened.
pub(crate) struct Directory {
    line: Line,
    /// What whoever watches is told of it, with the organization that it happens in.
    news: Vec<(String, News)>,
    grown: Arc<Notify>,
    /// Told where organizations are made or go.
    founded: Arc<Notify>,
    /// Whether one was made or went here.
    is_founded: bool,
}

impl Store {
    /// To read.
    pub(crate) async fn directory(&self) -> Result<Directory> {
        let connection = self.pool.acquire().await.map_err(doing("connect"))?;
        Ok(self.directory_on(Line::Reads(connection)))
    }

    /// To read and write; only where this process may decide.
    pub(crate) async fn change_directory(&self) -> Result<Directory> {
        Ok(self.directory_on(Line::Writes(self.begin().await?)))
    }

    fn directory_on(&self, line: Line) -> Directory {
        Directory { line, news: Vec::new(), grown: self.grown(), founded: self.founded(), is_founded: false }
    }
}

impl Directory {
    pub(crate) async fn commit(self) -> Result<()> {
        let Line::Writes(mut tx) = self.line else { return Ok(()) };
        for (organization, news) in self.news {
            news::append(&mut tx, Of::Organization(&organization), &[news]).await?;
        }
        commit(tx).await?;
        self.grown.notify_one();
        if self.is_founded {
            self.founded.notify_one();
        }
        Ok(())
    }

    /// Lets nobody else join the installation until the transaction ends: who is the first is decided once.
    pub(crate) async fn lock(&mut self) -> Result<()> {
        let update = sqlx::query("update installation set id = id where id = 1");
        update.execute(&mut *self.line).await.map_err(doing("lock the installation"))?;
        Ok(())
    }

    /// The key that access tokens are signed with: `new` if there is none yet.
    pub(crate) async fn signing_key(&mut self, new: String) -> Result<String> {
        let update =
            "update installation set signing_key = coalesce(signing_key, $1) where id = 1 returning signing_key";
        let row = sqlx::query(update).bind(new).fetch_one(&mut *self.line).await;
        get(&row.map_err(doing("read the signing key"))?, "signing_key")
    }

    /// The id of the organization that owns what no other does.
    pub(crate) async fn default_organization(&mut self) -> Result<Option<String>> {
        let row =
            sqlx::query("select default_organization from installation where id = 1").fetch_one(&mut *self.line).await;
        get(&row.map_err(doing("read the default organization"))?, "default_organization")
    }

    pub(crate) async fn set_default_organization(&mut self, id: &str) -> Result<()> {
        let update = sqlx::query("update installation set default_organization = $1 where id = 1").bind(id.to_owned());
        update.execute(&mut *self.line).await.map_err(doing("write the default organization"))?;
        Ok(())
    }
}
