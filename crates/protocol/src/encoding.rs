//! Content encodings: what a body is compressed with, and how it is inflated within a limit.
//!
//! A [`Decoder`] is fed while the body streams in. It counts what comes out before it keeps it, so
//! that a bomb costs no more than the limit.

use std::fmt;

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};
use flate2::{Decompress, FlushDecompress, Status};
use zstd::stream::raw::{DParameter, InBuffer, Operation, OutBuffer};

use crate::limits::{DECODE_STEP_BYTES, ZSTD_WINDOW_LOG_MAX};

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

enum Inner {
    Identity,
    Gzip(Gzip),
    Deflate(Deflate),
    Brotli(Box<Brotli>),
    Zstd(Zstd),
}

/// What one step of a decoder did.
struct Step {
    consumed: usize,
    produced: usize,
}

/// The decoder refuses its input.
struct Refused;

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
        let inner = match encoding {
            ContentEncoding::Identity => Inner::Identity,
            ContentEncoding::Gzip => Inner::Gzip(Gzip::new()),
            ContentEncoding::Deflate => Inner::Deflate(Deflate::new()),
            ContentEncoding::Brotli => Inner::Brotli(Box::new(Brotli::new())),
            ContentEncoding::Zstd => Inner::Zstd(Zstd::new()),
        };
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
        let is_complete = match &self.inner {
            Inner::Identity => true,
            Inner::Gzip(gzip) => gzip.at != GzipAt::Within,
            Inner::Deflate(deflate) => deflate.is_complete(),
            Inner::Brotli(brotli) => brotli.is_fresh || brotli.is_done,
            Inner::Zstd(zstd) => zstd.is_between_frames,
        };
        if is_complete {
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

impl Inner {
    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, Refused> {
        match self {
            Self::Identity => Ok(Step {
                consumed: 0,
                produced: 0,
            }),
            Self::Gzip(gzip) => gzip.step(input, output),
            Self::Deflate(deflate) => deflate.step(input, output),
            Self::Brotli(brotli) => brotli.step(input, output),
            Self::Zstd(zstd) => zstd.step(input, output),
        }
    }
}

/// Steps a zlib-like decoder; true when it has reached its end.
fn inflate(
    decoder: &mut Decompress,
    input: &[u8],
    output: &mut [u8],
) -> Result<(Step, bool), Refused> {
    let (before_in, before_out) = (decoder.total_in(), decoder.total_out());
    let status = decoder
        .decompress(input, output, FlushDecompress::None)
        .map_err(|_| Refused)?;
    let difference = |after: u64, before: u64| usize::try_from(after - before).map_err(|_| Refused);
    let step = Step {
        consumed: difference(decoder.total_in(), before_in)?,
        produced: difference(decoder.total_out(), before_out)?,
    };
    Ok((step, status == Status::StreamEnd))
}

struct Gzip {
    decoder: Decompress,
    at: GzipAt,
}

#[derive(PartialEq, Eq)]
enum GzipAt {
    /// Before the first member, or between two.
    Between,
    /// In a member.
    Within,
    /// In the zeros that may follow the last member.
    Padding,
}

impl Gzip {
    fn new() -> Self {
        Self {
            decoder: Decompress::new_gzip(DEFLATE_WINDOW_BITS),
            at: GzipAt::Between,
        }
    }

    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, Refused> {
        if self.at == GzipAt::Between && self.decoder.total_in() > 0 && !input.is_empty() {
            self.decoder = Decompress::new_gzip(DEFLATE_WINDOW_BITS);
            if input[0] == 0 {
                self.at = GzipAt::Padding;
            }
        }
        if self.at == GzipAt::Padding {
            let consumed = input.iter().take_while(|byte| **byte == 0).count();
            let produced = 0;
            return Ok(Step { consumed, produced });
        }
        if self.at == GzipAt::Between && input.is_empty() {
            let (consumed, produced) = (0, 0);
            return Ok(Step { consumed, produced });
        }
        let (step, is_end) = inflate(&mut self.decoder, input, output)?;
        self.at = if is_end {
            GzipAt::Between
        } else {
            GzipAt::Within
        };
        Ok(step)
    }
}

/// `deflate` is zlib by the standard and raw deflate by some clients: the first two bytes tell.
enum Deflate {
    Unknown { first: Option<u8> },
    Known { decoder: Decompress, is_done: bool },
}

impl Deflate {
    const fn new() -> Self {
        Self::Unknown { first: None }
    }

    const fn is_complete(&self) -> bool {
        match self {
            Self::Unknown { first } => first.is_none(),
            Self::Known { is_done, .. } => *is_done,
        }
    }

    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, Refused> {
        match self {
            Self::Unknown { first: None } => {
                *self = Self::Unknown {
                    first: input.first().copied(),
                };
                Ok(Step {
                    consumed: usize::from(!input.is_empty()),
                    produced: 0,
                })
            }
            Self::Unknown { first: Some(first) } => {
                let Some(&second) = input.first() else {
                    let (consumed, produced) = (0, 0);
                    return Ok(Step { consumed, produced });
                };
                let head = [*first, second];
                let mut decoder = Decompress::new(is_zlib(head));
                let (step, is_done) = inflate(&mut decoder, &head, output)?;
                // A stream that ends within two bytes leaves the second unread.
                let consumed = step.consumed.checked_sub(1).ok_or(Refused)?;
                let produced = step.produced;
                *self = Self::Known { decoder, is_done };
                Ok(Step { consumed, produced })
            }
            Self::Known { is_done: true, .. } => Ok(Step {
                consumed: 0,
                produced: 0,
            }),
            Self::Known { decoder, is_done } => {
                let (step, is_end) = inflate(decoder, input, output)?;
                *is_done = is_end;
                Ok(step)
            }
        }
    }
}

/// RFC 1950 2.2: method 8, window of at most 32 KiB, and a check that makes it divisible by 31.
fn is_zlib([first, second]: [u8; 2]) -> bool {
    first & 0x0f == 8 && first >> 4 <= 7 && u16::from_be_bytes([first, second]) % 31 == 0
}

struct Brotli {
    state: BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>,
    is_fresh: bool,
    is_done: bool,
}

impl Brotli {
    fn new() -> Self {
        let alloc = StandardAlloc::default;
        Self {
            // Strict: windows of at most 16 MiB, as RFC 7932 has them, and not of 1 GiB.
            state: BrotliState::new_strict(alloc(), alloc(), alloc()),
            is_fresh: true,
            is_done: false,
        }
    }

    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, Refused> {
        if self.is_done {
            let (consumed, produced) = (0, 0);
            return Ok(Step { consumed, produced });
        }
        self.is_fresh &= input.is_empty();
        let (mut available_in, mut consumed) = (input.len(), 0);
        let (mut available_out, mut produced, mut total) = (output.len(), 0, 0);
        let result = BrotliDecompressStream(
            &mut available_in,
            &mut consumed,
            input,
            &mut available_out,
            &mut produced,
            output,
            &mut total,
            &mut self.state,
        );
        match result {
            BrotliResult::ResultFailure => return Err(Refused),
            BrotliResult::ResultSuccess => self.is_done = true,
            BrotliResult::NeedsMoreInput | BrotliResult::NeedsMoreOutput => {}
        }
        Ok(Step { consumed, produced })
    }
}

struct Zstd {
    /// `None` when the library could not allocate its context.
    decoder: Option<zstd::stream::raw::Decoder<'static>>,
    is_between_frames: bool,
}

impl Zstd {
    fn new() -> Self {
        let decoder = zstd::stream::raw::Decoder::new().and_then(|mut decoder| {
            decoder.set_parameter(DParameter::WindowLogMax(ZSTD_WINDOW_LOG_MAX))?;
            Ok(decoder)
        });
        Self {
            decoder: decoder.ok(),
            is_between_frames: true,
        }
    }

    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, Refused> {
        if self.is_between_frames && input.is_empty() {
            let (consumed, produced) = (0, 0);
            return Ok(Step { consumed, produced });
        }
        let decoder = self.decoder.as_mut().ok_or(Refused)?;
        let mut input = InBuffer::around(input);
        let mut output = OutBuffer::around(output);
        let remaining = decoder.run(&mut input, &mut output).map_err(|_| Refused)?;
        self.is_between_frames = remaining == 0;
        Ok(Step {
            consumed: input.pos(),
            produced: output.pos(),
        })
    }
}

#[cfg(test)]
mod tests;
