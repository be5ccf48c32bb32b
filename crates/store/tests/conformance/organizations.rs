//! Organizations and their members.

use copal_model::limits::OLD_SLUGS_PER_ORG_MAX;
use copal_model::policy::{OrgSetting, OrgSettings};
use copal_model::{OrgId, Plan, Role, UserId};
use copal_store::OrgScope;
use copal_store::organizations::OrganizationPatch;

use crate::world::{World, conflict, slug, start};

conformance!(
    a_shared_organization_has_its_owner,
    an_organization_needs_an_owner_who_exists,
    equal_names_get_slugs_of_their_own,
    organizations_are_listed_personal_first_then_by_name,
    a_change_leaves_out_what_it_does_not_name,
    a_taken_slug_is_refused,
    the_own_slug_may_be_kept,
    settings_change_one_by_one,
    an_old_slug_leads_members_on,
    who_has_a_slug_now_goes_before_who_had_it,
    so_many_old_slugs_are_kept,
    a_change_stays_in_its_organization,
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
        ..OrganizationPatch::default()
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
    assert!(old.unwrap().is_none(), "the old slug is no name of it");
}

async fn a_taken_slug_is_refused(world: World) {
    let (ana, bob) = (world.org("Ana").await, world.org("Bob").await);
    let patch = OrganizationPatch {
        name: Some("Bob's".to_owned()),
        slug: Some(bob.organization.slug),
        ..OrganizationPatch::default()
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

async fn settings_change_one_by_one(world: World) {
    let (ana, bob) = (world.org("Ana").await, world.org("Bob").await);
    assert_eq!(ana.organization.settings, OrgSettings::STANDARD);
    let mut expected = OrgSettings::STANDARD;
    for setting in OrgSetting::ALL {
        let is_on = !expected.has(setting);
        expected = if is_on {
            expected.with(setting)
        } else {
            expected.without(setting)
        };
        let patch = OrganizationPatch {
            settings: vec![(setting, !is_on), (setting, is_on)],
            ..OrganizationPatch::default()
        };
        let changed = world.store.update_organization(&ana.scope, patch).await;
        assert_eq!(changed.unwrap().settings, expected, "{setting}");
        let opened = world.store.open_org(ana.user.id, &ana.by_slug()).await;
        assert_eq!(opened.unwrap().unwrap().organization.settings, expected);
    }
    let others = world.store.open_org(bob.user.id, &bob.by_slug()).await;
    let others = others.unwrap().unwrap().organization.settings;
    assert_eq!(others, OrgSettings::STANDARD, "of others nothing changes");
}

/// Gives an organization another slug.
async fn rename(world: &World, scope: &OrgScope, to: &str) {
    let patch = OrganizationPatch {
        slug: Some(slug(to)),
        ..OrganizationPatch::default()
    };
    let changed = world.store.update_organization(scope, patch).await;
    assert_eq!(changed.unwrap().slug, slug(to));
}

async fn an_old_slug_leads_members_on(world: World) {
    let (ana, bob) = (world.org("Ana").await, world.org("Bob").await);
    let old = ana.organization.slug.clone();
    let renamed = |user| {
        let (store, old) = (world.store.clone(), old.clone());
        async move { store.open_renamed_org(user, &old).await.unwrap() }
    };
    assert!(renamed(ana.user.id).await.is_none(), "it is no old one yet");
    rename(&world, &ana.scope, "acme").await;
    rename(&world, &ana.scope, "beta").await;
    let found = renamed(ana.user.id).await.unwrap();
    assert_eq!(found.organization.slug, slug("beta"));
    assert_eq!((found.scope, found.member), (ana.scope, ana.member.clone()));
    assert!(
        renamed(bob.user.id).await.is_none(),
        "to others it is nothing"
    );
    rename(&world, &ana.scope, old.as_str()).await;
    assert!(renamed(ana.user.id).await.is_none(), "it is the slug again");
    let acme = slug("acme");
    let acme = world.store.open_renamed_org(ana.user.id, &acme).await;
    assert_eq!(acme.unwrap().unwrap().organization.slug, old);
}

async fn who_has_a_slug_now_goes_before_who_had_it(world: World) {
    let (ana, bob) = (world.org("Ana").await, world.org("Bob").await);
    let old = ana.organization.slug.clone();
    rename(&world, &ana.scope, "acme").await;
    rename(&world, &bob.scope, old.as_str()).await;
    let opened = world.store.open_org(ana.user.id, &ana.by_slug()).await;
    assert!(opened.unwrap().is_none(), "it is of others now");
    let led = world.store.open_renamed_org(ana.user.id, &old).await;
    assert_eq!(led.unwrap().unwrap().scope, ana.scope);
    let opened = world.store.open_org(bob.user.id, &ana.by_slug()).await;
    assert_eq!(opened.unwrap().unwrap().scope, bob.scope);
}

async fn so_many_old_slugs_are_kept(world: World) {
    let ana = world.org("Ana").await;
    let kept = i64::from(OLD_SLUGS_PER_ORG_MAX);
    for number in 0..=kept {
        rename(&world, &ana.scope, &format!("acme-{number}")).await;
    }
    let first = world
        .store
        .open_renamed_org(ana.user.id, &ana.organization.slug);
    assert!(first.await.unwrap().is_none(), "one more than are kept");
    let second = slug("acme-0");
    let second = world.store.open_renamed_org(ana.user.id, &second).await;
    assert!(second.unwrap().is_some());
    let rows = world.backdoor.count("select count(*) from old_slugs");
    assert_eq!(rows, kept);
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
