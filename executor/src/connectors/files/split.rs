//! Cuts a text file into chunks of whole records, so that partitions can parse one file together.
//!
//! One task at a time reads and finds the record ends, which is far cheaper than parsing; quoted line ends, escapes and
//! nested braces are followed, so no cut ever falls inside a record, and line numbers are known without reading twice.

use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt, stream};
use memchr::{memchr, memchr_iter, memchr2, memrchr};
use object_store::ObjectStoreExt;

use super::format::{Compression, Format};
use crate::storage::{Side, Storage, Stored};
use crate::{Error, Result};

/// Bytes per chunk: about 8,000 rows, so that a batch is worth its overhead and a few of them fit anywhere.
pub const CHUNK_BYTES: usize = 1 << 20;
/// Bytes per request to S3, and requests ahead: hides the round trip without holding much.
const RANGE_BYTES: u64 = 4 << 20;
const RANGES_AHEAD: usize = 2;
/// A record beyond this is an unclosed quote or brace, not data.
const RECORD_BYTES_MAX: usize = 64 << 20;

type Blocks = BoxStream<'static, Result<Bytes>>;

/// Whole records, in two pieces: what the last chunk left over, and what came after.
#[derive(Clone, Debug)]
pub struct Chunk {
    pub pieces: [Bytes; 2],
    /// Of the first record, counted from 1.
    pub line: u64,
}

/// Reads one file as chunks.
pub struct Splitter {
    blocks: Blocks,
    cutter: Cutter,
    label: String,
    rest: Bytes,
    line: u64,
    ended: bool,
    /// The header is still to be left out.
    header: bool,
}

/// Where records end.
#[derive(Clone, Debug)]
pub enum Cutter {
    Csv { delimiter: u8, quoted: bool, half: bool, previous: u8 },
    Lines,
    Json(Braces),
}

/// The state inside JSON: one array of objects, or objects one after the other.
#[derive(Clone, Debug, Default)]
pub struct Braces {
    depth: usize,
    text: bool,
    escaped: bool,
    /// Whether an array is around the objects, once that is known.
    array: Option<bool>,
    closed: bool,
}

impl Splitter {
    pub fn new(
        storage: &Storage,
        file: &Stored,
        compression: Compression,
        cutter: Cutter,
        header: bool,
    ) -> Result<Self> {
        let blocks = blocks(storage, file, compression)?;
        let label = storage.label(&file.name);
        Ok(Self { blocks, cutter, label, rest: Bytes::new(), line: 1, ended: false, header })
    }

    /// The next whole records; `None` at the end.
    pub async fn next(&mut self) -> Result<Option<Chunk>> {
        loop {
            let mut block = self.block().await?;
            if self.ended && block.is_empty() {
                return self.last();
            }
            let Some(end) = self.cutter.last_end(&mut block) else {
                let mut rest = BytesMut::with_capacity(self.rest.len() + block.len());
                rest.extend_from_slice(&self.rest);
                rest.extend_from_slice(&block);
                self.rest = rest.freeze();
                if self.rest.len() > RECORD_BYTES_MAX {
                    let (file, line) = (&self.label, self.line);
                    return Err(Error::user(format!(
                        "`{file}` line {line}: a record of more than 64 MB; a quote or brace is not closed"
                    )));
                }
                continue;
            };
            let head = std::mem::replace(&mut self.rest, block.slice(end..));
            if let Some(chunk) = self.chunk([head, block.slice(..end)]) {
                return Ok(Some(chunk));
            }
        }
    }

    fn last(&mut self) -> Result<Option<Chunk>> {
        if let Cutter::Json(braces) = &self.cutter
            && braces.array == Some(true)
            && !braces.closed
        {
            return Err(Error::user(format!("`{}` ends before its array does", self.label)));
        }
        let rest = std::mem::take(&mut self.rest);
        if rest.iter().all(u8::is_ascii_whitespace) { Ok(None) } else { Ok(self.chunk([rest, Bytes::new()])) }
    }

