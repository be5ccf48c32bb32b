//! Projects that are deleted, taken back, purged, and moved to another organization.

use copal_model::limits::PROJECT_GRACE_DAYS;
use copal_model::policy::{Action, Refused};
use copal_model::{
    InboundSettings, IssueStatus, KeyLimit, Plan, Plans, ProjectId, Role, Switch, Timestamp,
};
use copal_store::access::{IssueRef, OrgRef, ProjectRef};
use copal_store::issues::{IssueQuery, StatusCounts};
use copal_store::members::NotChanged;
use copal_store::projects::{KeyPatch, ProjectPatch};
use copal_store::record::Disposition;
use copal_store::{Error, OrgScope, PageRequest};

use crate::telemetry::noon;
use crate::world::{InProject, Org, World, acting, not_found, slug};

conformance!(
    a_deleted_project_is_gone_and_what_was_received_is_recorded,
    nothing_of_a_deleted_project_is_listed,
    a_deletion_is_taken_back_and_nothing_is_missing,
    only_what_was_deleted_here_is_taken_back,
    what_is_taken_back_needs_room_in_the_plan,
    a_deleted_project_is_purged_when_nobody_can_take_it_back,
    an_organization_is_purged_with_its_deleted_projects,
    a_project_moves_with_all_that_is_its_own,
    only_who_owns_both_moves_a_project,
    a_plan_has_to_have_room_for_a_project_that_moves,
    a_slug_that_is_taken_gets_a_number,
    a_project_moves_once_whoever_tries_at_once,
);

/// Ana with a project of two issues.
async fn shop(world: &World) -> (Org, InProject) {
    let ana = world.org("Ana").await;
    ana.lift_limits_of_plan().await;
    let shop = ana.project("Shop").await;
    world
        .record(vec![shop.event(1, 1), shop.event(2, 2), shop.event(3, 2)])
        .await;
    (ana, shop)
}

async fn retire(world: &World, shop: &InProject, now: Timestamp) {
    let retired = world.store.retire_project(&shop.scope, now).await;
    retired.unwrap();
}

async fn is_open(world: &World, org: &OrgScope, project: ProjectId) -> bool {
    let opened = world
        .store
        .open_project(org, &ProjectRef::Id(project))
        .await;
    opened.unwrap().is_some()
}

async fn issues(world: &World, org: &OrgScope) -> usize {
    let page = PageRequest::first(100);
    let listed = world
        .store
        .list_issues(org, &IssueQuery::default(), &page)
        .await;
    listed.unwrap().rows.len()
}

/// An organization of that plan that Ana owns too.
async fn other(world: &World, ana: &Org, plan: Plan) -> OrgScope {
    let mut new = world.new_org(ana, "Other");
    new.plan = plan;
    let made = world.store.create_organization(new).await.unwrap();
    let opened = world
        .store
        .open_org(ana.user.id, &OrgRef::Id(made.id))
        .await;
    opened.unwrap().unwrap().scope
}

async fn a_deleted_project_is_gone_and_what_was_received_is_recorded(world: World) {
    let (ana, shop) = shop(&world).await;
    let store = &world.store;
    retire(&world, &shop, noon()).await;
    for wanted in [
        ProjectRef::Id(shop.project.id),
        ProjectRef::Slug(slug("shop")),
    ] {
        let opened = store.open_project(&ana.scope, &wanted).await.unwrap();
        assert!(opened.is_none(), "{wanted:?}");
    }
    assert!(store.open_key(&shop.public_key).await.unwrap().is_none());
    assert_eq!(
        not_found(store.retire_project(&shop.scope, noon()).await),
        "project"
    );
    // Leave that somebody still has is worth nothing.
    let renamed = store.update_project(&shop.scope, ProjectPatch::default());
    assert_eq!(not_found(renamed.await), "project");
    let set = store.update_inbound(&shop.scope, InboundSettings::default(), noon());
    assert_eq!(not_found(set.await), "project");
    // The journal may hold events of it.
    let access = store.open_recording(shop.project.id).await.unwrap();
    assert!(access.is_some());
    let ends = world.record(vec![shop.event(4, 3)]).await;
    assert_eq!(ends, [Disposition::New]);
    // Nobody else gets its slug.
    let again = ana.project("Shop").await;
    assert_eq!(again.project.slug, slug("shop-2"));
    world.assert_sound().await;
}

