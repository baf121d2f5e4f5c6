//! Content that comes with a call: kept piece by piece, also what came before the call broke off.

use std::time::Duration;

use actix_web::web::{Bytes, BytesMut, Payload};
use futures::StreamExt;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use super::Site;
use super::files::Progress;
use super::problem::Problem;
use crate::accounts::Caller;
use crate::files::{Files, PIECE_BYTES, Upload};

/// What comes slower than a piece in this time is kept in smaller ones: a call ends after 30 s, and little is lost then.
const PIECE_TIME: Duration = Duration::from_secs(5);
/// Chunks that were read and are not with the piece yet.
const CHUNKS_WAITING_MAX: usize = 8;

/// What becomes of a body.
enum Comes {
    More(Bytes),
    End,
}

/// Keeps what comes of an upload, and makes the file once all of it is there. The body is read where the call is answered,
/// which ends with its caller; it is kept where it does not.
pub(super) async fn receive(
    site: &Site,
    files: Files,
    caller: Caller,
    upload: Upload,
    mut body: Payload,
) -> Result<Progress, Problem> {
    // Each holds a piece in memory.
    let place = site.pieces.clone().try_acquire_owned().map_err(|_| Problem::crowded_uploads())?;
    let (chunks, coming) = mpsc::channel(CHUNKS_WAITING_MAX);
    let kept = site.whole(async move {
        let _place = place;
        keep(files, caller, upload, coming).await
    });
    loop {
        let comes = match body.next().await {
            Some(Ok(chunk)) => Comes::More(chunk),
            Some(Err(_)) => break,
            None => Comes::End,
        };
        let is_end = matches!(comes, Comes::End);
        // Whoever takes no more has a reason, and says it.
        if chunks.send(comes).await.is_err() || is_end {
            break;
        }
    }
    drop(chunks);
    kept.await?
}

async fn keep(
    files: Files,
    caller: Caller,
    mut upload: Upload,
    mut coming: mpsc::Receiver<Comes>,
) -> Result<Progress, Problem> {
    let (mut piece, mut until) = (BytesMut::new(), Instant::now() + PIECE_TIME);
    loop {
        let comes = timeout_at(until, coming.recv()).await;
        let (is_late, has_broken) = (comes.is_err(), matches!(comes, Ok(None)));
        let is_end = has_broken || matches!(comes, Ok(Some(Comes::End)));
        if let Ok(Some(Comes::More(chunk))) = comes {
            piece.extend_from_slice(&chunk);
        }
        let missing = usize::try_from(upload.size - upload.offset).unwrap_or(0);
        if piece.len() > missing {
            return Err(Problem::too_large(missing));
        }
        if piece.len() >= PIECE_BYTES || ((is_end || is_late) && !piece.is_empty()) {
            upload = files.take(&upload, piece.split().freeze()).await?;
        }
        if has_broken {
            return Err(Problem::not_understood("the body breaks off"));
        }
        if is_end {
            break;
        }
        if is_late || piece.is_empty() {
            until = Instant::now() + PIECE_TIME;
        }
    }
    if upload.offset < upload.size {
        return Ok(Progress { upload: Some(upload), file: None });
    }
    Ok(Progress { upload: None, file: Some(files.finish(&caller, &upload).await?) })
}
