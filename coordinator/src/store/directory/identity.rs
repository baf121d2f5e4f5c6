//! Who people are at other services.

use super::{Directory, person};
use crate::Result;
use crate::accounts::Person;
use crate::store::doing;

impl Directory {
    pub(crate) async fn person_of_identity(&mut self, issuer: &str, subject: &str) -> Result<Option<Person>> {
        let query = "select p.* from identity i join person p on p.id = i.person \
                     where i.issuer = $1 and i.subject = $2";
        let row = sqlx::query(query).bind(issuer.to_owned()).bind(subject.to_owned());
        let row = row.fetch_optional(&mut *self.line).await.map_err(doing("read an identity"))?;
        row.as_ref().map(person::decode).transpose()
    }

    pub(crate) async fn add_identity(&mut self, issuer: &str, subject: &str, person: &str, now: i64) -> Result<()> {
        let insert = sqlx::query("insert into identity (issuer, subject, person, created_at) values ($1, $2, $3, $4)");
        let insert = insert.bind(issuer.to_owned()).bind(subject.to_owned()).bind(person.to_owned()).bind(now);
        insert.execute(&mut *self.line).await.map_err(doing("write an identity"))?;
        Ok(())
    }
}
