//! Content that is sent as it is read: whole, or the part that a call asks for.

use std::ops::Range;

use actix_web::http::StatusCode;
use actix_web::http::header::{ACCEPT_RANGES, CONTENT_DISPOSITION, CONTENT_RANGE, ETAG, IF_RANGE, RANGE};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use futures::StreamExt;
use futures::stream::BoxStream;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::Site;
use super::problem::Problem;
use crate::{Error, Result as Done};

/// Pieces that were read and not sent yet.
const CHUNKS_WAITING_MAX: usize = 4;

/// What is sent.
pub(super) struct Sent<'a> {
    pub name: &'a str,
    /// Of the whole, in bytes.
    pub size: u64,
    /// Changes when the content does.
    pub tag: &'a str,
    /// The bytes that are sent; `None` where all are.
    pub part: Option<Range<u64>>,
}

/// The bytes that a call asks for, of content of this size and tag; `None` where it is to have all of them.
pub(super) fn part(request: &HttpRequest, size: u64, tag: &str) -> Result<Option<Range<u64>>, Problem> {
    let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
    if header(IF_RANGE).is_some_and(|seen| seen != quoted(tag)) {
        return Ok(None);
    }
    let part = header(RANGE).and_then(|text| range(text, size));
    part.map(|part| if part.is_empty() { Err(Problem::no_such_range(size)) } else { Ok(part) }).transpose()
}

/// Sends content as fast as it is taken.
pub(super) fn answer(site: &Site, sent: Sent<'_>, mut content: BoxStream<'static, Done<Bytes>>) -> HttpResponse {
    let mut answer = HttpResponse::Ok();
    let bytes = sent.part.clone().unwrap_or(0..sent.size);
    if let Some(part) = &sent.part {
        answer.status(StatusCode::PARTIAL_CONTENT);
        answer.insert_header((CONTENT_RANGE, format!("bytes {}-{}/{}", part.start, part.end - 1, sent.size)));
    }
    answer.insert_header((CONTENT_DISPOSITION, named(sent.name)));
    answer.insert_header((ETAG, quoted(sent.tag)));
    answer.insert_header((ACCEPT_RANGES, "bytes")).content_type("application/octet-stream");
    let (chunks, waiting) = mpsc::channel::<Result<Bytes, Error>>(CHUNKS_WAITING_MAX);
    // Where the storage's connections live.
    site.runtime.spawn(async move {
        while let Some(chunk) = content.next().await {
            if let Err(error) = &chunk {
                tracing::error!(why = error.chain(), "what is downloaded cannot be read");
            }
            if chunks.send(chunk).await.is_err() {
                break;
            }
        }
    });
    answer.no_chunking(bytes.end - bytes.start).streaming(ReceiverStream::new(waiting))
}

fn quoted(tag: &str) -> String {
    format!("\"{tag}\"")
}

/// What is in quotes here is read as it is by every browser; the name in full follows.
fn named(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-. ".contains(c);
    let plain: String = name.chars().map(|c| if is_plain(c) { c } else { '_' }).collect();
    let encode = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    let whole: String = name.bytes().map(encode).collect();
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{whole}")
}

/// The bytes of one range, empty where there are no such; `None` where it is no range, or are several: then all is sent.
fn range(text: &str, size: u64) -> Option<Range<u64>> {
    let (first, last) = text.trim().strip_prefix("bytes=")?.split_once('-')?;
    let part = match (first.trim(), last.trim()) {
        ("", last) => size.saturating_sub(last.parse().ok()?)..size,
        (first, "") => first.parse().ok()?..size,
        (first, last) => {
            let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
            if last < first {
                return None;
            }
            first..last.saturating_add(1).min(size)
        }
    };
    Some(part)
}

#[cfg(test)]
mod tests {
    use super::{named, range};

    #[test]
    fn fi_1_a_range_is_one_part_of_the_file() {
        for (text, expected) in [
            ("bytes=0-3", Some(0..4)),
            ("bytes=2-", Some(2..10)),
            ("bytes=-3", Some(7..10)),
            ("bytes=5-99", Some(5..10)),
            ("bytes=-99", Some(0..10)),
            ("bytes=10-", Some(10..10)),
            ("bytes=-0", Some(10..10)),
            ("bytes=5-4", None),
            ("bytes=0-1,3-4", None),
            ("bytes=x-", None),
            ("lines=1-2", None),
        ] {
            assert_eq!(range(text, 10), expected, "{text}");
        }
        assert!(range("bytes=12-", 10).unwrap().is_empty());
    }

    #[test]
    fn fi_1_a_name_is_sent_so_that_every_browser_reads_it() {
        assert_eq!(named("ż \"x\".csv"), "attachment; filename=\"_ _x_.csv\"; filename*=UTF-8''%C5%BC%20%22x%22.csv");
    }
}
