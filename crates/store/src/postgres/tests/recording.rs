//! Recording by several processes, and by one that is interrupted.

use std::path::PathBuf;

use super::proxy::{Next, Proxy};
use super::*;
use crate::Error;
use crate::events::Events;

/// The only payload file of a node.
fn segment_file(folder: &Path) -> PathBuf {
    // Below payload: the database, the partition, the segment.
    let mut path = folder.join("payload");
    for _ in 0..3 {
        let entries = std::fs::read_dir(&path).unwrap();
        let found: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        assert_eq!(found.len(), 1, "{found:?}");
        path.clone_from(&found[0]);
    }
    path
}

/// Every event of a store that was recorded as [`event`] can be read.
async fn assert_readable(store: &PostgresStore, numbers: impl IntoIterator<Item = u128>) {
    for number in numbers {
        let id = event(number, 1).event_id;
        let found = store.find_event(&shop(), id).await.unwrap();
        let found = found.unwrap_or_else(|| panic!("event {number} is not there"));
        assert_eq!(found.payload, event(number, 1).payload);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_uncommitted_tail_is_cut_before_the_first_append() {
    let Some(database) = Database::make().await else {
        return;
    };
    let folder = database.folder("a");
    let store = database.open("a").await;
    record(&store, 1, vec![event(1, 1)]).await;
    drop(store);
    let segment = segment_file(&folder);
    let committed = std::fs::read(&segment).unwrap();
    let mut longer = committed.clone();
    longer.extend([0xee; 10_000]);
    std::fs::write(&segment, &longer).unwrap();
    let store = database.open("a").await;
    record(&store, 2, vec![]).await;
    assert_eq!(std::fs::read(&segment).unwrap(), committed);
    record(&store, 3, vec![event(2, 1)]).await;
    assert_readable(&store, 1..=2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_commit_without_an_answer_the_position_tells_how_it_ended() {
    let Some(database) = Database::make().await else {
        return;
    };
    let proxy = Proxy::start(&database.url).await;
    let folder = database.folder("a");
    let store = open(&folder, &proxy.url(&database.url)).await;
    record(&store, 1, vec![event(1, 1)]).await;
    let bytes = || std::fs::read(segment_file(&folder)).unwrap();
    let mut last = 1;
    for (next, is_recorded) in [
        (Next::IsLost, false),
        (Next::IsUnanswered, true),
        (Next::IsLate, true),
    ] {
        let before = bytes();
        let (first, second) = (last + 1, last + 2);
        last = second;
        proxy.set_next(next);
        let events = || vec![event(first.into(), 1)];
        let refused = store.record(batch(first, events())).await;
        assert!(
            matches!(refused, Err(Error::Unavailable(_))),
            "{next:?}: {refused:?}"
        );
        let appended = bytes();
        // The same events again, which the pipeline does, and then others.
        let again = store.record(batch(first, events())).await.unwrap();
        let expected = if is_recorded {
            Disposition::Duplicate
        } else {
            Disposition::Joined
        };
        assert_eq!(again.events[0].disposition, expected, "{next:?}");
        record(&store, second, vec![event(second.into(), 1)]).await;
        let after = bytes();
        let committed = if is_recorded { appended } else { before };
        assert!(
            after.starts_with(&committed),
            "{next:?}: committed bytes were overwritten"
        );
        assert_readable(&store, 1..=last.into()).await;
        for counted in [
            "select events_count from issues",
            "select quantity from received",
            "select quantity from outcomes",
        ] {
            let events = database.number(counted).await;
            assert_eq!(events.unsigned_abs(), last, "{next:?}: {counted}");
        }
        let length = database.number("select length from segments").await;
        assert_eq!(usize::try_from(length).unwrap(), after.len(), "{next:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_position_is_told_once_it_is_settled() {
    let Some(database) = Database::make().await else {
        return;
    };
    for first in [1, 2] {
        let proxy = Proxy::start(&database.url).await;
        let store = open(&database.folder("a"), &proxy.url(&database.url)).await;
        proxy.set_next(Next::IsLate);
        let lost = store
            .record(batch(first, vec![event(first.into(), 1)]))
            .await;
        assert!(matches!(lost, Err(Error::Unavailable(_))), "{lost:?}");
        // Of the very first batch there is not even a row yet.
        let position = store.journal_position(JOURNAL).await.unwrap();
        assert_eq!(position, Some(first));
    }
    let store = database.open("a").await;
    let other = store.journal_position(Uuid::from_u128(2)).await.unwrap();
    assert_eq!(other, None);
    assert_eq!(database.number("select count(*) from journals").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_of_another_node_is_not_available_here() {
    let Some(database) = Database::make().await else {
        return;
    };
    let (one, other) = (database.open("a").await, database.open("b").await);
    record(&one, 1, vec![event(1, 1)]).await;
    let found = other.find_event(&shop(), event(1, 1).event_id).await;
    match found {
        Err(Error::Unavailable(why)) => assert!(why.contains("another node"), "{why}"),
        found => panic!("{found:?}"),
    }
    // It is known all the same.
    let mut foreign = batch(1, vec![event(1, 1), event(2, 1)]);
    foreign.journal = Uuid::from_u128(2);
    let recorded = other.record(foreign).await.unwrap();
    let dispositions: Vec<_> = recorded.events.iter().map(|one| one.disposition).collect();
    assert_eq!(dispositions, [Disposition::Duplicate, Disposition::Joined]);
    assert_readable(&other, [2]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_takes_as_many_statements_however_many_events_it_has() {
    let Some(database) = Database::make().await else {
        return;
    };
    let proxy = Proxy::start(&database.url).await;
    let store = open(&database.folder("a"), &proxy.url(&database.url)).await;
    let of_issues = |numbers: &[u128]| {
        let events = numbers.iter().map(|n| event(*n, (n % 200) as u8));
        events.collect::<Vec<_>>()
    };
    // Segment and partition are made once. All in all too few events to train a dictionary.
    record(&store, 1, of_issues(&(0..10).collect::<Vec<_>>())).await;
    proxy.executed();
    // Events of a known issue and of a new one, then of many.
    record(&store, 2, of_issues(&[200, 10])).await;
    let with_new = proxy.executed();
    record(
        &store,
        3,
        of_issues(&[210].into_iter().chain(11..91).collect::<Vec<_>>()),
    )
    .await;
    assert_eq!(proxy.executed(), with_new);
    // Of known issues only.
    record(&store, 4, of_issues(&[600])).await;
    let known = proxy.executed();
    record(&store, 5, of_issues(&(601..691).collect::<Vec<_>>())).await;
    assert_eq!(proxy.executed(), known);
    assert!(known < with_new && with_new <= 34, "{known} {with_new}");
}
