//! Invitations into organizations.

use flowetl_proto::run::Timestamp;
use sqlx::any::AnyRow;

use super::Directory;
use crate::Result;
use crate::accounts::Invitation;
use crate::store::{doing, get, get_word};

impl Directory {
    /// Those that have not expired at the time `now`, newest first.
    pub(crate) async fn invitations(&mut self, organization: &str, now: i64) -> Result<Vec<Invitation>> {
        let query = "select * from invitation where organization = $1 and expires_at > $2 order by id desc";
        let query = sqlx::query(query).bind(organization.to_owned()).bind(now);
        let rows = query.fetch_all(&mut *self.line).await.map_err(doing("list the invitations"))?;
        rows.iter().map(decode).collect()
    }

    /// That of a secret, if it has not expired at the time `now`.
    pub(crate) async fn invitation(&mut self, hash: &str, now: i64) -> Result<Option<Invitation>> {
        let query = sqlx::query("select * from invitation where hash = $1 and expires_at > $2");
        let row = query.bind(hash.to_owned()).bind(now).fetch_optional(&mut *self.line).await;
        row.map_err(doing("read an invitation"))?.as_ref().map(decode).transpose()
    }

    /// Removes those of an organization that have expired at the time `now`.
    pub(crate) async fn forget_invitations(&mut self, organization: &str, now: i64) -> Result<()> {
        let delete = sqlx::query("delete from invitation where organization = $1 and expires_at <= $2");
        let delete = delete.bind(organization.to_owned()).bind(now);
        delete.execute(&mut *self.line).await.map_err(doing("remove invitations"))?;
        Ok(())
    }

    pub(crate) async fn add_invitation(&mut self, invitation: &Invitation, hash: &str) -> Result<()> {
        let insert = "insert into invitation (id, organization, email, role, hash, invited_by, created_at, expires_at) \
                      values ($1, $2, $3, $4, $5, $6, $7, $8)";
        sqlx::query(insert)
            .bind(invitation.id.clone())
            .bind(invitation.organization.clone())
            .bind(invitation.email.clone())
            .bind(invitation.role.as_str())
            .bind(hash.to_owned())
            .bind(invitation.invited_by.clone())
            .bind(invitation.created_at.0)
            .bind(invitation.expires_at.0)
            .execute(&mut *self.line)
            .await
            .map_err(doing("write an invitation"))?;
        Ok(())
    }

    /// Takes it back, or uses it up. What it was; `None` where there is none.
    pub(crate) async fn remove_invitation(&mut self, organization: &str, id: &str) -> Result<Option<Invitation>> {
        let delete = sqlx::query("delete from invitation where organization = $1 and id = $2 returning *");
        let row = delete.bind(organization.to_owned()).bind(id.to_owned()).fetch_optional(&mut *self.line).await;
        row.map_err(doing("remove an invitation"))?.as_ref().map(decode).transpose()
    }
}

fn decode(row: &AnyRow) -> Result<Invitation> {
    Ok(Invitation {
        id: get(row, "id")?,
        organization: get(row, "organization")?,
        email: get(row, "email")?,
        role: get_word(row, "role")?,
        invited_by: get(row, "invited_by")?,
        created_at: Timestamp(get(row, "created_at")?),
        expires_at: Timestamp(get(row, "expires_at")?),
    })
}
