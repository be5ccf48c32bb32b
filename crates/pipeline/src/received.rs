//! What a journal record holds: one request as ingest received it, checked and framed.
//!
//! The form on disk is ours: a fixed little-endian header that begins with a version, two short
//! texts, the body. It has no checksum, since the journal puts one around every record.

use std::borrow::Cow;
use std::cell::RefCell;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use copal_model::{ProjectId, Timestamp};
use copal_protocol::{ContentEncoding, DecodeError, Decoder, EventId, Framer};
use uuid::Uuid;

use crate::reduce::Reduced;

/// First byte of a record: the version of its form. A change of the form takes the next number, and
/// the old one must be read for as long as journals that hold it can exist.
const FORM: u8 = 1;

/// Bytes of the header in front of the texts.
const HEADER_BYTES: usize = 1 + 4 + 8 + 16 + 1 + 16 + 1 + 1 + 8 + 2 + 2;

/// Bytes of `user_agent` and of `sdk` that are kept; browsers send about 200 (RFC 9110 10.1.5 sets
/// no limit).
pub const TEXT_BYTES_MAX: usize = 1_024;

/// Bytes that a body may have once decoded: the largest envelope that any ingest lets in (Relay's
/// 200 MiB). More than that is damage, not data.
pub const DECODED_BYTES_MAX: u64 = 200 * 1024 * 1024;

/// Bytes of a decoded envelope from which on it is reduced while it is unpacked. Below, unpacking it
/// as a whole is faster.
pub const REDUCED_BYTES_MIN: u64 = 4 * 1024 * 1024;

/// One accepted request. Borrowed: ingest encodes without copying the body more than once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received<'a> {
    /// The project whose key was let in.
    pub project: ProjectId,
    /// When the request arrived.
    pub received_at: Timestamp,
    /// The id to use for an event that has none, made by ingest and told in its answer.
    pub fallback_event_id: EventId,
    /// The peer, or what a trusted proxy says the peer is.
    pub client_ip: Option<IpAddr>,
    /// `User-Agent` of the request; empty when there was none.
    pub user_agent: &'a str,
    /// `sentry_client` of the credentials, `name/version`; empty when there was none.
    pub sdk: &'a str,
    /// What the body is.
    pub kind: BodyKind,
    /// How the body is compressed.
    pub encoding: BodyEncoding,
    /// Bytes of the body once decoded.
    pub decoded_bytes: u64,
    /// The body.
    pub body: &'a [u8],
}

/// What a body is; the numbers are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyKind {
    /// An envelope.
    Envelope = 0,
    /// One event (store endpoint).
    Event = 1,
}

/// How a body is compressed in the journal; the numbers are stored. What SDKs compress is kept as
/// they sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyEncoding {
    /// Not at all; for small bodies.
    Identity = 0,
    /// As the SDK sent it.
    Gzip = 1,
    /// By ingest, where the SDK did not compress; or as the SDK sent it.
    Zstd = 2,
    /// As the SDK sent it: zlib, or raw.
    Deflate = 3,
    /// As the SDK sent it.
    Brotli = 4,
}

