//! A small PostgreSQL client of our own: COPY's bytes are parsed where they were received and built where they are sent.
//!
//! Generic drivers hand out every row as an object of its own; at millions of rows a second that copying costs more
//! than decoding does. This one keeps one buffer a connection and shows its caller slices of it.

mod copy;
mod message;
mod sign_in;
mod socket;
mod tls;

use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use flowetl_proto::code::Class;
use postgres_protocol::message::frontend;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

pub(super) use copy::Copied;
pub(super) use message::{ResultColumn, Row, ServerError, Side};
use socket::Socket;

use super::settings::Settings;
use crate::{Error, Result};

/// TCP connection and encryption.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// From the first message to the server's readiness; a loaded server forks slowly.
const SIGN_IN_TIMEOUT: Duration = Duration::from_secs(15);
/// For a session that served before; one that has not settled by then is given up.
const RENEW_TIMEOUT: Duration = Duration::from_secs(2);
/// A whole cancel request; afterwards the closed socket must do.
const CANCEL_TIMEOUT: Duration = Duration::from_secs(5);
/// The receive buffer of a connection that asks and answers.
const SMALL_BUFFER: usize = 8 * 1024;
/// The receive buffer of a connection that copies; it grows for one larger message.
const READ_BUFFER: usize = 512 * 1024;
/// PostgreSQL's own limit of one message.
const MESSAGE_MAX: usize = 0x3fff_ffff + 5;
/// A read that brought less than this came while the server was still filling the socket: see [`Client::fill`].
const READ_WORTHWHILE: usize = 128 * 1024;
/// How long the socket may fill before the next read. A server sends some 150 KB in this time, the kernel keeps more.
const READ_PAUSE: Duration = Duration::from_millis(1);

/// One signed-in connection. Runs one statement at a time; dropped in the middle of one, it asks the server to cancel it.
#[derive(Debug)]
pub(super) struct Client {
    settings: Arc<Settings>,
    side: Side,
    socket: Socket,
    /// Received bytes; those not yet handed out are `start..end`.
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// What a cancel request must show: process id and secret.
    key: (i32, i32),
    /// As the server numbers itself: 150018 is 15.18.
    version: u32,
    version_text: String,
    state: State,
    /// As the server said when it was last ready.
    in_transaction: bool,
    error: Option<ServerError>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Idle,
    /// A statement runs; its result is not read to the end.
    Busy,
    /// Takes COPY data.
    CopyIn,
    /// Broke off; nothing can be said on it any more.
    Broken,
}

impl Client {
    /// Connects, signs in and sets what FlowETL relies on: texts that read back to the same value, no time limits of the
    /// database's own, and (from version 14) a server that notices within seconds when this process is gone.
    pub(super) async fn connect(settings: &Arc<Settings>, side: Side, application: &str) -> Result<Self> {
        let place = format!("connection `{}`: cannot connect to `{}`", settings.connection, settings.address());
        let socket = match timeout(CONNECT_TIMEOUT, socket::open(settings)).await {
            Ok(Ok(socket)) => socket,
            Ok(Err(error)) => {
                return Err(Error::new(class_of(&error, side), format!("{place}: {}", tls::told(&error))));
            }
            Err(_) => {
                let limit = CONNECT_TIMEOUT.as_secs();
                return Err(Error::new(side.transient(), format!("{place}: no answer within {limit} s")));
            }
        };
        let mut client = Self {
            settings: Arc::clone(settings),
            side,
            socket,
            buffer: vec![0; SMALL_BUFFER],
            start: 0,
            end: 0,
            key: (0, 0),
            version: 0,
            version_text: String::new(),
            state: State::Idle,
            in_transaction: false,
            error: None,
        };
        match timeout(SIGN_IN_TIMEOUT, client.sign_in(application)).await {
            Ok(signed_in) => signed_in?,
            Err(_) => {
                client.state = State::Broken;
                let limit = SIGN_IN_TIMEOUT.as_secs();
                return Err(Error::new(side.transient(), format!("{place}: no sign-in within {limit} s")));
            }
        }
        Ok(client)
    }

