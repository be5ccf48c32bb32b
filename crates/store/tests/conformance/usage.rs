//! Plans: what is counted, what is refused, and that it is exact.

use std::sync::Arc;

use copal_model::{Category, OrgId, Outcome, Plan, Plans, Timestamp, UsageLevel};
use copal_store::organizations::OrganizationPatch;
use copal_store::record::{Batch, Disposition, NewEvent, OutcomeCount};
use copal_store::{Error, Store};

use crate::telemetry::{JOURNAL, at, noon, received};
use crate::world::{InProject, World};
use crate::writers::{batch_of, record};

conformance!(
    the_last_event_that_fits_is_recorded_and_the_next_is_not,
    a_batch_that_is_tried_again_is_counted_once,
    the_count_begins_again_with_the_month_in_which_events_came,
    another_organization_is_not_touched,
    another_plan_holds_at_once,
    two_processes_record_as_many_as_fit,
    what_ingest_refused_is_counted,
    a_plan_limits_projects,
);

/// Events a month, and projects, of `FREE` here.
const FEW: u64 = 5;

fn few() -> Plans {
    let mut plans = Plans::default();
    plans.free.events_per_month = Some(FEW);
    plans.free.projects = Some(2);
    plans
}

async fn used(world: &World, shop: &InProject, now: Timestamp) -> (u64, u64) {
    let usage = world.store.find_usage(&shop.scope.org_scope(), now).await;
    let usage = usage.unwrap();
    (usage.events, usage.events_refused)
}

fn events(shop: &InProject, numbers: std::ops::Range<u128>) -> Vec<NewEvent> {
    numbers.map(|number| shop.event(number, 1)).collect()
}

async fn the_last_event_that_fits_is_recorded_and_the_next_is_not(world: World) {
    let world = world.with_plans(few()).await;
    let shop = world.org("Ana").await.project("shop").await;
    let org = shop.scope.org();
    world.record(events(&shop, 0..4)).await;
    assert_eq!(world.store.list_full(noon()).await.unwrap(), []);
    // A duplicate takes no room, before and after there is none.
    let mut batch = vec![shop.event(0, 1)];
    batch.extend(events(&shop, 4..7));
    batch.push(shop.event(1, 1));
    let dispositions = world.record(batch).await;
    let expected = [
        Disposition::Duplicate,
        Disposition::Joined,
        Disposition::OverQuota,
        Disposition::OverQuota,
        Disposition::Duplicate,
    ];
    assert_eq!(dispositions, expected);
    let usage = world
        .store
        .find_usage(&shop.scope.org_scope(), noon())
        .await;
    let usage = usage.unwrap();
    assert_eq!((usage.events, usage.events_refused), (FEW, 2));
    assert_eq!(
        (usage.events_left(), usage.level()),
        (Some(0), UsageLevel::Full)
    );
    assert_eq!((usage.projects, usage.members), (1, 1));
    assert_eq!(usage.renews_at(), at("2026-12-01T00:00:00Z"));
    assert_eq!(world.store.list_full(noon()).await.unwrap(), [org]);
    let limited = world
        .backdoor
        .count("select quantity from outcomes where outcome = 'rate_limited' and reason = 'quota'");
    assert_eq!(limited, 2);
    world.assert_sound().await;
}

async fn a_batch_that_is_tried_again_is_counted_once(world: World) {
    let world = world.with_plans(few()).await;
    let shop = world.org("Ana").await.project("shop").await;
    for _ in 0..2 {
        let events = events(&shop, 0..7);
        let batch = Batch {
            journal: JOURNAL,
            position: 9,
            received: received(&events, &[]),
            events,
            ..Batch::default()
        };
        world.store.record(batch).await.unwrap();
        assert_eq!(used(&world, &shop, noon()).await, (FEW, 2));
    }
    world.assert_sound().await;
}

async fn the_count_begins_again_with_the_month_in_which_events_came(world: World) {
    let world = world.with_plans(few()).await;
    let shop = world.org("Ana").await.project("shop").await;
    let last = at("2026-11-30T23:59:59.999999Z");
    let first = at("2026-12-01T00:00:00Z");
    let received_at = |numbers: std::ops::Range<u128>, time| {
        let mut events = events(&shop, numbers);
        for event in &mut events {
            event.received_at = time;
        }
        events
    };
    world.record(received_at(0..6, last)).await;
    world.record(received_at(10..13, first)).await;
    // What the journal still holds of a month counts there.
    world.record(received_at(20..21, last)).await;
    assert_eq!(used(&world, &shop, last).await, (FEW, 2));
    assert_eq!(used(&world, &shop, first).await, (3, 0));
    assert_eq!(world.store.list_full(last).await.unwrap().len(), 1);
    assert_eq!(world.store.list_full(first).await.unwrap(), []);
    world.assert_sound().await;
}