/// Why a journal record cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReceivedError {
    /// The record ends before its header says so.
    #[error("the record is too short")]
    Short,
    /// The record is of a form that this version does not know.
    #[error("the record's form {0} is unknown")]
    UnknownForm(u8),
    /// A field has a value that it cannot have.
    #[error("the record's {0} is impossible")]
    Field(&'static str),
    /// The body does not decode.
    #[error("the record's body does not decode")]
    Body(#[from] DecodeError),
    /// The body decodes to another size than ingest counted.
    #[error("the record's body decodes to {actual} bytes, not {expected}")]
    BodySize {
        /// What ingest counted.
        expected: u64,
        /// What came out.
        actual: u64,
    },
}

impl<'a> Received<'a> {
    /// The record's bytes. Texts longer than [`TEXT_BYTES_MAX`] are cut, times lose what is below
    /// a microsecond.
    pub fn encode(&self) -> Vec<u8> {
        let user_agent = cut(self.user_agent);
        let sdk = cut(self.sdk);
        let mut out =
            Vec::with_capacity(HEADER_BYTES + user_agent.len() + sdk.len() + self.body.len());
        out.push(FORM);
        out.extend(self.project.get().to_le_bytes());
        out.extend(self.received_at.as_microsecond().to_le_bytes());
        out.extend(self.fallback_event_id.as_bytes());
        let (ip_kind, ip_bytes) = encode_ip(self.client_ip);
        out.push(ip_kind);
        out.extend(ip_bytes);
        out.push(self.kind as u8);
        out.push(self.encoding as u8);
        out.extend(self.decoded_bytes.to_le_bytes());
        for text in [user_agent, sdk] {
            let length = u16::try_from(text.len()).expect("cut to less than 64 KiB");
            out.extend(length.to_le_bytes());
        }
        out.extend(user_agent.as_bytes());
        out.extend(sdk.as_bytes());
        out.extend(self.body);
        out
    }

    /// Reads a record.
    ///
    /// # Errors
    /// When the bytes are not what [`encode`](Self::encode) makes.
    pub fn decode(record: &'a [u8]) -> Result<Self, ReceivedError> {
        let mut bytes = Bytes(record);
        match bytes.array::<1>()? {
            [FORM] => {}
            [other] => return Err(ReceivedError::UnknownForm(other)),
        }
        let project = ProjectId::new(u32::from_le_bytes(bytes.array()?))
            .map_err(|_| ReceivedError::Field("project"))?;
        let received_at = Timestamp::from_microsecond(i64::from_le_bytes(bytes.array()?))
            .map_err(|_| ReceivedError::Field("time"))?;
        let fallback_event_id = EventId::new(Uuid::from_bytes(bytes.array()?));
        let [ip_kind] = bytes.array()?;
        let client_ip = decode_ip(ip_kind, bytes.array()?)?;
        let kind = BodyKind::from_byte(bytes.array()?)?;
        let encoding = BodyEncoding::from_byte(bytes.array()?)?;
        let decoded_bytes = u64::from_le_bytes(bytes.array()?);
        let user_agent_bytes = u16::from_le_bytes(bytes.array()?);
        let sdk_bytes = u16::from_le_bytes(bytes.array()?);
        Ok(Self {
            project,
            received_at,
            fallback_event_id,
            client_ip,
            user_agent: bytes.text(user_agent_bytes, "user agent")?,
            sdk: bytes.text(sdk_bytes, "sdk")?,
            kind,
            encoding,
            decoded_bytes,
            body: bytes.0,
        })
    }

    /// The body without its compression, and a large envelope also without the payloads that
    /// nobody looks at: [`REDUCED_BYTES_MIN`]. Never decodes more than `decoded_bytes`.
    ///
    /// # Errors
    /// When it does not decode, or not to `decoded_bytes`.
    pub fn body_decoded(&self) -> Result<Cow<'a, [u8]>, ReceivedError> {
        if self.decoded_bytes > DECODED_BYTES_MAX {
            return Err(ReceivedError::Field("decoded size"));
        }
        let capacity = usize::try_from(self.decoded_bytes)
            .map_err(|_| ReceivedError::Field("decoded size"))?;
        if self.kind == BodyKind::Envelope && self.decoded_bytes >= REDUCED_BYTES_MIN {
            return self.reduced(capacity).map(Cow::Owned);
        }
        let decoded = match self.encoding {
            BodyEncoding::Identity => Cow::Borrowed(self.body),
            BodyEncoding::Zstd => Cow::Owned(decompress(self.body, capacity)?),
            BodyEncoding::Gzip | BodyEncoding::Deflate | BodyEncoding::Brotli => {
                let mut inflated = Vec::with_capacity(capacity);
                let mut decoder = Decoder::new(self.encoding.of_content(), capacity);
                decoder.feed(self.body, &mut inflated)?;
                decoder.finish()?;
                Cow::Owned(inflated)
            }
        };
        self.check_size(decoded.len())?;
        Ok(decoded)
    }

    fn reduced(&self, bytes_max: usize) -> Result<Vec<u8>, ReceivedError> {
        let mut decoder = Decoder::new(self.encoding.of_content(), bytes_max);
        let mut framer = Framer::new(Reduced::default());
        let mut framing = Ok(());
        decoder.feed_to(self.body, |piece| {
            if framing.is_ok() {
                framing = framer.feed(piece);
            }
            Ok::<_, DecodeError>(())
        })?;
        self.check_size(decoder.finish()?)?;
        // What is no envelope stays none: an empty body has no header.
        let reduced = framing.and_then(|()| framer.finish());
        Ok(reduced.map_or_else(|_| Vec::new(), Reduced::into_envelope))
    }

    fn check_size(&self, actual: usize) -> Result<(), ReceivedError> {
        let (actual, expected) = (actual as u64, self.decoded_bytes);
        if actual == expected {
            Ok(())
        } else {
            Err(ReceivedError::BodySize { expected, actual })
        }
    }
}