async fn nothing_of_a_deleted_project_is_listed(world: World) {
    let (ana, shop) = shop(&world).await;
    let (store, scope) = (&world.store, &ana.scope);
    assert_eq!(issues(&world, scope).await, 2);
    retire(&world, &shop, noon()).await;
    assert_eq!(issues(&world, scope).await, 0);
    assert_eq!(store.list_projects(scope).await.unwrap(), []);
    let counts = store.count_issues(scope).await.unwrap();
    assert_eq!(counts, StatusCounts::default());
    let activity = store.list_project_activity(scope, Timestamp::UNIX_EPOCH);
    assert_eq!(activity.await.unwrap(), []);
    let environments = store.list_environments(scope).await.unwrap();
    assert_eq!(environments, [""; 0]);
    let usage = store.find_usage(scope, noon()).await.unwrap();
    assert_eq!((usage.projects, usage.events), (0, 3), "events stay used");
    let issue = shop.issue(1);
    for wanted in [
        IssueRef::Id(issue),
        IssueRef::Short("SHOP-1".parse().unwrap()),
    ] {
        let found = store.find_issue(scope, &wanted).await.unwrap();
        assert!(found.is_none(), "{wanted:?}");
        let set = store
            .set_issue_statuses(scope, &[wanted], IssueStatus::Resolved)
            .await;
        assert_eq!(set.unwrap(), []);
    }
    let trends = store
        .list_trends(scope, &[issue], Timestamp::UNIX_EPOCH)
        .await;
    assert_eq!(trends.unwrap(), []);
}

async fn a_deletion_is_taken_back_and_nothing_is_missing(world: World) {
    let (ana, shop) = shop(&world).await;
    let store = &world.store;
    let (_, before) = store
        .open_project(&ana.scope, &ProjectRef::Id(shop.project.id))
        .await
        .unwrap()
        .unwrap();
    retire(&world, &shop, noon()).await;
    let deleted = store.list_deleted_projects(&ana.scope).await.unwrap();
    assert_eq!(deleted.len(), 1);
    assert_eq!(
        (&deleted[0].project, deleted[0].deleted_at),
        (&before, noon())
    );
    let restored = store
        .restore_project(&ana.scope, &ProjectRef::Slug(slug("shop")))
        .await;
    assert_eq!(restored.unwrap(), before);
    assert_eq!(store.list_deleted_projects(&ana.scope).await.unwrap(), []);
    assert_eq!(issues(&world, &ana.scope).await, 2);
    assert!(store.open_key(&shop.public_key).await.unwrap().is_some());
    world.assert_sound().await;
}

async fn only_what_was_deleted_here_is_taken_back(world: World) {
    let (ana, shop) = shop(&world).await;
    let bob = world.org("Bob").await;
    let store = &world.store;
    let wanted = ProjectRef::Id(shop.project.id);
    let back = store.restore_project(&ana.scope, &wanted).await;
    assert_eq!(not_found(back), "project", "it is not deleted");
    retire(&world, &shop, noon()).await;
    let back = store.restore_project(&bob.scope, &wanted).await;
    assert_eq!(not_found(back), "project", "it is another organization's");
    assert_eq!(store.list_deleted_projects(&bob.scope).await.unwrap(), []);
    assert!(!is_open(&world, &ana.scope, shop.project.id).await);
}

/// Plans of which the free one allows two projects.
fn two_projects() -> Plans {
    let mut plans = Plans::default();
    plans.free.projects = Some(2);
    plans
}

async fn what_is_taken_back_needs_room_in_the_plan(world: World) {
    let world = world.with_plans(two_projects()).await;
    let ana = world.org("Ana").await;
    let shop = ana.project("Shop").await;
    ana.project("Blog").await;
    retire(&world, &shop, noon()).await;
    // What is deleted uses nothing of the plan.
    let cart = ana.project("Cart").await;
    let wanted = ProjectRef::Id(shop.project.id);
    let back = world.store.restore_project(&ana.scope, &wanted).await;
    assert!(matches!(back, Err(Error::PlanLimit { limit: 2, .. })));
    retire(&world, &cart, noon()).await;
    let back = world.store.restore_project(&ana.scope, &wanted).await;
    assert_eq!(back.unwrap().id, shop.project.id);
}

