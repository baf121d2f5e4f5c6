//! The bytes' way to the server: TCP, a Unix socket or through an SSH server; encrypted or not.

use std::fmt::Debug;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;

use super::tls;
use crate::connectors::postgres::settings::{Encryption, Settings};

/// A dead peer is noticed after `KEEPALIVE_IDLE` + 3 x `KEEPALIVE_INTERVAL` without an answer.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(30);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEPALIVE_RETRIES: u32 = 3;
/// Written bytes that nobody acknowledges end the connection after this time.
const UNACKNOWLEDGED_MAX: Duration = Duration::from_secs(60);

/// An open connection's bytes, whichever way they go.
pub(super) type Socket = Box<dyn Stream>;

pub(super) trait Stream: AsyncRead + AsyncWrite + Debug + Send + Sync + Unpin {}

impl<S: AsyncRead + AsyncWrite + Debug + Send + Sync + Unpin> Stream for S {}

/// Connects and, as the settings ask, encrypts. `InvalidInput` marks settings that cannot work.
pub(super) async fn open(settings: &Settings) -> io::Result<Socket> {
    if settings.host.starts_with('/') {
        let path = Path::new(&settings.host).join(format!(".s.PGSQL.{}", settings.port));
        return Ok(Box::new(UnixStream::connect(path).await?));
    }
    let mut plain = connect(settings).await?;
    if settings.encryption == Encryption::Disable {
        return Ok(plain);
    }
    if !server_encrypts(&mut plain).await? {
        return match settings.encryption {
            Encryption::Prefer => Ok(plain),
            _ => Err(invalid("the server does not encrypt, and `sslmode` asks for it".into())),
        };
    }
    let name = ServerName::try_from(settings.host.clone())
        .map_err(|_| invalid(format!("`{}` is not a host name to encrypt for", settings.host)))?;
    match TlsConnector::from(Arc::new(tls::config(settings)?)).connect(name, plain).await {
        Ok(stream) => Ok(Box::new(stream)),
        // As libpq does: encryption was only preferred, so try once more without.
        Err(_) if settings.encryption == Encryption::Prefer => connect(settings).await,
        Err(error) => Err(error),
    }
}

async fn connect(settings: &Settings) -> io::Result<Socket> {
    Ok(match &settings.gateway {
        Some(gateway) => Box::new(gateway.open(&settings.host, settings.port)?),
        None => Box::new(tcp(settings).await?),
    })
}

async fn tcp(settings: &Settings) -> io::Result<TcpStream> {
    let tcp = TcpStream::connect((settings.host.as_str(), settings.port)).await?;
    tcp.set_nodelay(true)?;
    let keepalive =
        TcpKeepalive::new().with_time(KEEPALIVE_IDLE).with_interval(KEEPALIVE_INTERVAL).with_retries(KEEPALIVE_RETRIES);
    let socket = SockRef::from(&tcp);
    socket.set_tcp_keepalive(&keepalive)?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED_MAX))?;
    Ok(tcp)
}

/// Asks whether the server encrypts: it answers with one byte.
async fn server_encrypts(plain: &mut Socket) -> io::Result<bool> {
    let mut request = bytes::BytesMut::new();
    postgres_protocol::message::frontend::ssl_request(&mut request);
    plain.write_all(&request).await?;
    plain.flush().await?;
    match plain.read_u8().await? {
        b'S' => Ok(true),
        b'N' => Ok(false),
        _ => Err(io::Error::new(io::ErrorKind::InvalidData, "the server does not speak PostgreSQL's protocol")),
    }
}

/// Settings that cannot work.
pub(super) fn invalid(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, message)
}
