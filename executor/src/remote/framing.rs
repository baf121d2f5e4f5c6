//! Messages of Arrow Flight as gRPC frames them on a connection: bodies leave as they were encoded, and each comes together
//! in one copy, which lies as Arrow wants it.

use std::collections::VecDeque;

use arrow::buffer::MutableBuffer;
use arrow_flight::FlightData;
use bytes::{Buf, BufMut, Bytes};
use flowetl_proto::wire::MESSAGE_BYTES_MAX;
use prost::Message;
use prost::encoding::{WireType, encode_key, encode_varint};
use tonic::Status;

/// Bytes before each message: whether it is compressed, and how long it is.
const PREFIX_BYTES: usize = 5;
/// The number of `data_body` in Flight.proto, the greatest there: it is written last.
const BODY_FIELD: u32 = 1000;
/// Shorter fields are no rows.
const ALIGNED_BYTES_MIN: usize = 64;

/// A message as it is written: all but its body, and the body.
pub(super) fn apart(message: FlightData) -> [Bytes; 2] {
    let body = message.data_body;
    let rest = FlightData { data_body: Bytes::new(), ..message };
    let mut fields = rest.encode_to_vec();
    if !body.is_empty() {
        encode_key(BODY_FIELD, WireType::LengthDelimited, &mut fields);
        encode_varint(body.len() as u64, &mut fields);
    }
    [framed(&fields, body.len()), body]
}

/// A message that begins with these bytes, with as many as follow them.
pub(super) fn framed(first: &[u8], more: usize) -> Bytes {
    let mut framed = Vec::with_capacity(PREFIX_BYTES + first.len());
    framed.put_u8(0);
    // What batches are cut to is far below what four bytes can say.
    framed.put_u32((first.len() + more) as u32);
    framed.put_slice(first);
    framed.into()
}

/// What has come of messages and was not taken yet.
#[derive(Default)]
pub(super) struct Arrived {
    pieces: VecDeque<Bytes>,
    bytes: usize,
}

impl Arrived {
    pub(super) fn push(&mut self, piece: Bytes) {
        if !piece.is_empty() {
            self.bytes += piece.len();
            self.pieces.push_back(piece);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    /// The next message, once it is whole.
    pub(super) fn message<M: Message + Default>(&mut self) -> Result<Option<M>, Status> {
        let Some(length) = self.length()? else { return Ok(None) };
        if self.bytes < PREFIX_BYTES + length {
            return Ok(None);
        }
        self.advance(PREFIX_BYTES);
        let message = M::decode(self.take(length));
        message.map(Some).map_err(|error| Status::internal(format!("a message cannot be read: {error}")))
    }

    /// Bytes of the next message.
    fn length(&self) -> Result<Option<usize>, Status> {
        let mut prefix = [0; PREFIX_BYTES];
        let mut bytes = self.pieces.iter().flat_map(|piece| piece.iter().copied());
        for place in &mut prefix {
            let Some(byte) = bytes.next() else { return Ok(None) };
            *place = byte;
        }
        let [compressed, length @ ..] = prefix;
        let length = u32::from_be_bytes(length) as usize;
        if compressed != 0 {
            return Err(Status::unimplemented("a message is compressed, and nobody asked for that"));
        }
        if length > MESSAGE_BYTES_MAX {
            return Err(Status::out_of_range(format!(
                "a message of {length} bytes is larger than {MESSAGE_BYTES_MAX}"
            )));
        }
        Ok(Some(length))
    }
}

impl Buf for Arrived {
    fn remaining(&self) -> usize {
        self.bytes
    }

    fn chunk(&self) -> &[u8] {
        self.pieces.front().map_or(&[], |piece| piece)
    }

    fn advance(&mut self, count: usize) {
        let mut left = count;
        while left > 0 {
            let Some(piece) = self.pieces.front_mut() else { return };
            let part = left.min(piece.len());
            piece.advance(part);
            if piece.is_empty() {
                self.pieces.pop_front();
            }
            (left, self.bytes) = (left - part, self.bytes - part);
        }
    }

    fn copy_to_bytes(&mut self, length: usize) -> Bytes {
        if length < ALIGNED_BYTES_MIN {
            let mut bytes = Vec::with_capacity(length);
            bytes.put(self.take(length));
            return bytes.into();
        }
        let mut aligned = MutableBuffer::with_capacity(length);
        while aligned.len() < length && self.has_remaining() {
            let chunk = self.chunk();
            let part = chunk.len().min(length - aligned.len());
            aligned.extend_from_slice(&chunk[..part]);
            self.advance(part);
        }
        Bytes::from_owner(Aligned(aligned))
    }
}

/// Bytes that begin where Arrow wants its buffers to begin.
struct Aligned(MutableBuffer);

impl AsRef<[u8]> for Aligned {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests;