thread_local! {
    /// Making a context costs more than decoding a usual body with it.
    static DECOMPRESSOR: RefCell<Option<zstd::bulk::Decompressor<'static>>> =
        const { RefCell::new(None) };
}

fn decompress(body: &[u8], bytes_max: usize) -> Result<Vec<u8>, ReceivedError> {
    let decompress = |decompressor: &mut Option<_>| {
        let decompressor = match decompressor {
            Some(made) => made,
            none => none.insert(zstd::bulk::Decompressor::new()?),
        };
        decompressor.decompress(body, bytes_max)
    };
    let decompressed = DECOMPRESSOR.with_borrow_mut(decompress);
    decompressed.map_err(|_: std::io::Error| DecodeError::Corrupt(ContentEncoding::Zstd).into())
}

impl BodyKind {
    const fn from_byte(byte: [u8; 1]) -> Result<Self, ReceivedError> {
        match byte {
            [0] => Ok(Self::Envelope),
            [1] => Ok(Self::Event),
            _ => Err(ReceivedError::Field("kind")),
        }
    }
}

impl BodyEncoding {
    const fn of_content(self) -> ContentEncoding {
        match self {
            Self::Identity => ContentEncoding::Identity,
            Self::Gzip => ContentEncoding::Gzip,
            Self::Zstd => ContentEncoding::Zstd,
            Self::Deflate => ContentEncoding::Deflate,
            Self::Brotli => ContentEncoding::Brotli,
        }
    }

    const fn from_byte(byte: [u8; 1]) -> Result<Self, ReceivedError> {
        match byte {
            [0] => Ok(Self::Identity),
            [1] => Ok(Self::Gzip),
            [2] => Ok(Self::Zstd),
            [3] => Ok(Self::Deflate),
            [4] => Ok(Self::Brotli),
            _ => Err(ReceivedError::Field("encoding")),
        }
    }
}

fn encode_ip(ip: Option<IpAddr>) -> (u8, [u8; 16]) {
    match ip {
        None => (0, [0; 16]),
        Some(IpAddr::V4(v4)) => {
            let mut bytes = [0; 16];
            bytes[..4].copy_from_slice(&v4.octets());
            (4, bytes)
        }
        Some(IpAddr::V6(v6)) => (6, v6.octets()),
    }
}

fn decode_ip(kind: u8, bytes: [u8; 16]) -> Result<Option<IpAddr>, ReceivedError> {
    match kind {
        0 => Ok(None),
        4 => {
            let [a, b, c, d, ..] = bytes;
            Ok(Some(Ipv4Addr::new(a, b, c, d).into()))
        }
        6 => Ok(Some(Ipv6Addr::from(bytes).into())),
        _ => Err(ReceivedError::Field("address")),
    }
}

fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(TEXT_BYTES_MAX)]
}

