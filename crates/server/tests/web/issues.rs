//! Issues: what strangers wrote is shown and never obeyed; triage; events as JSON.

use axum::http::{StatusCode, header};
use copal_model::{Email, Level, Timestamp};
use copal_protocol::EventId;
use copal_store::access::{OrgRef, ProjectRef};
use copal_store::record::{Batch, IssueSeed, NewEvent, NewGrouping};
use uuid::Uuid;

use crate::site::{Browser, Site};

const CANARY: &str = "<script>alert('canary')</script>";

/// Ana's project with one issue of one event, whose every text is hostile.
pub(crate) async fn world(site: &Site) -> Browser<'_> {
    let (mut ana, _) = site.member("Ana").await;
    ana.post("/o/anas-workspace/projects/new", &[("name", "shop")])
        .await;
    record(site, "ana@shop.example", 1).await;
    ana
}

async fn record(site: &Site, email: &str, number: u8) {
    let store = &site.app.store;
    let email = Email::parse(email).unwrap();
    let user = store.find_login(&email).await.unwrap().unwrap().user;
    let org = OrgRef::Id(user.default_org);
    let org = store.open_org(user.id, &org).await.unwrap().unwrap();
    let slug = copal_model::Slug::parse("shop").unwrap();
    let project = ProjectRef::Slug(slug);
    let (scope, _) = store
        .open_project(&org.scope, &project)
        .await
        .unwrap()
        .unwrap();
    let now: Timestamp = site.app.clock.now();
    let payload = serde_json::json!({
        "platform": "python",
        "exception": {"values": [{"type": "Boom", "value": CANARY,
            "stacktrace": {"frames": [{"function": CANARY, "in_app": true}]}}]},
        "request": {"url": "javascript:alert(1)"},
        "breadcrumbs": {"values": [{"message": CANARY}]},
        "contexts": {CANARY: {"x": CANARY}},
        "tags": [["evil", CANARY]],
    });
    let batch = Batch {
        journal: Uuid::from_u128(1),
        position: u64::from(number),
        events: vec![NewEvent {
            scope,
            retention_days: 30,
            event_id: EventId::new(Uuid::from_u128(u128::from(number))),
            occurred_at: now,
            received_at: now,
            payload: payload.to_string().into_bytes(),
            grouping: NewGrouping {
                version: "copal-1",
                hashes: vec![[number; 16]],
                explanation: b"{}".to_vec(),
            },
            issue: IssueSeed {
                title: format!("Boom: {CANARY}"),
                error_type: Some("Boom".to_owned()),
                culprit: CANARY.to_owned(),
                platform: "python".to_owned(),
                search_terms: Vec::new(),
            },
            level: Level::Error,
            user: None,
            release: Some(CANARY.to_owned()),
            environment: Some("prod".to_owned()),
            tags: vec![("evil".to_owned(), CANARY.to_owned())],
        }],
        ..Batch::default()
    };
    store.record(batch).await.unwrap();
}

async fn status(site: &Site) -> copal_store::issues::StatusCounts {
    let email = Email::parse("ana@shop.example").unwrap();
    let user = site
        .app
        .store
        .find_login(&email)
        .await
        .unwrap()
        .unwrap()
        .user;
    let org = OrgRef::Id(user.default_org);
    let org = site
        .app
        .store
        .open_org(user.id, &org)
        .await
        .unwrap()
        .unwrap();
    site.app.store.count_issues(&org.scope).await.unwrap()
}