async fn a_deleted_project_is_purged_when_nobody_can_take_it_back(world: World) {
    let (ana, shop) = shop(&world).await;
    let blog = ana.project("Blog").await;
    world.record(vec![blog.event(9, 9)]).await;
    let store = &world.store;
    retire(&world, &shop, noon()).await;
    let grace = jiff::SignedDuration::from_hours(24 * PROJECT_GRACE_DAYS);
    let end = noon() + grace;
    let early = end - jiff::SignedDuration::from_micros(1);
    assert_eq!(store.purge_projects(early).await.unwrap(), 0);
    assert_eq!(store.purge_projects(end).await.unwrap(), 1);
    let back = store
        .restore_project(&ana.scope, &ProjectRef::Id(shop.project.id))
        .await;
    assert_eq!(not_found(back), "project");
    let access = store.open_recording(shop.project.id).await.unwrap();
    assert!(access.is_none());
    assert_eq!(issues(&world, &ana.scope).await, 1, "the other one stays");
    assert_eq!(world.backdoor.count("select count(*) from issues"), 1);
    assert_eq!(ana.project("Shop").await.project.slug, slug("shop"));
    world.assert_sound().await;
}

async fn an_organization_is_purged_with_its_deleted_projects(world: World) {
    let ana = world.org("Ana").await;
    let scope = ana.shared("Acme").await;
    let made = world
        .store
        .create_project(&scope, world.new_project("Shop"));
    let made = made.await.unwrap();
    let opened = world
        .store
        .open_project(&scope, &ProjectRef::Id(made.id))
        .await;
    let (project, _) = opened.unwrap().unwrap();
    world.store.retire_project(&project, noon()).await.unwrap();
    world.delete(&scope, ana.user.id).await;
    let later = noon() + jiff::SignedDuration::from_hours(24 * 365);
    assert_eq!(world.store.purge_organizations(later).await.unwrap(), 1);
    assert_eq!(world.backdoor.count("select count(*) from projects"), 0);
    assert_eq!(world.backdoor.count("select count(*) from client_keys"), 0);
}

async fn a_project_moves_with_all_that_is_its_own(world: World) {
    let (ana, shop) = shop(&world).await;
    let to = other(&world, &ana, Plan::Free).await;
    let store = &world.store;
    let key = store.list_keys(&shop.scope).await.unwrap()[0].id;
    let limited = KeyPatch {
        limit: Some(KeyLimit::new(7, 60).ok()),
        ..KeyPatch::default()
    };
    store.update_key(&shop.scope, key, limited).await.unwrap();
    let mut inbound = InboundSettings::default();
    inbound.filters.localhost = Switch::On;
    let set = store.update_inbound(&shop.scope, inbound.clone(), noon());
    set.await.unwrap();
    let moved = store.transfer_project(&shop.scope, acting(ana.user.id), to.org());
    let moved = moved.await.unwrap().unwrap();
    assert_eq!((moved.id, moved.org_id), (shop.project.id, to.org()));
    assert_eq!(
        (&moved.slug, &moved.public_key),
        (&slug("shop"), &shop.project.public_key)
    );

    assert!(!is_open(&world, &ana.scope, moved.id).await);
    assert_eq!(issues(&world, &ana.scope).await, 0);
    let opened = store.open_project(&to, &ProjectRef::Id(moved.id)).await;
    let (scope, _) = opened.unwrap().unwrap();
    assert_eq!(issues(&world, &to).await, 2);
    let issue = store
        .find_issue(&to, &IssueRef::Short("SHOP-2".parse().unwrap()))
        .await;
    assert_eq!(issue.unwrap().unwrap().1.events_count, 2);
    assert_eq!(store.find_inbound(&scope).await.unwrap(), inbound);
    let access = store.open_key(&shop.public_key).await.unwrap().unwrap();
    assert_eq!(
        (access.scope, access.limit),
        (scope, KeyLimit::new(7, 60).ok())
    );
    // What was let in by the old leave, or by the new one, is recorded, and counts here from now on.
    let ends = world.record(vec![shop.event(4, 2), shop.event(1, 1)]).await;
    assert_eq!(ends, [Disposition::Joined, Disposition::Duplicate]);
    let used = async |org: &OrgScope| store.find_usage(org, noon()).await.unwrap().events;
    assert_eq!((used(&ana.scope).await, used(&to).await), (3, 1));
    let retention = store.open_recording(moved.id).await.unwrap().unwrap();
    assert_eq!(
        retention.retention_days,
        Plans::default().free.retention_days
    );
    world.assert_sound().await;
}

