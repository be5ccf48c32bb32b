//! Issues as pages read, search and delete them.

use copal_model::search::parse;
use copal_model::{IssueStatus, Timestamp};
use copal_store::access::IssueRef;
use copal_store::issues::{HourCount, IssueQuery, IssueSort};
use copal_store::record::Disposition;
use copal_store::{OrgScope, PageRequest};

use crate::telemetry::{at, event_id, noon};
use crate::world::{World, not_found};

conformance!(
    searches_find_what_they_name,
    issues_page_in_every_order_without_gaps,
    pages_go_on_across_projects_and_statuses,
    another_organization_finds_nothing,
    hours_are_those_in_which_events_happened,
    trends_leave_out_foreign_issues,
    a_deleted_issue_is_gone_and_its_like_makes_a_new_one,
);

async fn list(world: &World, org: &OrgScope, search: &str) -> Vec<String> {
    let query = IssueQuery {
        query: parse(search, noon()).unwrap(),
        ..IssueQuery::default()
    };
    let page = PageRequest::default();
    let page = world.store.list_issues(org, &query, &page).await.unwrap();
    page.rows
        .iter()
        .map(|issue| issue.short_id.to_string())
        .collect()
}

/// All pages of two rows each.
async fn list_all(world: &World, org: &OrgScope, query: &IssueQuery) -> Vec<String> {
    let mut found = Vec::new();
    let mut page = PageRequest::first(2);
    loop {
        let rows = world.store.list_issues(org, query, &page).await.unwrap();
        found.extend(rows.rows.iter().map(|issue| issue.short_id.to_string()));
        page.cursor = rows.next;
        if page.cursor.is_none() {
            return found;
        }
    }
}

async fn searches_find_what_they_name(world: World) {
    let ana = world.org("Ana").await;
    let shop = ana.project("shop").await;
    let mut untyped = shop.event(2, 2);
    untyped.issue.error_type = None;
    "100% of disk".clone_into(&mut untyped.issue.title);
    untyped.issue.search_terms = vec![("message", "100% of disk\nare full".to_owned())];
    untyped.occurred_at = at("2026-11-19T00:00:00Z");
    world
        .record(vec![shop.event(1, 1), untyped, shop.event(3, 1)])
        .await;
    for (search, found) in [
        ("", vec!["SHOP-1", "SHOP-2"]),
        ("node:2", vec!["SHOP-2"]),
        ("stack.function:PA*", vec!["SHOP-1"]),
        ("timeout", vec!["SHOP-1"]),
        ("full", vec!["SHOP-2"]),
        ("!full", vec!["SHOP-1"]),
        ("message:\"call 1\"", vec!["SHOP-1"]),
        ("100%", vec!["SHOP-2"]),
        ("1_0", vec![]),
        ("!error.type:Timeout", vec!["SHOP-2"]),
        ("events:>1", vec!["SHOP-1"]),
        ("firstSeen:<2026-11-20", vec!["SHOP-2"]),
        ("project:shop level:error is:open", vec!["SHOP-1", "SHOP-2"]),
        ("is:ignored", vec![]),
        ("!is:ignored", vec!["SHOP-1", "SHOP-2"]),
        ("is:open is:ignored", vec![]),
        ("is:assigned", vec![]),
        ("title:\"x' or 1=1 --\"", vec![]),
    ] {
        assert_eq!(list(&world, &ana.scope, search).await, found, "{search}");
    }
}

async fn issues_page_in_every_order_without_gaps(world: World) {
    let ana = world.org("Ana").await;
    let shop = ana.project("shop").await;
    let mut events = Vec::new();
    // Issue n: seen first at minute n and last at minute 10 - n, with n events of up to 3 users.
    for issue in 1..=5_u8 {
        for number in 0..issue {
            let mut event = shop.event(u128::from(issue) * 100 + u128::from(number), issue);
            let minute = if number == 0 { 10 + issue } else { 50 - issue };
            event.occurred_at = at(&format!("2026-11-20T12:{minute}:00Z"));
            events.push(event);
        }
    }
    world.record(events).await;
    for (sort, expected) in [
        (IssueSort::LastSeen, [2, 3, 4, 5, 1]),
        (IssueSort::FirstSeen, [5, 4, 3, 2, 1]),
        (IssueSort::Events, [5, 4, 3, 2, 1]),
        // Three users each: the newest issue first.
        (IssueSort::Users, [5, 4, 3, 2, 1]),
    ] {
        let query = IssueQuery {
            sort,
            ..IssueQuery::default()
        };
        let expected = expected.map(|number| format!("SHOP-{number}"));
        let found = list_all(&world, &ana.scope, &query).await;
        assert_eq!(found, expected, "{sort:?}");
    }
}

