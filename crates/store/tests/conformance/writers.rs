//! Many writers on one issue, from two processes: everything is counted once.

use std::sync::Arc;

use copal_model::limits::TAG_VALUES_PER_KEY_MAX;
use copal_model::{IssueStatus, UserIdentity, UserIdentityKind};
use copal_store::access::IssueRef;
use copal_store::issues::IssueQuery;
use copal_store::record::{Batch, Disposition, NewEvent};
use copal_store::{Error, OrgScope, PageRequest, Store};
use uuid::Uuid;

use crate::telemetry::{at, received};
use crate::world::{InProject, World};

conformance!(
    sixty_four_writers_count_each_event_once,
    the_first_events_of_many_days_come_at_once,
    recording_goes_on_while_issues_are_triaged_and_deleted,
);

/// Writers at once, half of them in another process.
const WRITERS: u128 = 64;
/// Events in a batch.
const EVENTS: u128 = 10;
/// Users of the issue.
const USERS: u128 = 100;

/// A batch of a writer, which has a journal of its own.
pub(crate) fn batch_of(writer: u128, position: u64, events: Vec<NewEvent>) -> Batch {
    Batch {
        journal: Uuid::from_u128(1_000 + writer),
        position,
        received: received(&events, &[]),
        events,
        ..Batch::default()
    }
}

