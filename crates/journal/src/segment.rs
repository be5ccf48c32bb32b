//! What a segment file looks like, byte by byte. All numbers are little-endian.
//!
//! ```text
//! header   magic 8 · version 4 · crc32c 4 · journal id 16 · first sequence 8
//! record   length 4 · crc32c 4 · sequence 8 · payload
//! ```
//!
//! A record's checksum covers payload, length and sequence, and begins with the journal's id: what
//! looks like a record of another journal, or was put into a payload by somebody who hopes that
//! it will be found there, does not check out.

use std::{
    io::{self, IoSlice},
    path::Path,
    sync::Arc,
};

use crc32c::crc32c_append;

use crate::{
    config::RECORD_BYTES_MAX,
    fs::{File, Fs, write_full_at},
};

/// Bytes of a segment's header.
pub(crate) const HEADER_BYTES: usize = 40;

/// Where a segment's first record begins.
pub(crate) const HEADER_END: u64 = HEADER_BYTES as u64;

/// Bytes in front of each payload.
pub(crate) const RECORD_HEADER_BYTES: usize = 16;

const MAGIC: [u8; 8] = *b"copaljnl";
const VERSION: u32 = 1;
const EXTENSION: &str = ".segment";
/// What a segment is called until it has a header.
const NEW: &str = "segment.new";

/// A journal's id, as a starting point for checksums.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seed(u32);

impl Seed {
    pub(crate) fn new(journal: [u8; 16]) -> Self {
        Self(crc32c::crc32c(&journal))
    }

    /// The part of a record's checksum that can be made before its sequence is known.
    pub(crate) fn of_payload(self, payload: &[u8]) -> u32 {
        crc32c_append(self.0, payload)
    }
}

/// What stands in front of a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RecordHeader {
    pub(crate) length: u32,
    pub(crate) crc: u32,
    pub(crate) sequence: u64,
}

impl RecordHeader {
    /// A header for a payload of which `payload_crc` is made.
    pub(crate) fn new(length: u32, payload_crc: u32, sequence: u64) -> Self {
        Self {
            length,
            crc: finish(payload_crc, length, sequence),
            sequence,
        }
    }

    pub(crate) fn encode(self) -> [u8; RECORD_HEADER_BYTES] {
        let mut bytes = [0; RECORD_HEADER_BYTES];
        bytes[..4].copy_from_slice(&self.length.to_le_bytes());
        bytes[4..8].copy_from_slice(&self.crc.to_le_bytes());
        bytes[8..].copy_from_slice(&self.sequence.to_le_bytes());
        bytes
    }

    /// Reads a header; `None` when no record can have this one.
    pub(crate) fn decode(bytes: [u8; RECORD_HEADER_BYTES]) -> Option<Self> {
        let header = Self {
            length: u32::from_le_bytes(array(&bytes[..4])),
            crc: u32::from_le_bytes(array(&bytes[4..8])),
            sequence: u64::from_le_bytes(array(&bytes[8..])),
        };
        let plausible = header.length as usize <= RECORD_BYTES_MAX && header.sequence > 0;
        plausible.then_some(header)
    }

    pub(crate) fn is_of(self, payload: &[u8], seed: Seed) -> bool {
        payload.len() == self.length as usize
            && finish(seed.of_payload(payload), self.length, self.sequence) == self.crc
    }

    /// Bytes of the whole record.
    pub(crate) fn record_bytes(self) -> u64 {
        RECORD_HEADER_BYTES as u64 + u64::from(self.length)
    }
}

fn finish(payload_crc: u32, length: u32, sequence: u64) -> u32 {
    let crc = crc32c_append(payload_crc, &length.to_le_bytes());
    crc32c_append(crc, &sequence.to_le_bytes())
}

/// What stands at the beginning of a segment file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SegmentHeader {
    pub(crate) journal: [u8; 16],
    pub(crate) first: u64,
}

impl SegmentHeader {
    pub(crate) fn encode(self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
        bytes[16..32].copy_from_slice(&self.journal);
        bytes[32..].copy_from_slice(&self.first.to_le_bytes());
        let crc = header_crc(&bytes);
        bytes[12..16].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// Reads a header.
    pub(crate) fn decode(bytes: &[u8; HEADER_BYTES]) -> Result<Self, HeaderError> {
        if bytes[..8] != MAGIC || bytes[12..16] != header_crc(bytes).to_le_bytes() {
            return Err(HeaderError::Damaged);
        }
        let version = u32::from_le_bytes(array(&bytes[8..12]));
        if version != VERSION {
            return Err(HeaderError::Version(version));
        }
        Ok(Self {
            journal: array(&bytes[16..32]),
            first: u64::from_le_bytes(array(&bytes[32..])),
        })
    }
}

/// Why a header cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HeaderError {
    /// It is not there, or not as it was written.
    Damaged,
    /// Another version of this program wrote it.
    Version(u32),
}

fn header_crc(bytes: &[u8; HEADER_BYTES]) -> u32 {
    crc32c_append(crc32c::crc32c(&bytes[..12]), &bytes[16..])
}

fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes.try_into().expect("the caller slices N bytes")
}

/// Makes a segment with nothing but its header, and makes it and its name durable.
///
/// An error of the kinds that tell of a full disk is harmless; no other is, and a sync that failed
/// is never of these kinds.
pub(crate) fn begin(
    fs: &dyn Fs,
    folder: &Path,
    header: SegmentHeader,
) -> io::Result<Arc<dyn File>> {
    let new = folder.join(NEW);
    let file = fs.create(&new)?;
    write_full_at(&*file, &mut [IoSlice::new(&header.encode())], 0)?;
    file.sync_data().map_err(io::Error::other)?;
    // An empty segment of this name may be there, and the name may be one that could not be synced
    // when it was given: it only lasts when it is given again.
    fs.rename(&new, &folder.join(file_name(header.first)))?;
    fs.sync_folder(folder).map_err(io::Error::other)?;
    Ok(file)
}

/// The name of the segment that begins with a sequence. Names sort as the sequences do.
pub(crate) fn file_name(first: u64) -> String {
    format!("{first:020}{EXTENSION}")
}

/// The first sequence of the segment with this name; `None` when no segment is named so.
pub(crate) fn first_of(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(EXTENSION)?;
    let first = digits.parse().ok()?;
    (file_name(first) == name && first > 0).then_some(first)
}
