//! The service over HTTP, as the command line asks it: with a person's sign-in, or an API key.

use std::time::Duration;

use anyhow::{Context, bail, ensure};
use bytes::Bytes;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, RANGE};
use reqwest::{Certificate, Client, Method, RequestBuilder, Response, StatusCode};
use serde_json::Value;
use tokio::time::timeout;
use url::form_urlencoded;

use crate::{args, login};

/// Instead of a sign-in.
pub const KEY: &str = "FLOWETL_API_KEY";
/// A service gives up a call after half of this.
const CALL_LIMIT: Duration = Duration::from_secs(60);
/// How long content may come; each part of it must in the time of a call.
const CONTENT_LIMIT: Duration = Duration::from_secs(24 * 3_600);
/// Things in one answer.
const PAGE: usize = 500;

/// One service, and who asks it.
pub struct Api {
    client: Client,
    url: String,
    organization: Option<String>,
    /// `None` where nobody has signed in.
    token: Option<HeaderValue>,
}

impl Api {
    /// The service that is named, or the one signed in to last.
    pub async fn open(wanted: &args::Api) -> anyhow::Result<Self> {
        let url = wanted.server.clone().map_or_else(login::newest, Ok)?;
        let api = Self::nobody(wanted, &url)?;
        let token = match std::env::var(KEY) {
            Ok(key) => key,
            Err(_) => login::token(&api).await?,
        };
        let mut token = HeaderValue::from_str(&format!("Bearer {token}")).context("a token is no text for a header")?;
        token.set_sensitive(true);
        Ok(Self { token: Some(token), ..api })
    }

    /// The service at `url`, asked by nobody in particular.
    pub fn nobody(wanted: &args::Api, url: &str) -> anyhow::Result<Self> {
        let url = url.trim_end_matches('/');
        let is_whole = url.starts_with("http://") || url.starts_with("https://");
        ensure!(
            is_whole,
            "`--server` takes the service's HTTP, `http://host:port` or `https://host:port`, not `{url}`"
        );
        let mut client = Client::builder().timeout(CALL_LIMIT).redirect(reqwest::redirect::Policy::none());
        if let Some(path) = &wanted.tls_ca {
            let setting = || format!("`--tls-ca {}`", path.display());
            let pem = std::fs::read(path).with_context(setting)?;
            client = client.add_root_certificate(Certificate::from_pem(&pem).with_context(setting)?);
        }
        let client = client.build().context("cannot speak HTTP")?;
        Ok(Self { client, url: url.to_owned(), organization: wanted.organization.clone(), token: None })
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// New tokens for a person.
    pub async fn sign_in(&self, email: &str, password: &str) -> anyhow::Result<Value> {
        let form = encoded(&[("username", email), ("password", password)]);
        let request = self.request(Method::POST, "/auth/login");
        self.answer(request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form)).await
    }

    /// New tokens for a refresh token, which counts no more then.
    pub async fn refresh(&self, token: &str) -> anyhow::Result<Value> {
        self.post("/auth/refresh", Some(serde_json::json!({ "refresh_token": token }))).await
    }

    pub async fn get(&self, path: &str, query: &[(&str, &str)]) -> anyhow::Result<Value> {
        let query = encoded(query);
        let path = if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") };
        self.answer(self.request(Method::GET, &path)).await
    }

    pub async fn post(&self, path: &str, body: Option<Value>) -> anyhow::Result<Value> {
        self.answer(with(self.request(Method::POST, path), body)).await
    }

