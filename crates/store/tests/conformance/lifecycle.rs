//! What is converted, deleted, taken back and purged.

use copal_model::limits::ORG_GRACE_DAYS;
use copal_model::policy::Refused;
use copal_model::{OrgId, Organization, Plan, Role, UserId};
use copal_store::access::{OrgAccess, OrgRef};
use copal_store::invitations::AddressProof;
use copal_store::lifecycle::{NewHome, NotDeleted, RestoredBy};
use copal_store::members::NotChanged;
use copal_store::organizations::OrganizationPatch;
use copal_store::users::UserPatch;

use crate::invitations::team;
use crate::members::three;
use crate::world::{World, acting, after, not_found, slug, start};

conformance!(
    a_personal_organization_becomes_a_team,
    a_team_is_no_personal_organization_again,
    a_deleted_organization_is_gone_for_everybody,
    a_personal_organization_is_not_deleted,
    only_owners_delete,
    an_owner_takes_a_deletion_back,
    the_operator_takes_a_deletion_back,
    what_was_deleted_is_purged_in_the_end,
    a_slug_that_was_freed_inherits_nothing,
    an_account_goes_with_what_is_its_alone,
    an_account_that_others_need_stays,
    an_account_leaves_what_was_deleted,
);

const DAY: i64 = 86_400;

fn home(world: &World) -> NewHome {
    NewHome {
        id: OrgId::new(world.uuid()),
        plan: Plan::Pro,
    }
}

async fn open(world: &World, user: UserId, org: OrgId) -> Option<OrgAccess> {
    let opened = world.store.open_org(user, &OrgRef::Id(org)).await;
    opened.unwrap()
}

async fn a_personal_organization_becomes_a_team(world: World) {
    let ana = world.org("Ana").await;
    let (store, user, home) = (&world.store, ana.user.id, home(&world));
    let made = store.convert_organization(&ana.scope, acting(user), home);
    let team = made.await.unwrap().unwrap();
    let expected = Organization {
        is_personal: false,
        ..ana.organization.clone()
    };
    assert_eq!(team, expected, "nothing else of it changes");
    let orgs = store.list_organizations(user).await.unwrap();
    let (own, role) = &orgs[0];
    assert_eq!((own.id, own.plan, *role), (home.id, Plan::Pro, Role::Owner));
    assert_eq!(own.name, "Ana's Workspace");
    assert_eq!(own.slug, slug("anas-workspace-2"));
    assert!(own.is_personal);
    let login = store.find_login(&ana.user.email).await.unwrap().unwrap();
    assert_eq!(login.user.default_org, team.id, "they land where they did");
    // D-R9: it is a team as any other.
    let left = store.remove_member(&ana.scope, acting(user), user);
    let last = Some(NotChanged::Refused(Refused::LastOwner));
    assert_eq!(left.await.unwrap().err(), last);
    assert_eq!(world.violations().await, [""; 0]);
}

async fn a_team_is_no_personal_organization_again(world: World) {
    let three = three(&world, Role::Owner, Role::Admin).await;
    let (store, scope) = (&world.store, &three.team.scope);
    let made = store.convert_organization(scope, acting(three.ana), home(&world));
    let team = Some(NotChanged::Refused(Refused::Team));
    assert_eq!(made.await.unwrap().err(), team);
    let orgs = store.list_organizations(three.ana).await.unwrap();
    assert_eq!(orgs.len(), 2, "no other home was made");
}

async fn a_deleted_organization_is_gone_for_everybody(world: World) {
    let three = three(&world, Role::Member, Role::Owner).await;
    let (store, scope) = (&world.store, &three.team.scope);
    let project = store.create_project(scope, world.new_project("Shop")).await;
    let project = project.unwrap();
    let key = project.public_key.unwrap();
    let renamed = OrganizationPatch {
        slug: Some(slug("beta")),
        ..OrganizationPatch::default()
    };
    store.update_organization(scope, renamed).await.unwrap();
    let lands_there = UserPatch {
        name: None,
        default_org: Some(scope.org()),
    };
    store.update_user(three.bo, lands_there).await.unwrap();
    world.delete(scope, three.ana).await;

    for user in [three.ana, three.bo, three.cy] {
        assert_eq!(open(&world, user, scope.org()).await, None);
        let by_slug = store.open_org(user, &OrgRef::Slug(slug("beta"))).await;
        assert_eq!(by_slug.unwrap(), None);
        let by_old = store.open_renamed_org(user, &slug("acme")).await;
        assert_eq!(by_old.unwrap(), None);
        assert_eq!(store.list_organizations(user).await.unwrap().len(), 1);
    }
    let by_operator = store.open_org_as_operator(&OrgRef::Id(scope.org())).await;
    assert_eq!(by_operator.unwrap(), None);
    assert_eq!(store.open_key(&key).await.unwrap(), None, "no key is known");
    let received = store.open_recording(project.id).await.unwrap();
    assert!(received.is_some(), "what was received before is recorded");
    let bo = copal_model::Email::parse("bo@example.org").unwrap();
    let bo = store.find_login(&bo).await.unwrap().unwrap().user;
    assert_ne!(bo.default_org, scope.org());
    // Leave that somebody still has is worth nothing.
    let made = store.create_project(scope, world.new_project("Late")).await;
    assert_eq!(not_found(made), "organization");
    let changed = store.update_organization(scope, OrganizationPatch::default());
    assert_eq!(not_found(changed.await), "organization");
    let again = store.delete_organization(scope, acting(three.ana), Vec::new());
    assert_eq!(not_found(again.await), "organization");
    let left = store.remove_member(scope, acting(three.bo), three.bo);
    assert_eq!(not_found(left.await), "organization");
    assert_eq!(world.violations().await, [""; 0]);
}

