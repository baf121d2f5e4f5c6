//! Files of organizations, and those that are being uploaded.

use std::collections::HashSet;

use flowetl_proto::run::Timestamp;
use sqlx::any::AnyRow;

use super::Directory;
use crate::Result;
use crate::files::{File, FileQuery, Spot, Upload};
use crate::store::{containing, doing, get};

impl Directory {
    /// Those that the query asks for, by folder and name.
    pub(crate) async fn files(&mut self, query: &FileQuery) -> Result<Vec<File>> {
        let select = "select * from file where organization = $1 and ($2 = 0 or folder = $3) \
                      and ($4 = '' or lower(name) like $4 escape '\\') \
                      and ($5 = 0 or (folder, name) > ($6, $7)) order by folder, name limit $8";
        let after = query.after.as_ref().map(|place| (place.folder.clone(), place.name.clone()));
        let rows = sqlx::query(select)
            .bind(query.organization.clone())
            .bind(i64::from(query.folder.is_some()))
            .bind(query.folder.clone().unwrap_or_default())
            .bind(query.search.as_deref().map(containing).unwrap_or_default())
            .bind(i64::from(after.is_some()));
        let (folder, name) = after.unwrap_or_default();
        let rows = rows.bind(folder).bind(name).bind(query.limit).fetch_all(&mut *self.line).await;
        rows.map_err(doing("list the files"))?.iter().map(decode).collect()
    }

    /// Where all those lie that the query asks for, wherever its page begins.
    pub(crate) async fn file_spots(&mut self, query: &FileQuery) -> Result<HashSet<Spot>> {
        let select = "select folder, name from file where organization = $1 and ($2 = 0 or folder = $3)";
        let rows = sqlx::query(select)
            .bind(query.organization.clone())
            .bind(i64::from(query.folder.is_some()))
            .bind(query.folder.clone().unwrap_or_default());
        let rows = rows.fetch_all(&mut *self.line).await.map_err(doing("list the files"))?;
        rows.iter().map(|row| Ok(Spot { folder: get(row, "folder")?, name: get(row, "name")? })).collect()
    }

    /// All folders that an organization's files lie in.
    pub(crate) async fn file_folders(&mut self, organization: &str) -> Result<Vec<String>> {
        let select = "select distinct folder from file where organization = $1 order by folder";
        let rows = sqlx::query(select).bind(organization.to_owned()).fetch_all(&mut *self.line).await;
        rows.map_err(doing("list the folders"))?.iter().map(|row| get(row, "folder")).collect()
    }

    pub(crate) async fn file(&mut self, organization: &str, id: &str) -> Result<Option<File>> {
        let query = sqlx::query("select * from file where organization = $1 and id = $2");
        let row = query.bind(organization.to_owned()).bind(id.to_owned()).fetch_optional(&mut *self.line).await;
        row.map_err(doing("read a file"))?.as_ref().map(decode).transpose()
    }

    pub(crate) async fn file_at(&mut self, organization: &str, spot: &Spot) -> Result<Option<File>> {
        let query = sqlx::query("select * from file where organization = $1 and folder = $2 and name = $3");
        let query = query.bind(organization.to_owned()).bind(spot.folder.clone()).bind(spot.name.clone());
        let row = query.fetch_optional(&mut *self.line).await;
        row.map_err(doing("read a file"))?.as_ref().map(decode).transpose()
    }

    /// What an organization's files take, those that are being uploaded among them.
    pub(crate) async fn file_bytes(&mut self, organization: &str) -> Result<i64> {
        let select = "select cast(coalesce((select sum(size) from file where organization = $1), 0) \
                      + coalesce((select sum(size) from upload where organization = $1), 0) as bigint) as bytes";
        let row = sqlx::query(select).bind(organization.to_owned()).fetch_one(&mut *self.line).await;
        get(&row.map_err(doing("count the files' bytes"))?, "bytes")
    }

    /// A new file, or another one in the place of one.
    pub(crate) async fn put_file(&mut self, file: &File) -> Result<()> {
        let insert = "insert into file (id, organization, folder, name, size, sha256, created_by, created_at) \
                      values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (id) do update \
                      set size = $5, sha256 = $6, created_by = $7, created_at = $8";
        sqlx::query(insert)
            .bind(file.id.clone())
            .bind(file.organization.clone())
            .bind(file.folder.clone())
            .bind(file.name.clone())
            .bind(file.size)
            .bind(file.sha256.clone())
            .bind(file.created_by.clone())
            .bind(file.created_at.0)
            .execute(&mut *self.line)
            .await
            .map_err(doing("write a file"))?;
        Ok(())
    }

    pub(crate) async fn remove_file(&mut self, organization: &str, id: &str) -> Result<()> {
        let delete = sqlx::query("delete from file where organization = $1 and id = $2");
        let done = delete.bind(organization.to_owned()).bind(id.to_owned()).execute(&mut *self.line).await;
        done.map_err(doing("remove a file"))?;
        Ok(())
    }

