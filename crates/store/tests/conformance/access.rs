//! Credentials to scopes: what is another's is as if it were not there.

use copal_model::{OrgId, Plan, Plans, ProjectId};
use copal_store::access::{OrgRef, ProjectRef};
use copal_store::organizations::OrganizationPatch;

use crate::world::{World, slug};

conformance!(
    a_member_is_let_in_by_id_and_by_slug,
    a_foreign_organization_is_as_a_missing_one,
    a_project_is_opened_by_id_and_by_slug,
    a_foreign_project_is_as_a_missing_one,
    a_key_leads_to_its_project,
    an_unknown_key_leads_nowhere,
    recording_knows_the_retention_of_the_plan,
    the_operator_is_let_in_everywhere,
);

async fn a_member_is_let_in_by_id_and_by_slug(world: World) {
    let ana = world.org("Ana").await;
    for org in [OrgRef::Id(ana.organization.id), ana.by_slug()] {
        let access = world.store.open_org(ana.user.id, &org).await.unwrap();
        let access = access.expect("Ana is a member");
        assert_eq!(access.organization, ana.organization);
        assert_eq!(access.member, ana.member);
        assert_eq!(access.scope.org(), ana.organization.id);
    }
}

async fn a_foreign_organization_is_as_a_missing_one(world: World) {
    let (ana, bob) = (world.org("Ana").await, world.org("Bob").await);
    for org in [
        OrgRef::Id(bob.organization.id),
        bob.by_slug(),
        OrgRef::Id(OrgId::new(world.uuid())),
        OrgRef::Slug(slug("missing")),
    ] {
        let access = world.store.open_org(ana.user.id, &org).await.unwrap();
        assert_eq!(access, None, "{org:?}");
    }
}

async fn a_project_is_opened_by_id_and_by_slug(world: World) {
    let ana = world.org("Ana").await;
    let shop = ana.project("shop").await;
    for project in [
        ProjectRef::Id(shop.project.id),
        ProjectRef::Slug(slug("shop")),
    ] {
        let opened = world.store.open_project(&ana.scope, &project).await;
        let (scope, project) = opened.unwrap().expect("it is Ana's");
        assert_eq!(project, shop.project);
        assert_eq!(scope.project(), shop.project.id);
        assert_eq!(scope.org(), ana.organization.id);
    }
}

async fn a_foreign_project_is_as_a_missing_one(world: World) {
    let (ana, bob) = (world.org("Ana").await, world.org("Bob").await);
    let secret = bob.project("secret").await;
    for project in [
        ProjectRef::Id(secret.project.id),
        ProjectRef::Slug(slug("secret")),
        ProjectRef::Id(ProjectId::new(ProjectId::MAX).unwrap()),
        ProjectRef::Slug(slug("missing")),
    ] {
        let opened = world.store.open_project(&ana.scope, &project).await;
        assert_eq!(opened.unwrap(), None, "{project:?}");
    }
}

async fn a_key_leads_to_its_project(world: World) {
    let (ana, bob) = (world.org("Ana").await, world.org("Bob").await);
    let (shop, _) = (ana.project("shop").await, bob.project("shop").await);
    let access = world.store.open_key(&shop.public_key).await.unwrap();
    let access = access.expect("the key is known");
    assert_eq!(access.scope, shop.scope);
    assert!(access.is_active);
}

async fn an_unknown_key_leads_nowhere(world: World) {
    let ana = world.org("Ana").await;
    let shop = ana.project("shop").await;
    for key in [
        world.public_key(),
        shop.public_key.to_ascii_uppercase(),
        shop.public_key[..31].to_owned(),
        shop.public_key.replace('0', "\0"),
        String::new(),
    ] {
        let access = world.store.open_key(&key).await.unwrap();
        assert_eq!(access, None, "{key:?}");
    }
}

async fn recording_knows_the_retention_of_the_plan(world: World) {
    let ana = world.org("Ana").await;
    let shop = ana.project("shop").await;
    for plan in [Plan::Free, Plan::Pro, Plan::Enterprise] {
        let patch = OrganizationPatch {
            plan: Some(plan),
            ..OrganizationPatch::default()
        };
        let changed = world.store.update_organization(&ana.scope, patch).await;
        assert_eq!(changed.unwrap().plan, plan);
        let access = world.store.open_recording(shop.project.id).await.unwrap();
        let access = access.expect("the project is there");
        assert_eq!(
            access.retention_days,
            Plans::default().of(plan).retention_days
        );
        assert_eq!(access.scope, shop.scope);
    }
    let missing = ProjectId::new(ProjectId::MAX).unwrap();
    let access = world.store.open_recording(missing).await.unwrap();
    assert_eq!(access, None);
}

async fn the_operator_is_let_in_everywhere(world: World) {
    let ana = world.org("Ana").await;
    for org in [OrgRef::Id(ana.organization.id), ana.by_slug()] {
        let opened = world.store.open_org_as_operator(&org).await.unwrap();
        let (scope, organization) = opened.expect("it exists");
        assert_eq!(organization, ana.organization);
        assert_eq!(scope, ana.scope);
    }
    let missing = OrgRef::Slug(slug("missing"));
    let opened = world.store.open_org_as_operator(&missing).await.unwrap();
    assert_eq!(opened, None);
}