async fn a_personal_organization_is_not_deleted(world: World) {
    let ana = world.org("Ana").await;
    let store = &world.store;
    let deleted = store.delete_organization(&ana.scope, acting(ana.user.id), Vec::new());
    let personal = Some(NotChanged::Refused(Refused::Personal));
    assert_eq!(deleted.await.unwrap().err(), personal);
    let list = store.list_organizations(ana.user.id).await.unwrap();
    assert_eq!(list, [(ana.organization, Role::Owner)]);
}

async fn only_owners_delete(world: World) {
    let three = three(&world, Role::Admin, Role::Viewer).await;
    let (store, scope) = (&world.store, &three.team.scope);
    for user in [three.bo, three.cy] {
        let deleted = store.delete_organization(scope, acting(user), Vec::new());
        let refused = deleted.await.unwrap().unwrap_err();
        assert!(matches!(
            refused,
            NotChanged::Refused(Refused::RoleTooLow(_))
        ));
    }
    assert!(open(&world, three.cy, scope.org()).await.is_some());
}

async fn an_owner_takes_a_deletion_back(world: World) {
    let three = three(&world, Role::Admin, Role::Owner).await;
    let (store, scope) = (&world.store, &three.team.scope);
    let project = store.create_project(scope, world.new_project("Shop")).await;
    let key = project.unwrap().public_key.unwrap();
    let org = OrgRef::Id(scope.org());
    assert!(
        store
            .open_deleted_org(three.ana, &org)
            .await
            .unwrap()
            .is_none()
    );
    let restore = |user| {
        let by = RestoredBy::Owner(acting(user));
        store.restore_organization(scope, by)
    };
    assert_eq!(not_found(restore(three.ana).await), "organization");
    world.delete(scope, three.ana).await;

    assert!(
        store
            .open_deleted_org(three.bo, &org)
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        store
            .list_deleted_organizations(three.bo)
            .await
            .unwrap()
            .is_empty()
    );
    let refused = restore(three.bo).await.unwrap().unwrap_err();
    assert!(matches!(
        refused,
        NotChanged::Refused(Refused::RoleTooLow(_))
    ));
    let stranger = world.org("Di").await.user.id;
    assert_eq!(not_found(restore(stranger).await), "organization");

    let opened = store.open_deleted_org(three.cy, &org).await.unwrap();
    assert_eq!(opened.unwrap().scope, *scope);
    let listed = store.list_deleted_organizations(three.cy).await.unwrap();
    assert_eq!(listed[0].organization, three.team.organization);
    assert_eq!(listed[0].deleted_at, start());
    assert_eq!(listed[0].purged_at(), after(ORG_GRACE_DAYS * DAY));
    let restored = restore(three.cy).await.unwrap().unwrap();
    assert_eq!(restored, three.team.organization);
    for user in [three.ana, three.bo, three.cy] {
        assert!(open(&world, user, scope.org()).await.is_some());
    }
    assert!(store.open_key(&key).await.unwrap().is_some());
    assert!(
        store
            .list_deleted_organizations(three.cy)
            .await
            .unwrap()
            .is_empty()
    );
}

async fn the_operator_takes_a_deletion_back(world: World) {
    let acme = team(&world, "Ana").await;
    let store = &world.store;
    let by_slug = OrgRef::Slug(acme.organization.slug.clone());
    let none = store.open_deleted_org_as_operator(&by_slug).await.unwrap();
    assert_eq!(none, None);
    world.delete(&acme.scope, acme.owner.id).await;
    let found = store.open_deleted_org_as_operator(&by_slug).await.unwrap();
    let (scope, _) = found.unwrap();
    let restored = store
        .restore_organization(&scope, RestoredBy::Operator)
        .await;
    assert_eq!(restored.unwrap().unwrap(), acme.organization);
}

async fn what_was_deleted_is_purged_in_the_end(world: World) {
    let acme = team(&world, "Ana").await;
    let store = &world.store;
    let kept = store
        .create_project(&acme.scope, world.new_project("Shop"))
        .await;
    kept.unwrap();
    world.delete(&acme.scope, acme.owner.id).await;
    let over = ORG_GRACE_DAYS * DAY;
    assert_eq!(store.purge_organizations(after(over - 1)).await.unwrap(), 0);
    assert_eq!(world.backdoor.count("select count(*) from projects"), 1);
    assert_eq!(store.purge_organizations(after(over)).await.unwrap(), 1);
    assert_eq!(store.purge_organizations(after(over)).await.unwrap(), 0);
    for (table, left) in [("projects", 0), ("organizations", 1), ("members", 1)] {
        let count = format!("select count(*) from {table}");
        assert_eq!(world.backdoor.count(&count), left, "{table}");
    }
    let by = RestoredBy::Operator;
    let restored = store.restore_organization(&acme.scope, by).await;
    assert_eq!(not_found(restored), "organization");
    assert_eq!(world.violations().await, [""; 0]);
}

