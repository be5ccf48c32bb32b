//! Events to record, whose defaults mean something.

use copal_model::{
    Category, IssueId, IssueStatus, Level, Outcome, Timestamp, UserIdentity, UserIdentityKind,
};
use copal_protocol::EventId;
use copal_store::access::IssueRef;
use copal_store::issues::HourCount;
use copal_store::record::{
    Batch, Disposition, IssueSeed, NewEvent, NewGrouping, OutcomeCount, ReceivedCount,
};
use copal_store::upkeep::Violation;
use uuid::Uuid;

use crate::world::{InProject, World};

/// The journal that worlds record from.
pub(crate) const JOURNAL: Uuid = Uuid::from_u128(1);

/// A time as people write it.
pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The hour in which events happen that do not say otherwise, to the second.
pub(crate) fn noon() -> Timestamp {
    at("2026-11-20T12:00:00Z")
}

/// The id of the `number`-th event.
pub(crate) fn event_id(number: u128) -> EventId {
    EventId::new(Uuid::from_u128(number))
}

/// What must have been received for these to be recorded.
pub(crate) fn received(events: &[NewEvent], outcomes: &[OutcomeCount]) -> Vec<ReceivedCount> {
    let events = events.iter().map(|event| ReceivedCount {
        project: event.scope.project(),
        received_at: event.received_at,
        category: Category::Error,
        quantity: 1,
    });
    let ended = outcomes
        .iter()
        .filter(|count| !matches!(count.outcome, Outcome::ClientDiscard(_)))
        .map(|count| ReceivedCount {
            project: count.project,
            received_at: count.received_at,
            category: count.category,
            quantity: count.quantity,
        });
    events.chain(ended).collect()
}

impl InProject {
    /// The `number`-th event: production, release 1.0, one of three users, grouped by `hash`.
    pub(crate) fn event(&self, number: u128, hash: u8) -> NewEvent {
        NewEvent {
            scope: self.scope,
            retention_days: 30,
            event_id: event_id(number),
            occurred_at: noon(),
            received_at: noon(),
            payload: format!(r#"{{"n":{number}}}"#).into_bytes(),
            grouping: NewGrouping {
                version: "copal-1",
                hashes: vec![[hash; 16]],
                explanation: b"{}".to_vec(),
            },
            issue: IssueSeed {
                title: format!("Timeout: call {hash}"),
                error_type: Some("Timeout".to_owned()),
                culprit: "shop.pay".to_owned(),
                platform: "python".to_owned(),
                search_terms: vec![
                    ("message", format!("call {hash}")),
                    ("error.type", "Timeout".to_owned()),
                    ("stack.function", "pay".to_owned()),
                ],
            },
            level: Level::Error,
            user: Some(UserIdentity {
                kind: UserIdentityKind::Id,
                value: (number % 3).to_string(),
            }),
            release: Some("1.0".to_owned()),
            environment: Some("production".to_owned()),
            tags: vec![
                ("environment".to_owned(), "production".to_owned()),
                ("node".to_owned(), number.to_string()),
            ],
        }
    }

    /// Its `number`-th issue.
    pub(crate) fn issue(&self, number: u32) -> IssueId {
        IssueId::new(self.project.id, number)
    }
}

impl World {
    /// Records events as the next batch of the journal; answers what became of them.
    pub(crate) async fn record(&self, events: Vec<NewEvent>) -> Vec<Disposition> {
        self.record_with(events, Vec::new()).await
    }

    /// Records events and how other items ended.
    pub(crate) async fn record_with(
        &self,
        events: Vec<NewEvent>,
        outcomes: Vec<OutcomeCount>,
    ) -> Vec<Disposition> {
        let batch = Batch {
            journal: JOURNAL,
            position: self.next_position(),
            received: received(&events, &outcomes),
            events,
            outcomes,
            ..Batch::default()
        };
        let recorded = self.store.record(batch).await.unwrap();
        let dispositions = recorded.events.iter().map(|event| event.disposition);
        dispositions.collect()
    }

    /// Gives an issue a status.
    pub(crate) async fn triage(&self, shop: &InProject, number: u32, status: IssueStatus) {
        let issues = [IssueRef::Id(shop.issue(number))];
        let org = shop.scope.org_scope();
        let changes = self.store.set_issue_statuses(&org, &issues, status).await;
        assert_eq!(changes.unwrap().len(), 1);
    }

    /// Events of an issue by hour, of all time.
    pub(crate) async fn hours(&self, shop: &InProject, number: u32) -> Vec<HourCount> {
        let (org, issues) = (shop.scope.org_scope(), [shop.issue(number)]);
        let since = Timestamp::UNIX_EPOCH;
        let trends = self.store.list_trends(&org, &issues, since).await;
        trends.unwrap().pop().expect("the issue is there").1
    }

    /// Fails when an invariant does not hold.
    pub(crate) async fn assert_sound(&self) {
        let report = self.store.fsck().await.unwrap();
        assert_eq!(report.violations, [] as [Violation; 0]);
    }
}