async fn only_who_owns_both_moves_a_project(world: World) {
    let (ana, shop) = shop(&world).await;
    let to = other(&world, &ana, Plan::Free).await;
    let bob = world.org("Bob").await;
    let store = &world.store;
    let user = bob.user.id;
    let mv = || store.transfer_project(&shop.scope, acting(user), to.org());
    assert_eq!(not_found(mv().await), "organization");
    world.join(&ana.scope, user, Role::Owner);
    assert_eq!(not_found(mv().await), "organization");
    world.join(&to, user, Role::Admin);
    let put = |org: &OrgScope, role: Role| {
        let put = world.backdoor.execute(&format!(
            "update members set role = '{role}' where org_id = {} and user_id = {}",
            world.backdoor.uuid(org.org().as_uuid()),
            world.backdoor.uuid(user.as_uuid()),
        ));
        assert_eq!(put, Ok(1));
    };
    let low = NotChanged::Refused(Refused::RoleTooLow(Action::TransferProject));
    for here in Role::ALL {
        for there in Role::ALL {
            if (here, there) != (Role::Owner, Role::Owner) {
                put(&ana.scope, here);
                put(&to, there);
                assert_eq!(mv().await.unwrap().unwrap_err(), low, "{here} {there}");
            }
        }
    }
    put(&ana.scope, Role::Owner);
    put(&to, Role::Owner);
    let mut stale = acting(user);
    stale
        .reaches
        .retain(|action| *action != Action::TransferProject);
    let moved = store.transfer_project(&shop.scope, stale, to.org()).await;
    let out = NotChanged::OutOfReach(Action::TransferProject);
    assert_eq!(moved.unwrap().unwrap_err(), out);
    let same = store.transfer_project(&shop.scope, acting(user), ana.scope.org());
    let same = same.await.unwrap().unwrap_err();
    assert_eq!(same, NotChanged::Refused(Refused::SameOrg));
    assert!(is_open(&world, &ana.scope, shop.project.id).await);
    assert!(mv().await.unwrap().is_ok());
}

async fn a_plan_has_to_have_room_for_a_project_that_moves(world: World) {
    let world = world.with_plans(two_projects()).await;
    let (ana, shop) = shop(&world).await;
    let to = other(&world, &ana, Plan::Free).await;
    for name in ["One", "Two"] {
        let made = world.store.create_project(&to, world.new_project(name));
        made.await.unwrap();
    }
    let actor = acting(ana.user.id);
    let moved = world.store.transfer_project(&shop.scope, actor, to.org());
    let full = moved.await;
    assert!(matches!(
        full,
        Err(Error::PlanLimit {
            limit: 2,
            plan: Plan::Free,
            ..
        })
    ));
    assert!(is_open(&world, &ana.scope, shop.project.id).await);
}

async fn a_slug_that_is_taken_gets_a_number(world: World) {
    let (ana, shop) = shop(&world).await;
    let to = other(&world, &ana, Plan::Free).await;
    let made = world.store.create_project(&to, world.new_project("Shop"));
    made.await.unwrap();
    let moved = world
        .store
        .transfer_project(&shop.scope, acting(ana.user.id), to.org());
    assert_eq!(moved.await.unwrap().unwrap().slug, slug("shop-2"));
}

async fn a_project_moves_once_whoever_tries_at_once(world: World) {
    let (ana, shop) = shop(&world).await;
    let to = other(&world, &ana, Plan::Free).await;
    let (scope, user) = (shop.scope, ana.user.id);
    let tries = world
        .at_once(|store, _| async move {
            let moved = store.transfer_project(&scope, acting(user), to.org());
            moved.await
        })
        .await;
    let moved = tries.iter().filter(|tried| matches!(tried, Ok(Ok(_))));
    assert_eq!(moved.count(), 1);
    for tried in tries
        .into_iter()
        .filter(|tried| !matches!(tried, Ok(Ok(_))))
    {
        assert_eq!(not_found(tried), "project");
    }
    world.assert_sound().await;
}
