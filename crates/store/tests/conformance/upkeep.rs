//! Retention, and what servers and commands tell each other.

use copal_store::PageRequest;
use copal_store::access::IssueRef;

use crate::telemetry::at;
use crate::world::World;

conformance!(
    retention_drops_whole_days_and_keeps_the_counts,
    an_event_of_a_dropped_day_is_gone_from_its_issue,
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
    assert_eq!(ids, [crate::telemetry::event_id(2)]);
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
