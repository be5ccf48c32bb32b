//! Projects and their client keys.

use copal_model::limits::{KEYS_PER_PROJECT_MAX, PROJECTS_PER_ORG_MAX};
use copal_model::{KeyId, Slug};
use copal_store::access::ProjectRef;
use copal_store::projects::{KeyPatch, NewKey, ProjectPatch};

use crate::world::{InProject, World, after, conflict, limit, not_found, slug, start};

conformance!(
    a_project_comes_with_a_key,
    equal_names_get_slugs_of_their_own,
    slugs_are_each_organizations_own,
    ids_go_up_and_are_never_used_again,
    an_organization_has_so_many_projects_and_no_more,
    projects_are_listed_by_name_and_own_ones_only,
    a_change_leaves_out_what_it_does_not_name,
    a_taken_slug_is_refused,
    a_deleted_project_is_gone_with_its_keys,
    keys_are_listed_oldest_first,
    the_oldest_active_key_is_the_projects,
    a_key_is_changed_in_its_project_only,
    a_key_is_deleted_in_its_project_only,
    a_public_key_is_taken_once,
    a_project_has_so_many_keys_and_no_more,
    a_key_cannot_join_a_project_of_another_organization,
    a_project_that_moves_takes_its_keys_along,
);

fn new_key(world: &World, label: &str) -> NewKey {
    NewKey {
        id: KeyId::new(world.uuid()),
        public_key: world.public_key(),
        label: label.to_owned(),
        limit: None,
        now: after(1),
    }
}

async fn public_key(world: &World, shop: &InProject) -> Option<String> {
    let org = shop.scope.org_scope();
    let found = world
        .store
        .open_project(&org, &ProjectRef::Id(shop.project.id))
        .await
        .unwrap();
    found.expect("the project is there").1.public_key
}

async fn a_project_comes_with_a_key(world: World) {
    let ana = world.org("Ana").await;
    let new = world.new_project("Shop");
    let made = world.store.create_project(&ana.scope, new.clone()).await;
    let made = made.unwrap();
    assert_eq!(made.org_id, ana.organization.id);
    assert_eq!(made.name, "Shop");
    assert_eq!(made.slug, slug("shop"));
    assert_eq!(made.platform.as_deref(), Some("python"));
    assert_eq!(made.public_key.as_ref(), Some(&new.public_key));
    assert_eq!(made.first_event_at, None);
    assert_eq!(made.created_at, start());

    let opened = world
        .store
        .open_project(&ana.scope, &ProjectRef::Slug(slug("shop")))
        .await
        .unwrap();
    let (scope, opened) = opened.expect("the project is there");
    assert_eq!(opened, made);
    let keys = world.store.list_keys(&scope).await.unwrap();
    assert_eq!(keys.len(), 1);
    assert_eq!((keys[0].id, keys[0].is_active), (new.key_id, true));
    assert_eq!(keys[0].public_key, new.public_key);
}

async fn equal_names_get_slugs_of_their_own(world: World) {
    let ana = world.org("Ana").await;
    let mut slugs = Vec::new();
    for name in ["Shop", "shop!", "SHOP", "42"] {
        slugs.push(ana.project(name).await.project.slug.to_string());
    }
    assert_eq!(slugs, ["shop", "shop-2", "shop-3", "project"]);
}

async fn slugs_are_each_organizations_own(world: World) {
    let (ana, bob) = (world.org("Ana").await, world.org("Bob").await);
    let (anas, bobs) = (ana.project("shop").await, bob.project("shop").await);
    assert_eq!(anas.project.slug, bobs.project.slug);
    assert_ne!(anas.project.id, bobs.project.id);
}

async fn ids_go_up_and_are_never_used_again(world: World) {
    let ana = world.org("Ana").await;
    assert_eq!(ana.project("a").await.project.id.get(), 1);
    let last = ana.project("b").await;
    assert_eq!(last.project.id.get(), 2);
    world.store.delete_project(&last.scope).await.unwrap();
    assert_eq!(ana.project("b").await.project.id.get(), 3);
}

async fn an_organization_has_so_many_projects_and_no_more(world: World) {
    let (ana, bob) = (world.org("Ana").await, world.org("Bob").await);
    ana.lift_limits_of_plan().await;
    ana.fill_with_projects(PROJECTS_PER_ORG_MAX - 1);
    ana.project("the last").await;
    let one_more = world.new_project("one more");
    let refused = world.store.create_project(&ana.scope, one_more).await;
    assert_eq!(limit(refused), PROJECTS_PER_ORG_MAX);
    bob.project("the limit is each organization's own").await;
}

