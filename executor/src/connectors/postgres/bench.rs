//! COPY's codecs without a server, for measuring.

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, SchemaRef};

use super::decode::{Decoder, Fault};
use super::encode::{Encoder, Rows};
use super::types::Codec;
use crate::{Error, Result};

/// Rows of one schema as binary COPY, in the types that a new table would have for them.
#[derive(Debug)]
pub struct Copy {
    schema: SchemaRef,
    codecs: Vec<Codec>,
}

impl Copy {
    /// Takes integers, decimals, dates and texts.
    pub fn new(schema: SchemaRef) -> Result<Self> {
        let codec = |data_type: &DataType| match data_type {
            DataType::Int32 => Ok(Codec::Int4),
            DataType::Int64 => Ok(Codec::Int8),
            DataType::Decimal128(precision, scale) => Ok(Codec::Numeric { precision: *precision, scale: *scale }),
            DataType::Date32 => Ok(Codec::Date),
            DataType::Utf8 => Ok(Codec::Text),
            other => Err(Error::internal(format!("`{other}` is not measured"))),
        };
        let codecs = schema.fields().iter().map(|field| codec(field.data_type())).collect::<Result<_>>()?;
        Ok(Self { schema, codecs })
    }

    /// The bytes of one COPY as the sink sends them: `send` is given one large message after the other.
    pub fn encode(&self, batch: &RecordBatch, mut send: impl FnMut(&[u8])) -> Result<()> {
        let mut encoder = self.encoder();
        let columns = encoder.columns(batch)?;
        let mut rows = Rows::new(&columns, &encoder, batch.num_rows())?;
        while encoder.add(&mut rows, None)? {
            send(encoder.message());
            encoder.clear();
        }
        encoder.end();
        send(encoder.message());
        Ok(())
    }

    /// The bodies of the messages in which a server would send the batch: one a row, the header before the first.
    pub fn messages(&self, batch: &RecordBatch) -> Result<Vec<Vec<u8>>> {
        /// The tag and the length of a message.
        const HEADER: usize = 5;
        let mut encoder = self.encoder();
        let mut messages = Vec::with_capacity(batch.num_rows());
        for row in 0..batch.num_rows() {
            let columns = encoder.columns(&batch.slice(row, 1))?;
            encoder.add(&mut Rows::new(&columns, &encoder, 1)?, None)?;
            messages.push(encoder.message()[HEADER..].to_vec());
            encoder.clear();
        }
        Ok(messages)
    }

    /// The batch that the messages hold.
    pub fn decode(&self, messages: &[Vec<u8>]) -> Result<RecordBatch> {
        let damaged = |fault: Fault| Error::internal(format!("damaged COPY data: {fault:?}"));
        let mut decoder = Decoder::new(SchemaRef::clone(&self.schema), &self.codecs, messages.len());
        for message in messages {
            decoder.message(message).map_err(damaged)?;
        }
        Ok(decoder.finish()?)
    }

    fn encoder(&self) -> Encoder {
        let names = self.schema.fields().iter().map(|field| field.name().clone()).collect();
        Encoder::new(names, self.codecs.clone())
    }
}
