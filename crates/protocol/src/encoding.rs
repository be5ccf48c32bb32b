//! Content encodings: what a body is compressed with, and how it is inflated within a limit.
//!
//! A [`Decoder`] is fed while the body streams in. It counts what comes out before it keeps it, so
//! that a bomb costs no more than the limit.

mod streams;

use std::fmt;

use crate::limits::{DECODE_STEP_BYTES, ZSTD_WINDOW_LOG_MAX};
use streams::{Inner, Refused};

/// Window of 32 KiB, the largest that deflate has.
const DEFLATE_WINDOW_BITS: u8 = 15;
/// Window of 16 MiB, the largest that Brotli has (RFC 7932 9.1).
const BROTLI_WINDOW_BITS: u8 = 24;

/// How a request's body is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentEncoding {
    /// Not at all.
    Identity,
    /// gzip, one or several members.
    Gzip,
    /// zlib; the raw deflate that some clients send is told apart and read too.
    Deflate,
    /// Brotli.
    Brotli,
    /// Zstandard.
    Zstd,
}

/// A `Content-Encoding` that we do not read: answer 415.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unsupported content encoding: send one of gzip, deflate, br, zstd, identity")]
pub struct UnsupportedEncoding;

/// Why a body could not be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// It inflates to more than the limit: answer 413.
    #[error("the decoded body is larger than {limit_bytes} bytes")]
    TooLarge {
        /// The limit.
        limit_bytes: usize,
    },
    /// It is not what its encoding says, or ends too early: answer 400.
    #[error("the body is not valid {0}")]
    Corrupt(ContentEncoding),
}

impl fmt::Display for ContentEncoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Identity => "identity",
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
            Self::Brotli => "br",
            Self::Zstd => "zstd",
        })
    }
}

impl ContentEncoding {
    /// Bytes of memory that decoding may take, beside what comes out: the largest window.
    pub const fn window_bytes_max(self) -> usize {
        match self {
            Self::Identity => 0,
            Self::Gzip | Self::Deflate => 1 << DEFLATE_WINDOW_BITS,
            Self::Brotli => 1 << BROTLI_WINDOW_BITS,
            Self::Zstd => 1 << ZSTD_WINDOW_LOG_MAX,
        }
    }

    /// Reads the header `Content-Encoding`.
    ///
    /// The empty value (sentry-ruby 5) and `UTF-8` (sentry.java.android 2) mean none. A body
    /// encoded twice is refused.
    pub fn parse(header: Option<&str>) -> Result<Self, UnsupportedEncoding> {
        let mut found = Self::Identity;
        for name in header.unwrap_or_default().split(',') {
            let encoding = match &*name.trim().to_ascii_lowercase() {
                "" | "identity" | "utf-8" => continue,
                "gzip" | "x-gzip" => Self::Gzip,
                "deflate" => Self::Deflate,
                "br" => Self::Brotli,
                "zstd" => Self::Zstd,
                _ => return Err(UnsupportedEncoding),
            };
            if found != Self::Identity {
                return Err(UnsupportedEncoding);
            }
            found = encoding;
        }
        Ok(found)
    }
}

/// Inflates one body, piece by piece, up to a limit.
pub struct Decoder {
    encoding: ContentEncoding,
    inner: Inner,
    limit_bytes: usize,
    decoded_bytes: usize,
    step: Box<[u8]>,
}

impl fmt::Debug for Decoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoder")
            .field("encoding", &self.encoding)
            .field("decoded_bytes", &self.decoded_bytes)
            .finish_non_exhaustive()
    }
}

impl Decoder {
    /// A decoder that yields at most `limit_bytes`.
    pub fn new(encoding: ContentEncoding, limit_bytes: usize) -> Self {
        let inner = Inner::new(encoding);
        let step_bytes = match encoding {
            ContentEncoding::Identity => 0,
            _ => DECODE_STEP_BYTES,
        };
        Self {
            encoding,
            inner,
            limit_bytes,
            decoded_bytes: 0,
            step: vec![0; step_bytes].into_boxed_slice(),
        }
    }

    /// Bytes that have come out so far.
    pub const fn decoded_bytes(&self) -> usize {
        self.decoded_bytes
    }

    /// Takes the next piece of the body and appends what it inflates to to `output`.
    pub fn feed(&mut self, chunk: &[u8], output: &mut Vec<u8>) -> Result<(), DecodeError> {
        self.feed_to(chunk, |decoded| {
            output.extend_from_slice(decoded);
            Ok(())
        })
    }

    /// Takes the next piece of the body and hands on what it inflates to, at most
    /// [`DECODE_STEP_BYTES`] at a time: nothing else is kept in memory.
    pub fn feed_to<E: From<DecodeError>>(
        &mut self,
        chunk: &[u8],
        mut sink: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        if matches!(self.inner, Inner::Identity) {
            self.count(chunk.len())?;
            return sink(chunk);
        }
        let mut rest = chunk;
        loop {
            let step = self.inner.step(rest, &mut self.step);
            let step = step.map_err(|Refused| DecodeError::Corrupt(self.encoding))?;
            rest = &rest[step.consumed..];
            self.count(step.produced)?;
            sink(&self.step[..step.produced])?;
            if step.consumed == 0 && step.produced == 0 {
                break;
            }
        }
        // Stopping before the end without having done anything would be stopping for ever.
        if rest.is_empty() {
            Ok(())
        } else {
            Err(DecodeError::Corrupt(self.encoding).into())
        }
    }

    /// Says that the body is over. An empty body is fine in every encoding.
    pub fn finish(self) -> Result<usize, DecodeError> {
        if self.inner.is_complete() {
            Ok(self.decoded_bytes)
        } else {
            Err(DecodeError::Corrupt(self.encoding))
        }
    }

    fn count(&mut self, produced: usize) -> Result<(), DecodeError> {
        self.decoded_bytes += produced;
        if self.decoded_bytes > self.limit_bytes {
            return Err(DecodeError::TooLarge {
                limit_bytes: self.limit_bytes,
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