async fn projects_are_listed_by_name_and_own_ones_only(world: World) {
    let (ana, bob) = (world.org("Ana").await, world.org("Bob").await);
    for name in ["web", "API", "jobs"] {
        ana.project(name).await;
    }
    bob.project("secret").await;
    let projects = world.store.list_projects(&ana.scope).await.unwrap();
    let names: Vec<_> = projects.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(names, ["API", "jobs", "web"]);
}

async fn a_change_leaves_out_what_it_does_not_name(world: World) {
    let ana = world.org("Ana").await;
    let shop = ana.project("shop").await;
    let other = ana.project("other").await;
    let patch = ProjectPatch {
        name: Some("Web shop".to_owned()),
        slug: Some(slug("web-shop")),
        platform: Some("node".to_owned()),
        ..ProjectPatch::default()
    };
    let changed = world.store.update_project(&shop.scope, patch).await;
    let changed = changed.unwrap();
    assert_eq!(changed.name, "Web shop");
    assert_eq!(changed.slug, slug("web-shop"));
    assert_eq!(changed.platform.as_deref(), Some("node"));
    assert_eq!(changed.public_key, shop.project.public_key);

    let nothing = ProjectPatch::default();
    let same = world.store.update_project(&shop.scope, nothing).await;
    assert_eq!(same.unwrap(), changed);
    let projects = world.store.list_projects(&ana.scope).await.unwrap();
    assert!(projects.contains(&other.project), "the other one is as was");
}

async fn a_taken_slug_is_refused(world: World) {
    let (ana, bob) = (world.org("Ana").await, world.org("Bob").await);
    let shop = ana.project("shop").await;
    let jobs = ana.project("jobs").await;
    let take = |wanted: &Slug| ProjectPatch {
        slug: Some(wanted.clone()),
        ..ProjectPatch::default()
    };
    let refused = world
        .store
        .update_project(&jobs.scope, take(&shop.project.slug))
        .await;
    assert_eq!(conflict(refused), "slug");
    let bobs = bob.project("anything").await;
    let allowed = world
        .store
        .update_project(&bobs.scope, take(&shop.project.slug))
        .await;
    assert!(allowed.is_ok(), "slugs are each organization's own");
}

async fn a_deleted_project_is_gone_with_its_keys(world: World) {
    let ana = world.org("Ana").await;
    let (shop, jobs) = (ana.project("shop").await, ana.project("jobs").await);
    world.store.delete_project(&shop.scope).await.unwrap();

    let by_id = ProjectRef::Id(shop.project.id);
    let opened = world.store.open_project(&ana.scope, &by_id).await;
    assert_eq!(opened.unwrap(), None);
    assert_eq!(world.store.open_key(&shop.public_key).await.unwrap(), None);
    let recording = world.store.open_recording(shop.project.id).await;
    assert_eq!(recording.unwrap(), None);
    assert!(
        world
            .store
            .open_key(&jobs.public_key)
            .await
            .unwrap()
            .is_some()
    );

    // A scope that outlives its project leads nowhere.
    let again = world.store.delete_project(&shop.scope).await;
    assert_eq!(not_found(again), "project");
    let patch = ProjectPatch::default();
    let changed = world.store.update_project(&shop.scope, patch).await;
    assert_eq!(not_found(changed), "project");
    let key = world.store.create_key(&shop.scope, new_key(&world, "late"));
    assert_eq!(not_found(key.await), "project");
    assert_eq!(world.store.list_keys(&shop.scope).await.unwrap(), []);
}

async fn keys_are_listed_oldest_first(world: World) {
    let ana = world.org("Ana").await;
    let (shop, jobs) = (ana.project("shop").await, ana.project("jobs").await);
    let new = new_key(&world, "Mobile");
    let made = world.store.create_key(&shop.scope, new.clone()).await;
    let made = made.unwrap();
    assert_eq!((made.id, made.project_id), (new.id, shop.project.id));
    assert_eq!(made.label, "Mobile");
    assert!(made.is_active);

    let keys = world.store.list_keys(&shop.scope).await.unwrap();
    let labels: Vec<_> = keys.iter().map(|key| key.label.as_str()).collect();
    assert_eq!(labels, ["Default", "Mobile"]);
    assert_eq!(keys[1], made);
    assert_eq!(world.store.list_keys(&jobs.scope).await.unwrap().len(), 1);
}

async fn the_oldest_active_key_is_the_projects(world: World) {
    let ana = world.org("Ana").await;
    let shop = ana.project("shop").await;
    let second = new_key(&world, "second");
    world
        .store
        .create_key(&shop.scope, second.clone())
        .await
        .unwrap();
    assert_eq!(
        public_key(&world, &shop).await.as_ref(),
        Some(&shop.public_key)
    );

    let first = world.store.list_keys(&shop.scope).await.unwrap()[0].id;
    let off = KeyPatch {
        is_active: Some(false),
        ..KeyPatch::default()
    };
    let changed = world.store.update_key(&shop.scope, first, off.clone());
    assert!(!changed.await.unwrap().is_active);
    assert_eq!(
        public_key(&world, &shop).await.as_ref(),
        Some(&second.public_key)
    );
    let changed = world.store.update_key(&shop.scope, second.id, off);
    assert!(!changed.await.unwrap().is_active);
    assert_eq!(public_key(&world, &shop).await, None);
}