async fn a_slug_that_was_freed_inherits_nothing(world: World) {
    let acme = team(&world, "Ana").await;
    let store = &world.store;
    let renamed = OrganizationPatch {
        slug: Some(slug("beta")),
        ..OrganizationPatch::default()
    };
    store
        .update_organization(&acme.scope, renamed)
        .await
        .unwrap();
    world.delete(&acme.scope, acme.owner.id).await;
    let bo = world.org("Bo").await;
    let made = store.create_organization(world.new_org(&bo, "Beta")).await;
    assert_eq!(
        made.unwrap().slug,
        slug("beta-2"),
        "it is kept for who comes back"
    );
    store
        .purge_organizations(after(ORG_GRACE_DAYS * DAY))
        .await
        .unwrap();

    let made = store.create_organization(world.new_org(&bo, "Beta")).await;
    let made = made.unwrap();
    assert_eq!(made.slug, slug("beta"));
    for old in ["acme", "beta"].map(slug) {
        let by_slug = OrgRef::Slug(old.clone());
        let by_slug = store.open_org(acme.owner.id, &by_slug);
        assert_eq!(by_slug.await.unwrap(), None);
        let by_old = store.open_renamed_org(acme.owner.id, &old).await;
        assert_eq!(by_old.unwrap(), None);
    }
    let access = open(&world, bo.user.id, made.id).await.unwrap();
    assert_eq!(store.list_members(&access.scope).await.unwrap().len(), 1);
    let invited = store.list_invitations(&access.scope, start()).await;
    assert!(invited.unwrap().is_empty());
}

async fn delete(world: &World, user: UserId) -> Result<(), NotDeleted> {
    let store = &world.store;
    let deleted = store.delete_account(user, AddressProof::Waived, start());
    deleted.await.unwrap()
}

async fn an_account_goes_with_what_is_its_alone(world: World) {
    let three = three(&world, Role::Owner, Role::Member).await;
    let ana = three.team.owner.clone();
    let alone = world
        .store
        .create_organization(copal_store::organizations::NewOrganization {
            id: OrgId::new(world.uuid()),
            name: "Alone".to_owned(),
            plan: Plan::Free,
            owner: ana.id,
            now: start(),
        });
    let alone = alone.await.unwrap();
    assert_eq!(delete(&world, ana.id).await, Ok(()));
    let found = world.store.find_login(&ana.email).await.unwrap();
    assert!(found.is_none());
    for gone in [ana.default_org, alone.id] {
        let gone = world.store.open_org_as_operator(&OrgRef::Id(gone)).await;
        assert_eq!(gone.unwrap(), None);
    }
    assert_eq!(three.role(&world, three.ana).await, None);
    assert_eq!(three.role(&world, three.bo).await, Some(Role::Owner));
    let again = world
        .store
        .delete_account(ana.id, AddressProof::Waived, start());
    assert_eq!(not_found(again.await), "user");
    assert_eq!(world.violations().await, [""; 0]);
}

async fn an_account_that_others_need_stays(world: World) {
    let three = three(&world, Role::Admin, Role::Member).await;
    let held = NotDeleted::LastOwnerOf(vec![three.team.organization.clone()]);
    assert_eq!(delete(&world, three.ana).await, Err(held.clone()));
    let held_by = |user| world.store.list_holding(user, AddressProof::Waived);
    let one = std::slice::from_ref(&three.team.organization);
    assert_eq!(held_by(three.ana).await.unwrap(), one);
    assert!(held_by(three.cy).await.unwrap().is_empty());
    let left = world.store.list_organizations(three.ana).await.unwrap();
    assert_eq!(left.len(), 2, "nothing was changed");
    three.put(&world, three.bo, Role::Owner);
    let unproven = world
        .store
        .delete_account(three.ana, AddressProof::Needed, start());
    assert_eq!(unproven.await.unwrap(), Err(held));
    assert_eq!(delete(&world, three.ana).await, Ok(()));
    assert_eq!(
        delete(&world, three.cy).await,
        Ok(()),
        "a member just leaves"
    );
    assert_eq!(three.role(&world, three.bo).await, Some(Role::Owner));
}

async fn an_account_leaves_what_was_deleted(world: World) {
    let three = three(&world, Role::Admin, Role::Member).await;
    world.delete(&three.team.scope, three.ana).await;
    assert_eq!(delete(&world, three.bo).await, Ok(()));
    assert_eq!(delete(&world, three.ana).await, Ok(()));
    let org = OrgRef::Id(three.team.scope.org());
    let left = world.store.open_deleted_org_as_operator(&org).await;
    assert_eq!(left.unwrap(), None, "nobody could take it back");
    assert_eq!(world.violations().await, [""; 0]);
}