/// Records as the pipeline does: what is not available now is tried again.
pub(crate) async fn record(store: &dyn Store, batch: impl Fn() -> Batch) -> Vec<Disposition> {
    for _ in 0..100 {
        match store.record(batch()).await {
            Ok(recorded) => return recorded.events.iter().map(|one| one.disposition).collect(),
            Err(Error::Unavailable(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
    panic!("the store is not available");
}

/// What an answer is once the store is available, however busy the machine is.
async fn patient<T, F: Future<Output = Result<T, Error>>>(ask: impl Fn() -> F) -> Result<T, Error> {
    for _ in 0..100 {
        match ask().await {
            Err(Error::Unavailable(_)) => {}
            answer => return answer,
        }
    }
    panic!("the store is not available");
}

/// Two batches of events that only this writer has, and one that all writers have.
fn batches(shop: &InProject, writer: u128) -> Vec<Vec<NewEvent>> {
    let own = |half: u128| (writer * 2 + half) * EVENTS + 1_000;
    let events = |first: u128| {
        let events = (first..first + EVENTS).map(|number| {
            let mut event = shop.event(number, 1);
            event.user = Some(UserIdentity {
                kind: UserIdentityKind::Id,
                value: (number % USERS).to_string(),
            });
            event.occurred_at = at(&format!("2026-11-20T{:02}:00:00Z", number % 24));
            event
        });
        events.collect::<Vec<_>>()
    };
    vec![events(own(0)), events(0), events(own(1))]
}

async fn sixty_four_writers_count_each_event_once(world: World) {
    let ana = world.org("Ana").await;
    let shop = Arc::new(ana.project("shop").await);
    let (beside, _folder) = world.engine.beside().await.unwrap();
    let stores = [Arc::clone(&world.store), beside];
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let shop = Arc::clone(&shop);
            let store = Arc::clone(&stores[usize::from(writer % 2 == 1)]);
            tokio::spawn(async move {
                let mut dispositions = Vec::new();
                for (events, position) in std::iter::zip(batches(&shop, writer), 1..) {
                    let batch = || batch_of(writer, position, events.clone());
                    dispositions.extend(record(&*store, batch).await);
                }
                dispositions
            })
        })
        .collect();
    let mut dispositions = Vec::new();
    for writer in writers {
        dispositions.extend(writer.await.unwrap());
    }
    let count = |wanted| dispositions.iter().filter(|one| **one == wanted).count() as u128;
    let distinct = WRITERS * 2 * EVENTS + EVENTS;
    assert_eq!(count(Disposition::New), 1);
    assert_eq!(count(Disposition::Joined), distinct - 1);
    assert_eq!(count(Disposition::Duplicate), (WRITERS - 1) * EVENTS);
    let found = world
        .store
        .find_issue(&ana.scope, &IssueRef::Id(shop.issue(1)))
        .await;
    let (_, issue) = found.unwrap().expect("all events made one issue");
    assert_eq!(u128::from(issue.events_count), distinct);
    assert_eq!(u128::from(issue.users_affected), USERS);
    let hours = world.hours(&shop, 1).await;
    assert_eq!(hours.len(), 24);
    let in_hours: u64 = hours.iter().map(|hour| hour.events).sum();
    assert_eq!(u128::from(in_hours), distinct);
    assert_tags(&world, &shop, u64::try_from(distinct).unwrap()).await;
    world.assert_sound().await;
}

/// Each event has another node: so many are listed, the others are counted together.
async fn assert_tags(world: &World, shop: &InProject, events: u64) {
    let limit = TAG_VALUES_PER_KEY_MAX as u64;
    let tags = world
        .store
        .list_issue_tags(&shop.scope, shop.issue(1), usize::MAX)
        .await
        .unwrap();
    let [environment, node] = &tags[..] else {
        panic!("two keys: {tags:?}");
    };
    assert_eq!(environment.total, events);
    assert_eq!(environment.values, [("production".to_owned(), events)]);
    assert_eq!(node.total, events);
    let (other, listed) = node.values.split_last().unwrap();
    assert_eq!(other, &("(other)".to_owned(), events - limit));
    assert_eq!(listed.len() as u64, limit);
    assert!(listed.iter().all(|(_, events)| *events == 1));
}

async fn the_first_events_of_many_days_come_at_once(world: World) {
    let ana = world.org("Ana").await;
    let projects = [ana.project("shop").await, ana.project("blog").await];
    let recorded = world
        .at_once(|store, number| {
            let number = number as u128;
            let project = &projects[number as usize / 2 % 2];
            let events: Vec<_> = (0..6_u128)
                .map(|day| {
                    let mut event = project.event(number * 100 + day, 1);
                    event.received_at = at(&format!("2026-11-{:02}T12:00:00Z", 10 + day / 2));
                    event.retention_days = if day % 2 == 0 { 30 } else { 90 };
                    event
                })
                .collect();
            async move { Ok(record(&*store, || batch_of(number, 1, events.clone())).await) }
        })
        .await;
    let recorded = recorded.into_iter().flat_map(Result::unwrap);
    let new = recorded.filter(|one| *one == Disposition::New);
    assert_eq!(new.count(), 2);
    let partitions = "select count(*) from partitions";
    assert_eq!(world.backdoor.count(partitions), 6);
    world.assert_sound().await;
}

async fn recording_goes_on_while_issues_are_triaged_and_deleted(world: World) {
    let ana = world.org("Ana").await;
    let shop = Arc::new(ana.project("shop").await);
    let scope = ana.scope;
    let disturbed = world
        .at_once(|store, number| {
            let shop = Arc::clone(&shop);
            async move {
                for round in 0..4_u64 {
                    disturb(&*store, &shop, scope, number, round).await;
                }
                Ok(())
            }
        })
        .await;
    assert!(disturbed.iter().all(Result::is_ok));
    world.assert_sound().await;
}

/// What one of many does: half of them record events of five issues, the others do something to
/// these.
async fn disturb(store: &dyn Store, shop: &InProject, org: OrgScope, number: usize, round: u64) {
    let (query, page) = (IssueQuery::default(), PageRequest::default());
    let page = patient(|| store.list_issues(&org, &query, &page)).await;
    let page = page.unwrap();
    let issues: Vec<_> = page.rows.iter().map(|issue| issue.id).collect();
    match number % 8 {
        0 => {
            if let Some(issue) = issues.first() {
                let deleted = patient(|| store.delete_issue(&shop.scope, *issue)).await;
                assert!(
                    matches!(deleted, Ok(()) | Err(Error::NotFound { .. })),
                    "{deleted:?}"
                );
            }
        }
        2 => {
            // In another order than that of their ids.
            let refs: Vec<_> = issues.iter().rev().map(|id| IssueRef::Id(*id)).collect();
            let status = IssueStatus::Resolved;
            let changes = patient(|| store.set_issue_statuses(&org, &refs, status)).await;
            let changes = changes.unwrap();
            let undone = patient(|| store.undo_issue_statuses(&org, &changes)).await;
            undone.unwrap();
        }
        4 => {
            for issue in issues {
                let one = [IssueRef::Id(issue)];
                patient(|| store.set_issue_statuses(&org, &one, IssueStatus::Resolved))
                    .await
                    .unwrap();
            }
        }
        _ => {
            let first = number as u128 * 1_000 + u128::from(round) * 100;
            let events: Vec<_> = (first..first + 20)
                .map(|number| shop.event(number, (number % 5) as u8))
                .collect();
            let batch = || batch_of(number as u128, round + 1, events.clone());
            record(store, batch).await;
        }
    }
}
