//! What projects want done with events on their way in: filters, and what is scrubbed.

use async_trait::async_trait;
use copal_model::inbound::lines_of;
use copal_model::{InboundSettings, Timestamp};

use crate::record::texts::storable;
use crate::{ProjectScope, Result};

/// Inbound settings of projects.
#[async_trait]
pub trait Inbound: Send + Sync {
    /// A project's settings; the defaults where it has never changed them.
    async fn find_inbound(&self, scope: &ProjectScope) -> Result<InboundSettings>;

    /// Replaces a project's settings. The pipeline goes by them within a second.
    ///
    /// # Errors
    /// [`NotFound`](crate::Error::NotFound) `project` when it has just been deleted.
    async fn update_inbound(
        &self,
        scope: &ProjectScope,
        settings: InboundSettings,
        now: Timestamp,
    ) -> Result<()>;
}

/// A list as it is stored: one entry a line.
pub(crate) fn to_lines(list: &[String]) -> String {
    storable(list.join("\n"))
}

/// A list from how it is stored.
pub(crate) fn from_lines(text: &str) -> Vec<String> {
    lines_of(text)
}
