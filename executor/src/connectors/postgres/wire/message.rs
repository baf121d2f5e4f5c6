//! Reading the server's messages: every length is checked, a malformed message is an error.

use std::fmt;
use std::str;

use flowetl_proto::code::Class;

/// A row of the simple protocol: every value as its text.
pub(in crate::connectors::postgres) type Row = Vec<Option<String>>;

/// What the server says of one result column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::connectors::postgres) struct ResultColumn {
    pub name: String,
    pub type_oid: u32,
    /// -1 where the type has no modifier.
    pub type_modifier: i32,
}

/// Which end of a pipeline a connection serves: decides the class of its transient errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::connectors::postgres) enum Side {
    Source,
    Sink,
}

impl Side {
    pub(in crate::connectors::postgres) fn transient(self) -> Class {
        match self {
            Self::Source => Class::SourceTransient,
            Self::Sink => Class::SinkTransient,
        }
    }
}

/// An error the server reports.
#[derive(Clone, Debug, Default, thiserror::Error)]
pub(in crate::connectors::postgres) struct ServerError {
    /// SQLSTATE: five characters.
    pub code: String,
    pub message: String,
    pub detail: Option<String>,
    pub hint: Option<String>,
    /// Where it happened: `COPY t, line 3, column a`.
    pub context: Option<String>,
    /// The character of the statement at which it was found wrong, from 1.
    pub position: Option<usize>,
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        for more in [&self.detail, &self.hint, &self.context].into_iter().flatten() {
            write!(f, "; {}", more.lines().next().unwrap_or_default())?;
        }
        write!(f, " ({})", self.code)
    }
}

impl ServerError {
    pub(super) fn parse(body: &[u8]) -> Option<Self> {
        let mut fields = Fields(body);
        let mut error = Self::default();
        loop {
            let kind = fields.u8()?;
            if kind == 0 {
                return Some(error);
            }
            let text = String::from_utf8_lossy(fields.text()?).into_owned();
            match kind {
                b'C' => error.code = text,
                b'M' => error.message = text,
                b'D' => error.detail = Some(text),
                b'H' => error.hint = Some(text),
                b'W' => error.context = Some(text),
                b'P' => error.position = text.parse().ok(),
                _ => {}
            }
        }
    }

    /// Whether trying again may help: the connection, resources, shutdown, locks and conflicts of transactions.
    pub(super) fn class(&self, side: Side) -> Class {
        let transient = match self.code.as_str() {
            // Deadlock, serialization failure, lock not available, idle session ended, recovery conflict.
            "40001" | "40P01" | "55P03" | "25P03" | "57P05" => true,
            code => ["08", "53", "57P0", "58"].iter().any(|start| code.starts_with(start)),
        };
        if transient { side.transient() } else { Class::User }
    }
}

/// A cursor over a message's bytes. `None` means that the message is shorter than it says.
pub(super) struct Fields<'a>(pub &'a [u8]);

impl<'a> Fields<'a> {
    pub(super) fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (head, tail) = self.0.split_at_checked(count)?;
        self.0 = tail;
        Some(head)
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        Some(self.bytes(1)?[0])
    }

    pub(super) fn i16(&mut self) -> Option<i16> {
        Some(i16::from_be_bytes(self.bytes(2)?.try_into().ok()?))
    }

    pub(super) fn i32(&mut self) -> Option<i32> {
        Some(i32::from_be_bytes(self.bytes(4)?.try_into().ok()?))
    }

    /// Up to the next zero byte, which is taken too.
    pub(super) fn text(&mut self) -> Option<&'a [u8]> {
        let end = self.0.iter().position(|&b| b == 0)?;
        let text = &self.0[..end];
        self.0 = &self.0[end + 1..];
        Some(text)
    }
}

pub(super) fn row(body: &[u8]) -> Option<Row> {
    let mut fields = Fields(body);
    let count = usize::try_from(fields.i16()?).ok()?;
    let mut row = Vec::with_capacity(count);
    for _ in 0..count {
        row.push(match fields.i32()? {
            -1 => None,
            length => Some(str::from_utf8(fields.bytes(usize::try_from(length).ok()?)?).ok()?.to_owned()),
        });
    }
    Some(row)
}

pub(super) fn result_columns(body: &[u8]) -> Option<Vec<ResultColumn>> {
    let mut fields = Fields(body);
    let count = fields.i16()?;
    let mut columns = Vec::with_capacity(usize::try_from(count).ok()?);
    for _ in 0..count {
        let name = str::from_utf8(fields.text()?).ok()?.to_owned();
        // Table oid and attribute number come first, size and format after the type.
        fields.bytes(6)?;
        let type_oid = fields.i32()?.cast_unsigned();
        fields.bytes(2)?;
        let type_modifier = fields.i32()?;
        fields.bytes(2)?;
        columns.push(ResultColumn { name, type_oid, type_modifier });
    }
    Some(columns)
}

/// Rows a statement touched: the last number of its tag (`INSERT 0 5`, `COPY 5`); 0 where it has none.
pub(super) fn affected(body: &[u8]) -> u64 {
    let tag = String::from_utf8_lossy(body);
    tag.trim_end_matches('\0').rsplit(' ').next().and_then(|n| n.parse().ok()).unwrap_or(0)
}