async fn a_key_is_changed_in_its_project_only(world: World) {
    let ana = world.org("Ana").await;
    let (shop, jobs) = (ana.project("shop").await, ana.project("jobs").await);
    let key = world.store.list_keys(&shop.scope).await.unwrap()[0].clone();
    let patch = KeyPatch {
        label: Some("Old app".to_owned()),
        is_active: Some(false),
        ..KeyPatch::default()
    };
    let refused = world.store.update_key(&jobs.scope, key.id, patch.clone());
    assert_eq!(not_found(refused.await), "key");
    assert_eq!(world.store.list_keys(&shop.scope).await.unwrap()[0], key);

    let changed = world.store.update_key(&shop.scope, key.id, patch).await;
    let changed = changed.unwrap();
    assert_eq!(changed.label, "Old app");
    assert!(!changed.is_active);
    let access = world.store.open_key(&key.public_key).await.unwrap();
    assert!(!access.expect("the key is known").is_active);

    let back = KeyPatch {
        is_active: Some(true),
        ..KeyPatch::default()
    };
    let changed = world.store.update_key(&shop.scope, key.id, back).await;
    let changed = changed.unwrap();
    assert_eq!(
        (changed.label.as_str(), changed.is_active),
        ("Old app", true)
    );
}

async fn a_key_is_deleted_in_its_project_only(world: World) {
    let ana = world.org("Ana").await;
    let (shop, jobs) = (ana.project("shop").await, ana.project("jobs").await);
    let key = world.store.list_keys(&shop.scope).await.unwrap()[0].id;
    let refused = world.store.delete_key(&jobs.scope, key).await;
    assert_eq!(not_found(refused), "key");
    world.store.delete_key(&shop.scope, key).await.unwrap();
    assert_eq!(world.store.open_key(&shop.public_key).await.unwrap(), None);
    let again = world.store.delete_key(&shop.scope, key).await;
    assert_eq!(not_found(again), "key");
}

async fn a_public_key_is_taken_once(world: World) {
    let ana = world.org("Ana").await;
    let (shop, jobs) = (ana.project("shop").await, ana.project("jobs").await);
    let mut new = new_key(&world, "copy");
    new.public_key = shop.public_key;
    let refused = world.store.create_key(&jobs.scope, new).await;
    assert_eq!(conflict(refused), "public_key");
}

async fn a_project_has_so_many_keys_and_no_more(world: World) {
    let ana = world.org("Ana").await;
    let (shop, jobs) = (ana.project("shop").await, ana.project("jobs").await);
    for _ in 1..KEYS_PER_PROJECT_MAX {
        let new = new_key(&world, "one of many");
        world.store.create_key(&shop.scope, new).await.unwrap();
    }
    let refused = world
        .store
        .create_key(&shop.scope, new_key(&world, "one more"))
        .await;
    assert_eq!(limit(refused), KEYS_PER_PROJECT_MAX);
    let allowed = world
        .store
        .create_key(&jobs.scope, new_key(&world, "first"))
        .await;
    assert!(allowed.is_ok(), "the limit is each project's own");
}

async fn a_key_cannot_join_a_project_of_another_organization(world: World) {
    let (ana, bob) = (world.org("Ana").await, world.org("Bob").await);
    let shop = ana.project("shop").await;
    let joined = world.backdoor.execute(&format!(
        "insert into client_keys
            (id, org_id, project_id, public_key, label, is_active, created_at)
        values ({}, {}, {}, '{}', 'wrong', true, 0)",
        world.backdoor.uuid(world.uuid()),
        world.backdoor.uuid(bob.organization.id.as_uuid()),
        shop.project.id,
        world.public_key(),
    ));
    assert!(joined.unwrap_err().contains("foreign key"));
}

async fn a_project_that_moves_takes_its_keys_along(world: World) {
    let (ana, bob) = (world.org("Ana").await, world.org("Bob").await);
    let shop = ana.project("shop").await;
    let moved = world.backdoor.execute(&format!(
        "update projects set org_id = {} where id = {}",
        world.backdoor.uuid(bob.organization.id.as_uuid()),
        shop.project.id,
    ));
    assert_eq!(moved, Ok(1));
    let access = world.store.open_key(&shop.public_key).await.unwrap();
    assert_eq!(access.unwrap().scope.org(), bob.organization.id);
    assert_eq!(world.store.list_keys(&shop.scope).await.unwrap(), []);
}
