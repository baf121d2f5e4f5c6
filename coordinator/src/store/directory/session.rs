//! Sign-ins, and the refresh tokens that prolong them.

use super::{Directory, person};
use crate::Result;
use crate::accounts::Person;
use crate::store::{doing, get};

/// A refresh token as it is kept.
pub(crate) struct Refresh {
    pub session: String,
    pub person: Person,
    pub expires_at: i64,
    /// Whether the session has ended.
    pub is_over: bool,
}

impl Directory {
    pub(crate) async fn add_session(&mut self, id: &str, person: &str, now: i64) -> Result<()> {
        let insert = sqlx::query("insert into session (id, person, created_at) values ($1, $2, $3)");
        let insert = insert.bind(id.to_owned()).bind(person.to_owned()).bind(now);
        insert.execute(&mut *self.line).await.map_err(doing("write a session"))?;
        Ok(())
    }

    /// Removes a person's refresh tokens that have expired at the time `now`, and the sessions that have none left.
    pub(crate) async fn forget_sessions(&mut self, person: &str, now: i64) -> Result<()> {
        let tokens = "delete from refresh_token where expires_at <= $1 \
                      and session in (select id from session where person = $2)";
        let tokens = sqlx::query(tokens).bind(now).bind(person.to_owned());
        tokens.execute(&mut *self.line).await.map_err(doing("remove sessions"))?;
        let sessions = "delete from session where person = $1 \
                        and not exists (select 1 from refresh_token r where r.session = session.id)";
        let sessions = sqlx::query(sessions).bind(person.to_owned());
        sessions.execute(&mut *self.line).await.map_err(doing("remove sessions"))?;
        Ok(())
    }

    /// Whose session it is, while it lasts.
    pub(crate) async fn person_of_session(&mut self, session: &str, id: &str) -> Result<Option<Person>> {
        let query = "select p.* from session s join person p on p.id = s.person \
                     where s.id = $1 and s.person = $2 and s.ended_at is null";
        let row = sqlx::query(query).bind(session.to_owned()).bind(id.to_owned()).fetch_optional(&mut *self.line).await;
        row.map_err(doing("read a session"))?.as_ref().map(person::decode).transpose()
    }

    /// Ends a session: no token of it counts any more.
    pub(crate) async fn end_session(&mut self, id: &str, now: i64) -> Result<()> {
        let update = sqlx::query("update session set ended_at = $1 where id = $2 and ended_at is null");
        update.bind(now).bind(id.to_owned()).execute(&mut *self.line).await.map_err(doing("end a session"))?;
        Ok(())
    }

    /// Ends all sessions of a person but `session`.
    pub(crate) async fn end_other_sessions(&mut self, person: &str, session: Option<&str>, now: i64) -> Result<()> {
        let update = "update session set ended_at = $1 where person = $2 and id <> $3 and ended_at is null";
        let update = sqlx::query(update).bind(now).bind(person.to_owned());
        let update = update.bind(session.unwrap_or_default().to_owned());
        update.execute(&mut *self.line).await.map_err(doing("end sessions"))?;
        Ok(())
    }

    pub(crate) async fn add_refresh(&mut self, hash: &str, session: &str, expires_at: i64) -> Result<()> {
        let insert = sqlx::query("insert into refresh_token (hash, session, expires_at) values ($1, $2, $3)");
        let insert = insert.bind(hash.to_owned()).bind(session.to_owned()).bind(expires_at);
        insert.execute(&mut *self.line).await.map_err(doing("write a refresh token"))?;
        Ok(())
    }

    pub(crate) async fn refresh(&mut self, hash: &str) -> Result<Option<Refresh>> {
        let query = "select p.*, r.session, r.expires_at, s.ended_at from refresh_token r \
                     join session s on s.id = r.session join person p on p.id = s.person where r.hash = $1";
        let row = sqlx::query(query).bind(hash.to_owned()).fetch_optional(&mut *self.line).await;
        let decode = |row| {
            Ok(Refresh {
                session: get(row, "session")?,
                person: person::decode(row)?,
                expires_at: get(row, "expires_at")?,
                is_over: get::<Option<i64>>(row, "ended_at")?.is_some(),
            })
        };
        row.map_err(doing("read a refresh token"))?.as_ref().map(decode).transpose()
    }

    /// Uses a refresh token up. False where it was before.
    pub(crate) async fn use_refresh(&mut self, hash: &str, now: i64) -> Result<bool> {
        let update = sqlx::query("update refresh_token set used_at = $1 where hash = $2 and used_at is null");
        let done = update.bind(now).bind(hash.to_owned()).execute(&mut *self.line).await;
        Ok(done.map_err(doing("write a refresh token"))?.rows_affected() == 1)
    }
}
