//! What projects want done with events on their way in: filters, and what is scrubbed.

use async_trait::async_trait;
use copal_model::inbound::{INBOUND_LINE_BYTES_MAX, INBOUND_LINES_MAX, lines_of};
use copal_model::{InboundSettings, Timestamp};

use crate::record::texts::storable;
use crate::{Error, ProjectScope, Result};

/// How many events a filter has taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterCount {
    /// The filter, as outcomes name it.
    pub filter: String,
    /// Events that it took.
    pub events: u64,
}

/// Inbound settings of projects.
#[async_trait]
pub trait Inbound: Send + Sync {
    /// A project's settings; the defaults where it has never changed them.
    async fn find_inbound(&self, scope: &ProjectScope) -> Result<InboundSettings>;

    /// Replaces a project's settings. The pipeline goes by them within a second.
    ///
    /// # Errors
    /// [`NotFound`](crate::Error::NotFound) `project` when it has just been deleted;
    /// [`LimitReached`](crate::Error::LimitReached) when a list or a line is too long.
    async fn update_inbound(
        &self,
        scope: &ProjectScope,
        settings: InboundSettings,
        now: Timestamp,
    ) -> Result<()>;

    /// How many events were filtered from the hour of `since` on, by the reason, in the order of
    /// its name.
    async fn count_filtered(
        &self,
        scope: &ProjectScope,
        since: Timestamp,
    ) -> Result<Vec<FilterCount>>;
}

/// Refuses lists and lines that are too long: every event is held against all of them.
pub(crate) fn require_room(settings: &InboundSettings) -> Result<()> {
    let within = |count: usize, limit: u32, what| match u32::try_from(count) {
        Ok(count) if count <= limit => Ok(()),
        _ => Err(Error::LimitReached { what, limit }),
    };
    for list in settings.lists() {
        within(list.len(), INBOUND_LINES_MAX, "lines in a list")?;
        for line in list {
            within(line.len(), INBOUND_LINE_BYTES_MAX, "bytes in a line")?;
        }
    }
    Ok(())
}

/// A list as it is stored: one entry a line.
pub(crate) fn to_lines(list: &[String]) -> String {
    storable(list.join("\n"))
}

/// A list from how it is stored.
pub(crate) fn from_lines(text: &str) -> Vec<String> {
    lines_of(text)
}