    /// As it leaves one user for the next: `None` where it is in the middle of something.
    pub(super) fn into_rested(mut self) -> Option<Self> {
        let is_done = self.state == State::Idle && !self.in_transaction && self.start == self.end;
        is_done.then(|| {
            self.buffer = vec![0; SMALL_BUFFER];
            (self.start, self.end) = (0, 0);
            self
        })
    }

    /// Makes a session that served before as good as new.
    pub(super) async fn renew(&mut self, side: Side, application: &str) -> Result<()> {
        self.side = side;
        let renewing = async {
            self.execute("discard all").await?;
            self.settle(application).await
        };
        timeout(RENEW_TIMEOUT, renewing).await.unwrap_or_else(|_| Err(Error::new(side.transient(), "no answer")))
    }

    /// 150018 for 15.18.
    pub(super) fn version(&self) -> u32 {
        self.version
    }

    /// As the server writes it.
    pub(super) fn version_text(&self) -> &str {
        &self.version_text
    }

    pub(super) fn is_idle(&self) -> bool {
        self.state == State::Idle
    }

    /// Runs statements and gives the rows of all of them.
    pub(super) async fn query(&mut self, sql: &str) -> Result<Vec<Row>> {
        self.send_query(sql).await?;
        let mut rows = Vec::new();
        loop {
            let (tag, body) = self.message().await?;
            match tag {
                b'D' => rows.push(message::row(&self.buffer[body]).ok_or_else(|| self.malformed())?),
                b'Z' => break,
                _ => self.general(tag, body)?,
            }
        }
        self.ready()?;
        Ok(rows)
    }

    /// Runs statements and gives the rows that the last one touched.
    pub(super) async fn execute(&mut self, sql: &str) -> Result<u64> {
        self.send_query(sql).await?;
        let mut affected = 0;
        loop {
            let (tag, body) = self.message().await?;
            match tag {
                b'C' => affected = message::affected(&self.buffer[body]),
                b'Z' => break,
                _ => self.general(tag, body)?,
            }
        }
        self.ready()?;
        Ok(affected)
    }

    /// The columns of a statement's result, without running it; `None` for a statement that gives no rows.
    pub(super) async fn describe(&mut self, sql: &str) -> Result<Option<Vec<ResultColumn>>> {
        let mut request = BytesMut::new();
        frontend::parse("", sql, [], &mut request).map_err(|e| self.unsendable(&e))?;
        frontend::describe(b'S', "", &mut request).map_err(|e| self.unsendable(&e))?;
        frontend::sync(&mut request);
        self.state = State::Busy;
        self.write(&request).await?;
        let mut columns = None;
        loop {
            let (tag, body) = self.message().await?;
            match tag {
                b'T' => {
                    columns = Some(message::result_columns(&self.buffer[body]).ok_or_else(|| self.malformed())?);
                }
                b'Z' => break,
                _ => self.general(tag, body)?,
            }
        }
        self.ready()?;
        Ok(columns)
    }

    async fn send_query(&mut self, sql: &str) -> Result<()> {
        if self.state != State::Idle {
            return Err(Error::new(self.side.transient(), format!("{} is not ready for a statement", self.place())));
        }
        let mut request = BytesMut::with_capacity(sql.len() + 8);
        frontend::query(sql, &mut request).map_err(|e| self.unsendable(&e))?;
        self.state = State::Busy;
        self.write(&request).await
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let written = async {
            self.socket.write_all(bytes).await?;
            self.socket.flush().await
        };
        match written.await {
            Ok(()) => Ok(()),
            // A server that closes says why first, and that says more than a broken pipe.
            Err(error) => Err(self.last_words().await.unwrap_or_else(|| self.broken(&error))),
        }
    }