#[tokio::test]
async fn no_page_holds_what_strangers_wrote_as_markup() {
    let site = Site::start();
    let mut ana = world(&site).await;
    let event = EventId::new(Uuid::from_u128(1));
    for path in [
        "/o/anas-workspace".to_owned(),
        "/o/anas-workspace/issues".to_owned(),
        "/o/anas-workspace/issues?query=%3Cscript%3Ealert('canary')".to_owned(),
        "/o/anas-workspace/issues/SHOP-1".to_owned(),
        "/o/anas-workspace/issues/SHOP-1?stack=text".to_owned(),
        format!("/o/anas-workspace/issues/SHOP-1/events/{event}"),
        "/o/anas-workspace/issues/SHOP-1/events/oldest".to_owned(),
    ] {
        let answer = ana.get(&path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        assert!(!answer.body.contains("<script>alert"), "{path}");
        assert!(!answer.body.contains("href=\"javascript:"), "{path}");
    }
}

#[tokio::test]
async fn an_events_json_is_never_a_page() {
    let site = Site::start();
    let mut ana = world(&site).await;
    let answer = ana
        .get("/o/anas-workspace/issues/SHOP-1/events/latest/json")
        .await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.headers[header::CONTENT_TYPE], "application/json");
    assert_eq!(answer.headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
    let csp = answer.headers[header::CONTENT_SECURITY_POLICY]
        .to_str()
        .unwrap();
    assert!(csp.contains("sandbox"), "{csp}");
    let json: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(json["exception"]["values"][0]["value"], CANARY);
}

#[tokio::test]
async fn as_markdown_an_event_is_data_in_a_fence() {
    let site = Site::start();
    let mut ana = world(&site).await;
    let answer = ana
        .get("/o/anas-workspace/issues/SHOP-1/events/latest/markdown")
        .await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(
        answer.headers[header::CONTENT_TYPE],
        "text/plain; charset=utf-8"
    );
    let csp = answer.headers[header::CONTENT_SECURITY_POLICY].to_str();
    assert!(csp.unwrap().contains("sandbox"));
    let (outside, inside) = answer.body.split_once("```text\n").unwrap();
    assert!(outside.contains("[SHOP-1](http://copal.test/o/anas-workspace/issues/SHOP-1)"));
    assert!(!outside.contains(CANARY));
    assert!(inside.contains(&format!("Boom: {CANARY}")));
}

#[tokio::test]
async fn an_issue_is_resolved_ignored_and_reopened() {
    let site = Site::start();
    let mut ana = world(&site).await;
    let path = "/o/anas-workspace/issues/SHOP-1/status";
    for (wanted, counts) in [
        ("RESOLVED", (0, 1, 0)),
        ("IGNORED", (0, 0, 1)),
        ("OPEN", (1, 0, 0)),
    ] {
        let answer = ana
            .post(path, &[("status", wanted), ("next", "//evil")])
            .await;
        assert_eq!(answer.location(), "/o/anas-workspace/issues/SHOP-1");
        let now = status(&site).await;
        assert_eq!((now.open, now.resolved, now.ignored), counts, "{wanted}");
    }
    let answer = ana.post(path, &[("status", "LOST")]).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn many_are_changed_at_once_but_none_of_another_organization() {
    let site = Site::start();
    let mut ana = world(&site).await;
    record(&site, "ana@shop.example", 2).await;
    let (mut bo, _) = site.member("Bo").await;
    let fields = [
        ("issue", "SHOP-1"),
        ("issue", "SHOP-2"),
        ("status", "RESOLVED"),
    ];
    bo.post("/o/bos-workspace/issues/status", &fields).await;
    assert_eq!(status(&site).await.open, 2);
    let answer = ana.post("/o/anas-workspace/issues/status", &fields).await;
    assert_eq!(answer.location(), "/o/anas-workspace/issues");
    assert_eq!(status(&site).await.resolved, 2);
    let answer = ana
        .post("/o/anas-workspace/issues/status", &[("status", "OPEN")])
        .await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
}

/// What the notice on a page would undo, as its form has it.
fn undo_field(page: &str) -> Option<&str> {
    let (_, rest) = page.split_once("name=\"undo\" value=\"")?;
    rest.split('"').next()
}

#[tokio::test]
async fn what_was_done_is_told_once_and_undone_by_its_form() {
    let site = Site::start();
    let mut ana = world(&site).await;
    record(&site, "ana@shop.example", 2).await;
    let list = "/o/anas-workspace/issues?status=all";
    let fields = [
        ("issue", "SHOP-1"),
        ("issue", "SHOP-2"),
        ("status", "IGNORED"),
        ("next", list),
    ];
    let answer = ana.post("/o/anas-workspace/issues/status", &fields).await;
    assert_eq!(answer.location(), list);
    let page = ana.get(list).await.body;
    assert!(page.contains("Ignored 2 issues."));
    let undo = undo_field(&page).expect("a form to undo").to_owned();
    assert_eq!(undo_field(&ana.get(list).await.body), None, "told once");

    // Somebody goes on with one of them; that stays.
    ana.post(
        "/o/anas-workspace/issues/SHOP-2/status",
        &[("status", "RESOLVED")],
    )
    .await;
    ana.get(list).await;
    let fields = [("undo", &*undo), ("next", list)];
    let answer = ana.post("/o/anas-workspace/issues/undo", &fields).await;
    assert_eq!(answer.location(), list);
    let now = status(&site).await;
    assert_eq!((now.open, now.resolved, now.ignored), (1, 1, 0));
    let page = ana.get(list).await.body;
    assert!(page.contains("Undone: 1 issue as before. 1 issue changed since."));

    let answer = ana
        .post("/o/anas-workspace/issues/undo", &[("undo", "LOST o1")])
        .await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn nobody_undoes_in_another_organization() {
    let site = Site::start();
    let mut ana = world(&site).await;
    let path = "/o/anas-workspace/issues/SHOP-1";
    let fields = [("status", "RESOLVED")];
    ana.post(&format!("{path}/status"), &fields).await;
    let page = ana.get(path).await.body;
    let undo = undo_field(&page).expect("a form to undo").to_owned();
    let (mut bo, _) = site.member("Bo").await;
    let fields = [("undo", &*undo)];
    bo.post("/o/bos-workspace/issues/undo", &fields).await;
    assert_eq!(status(&site).await.resolved, 1);
    ana.post("/o/anas-workspace/issues/undo", &fields).await;
    assert_eq!(status(&site).await.open, 1);
}

#[tokio::test]
async fn an_event_is_found_under_its_own_issue_only() {
    let site = Site::start();
    let mut ana = world(&site).await;
    record(&site, "ana@shop.example", 2).await;
    let event = EventId::new(Uuid::from_u128(1));
    for rest in [String::new(), "/json".to_owned()] {
        let path = format!("/o/anas-workspace/issues/SHOP-2/events/{event}{rest}");
        assert_eq!(ana.get(&path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn deleting_asks_for_the_short_id() {
    let site = Site::start();
    let mut ana = world(&site).await;
    let path = "/o/anas-workspace/issues/SHOP-1/delete";
    ana.post(path, &[("confirm", "yes")]).await;
    assert_eq!(status(&site).await.open, 1);
    let answer = ana.post(path, &[("confirm", "SHOP-1")]).await;
    assert_eq!(answer.location(), "/o/anas-workspace/issues");
    assert_eq!(status(&site).await.open, 0);
}

#[tokio::test]
async fn a_bad_query_is_a_400_that_keeps_the_page() {
    let site = Site::start();
    let mut ana = world(&site).await;
    let answer = ana.get("/o/anas-workspace/issues?query=is%3Alost").await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(
        answer.headers[header::CONTENT_TYPE],
        "text/html; charset=utf-8"
    );
}