    fn chunk(&mut self, mut pieces: [Bytes; 2]) -> Option<Chunk> {
        let mut line = self.line;
        self.line += pieces.iter().map(|piece| memchr_iter(b'\n', piece).count() as u64).sum::<u64>();
        if std::mem::take(&mut self.header) {
            let whole = Bytes::from(pieces.concat());
            let end = self.cutter.fresh().first_end(&whole).unwrap_or(whole.len());
            line += memchr_iter(b'\n', &whole[..end]).count() as u64;
            pieces = [whole.slice(end..), Bytes::new()];
        }
        pieces.iter().any(|piece| !piece.is_empty()).then_some(Chunk { pieces, line })
    }

    /// About [`CHUNK_BYTES`] of the file; decompression gives crumbs, which are gathered.
    async fn block(&mut self) -> Result<Bytes> {
        let mut gathered = BytesMut::new();
        while !self.ended {
            let Some(bytes) = self.blocks.try_next().await? else {
                self.ended = true;
                break;
            };
            if gathered.is_empty() && bytes.len() >= CHUNK_BYTES / 2 {
                return Ok(bytes);
            }
            gathered.extend_from_slice(&bytes);
            if gathered.len() >= CHUNK_BYTES {
                break;
            }
        }
        Ok(gathered.freeze())
    }
}

impl Cutter {
    pub fn new(format: Format, delimiter: u8) -> Self {
        match format {
            Format::Csv => Self::Csv { delimiter, quoted: false, half: false, previous: b'\n' },
            Format::Json => Self::Json(Braces::default()),
            Format::Ndjson | Format::Parquet => Self::Lines,
        }
    }

    /// The records of a chunk, each with its line.
    pub fn records(&self, chunk: &[u8], mut line: u64) -> Vec<(Range<usize>, u64)> {
        let mut records = Vec::new();
        let mut from = 0;
        while from < chunk.len() {
            let end = self.fresh().first_end(&chunk[from..]).map_or(chunk.len(), |end| from + end);
            let blank = chunk[from..end].iter().take_while(|b| b.is_ascii_whitespace()).count();
            line += memchr_iter(b'\n', &chunk[from..from + blank]).count() as u64;
            if from + blank < end {
                records.push((from + blank..end, line));
            }
            line += memchr_iter(b'\n', &chunk[from + blank..end]).count() as u64;
            from = end;
        }
        records
    }

    /// The same at the start of a record; the array's own brackets are gone there.
    fn fresh(&self) -> Self {
        match self {
            Self::Csv { delimiter, .. } => {
                Self::Csv { delimiter: *delimiter, quoted: false, half: false, previous: b'\n' }
            }
            Self::Lines => Self::Lines,
            Self::Json(_) => Self::Json(Braces { array: Some(false), ..Braces::default() }),
        }
    }

    /// Just after the last record that ends in `block`, which goes on where the last one stopped. What stands between
    /// the objects of an array is blanked, so that objects follow each other.
    pub fn last_end(&mut self, block: &mut Bytes) -> Option<usize> {
        match self {
            Self::Csv { .. } => self.csv_end(block, false),
            Self::Lines => memrchr(b'\n', block).map(|at| at + 1),
            Self::Json(braces) => {
                let mut bytes = BytesMut::from(&block[..]);
                let end = braces.walk(&mut bytes, false);
                *block = bytes.freeze();
                end
            }
        }
    }

    /// Just after the first record that ends in `block`.
    pub fn first_end(&mut self, block: &[u8]) -> Option<usize> {
        match self {
            Self::Csv { .. } => self.csv_end(block, true),
            Self::Lines => memchr(b'\n', block).map(|at| at + 1),
            Self::Json(braces) => braces.walk(&mut block.to_vec(), true),
        }
    }

