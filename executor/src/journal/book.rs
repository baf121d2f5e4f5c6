//! The lines of one run that wait to be written: bounded, numbered, and what did not fit is counted.

use std::collections::VecDeque;

use flowetl_proto::log::{Level, Line};

/// A chunk is written no later than when it has so many bytes: small enough to be read whole for one page.
const CHUNK_BYTES: usize = 256 << 10;
/// Lines of one run that wait while storage is away: some 20,000 of them.
const WAITING_BYTES_MAX: usize = 4 << 20;
/// One line: longer ones are cut, and say so.
const LINE_BYTES_MAX: usize = 64 << 10;

/// What waits of one run.
#[derive(Debug)]
pub(super) struct Book {
    /// By which its chunks are known among those of other processes.
    writer: String,
    /// Lines as they are written: JSON.
    waiting: VecDeque<String>,
    bytes: usize,
    /// The number of the first line in `waiting`, or of the next one.
    first: u64,
    /// Lines that did not fit.
    lost: u64,
    /// Whether some are being written.
    is_out: bool,
}

/// Lines that are written together.
#[derive(Debug)]
pub(super) struct Chunk {
    pub(super) writer: String,
    /// The number of its first line among those of the writer.
    pub(super) first: u64,
    pub(super) lines: Vec<String>,
}

impl Book {
    pub(super) fn new(writer: String) -> Self {
        Self { writer, waiting: VecDeque::new(), bytes: 0, first: 0, lost: 0, is_out: false }
    }

    /// Takes a line, and says whether it is time to write.
    pub(super) fn add(&mut self, line: &Line) -> bool {
        let text = text(line);
        if self.bytes + text.len() > WAITING_BYTES_MAX {
            self.lost += 1;
            return false;
        }
        self.push(text);
        self.bytes >= CHUNK_BYTES
    }

    fn push(&mut self, text: String) {
        self.bytes += text.len();
        self.waiting.push_back(text);
    }

    /// The next lines to write.
    pub(super) fn take(&mut self) -> Option<Chunk> {
        let (mut lines, mut bytes) = (Vec::new(), 0);
        while let Some(line) = self.waiting.pop_front_if(|line| lines.is_empty() || bytes + line.len() <= CHUNK_BYTES) {
            bytes += line.len();
            lines.push(line);
        }
        if lines.is_empty() {
            return None;
        }
        self.is_out = true;
        self.bytes -= bytes;
        Some(Chunk { writer: self.writer.clone(), first: self.first, lines })
    }

    /// A chunk is durable.
    pub(super) fn wrote(&mut self, chunk: &Chunk) {
        self.is_out = false;
        self.first += chunk.lines.len() as u64;
        let lost = std::mem::take(&mut self.lost);
        if lost > 0 {
            let message = format!("{lost} lines were lost here: storage did not take them in time");
            self.push(text(&Line { at: super::now(), level: Level::Warn, message, ..Line::default() }));
        }
    }

    /// A chunk could not be written.
    pub(super) fn give_back(&mut self, chunk: Chunk) {
        self.is_out = false;
        for line in chunk.lines.into_iter().rev() {
            self.bytes += line.len();
            self.waiting.push_front(line);
        }
    }

    /// Whether nothing waits.
    pub(super) fn is_done(&self) -> bool {
        self.waiting.is_empty() && !self.is_out && self.lost == 0
    }
}

/// A line as it is written.
fn text(line: &Line) -> String {
    // Texts and numbers are always JSON.
    let text = |line: &Line| serde_json::to_string(line).unwrap_or_default();
    let whole = text(line);
    if whole.len() <= LINE_BYTES_MAX {
        return whole;
    }
    let mut end = line.message.len().min(LINE_BYTES_MAX / 8);
    while !line.message.is_char_boundary(end) {
        end -= 1;
    }
    let message = format!("{} ... ({} bytes in all)", &line.message[..end], line.message.len());
    text(&Line { message, fields: Default::default(), ..line.clone() })
}
