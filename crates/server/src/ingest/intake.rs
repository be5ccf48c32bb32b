//! A body on its way in: counted as sent and as decoded, while it streams.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::{Body, Bytes};
use copal_pipeline::received::BodyEncoding;
use copal_protocol::limits::EVENT_BYTES_MAX;
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
/// Bytes of a body that are compressed at once; a larger one would hold a worker for more than a
/// millisecond.
const INLINE_BYTES_MAX: usize = 256 * 1024;
/// Bytes that are reserved for a body because it announces them. Announcing costs nothing.
const RESERVED_BYTES_MAX: usize = 64 * 1024;
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
            return Err(Rejection::Busy);
        }
        Ok(())
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.budget.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// A body on its way in. Only what the journal keeps of it stays in memory; what it decodes to is
/// handed on piece by piece.
pub(super) struct Intake {
    stream: axum::body::BodyDataStream,
    encoding: ContentEncoding,
    /// `None` once the body is over.
    decoder: Option<Decoder>,
    /// The body as sent.
    wire: Vec<u8>,
    wire_bytes_max: usize,
    decoded_bytes: usize,
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
        let announced = usize::try_from(announced.unwrap_or(0)).unwrap_or(usize::MAX);
        if announced > config.wire_bytes_max {
            return Err(Rejection::TooLarge {
                limit_bytes: config.wire_bytes_max,
            });
        }
        Ok(Self {
            stream: body.into_data_stream(),
            encoding,
            decoder: Some(Decoder::new(encoding, decoded_bytes_max)),
            wire: Vec::with_capacity(announced.min(RESERVED_BYTES_MAX)),
            wire_bytes_max: config.wire_bytes_max,
            decoded_bytes: 0,
            share: Share {
                budget: Arc::clone(budget),
                bytes: 0,
            },
        })
    }

    /// Reads all that there is and gives `sink` what it decodes to.
    pub(super) async fn read(
        &mut self,
        mut sink: impl FnMut(&[u8]) -> Result<(), Rejection> + Send,
    ) -> Result<(), Rejection> {
        while self.step(&mut sink).await? {}
        Ok(())
    }

    /// The same for the next piece only; false when the body is over.
    pub(super) async fn step(
        &mut self,
        sink: &mut (impl FnMut(&[u8]) -> Result<(), Rejection> + Send),
    ) -> Result<bool, Rejection> {
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
        self.take(&piece, sink).await?;
        Ok(true)
    }

    async fn take(
        &mut self,
        piece: &Bytes,
        sink: &mut (impl FnMut(&[u8]) -> Result<(), Rejection> + Send),
    ) -> Result<(), Rejection> {
        if self.wire.len() + piece.len() > self.wire_bytes_max {
            return Err(Rejection::TooLarge {
                limit_bytes: self.wire_bytes_max,
            });
        }
        self.wire.extend_from_slice(piece);
        for part in piece.chunks(FEED_BYTES) {
            let before = self.decoded_bytes;
            if let Some(decoder) = &mut self.decoder {
                decoder.feed_to(part, &mut *sink)?;
                self.decoded_bytes = decoder.decoded_bytes();
            }
            self.share.grow_to(self.held_bytes())?;
            if self.decoded_bytes - before > 16 * FEED_BYTES {
                // Much came out of little: let others have the worker.
                tokio::task::yield_now().await;
            }
        }
        Ok(())
    }

    /// Memory that the body takes: itself, the decoder's window, and an event that is looked into.
    fn held_bytes(&self) -> usize {
        let looked_into = self.encoding.window_bytes_max() + EVENT_BYTES_MAX;
        self.wire.capacity() + self.decoded_bytes.min(looked_into)
    }

    /// The body as the journal keeps it: as sent where it is compressed, else compressed by us.
    pub(super) async fn for_journal(self) -> std::io::Result<Kept> {
        let encoding = match self.encoding {
            ContentEncoding::Identity => return Kept::of_plain(self.wire, self.share).await,
            ContentEncoding::Gzip => BodyEncoding::Gzip,
            ContentEncoding::Deflate => BodyEncoding::Deflate,
            ContentEncoding::Brotli => BodyEncoding::Brotli,
            ContentEncoding::Zstd => BodyEncoding::Zstd,
        };
        Ok(Kept {
            encoding,
            body: self.wire,
            decoded_bytes: self.decoded_bytes as u64,
            _share: self.share,
        })
    }

    /// A body that is none of the request's: keeps `decoded` in its place.
    pub(super) async fn for_journal_instead(self, decoded: Vec<u8>) -> std::io::Result<Kept> {
        Kept::of_plain(decoded, self.share).await
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
    async fn of_plain(plain: Vec<u8>, share: Share) -> std::io::Result<Self> {
        let decoded_bytes = plain.len() as u64;
        let (encoding, body) = if plain.len() <= PLAIN_BYTES_MAX {
            (BodyEncoding::Identity, plain)
        } else if plain.len() <= INLINE_BYTES_MAX {
            (BodyEncoding::Zstd, compress(&plain)?)
        } else {
            let compressing = tokio::task::spawn_blocking(move || compress(&plain));
            (BodyEncoding::Zstd, compressing.await??)
        };
        Ok(Self {
            encoding,
            body,
            decoded_bytes,
            _share: share,
        })
    }
}

thread_local! {
    /// Making a context costs more than compressing a usual event with it.
    static COMPRESSOR: RefCell<Option<zstd::bulk::Compressor<'static>>> =
        const { RefCell::new(None) };
}

fn compress(plain: &[u8]) -> std::io::Result<Vec<u8>> {
    COMPRESSOR.with_borrow_mut(|compressor| {
        let compressor = match compressor {
            Some(made) => made,
            none => none.insert(zstd::bulk::Compressor::new(ZSTD_LEVEL)?),
        };
        compressor.compress(plain)
    })
}

fn broken(error: axum::Error) -> Rejection {
    match error.into_inner().downcast::<BodyError>() {
        Ok(error) if matches!(*error, BodyError::TooSlow) => Rejection::TooSlow,
        _ => Rejection::BrokenOff,
    }
}
