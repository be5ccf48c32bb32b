//! Retention and compaction by two processes on one store, while both record.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use copal_model::Timestamp;
use copal_store::access::IssueRef;
use copal_store::record::NewEvent;
use copal_store::{Error, Store};

use crate::engines::segment_files;
use crate::telemetry::{at, event_id};
use crate::world::{InProject, World};
use crate::writers::{batch_of, record};

conformance!(
    retention_goes_on_while_two_processes_record,
    each_process_compacts_what_it_recorded,
    compaction_goes_on_while_two_processes_record_and_delete,
    a_dropped_day_leaves_no_file_on_any_node,
);

/// Writers at once, every other one in another process.
const WRITERS: u128 = 4;
/// Batches of each.
const BATCHES: u64 = 12;
/// Events of each batch.
const EVENTS: u128 = 10;

/// What is not available now may be later.
fn available<T>(answer: Result<T, Error>) -> Option<T> {
    match answer {
        Ok(value) => Some(value),
        Err(Error::Unavailable(_)) => None,
        Err(error) => panic!("{error}"),
    }
}

/// Two processes with a store.
async fn two(world: &World) -> ([Arc<dyn Store>; 2], tempfile::TempDir) {
    let (beside, folder) = world.engine.beside().await.unwrap();
    ([Arc::clone(&world.store), beside], folder)
}

/// The events of a batch: those with even numbers came on an old day.
fn events(shop: &InProject, writer: u128, batch: u64, old: &str, new: &str) -> Vec<NewEvent> {
    let first = (writer * u128::from(BATCHES) + u128::from(batch)) * EVENTS;
    let events = (first..first + EVENTS).map(|number| {
        let mut event = shop.event(number, (number % 6) as u8);
        event.received_at = at(if number % 2 == 0 { old } else { new });
        event
    });
    events.collect()
}

