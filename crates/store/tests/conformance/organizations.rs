//! Organizations and their members.

use copal_model::{OrgId, Plan, Role, UserId};
use copal_store::access::OrgRef;
use copal_store::organizations::OrganizationPatch;
use copal_store::users::UserPatch;

use crate::world::{World, conflict, not_found, slug, start};

conformance!(
    a_shared_organization_has_its_owner,
    an_organization_needs_an_owner_who_exists,
    equal_names_get_slugs_of_their_own,
    organizations_are_listed_personal_first_then_by_name,
    a_change_leaves_out_what_it_does_not_name,
    a_taken_slug_is_refused,
    the_own_slug_may_be_kept,
    a_change_stays_in_its_organization,
    a_deleted_organization_takes_its_projects_along,
    a_personal_organization_stays,
    members_are_listed_by_role_and_name,
    a_person_has_one_personal_organization,
    a_membership_needs_user_and_organization,
);

async fn a_shared_organization_has_its_owner(world: World) {
    let ana = world.org("Ana").await;
    let mut new = world.new_org(&ana, "Acme & Sons");
    new.plan = Plan::Pro;
    let made = world.store.create_organization(new.clone()).await.unwrap();
    assert_eq!(made.id, new.id);
    assert_eq!(made.name, "Acme & Sons");
    assert_eq!(made.slug, slug("acme-sons"));
    assert_eq!(made.plan, Plan::Pro);
    assert_eq!(made.created_at, start());
    assert!(!made.is_personal);

    let list = world.store.list_organizations(ana.user.id).await.unwrap();
    assert!(list.contains(&(made, Role::Owner)));
}

async fn an_organization_needs_an_owner_who_exists(world: World) {
    let ana = world.org("Ana").await;
    let mut new = world.new_org(&ana, "Acme");
    new.owner = UserId::new(world.uuid());
    assert!(world.store.create_organization(new.clone()).await.is_err());
    // Nothing of it is left: the slug is free.
    new.owner = ana.user.id;
    let made = world.store.create_organization(new).await.unwrap();
    assert_eq!(made.slug, slug("acme"));
}

async fn equal_names_get_slugs_of_their_own(world: World) {
    let ana = world.org("Ana").await;
    let mut slugs = Vec::new();
    for _ in 0..3 {
        let new = world.new_org(&ana, "Acme");
        let made = world.store.create_organization(new).await.unwrap();
        slugs.push(made.slug.to_string());
    }
    assert_eq!(slugs, ["acme", "acme-2", "acme-3"]);
}

async fn organizations_are_listed_personal_first_then_by_name(world: World) {
    let (ana, bob) = (world.org("Ana").await, world.org("Bob").await);
    for name in ["zebra", "Acme", "beta"] {
        let new = world.new_org(&ana, name);
        world.store.create_organization(new).await.unwrap();
    }
    let list = world.store.list_organizations(ana.user.id).await.unwrap();
    let names: Vec<_> = list.iter().map(|(org, _)| org.name.as_str()).collect();
    assert_eq!(names, ["Ana's Workspace", "Acme", "beta", "zebra"]);
    let list = world.store.list_organizations(bob.user.id).await.unwrap();
    assert_eq!(list, [(bob.organization, Role::Owner)]);
}

async fn a_change_leaves_out_what_it_does_not_name(world: World) {
    let ana = world.org("Ana").await;
    let patch = OrganizationPatch {
        plan: Some(Plan::Enterprise),
        ..OrganizationPatch::default()
    };
    let changed = world.store.update_organization(&ana.scope, patch).await;
    let changed = changed.unwrap();
    assert_eq!(changed.plan, Plan::Enterprise);
    assert_eq!(changed.name, ana.organization.name);

    let patch = OrganizationPatch {
        name: Some("Acme".to_owned()),
        slug: Some(slug("acme")),
        plan: None,
    };
    let changed = world.store.update_organization(&ana.scope, patch).await;
    let changed = changed.unwrap();
    assert_eq!(
        (changed.name.as_str(), changed.slug.as_str()),
        ("Acme", "acme")
    );
    assert_eq!(changed.plan, Plan::Enterprise);
    assert!(changed.is_personal);
    let old = world.store.open_org(ana.user.id, &ana.by_slug()).await;
    assert!(old.unwrap().is_none(), "the old slug leads nowhere");
}

async fn a_taken_slug_is_refused(world: World) {
    let (ana, bob) = (world.org("Ana").await, world.org("Bob").await);
    let patch = OrganizationPatch {
        name: Some("Bob's".to_owned()),
        slug: Some(bob.organization.slug),
        plan: None,
    };
    let refused = world.store.update_organization(&ana.scope, patch).await;
    assert_eq!(conflict(refused), "slug");
    let list = world.store.list_organizations(ana.user.id).await.unwrap();
    assert_eq!(list[0].0, ana.organization, "nothing was changed");
}

