//! The steps between journal and store, in order: expand, normalize, scrub, group.

use copal_grouping::Rules;
use copal_store::access::RecordAccess;
use copal_store::record::{IssueSeed, NewEvent};

use crate::driver::{Prepare, Prepared};
use crate::expand::{Incoming, count_items, expand};
use crate::group::{Grouped, group};
use crate::normalize::{Facts, normalize};
use crate::received::{Received, ReceivedError};
use crate::scrub::scrub;

/// The steps that every event takes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Steps;

impl Prepare for Steps {
    fn prepare(
        &self,
        received: &Received<'_>,
        access: &RecordAccess,
    ) -> Result<Prepared, ReceivedError> {
        let body = received.body_decoded()?;
        let mut scratch = Vec::new();
        let expanded = expand(received, &body, &mut scratch);
        let event = expanded
            .incoming
            .map(|incoming| prepare_event(incoming, received, access));
        Ok(Prepared {
            event,
            rejected: expanded.rejected,
            received: count_items(received, &body),
        })
    }
}

fn prepare_event(
    incoming: Incoming<'_>,
    received: &Received<'_>,
    access: &RecordAccess,
) -> NewEvent {
    let facts = facts(&incoming, received, access.retention_days);
    let scrubbed = scrub(normalize(incoming.event, &facts));
    let Grouped {
        event,
        grouping,
        summary,
    } = group(scrubbed, Rules::builtin());
    NewEvent {
        scope: access.scope,
        retention_days: access.retention_days,
        event_id: incoming.event_id,
        occurred_at: summary.occurred_at,
        received_at: received.received_at,
        grouping,
        payload: event.to_json_text().into_bytes(),
        issue: IssueSeed {
            title: summary.title,
            error_type: summary.error_type,
            culprit: summary.culprit,
            platform: summary.platform,
            search_terms: summary.search_terms,
        },
        level: summary.level,
        user: summary.user,
        release: summary.release,
        environment: summary.environment,
        tags: summary.tags,
    }
}

/// What normalising needs to know beside the event.
pub fn facts<'r>(
    incoming: &Incoming<'_>,
    received: &Received<'r>,
    retention_days: u16,
) -> Facts<'r> {
    Facts {
        received_at: received.received_at,
        sent_at: incoming.sent_at,
        client_ip: received.client_ip,
        user_agent: received.user_agent,
        sdk: received.sdk,
        envelope_event_id: Some(incoming.event_id),
        fallback_event_id: received.fallback_event_id,
        retention_days,
    }
}
