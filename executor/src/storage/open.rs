//! Opens a storage from a connection.

use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use flowetl_proto::pipeline::{Connection, Secret};
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::local::LocalFileSystem;
use object_store::{BackoffConfig, ClientOptions, RetryConfig};

use super::{Place, Storage};
use crate::{Error, Result};

/// A server that does not take the connection in this time is not there.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// One request with its body: 8 MB parts and ranges need 140 KB/s at least.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
/// Five tries spread over about ten seconds outlive a restart of the server; longer waits belong to the engine.
const RETRIES_MAX: usize = 5;
/// No request is tried again after this, whatever the server says.
const RETRY_TIMEOUT: Duration = Duration::from_secs(90);

impl Storage {
    /// Opens a `file` or `s3` connection. Does not connect; what is wrong with the settings is a user error.
    pub fn open(connection: &Connection) -> Result<Self> {
        let place = match connection.scheme.as_str() {
            "file" => local(connection)?,
            "s3" => remote(connection)?,
            other => {
                return Err(Error::user(format!("`{other}` is not a storage; use a folder or `s3://bucket/prefix`")));
            }
        };
        let secrets: Vec<Secret> = connection.password.iter().chain(secret_options(connection)).cloned().collect();
        Ok(Self { place, secrets: Arc::new(secrets) })
    }
}

fn secret_options(connection: &Connection) -> impl Iterator<Item = &Secret> {
    connection.options.iter().filter(|(name, _)| name.contains("key") || name.contains("token")).map(|(_, value)| value)
}

fn local(connection: &Connection) -> Result<Place> {
    if let Some(name) = connection.options.keys().next() {
        return Err(Error::user(format!("connection `{}`: a folder has no option `{name}`", connection.name)));
    }
    let root = std::path::absolute(PathBuf::from(if connection.path.is_empty() { "." } else { &connection.path }))
        .map_err(|e| Error::user(format!("connection `{}`: not a path", connection.name)).because(e))?;
    Ok(Place::Local { root, store: Arc::new(LocalFileSystem::new()) })
}

fn remote(connection: &Connection) -> Result<Place> {
    let wrong = |what: String| Error::user(format!("connection `{}`: {what}", connection.name));
    let bucket =
        connection.host.clone().filter(|b| !b.is_empty()).ok_or_else(|| wrong("the bucket is missing".into()))?;
    let retry = RetryConfig {
        backoff: BackoffConfig {
            init_backoff: Duration::from_millis(200),
            max_backoff: Duration::from_secs(5),
            base: 2.,
        },
        max_retries: RETRIES_MAX,
        retry_timeout: RETRY_TIMEOUT,
    };
    let mut plain_http = false;
    let mut settings = Vec::new();
    for (name, value) in &connection.options {
        let value = value.reveal();
        match name.as_str() {
            "allow_http" => {
                plain_http |= bool::from_str(value).map_err(|_| wrong("`allow_http` is `true` or `false`".into()))?;
            }
            "access_key" => settings.push((AmazonS3ConfigKey::AccessKeyId, value)),
            "secret_key" => settings.push((AmazonS3ConfigKey::SecretAccessKey, value)),
            _ => {
                let key = AmazonS3ConfigKey::from_str(name).map_err(|_| {
                    wrong(format!(
                        "unknown option `{name}`; known are `endpoint`, `region`, `access_key`, `secret_key`, \
                         `session_token`, `allow_http`, and those that start with `aws_`"
                    ))
                })?;
                plain_http |= matches!(key, AmazonS3ConfigKey::Endpoint) && value.starts_with("http://");
                settings.push((key, value));
            }
        }
    }
    let client = ClientOptions::new()
        .with_connect_timeout(CONNECT_TIMEOUT)
        .with_timeout(REQUEST_TIMEOUT)
        .with_allow_http(plain_http);
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(&bucket)
        .with_region("us-east-1")
        .with_client_options(client)
        .with_retry(retry);
    if let Some(user) = &connection.user {
        builder = builder.with_access_key_id(user);
    }
    if let Some(password) = &connection.password {
        builder = builder.with_secret_access_key(password.reveal());
    }
    for (key, value) in settings {
        builder = builder.with_config(key, value);
    }
    let store = builder.build().map_err(|e| wrong(e.to_string()))?;
    let prefix = connection.path.trim_matches('/');
    let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
    Ok(Place::Remote { bucket, prefix, store: Arc::new(store) })
}
