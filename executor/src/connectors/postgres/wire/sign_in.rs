//! Signing in: startup, password, and the session's settings.

use bytes::BytesMut;
use flowetl_proto::code::Class;
use postgres_protocol::authentication::md5_hash;
use postgres_protocol::authentication::sasl::{ChannelBinding, SCRAM_SHA_256, ScramSha256};
use postgres_protocol::message::frontend;

use super::message::{Fields, ServerError};
use super::{Client, State};
use crate::connectors::postgres::quote::literal;
use crate::{Error, Result};

/// What every session sets: texts that read back to the same value, no limit of the database's or role's own for work, and
/// one for the wait for other sessions' locks, after which an attempt fails and may be tried again. Set by a statement, because connection poolers refuse most of these as startup parameters.
const SESSION: &str = "set intervalstyle = 'postgres'; set extra_float_digits = 3; set bytea_output = 'hex'; \
    set lc_monetary = 'C'; set xmloption = 'content'; set statement_timeout = 0; set lock_timeout = '60s'; \
    set idle_in_transaction_session_timeout = 0";
/// The first version that looks for a client that went away while a statement runs.
const CHECKS_CLIENT_FROM: u32 = 140_000;
const CHECKS_CLIENT: &str = "; set client_connection_check_interval = '2s'";

impl Client {
    pub(super) async fn sign_in(&mut self, application: &str) -> Result<()> {
        let mut request = BytesMut::new();
        let settings = std::sync::Arc::clone(&self.settings);
        let parameters = [
            ("user", settings.user.as_str()),
            ("database", settings.database.as_str()),
            ("client_encoding", "UTF8"),
            ("DateStyle", "ISO"),
            ("application_name", application),
        ];
        frontend::startup_message(parameters, &mut request).map_err(|e| self.unsendable(&e))?;
        self.state = State::Broken;
        self.write(&request).await?;
        self.authenticate().await?;
        loop {
            let (tag, body) = self.message().await?;
            match tag {
                b'K' => {
                    let mut fields = Fields(&self.buffer[body]);
                    match (fields.i32(), fields.i32()) {
                        (Some(process), Some(secret)) => self.key = (process, secret),
                        _ => return Err(self.malformed()),
                    }
                }
                b'E' => return Err(self.refused(body)),
                b'Z' => break,
                _ => self.general(tag, body)?,
            }
        }
        self.ready()?;
        self.settle(application).await
    }

    /// Sets what every session sets.
    pub(super) async fn settle(&mut self, application: &str) -> Result<()> {
        let mut session = format!("{SESSION}; set application_name = {}", literal(application));
        if self.version >= CHECKS_CLIENT_FROM {
            session.push_str(CHECKS_CLIENT);
        }
        self.execute(&session).await.map(|_| ())
    }

    /// Answers the server's questions until it is satisfied.
    async fn authenticate(&mut self) -> Result<()> {
        let mut scram: Option<ScramSha256> = None;
        loop {
            let (tag, body) = self.message().await?;
            match tag {
                b'R' => {}
                b'E' => return Err(self.refused(body)),
                _ => {
                    self.general(tag, body)?;
                    continue;
                }
            }
            let body = self.buffer[body].to_vec();
            let mut fields = Fields(&body);
            let mut answer = BytesMut::new();
            let kind = fields.i32().ok_or_else(|| self.malformed())?;
            let built = match kind {
                0 => return Ok(()),
                3 => frontend::password_message(self.password()?.as_bytes(), &mut answer),
                5 => {
                    let salt = fields.bytes(4).and_then(|s| s.try_into().ok()).ok_or_else(|| self.malformed())?;
                    let hash = md5_hash(self.settings.user.as_bytes(), self.password()?.as_bytes(), salt);
                    frontend::password_message(hash.as_bytes(), &mut answer)
                }
                10 => {
                    if !fields.0.split(|&b| b == 0).any(|m| m == SCRAM_SHA_256.as_bytes()) {
                        return Err(self.unsupported("a SASL mechanism other than SCRAM-SHA-256"));
                    }
                    let first = ScramSha256::new(self.password()?.as_bytes(), ChannelBinding::unsupported());
                    let built = frontend::sasl_initial_response(SCRAM_SHA_256, first.message(), &mut answer);
                    scram = Some(first);
                    built
                }
                11 => {
                    let Some(scram) = &mut scram else { return Err(self.malformed()) };
                    match scram.update(fields.0) {
                        Ok(()) => frontend::sasl_response(scram.message(), &mut answer),
                        Err(error) => Err(error),
                    }
                }
                12 => {
                    let Some(scram) = &mut scram else { return Err(self.malformed()) };
                    scram.finish(fields.0).map_err(|e| self.unsendable(&e))?;
                    continue;
                }
                7..=9 => return Err(self.unsupported("GSSAPI or Kerberos")),
                _ => return Err(self.unsupported("a way of signing in that is not known here")),
            };
            built.map_err(|e| self.unsendable(&e))?;
            self.write(&answer).await?;
        }
    }

    fn password(&self) -> Result<String> {
        match &self.settings.password {
            Some(password) => Ok(password.reveal().to_owned()),
            None => Err(Error::user(format!("{}: the server asks for a password, and none is set", self.place()))),
        }
    }

    fn unsupported(&self, what: &str) -> Error {
        Error::user(format!("{}: the server asks for {what}, which FlowETL does not speak", self.place()))
    }

    /// The server refuses the session.
    fn refused(&mut self, body: std::ops::Range<usize>) -> Error {
        let Some(error) = ServerError::parse(&self.buffer[body]) else { return self.malformed() };
        let class = match error.class(self.side) {
            // Too many connections, starting up or shutting down.
            class if class == self.side.transient() => class,
            _ => Class::User,
        };
        Error::new(class, format!("{}: cannot sign in to `{}`: {error}", self.place(), self.settings.address()))
            .because(error)
    }
}