    fn csv_end(&mut self, block: &[u8], first: bool) -> Option<usize> {
        let Self::Csv { delimiter, quoted, half, previous } = self else { return None };
        let mut end = None;
        let mut at = 0;
        if *half && !block.is_empty() {
            // The last block ended in a quote: doubled it stands for itself, single it closes.
            *half = false;
            *quoted = block[0] == b'"';
            at = usize::from(*quoted);
        }
        while at < block.len() {
            if *quoted {
                let Some(close) = memchr(b'"', &block[at..]).map(|i| at + i) else { break };
                *half = close + 1 == block.len();
                *quoted = *half || block[close + 1] == b'"';
                at = if *quoted { close + 2 } else { close + 1 };
                continue;
            }
            let quote = if first { memchr2(b'"', b'\n', &block[at..]) } else { memchr(b'"', &block[at..]) };
            let stop = quote.map_or(block.len(), |i| at + i);
            if first && block.get(stop) == Some(&b'\n') {
                return Some(stop + 1);
            }
            end = memrchr(b'\n', &block[at..stop]).map(|i| at + i + 1).or(end);
            // Only a quote that begins a value opens one; elsewhere it is a letter like others.
            let before = if stop == 0 { *previous } else { block[stop - 1] };
            *quoted = stop < block.len() && (before == *delimiter || before == b'\n' || before == b'\r');
            at = stop + 1;
        }
        *previous = block.last().copied().unwrap_or(*previous);
        end
    }
}

impl Braces {
    /// Follows the bytes; just after the last (or first) object that ends outside all others. Blanks the array's own
    /// brackets and commas.
    fn walk(&mut self, bytes: &mut [u8], first: bool) -> Option<usize> {
        let mut end = None;
        for (at, byte) in bytes.iter_mut().enumerate() {
            if self.text {
                match *byte {
                    _ if self.escaped => self.escaped = false,
                    b'\\' => self.escaped = true,
                    b'"' => self.text = false,
                    _ => {}
                }
                continue;
            }
            match *byte {
                b'"' => self.text = true,
                b'[' if self.depth == 0 && self.array.is_none() => {
                    self.array = Some(true);
                    *byte = b' ';
                }
                b']' if self.depth == 0 && self.array == Some(true) => {
                    self.closed = true;
                    *byte = b' ';
                }
                b',' if self.depth == 0 && self.array == Some(true) => *byte = b' ',
                b'{' | b'[' => {
                    self.array.get_or_insert(false);
                    self.depth += 1;
                }
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == 0 {
                        end = Some(at + 1);
                        if first {
                            return end;
                        }
                    }
                }
                _ => {}
            }
        }
        end
    }
}

/// The first bytes of a file, and whether they are all of it.
pub async fn sample(
    storage: &Storage,
    file: &Stored,
    compression: Compression,
    bytes: usize,
) -> Result<(Vec<u8>, bool)> {
    let mut blocks = blocks(storage, file, compression)?;
    let mut sample = Vec::new();
    while let Some(block) = blocks.try_next().await? {
        sample.extend_from_slice(&block);
        if sample.len() >= bytes {
            return Ok((sample, false));
        }
    }
    Ok((sample, true))
}

/// A file's bytes, decompressed, in order.
fn blocks(storage: &Storage, file: &Stored, compression: Compression) -> Result<Blocks> {
    let local = storage.local_path(&file.name);
    let read: Open = match local {
        Some(path) => Box::new(move || Ok(Box::new(File::open(path)?))),
        None if compression == Compression::None => {
            return Ok(without_mark(remote_blocks(storage.clone(), file.clone())));
        }
        None => {
            let blocks = remote_blocks(storage.clone(), file.clone());
            let reader = BlockReader { blocks, at: Bytes::new(), runtime: tokio::runtime::Handle::current() };
            Box::new(move || Ok(Box::new(reader)))
        }
    };
    let (storage, name) = (storage.clone(), file.name.clone());
    let open = move || -> io::Result<Box<dyn Read + Send>> {
        let raw = read()?;
        if compression == Compression::None {
            Ok(raw)
        } else {
            compression.file_type().convert_read(raw).map_err(io::Error::other)
        }
    };
    let refuse = move |e: io::Error| -> Error {
        match e.downcast::<Error>() {
            Ok(ours) => ours,
            Err(e) if compression != Compression::None && e.raw_os_error().is_none() => {
                Error::user(format!("`{}` cannot be decompressed", storage.label(&name))).because(e)
            }
            Err(e) => storage.io_error(Side::Read, "cannot read", &name, e),
        }
    };
    Ok(without_mark(read_blocks(open, refuse)))
}

