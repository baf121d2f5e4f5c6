//! People.

use flowetl_proto::run::Timestamp;
use sqlx::any::AnyRow;

use super::Directory;
use crate::Result;
use crate::accounts::Person;
use crate::store::{doing, get};

/// A person, and the hash of the password.
pub(crate) struct Credentials {
    pub person: Person,
    /// `None` for who signs in through another service alone.
    pub password_hash: Option<String>,
}

impl Directory {
    pub(crate) async fn has_people(&mut self) -> Result<bool> {
        let row = sqlx::query("select count(*) as people from person").fetch_one(&mut *self.line).await;
        Ok(get::<i64>(&row.map_err(doing("count the people"))?, "people")? > 0)
    }

    /// Who has this address, in lower case.
    pub(crate) async fn credentials(&mut self, email: &str) -> Result<Option<Credentials>> {
        let row = sqlx::query("select * from person where email = $1").bind(email.to_owned());
        let row = row.fetch_optional(&mut *self.line).await.map_err(doing("read a person"))?;
        let decode = |row| {
            let hash = Some(get::<String>(row, "password_hash")?).filter(|hash| !hash.is_empty());
            Ok(Credentials { person: decode(row)?, password_hash: hash })
        };
        row.as_ref().map(decode).transpose()
    }

    /// They are here at the time `now`.
    pub(crate) async fn see(&mut self, person: &str, now: i64) -> Result<()> {
        let update = sqlx::query("update person set last_seen_at = $1 where id = $2");
        update.bind(now).bind(person.to_owned()).execute(&mut *self.line).await.map_err(doing("write a person"))?;
        Ok(())
    }

    /// The hash of a new password; empty: there is none any more.
    pub(crate) async fn set_password(&mut self, person: &str, hash: &str) -> Result<()> {
        let update = sqlx::query("update person set password_hash = $1 where id = $2");
        let update = update.bind(hash.to_owned()).bind(person.to_owned());
        update.execute(&mut *self.line).await.map_err(doing("write a person"))?;
        Ok(())
    }

    /// False where the address is someone's already.
    pub(crate) async fn add_person(&mut self, person: &Person, password_hash: &str) -> Result<bool> {
        let insert = "insert into person (id, email, name, password_hash, super_admin, created_at) \
                      values ($1, $2, $3, $4, $5, $6) on conflict do nothing";
        let done = sqlx::query(insert)
            .bind(person.id.clone())
            .bind(person.email.clone())
            .bind(person.name.clone())
            .bind(password_hash.to_owned())
            .bind(i64::from(person.super_admin))
            .bind(person.created_at.0)
            .execute(&mut *self.line)
            .await
            .map_err(doing("write a person"))?;
        Ok(done.rows_affected() == 1)
    }
}

pub(super) fn decode(row: &AnyRow) -> Result<Person> {
    Ok(Person {
        id: get(row, "id")?,
        email: get(row, "email")?,
        name: get(row, "name")?,
        super_admin: get::<i64>(row, "super_admin")? != 0,
        created_at: Timestamp(get(row, "created_at")?),
    })
}
