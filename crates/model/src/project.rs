//! Projects: the applications that send events, and the keys that let them.

use crate::{KeyId, KeyLimit, OrgId, Origins, ProjectId, Slug, Timestamp};

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
    /// Where browsers may send events from.
    pub allowed_origins: Origins,
    /// Days that its events are kept, if its plan allows so many; `None` = as the plan says.
    pub retention_days: Option<u16>,
    /// When the first event was recorded; `None` until then.
    pub first_event_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Project {
    /// The DSN that pages show, on a server that is reached at `base_url`; `None` when no key is
    /// active.
    pub fn dsn(&self, base_url: &str) -> Option<String> {
        let key = self.public_key.as_deref()?;
        Some(dsn(base_url, key, self.id))
    }
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
    /// How many events it lets in; `None` = any number.
    pub limit: Option<KeyLimit>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl ClientKey {
    /// The DSN with this key, on a server that is reached at `base_url`.
    pub fn dsn(&self, base_url: &str) -> String {
        dsn(base_url, &self.public_key, self.project_id)
    }
}

fn dsn(base_url: &str, public_key: &str, project: ProjectId) -> String {
    let base_url = base_url.trim_end_matches('/');
    let (scheme, rest) = base_url.split_once("://").unwrap_or(("http", base_url));
    format!("{scheme}://{public_key}@{rest}/{project}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dsn_is_the_base_url_with_key_and_project() {
        let project = ProjectId::new(7).unwrap();
        for (base_url, expected) in [
            ("http://127.0.0.1:8000", "http://k@127.0.0.1:8000/7"),
            (
                "https://err.example/copal/",
                "https://k@err.example/copal/7",
            ),
            ("http://[::1]:8000", "http://k@[::1]:8000/7"),
        ] {
            let dsn = dsn(base_url, "k", project);
            assert_eq!(dsn, expected);
            let read: copal_protocol::Dsn = dsn.parse().unwrap();
            assert_eq!((read.project_id, read.public_key.as_str()), (7, "k"));
        }
    }
}