/// Reads off the asynchronous threads: disks block, and decompression computes.
fn read_blocks(
    open: impl FnOnce() -> io::Result<Box<dyn Read + Send>> + Send + 'static,
    refuse: impl Fn(io::Error) -> Error + Send + Sync + 'static,
) -> Blocks {
    let refuse = Arc::new(refuse);
    let read = move |state: Reading| {
        let refuse = Arc::clone(&refuse);
        async move {
            let work = move || {
                let mut file = match state {
                    Reading::Closed(open) => open()?,
                    Reading::Open(file) => file,
                };
                let mut block = Vec::with_capacity(CHUNK_BYTES);
                (&mut file).take(CHUNK_BYTES as u64).read_to_end(&mut block)?;
                Ok::<_, io::Error>((block, file))
            };
            let done = tokio::task::spawn_blocking(work).await;
            let done = done.map_err(|e| Error::internal("reading a file broke off").because(e))?;
            let (block, file) = done.map_err(&*refuse)?;
            Ok((!block.is_empty()).then(|| (Bytes::from(block), Reading::Open(file))))
        }
    };
    stream::try_unfold(Reading::Closed(Box::new(open)), read).boxed()
}

enum Reading {
    Closed(Open),
    Open(Box<dyn Read + Send>),
}

type Open = Box<dyn FnOnce() -> io::Result<Box<dyn Read + Send>> + Send>;

/// What comes over the network, for decoders that read; only used where blocking is allowed.
struct BlockReader {
    blocks: Blocks,
    at: Bytes,
    runtime: tokio::runtime::Handle,
}

impl Read for BlockReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.at.is_empty() {
            match self.runtime.block_on(self.blocks.try_next()).map_err(io::Error::other)? {
                Some(block) => self.at = block,
                None => return Ok(0),
            }
        }
        let some = self.at.split_to(into.len().min(self.at.len()));
        into[..some.len()].copy_from_slice(&some);
        Ok(some.len())
    }
}

fn remote_blocks(storage: Storage, file: Stored) -> Blocks {
    let starts = (0..file.meta.size).step_by(RANGE_BYTES as usize);
    let file = Arc::new(file);
    let ranges = stream::iter(starts).map(move |start| {
        let (storage, file) = (storage.clone(), Arc::clone(&file));
        async move {
            let end = (start + RANGE_BYTES).min(file.meta.size);
            let got = storage.store().get_range(&file.meta.location, start..end).await;
            got.map_err(|e| storage.error(Side::Read, "cannot read", &file.name, e))
        }
    });
    let pieces = ranges.buffered(RANGES_AHEAD).map_ok(|bytes: Bytes| {
        let cuts = (0..bytes.len()).step_by(CHUNK_BYTES);
        let pieces: Vec<_> = cuts.map(|at| Ok(bytes.slice(at..bytes.len().min(at + CHUNK_BYTES)))).collect();
        stream::iter(pieces)
    });
    pieces.try_flatten().boxed()
}

/// Leaves out the byte order mark that some programs write first.
fn without_mark(blocks: Blocks) -> Blocks {
    let strip = |(at, block): (usize, Result<Bytes>)| {
        block.map(|bytes| if at == 0 && bytes.starts_with(b"\xEF\xBB\xBF") { bytes.slice(3..) } else { bytes })
    };
    blocks.enumerate().map(strip).boxed()
}
