//! What projects want done with events on their way in: each project's own, known to the pipeline.

use copal_model::inbound::{INBOUND_LINE_BYTES_MAX, INBOUND_LINES_MAX};
use copal_model::{Category, FilterSettings, InboundSettings, Outcome, ScrubSettings, Switch};
use copal_store::record::OutcomeCount;

use crate::world::{InProject, World, after, limit, not_found};

conformance!(
    a_project_begins_with_the_defaults,
    settings_are_replaced_as_a_whole,
    settings_are_each_projects_own,
    the_pipeline_is_told_of_them,
    settings_go_with_their_project,
    lists_and_lines_have_an_end,
    what_filters_take_is_counted_per_project_from_an_hour_on,
);

fn unusual() -> InboundSettings {
    InboundSettings {
        filters: FilterSettings {
            browser_extensions: Switch::On,
            web_crawlers: Switch::Off,
            legacy_browsers: Switch::On,
            localhost: Switch::On,
            releases: vec!["1.*".to_owned(), "beta-*".to_owned()],
            error_messages: vec!["*ResizeObserver*".to_owned()],
            addresses: vec!["10.0.0.0/8".to_owned()],
        },
        scrubbing: ScrubSettings {
            secrets: Switch::Off,
            addresses: Switch::On,
            fields: vec!["patient".to_owned()],
            safe_fields: vec!["token_count".to_owned(), "author".to_owned()],
        },
    }
}

/// A project in an organization of its own.
async fn project(world: &World, name: &str) -> InProject {
    world.org(name).await.project(name).await
}

async fn settings(world: &World, shop: &InProject) -> InboundSettings {
    world.store.find_inbound(&shop.scope).await.unwrap()
}

async fn update(world: &World, shop: &InProject, settings: InboundSettings) {
    let updated = world.store.update_inbound(&shop.scope, settings, after(1));
    updated.await.unwrap();
}

async fn a_project_begins_with_the_defaults(world: World) {
    let shop = project(&world, "Shop").await;
    assert_eq!(settings(&world, &shop).await, InboundSettings::default());
}

async fn settings_are_replaced_as_a_whole(world: World) {
    let shop = project(&world, "Shop").await;
    update(&world, &shop, unusual()).await;
    assert_eq!(settings(&world, &shop).await, unusual());
    update(&world, &shop, InboundSettings::default()).await;
    assert_eq!(settings(&world, &shop).await, InboundSettings::default());
}

async fn settings_are_each_projects_own(world: World) {
    let (shop, other) = (
        project(&world, "Shop").await,
        project(&world, "Other").await,
    );
    update(&world, &shop, unusual()).await;
    assert_eq!(settings(&world, &other).await, InboundSettings::default());
}

async fn the_pipeline_is_told_of_them(world: World) {
    let shop = project(&world, "Shop").await;
    let told = async || {
        let access = world.store.open_recording(shop.project.id).await.unwrap();
        access.expect("the project is there").inbound
    };
    assert_eq!(*told().await, InboundSettings::default());
    update(&world, &shop, unusual()).await;
    assert_eq!(*told().await, unusual());
}

async fn settings_go_with_their_project(world: World) {
    let shop = project(&world, "Shop").await;
    update(&world, &shop, unusual()).await;
    world.store.delete_project(&shop.scope).await.unwrap();
    assert_eq!(settings(&world, &shop).await, InboundSettings::default());
    let late = world.store.update_inbound(&shop.scope, unusual(), after(2));
    assert_eq!(not_found(late.await), "project");
}

async fn lists_and_lines_have_an_end(world: World) {
    let shop = project(&world, "Shop").await;
    let of = |lines: u32, bytes: u32| InboundSettings {
        scrubbing: ScrubSettings {
            safe_fields: vec!["x".repeat(bytes as usize); lines as usize],
            ..ScrubSettings::default()
        },
        ..InboundSettings::default()
    };
    update(&world, &shop, of(INBOUND_LINES_MAX, INBOUND_LINE_BYTES_MAX)).await;
    for (lines, bytes, max) in [
        (INBOUND_LINES_MAX + 1, 1, INBOUND_LINES_MAX),
        (1, INBOUND_LINE_BYTES_MAX + 1, INBOUND_LINE_BYTES_MAX),
    ] {
        let refused = world
            .store
            .update_inbound(&shop.scope, of(lines, bytes), after(1));
        assert_eq!(limit(refused.await), max);
    }
}

async fn what_filters_take_is_counted_per_project_from_an_hour_on(world: World) {
    let (shop, blog) = (project(&world, "Shop").await, project(&world, "Blog").await);
    let count = |project: &InProject, hour: i64, category, outcome, quantity| OutcomeCount {
        project: project.project.id,
        received_at: after(hour * 3_600),
        category,
        outcome,
        quantity,
    };
    let local = Outcome::Filtered("localhost");
    let crawlers = Outcome::Filtered("web-crawlers");
    let counts = vec![
        count(&shop, 0, Category::Error, local.clone(), 1),
        count(&shop, 1, Category::Error, local.clone(), 2),
        count(&shop, 2, Category::Error, local.clone(), 4),
        count(&shop, 2, Category::Error, crawlers, 8),
        count(&shop, 2, Category::Session, local.clone(), 16),
        count(&shop, 2, Category::Error, Outcome::Invalid("localhost"), 32),
        count(&blog, 2, Category::Error, local, 64),
    ];
    world.store.count_refused(counts).await.unwrap();
    let counted = async |project: &InProject| {
        let since = after(3_600);
        let counted = world.store.count_filtered(&project.scope, since).await;
        let counted = counted.unwrap().into_iter();
        counted
            .map(|count| (count.filter, count.events))
            .collect::<Vec<_>>()
    };
    let local = |events| ("localhost".to_owned(), events);
    let crawled = ("web-crawlers".to_owned(), 8);
    assert_eq!(counted(&shop).await, [local(6), crawled]);
    assert_eq!(counted(&blog).await, [local(64)]);
}
