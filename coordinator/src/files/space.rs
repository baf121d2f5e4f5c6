//! The installation's object storage, as the service uses it: uploads in pieces, files that appear whole, bytes of them.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::web::{Bytes, BytesMut};
use flowetl_proto::pipeline::{Connection, ConnectionSpec};
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ClientOptions, GetOptions, GetRange, ObjectMeta, ObjectStore, ObjectStoreExt, WriteMultipart};
use sha2::{Digest, Sha256};
use tokio::io::AsyncReadExt;

use crate::{Error, Result};

/// What is kept in one piece of an upload, and in memory while it arrives.
pub(crate) const PIECE_BYTES: usize = 8 << 20;
/// A server that does not take the connection in this time is not there.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// One request with its body, which is a piece at most.
const REQUEST_LIMIT: Duration = Duration::from_secs(60);
/// Pieces on their way to the storage while more are read.
const PIECES_AT_ONCE: usize = 2;

/// A folder or a bucket, the same that executors keep boundaries in. Cheap to clone.
#[derive(Clone)]
pub struct Space {
    spec: ConnectionSpec,
    store: Arc<dyn ObjectStore>,
    /// Empty, or ends in `/`.
    prefix: String,
    /// Where the files lie, if it is a folder.
    folder: Option<PathBuf>,
}

/// What lies in it.
pub(crate) struct Object {
    pub key: String,
    pub size: u64,
    /// In milliseconds since 1970.
    pub changed_at: i64,
}

impl fmt::Debug for Space {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Space({})", self.spec)
    }
}

impl Space {
    /// Opens what `spec` names, whose secrets `connection` has; a folder is made. Does not connect. The error says what is wrong
    /// with the settings, and no secret.
    pub fn open(spec: ConnectionSpec, connection: &Connection) -> Result<Self, String> {
        match connection.scheme.as_str() {
            "file" => {
                let wrong = |e: std::io::Error| format!("cannot use the folder `{}`: {e}", connection.path);
                let folder = std::path::absolute(&connection.path).map_err(wrong)?;
                std::fs::create_dir_all(&folder).map_err(wrong)?;
                let store = LocalFileSystem::new_with_prefix(&folder).map_err(|e| e.to_string())?;
                let spec = ConnectionSpec { path: folder.display().to_string(), ..spec };
                Ok(Self { spec, store: Arc::new(store), prefix: String::new(), folder: Some(folder) })
            }
            "s3" => {
                let prefix = connection.path.trim_matches('/');
                let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
                Ok(Self { spec, store: bucket(connection)?, prefix, folder: None })
            }
            other => Err(format!("`{other}` is not a storage; use a folder or `s3://bucket/prefix`")),
        }
    }

    /// A folder of it as a connection, for executors. `None` where it would hold a secret and not only name it.
    pub(crate) fn connection(&self, folder: &str) -> Option<ConnectionSpec> {
        // What is printed in place of a secret.
        let names_secrets = !self.spec.to_string().contains("***");
        let path = match &self.folder {
            Some(root) => root.join(folder).display().to_string(),
            None => format!("{}{folder}", self.prefix),
        };
        names_secrets.then(|| ConnectionSpec { path, ..self.spec.clone() })
    }

    fn location(&self, key: &str) -> Result<Path> {
        Path::parse(format!("{}{key}", self.prefix)).map_err(|e| Error::Storage(e.into()))
    }

    /// Keeps a small object, in place of what is there.
    pub(crate) async fn put(&self, key: &str, bytes: Bytes) -> Result<()> {
        self.store.put(&self.location(key)?, bytes.into()).await.map_err(failed)?;
        self.settle(key).await
    }

    /// Joins objects to one, which appears once it is whole, and gives its SHA-256: `None`, and nothing, where that is another
    /// than `expected`.
    pub(crate) async fn join(&self, pieces: &[String], key: &str, expected: Option<&str>) -> Result<Option<String>> {
        let upload = self.store.put_multipart(&self.location(key)?).await.map_err(failed)?;
        let mut writer = WriteMultipart::new_with_chunk_size(upload, PIECE_BYTES);
        let mut hash = Sha256::new();
        for piece in pieces {
            let bytes = match self.read(piece).await {
                Ok(bytes) => bytes,
                Err(error) => {
                    writer.abort().await.map_err(failed)?;
                    return Err(error);
                }
            };
            hash.update(&bytes);
            writer.wait_for_capacity(PIECES_AT_ONCE).await.map_err(failed)?;
            writer.put(bytes);
        }
        let hash: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        if expected.is_some_and(|expected| expected != hash) {
            writer.abort().await.map_err(failed)?;
            return Ok(None);
        }
        writer.finish().await.map_err(failed)?;
        self.settle(key).await?;
        Ok(Some(hash))
    }

    /// Brings a file that appeared in a folder to the disk.
    async fn settle(&self, key: &str) -> Result<()> {
        let Some(folder) = &self.folder else { return Ok(()) };
        let path = folder.join(key);
        let synced = tokio::task::spawn_blocking(move || std::fs::File::open(path)?.sync_all()).await;
        synced.map_err(|e| Error::Storage(e.into()))?.map_err(|e| Error::Storage(e.into()))
    }

    /// The whole of a small object.
    pub(crate) async fn read(&self, key: &str) -> Result<Bytes> {
        let found = self.store.get(&self.location(key)?).await.map_err(failed)?;
        found.bytes().await.map_err(failed)
    }

