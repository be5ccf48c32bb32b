//! Pages that update by themselves, and stop when they must.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use copal_model::{IssueId, ProjectId};
use copal_protocol::EventId;
use copal_server::news::News;
use copal_store::access::OrgRef;
use copal_store::record::Disposition;
use futures_util::StreamExt as _;
use futures_util::future::join_all;

use crate::site::{Browser, Site};

/// Longer than a stream may take to notice something.
const SOON: Duration = Duration::from_secs(15);

async fn open(site: &Site, browser: &Browser<'_>) -> axum::body::BodyDataStream {
    let request = Request::get("/o/anas-workspace/issues/stream")
        .header(
            header::COOKIE,
            format!("copal={}", browser.cookies["copal"]),
        )
        .body(Body::empty())
        .unwrap();
    let response = site.answer(request).await;
    assert_eq!(response.status(), StatusCode::OK);
    response.into_body().into_data_stream()
}

/// The next message that is no heartbeat; `None` when the stream has ended.
async fn next_message(stream: &mut axum::body::BodyDataStream) -> Option<String> {
    loop {
        let chunk = tokio::time::timeout(SOON, stream.next()).await.unwrap()?;
        let text = String::from_utf8(chunk.unwrap().to_vec()).unwrap();
        if !text.starts_with(':') {
            return Some(text);
        }
    }
}

async fn tell(site: &Site, email: &str, disposition: Disposition) {
    let email = copal_model::Email::parse(email).unwrap();
    let user = site
        .app
        .store
        .find_login(&email)
        .await
        .unwrap()
        .unwrap()
        .user;
    let org = OrgRef::Id(user.default_org);
    let access = site
        .app
        .store
        .open_org(user.id, &org)
        .await
        .unwrap()
        .unwrap();
    let project = ProjectId::new(1).unwrap();
    site.app.news.tell(News {
        org: access.organization.id,
        project,
        issue: IssueId::new(project, 1),
        event: EventId::new(uuid::Uuid::nil()),
        disposition,
    });
}

#[tokio::test]
async fn new_issues_of_the_own_organization_are_told_in_one_message() {
    let site = Site::start();
    let (ana, _) = site.member("Ana").await;
    site.member("Bo").await;
    let mut stream = open(&site, &ana).await;
    for disposition in [
        Disposition::New,
        Disposition::Joined,
        Disposition::Regressed,
    ] {
        tell(&site, "bo@shop.example", Disposition::New).await;
        tell(&site, "ana@shop.example", disposition).await;
    }
    let message = next_message(&mut stream).await.unwrap();
    assert_eq!(message, "event: issues\ndata: 2\n\n");
}

#[tokio::test]
async fn who_logs_out_hears_nothing_more() {
    let site = Site::start();
    let (mut ana, _) = site.member("Ana").await;
    let mut stream = open(&site, &ana).await;
    ana.post("/logout", &[]).await;
    tell(&site, "ana@shop.example", Disposition::New).await;
    assert_eq!(next_message(&mut stream).await, None);
}

#[tokio::test]
async fn a_newer_page_takes_the_place_of_the_oldest() {
    let site = Site::start();
    let (ana, _) = site.member("Ana").await;
    let mut oldest = open(&site, &ana).await;
    let mut newer = Vec::new();
    for _ in 0..12 {
        newer.push(open(&site, &ana).await);
    }
    let message = next_message(&mut oldest).await.unwrap();
    assert_eq!(message, "event: replaced\ndata: newer\n\n");
    assert_eq!(next_message(&mut oldest).await, None);
    tell(&site, "ana@shop.example", Disposition::New).await;
    for message in join_all(newer.iter_mut().map(next_message)).await {
        assert_eq!(message.unwrap(), "event: issues\ndata: 1\n\n");
    }
}

#[tokio::test]
async fn streams_end_when_the_server_stops() {
    let site = Site::start();
    let (ana, _) = site.member("Ana").await;
    let mut stream = open(&site, &ana).await;
    site.app.news.close();
    assert_eq!(next_message(&mut stream).await, None);
}
