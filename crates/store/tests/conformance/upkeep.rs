//! Retention, compaction, and what servers and commands tell each other.

use copal_store::PageRequest;
use copal_store::access::IssueRef;
use copal_store::record::NewEvent;
use copal_store::upkeep::Compacted;

use crate::telemetry::{at, event_id};
use crate::world::{InProject, World};

conformance!(
    retention_drops_whole_days_and_keeps_the_counts,
    an_event_of_a_dropped_day_is_gone_from_its_issue,
    retention_that_a_crash_ended_goes_on,
    payloads_of_deleted_issues_are_removed,
    a_few_dead_bytes_wait_a_week,
    payloads_of_deleted_projects_are_removed,
    the_address_is_known_while_a_server_runs,
    durability_is_promised,
);

async fn retention_drops_whole_days_and_keeps_the_counts(world: World) {
    let ana = world.org("Ana").await;
    let shop = ana.project("shop").await;
    let mut kept = shop.event(2, 1);
    kept.retention_days = 90;
    world.record(vec![shop.event(1, 1), kept]).await;
    for (now, dropped) in [("2026-12-20T23:59:59Z", 0), ("2026-12-21T00:00:00Z", 1)] {
        assert_eq!(world.store.drop_expired(at(now)).await.unwrap(), dropped);
    }
    let issue = IssueRef::Id(shop.issue(1));
    let found = world.store.find_issue(&ana.scope, &issue).await.unwrap();
    assert_eq!(found.expect("issues stay").1.events_count, 2);
    world.assert_sound().await;
    world.record(vec![shop.event(3, 1)]).await;
    world.assert_sound().await;
}

async fn an_event_of_a_dropped_day_is_gone_from_its_issue(world: World) {
    let shop = world.org("Ana").await.project("shop").await;
    let mut kept = shop.event(2, 1);
    kept.retention_days = 90;
    world.record(vec![shop.event(1, 1), kept]).await;
    let now = at("2026-12-21T00:00:00Z");
    world.store.drop_expired(now).await.unwrap();
    let page = PageRequest::default();
    let events = world
        .store
        .list_events(&shop.scope, shop.issue(1), &page)
        .await
        .unwrap();
    let ids: Vec<_> = events.rows.iter().map(|row| row.event_id).collect();
    assert_eq!(ids, [event_id(2)]);
}

async fn retention_that_a_crash_ended_goes_on(world: World) {
    let ana = world.org("Ana").await;
    let shop = ana.project("shop").await;
    let mut kept = shop.event(3, 2);
    kept.retention_days = 90;
    let events = vec![shop.event(1, 1), shop.event(2, 2), kept];
    world.record(events).await;
    // As far as it gets in its first transaction: the events are gone, their counts are not.
    for sql in [
        "delete from segments where partition_id = 1",
        "delete from partitions where id = 1",
        "drop table events_p1",
    ] {
        world.backdoor.execute(sql).unwrap();
    }
    world.assert_sound().await;
    let gone = world.store.delete_issue(&shop.scope, shop.issue(1)).await;
    gone.unwrap();
    world.assert_sound().await;
    let evicted = "select count(*) from issues where evicted_count = 1";
    assert_eq!(world.backdoor.count(evicted), 0);
    let now = at("2026-12-01T00:00:00Z");
    assert_eq!(world.store.drop_expired(now).await.unwrap(), 0);
    assert_eq!(world.backdoor.count(evicted), 1);
    assert_eq!(
        world
            .backdoor
            .count("select count(*) from issue_partitions"),
        1
    );
    world.assert_sound().await;
}

/// Events 1 and 2 of issue 1, 3 and 4 of issue 2, and so on.
fn two_events_each(shop: &InProject, issues: u8) -> Vec<NewEvent> {
    (1..=issues)
        .flat_map(|issue| [(issue * 2 - 1, issue), (issue * 2, issue)])
        .map(|(number, issue)| shop.event(number.into(), issue))
        .collect()
}

async fn payloads_of_deleted_issues_are_removed(world: World) {
    let shop = world.org("Ana").await.project("shop").await;
    world.record(two_events_each(&shop, 3)).await;
    let store = &world.store;
    for issue in [1, 3] {
        let deleted = store.delete_issue(&shop.scope, shop.issue(issue)).await;
        deleted.unwrap();
    }
    // The day is not over: events are still appended.
    let evening = at("2026-11-20T23:00:00Z");
    let nothing = Compacted::default();
    assert_eq!(store.compact(evening).await.unwrap(), nothing);
    let later = at("2026-11-22T00:00:00Z");
    let compacted = store.compact(later).await.unwrap();
    assert_eq!(compacted.segments, 1);
    assert!(compacted.bytes > 0);
    world.assert_sound().await;
    for (number, payload) in [(3, Some(r#"{"n":3}"#)), (4, Some(r#"{"n":4}"#)), (5, None)] {
        let found = store
            .find_event(&shop.scope, event_id(number))
            .await
            .unwrap();
        let found = found.map(|event| String::from_utf8(event.payload).unwrap());
        assert_eq!(found.as_deref(), payload);
    }
    assert_eq!(store.compact(later).await.unwrap(), nothing);
    // A late event of the day finds its way.
    world.record(vec![shop.event(7, 2)]).await;
    world.assert_sound().await;
    let deleted = store.delete_issue(&shop.scope, shop.issue(2)).await;
    deleted.unwrap();
    assert_eq!(store.compact(later).await.unwrap().segments, 2);
    assert_eq!(store.compact(later).await.unwrap(), nothing);
    world.assert_sound().await;
}

async fn a_few_dead_bytes_wait_a_week(world: World) {
    let shop = world.org("Ana").await.project("shop").await;
    world.record(two_events_each(&shop, 10)).await;
    let deleted = world.store.delete_issue(&shop.scope, shop.issue(1)).await;
    deleted.unwrap();
    for (now, segments) in [
        // From here on the week counts.
        ("2026-11-23T00:00:00Z", 0),
        ("2026-11-29T23:59:59Z", 0),
        ("2026-11-30T00:00:00Z", 1),
    ] {
        let compacted = world.store.compact(at(now)).await.unwrap();
        assert_eq!(compacted.segments, segments, "{now}");
    }
    world.assert_sound().await;
}

async fn payloads_of_deleted_projects_are_removed(world: World) {
    let ana = world.org("Ana").await;
    let (shop, blog) = (ana.project("shop").await, ana.project("blog").await);
    let mut events = two_events_each(&shop, 5);
    events.push(blog.event(1, 1));
    world.record(events).await;
    world.store.delete_project(&shop.scope).await.unwrap();
    let later = at("2026-11-22T00:00:00Z");
    assert_eq!(world.store.compact(later).await.unwrap().segments, 1);
    let kept = world.store.find_event(&blog.scope, event_id(1)).await;
    assert_eq!(kept.unwrap().unwrap().payload, br#"{"n":1}"#);
    world.assert_sound().await;
}

async fn the_address_is_known_while_a_server_runs(world: World) {
    let store = &world.store;
    assert_eq!(store.server_address().await.unwrap(), None);
    for address in ["http://localhost:8000", "http://localhost:8001"] {
        store.set_server_address(Some(address)).await.unwrap();
        let known = store.server_address().await.unwrap();
        assert_eq!(known.as_deref(), Some(address));
    }
    store.set_server_address(None).await.unwrap();
    assert_eq!(store.server_address().await.unwrap(), None);
}

async fn durability_is_promised(world: World) {
    for guarantee in world.store.guarantees().await.unwrap() {
        assert_eq!(guarantee.broken, None, "{}", guarantee.promise);
    }
}
