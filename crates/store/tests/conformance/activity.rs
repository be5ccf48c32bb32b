//! What goes on in the projects of an organization.

use copal_model::IssueStatus;
use copal_model::limits::ENVIRONMENTS_PER_PROJECT_MAX;

use crate::telemetry::at;
use crate::world::{Org, World};

conformance!(
    projects_show_what_goes_on_by_when_it_happened,
    events_of_deleted_issues_stay_in_the_graph,
    environments_are_the_organizations_own,
    so_many_environments_are_listed_and_no_more,
);

/// Project, open issues and events of each project since a time.
async fn activity(world: &World, org: &Org, since: &str) -> Vec<(u32, u64, u64)> {
    let activity = world.store.list_project_activity(&org.scope, at(since));
    let activity = activity.await.unwrap();
    activity
        .iter()
        .map(|one| (one.project.get(), one.open_issues, one.events()))
        .collect()
}

async fn projects_show_what_goes_on_by_when_it_happened(world: World) {
    let (ana, bo) = (world.org("Ana").await, world.org("Bo").await);
    let (shop, theirs) = (ana.project("shop").await, bo.project("shop").await);
    let blog = ana.project("blog").await;
    let mut offline = shop.event(1, 1);
    offline.occurred_at = at("2026-11-18T23:10:00Z");
    let batch = vec![offline, shop.event(2, 2), theirs.event(3, 2)];
    world.record(batch).await;
    world.record(vec![shop.event(4, 2), blog.event(5, 1)]).await;
    world.triage(&shop, 2, IssueStatus::Resolved).await;
    let (shop, blog) = (shop.project.id.get(), blog.project.id.get());
    // The hour of `since` is there as a whole.
    let since = "2026-11-18T23:59:59Z";
    assert_eq!(
        activity(&world, &ana, since).await,
        [(shop, 1, 3), (blog, 1, 1)]
    );
    let since = "2026-11-19T00:00:00Z";
    assert_eq!(
        activity(&world, &ana, since).await,
        [(shop, 1, 2), (blog, 1, 1)]
    );
    // Projects without events are there too.
    let since = "2026-11-20T13:00:00Z";
    assert_eq!(
        activity(&world, &ana, since).await,
        [(shop, 1, 0), (blog, 1, 0)]
    );
}

async fn events_of_deleted_issues_stay_in_the_graph(world: World) {
    let ana = world.org("Ana").await;
    let shop = ana.project("shop").await;
    world.record(vec![shop.event(1, 1), shop.event(2, 2)]).await;
    let deleted = world.store.delete_issue(&shop.scope, shop.issue(1)).await;
    deleted.unwrap();
    let seen = activity(&world, &ana, "2026-11-20T12:00:00Z").await;
    assert_eq!(seen, [(shop.project.id.get(), 1, 2)]);
    world.assert_sound().await;
}

async fn environments_are_the_organizations_own(world: World) {
    let (ana, bo) = (world.org("Ana").await, world.org("Bo").await);
    let (shop, blog) = (ana.project("shop").await, ana.project("blog").await);
    let mut staging = shop.event(1, 1);
    staging.environment = Some("staging".to_owned());
    let mut nowhere = shop.event(2, 1);
    nowhere.environment = None;
    world
        .record(vec![staging, nowhere, shop.event(3, 1), blog.event(4, 1)])
        .await;
    let listed = world.store.list_environments(&ana.scope).await.unwrap();
    assert_eq!(listed, ["production", "staging"]);
    let listed = world.store.list_environments(&bo.scope).await.unwrap();
    assert_eq!(listed, [""; 0]);
    world.store.delete_project(&shop.scope).await.unwrap();
    let listed = world.store.list_environments(&ana.scope).await.unwrap();
    assert_eq!(listed, ["production"]);
}

async fn so_many_environments_are_listed_and_no_more(world: World) {
    let ana = world.org("Ana").await;
    let shop = ana.project("shop").await;
    let beyond = ENVIRONMENTS_PER_PROJECT_MAX + 1;
    let events = (1..=beyond).map(|number| {
        let mut event = shop.event(number as u128, 1);
        event.environment = Some(format!("env-{number:05}"));
        event
    });
    world.record(events.collect()).await;
    let listed = world.store.list_environments(&ana.scope).await.unwrap();
    assert_eq!(listed.len(), ENVIRONMENTS_PER_PROJECT_MAX);
    assert!(!listed.contains(&format!("env-{beyond:05}")));
    world.assert_sound().await;
}