async fn another_organization_is_not_touched(world: World) {
    let world = world.with_plans(few()).await;
    let shop = world.org("Ana").await.project("shop").await;
    let blog = world.org("Bob").await.project("blog").await;
    let mut both = events(&shop, 0..9);
    both.extend(events(&blog, 0..4));
    let dispositions = world.record(both).await;
    let over = |dispositions: &[Disposition]| {
        let over = dispositions
            .iter()
            .filter(|one| **one == Disposition::OverQuota);
        over.count()
    };
    assert_eq!((over(&dispositions[..9]), over(&dispositions[9..])), (4, 0));
    assert_eq!(used(&world, &shop, noon()).await, (FEW, 4));
    assert_eq!(used(&world, &blog, noon()).await, (4, 0));
    let full = world.store.list_full(noon()).await.unwrap();
    assert_eq!(full, [shop.scope.org()] as [OrgId; 1]);
}

async fn another_plan_holds_at_once(world: World) {
    let world = world.with_plans(few()).await;
    let shop = world.org("Ana").await.project("shop").await;
    let org = shop.scope.org_scope();
    let set_plan = async |plan| {
        let patch = OrganizationPatch {
            plan: Some(plan),
            ..OrganizationPatch::default()
        };
        world.store.update_organization(&org, patch).await.unwrap();
    };
    world.record(events(&shop, 0..6)).await;
    set_plan(Plan::Enterprise).await;
    assert_eq!(world.store.list_full(noon()).await.unwrap(), []);
    assert_eq!(
        world.record(events(&shop, 6..7)).await,
        [Disposition::Joined]
    );
    // Who has more than the plan allows keeps it, and gets no more.
    set_plan(Plan::Free).await;
    assert_eq!(
        world.record(events(&shop, 7..8)).await,
        [Disposition::OverQuota]
    );
    assert_eq!(used(&world, &shop, noon()).await, (FEW + 1, 2));
    world.assert_sound().await;
}

async fn two_processes_record_as_many_as_fit(world: World) {
    const LIMIT: u64 = 100;
    let mut plans = Plans::default();
    plans.free.events_per_month = Some(LIMIT);
    let world = world.with_plans(plans).await;
    let ana = world.org("Ana").await;
    let projects = [ana.project("shop").await, ana.project("blog").await];
    let projects = Arc::new(projects);
    let (beside, _folder) = world.engine.beside().await.unwrap();
    let stores = [Arc::clone(&world.store), beside];
    let writers: Vec<_> = (0..4_u128)
        .map(|writer| {
            let store: Arc<dyn Store> = Arc::clone(&stores[usize::from(writer % 2 == 1)]);
            let projects = Arc::clone(&projects);
            tokio::spawn(async move {
                for batch in 0..8_u128 {
                    // Two projects of one organization: only what they use of it is shared.
                    let project = &projects[usize::from(writer < 2)];
                    let first = (writer * 8 + batch) * 5;
                    let events = events(project, first..first + 5);
                    let position = u64::try_from(batch).unwrap() + 1;
                    record(&*store, || batch_of(writer, position, events.clone())).await;
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(
        used(&world, &projects[0], noon()).await,
        (LIMIT, 160 - LIMIT)
    );
    let recorded = world
        .backdoor
        .count("select cast(sum(quantity) as bigint) from outcomes where outcome = 'accepted'");
    assert_eq!(recorded.unsigned_abs(), LIMIT);
}

async fn what_ingest_refused_is_counted(world: World) {
    let shop = world.org("Ana").await.project("shop").await;
    let refused = |outcome, quantity| OutcomeCount {
        project: shop.project.id,
        received_at: noon(),
        category: Category::Error,
        outcome,
        quantity,
    };
    let counts = vec![
        refused(Outcome::QUOTA, 3),
        refused(Outcome::RateLimited("key"), 2),
    ];
    world.store.count_refused(counts.clone()).await.unwrap();
    world.store.count_refused(counts.clone()).await.unwrap();
    assert_eq!(used(&world, &shop, noon()).await, (0, 6));
    world.assert_sound().await;
    let received = "select cast(sum(quantity) as bigint) from received";
    assert_eq!(world.backdoor.count(received), 10);
    world.store.delete_project(&shop.scope).await.unwrap();
    world.store.count_refused(counts).await.unwrap();
    assert_eq!(world.backdoor.count("select count(*) from received"), 0);
    assert_eq!(world.backdoor.count("select count(*) from outcomes"), 0);
}

async fn a_plan_limits_projects(world: World) {
    let world = world.with_plans(few()).await;
    let ana = world.org("Ana").await;
    let made = world
        .at_once(|store, number| {
            let new = world.new_project(&format!("shop {number}"));
            let scope = ana.scope;
            async move { store.create_project(&scope, new).await }
        })
        .await;
    let refused = made.iter().filter_map(|made| made.as_ref().err());
    for error in refused {
        let Error::PlanLimit { what, plan, limit } = error else {
            panic!("{error}");
        };
        assert_eq!((*what, *plan, *limit), ("projects", Plan::Free, 2));
    }
    assert_eq!(made.iter().filter(|made| made.is_ok()).count(), 2);
    let usage = world.store.find_usage(&ana.scope, noon()).await.unwrap();
    assert_eq!(usage.projects, 2);
}
