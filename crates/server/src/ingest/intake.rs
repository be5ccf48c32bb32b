//! A body on its way in: counted as sent and as decoded, while it streams.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::{Body, Bytes};
use copal_pipeline::received::BodyEncoding;
use copal_protocol::limits::HEADER_LINE_BYTES_MAX;
use copal_protocol::{ContentEncoding, Decoder};
use futures_util::StreamExt;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};

use super::Config;
use super::rejection::Rejection;
use crate::listen::BodyError;

/// Bytes given to the decoder at once: a thousandfold bomb then holds a worker for milliseconds.
const FEED_BYTES: usize = 8 * 1024;
/// Bytes of a body that are not worth compressing for the journal.
const PLAIN_BYTES_MAX: usize = 1_024;
/// Level for bodies that we compress: as fast as the disk.
const ZSTD_LEVEL: i32 = 1;

/// Memory for all bodies together.
pub(super) struct Budget {
    used: AtomicUsize,
    bytes_max: usize,
}

impl Budget {
    pub(super) const fn new(bytes_max: usize) -> Self {
        Self {
            used: AtomicUsize::new(0),
            bytes_max,
        }
    }
}

/// A body's share of the budget; given back when it is dropped.
struct Share {
    budget: Arc<Budget>,
    bytes: usize,
}

impl Share {
    fn grow_to(&mut self, bytes: usize) -> Result<(), Rejection> {
        let more = bytes.saturating_sub(self.bytes);
        if more == 0 {
            return Ok(());
        }
        self.bytes += more;
        let used = self.budget.used.fetch_add(more, Ordering::Relaxed) + more;
        if used > self.budget.bytes_max {
            return Err(Rejection::Overloaded);
        }
        Ok(())
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.budget.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// A body on its way in.
pub(super) struct Intake {
    stream: axum::body::BodyDataStream,
    encoding: ContentEncoding,
    /// `None` once the body is over.
    decoder: Option<Decoder>,
    /// The body as sent, where the journal can keep it so.
    wire: Vec<u8>,
    wire_bytes: usize,
    wire_bytes_max: usize,
    decoded: Vec<u8>,
    share: Share,
}

impl Intake {
    /// Begins to read a body that may decode to `decoded_bytes_max`.
    pub(super) fn begin(
        headers: &HeaderMap,
        body: Body,
        decoded_bytes_max: usize,
        config: &Config,
        budget: &Arc<Budget>,
    ) -> Result<Self, Rejection> {
        let encoding = match headers.get(CONTENT_ENCODING) {
            Some(value) => value.to_str().unwrap_or("unreadable"),
            None => "",
        };
        let encoding = ContentEncoding::parse(Some(encoding))?;
        let announced = headers.get(CONTENT_LENGTH);
        let announced = announced.and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        if announced.is_some_and(|bytes| bytes > config.wire_bytes_max as u64) {
            return Err(Rejection::TooLarge {
                limit_bytes: config.wire_bytes_max,
            });
        }
        Ok(Self {
            stream: body.into_data_stream(),
            encoding,
            decoder: Some(Decoder::new(encoding, decoded_bytes_max)),
            wire: Vec::new(),
            wire_bytes: 0,
            wire_bytes_max: config.wire_bytes_max,
            decoded: Vec::new(),
            share: Share {
                budget: Arc::clone(budget),
                bytes: 0,
            },
        })
    }

    /// Reads until the first line is there, or all that there is.
    pub(super) async fn first_line(&mut self) -> Result<&[u8], Rejection> {
        while self.decoded.len() <= HEADER_LINE_BYTES_MAX && !self.decoded.contains(&b'\n') {
            if !self.step().await? {
                break;
            }
        }
        Ok(&self.decoded)
    }

    /// Reads the rest.
    pub(super) async fn rest(&mut self) -> Result<&[u8], Rejection> {
        while self.step().await? {}
        Ok(&self.decoded)
    }

    /// The body as the journal keeps it: as sent where it can be, else compressed by us.
    pub(super) fn for_journal(self) -> std::io::Result<Kept> {
        let decoded_bytes = self.decoded.len() as u64;
        let (encoding, body) = match self.encoding {
            ContentEncoding::Gzip => (BodyEncoding::Gzip, self.wire),
            ContentEncoding::Zstd => (BodyEncoding::Zstd, self.wire),
            _ => return Kept::of_plain(self.decoded, self.share),
        };
        Ok(Kept {
            encoding,
            body,
            decoded_bytes,
            _share: self.share,
        })
    }

    /// A body that is none of the request's: keeps `decoded` in its place.
    pub(super) fn for_journal_instead(self, decoded: Vec<u8>) -> std::io::Result<Kept> {
        Kept::of_plain(decoded, self.share)
    }

    /// Takes the next piece; false when the body is over.
    async fn step(&mut self) -> Result<bool, Rejection> {
        if self.decoder.is_none() {
            return Ok(false);
        }
        let Some(piece) = self.stream.next().await else {
            if let Some(decoder) = self.decoder.take() {
                decoder.finish()?;
            }
            return Ok(false);
        };
        let piece = piece.map_err(broken)?;
        self.take(&piece).await?;
        Ok(true)
    }

    async fn take(&mut self, piece: &Bytes) -> Result<(), Rejection> {
        self.wire_bytes += piece.len();
        if self.wire_bytes > self.wire_bytes_max {
            return Err(Rejection::TooLarge {
                limit_bytes: self.wire_bytes_max,
            });
        }
        if matches!(self.encoding, ContentEncoding::Gzip | ContentEncoding::Zstd) {
            self.wire.extend_from_slice(piece);
        }
        for part in piece.chunks(FEED_BYTES) {
            let before = self.decoded.len();
            if let Some(decoder) = &mut self.decoder {
                decoder.feed(part, &mut self.decoded)?;
            }
            let kept = self.wire.capacity() + self.decoded.capacity();
            self.share.grow_to(kept)?;
            if self.decoded.len() - before > 16 * FEED_BYTES {
                // Much came out of little: let others have the worker.
                tokio::task::yield_now().await;
            }
        }
        Ok(())
    }
}

/// A body as the journal keeps it.
pub(super) struct Kept {
    pub(super) encoding: BodyEncoding,
    pub(super) body: Vec<u8>,
    pub(super) decoded_bytes: u64,
    _share: Share,
}

impl Kept {
    fn of_plain(decoded: Vec<u8>, share: Share) -> std::io::Result<Self> {
        let decoded_bytes = decoded.len() as u64;
        let (encoding, body) = if decoded.len() <= PLAIN_BYTES_MAX {
            (BodyEncoding::Identity, decoded)
        } else {
            let compressed = zstd::bulk::compress(&decoded, ZSTD_LEVEL)?;
            (BodyEncoding::Zstd, compressed)
        };
        Ok(Self {
            encoding,
            body,
            decoded_bytes,
            _share: share,
        })
    }
}

fn broken(error: axum::Error) -> Rejection {
    match error.into_inner().downcast::<BodyError>() {
        Ok(error) if matches!(*error, BodyError::TooSlow) => Rejection::TooSlow,
        _ => Rejection::BrokenOff,
    }
}
