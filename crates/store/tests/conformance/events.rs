//! Stored events and the way from one to the next.

use copal_model::Timestamp;
use copal_store::PageRequest;
use copal_store::events::EventPick;

use crate::telemetry::{at, event_id, noon};
use crate::world::{InProject, World};

conformance!(
    an_event_is_read_as_it_was_recorded,
    an_event_is_found_in_its_issue_with_its_neighbours,
    events_received_at_once_have_an_order,
    large_and_small_events_of_an_issue_are_told_apart,
    another_project_finds_nothing,
);

const DAY_MICROS: i64 = 86_400_000_000;

async fn an_event_is_read_as_it_was_recorded(world: World) {
    let shop = world.org("Ana").await.project("shop").await;
    let mut sent = shop.event(1, 1);
    sent.occurred_at = at("2026-11-20T11:59:59.5Z");
    sent.environment = None;
    sent.grouping.explanation = br#"{"deciding":"exception"}"#.to_vec();
    world.record(vec![sent.clone(), shop.event(2, 1)]).await;
    let found = world.store.find_event(&shop.scope, event_id(1)).await;
    let found = found.unwrap().expect("the event is stored");
    assert_eq!(found.payload, sent.payload);
    assert_eq!(found.grouping, sent.grouping.explanation);
    assert_eq!(found.summary.issue_id, shop.issue(1));
    assert_eq!(found.summary.title, "Timeout: call 1");
    assert_eq!(found.summary.occurred_at, sent.occurred_at);
    assert_eq!(found.summary.received_at, noon());
    assert_eq!(found.summary.release.as_deref(), Some("1.0"));
    assert_eq!(found.summary.environment, None);
}

/// Five events over three days and two retention classes.
async fn record_five(world: &World, shop: &InProject) {
    for number in 1..=5_i64 {
        let mut event = shop.event(number.unsigned_abs().into(), 1);
        let micros = noon().as_microsecond() + number / 2 * DAY_MICROS;
        event.received_at = Timestamp::from_microsecond(micros).unwrap();
        event.retention_days = if number % 2 == 0 { 30 } else { 90 };
        world.record(vec![event]).await;
    }
}

/// The numbers of all events, page by page.
async fn list_all(world: &World, shop: &InProject, limit: usize) -> Vec<u128> {
    let mut seen = Vec::new();
    let mut page = PageRequest::first(limit);
    loop {
        let rows = world
            .store
            .list_events(&shop.scope, shop.issue(1), &page)
            .await
            .unwrap();
        seen.extend(rows.rows.iter().map(|row| row.event_id.as_uuid().as_u128()));
        page.cursor = rows.next;
        if page.cursor.is_none() {
            return seen;
        }
    }
}

async fn an_event_is_found_in_its_issue_with_its_neighbours(world: World) {
    let shop = world.org("Ana").await.project("shop").await;
    record_five(&world, &shop).await;
    for (pick, number) in [
        (EventPick::Oldest, 1),
        (EventPick::Id(event_id(3)), 3),
        (EventPick::Latest, 5),
    ] {
        let found = world
            .store
            .find_event_in_issue(&shop.scope, shop.issue(1), pick)
            .await;
        let found = found.unwrap().expect("the event is stored");
        assert_eq!((found.number, found.stored), (number, 5));
        let number = u128::from(number);
        assert_eq!(found.event.summary.event_id, event_id(number));
        assert_eq!(
            found.event.payload,
            format!(r#"{{"n":{number}}}"#).into_bytes()
        );
        let before = (number > 1).then(|| event_id(number - 1));
        let after = (number < 5).then(|| event_id(number + 1));
        assert_eq!((found.previous, found.next), (before, after));
    }
    assert_eq!(list_all(&world, &shop, 2).await, [5, 4, 3, 2, 1]);
}

async fn events_received_at_once_have_an_order(world: World) {
    let shop = world.org("Ana").await.project("shop").await;
    let numbers = [4, 1, 7, 3, 6, 2, 5];
    world
        .record(numbers.map(|number| shop.event(number, 1)).to_vec())
        .await;
    for limit in [1, 3, 7] {
        assert_eq!(list_all(&world, &shop, limit).await, [7, 6, 5, 4, 3, 2, 1]);
    }
    let pick = EventPick::Id(event_id(3));
    let found = world
        .store
        .find_event_in_issue(&shop.scope, shop.issue(1), pick)
        .await;
    let found = found.unwrap().expect("the event is stored");
    assert_eq!((found.number, found.stored), (3, 7));
    assert_eq!(
        (found.previous, found.next),
        (Some(event_id(2)), Some(event_id(4)))
    );
}

async fn large_and_small_events_of_an_issue_are_told_apart(world: World) {
    let shop = world.org("Ana").await.project("shop").await;
    let sizes = [1, 300_000, 0, 200_000, 60_000, 2];
    let events = sizes.iter().enumerate().map(|(number, size)| {
        let mut event = shop.event(number as u128, 1);
        event.payload = format!("{number}").repeat(*size).into_bytes();
        event
    });
    world.record(events.collect()).await;
    for (number, size) in sizes.iter().enumerate() {
        let id = event_id(number as u128);
        let found = world.store.find_event(&shop.scope, id).await.unwrap();
        let found = found.expect("the event is stored");
        let expected = format!("{number}").repeat(*size).into_bytes();
        assert!(found.payload == expected, "event {number}");
    }
    world.assert_sound().await;
}

async fn another_project_finds_nothing(world: World) {
    let ana = world.org("Ana").await;
    let (shop, blog) = (ana.project("shop").await, ana.project("blog").await);
    world.record(vec![shop.event(1, 1), blog.event(2, 1)]).await;
    let store = &world.store;
    let found = store.find_event(&blog.scope, event_id(1)).await.unwrap();
    assert_eq!(found, None);
    let page = PageRequest::default();
    let listed = store
        .list_events(&blog.scope, shop.issue(1), &page)
        .await
        .unwrap();
    assert_eq!(listed.rows, []);
    for pick in [EventPick::Latest, EventPick::Id(event_id(1))] {
        for issue in [shop.issue(1), blog.issue(1)] {
            let found = store.find_event_in_issue(&blog.scope, issue, pick).await;
            let expected = (issue == blog.issue(1) && pick == EventPick::Latest).then_some(());
            assert_eq!(found.unwrap().map(|_| ()), expected, "{issue} {pick:?}");
        }
    }
}
