//! Triage of many issues at once, and taking it back.

use copal_model::{Issue, IssueStatus, ShortId};
use copal_store::access::IssueRef;
use copal_store::triage::StatusChange;

use crate::world::{InProject, Org, World};

conformance!(
    many_issues_change_at_once_and_tell_what_they_were,
    an_issue_named_twice_changes_once,
    other_organizations_issues_do_not_change,
    undo_brings_back_status_and_mark,
    undo_leaves_what_somebody_did_since,
    undo_does_not_reach_other_organizations,
);

/// Records an event of issue `number`; the first makes the issue, later ones are new events of it.
async fn event(world: &World, shop: &InProject, number: u8) {
    let id = world.uuid().as_u128();
    world.record(vec![shop.event(id, number)]).await;
}

fn short(number: u32) -> IssueRef {
    let id: ShortId = format!("SHOP-{number}").parse().unwrap();
    IssueRef::Short(id)
}

async fn issue(world: &World, org: &Org, number: u32) -> Issue {
    let found = world.store.find_issue(&org.scope, &short(number)).await;
    found.unwrap().expect("the issue was recorded").1
}

async fn set(world: &World, org: &Org, issues: &[u32], status: IssueStatus) -> Vec<StatusChange> {
    let issues: Vec<_> = issues.iter().copied().map(short).collect();
    let changes = world.store.set_issue_statuses(&org.scope, &issues, status);
    changes.await.unwrap()
}

async fn many_issues_change_at_once_and_tell_what_they_were(world: World) {
    let ana = world.org("Ana").await;
    let shop = ana.project("shop").await;
    for number in 1..=3 {
        event(&world, &shop, number).await;
    }
    set(&world, &ana, &[2], IssueStatus::Ignored).await;
    let changes = set(&world, &ana, &[1, 2, 77], IssueStatus::Resolved).await;
    let before: Vec<_> = changes.iter().map(|change| change.before).collect();
    assert_eq!(before, [IssueStatus::Open, IssueStatus::Ignored]);
    let by_id = [IssueRef::Id(issue(&world, &ana, 3).await.id)];
    let by_number = world
        .store
        .set_issue_statuses(&ana.scope, &by_id, IssueStatus::Ignored)
        .await
        .unwrap();
    assert_eq!(by_number.len(), 1);
    let counts = world.store.count_issues(&ana.scope).await.unwrap();
    assert_eq!((counts.open, counts.resolved, counts.ignored), (0, 2, 1));
}

async fn an_issue_named_twice_changes_once(world: World) {
    let ana = world.org("Ana").await;
    let shop = ana.project("shop").await;
    event(&world, &shop, 1).await;
    let changes = set(&world, &ana, &[1, 1], IssueStatus::Resolved).await;
    assert_eq!(changes.len(), 1);
    assert_eq!(changes[0].before, IssueStatus::Open);
}

async fn other_organizations_issues_do_not_change(world: World) {
    let ana = world.org("Ana").await;
    let shop = ana.project("shop").await;
    event(&world, &shop, 1).await;
    let bo = world.org("Bo").await;
    bo.project("other").await;
    let id = issue(&world, &ana, 1).await.id;
    for wanted in [short(1), IssueRef::Id(id)] {
        let changes = world
            .store
            .set_issue_statuses(&bo.scope, &[wanted], IssueStatus::Resolved)
            .await
            .unwrap();
        assert_eq!(changes, []);
    }
    assert_eq!(issue(&world, &ana, 1).await.status, IssueStatus::Open);
}

async fn undo_brings_back_status_and_mark(world: World) {
    let ana = world.org("Ana").await;
    let shop = ana.project("shop").await;
    event(&world, &shop, 1).await;
    event(&world, &shop, 2).await;
    set(&world, &ana, &[1], IssueStatus::Resolved).await;
    event(&world, &shop, 1).await;
    assert!(issue(&world, &ana, 1).await.is_regressed);
    let changes = set(&world, &ana, &[1, 2], IssueStatus::Ignored).await;
    assert!(!issue(&world, &ana, 1).await.is_regressed);
    let undone = world.store.undo_issue_statuses(&ana.scope, &changes);
    assert_eq!(undone.await.unwrap(), 2);
    let (one, two) = (issue(&world, &ana, 1).await, issue(&world, &ana, 2).await);
    assert!(one.status == IssueStatus::Open && one.is_regressed);
    assert!(two.status == IssueStatus::Open && !two.is_regressed);
}

async fn undo_leaves_what_somebody_did_since(world: World) {
    let ana = world.org("Ana").await;
    let shop = ana.project("shop").await;
    event(&world, &shop, 1).await;
    event(&world, &shop, 2).await;
    let changes = set(&world, &ana, &[1, 2], IssueStatus::Resolved).await;
    set(&world, &ana, &[1], IssueStatus::Ignored).await;
    event(&world, &shop, 2).await;
    let undone = world.store.undo_issue_statuses(&ana.scope, &changes);
    assert_eq!(undone.await.unwrap(), 0);
    assert_eq!(issue(&world, &ana, 1).await.status, IssueStatus::Ignored);
    assert!(issue(&world, &ana, 2).await.is_regressed);
}

async fn undo_does_not_reach_other_organizations(world: World) {
    let ana = world.org("Ana").await;
    let shop = ana.project("shop").await;
    event(&world, &shop, 1).await;
    let changes = set(&world, &ana, &[1], IssueStatus::Resolved).await;
    let bo = world.org("Bo").await;
    let undone = world.store.undo_issue_statuses(&bo.scope, &changes);
    assert_eq!(undone.await.unwrap(), 0);
    assert_eq!(issue(&world, &ana, 1).await.status, IssueStatus::Resolved);
}
