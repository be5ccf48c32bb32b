//! The audit log of an organization.

use copal_model::{AuditEntry, AuditId, AuditResult};
use copal_store::audit::{AUDIT_TEXT_CHARS_MAX, AuditFilter};
use copal_store::{Error, PageRequest};

use crate::world::{Org, World, after, not_found};

conformance!(
    lines_are_listed_latest_first_and_page_by_page,
    a_filter_leaves_out_what_is_not_asked_for,
    the_log_of_another_organization_is_another,
    long_texts_are_cut_and_everything_is_given_back,
    a_line_of_an_organization_that_is_gone_is_not_written,
);

fn line(world: &World, org: &Org, action: &str, result: AuditResult) -> AuditEntry {
    AuditEntry {
        id: AuditId::new(world.uuid()),
        at: after(7),
        actor: Some(org.user.id),
        actor_name: org.user.name.clone(),
        credential: "session:1".to_owned(),
        ip: Some("2001:db8::7".parse().unwrap()),
        request_id: "r-1".to_owned(),
        action: action.to_owned(),
        target: "/projects/shop".to_owned(),
        result,
        before: Some("before".to_owned()),
        after: None,
    }
}

async fn actions(world: &World, org: &Org, filter: &AuditFilter) -> Vec<String> {
    let page = PageRequest::default();
    let listed = world.store.list_audit(&org.scope, filter, &page).await;
    let rows = listed.unwrap().rows.into_iter();
    rows.map(|entry| entry.action).collect()
}

async fn lines_are_listed_latest_first_and_page_by_page(world: World) {
    let ana = world.org("Ana").await;
    for action in ["a", "b", "c"] {
        let line = line(&world, &ana, action, AuditResult::Allowed);
        world.store.add_audit(&ana.scope, line).await.unwrap();
    }
    let mut page = PageRequest::first(2);
    let filter = AuditFilter::default();
    let first = world
        .store
        .list_audit(&ana.scope, &filter, &page)
        .await
        .unwrap();
    page.cursor = first.next.clone();
    let second = world
        .store
        .list_audit(&ana.scope, &filter, &page)
        .await
        .unwrap();
    let rows = first.rows.iter().chain(&second.rows);
    let actions: Vec<_> = rows.map(|entry| &*entry.action).collect();
    assert_eq!(actions, ["c", "b", "a"]);
    assert_eq!((first.rows.len(), second.next), (2, None));
    page.cursor = Some("nonsense".to_owned());
    let refused = world.store.list_audit(&ana.scope, &filter, &page).await;
    assert!(matches!(refused, Err(Error::BadCursor)));
}

async fn a_filter_leaves_out_what_is_not_asked_for(world: World) {
    let ana = world.org("Ana").await;
    for (action, result) in [
        ("a", AuditResult::Allowed),
        ("a", AuditResult::Denied),
        ("b", AuditResult::Denied),
    ] {
        let line = line(&world, &ana, action, result);
        world.store.add_audit(&ana.scope, line).await.unwrap();
    }
    let by = |action: Option<&str>, actor: Option<&str>, result| AuditFilter {
        action: action.map(str::to_owned),
        actor_name: actor.map(str::to_owned),
        result,
    };
    for (filter, expected) in [
        (by(Some("a"), None, None), vec!["a", "a"]),
        (by(None, None, Some(AuditResult::Denied)), vec!["b", "a"]),
        (
            by(Some("a"), Some("Ana"), Some(AuditResult::Allowed)),
            vec!["a"],
        ),
        (by(None, Some("Bob"), None), vec![]),
    ] {
        assert_eq!(actions(&world, &ana, &filter).await, expected);
    }
}

async fn the_log_of_another_organization_is_another(world: World) {
    let (ana, bob) = (world.org("Ana").await, world.org("Bob").await);
    let line = line(&world, &ana, "a", AuditResult::Allowed);
    world.store.add_audit(&ana.scope, line).await.unwrap();
    let filter = AuditFilter::default();
    assert_eq!(actions(&world, &bob, &filter).await, [] as [&str; 0]);
    assert_eq!(actions(&world, &ana, &filter).await, ["a"]);
}

async fn long_texts_are_cut_and_everything_is_given_back(world: World) {
    let ana = world.org("Ana").await;
    let mut long = line(&world, &ana, "a", AuditResult::Denied);
    long.target = "ü".repeat(AUDIT_TEXT_CHARS_MAX + 1);
    long.after = Some("with\0zero".to_owned());
    world
        .store
        .add_audit(&ana.scope, long.clone())
        .await
        .unwrap();
    let page = PageRequest::default();
    let filter = AuditFilter::default();
    let listed = world
        .store
        .list_audit(&ana.scope, &filter, &page)
        .await
        .unwrap();
    let expected = AuditEntry {
        target: "ü".repeat(AUDIT_TEXT_CHARS_MAX),
        after: Some("withzero".to_owned()),
        ..long
    };
    assert_eq!(listed.rows, [expected]);
}

async fn a_line_of_an_organization_that_is_gone_is_not_written(world: World) {
    let ana = world.org("Ana").await;
    let shared = ana.shared("Shop").await;
    let added = line(&world, &ana, "a", AuditResult::Allowed);
    world.store.add_audit(&shared, added).await.unwrap();
    let gone = world.backdoor.uuid(shared.org().as_uuid());
    for statement in [
        format!("delete from members where org_id = {gone}"),
        format!("delete from organizations where id = {gone}"),
    ] {
        assert_eq!(world.backdoor.execute(&statement), Ok(1));
    }
    assert_eq!(world.backdoor.count("select count(*) from audit"), 0);
    let late = line(&world, &ana, "b", AuditResult::Allowed);
    let refused = world.store.add_audit(&shared, late).await;
    assert_eq!(not_found(refused), "organization");
}
