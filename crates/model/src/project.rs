//! Projects: the applications that send events, and the keys that let them.

use crate::{KeyId, OrgId, ProjectId, Slug, Timestamp};

/// One application that sends events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// Identifies the project, in the DSN too.
    pub id: ProjectId,
    /// The organization it belongs to.
    pub org_id: OrgId,
    /// As people write it.
    pub name: String,
    /// Its name in URLs, unique in the organization; upper-cased it begins the short ids.
    pub slug: Slug,
    /// The SDK platform picked when it was made, such as `python`; picks the guide shown.
    pub platform: Option<String>,
    /// Its oldest active key, the one in the DSN that pages show.
    pub public_key: Option<String>,
    /// When the first event was recorded; `None` until then.
    pub first_event_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// The credential inside a DSN: it allows to send, and nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientKey {
    /// Identifies the key.
    pub id: KeyId,
    /// The project it sends to.
    pub project_id: ProjectId,
    /// 32 hexadecimal digits (SDK DSN spec).
    pub public_key: String,
    /// What people call it.
    pub label: String,
    /// A key that is not active refuses events with 403.
    pub is_active: bool,
    /// When it was made.
    pub created_at: Timestamp,
}
