//! COPY's data, both ways.

use std::ops::ControlFlow;

use bytes::BytesMut;
use futures::FutureExt;
use postgres_protocol::message::frontend;

use super::{Client, READ_BUFFER, State, message};
use crate::{Error, Result};

/// What a `COPY .. TO STDOUT` has left to give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::connectors::postgres) enum Copied {
    /// The row function asked to stop for now.
    Paused,
    /// Everything was handed out and the server is ready again.
    Done,
}

impl Client {
    /// Starts `COPY .. TO STDOUT`; its data comes by [`Self::copy_rows`].
    pub(in crate::connectors::postgres) async fn copy_out(&mut self, sql: &str) -> Result<()> {
        if self.buffer.len() < READ_BUFFER {
            self.buffer.resize(READ_BUFFER, 0);
        }
        self.send_query(sql).await
    }

    /// Calls `row` with the body of every data message, a slice of the receive buffer, until it breaks or the data ends.
    pub(in crate::connectors::postgres) async fn copy_rows(
        &mut self,
        mut row: impl FnMut(&[u8]) -> Result<ControlFlow<()>>,
    ) -> Result<Copied> {
        loop {
            while let Some((tag, body)) = self.buffered()? {
                match tag {
                    b'd' => {
                        if row(&self.buffer[body])?.is_break() {
                            return Ok(Copied::Paused);
                        }
                    }
                    b'Z' => {
                        self.ready()?;
                        return Ok(Copied::Done);
                    }
                    _ => self.general(tag, body)?,
                }
            }
            self.fill().await?;
        }
    }

    /// Starts `COPY .. FROM STDIN`; data goes by [`Self::copy_send`], the end by [`Self::copy_finish`].
    pub(in crate::connectors::postgres) async fn copy_in(&mut self, sql: &str) -> Result<()> {
        self.send_query(sql).await?;
        loop {
            let (tag, body) = self.message().await?;
            match tag {
                b'G' => {
                    self.state = State::CopyIn;
                    return Ok(());
                }
                b'Z' => {
                    self.ready()?;
                    return Err(Error::internal("the server did not start to take COPY data"));
                }
                _ => self.general(tag, body)?,
            }
        }
    }

    /// Sends whole `CopyData` messages, their headers included; returns when the kernel has taken them. A server that has
    /// refused a row says so at once and ignores the rest, so that its answer is looked for between messages.
    pub(in crate::connectors::postgres) async fn copy_send(&mut self, messages: &[u8]) -> Result<()> {
        self.write(messages).await?;
        if let Some(read) = self.fill().now_or_never() {
            read?;
        }
        while let Some((tag, body)) = self.buffered()? {
            match tag {
                b'Z' => {
                    self.ready()?;
                    return Err(Error::internal("the server ended a COPY that was not finished"));
                }
                _ => self.general(tag, body)?,
            }
        }
        Ok(())
    }

    /// Ends the data and gives the number of rows that the server took.
    pub(in crate::connectors::postgres) async fn copy_finish(&mut self) -> Result<u64> {
        let mut request = BytesMut::new();
        frontend::copy_done(&mut request);
        self.state = State::Busy;
        self.write(&request).await?;
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
}