/// Records from both processes and answers when all is recorded.
async fn record_from_both(
    stores: &[Arc<dyn Store>; 2],
    shop: &Arc<InProject>,
    days: [&'static str; 2],
) {
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let store = Arc::clone(&stores[usize::from(writer % 2 == 1)]);
            let shop = Arc::clone(shop);
            tokio::spawn(async move {
                for batch in 0..BATCHES {
                    let events = events(&shop, writer, batch, days[0], days[1]);
                    record(&*store, || batch_of(writer, batch + 1, events.clone())).await;
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
}

/// Fails when an invariant does not hold, as either process sees it. Together they have read every
/// event.
async fn assert_both_sound(world: &World, stores: &[Arc<dyn Store>; 2], events: u64) {
    let mut elsewhere = 0;
    for store in stores {
        let report = store.fsck().await.unwrap();
        assert_eq!(report.violations, []);
        elsewhere += report.elsewhere;
    }
    let unread = if world.engine.shares_folder() {
        0
    } else {
        events
    };
    assert_eq!(elsewhere, unread);
}

async fn retention_goes_on_while_two_processes_record(world: World) {
    let ana = world.org("Ana").await;
    let shop = Arc::new(ana.project("shop").await);
    let (stores, _folder) = two(&world).await;
    let now = at("2026-12-24T12:00:00Z");
    let is_over = Arc::new(AtomicBool::new(false));
    let droppers: Vec<_> = stores
        .iter()
        .map(|store| {
            let (store, is_over) = (Arc::clone(store), Arc::clone(&is_over));
            tokio::spawn(async move {
                let mut dropped = 0;
                while !is_over.load(Ordering::Relaxed) {
                    dropped += available(store.drop_expired(now).await).unwrap_or_default();
                    tokio::task::yield_now().await;
                }
                dropped
            })
        })
        .collect();
    record_from_both(
        &stores,
        &shop,
        ["2026-11-20T12:00:00Z", "2026-12-24T11:00:00Z"],
    )
    .await;
    is_over.store(true, Ordering::Relaxed);
    let mut dropped = 0;
    for dropper in droppers {
        dropped += dropper.await.unwrap();
    }
    dropped += stores[1].drop_expired(now).await.unwrap();
    assert!(dropped > 0);
    let all = WRITERS * u128::from(BATCHES) * EVENTS;
    let mut counted = 0;
    for number in 1..=6 {
        let found = world
            .store
            .find_issue(&ana.scope, &IssueRef::Id(shop.issue(number)))
            .await;
        counted += u128::from(found.unwrap().expect("issues stay").1.events_count);
    }
    assert_eq!(counted, all);
    let evicted = "select cast(sum(evicted_count) as bigint) from issues";
    assert_eq!(
        u128::from(world.backdoor.count(evicted).unsigned_abs()),
        all / 2
    );
    assert_eq!(world.backdoor.count("select count(*) from partitions"), 1);
    assert_both_sound(&world, &stores, u64::try_from(all / 2).unwrap()).await;
}

async fn each_process_compacts_what_it_recorded(world: World) {
    let shop = world.org("Ana").await.project("shop").await;
    let (stores, folder) = two(&world).await;
    for (writer, store) in std::iter::zip(0.., &stores) {
        let events = (1..=3_u8).flat_map(|issue| {
            let first = 100 * writer + u128::from(issue) * 2;
            [shop.event(first, issue), shop.event(first + 1, issue)]
        });
        let events: Vec<_> = events.collect();
        record(&**store, || batch_of(writer, 1, events.clone())).await;
    }
    for issue in [1, 3] {
        let deleted = world
            .store
            .delete_issue(&shop.scope, shop.issue(issue))
            .await;
        deleted.unwrap();
    }
    let later = at("2026-11-22T00:00:00Z");
    let (first, second) = tokio::join!(stores[0].compact(later), stores[1].compact(later));
    let segments = [first.unwrap().segments, second.unwrap().segments];
    if world.engine.shares_folder() {
        assert_eq!(segments[0] + segments[1], 2);
    } else {
        assert_eq!(segments, [1, 1]);
    }
    assert_both_sound(&world, &stores, 4).await;
    for (writer, store) in std::iter::zip(0.., &stores) {
        let found = store
            .find_event(&shop.scope, event_id(100 * writer + 4))
            .await;
        let expected = format!(r#"{{"n":{}}}"#, 100 * writer + 4);
        assert_eq!(found.unwrap().unwrap().payload, expected.into_bytes());
        assert_eq!(store.compact(later).await.unwrap().segments, 0);
    }
    // The old files are gone on either node, and nothing else is.
    let files = if world.engine.shares_folder() {
        segment_files(world.engine.folder()).len()
    } else {
        assert_eq!(segment_files(folder.path()).len(), 1);
        segment_files(world.engine.folder()).len() + 1
    };
    assert_eq!(files, 2);
    assert_both_sound(&world, &stores, 4).await;
}

async fn compaction_goes_on_while_two_processes_record_and_delete(world: World) {
    let shop = Arc::new(world.org("Ana").await.project("shop").await);
    let (stores, _folder) = two(&world).await;
    let now = at("2026-11-25T12:00:00Z");
    let is_over = Arc::new(AtomicBool::new(false));
    let others: Vec<_> = stores
        .iter()
        .map(|store| {
            let (store, shop) = (Arc::clone(store), Arc::clone(&shop));
            let is_over = Arc::clone(&is_over);
            tokio::spawn(async move {
                while !is_over.load(Ordering::Relaxed) {
                    delete_and_compact(&*store, &shop, now).await;
                }
            })
        })
        .collect();
    // Both days are over, so that everything is due as soon as something is deleted.
    record_from_both(
        &stores,
        &shop,
        ["2026-11-20T12:00:00Z", "2026-11-21T12:00:00Z"],
    )
    .await;
    is_over.store(true, Ordering::Relaxed);
    for other in others {
        other.await.unwrap();
    }
    for store in &stores {
        store.compact(now).await.unwrap();
    }
    let left = "select cast(coalesce(sum(stored), 0) as bigint) from issue_partitions";
    let left = world.backdoor.count(left).unsigned_abs();
    assert_both_sound(&world, &stores, left).await;
}

async fn delete_and_compact(store: &dyn Store, shop: &InProject, now: Timestamp) {
    let newest = (1..400).rev().map(|number| shop.issue(number));
    for issue in newest {
        match store.delete_issue(&shop.scope, issue).await {
            Err(Error::NotFound { .. }) => {}
            deleted => {
                available(deleted);
                break;
            }
        }
    }
    available(store.compact(now).await);
}

async fn a_dropped_day_leaves_no_file_on_any_node(world: World) {
    let shop = world.org("Ana").await.project("shop").await;
    let (stores, folder) = two(&world).await;
    for (writer, store) in std::iter::zip(0.., &stores) {
        let event = shop.event(writer, 1);
        record(&**store, || batch_of(writer, 1, vec![event.clone()])).await;
    }
    let folders = [world.engine.folder(), folder.path()];
    let files = || folders.map(segment_files).concat().len();
    assert_eq!(files(), 2);
    let now = at("2026-12-21T00:00:00Z");
    assert_eq!(stores[0].drop_expired(now).await.unwrap(), 1);
    assert_eq!(stores[1].drop_expired(now).await.unwrap(), 0);
    assert_eq!(files(), 0);
    assert_both_sound(&world, &stores, 0).await;
}
