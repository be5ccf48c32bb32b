//! The audit log of an organization. Lines are added and never changed; they go with it.

use async_trait::async_trait;
use copal_model::{AuditEntry, AuditId, AuditResult};

use crate::{Error, OrgScope, Page, PageRequest, Result};

/// Characters of each text of a line that are kept.
pub const AUDIT_TEXT_CHARS_MAX: usize = 500;

/// Which lines are wanted; `None` = all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Of this action: `DeleteProject`.
    pub action: Option<String>,
    /// By somebody who was called so.
    pub actor_name: Option<String>,
    /// Done, or refused.
    pub result: Option<AuditResult>,
}

/// The audit log of an organization.
#[async_trait]
pub trait Audit: Send + Sync {
    /// Adds a line.
    ///
    /// # Errors
    /// [`NotFound`](crate::Error::NotFound) `organization` when it has just been deleted.
    async fn add_audit(&self, scope: &OrgScope, entry: AuditEntry) -> Result<()>;

    /// The lines, latest first.
    async fn list_audit(
        &self,
        scope: &OrgScope,
        filter: &AuditFilter,
        page: &PageRequest,
    ) -> Result<Page<AuditEntry>>;
}

/// A line whose texts are as short as they are kept.
pub(crate) fn shortened(entry: AuditEntry) -> AuditEntry {
    let short = |text: String| -> String {
        let kept = text.chars().filter(|character| *character != '\0');
        kept.take(AUDIT_TEXT_CHARS_MAX).collect()
    };
    AuditEntry {
        actor_name: short(entry.actor_name),
        credential: short(entry.credential),
        request_id: short(entry.request_id),
        action: short(entry.action),
        target: short(entry.target),
        before: entry.before.map(short),
        after: entry.after.map(short),
        ..entry
    }
}

/// The line that a page before ended with.
pub(crate) fn cursor_of(page: &PageRequest) -> Result<Option<AuditId>> {
    let cursor = page.cursor.as_deref().map(str::parse);
    cursor.transpose().map_err(|_| Error::BadCursor)
}
