//! Certificates, the cluster's key, tokens and etcd's password, as settings name them; and what may be left out where.

use std::env::VarError;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use flowetl::Access;
use flowetl_coordinator::grpc;
use flowetl_coordinator::oidc::OidcConfig;
use flowetl_coordinator::vault::Keyring;
use flowetl_proto::etcd::Etcd;
use flowetl_proto::pipeline::Secret;
use flowetl_proto::trust::{Authority, Certificate, ClusterKey, Tls, Trust};

use crate::{api, args, home, login, mail, people, traces, vault};

/// The cluster's key itself: on no command line, which other users of a machine may see.
const KEY: &str = "FLOWETL_CLUSTER_KEY";
/// What a client shows.
const TOKEN: &str = "FLOWETL_TOKEN";
/// What wraps the keys of vaults.
const ENCRYPTION_KEY: &str = "ENCRYPTION_KEY";
/// What this service shows to the one that people sign in through.
const OIDC_SECRET: &str = "FLOWETL_OIDC_CLIENT_SECRET";
/// What a process of a cluster signs in to etcd with.
const ETCD_PASSWORD: &str = "FLOWETL_ETCD_PASSWORD";

/// Whether a variable holds what this program itself shows to others.
pub fn is_own(variable: &str) -> bool {
    matches!(
        variable,
        KEY | TOKEN
            | ETCD_PASSWORD
            | ENCRYPTION_KEY
            | OIDC_SECRET
            | api::KEY
            | login::PASSWORD
            | people::NEW_PASSWORD
            | vault::PASSWORD
            | args::WAREHOUSE
            | home::DATABASE_URL
            | mail::URL
    ) || traces::HEADERS.contains(&variable)
}

/// What a process of a cluster shows to the others and demands of them.
pub fn cluster(trust: &args::Trust) -> anyhow::Result<Trust> {
    let tls = match (&trust.tls_ca, certificate(&trust.certificate)?) {
        (Some(ca), Some(own)) => Some(Tls { authority: authority(ca, "--tls-ca")?, own }),
        (None, None) => None,
        (Some(_), None) => bail!("with `--tls-ca`, set `--tls-cert` and `--tls-key` too"),
        (None, Some(_)) => bail!("with `--tls-cert` and `--tls-key`, set `--tls-ca` too"),
    };
    Ok(Trust { tls, key: cluster_key(trust.cluster_key_file.as_deref())? })
}

/// How etcd is reached, and what is shown there.
pub fn etcd(cluster: &args::Cluster) -> anyhow::Result<Etcd> {
    let is_encrypted = cluster.etcd.iter().all(|url| url.starts_with("https://"));
    let scheme = if is_encrypted { "https://" } else { "http://" };
    for url in &cluster.etcd {
        ensure!(
            url.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty()),
            "`--etcd` (`FLOWETL_ETCD`) takes `http://host:port` or `https://host:port`, more of the same after commas, \
             not `{url}`"
        );
    }
    let authority = cluster.etcd_ca.as_deref().map(|path| authority(path, "--etcd-ca")).transpose()?;
    let own = pair((&cluster.etcd_cert, "--etcd-cert"), (&cluster.etcd_key, "--etcd-key"))?;
    ensure!(
        is_encrypted || (authority.is_none() && own.is_none()),
        "with `--etcd-ca`, `--etcd-cert` and `--etcd-key`, `--etcd` takes `https://host:port`"
    );
    let user = match (&cluster.etcd_user, secret(ETCD_PASSWORD)?) {
        (Some(name), Some(password)) => Some((name.clone(), Secret::new(password))),
        (None, None) => None,
        _ => bail!("`--etcd-user` and `{ETCD_PASSWORD}` go together: set both"),
    };
    Ok(Etcd { endpoints: cluster.etcd.clone(), authority, own, user })
}

/// The service that people may sign in through, where one is set.
pub fn oidc(oidc: &args::Oidc) -> anyhow::Result<Option<OidcConfig>> {
    let secret = secret(OIDC_SECRET)?.filter(|secret| !secret.is_empty());
    let (Some(issuer), Some(client_id), Some(public_url)) = (&oidc.oidc_issuer, &oidc.oidc_client_id, &oidc.public_url)
    else {
        ensure!(secret.is_none(), "with `{OIDC_SECRET}`, set `--oidc-issuer` too");
        return Ok(None);
    };
    for (url, setting) in [(issuer, "--oidc-issuer"), (public_url, "--public-url")] {
        let is_whole = matches!(url.scheme(), "http" | "https") && url.query().is_none() && url.fragment().is_none();
        ensure!(is_whole, "`{setting}` takes `https://host`, with a path where there is one, not `{url}`");
    }
    let client_secret = secret.map(Into::into);
    Ok(Some(OidcConfig {
        issuer: issuer.clone(),
        client_id: client_id.clone(),
        client_secret,
        public_url: public_url.clone(),
    }))
}