/// What is left to read of a record.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], ReceivedError> {
        let (head, rest) = self.0.split_first_chunk().ok_or(ReceivedError::Short)?;
        self.0 = rest;
        Ok(*head)
    }

    fn text(&mut self, bytes: u16, field: &'static str) -> Result<&'a str, ReceivedError> {
        let (head, rest) = self
            .0
            .split_at_checked(bytes.into())
            .ok_or(ReceivedError::Short)?;
        self.0 = rest;
        std::str::from_utf8(head).map_err(|_| ReceivedError::Field(field))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;

    use super::*;

    fn plain(body: &[u8]) -> Received<'_> {
        Received {
            project: ProjectId::new(7).unwrap(),
            received_at: Timestamp::from_microsecond(1_700_000_000_123_456).unwrap(),
            fallback_event_id: EventId::new(Uuid::from_u128(5)),
            client_ip: None,
            user_agent: "",
            sdk: "",
            kind: BodyKind::Envelope,
            encoding: BodyEncoding::Identity,
            decoded_bytes: body.len() as u64,
            body,
        }
    }

    fn gzip(body: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(body).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn decodes_every_encoding() {
        let body = b"{}\n".repeat(1_000);
        let gzip = gzip(&body);
        let zstd = zstd::bulk::compress(&body, 1).unwrap();
        let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        zlib.write_all(&body).unwrap();
        let zlib = zlib.finish().unwrap();
        for (encoding, encoded) in [
            (BodyEncoding::Identity, &body),
            (BodyEncoding::Gzip, &gzip),
            (BodyEncoding::Zstd, &zstd),
            (BodyEncoding::Deflate, &zlib),
        ] {
            let received = Received {
                encoding,
                decoded_bytes: body.len() as u64,
                ..plain(encoded)
            };
            assert_eq!(received.body_decoded().unwrap(), body, "{encoding:?}");
            let longer = Received {
                decoded_bytes: body.len() as u64 + 1,
                ..received.clone()
            };
            longer.body_decoded().unwrap_err();
            let huge = Received {
                decoded_bytes: DECODED_BYTES_MAX + 1,
                ..received
            };
            huge.body_decoded().unwrap_err();
        }
    }

    #[test]
    fn a_body_never_grows_beyond_what_was_counted() {
        let bomb = vec![b' '; 10_000_000];
        for (encoding, encoded) in [
            (BodyEncoding::Gzip, gzip(&bomb)),
            (BodyEncoding::Zstd, zstd::bulk::compress(&bomb, 1).unwrap()),
        ] {
            let received = Received {
                encoding,
                decoded_bytes: 1_000,
                ..plain(&encoded)
            };
            let error = received.body_decoded().unwrap_err();
            assert!(
                matches!(error, ReceivedError::Body(_)),
                "{encoding:?}: {error}"
            );
        }
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        let long = format!("{}é", "a".repeat(TEXT_BYTES_MAX - 1));
        let record = Received {
            user_agent: &long,
            ..plain(b"")
        }
        .encode();
        assert_eq!(
            Received::decode(&record).unwrap().user_agent,
            "a".repeat(TEXT_BYTES_MAX - 1)
        );
    }

    #[test]
    fn every_shorter_record_is_refused() {
        let record = Received {
            user_agent: "curl",
            sdk: "x/1",
            ..plain(b"")
        }
        .encode();
        for end in 0..record.len() {
            Received::decode(&record[..end]).unwrap_err();
        }
        assert!(matches!(
            Received::decode(&[9]),
            Err(ReceivedError::UnknownForm(9))
        ));
    }

    proptest! {
        #[test]
        fn survives_the_journal(
            project in 1..=ProjectId::MAX,
            micros in 0_i64..4_000_000_000_000_000,
            id: u128,
            client_ip: Option<IpAddr>,
            user_agent in ".{0,200}",
            sdk in "[a-z./0-9]{0,40}",
            event: bool,
            encoding in 0_u8..5,
            decoded_bytes: u64,
            body: Vec<u8>,
        ) {
            let received = Received {
                project: ProjectId::new(project).unwrap(),
                received_at: Timestamp::from_microsecond(micros).unwrap(),
                fallback_event_id: EventId::new(Uuid::from_u128(id)),
                client_ip,
                user_agent: &user_agent,
                sdk: &sdk,
                kind: if event { BodyKind::Event } else { BodyKind::Envelope },
                encoding: BodyEncoding::from_byte([encoding]).unwrap(),
                decoded_bytes,
                body: &body,
            };
            let record = received.encode();
            prop_assert_eq!(Received::decode(&record).unwrap(), received);
        }

        #[test]
        fn never_panics(mut record: Vec<u8>, valid_form: bool) {
            if let (true, Some(first)) = (valid_form, record.first_mut()) {
                *first = FORM;
            }
            if let Ok(received) = Received::decode(&record) {
                let _ = received.body_decoded();
            }
        }

        #[test]
        fn damage_never_panics(at: usize, flip: u8, body: Vec<u8>) {
            let gzip = gzip(&body);
            let received = Received { encoding: BodyEncoding::Gzip, ..plain(&gzip) };
            let mut record = received.encode();
            let at = at % record.len();
            record[at] ^= flip;
            if let Ok(received) = Received::decode(&record) {
                let _ = received.body_decoded();
            }
        }
    }
}