    pub async fn put(&self, path: &str, body: Value) -> anyhow::Result<Value> {
        self.answer(with(self.request(Method::PUT, path), Some(body))).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> anyhow::Result<Value> {
        self.answer(with(self.request(Method::PATCH, path), Some(body))).await
    }

    pub async fn delete(&self, path: &str) -> anyhow::Result<()> {
        self.answer(self.request(Method::DELETE, path)).await.map(drop)
    }

    /// The path of the organization that is named, or the only one.
    pub async fn organization(&self) -> anyhow::Result<String> {
        if let Some(named) = &self.organization {
            let named: String = form_urlencoded::byte_serialize(named.as_bytes()).collect();
            return Ok(format!("/organizations/{named}"));
        }
        let own = self.get("/organizations", &[]).await?;
        match own.as_array().map(Vec::as_slice) {
            Some([one]) => Ok(format!("/organizations/{}", one["organization"]["id"].as_str().unwrap_or_default())),
            Some([]) => bail!("you belong to no organization"),
            _ => bail!("you belong to several organizations: name one with `--organization` (`FLOWETL_ORGANIZATION`)"),
        }
    }

    /// Everything that a list has, under its `key`, page by page.
    pub async fn all(&self, path: &str, key: &str) -> anyhow::Result<Vec<Value>> {
        let (mut all, limit) = (Vec::new(), PAGE.to_string());
        let mut after = String::new();
        loop {
            let mut page = self.get(path, &[("limit", &limit), ("after", &after)]).await?;
            let Value::Array(found) = page[key].take() else { bail!("the service answered with no `{key}`") };
            all.extend(found);
            match page["next"].as_str() {
                Some(next) => after = next.to_owned(),
                None => return Ok(all),
            }
        }
    }

    /// Sends bytes as they are.
    pub async fn send(&self, path: &str, bytes: Vec<u8>) -> anyhow::Result<Value> {
        let request = self.request(Method::PUT, path).header(CONTENT_TYPE, "application/octet-stream");
        self.answer(request.body(bytes)).await
    }

    /// What lies there, from a byte on.
    pub async fn content(&self, path: &str, from: u64) -> anyhow::Result<Content> {
        let request = self.request(Method::GET, path).timeout(CONTENT_LIMIT).header(RANGE, format!("bytes={from}-"));
        let sent = timeout(CALL_LIMIT, request.send()).await.ok().context("the service does not answer")?;
        let response = sent.with_context(|| format!("cannot reach `{}`", self.url))?;
        let status = response.status();
        if status == StatusCode::PARTIAL_CONTENT {
            return Ok(Content(response));
        }
        let body = response.text().await.ok().and_then(|text| serde_json::from_str(&text).ok());
        Err(refused(status, &body.unwrap_or_default()))
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let mut request = self.client.request(method, format!("{}/api/v1{path}", self.url));
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, token.clone());
        }
        if let Some(organization) = &self.organization {
            request = request.header("x-organization", organization);
        }
        request
    }

    /// What a call is answered with; a refusal is an error in the service's own words.
    async fn answer(&self, request: RequestBuilder) -> anyhow::Result<Value> {
        let response = request.send().await.with_context(|| format!("cannot reach `{}`", self.url))?;
        let status = response.status();
        let text = response.text().await.with_context(|| format!("`{}` broke off", self.url))?;
        let body: Value = serde_json::from_str(&text).unwrap_or_default();
        match status.is_success() {
            true => Ok(body),
            false => Err(refused(status, &body)),
        }
    }
}

/// Bytes that come.
pub struct Content(Response);

impl Content {
    /// More of them; `None` after the last.
    pub async fn next(&mut self) -> anyhow::Result<Option<Bytes>> {
        let next = timeout(CALL_LIMIT, self.0.chunk()).await.ok().context("the service sends nothing any more")?;
        next.context("what the service sends breaks off")
    }
}

/// Why the service does not do something, in its own words.
#[derive(Debug)]
struct Refused {
    status: StatusCode,
    detail: String,
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.detail)
    }
}

impl std::error::Error for Refused {}

/// What the service answered where it refused something.
pub fn status_of(error: &anyhow::Error) -> Option<StatusCode> {
    error.downcast_ref::<Refused>().map(|refused| refused.status)
}

/// Pairs as forms and queries have them.
fn encoded(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

fn with(request: RequestBuilder, body: Option<Value>) -> RequestBuilder {
    match body {
        Some(body) => request.header(CONTENT_TYPE, "application/json").body(body.to_string()),
        None => request,
    }
}

/// A refusal in the service's own words; every problem of a pipeline file is a line.
fn refused(status: StatusCode, body: &Value) -> anyhow::Error {
    let problems: Vec<flowetl_proto::pipeline::Problem> =
        serde_json::from_value(body["problems"].clone()).unwrap_or_default();
    let detail = match body["detail"].as_str() {
        _ if !problems.is_empty() => problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
        Some(detail) => detail.to_owned(),
        None => format!("the service answered `{status}`; is this its HTTP?"),
    };
    Refused { status, detail }.into()
}
