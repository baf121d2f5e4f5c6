//! The audit log: written in the transaction of the change that it tells of, and never changed.

use flowetl_proto::run::Timestamp;
use serde_json::{Value, json};
use sqlx::any::AnyRow;

use super::{Directory, News};
use crate::Result;
use crate::accounts::AuditEntry;
use crate::store::{doing, get, get_json, to_json};

/// Changes of these are told to whoever watches the organization: all of its members may see them. What was changed is for
/// those who may read this log.
const TOLD: [&str; 13] = [
    "organization",
    "member",
    "run",
    "connection",
    "folder",
    "pipeline",
    "schedule",
    "vault",
    "discovery",
    "destination",
    "file",
    "warehouse",
    "transformation",
];

impl Directory {
    /// Writes an entry down; who watches is told once it is committed.
    pub(crate) async fn audit(&mut self, entry: &AuditEntry) -> Result<()> {
        let insert = "insert into audit \
                      (id, organization, person, api_key, address, action, subject, before, after, at) \
                      values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
        let json = |value: &Option<Value>| value.as_ref().map(|v| to_json("an audit entry", v)).transpose();
        sqlx::query(insert)
            .bind(entry.id.clone())
            .bind(entry.organization.clone())
            .bind(entry.person.clone())
            .bind(entry.api_key.clone())
            .bind(entry.address.clone())
            .bind(entry.action.clone())
            .bind(entry.subject.clone())
            .bind(json(&entry.before)?)
            .bind(json(&entry.after)?)
            .bind(entry.at.0)
            .execute(&mut *self.line)
            .await
            .map_err(doing("write the audit log"))?;
        let is_told = entry.action.split('.').next().is_some_and(|thing| TOLD.contains(&thing));
        if let Some(organization) = entry.organization.clone().filter(|_| is_told) {
            let (kind, subject) = (entry.action.clone(), entry.subject.clone());
            self.news.push((organization, News { kind, subject, detail: json!({}), at: entry.at.0 }));
        }
        Ok(())
    }

    /// Newest first, those older than the entry `before` if there is one: of one organization, or of everything.
    pub(crate) async fn audit_log(
        &mut self,
        organization: Option<&str>,
        before: Option<&str>,
        limit: i64,
    ) -> Result<Vec<AuditEntry>> {
        let query = "select * from audit where ($1 = '' or organization = $1) and ($2 = '' or id < $2) \
                     order by id desc limit $3";
        let query = sqlx::query(query).bind(organization.unwrap_or_default().to_owned());
        let query = query.bind(before.unwrap_or_default().to_owned()).bind(limit);
        let rows = query.fetch_all(&mut *self.line).await.map_err(doing("read the audit log"))?;
        rows.iter().map(decode).collect()
    }
}

fn decode(row: &AnyRow) -> Result<AuditEntry> {
    Ok(AuditEntry {
        id: get(row, "id")?,
        organization: get(row, "organization")?,
        person: get(row, "person")?,
        api_key: get(row, "api_key")?,
        address: get(row, "address")?,
        action: get(row, "action")?,
        subject: get(row, "subject")?,
        before: get_json(row, "before")?,
        after: get_json(row, "after")?,
        at: Timestamp(get(row, "at")?),
    })
}
