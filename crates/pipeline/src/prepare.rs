//! The steps between journal and store, in order: expand, normalize, filter, scrub, group.

use copal_grouping::Rules;
use copal_model::{Category, Outcome};
use copal_store::access::RecordAccess;
use copal_store::record::{IssueSeed, NewEvent};

use crate::driver::{Prepare, Prepared};
use crate::expand::{Incoming, Rejected, count_items, expand};
use crate::group::{Grouped, group};
use crate::inbound::{Inbound, Ready};
use crate::normalize::{Facts, normalize};
use crate::received::{Received, ReceivedError};
use crate::scrub::scrub;

/// The steps that every event takes.
#[derive(Debug, Default)]
pub struct Steps {
    ready: Ready,
}

impl Prepare for Steps {
    fn prepare(
        &self,
        received: &Received<'_>,
        access: &RecordAccess,
    ) -> Result<Prepared, ReceivedError> {
        let body = received.body_decoded()?;
        let mut scratch = Vec::new();
        let expanded = expand(received, &body, &mut scratch);
        let mut rejected = expanded.rejected;
        let mut event = None;
        if let Some(incoming) = expanded.incoming {
            let inbound = self.ready.of(received.project, &access.inbound);
            match prepare_event(incoming, received, access, &inbound) {
                Ok(prepared) => event = Some(prepared),
                Err(filtered) => rejected.push(filtered),
            }
        }
        Ok(Prepared {
            event,
            rejected,
            received: count_items(received, &body),
        })
    }
}

fn prepare_event(
    incoming: Incoming<'_>,
    received: &Received<'_>,
    access: &RecordAccess,
    inbound: &Inbound,
) -> Result<NewEvent, Rejected> {
    let facts = facts(&incoming, received, access.retention_days);
    let normalized = normalize(incoming.event, &facts);
    if let Some(caught) = inbound.filters.check(&normalized.event, received.client_ip) {
        return Err(Rejected::one(
            Outcome::Filtered(caught.filter),
            Category::Error,
        ));
    }
    let scrubbed = scrub(normalized, &inbound.scrubbing);
    let Grouped {
        event,
        grouping,
        summary,
    } = group(scrubbed, Rules::builtin());
    Ok(NewEvent {
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
    })
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
