//! Event JSON in append-only segment files, a compressed frame for a batch's events of an issue.
//!
//! The database knows each frame's place. A frame names its project and events and carries a
//! checksum, and reading compares all three: a wrong place can never show another tenant's event.

mod bases;
mod codec;
pub(crate) mod dictionary;
mod frame;
mod reader;
pub(crate) mod segment;
mod tails;

pub(crate) use codec::{Codec, Encoded, Frame};
pub(crate) use frame::{Content, FRAME_BYTES_MAX, bytes_of};
pub(crate) use reader::{BaseKey, FrameReader, Step};
pub(crate) use segment::{Place, SegmentName, Segments, Sharing};
pub(crate) use tails::{Tail, Tails, has_room};

use crate::Error;

fn broken(error: &dyn std::fmt::Display) -> Error {
    Error::Broken(format!("payload: {error}").into())
}