/// What wraps the keys of vaults, where it is set.
pub fn keyring() -> anyhow::Result<Option<Keyring>> {
    // A file of settings may name it and leave it empty.
    let text = secret(ENCRYPTION_KEY)?.filter(|text| !text.is_empty());
    text.map(|text| Keyring::parse(&text).with_context(|| format!("setting `{ENCRYPTION_KEY}`"))).transpose()
}

/// What a coordinator demands of those who ask it.
pub async fn callers(certificate: Option<Certificate>, callers: &args::Callers) -> anyhow::Result<grpc::Access> {
    let tokens = match &callers.tokens {
        Some(path) => Some(grpc::Tokens::read(path).await.map_err(|e| anyhow::anyhow!("`--tokens`: {}", e.chain()))?),
        None => None,
    };
    Ok(grpc::Access { certificate, tokens })
}

/// What this program shows to the coordinator it asks.
pub fn access(server: &args::Server) -> anyhow::Result<Access> {
    let mut access = Access::default();
    if let Some(path) = &server.tls_ca {
        let pem = read(path, "--tls-ca")?;
        access = access.tls_ca(pem).with_context(|| format!("`--tls-ca {}`", path.display()))?;
    }
    match secret(TOKEN)? {
        Some(token) => access.token(&token).with_context(|| format!("`{TOKEN}`")),
        None => Ok(access),
    }
}

/// What to set where a coordinator has refused this program.
pub fn hint(error: &anyhow::Error) -> Option<String> {
    let refused = error.downcast_ref::<flowetl::Error>().is_some_and(flowetl::Error::is_unauthenticated);
    refused.then(|| format!("set `{TOKEN}` to a token that the coordinator has in its `--tokens` file"))
}

/// A process's own certificate.
pub fn certificate(certificate: &args::Certificate) -> anyhow::Result<Option<Certificate>> {
    pair((&certificate.tls_cert, "--tls-cert"), (&certificate.tls_key, "--tls-key"))
}

/// A certificate and its key, each with the setting that names its file.
fn pair(
    (chain, of_chain): (&Option<PathBuf>, &str),
    (key, of_key): (&Option<PathBuf>, &str),
) -> anyhow::Result<Option<Certificate>> {
    let (chain, key) = match (chain, key) {
        (Some(chain), Some(key)) => (chain, key),
        (None, None) => return Ok(None),
        _ => bail!("`{of_chain}` and `{of_key}` go together: set both"),
    };
    let found = Certificate::new(&read(chain, of_chain)?, &read(key, of_key)?);
    let which = || format!("`{of_chain} {}` with `{of_key} {}`", chain.display(), key.display());
    found.with_context(which).map(Some)
}

/// Refuses to be reached from other machines at the address that `setting` names while anything of `wanted`, which has what
/// is set and how, is missing: unless that was asked for.
pub fn guard(
    setting: &str,
    listen: SocketAddr,
    exposure: args::Exposure,
    wanted: &[(bool, &str)],
) -> anyhow::Result<()> {
    let missing: Vec<_> = wanted.iter().filter(|(is_set, _)| !is_set).map(|(_, how)| *how).collect();
    ensure!(
        listen.ip().is_loopback() || exposure.insecure || missing.is_empty(),
        "other machines reach `{setting} {listen}`: set {}; or say `--insecure` where whoever reaches it may do anything",
        missing.join(", and ")
    );
    Ok(())
}

fn authority(path: &Path, setting: &str) -> anyhow::Result<Authority> {
    Authority::new(&read(path, setting)?).with_context(|| format!("`{setting} {}`", path.display()))
}

fn cluster_key(file: Option<&Path>) -> anyhow::Result<Option<ClusterKey>> {
    let (text, whence) = match (secret(KEY)?, file) {
        (Some(_), Some(_)) => bail!("`{KEY}` and `--cluster-key-file` are both set: leave one out"),
        (Some(text), None) => (text, format!("`{KEY}`")),
        (None, Some(path)) => {
            let whence = format!("`--cluster-key-file {}`", path.display());
            let text = String::from_utf8(read(path, "--cluster-key-file")?);
            (text.map_err(|_| anyhow::anyhow!("{whence} is not text"))?, whence)
        }
        (None, None) => return Ok(None),
    };
    ClusterKey::new(&text).with_context(|| format!("{whence} cannot be the cluster's key")).map(Some)
}

fn secret(name: &str) -> anyhow::Result<Option<String>> {
    match std::env::var(name) {
        Ok(text) => Ok(Some(text)),
        Err(VarError::NotPresent) => Ok(None),
        // It is not shown: the error itself would.
        Err(VarError::NotUnicode(_)) => bail!("`{name}` is not text"),
    }
}

fn read(path: &Path, setting: &str) -> anyhow::Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("cannot read `{setting} {}`", path.display()))
}
