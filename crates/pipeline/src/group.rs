//! Step 7: hashes, and what recording needs to know beside them.

use copal_grouping::{Judged, Rules, group_judged};
use copal_protocol::Event;
use copal_store::record::NewGrouping;

use crate::explain::explain;
use crate::scrub::Scrubbed;
use crate::summary::Summary;

/// An event as it is stored, and how it groups.
#[derive(Debug)]
pub struct Grouped<'a> {
    /// The event, its frames marked as the rules say.
    pub event: Event<'a>,
    /// Its hashes and their explanation.
    pub grouping: NewGrouping,
    /// What recording needs to know of it.
    pub summary: Summary,
}

/// Groups an event by a project's rules.
pub fn group<'a>(scrubbed: Scrubbed<'a>, rules: &Rules) -> Grouped<'a> {
    let mut event = scrubbed.event;
    let judged = Judged::of(&event, &rules.stack);
    judged.mark(&mut event);
    let grouping = group_judged(&event, &judged, rules);
    let summary = Summary::of(&event, &grouping);
    let grouping = NewGrouping {
        version: grouping.version,
        explanation: explain(&grouping),
        hashes: grouping.hashes,
    };
    Grouped {
        event,
        grouping,
        summary,
    }
}