async fn the_own_slug_may_be_kept(world: World) {
    let ana = world.org("Ana").await;
    let patch = OrganizationPatch {
        slug: Some(ana.organization.slug.clone()),
        ..OrganizationPatch::default()
    };
    let kept = world.store.update_organization(&ana.scope, patch).await;
    assert_eq!(kept.unwrap(), ana.organization);
}

async fn a_change_stays_in_its_organization(world: World) {
    let (ana, bob) = (world.org("Ana").await, world.org("Bob").await);
    let patch = OrganizationPatch {
        name: Some("Changed".to_owned()),
        ..OrganizationPatch::default()
    };
    let changed = world.store.update_organization(&ana.scope, patch).await;
    assert_eq!(changed.unwrap().name, "Changed");
    let list = world.store.list_organizations(bob.user.id).await.unwrap();
    assert_eq!(list[0].0, bob.organization);
}

async fn a_deleted_organization_takes_its_projects_along(world: World) {
    let (ana, bob) = (world.org("Ana").await, world.org("Bob").await);
    let new = world.new_org(&ana, "Acme");
    let acme = world.store.create_organization(new).await.unwrap();
    let by_id = OrgRef::Id(acme.id);
    let opened = world.store.open_org(ana.user.id, &by_id).await.unwrap();
    let scope = opened.unwrap().scope;
    let shop = world.new_project("Shop");
    let key = shop.public_key.clone();
    world.store.create_project(&scope, shop).await.unwrap();
    let lands_there = UserPatch {
        default_org: Some(acme.id),
        ..UserPatch::default()
    };
    let moved = world.store.update_user(ana.user.id, lands_there).await;
    moved.unwrap();
    let kept = world.new_project("Kept");
    let kept = world.store.create_project(&bob.scope, kept).await.unwrap();

    world.store.delete_organization(&scope).await.unwrap();
    let gone = world.store.open_org(ana.user.id, &by_id).await.unwrap();
    assert!(gone.is_none());
    let key = world.store.open_key(&key).await.unwrap();
    assert!(key.is_none(), "nothing is let in any more");
    let login = world.store.find_login(&ana.user.email).await.unwrap();
    assert_eq!(login.unwrap().user.default_org, ana.organization.id);
    let projects = world.store.list_projects(&bob.scope).await.unwrap();
    assert_eq!(projects, [kept]);
    let again = world.store.delete_organization(&scope).await;
    assert_eq!(not_found(again), "organization");
}

async fn a_personal_organization_stays(world: World) {
    let ana = world.org("Ana").await;
    let refused = world.store.delete_organization(&ana.scope).await;
    assert_eq!(conflict(refused), "personal organization");
    let list = world.store.list_organizations(ana.user.id).await.unwrap();
    assert_eq!(list, [(ana.organization, Role::Owner)]);
}

async fn members_are_listed_by_role_and_name(world: World) {
    let ana = world.org("Ana").await;
    for (name, role) in [("zoe", "ADMIN"), ("Bob", "VIEWER"), ("Cleo", "ADMIN")] {
        let person = world.org(name).await;
        let joined = world.backdoor.execute(&format!(
            "insert into members (org_id, user_id, role, joined_at)
            values ({}, {}, '{role}', 0)",
            world.backdoor.uuid(ana.organization.id.as_uuid()),
            world.backdoor.uuid(person.user.id.as_uuid()),
        ));
        assert_eq!(joined, Ok(1));
    }
    let members = world.store.list_members(&ana.scope).await.unwrap();
    let names: Vec<_> = members
        .iter()
        .map(|member| (member.role, member.name.as_str()))
        .collect();
    assert_eq!(
        names,
        [
            (Role::Owner, "Ana"),
            (Role::Admin, "Cleo"),
            (Role::Admin, "zoe"),
            (Role::Viewer, "Bob"),
        ]
    );
    assert_eq!(members[0], ana.member);
}

async fn a_person_has_one_personal_organization(world: World) {
    let ana = world.org("Ana").await;
    let second = world.backdoor.execute(&format!(
        "insert into organizations (id, name, slug, plan, personal_user_id, created_at)
        values ({}, 'Second', 'second', 'FREE', {}, 0)",
        world.backdoor.uuid(world.uuid()),
        world.backdoor.uuid(ana.user.id.as_uuid()),
    ));
    assert!(second.unwrap_err().contains("unique"));
}

async fn a_membership_needs_user_and_organization(world: World) {
    let ana = world.org("Ana").await;
    let nobody = (ana.organization.id, UserId::new(world.uuid()));
    let nowhere = (OrgId::new(world.uuid()), ana.user.id);
    for (org, user) in [nobody, nowhere] {
        let refused = world.backdoor.execute(&format!(
            "insert into members (org_id, user_id, role, joined_at)
            values ({}, {}, 'MEMBER', 0)",
            world.backdoor.uuid(org.as_uuid()),
            world.backdoor.uuid(user.as_uuid()),
        ));
        assert!(refused.unwrap_err().contains("foreign key"));
    }
}