    pub(crate) async fn add_upload(&mut self, upload: &Upload) -> Result<()> {
        let insert = "insert into upload \
                      (id, organization, folder, name, size, sha256, received, created_by, created_at, touched_at) \
                      values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)";
        sqlx::query(insert)
            .bind(upload.id.clone())
            .bind(upload.organization.clone())
            .bind(upload.folder.clone())
            .bind(upload.name.clone())
            .bind(upload.size)
            .bind(upload.sha256.clone())
            .bind(upload.offset)
            .bind(upload.created_by.clone())
            .bind(upload.created_at.0)
            .execute(&mut *self.line)
            .await
            .map_err(doing("begin an upload"))?;
        Ok(())
    }

    pub(crate) async fn upload(&mut self, organization: &str, id: &str) -> Result<Option<Upload>> {
        let query = sqlx::query("select * from upload where organization = $1 and id = $2");
        let row = query.bind(organization.to_owned()).bind(id.to_owned()).fetch_optional(&mut *self.line).await;
        row.map_err(doing("read an upload"))?.as_ref().map(decode_upload).transpose()
    }

    /// An upload that was begun by the same person, of the same content, which must be known, to the same place.
    pub(crate) async fn upload_like(&mut self, wish: &Upload) -> Result<Option<Upload>> {
        let select = "select * from upload where organization = $1 and folder = $2 and name = $3 and size = $4 \
                      and sha256 = $5 and created_by = $6 order by id desc limit 1";
        let query = sqlx::query(select)
            .bind(wish.organization.clone())
            .bind(wish.folder.clone())
            .bind(wish.name.clone())
            .bind(wish.size)
            .bind(wish.sha256.clone())
            .bind(wish.created_by.clone());
        let row = query.fetch_optional(&mut *self.line).await.map_err(doing("read an upload"))?;
        row.as_ref().map(decode_upload).transpose()
    }

    /// More of an upload is there, in this object: up to `to`. False, and nothing was done, where it stands elsewhere by now.
    pub(crate) async fn upload_grown(&mut self, upload: &Upload, to: i64, object: &str, at: i64) -> Result<bool> {
        let update = "update upload set received = $1, touched_at = $2 where id = $3 and received = $4";
        let query = sqlx::query(update).bind(to).bind(at).bind(upload.id.clone()).bind(upload.offset);
        let done = query.execute(&mut *self.line).await.map_err(doing("go on with an upload"))?;
        if done.rows_affected() != 1 {
            return Ok(false);
        }
        let insert = sqlx::query("insert into upload_piece (upload, start, object) values ($1, $2, $3)");
        let insert = insert.bind(upload.id.clone()).bind(upload.offset).bind(object.to_owned());
        insert.execute(&mut *self.line).await.map_err(doing("go on with an upload"))?;
        Ok(true)
    }

    /// In how many pieces an upload has come.
    pub(crate) async fn count_pieces(&mut self, upload: &str) -> Result<i64> {
        let query = sqlx::query("select count(*) as pieces from upload_piece where upload = $1");
        let row = query.bind(upload.to_owned()).fetch_one(&mut *self.line).await;
        get(&row.map_err(doing("read an upload"))?, "pieces")
    }

    /// The objects that hold what has come of an upload, in their order; `None` where there is no such upload.
    pub(crate) async fn upload_pieces(&mut self, organization: &str, id: &str) -> Result<Option<Vec<String>>> {
        if self.upload(organization, id).await?.is_none() {
            return Ok(None);
        }
        let query = sqlx::query("select object from upload_piece where upload = $1 order by start");
        let rows = query.bind(id.to_owned()).fetch_all(&mut *self.line).await.map_err(doing("read an upload"))?;
        rows.iter().map(|row| get(row, "object")).collect::<Result<_>>().map(Some)
    }

    /// The ids of an organization's uploads that nobody has gone on with since `before`.
    pub(crate) async fn idle_uploads(&mut self, organization: &str, before: i64) -> Result<Vec<String>> {
        let query = sqlx::query("select id from upload where organization = $1 and touched_at < $2");
        let rows = query.bind(organization.to_owned()).bind(before).fetch_all(&mut *self.line).await;
        rows.map_err(doing("list the uploads"))?.iter().map(|row| get(row, "id")).collect()
    }

    pub(crate) async fn remove_upload(&mut self, organization: &str, id: &str) -> Result<()> {
        let delete = sqlx::query("delete from upload where organization = $1 and id = $2");
        let done = delete.bind(organization.to_owned()).bind(id.to_owned()).execute(&mut *self.line).await;
        done.map_err(doing("remove an upload"))?;
        Ok(())
    }
}

fn decode(row: &AnyRow) -> Result<File> {
    Ok(File {
        id: get(row, "id")?,
        organization: get(row, "organization")?,
        folder: get(row, "folder")?,
        name: get(row, "name")?,
        size: get(row, "size")?,
        sha256: get(row, "sha256")?,
        created_by: get(row, "created_by")?,
        created_at: Timestamp(get(row, "created_at")?),
        written_by: None,
    })
}

fn decode_upload(row: &AnyRow) -> Result<Upload> {
    Ok(Upload {
        id: get(row, "id")?,
        organization: get(row, "organization")?,
        folder: get(row, "folder")?,
        name: get(row, "name")?,
        size: get(row, "size")?,
        sha256: get(row, "sha256")?,
        offset: get(row, "received")?,
        created_by: get(row, "created_by")?,
        created_at: Timestamp(get(row, "created_at")?),
    })
}
