//! The log of what happens in organizations, for whoever watches.

use flowetl_proto::id::RunId;
use serde_json::Value;
use sqlx::any::AnyRow;
use sqlx::{Any, Transaction};

use super::{Store, commit, doing, get, get_json, serial, to_json};
use crate::{Error, Result};

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct News {
    /// Of what sort the thing is, and what happened to it: `run.ended`.
    pub kind: String,
    /// The id of the thing.
    pub subject: String,
    /// What else is told of it; never a secret.
    pub detail: Value,
    pub at: i64,
}

/// The same as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct NewsRow {
    /// One greater than that of what happened before it, in this organization or another.
    pub number: i64,
    /// `None` as long as there is no default organization, which owns what no other does.
    pub organization: Option<String>,
    pub news: News,
}

/// A part of the log.
#[derive(Debug)]
pub(crate) struct NewsPage {
    pub rows: Vec<NewsRow>,
    /// Up to which number nothing is missing in `rows`.
    pub upto: i64,
}

/// Whose something is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Of<'a> {
    Organization(&'a str),
    /// Whoever the run belongs to.
    Run(&'a RunId),
}

/// Whose a row of `n` is.
const OWNER: &str = "coalesce(n.organization, (select default_organization from installation where id = 1))";

impl Store {
    /// The number of the newest.
    pub(crate) async fn newest_news(&self) -> Result<i64> {
        Ok(self.kept_news().await?.1)
    }

    /// What came after the number `after`, at most `limit` of it: in one organization, or in all. Fails with
    /// [`Error::Forgotten`] where not all of that is kept.
    pub(crate) async fn news_after(&self, organization: Option<&str>, after: i64, limit: i64) -> Result<NewsPage> {
        // Read before the rows: what is added meanwhile is left for the next page, and not lost.
        let (forgotten, newest) = self.kept_news().await?;
        if after < forgotten || after > newest {
            return Err(Error::Forgotten { after, newest });
        }
        let select = format!(
            "select n.*, {OWNER} as owner from news n \
             where n.number > $1 and n.number <= $2 and ($3 = '' or {OWNER} = $3) order by n.number limit $4"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(select))
            .bind(after)
            .bind(newest)
            .bind(organization.unwrap_or_default().to_owned())
            .bind(limit)
            .fetch_all(&self.pool)
            .await
            .map_err(doing("read the news"))?;
        let rows = rows.iter().map(decode).collect::<Result<Vec<_>>>()?;
        let is_full = i64::try_from(rows.len()).is_ok_and(|found| found == limit);
        let upto = rows.last().filter(|_| is_full).map_or(newest, |row| row.number);
        Ok(NewsPage { rows, upto })
    }

    /// The organization that a run belongs to, if it is anybody's.
    pub(crate) async fn owner_of_run(&self, run: &RunId) -> Result<Option<String>> {
        let select = sqlx::AssertSqlSafe(format!("select {OWNER} as owner from run n where n.id = $1"));
        let row = sqlx::query(select).bind(run.as_str().to_owned()).fetch_optional(&self.pool).await;
        row.map_err(doing("read a run"))?.map_or(Ok(None), |row| get(&row, "owner"))
    }

    /// Forgets what happened up to the time `until`, and all but the newest `most`. Gives how many that were.
    pub(crate) async fn forget_news(&self, until: i64, most: i64) -> Result<u64> {
        let mut tx = self.begin().await?;
        let old = sqlx::query("select coalesce(max(number), 0) as number from news where at <= $1").bind(until);
        let old = old.fetch_one(&mut *tx).await.map_err(doing("read the news"))?;
        let (old, newest) = (get::<i64>(&old, "number")?, serial::take(&mut tx, "news", 0).await?.end - 1);
        let last = old.max(newest - most);
        let update =
            sqlx::query("update serial set value = $1 where name = 'news_forgotten' and value < $1").bind(last);
        update.execute(&mut *tx).await.map_err(doing("remove old news"))?;
        let delete = sqlx::query("delete from news where number <= $1").bind(last);
        let done = delete.execute(&mut *tx).await.map_err(doing("remove old news"))?;
        commit(tx).await?;
        Ok(done.rows_affected())
    }

    #[cfg(test)]
    pub(crate) async fn add_news(&self, all: Vec<(String, News)>) -> Result<()> {
        let mut tx = self.begin().await?;
        for (organization, news) in all {
            append(&mut tx, Of::Organization(&organization), &[news]).await?;
        }
        commit(tx).await?;
        self.grown.notify_one();
        Ok(())
    }

    /// The numbers of the newest that is not kept any more, and of the newest.
    async fn kept_news(&self) -> Result<(i64, i64)> {
        let select = "select f.value as forgotten, n.value as newest from serial f, serial n \
                      where f.name = 'news_forgotten' and n.name = 'news'";
        let row = sqlx::query(select).fetch_one(&self.pool).await.map_err(doing("read the news"))?;
        Ok((get(&row, "forgotten")?, get(&row, "newest")?))
    }
}

/// Adds to the log, last of all in a transaction: from here on others wait for its end with their news, so that who reads up to
/// a number has missed nothing before it.
pub(super) async fn append(tx: &mut Transaction<'static, Any>, of: Of<'_>, news: &[News]) -> Result<()> {
    if news.is_empty() {
        return Ok(());
    }
    let (organization, owner) = match of {
        Of::Organization(id) => ("$2", id),
        Of::Run(run) => ("(select organization from run where id = $2)", run.as_str()),
    };
    let insert = format!(
        "insert into news (number, organization, kind, subject, detail, at) values ($1, {organization}, $3, $4, $5, $6)"
    );
    let numbers = serial::take(tx, "news", news.len() as i64).await?;
    for (number, news) in numbers.zip(news) {
        sqlx::query(sqlx::AssertSqlSafe(insert.clone()))
            .bind(number)
            .bind(owner.to_owned())
            .bind(news.kind.clone())
            .bind(news.subject.clone())
            .bind(to_json("news", &news.detail)?)
            .bind(news.at)
            .execute(&mut **tx)
            .await
            .map_err(doing("write the news"))?;
    }
    Ok(())
}

fn decode(row: &AnyRow) -> Result<NewsRow> {
    let news = News {
        kind: get(row, "kind")?,
        subject: get(row, "subject")?,
        detail: get_json(row, "detail")?.unwrap_or_default(),
        at: get(row, "at")?,
    };
    Ok(NewsRow { number: get(row, "number")?, organization: get(row, "owner")?, news })
}