    /// What was said before the other end closed: by the server, or by what lies between.
    async fn last_words(&mut self) -> Option<Error> {
        self.state = State::Broken;
        let listen = async {
            loop {
                while let Ok(Some((tag, body))) = self.buffered() {
                    if tag == b'E' {
                        let said = ServerError::parse(&self.buffer[body])?;
                        return Some(self.reported(said));
                    }
                }
                if let Err(broken) = self.fill().await {
                    return Some(broken);
                }
            }
        };
        timeout(CANCEL_TIMEOUT, listen).await.ok()?
    }

    /// The next whole message: its tag and where its body lies in the buffer.
    async fn message(&mut self) -> Result<(u8, Range<usize>)> {
        loop {
            if let Some(message) = self.buffered()? {
                return Ok(message);
            }
            self.fill().await?;
        }
    }

    /// The next message, if it is whole in the buffer.
    #[inline]
    fn buffered(&mut self) -> Result<Option<(u8, Range<usize>)>> {
        let Some((header, _)) = self.buffer[self.start..self.end].split_first_chunk::<5>() else { return Ok(None) };
        let [tag, length @ ..] = *header;
        let length = u32::from_be_bytes(length) as usize;
        if !(4..=MESSAGE_MAX).contains(&length) {
            return Err(self.malformed());
        }
        let end = self.start + 1 + length;
        if end > self.end {
            return Ok(None);
        }
        let body = self.start + 5..end;
        self.start = end;
        if tag == b'Z' {
            self.in_transaction = self.buffer[body.clone()] != *b"I";
        }
        Ok(Some((tag, body)))
    }

    /// Reads more bytes behind those that wait, making room first.
    ///
    /// A server sends 8 KB at a time, and a client that takes each of them wakes a hundred thousand times a gigabyte.
    /// So in the middle of a COPY a small read is followed by a pause in which the kernel collects more.
    async fn fill(&mut self) -> Result<()> {
        self.make_room();
        let room = self.buffer.len() - self.end;
        let read = match self.socket.read(&mut self.buffer[self.end..]).await {
            Ok(0) => {
                let closed = io::Error::new(io::ErrorKind::UnexpectedEof, "the server closed the connection");
                return Err(self.broken(&closed));
            }
            Ok(read) => read,
            Err(error) => return Err(self.broken(&error)),
        };
        self.end += read;
        let is_copying = self.buffer.len() >= READ_BUFFER;
        if is_copying && read < READ_WORTHWHILE && read < room && self.has_only_rows() {
            tokio::time::sleep(READ_PAUSE).await;
        }
        Ok(())
    }

    /// Whether the buffer's last bytes are COPY data, so that more must follow.
    fn has_only_rows(&self) -> bool {
        self.state == State::Busy
            && !self.buffer[..self.end].ends_with(b"Z\0\0\0\x05I")
            && !self.buffer[..self.end].ends_with(b"Z\0\0\0\x05T")
    }

    /// Moves the waiting bytes to the front, and grows the buffer where one message is larger than it.
    fn make_room(&mut self) {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        let needed = match self.buffer[..self.end].split_first_chunk::<5>() {
            Some(([_, length @ ..], _)) => (u32::from_be_bytes(*length) as usize).min(MESSAGE_MAX) + 1,
            None => 5,
        };
        if needed > self.buffer.len() {
            self.buffer.resize(needed.next_multiple_of(READ_BUFFER), 0);
        } else if self.buffer.len() > 2 * READ_BUFFER && needed < READ_BUFFER && self.end < READ_BUFFER {
            // One huge row must not keep its memory for the rest of the stream.
            self.buffer.truncate(READ_BUFFER);
            self.buffer.shrink_to_fit();
        }
    }

