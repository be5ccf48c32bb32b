//! Every limit of the wire protocol, with its unit. `ARCHITECTURE.md` shows the same table.

/// Items in one envelope. Relay allows 500; no SDK sends more than a few dozen.
pub const ENVELOPE_ITEMS_MAX: usize = 100;
/// Bytes of one event as JSON: 1 MiB (Relay has the same).
pub const EVENT_BYTES_MAX: usize = 1 << 20;
/// Bytes in an envelope header or item header, without the newline (Bugsink has the same).
pub const HEADER_LINE_BYTES_MAX: usize = 8 * 1024;
/// Nesting of JSON below which values are cut to null.
///
/// The rest of the document is kept, and no tree is so deep that dropping or writing it could
/// exhaust the stack. `serde_json` refuses to read text nested deeper than 127; what was read, moved
/// some levels down and written can so always be read again.
pub const JSON_DEPTH_MAX: usize = 100;
/// Characters in a public key (Relay accepts exactly 32).
pub const PUBLIC_KEY_CHARS: usize = 32;
/// The highest `sentry_version` that exists.
pub const PROTOCOL_VERSION_MAX: u32 = 7;
/// Binary logarithm of the zstd window that a decoder allocates: 8 MiB (RFC 8878 3.1.1.1.2).
pub const ZSTD_WINDOW_LOG_MAX: u32 = 23;
/// Bytes that a decoder inflates before it looks at the limit again.
pub const DECODE_STEP_BYTES: usize = 32 * 1024;
/// Notes kept about attributes of one event that were dropped.
pub const EVENT_ERRORS_MAX: usize = 50;
/// Characters of a dropped value that its note shows.
pub const EVENT_ERROR_VALUE_CHARS_MAX: usize = 200;
