//! The audit log is written by every route whose action is audited, done or refused.

use axum::http::{Method, StatusCode};
use copal_model::{AuditEntry, AuditResult, Role};
use copal_server::auth::trail::is_watched;
use copal_server::routes::{self, RouteAccess};
use copal_store::PageRequest;
use copal_store::access::OrgRef;
use copal_store::audit::AuditFilter;

use crate::site::Site;

async fn log(site: &Site) -> Vec<AuditEntry> {
    let slug = copal_model::Slug::parse("anas-workspace").unwrap();
    let opened = site
        .app
        .store
        .open_org_as_operator(&OrgRef::Slug(slug))
        .await;
    let (scope, _) = opened.unwrap().unwrap();
    let page = PageRequest::first(100);
    let listed = site
        .app
        .store
        .list_audit(&scope, &AuditFilter::default(), &page)
        .await;
    listed.unwrap().rows
}

#[tokio::test]
async fn what_is_done_and_what_is_refused_is_written_down_and_reading_is_not() {
    let site = Site::start();
    let (mut ana, dashboard) = site.member("Ana").await;
    let (mut bob, _) = site.member("Bob").await;
    site.join("bob@shop.example", Role::Viewer);
    ana.get(&dashboard).await;
    assert_eq!(log(&site).await, []);
    let new = format!("{dashboard}/projects/new");
    let fields = [("name", "shop"), ("platform", "python")];
    let made = ana.post(&new, &fields).await;
    assert_eq!(made.status, StatusCode::SEE_OTHER, "{}", made.body);
    let refused = bob.post(&new, &fields).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    // Who is no member has no place in the log.
    let (mut eve, _) = site.member("Eve").await;
    assert_eq!(eve.post(&new, &fields).await.status, StatusCode::NOT_FOUND);
    // A form that was not filled in well is neither done nor refused.
    let bad = ana
        .post(&new, &[("name", ""), ("platform", "python")])
        .await;
    assert!(bad.status.is_client_error(), "{}", bad.status);
    let lines = log(&site).await;
    let told: Vec<_> = lines
        .iter()
        .map(|line| (&*line.actor_name, &*line.action, line.result))
        .collect();
    let expected = [
        ("Bob", "CreateProject", AuditResult::Denied),
        ("Ana", "CreateProject", AuditResult::Allowed),
    ];
    assert_eq!(told, expected);
    assert_eq!(lines[1].target, format!("POST {new}"));
    assert!(lines[1].credential.starts_with("session:"), "{lines:?}");
    assert!(!lines[1].request_id.is_empty());
}

#[test]
fn every_route_that_changes_who_may_what_is_watched() {
    let mut watched = 0;
    for route in routes::table() {
        let RouteAccess::Org(action) = route.access else {
            continue;
        };
        let is_watched = is_watched(&route.method, route.access).is_some();
        watched += usize::from(is_watched);
        if route.method == Method::DELETE {
            assert!(is_watched, "{} {} {action:?}", route.method, route.path);
        }
    }
    assert!(watched > 10, "{watched}");
}
