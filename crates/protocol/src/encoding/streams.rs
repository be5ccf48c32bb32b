//! The decoders behind [`Decoder`](super::Decoder), one step at a time.

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};
use flate2::{Decompress, FlushDecompress, Status};
use zstd::stream::raw::{DParameter, InBuffer, Operation, OutBuffer};

use super::{ContentEncoding, DEFLATE_WINDOW_BITS};
use crate::limits::ZSTD_WINDOW_LOG_MAX;

/// The decoder of one encoding.
pub(super) enum Inner {
    Identity,
    Gzip(Gzip),
    Deflate(Deflate),
    Brotli(Box<Brotli>),
    Zstd(Zstd),
}

/// What one step of a decoder did.
pub(super) struct Step {
    pub(super) consumed: usize,
    pub(super) produced: usize,
}

/// The decoder refuses its input.
pub(super) struct Refused;

impl Inner {
    pub(super) fn new(encoding: ContentEncoding) -> Self {
        match encoding {
            ContentEncoding::Identity => Self::Identity,
            ContentEncoding::Gzip => Self::Gzip(Gzip::new()),
            ContentEncoding::Deflate => Self::Deflate(Deflate::new()),
            ContentEncoding::Brotli => Self::Brotli(Box::new(Brotli::new())),
            ContentEncoding::Zstd => Self::Zstd(Zstd::new()),
        }
    }

    /// Whether a body may end here.
    pub(super) fn is_complete(&self) -> bool {
        match self {
            Self::Identity => true,
            Self::Gzip(gzip) => gzip.at != GzipAt::Within,
            Self::Deflate(deflate) => deflate.is_complete(),
            Self::Brotli(brotli) => brotli.is_fresh || brotli.is_done,
            Self::Zstd(zstd) => zstd.is_between_frames,
        }
    }

    pub(super) fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, Refused> {
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

pub(super) struct Gzip {
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
pub(super) enum Deflate {
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

pub(super) struct Brotli {
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

pub(super) struct Zstd {
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