async fn pages_go_on_across_projects_and_statuses(world: World) {
    let ana = world.org("Ana").await;
    let (shop, blog) = (ana.project("shop").await, ana.project("blog").await);
    let mut events = Vec::new();
    for number in 1..=6_u8 {
        let project = if number % 2 == 0 { &blog } else { &shop };
        let mut event = project.event(number.into(), number);
        event.occurred_at = at(&format!("2026-11-20T12:0{number}:00Z"));
        events.push(event);
    }
    world.record(events).await;
    for (project, number, status) in [
        (&shop, 2, IssueStatus::Resolved),
        (&blog, 1, IssueStatus::Ignored),
    ] {
        world.triage(project, number, status).await;
    }
    let query = IssueQuery::default();
    let found = list_all(&world, &ana.scope, &query).await;
    let all = ["BLOG-3", "SHOP-3", "BLOG-2", "SHOP-2", "BLOG-1", "SHOP-1"];
    assert_eq!(found, all);
    let open = IssueQuery {
        query: parse("is:open", noon()).unwrap(),
        ..IssueQuery::default()
    };
    let found = list_all(&world, &ana.scope, &open).await;
    assert_eq!(found, ["BLOG-3", "SHOP-3", "BLOG-2", "SHOP-1"]);
    let of_shop = IssueQuery {
        projects: vec![shop.project.id],
        ..IssueQuery::default()
    };
    let found = list_all(&world, &ana.scope, &of_shop).await;
    assert_eq!(found, ["SHOP-3", "SHOP-2", "SHOP-1"]);
}

async fn another_organization_finds_nothing(world: World) {
    let (ana, bo) = (world.org("Ana").await, world.org("Bo").await);
    let (shop, blog) = (ana.project("shop").await, ana.project("blog").await);
    world.record(vec![shop.event(1, 1)]).await;
    let issue = IssueRef::Id(shop.issue(1));
    assert_eq!(
        world.store.find_issue(&bo.scope, &issue).await.unwrap(),
        None
    );
    let named = IssueQuery {
        projects: vec![shop.project.id],
        ..IssueQuery::default()
    };
    for query in [IssueQuery::default(), named] {
        assert_eq!(list_all(&world, &bo.scope, &query).await, [""; 0]);
    }
    // Another project of the same organization is foreign too.
    let deleted = world.store.delete_issue(&blog.scope, shop.issue(1)).await;
    assert_eq!(not_found(deleted), "issue");
    let tags = world
        .store
        .list_issue_tags(&blog.scope, shop.issue(1), 5)
        .await;
    assert_eq!(tags.unwrap(), []);
}

async fn hours_are_those_in_which_events_happened(world: World) {
    let ana = world.org("Ana").await;
    let shop = ana.project("shop").await;
    let mut offline = shop.event(1, 1);
    offline.occurred_at = at("2026-11-18T23:10:00Z");
    world
        .record(vec![offline, shop.event(2, 1), shop.event(3, 1)])
        .await;
    let hour = |hour: &str, events| HourCount {
        hour: at(hour),
        events,
    };
    let both = [
        hour("2026-11-18T23:00:00Z", 1),
        hour("2026-11-20T12:00:00Z", 2),
    ];
    // The hour of `since` is there as a whole.
    for (since, expected) in [
        ("2026-11-18T23:59:59Z", &both[..]),
        ("2026-11-19T00:00:00Z", &both[1..]),
    ] {
        let issues = [shop.issue(1)];
        let trends = world.store.list_trends(&ana.scope, &issues, at(since));
        let trends = trends.await.unwrap();
        assert_eq!(trends, [(issues[0], expected.to_vec())], "{since}");
    }
}

async fn trends_leave_out_foreign_issues(world: World) {
    let (ana, bo) = (world.org("Ana").await, world.org("Bo").await);
    let (shop, blog) = (ana.project("shop").await, bo.project("blog").await);
    world.record(vec![shop.event(1, 1), blog.event(2, 2)]).await;
    let issues = [blog.issue(1), shop.issue(1)];
    let trends = world
        .store
        .list_trends(&ana.scope, &issues, Timestamp::UNIX_EPOCH)
        .await
        .unwrap();
    let hours = vec![HourCount {
        hour: noon(),
        events: 1,
    }];
    assert_eq!(trends, [(shop.issue(1), hours)]);
}

async fn a_deleted_issue_is_gone_and_its_like_makes_a_new_one(world: World) {
    let ana = world.org("Ana").await;
    let shop = ana.project("shop").await;
    world.record(vec![shop.event(1, 1), shop.event(2, 2)]).await;
    let store = &world.store;
    store
        .delete_issue(&shop.scope, shop.issue(1))
        .await
        .unwrap();
    let event = store.find_event(&shop.scope, event_id(1)).await.unwrap();
    assert_eq!(event, None);
    world.assert_sound().await;
    assert_eq!(
        world.record(vec![shop.event(3, 1)]).await,
        [Disposition::New]
    );
    assert_eq!(list(&world, &ana.scope, "").await, ["SHOP-3", "SHOP-2"]);
    let again = store.delete_issue(&shop.scope, shop.issue(1)).await;
    assert_eq!(not_found(again), "issue");
    store.delete_project(&shop.scope).await.unwrap();
    world.assert_sound().await;
}
