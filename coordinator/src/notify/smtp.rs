//! One message to one mail server (RFC 5321), encrypted from the start or on request (RFC 3207), signed in with a password
//! (RFC 4954).

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use flowetl_proto::pipeline::Secret;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// Bytes of one reply: some ten times what any server says.
const REPLY_BYTES_MAX: u64 = 64 << 10;

/// How a connection begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    Encrypted,
    /// In the clear, and is encrypted if the server can.
    MayTurn,
    /// Nothing is said in the clear but the wish to encrypt.
    MustTurn,
}

/// Where mail is taken.
pub(super) struct Server {
    pub host: String,
    pub port: u16,
    /// In its certificate.
    pub name: ServerName<'static>,
    pub start: Start,
    pub password: Option<(String, Secret)>,
    pub tls: TlsConnector,
}

/// What a server says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reply {
    pub code: i64,
    pub text: String,
}

/// Why a message was not taken.
#[derive(Debug)]
pub(super) struct Refused {
    /// The server's code, where it has answered.
    pub status: Option<i64>,
    pub text: String,
}

impl<E: std::error::Error> From<E> for Refused {
    fn from(error: E) -> Self {
        Self { status: None, text: error.to_string() }
    }
}

trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}
impl<W: AsyncRead + AsyncWrite + Send + Unpin> Wire for W {}

/// Sends a message whose lines end as they are to. Has no limits of its own: it is dropped when its time is over.
pub(super) async fn send(server: &Server, from: &str, to: &[String], message: &str) -> Result<Reply, Refused> {
    let mut session = Session::open(server).await?;
    session.say(&format!("MAIL FROM:<{from}>"), 250).await?;
    for address in to {
        session.say(&format!("RCPT TO:<{address}>"), 250).await?;
    }
    session.say("DATA", 354).await?;
    let reply = session.say(&format!("{message}."), 250).await?;
    // It was taken: how they part is of no account.
    let _ = session.say("QUIT", 221).await;
    Ok(reply)
}

struct Session {
    wire: BufReader<Box<dyn Wire>>,
    /// What the server can: lines of its greeting.
    can: Vec<String>,
}

impl Session {
    /// Connects, encrypts and signs in, as the server is to be met.
    async fn open(server: &Server) -> Result<Self, Refused> {
        let socket = TcpStream::connect((server.host.as_str(), server.port)).await?;
        let wire: Box<dyn Wire> = match server.start {
            Start::Encrypted => Box::new(server.tls.connect(server.name.clone(), socket).await?),
            Start::MayTurn | Start::MustTurn => Box::new(socket),
        };
        let mut session = Self { wire: BufReader::new(wire), can: Vec::new() };
        session.hear(220).await?;
        session.greet().await?;
        if server.start != Start::Encrypted {
            session = session.turn(server).await?;
        }
        if let Some((user, password)) = &server.password {
            session.sign_in(user, password).await?;
        }
        Ok(session)
    }

    async fn greet(&mut self) -> Result<(), Refused> {
        // This machine's name is nobody's business.
        let reply = self.say("EHLO [127.0.0.1]", 250).await?;
        self.can = reply.text.lines().skip(1).map(str::to_uppercase).collect();
        Ok(())
    }

    /// Encrypts what is said from now on, if the server can.
    async fn turn(mut self, server: &Server) -> Result<Self, Refused> {
        if !self.can.iter().any(|can| can == "STARTTLS") {
            return match server.start {
                Start::MustTurn => Err(refused("the server does not encrypt: its password is not sent in the clear")),
                Start::MayTurn | Start::Encrypted => Ok(self),
            };
        }
        self.say("STARTTLS", 220).await?;
        if !self.wire.buffer().is_empty() {
            return Err(refused("somebody speaks between the server and its encryption"));
        }
        let wire = server.tls.connect(server.name.clone(), self.wire.into_inner()).await?;
        let mut session = Self { wire: BufReader::new(Box::new(wire)), can: Vec::new() };
        session.greet().await?;
        Ok(session)
    }

    async fn sign_in(&mut self, user: &str, password: &Secret) -> Result<(), Refused> {
        let ways = self.can.iter().find_map(|can| can.strip_prefix("AUTH ")).unwrap_or_default();
        let has = |way: &str| ways.split_whitespace().any(|one| one == way);
        if has("PLAIN") {
            let both = BASE64_STANDARD.encode(format!("\0{user}\0{}", password.reveal()));
            self.say(&format!("AUTH PLAIN {both}"), 235).await?;
        } else if has("LOGIN") {
            self.say("AUTH LOGIN", 334).await?;
            self.say(&BASE64_STANDARD.encode(user), 334).await?;
            self.say(&BASE64_STANDARD.encode(password.reveal()), 235).await?;
        } else {
            return Err(refused("the server takes no password"));
        }
        Ok(())
    }

    /// Says something, and wants a reply of the code `wanted`.
    async fn say(&mut self, line: &str, wanted: i64) -> Result<Reply, Refused> {
        self.wire.write_all(line.as_bytes()).await?;
        self.wire.write_all(b"\r\n").await?;
        self.wire.flush().await?;
        self.hear(wanted).await
    }

    async fn hear(&mut self, wanted: i64) -> Result<Reply, Refused> {
        let mut limited = (&mut self.wire).take(REPLY_BYTES_MAX);
        let mut text = Vec::new();
        loop {
            let mut line = String::new();
            if limited.read_line(&mut line).await? == 0 {
                return Err(refused("the server has hung up"));
            }
            let line = line.trim_end();
            let (code, said) = line.split_at_checked(3).ok_or_else(|| refused("this is no mail server"))?;
            text.push(said.get(1..).unwrap_or_default().to_owned());
            if said.starts_with('-') {
                continue;
            }
            let code = code.parse().map_err(|_| refused("this is no mail server"))?;
            let reply = Reply { code, text: text.join("\n") };
            // 251: the address has moved, and mail is passed on.
            return match code == wanted || (code == 251 && wanted == 250) {
                true => Ok(reply),
                false => Err(Refused { status: Some(reply.code), text: reply.text }),
            };
        }
    }
}

fn refused(text: &str) -> Refused {
    Refused { status: None, text: text.to_owned() }
}
