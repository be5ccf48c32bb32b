//! What stands between a key and its project, and how long a project keeps events.

use copal_model::{KeyLimit, Origins, Plans};
use copal_store::projects::{KeyPatch, ProjectPatch};

use crate::world::World;

conformance!(
    a_key_opens_with_its_limit_and_the_origins_of_its_project,
    a_project_keeps_events_as_long_as_it_wants_and_its_plan_allows,
);

async fn a_key_opens_with_its_limit_and_the_origins_of_its_project(world: World) {
    let ana = world.org("Ana").await;
    let (shop, blog) = (ana.project("shop").await, ana.project("blog").await);
    let opened = async |key: &str| world.store.open_key(key).await.unwrap().unwrap();
    let before = opened(&shop.public_key).await;
    assert_eq!((before.limit, before.origins), (None, Origins::default()));
    let key = world.store.list_keys(&shop.scope).await.unwrap()[0].id;
    let limit = KeyLimit::new(7, 3_600).ok();
    let set = |limit| KeyPatch {
        limit: Some(limit),
        ..KeyPatch::default()
    };
    let changed = world.store.update_key(&shop.scope, key, set(limit)).await;
    assert_eq!(changed.unwrap().limit, limit);
    let origins = Origins::parse("shop.example\n*.shop.example").unwrap();
    let patch = ProjectPatch {
        allowed_origins: Some(origins.clone()),
        ..ProjectPatch::default()
    };
    let project = world
        .store
        .update_project(&shop.scope, patch)
        .await
        .unwrap();
    assert_eq!(
        (&*project.name, project.allowed_origins),
        ("shop", origins.clone())
    );
    let after = opened(&shop.public_key).await;
    assert_eq!((after.limit, after.origins), (limit, origins));
    // Nothing else leaves it as it is, and the neighbour has never had one.
    let renamed = KeyPatch {
        label: Some("app".to_owned()),
        ..KeyPatch::default()
    };
    let changed = world.store.update_key(&shop.scope, key, renamed).await;
    assert_eq!(changed.unwrap().limit, limit);
    assert_eq!(opened(&blog.public_key).await.limit, None);
    world
        .store
        .update_key(&shop.scope, key, set(None))
        .await
        .unwrap();
    assert_eq!(opened(&shop.public_key).await.limit, None);
}

async fn a_project_keeps_events_as_long_as_it_wants_and_its_plan_allows(world: World) {
    let shop = world.org("Ana").await.project("shop").await;
    let plan = Plans::default().free.retention_days;
    for (chosen, kept) in [(Some(7), 7), (Some(365), plan), (None, plan)] {
        let patch = ProjectPatch {
            retention_days: Some(chosen),
            ..ProjectPatch::default()
        };
        let changed = world
            .store
            .update_project(&shop.scope, patch)
            .await
            .unwrap();
        assert_eq!(changed.retention_days, chosen);
        let unchanged = ProjectPatch::default();
        let changed = world.store.update_project(&shop.scope, unchanged).await;
        assert_eq!(changed.unwrap().retention_days, chosen);
        let access = world.store.open_recording(shop.project.id).await.unwrap();
        assert_eq!(access.unwrap().retention_days, kept);
    }
}
