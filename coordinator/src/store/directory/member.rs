//! Who belongs to which organization, and as what.

use flowetl_proto::run::Timestamp;
use sqlx::any::AnyRow;

use super::{Directory, organization};
use crate::Result;
use crate::accounts::{Member, Membership, Role};
use crate::store::{doing, get, get_word};

/// Members that a list shows at most: more than an organization has people.
const LIST_MAX: i64 = 10_000;

const MEMBER: &str = "select p.id as person, p.email, p.name, p.last_seen_at, m.role, m.created_at as since \
                      from membership m join person p on p.id = m.person where m.organization = $1";

impl Directory {
    /// The organizations that a person belongs to, by name.
    pub(crate) async fn memberships(&mut self, person: &str) -> Result<Vec<Membership>> {
        let query = "select o.*, m.role from membership m join organization o on o.id = m.organization \
                     where m.person = $1 order by o.name, o.id";
        let rows = sqlx::query(query).bind(person.to_owned()).fetch_all(&mut *self.line).await;
        let decode = |row| Ok(Membership { organization: organization::decode(row)?, role: get_word(row, "role")? });
        rows.map_err(doing("list the memberships"))?.iter().map(decode).collect()
    }

    /// The members of an organization, by their addresses.
    pub(crate) async fn members(&mut self, organization: &str) -> Result<Vec<Member>> {
        let query = sqlx::AssertSqlSafe(format!("{MEMBER} order by p.email limit {LIST_MAX}"));
        let rows = sqlx::query(query).bind(organization.to_owned()).fetch_all(&mut *self.line).await;
        rows.map_err(doing("list the members"))?.iter().map(decode).collect()
    }

    pub(crate) async fn member(&mut self, organization: &str, person: &str) -> Result<Option<Member>> {
        let query = sqlx::query(sqlx::AssertSqlSafe(format!("{MEMBER} and m.person = $2")));
        let row = query.bind(organization.to_owned()).bind(person.to_owned()).fetch_optional(&mut *self.line).await;
        row.map_err(doing("read a member"))?.as_ref().map(decode).transpose()
    }

    /// How many own an organization.
    pub(crate) async fn owners(&mut self, organization: &str) -> Result<i64> {
        let query = "select count(*) as owners from membership where organization = $1 and role = 'owner'";
        let row = sqlx::query(query).bind(organization.to_owned()).fetch_one(&mut *self.line).await;
        get(&row.map_err(doing("count the owners"))?, "owners")
    }

    /// False where the person belongs to the organization already.
    pub(crate) async fn add_member(&mut self, organization: &str, person: &str, role: Role, now: i64) -> Result<bool> {
        let insert = "insert into membership (organization, person, role, created_at) values ($1, $2, $3, $4) \
                      on conflict do nothing";
        let insert = sqlx::query(insert).bind(organization.to_owned()).bind(person.to_owned());
        let done = insert.bind(role.as_str()).bind(now).execute(&mut *self.line).await;
        Ok(done.map_err(doing("write a member"))?.rows_affected() == 1)
    }

    pub(crate) async fn set_role(&mut self, organization: &str, person: &str, role: Role) -> Result<()> {
        let update = sqlx::query("update membership set role = $1 where organization = $2 and person = $3");
        let update = update.bind(role.as_str()).bind(organization.to_owned()).bind(person.to_owned());
        update.execute(&mut *self.line).await.map_err(doing("write a member"))?;
        Ok(())
    }

    /// Removes a member and the keys that act as it.
    pub(crate) async fn remove_member(&mut self, organization: &str, person: &str) -> Result<()> {
        let deletes = [
            "delete from api_key where organization = $1 and person = $2",
            "delete from membership where organization = $1 and person = $2",
        ];
        for delete in deletes {
            let delete = sqlx::query(delete).bind(organization.to_owned()).bind(person.to_owned());
            delete.execute(&mut *self.line).await.map_err(doing("remove a member"))?;
        }
        Ok(())
    }
}

fn decode(row: &AnyRow) -> Result<Member> {
    Ok(Member {
        person: get(row, "person")?,
        email: get(row, "email")?,
        name: get(row, "name")?,
        role: get_word(row, "role")?,
        since: Timestamp(get(row, "since")?),
        last_seen_at: get::<Option<i64>>(row, "last_seen_at")?.map(Timestamp),
    })
}
