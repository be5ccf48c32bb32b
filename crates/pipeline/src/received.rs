//! What a journal record holds: one request as ingest received it, checked and framed.

use std::net::IpAddr;

use copal_model::{ProjectId, Timestamp};

/// One accepted request. Borrowed: ingest encodes without copying the body more than once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received<'a> {
    /// The project whose key was let in.
    pub project: ProjectId,
    /// When the request arrived.
    pub received_at: Timestamp,
    /// The id to use for an event that has none, made by ingest and told in its answer.
    pub fallback_event_id: copal_protocol::EventId,
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

/// What a body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyKind {
    /// An envelope.
    Envelope,
    /// One event (store endpoint).
    Event,
}

/// How a body is compressed in the journal. Ingest turns what SDKs send as `br` or `deflate`, and
/// what it would have to decode twice, into zstd.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyEncoding {
    /// Not at all; for small bodies.
    Identity,
    /// As the SDK sent it.
    Gzip,
    /// Level 1, by ingest; or as the SDK sent it.
    Zstd,
}
