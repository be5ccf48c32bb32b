//! Event JSON in append-only segment files, one compressed frame per event.
//!
//! The database knows each frame's place. A frame names its project and event and carries a
//! checksum, and reading compares all three: a wrong place can never show another tenant's event.

pub(crate) mod dictionary;
pub(crate) mod frame;
pub(crate) mod segment;

pub(crate) use frame::{Codec, Content};
pub(crate) use segment::{Place, SegmentName, Segments};
