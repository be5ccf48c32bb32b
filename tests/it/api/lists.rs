//! Lists page by page: every row once, and answers to limits and cursors that cannot be used.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::json;

use super::exception;
use crate::support::{Engine, TestApp, on_each_engine, text};

/// The rows of a list, page by page as the header `Link` leads; each by the field `id`.
async fn pages(app: &TestApp, path: &str, id: &str) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut next = Some(format!("/organizations/{}/{path}", app.org));
    while let Some(path) = next {
        let answer = app.call(&app.token, Method::GET, &path, None).await;
        let rows = answer.json(200);
        let ids = rows.as_array().unwrap().iter().map(|row| text(&row[id]));
        pages.push(ids.map(str::to_owned).collect());
        next = answer.next().map(str::to_owned);
    }
    pages
}

/// Asserts that a list of `count` rows comes in pages of `limit` without repeats.
async fn assert_pages(app: &TestApp, path: &str, id: &str, (count, limit): (usize, usize)) {
    let sign = if path.contains('?') { '&' } else { '?' };
    let pages = pages(app, &format!("{path}{sign}limit={limit}"), id).await;
    let sizes: Vec<_> = pages.iter().map(Vec::len).collect();
    assert_eq!(sizes.len(), count.div_ceil(limit), "{path}: {sizes:?}");
    let (last, full) = sizes.split_last().unwrap();
    assert!(full.iter().all(|size| *size == limit), "{path}: {sizes:?}");
    assert_eq!(*last, count - full.len() * limit, "{path}");
    let distinct: BTreeSet<_> = pages.iter().flatten().collect();
    assert_eq!(distinct.len(), count, "{path}: {pages:?}");
}

async fn issues_and_events_come_page_by_page(engine: Engine) {
    let app = TestApp::start(engine);
    for issue in ["A", "B", "C", "D", "E", "F", "G"] {
        for user in 0..2 {
            let mut event = exception(issue, "is broken");
            event["user"] = json!({"id": user.to_string()});
            app.send(&app.shop(), &event).await;
        }
    }
    app.issues_of(14).await;
    // Six of seven issues have equal counts: the order must still be total.
    app.send(&app.shop(), &exception("A", "is broken")).await;
    app.issues_of(15).await;
    for sort in ["lastSeen", "firstSeen", "events", "users"] {
        let path = format!("issues?sort={sort}&query=is%3Aopen+broken");
        for limit in [1, 3, 7, 8] {
            assert_pages(&app, &path, "id", (7, limit)).await;
        }
    }
    for limit in [1, 2, 3] {
        assert_pages(&app, "issues/SHOP-1/events", "eventId", (3, limit)).await;
    }
}

async fn short_lists_come_page_by_page_too(engine: Engine) {
    let app = TestApp::start(engine);
    for name in ["b", "a", "c"] {
        app.project(name);
        let new = Some(json!({"label": name}));
        app.ask(Method::POST, "/projects/shop/keys", new)
            .await
            .json(201);
    }
    assert_pages(&app, "projects", "id", (4, 1)).await;
    assert_pages(&app, "projects", "slug", (4, 3)).await;
    assert_pages(&app, "projects/shop/keys", "id", (4, 2)).await;
    assert_pages(&app, "members", "id", (1, 1)).await;
    let in_order = pages(&app, "projects?limit=2", "slug").await;
    assert_eq!(in_order, [["shop", "b"], ["a", "c"]], "as they were made");
}

async fn a_page_has_at_most_a_hundred_rows_and_at_least_one(engine: Engine) {
    let app = TestApp::start(engine);
    for number in 0..101 {
        let mut event = exception("Same", "one issue");
        event["extra"] = json!({"number": number});
        app.send(&app.shop(), &event).await;
    }
    app.issues_of(101).await;
    let path = "issues/SHOP-1/events";
    assert_pages(&app, path, "eventId", (101, 100)).await;
    for (limit, rows) in [
        ("", 50),
        ("?limit=99", 99),
        ("?limit=100", 100),
        ("?limit=101", 100),
    ] {
        let page = app.get(&format!("{path}{limit}")).await;
        assert_eq!(page.as_array().unwrap().len(), rows, "{limit}");
    }
    for (wrong, why) in [
        ("limit=0", "1 to 100"),
        ("limit=-1", "limit"),
        ("limit=many", "limit"),
        ("limit=1&limit=2", "limit"),
        ("page=2", "page"),
    ] {
        let answer = app
            .ask(Method::GET, &format!("/{path}?{wrong}"), None)
            .await;
        let detail = answer.json(400)["detail"].to_string();
        assert!(detail.contains(why), "{wrong}: {detail}");
    }
}

async fn a_cursor_that_no_page_gave_is_refused(engine: Engine) {
    let app = TestApp::start(engine);
    app.send(&app.shop(), &exception("A", "is broken")).await;
    app.issues_of(1).await;
    for list in [
        "/issues",
        "/issues/SHOP-1/events",
        "/projects",
        "/projects/shop/keys",
        "/members",
    ] {
        for cursor in ["", "x", "1.x", "%00", "..", "9999999999999999999999.1"] {
            let path = format!("{list}?cursor={cursor}");
            let answer = app.ask(Method::GET, &path, None).await;
            let detail = answer.json(400)["detail"].to_string();
            assert!(detail.contains("`cursor`"), "{path}: {detail}");
        }
    }
    let path = "/organizations?cursor=x";
    let answer = app.call(&app.token, Method::GET, path, None).await;
    assert_eq!(answer.status, 400);
}

on_each_engine!(
    async issues_and_events_come_page_by_page,
    async short_lists_come_page_by_page_too,
    async a_page_has_at_most_a_hundred_rows_and_at_least_one,
    async a_cursor_that_no_page_gave_is_refused,
);