    /// Messages that may come at any time, and those that a caller need not look at.
    fn general(&mut self, tag: u8, body: Range<usize>) -> Result<()> {
        let body = &self.buffer[body];
        match tag {
            b'E' => {
                let error = ServerError::parse(body).ok_or_else(|| self.malformed())?;
                // The first error is the cause of those that follow it.
                self.error.get_or_insert(error);
            }
            b'S' => {
                let mut fields = message::Fields(body);
                if let (Some(b"server_version"), Some(value)) = (fields.text(), fields.text()) {
                    self.version_text = String::from_utf8_lossy(value).into_owned();
                    self.version = version_number(&self.version_text);
                }
            }
            // Notices, notifications, completions, descriptions, starts and ends of COPY.
            b'N' | b'A' | b'C' | b'I' | b'T' | b'D' | b'H' | b'c' | b'1' | b'2' | b'3' | b'n' | b't' => {}
            _ => return Err(self.malformed()),
        }
        Ok(())
    }

    /// The server has said that it is ready: ends the statement with its error, if there was one.
    fn ready(&mut self) -> Result<()> {
        self.state = State::Idle;
        match self.error.take() {
            Some(error) => Err(self.reported(error)),
            None => Ok(()),
        }
    }

    fn place(&self) -> String {
        format!("connection `{}`", self.settings.connection)
    }

    fn reported(&self, error: ServerError) -> Error {
        Error::new(error.class(self.side), format!("{}: {error}", self.place())).because(error)
    }

    fn broken(&mut self, error: &io::Error) -> Error {
        self.state = State::Broken;
        // A server that is shut down says so before it closes.
        match self.error.take() {
            Some(said) => self.reported(said),
            // Before it has said its version the server has let nobody in.
            None if self.version == 0 => {
                let message = format!("{}: cannot sign in to `{}`", self.place(), self.settings.address());
                Error::new(class_of(error, self.side), format!("{message}: {}", tls::told(error)))
            }
            None => Error::new(self.side.transient(), format!("{}: connection lost: {error}", self.place())),
        }
    }

    fn malformed(&mut self) -> Error {
        self.state = State::Broken;
        Error::new(self.side.transient(), format!("{}: the server sent a malformed message", self.place()))
    }

    fn unsendable(&self, error: &io::Error) -> Error {
        Error::user(format!("{}: the statement cannot be sent: {error}", self.place()))
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let runs = matches!(self.state, State::Busy | State::CopyIn);
        if let (true, Ok(runtime)) = (runs, tokio::runtime::Handle::try_current()) {
            runtime.spawn(cancel(Arc::clone(&self.settings), self.key));
        }
    }
}

/// Data that is invalid is a certificate that does not pass, or a server of another kind: no other try helps.
fn class_of(error: &io::Error, side: Side) -> Class {
    match error.kind() {
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => Class::User,
        _ => side.transient(),
    }
}

/// Asks the server to end what the session of this key runs. It gives no answer; the session's closed socket is the
/// second way by which it learns.
async fn cancel(settings: Arc<Settings>, (process, secret): (i32, i32)) {
    let request = async {
        let mut socket = socket::open(&settings).await?;
        let mut bytes = BytesMut::new();
        frontend::cancel_request(process, secret, &mut bytes);
        socket.write_all(&bytes).await?;
        socket.flush().await?;
        // The server closes once it has passed the request on.
        socket.read(&mut [0]).await
    };
    if !matches!(timeout(CANCEL_TIMEOUT, request).await, Ok(Ok(_))) {
        tracing::debug!(connection = %settings.connection, "a cancel request did not get through");
    }
}

/// `15.18 (Debian ...)` as 150018, `9.6.24` as 90624.
fn version_number(text: &str) -> u32 {
    let numbers: Vec<u32> = text.split(|c: char| !c.is_ascii_digit()).map_while(|n| n.parse().ok()).take(3).collect();
    match numbers[..] {
        [major, minor, ..] if major >= 10 => major * 10_000 + minor,
        [major] => major * 10_000,
        [major, minor, patch] => major * 10_000 + minor * 100 + patch,
        [major, minor] => major * 10_000 + minor * 100,
        _ => 0,
    }
}
