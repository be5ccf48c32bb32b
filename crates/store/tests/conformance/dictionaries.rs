//! Dictionaries that payloads are compressed with: trained once, by whoever is first, for all.

use std::sync::Arc;
use std::time::Duration;

use copal_store::Store;
use copal_store::record::NewEvent;

use crate::telemetry::{at, event_id};
use crate::world::{InProject, World};
use crate::writers::{batch_of, record};

conformance!(
    two_processes_train_one_dictionary,
    a_dictionary_that_knows_deleted_events_is_replaced_after_a_week,
);

/// Stored events at which the first dictionary is trained.
const FIRST_MARK: u128 = 200;
/// How often a test looks whether something has happened in the background.
const LOOKS: usize = 2_000;

/// An event of one of a hundred issues, with a stack like its neighbours'.
fn full_event(shop: &InProject, number: u128) -> NewEvent {
    let mut event = shop.event(number, (number % 100) as u8);
    let frames = vec![format!("frame of {}", number % 7); 40].join(",");
    event.payload = format!(r#"{{"id":{number},"frames":"{frames}"}}"#).into_bytes();
    event
}

/// Records events as one of two processes.
async fn record_full(
    store: &dyn Store,
    shop: &InProject,
    writer: u128,
    numbers: [u128; 2],
    at: u64,
) {
    let events: Vec<_> = (numbers[0]..numbers[1])
        .map(|n| full_event(shop, n))
        .collect();
    record(store, || batch_of(writer, at, events.clone())).await;
}

/// How many dictionaries there are, and the id of the newest.
fn dictionaries(world: &World) -> (i64, i64) {
    let count = |sql| world.backdoor.count(sql);
    (
        count("select count(*) from dictionaries"),
        count("select coalesce(max(id), 0) from dictionaries"),
    )
}

async fn wait_for_the_first(world: &World) {
    for _ in 0..LOOKS {
        if dictionaries(world) != (0, 0) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("no dictionary was trained");
}

async fn two_processes_train_one_dictionary(world: World) {
    let shop = world.org("Ana").await.project("shop").await;
    let (beside, _folder) = world.engine.beside().await.unwrap();
    let stores = [Arc::clone(&world.store), beside];
    // Both have recorded enough at the same time.
    let fill = |writer: u128| {
        let (store, shop) = (&stores[usize::from(writer == 1)], &shop);
        let first = writer * 1_000;
        async move { record_full(&**store, shop, writer, [first, first + FIRST_MARK], 1).await }
    };
    tokio::join!(fill(0), fill(1));
    wait_for_the_first(&world).await;
    for (writer, store) in std::iter::zip(0.., &stores) {
        let number = writer * 1_000 + FIRST_MARK;
        record_full(&**store, &shop, writer, [number, number + 1], 2).await;
        let found = store.find_event(&shop.scope, event_id(number)).await;
        assert_eq!(
            found.unwrap().unwrap().payload,
            full_event(&shop, number).payload
        );
        assert_eq!(store.fsck().await.unwrap().violations, []);
    }
    assert_eq!(dictionaries(&world), (1, 1));
    // A process that starts later reads what is here with it.
    let (later, _folder) = world.engine.beside().await.unwrap();
    assert_eq!(later.fsck().await.unwrap().violations, []);
}

async fn a_dictionary_that_knows_deleted_events_is_replaced_after_a_week(world: World) {
    let shop = world.org("Ana").await.project("shop").await;
    let store = &world.store;
    record_full(&**store, &shop, 1, [0, FIRST_MARK], 1).await;
    wait_for_the_first(&world).await;
    // Needs the dictionary from here on.
    let mut event = full_event(&shop, 1_000);
    event.grouping.hashes = vec![[200; 16]];
    record(&**store, || batch_of(1, 2, vec![event.clone()])).await;
    let deleted = store.delete_issue(&shop.scope, shop.issue(1)).await;
    deleted.unwrap();
    for (now, known) in [
        ("2026-11-21T00:00:00Z", (1, 1)),
        ("2026-11-27T23:59:59Z", (1, 1)),
        ("2026-11-28T00:00:00Z", (2, 2)),
        ("2026-12-20T00:00:00Z", (2, 2)),
    ] {
        store.compact(at(now)).await.unwrap();
        assert_eq!(dictionaries(&world), known, "{now}");
    }
    world.assert_sound().await;
    // The old one goes with the last partition that needs it.
    let over = at("2026-12-21T00:00:00Z");
    assert_eq!(store.drop_expired(over).await.unwrap(), 1);
    assert_eq!(dictionaries(&world), (1, 2));
}
