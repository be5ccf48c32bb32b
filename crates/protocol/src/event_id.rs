//! Event ids: UUIDs that the SDK makes, written as 32 hexadecimal digits.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

/// The id of an event, unique within its project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId(Uuid);

/// A text that is not 32 hexadecimal digits, with or without dashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an event id is a UUID of 32 hexadecimal digits, with or without dashes")]
pub struct InvalidEventId;

impl EventId {
    /// Wraps a UUID.
    pub const fn new(uuid: Uuid) -> Self {
        Self(uuid)
    }

    /// The UUID itself.
    pub const fn as_uuid(self) -> Uuid {
        self.0
    }

    /// The 16 bytes, for storage.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.simple().fmt(f)
    }
}

impl FromStr for EventId {
    type Err = InvalidEventId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if !matches!(text.len(), 32 | 36) {
            return Err(InvalidEventId);
        }
        Uuid::parse_str(text).map(Self).map_err(|_| InvalidEventId)
    }
}