    /// The bytes of an object in this range, as they come; `None` where it is not there.
    pub(crate) async fn stream(
        &self,
        key: &str,
        range: std::ops::Range<u64>,
    ) -> Result<Option<BoxStream<'static, Result<Bytes>>>> {
        let range = (!range.is_empty()).then_some(GetRange::Bounded(range));
        let options = GetOptions { range, ..GetOptions::default() };
        match self.store.get_opts(&self.location(key)?, options).await {
            Ok(found) => Ok(Some(Box::pin(found.into_stream().map_err(failed)))),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    /// Removes an object; fine where there is none.
    pub(crate) async fn remove(&self, key: &str) -> Result<()> {
        match self.store.delete(&self.location(key)?).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(failed(error)),
        }
    }

    /// Removes everything below a folder.
    pub(crate) async fn remove_below(&self, folder: &str) -> Result<()> {
        for key in self.list(folder).await? {
            self.remove(&key).await?;
        }
        Ok(())
    }

    /// The keys of everything below a folder, sorted.
    pub(crate) async fn list(&self, folder: &str) -> Result<Vec<String>> {
        Ok(self.objects(folder).await?.into_iter().map(|object| object.key).collect())
    }

    /// Everything below a folder, sorted by keys.
    pub(crate) async fn objects(&self, folder: &str) -> Result<Vec<Object>> {
        self.some(folder, usize::MAX).await
    }

    /// So much of what lies below a folder, sorted by keys.
    pub(crate) async fn some(&self, folder: &str, most: usize) -> Result<Vec<Object>> {
        let found = self.store.list(Some(&self.location(folder)?)).take(most);
        let found: Vec<_> = found.try_collect().await.map_err(failed)?;
        let mut objects: Vec<_> = found.iter().filter_map(|meta| self.object(meta)).collect();
        objects.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(objects)
    }

    /// What lies in a folder itself, and the names of the folders in it.
    pub(crate) async fn look(&self, folder: &str) -> Result<(Vec<Object>, Vec<String>)> {
        let found = self.store.list_with_delimiter(Some(&self.location(folder)?)).await.map_err(failed)?;
        let objects = found.objects.iter().filter_map(|meta| self.object(meta)).collect();
        let names = found.common_prefixes.iter().filter_map(|path| path.filename().map(str::to_owned)).collect();
        Ok((objects, names))
    }

    /// What lies under a key.
    pub(crate) async fn head(&self, key: &str) -> Result<Option<Object>> {
        match self.store.head(&self.location(key)?).await {
            Ok(meta) => Ok(self.object(&meta)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    fn object(&self, meta: &ObjectMeta) -> Option<Object> {
        let key = meta.location.as_ref().strip_prefix(&self.prefix)?.to_owned();
        Some(Object { key, size: meta.size, changed_at: meta.last_modified.timestamp_millis() })
    }

    /// Keeps a file's content as an object, which appears once it is whole. Gives its size.
    pub(crate) async fn bring(&self, file: &std::path::Path, key: &str) -> Result<u64> {
        let unread = |e: std::io::Error| Error::Storage(e.into());
        let mut file = tokio::fs::File::open(file).await.map_err(unread)?;
        let upload = self.store.put_multipart(&self.location(key)?).await.map_err(failed)?;
        let mut writer = WriteMultipart::new_with_chunk_size(upload, PIECE_BYTES);
        let mut size = 0;
        loop {
            let mut piece = BytesMut::with_capacity(PIECE_BYTES);
            let read = match file.read_buf(&mut piece).await {
                Ok(read) => read,
                Err(error) => {
                    writer.abort().await.map_err(failed)?;
                    return Err(unread(error));
                }
            };
            if read == 0 {
                break;
            }
            size += read as u64;
            writer.wait_for_capacity(PIECES_AT_ONCE).await.map_err(failed)?;
            writer.put(piece.freeze());
        }
        writer.finish().await.map_err(failed)?;
        self.settle(key).await?;
        Ok(size)
    }
}

fn failed(error: object_store::Error) -> Error {
    Error::Storage(error.into())
}

fn bucket(connection: &Connection) -> Result<Arc<dyn ObjectStore>, String> {
    let name = connection.host.as_deref().filter(|name| !name.is_empty()).ok_or("the bucket is missing")?;
    let mut builder = AmazonS3Builder::new().with_bucket_name(name).with_region("us-east-1");
    let mut plain_http = false;
    for (option, value) in &connection.options {
        let value = value.reveal();
        let key = match option.as_str() {
            "allow_http" => {
                plain_http |= value == "true";
                continue;
            }
            "access_key" => AmazonS3ConfigKey::AccessKeyId,
            "secret_key" => AmazonS3ConfigKey::SecretAccessKey,
            other => AmazonS3ConfigKey::from_str(other).map_err(|_| format!("unknown option `{other}`"))?,
        };
        plain_http |= matches!(key, AmazonS3ConfigKey::Endpoint) && value.starts_with("http://");
        builder = builder.with_config(key, value);
    }
    if let Some(user) = &connection.user {
        builder = builder.with_access_key_id(user);
    }
    if let Some(password) = &connection.password {
        builder = builder.with_secret_access_key(password.reveal());
    }
    let client = ClientOptions::new()
        .with_connect_timeout(CONNECT_LIMIT)
        .with_timeout(REQUEST_LIMIT)
        .with_allow_http(plain_http);
    let store = builder.with_client_options(client).build().map_err(|e| e.to_string())?;
    Ok(Arc::new(store))
}
