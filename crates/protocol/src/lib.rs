//! What SDKs say: DSN, credentials, envelopes, items and events. Bytes to types and back.
//!
//! No I/O, no clock, no randomness. Everything here reads hostile input: nothing panics, and what is
//! of a wrong type is dropped and noted, never an error, as the SDK event spec asks.
//!
//! # Layout
//! - [`dsn`], [`auth`]: where to send, and the key that lets in
//! - [`encoding`]: bodies inflated within a limit, while they stream in
//! - [`envelope`]: a body taken apart into items
//! - [`json`], [`timestamp`]: lenient values
//! - [`event`], [`event_id`]: events, typed leniently
//! - [`limits`]: every limit of the protocol, named once

#![warn(missing_docs)]

pub mod auth;
pub mod dsn;
pub mod encoding;
pub mod envelope;
pub mod event;
pub mod event_id;
pub mod json;
pub mod limits;
pub mod timestamp;

pub use auth::{AuthError, Credentials, Sources};
pub use dsn::Dsn;
pub use encoding::{ContentEncoding, DecodeError, Decoder};
pub use envelope::{
    Envelope, EnvelopeError, EnvelopeHeader, Framed, Framer, Item, ItemHeader, ItemType, Parts,
};
pub use event::Event;
pub use event_id::EventId;
pub use json::{Json, JsonError, Number, Object, parse_lenient};
