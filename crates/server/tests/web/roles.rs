//! Every role × every page and form of an organization, by the policy; and what a refusal says.

use axum::http::{Method, StatusCode};
use copal_model::Role;
use copal_model::policy::{Action, OrgSettings};
use copal_server::middleware::audience::Audience;
use copal_server::routes::{self, RouteAccess};

use crate::access::fill;
use crate::issues;
use crate::site::{Answer, Browser, Site};

/// Ana's project and issue, and Bo, who has a role there.
async fn world(site: &Site, role: Role) -> Browser<'_> {
    issues::world(site).await;
    let (bo, _) = site.member("Bo").await;
    site.join("bo@shop.example", role);
    bo
}

fn org_routes() -> impl Iterator<Item = (Method, &'static str, Action)> {
    routes::table().into_iter().filter_map(|route| {
        let RouteAccess::Org(action) = route.access else {
            return None;
        };
        (Audience::of(route.path) == Audience::Page).then_some((route.method, route.path, action))
    })
}

async fn ask(browser: &mut Browser<'_>, method: &Method, path: &str) -> Answer {
    match *method {
        Method::GET => browser.get(path).await,
        _ => browser.post(path, &[]).await,
    }
}

#[tokio::test]
async fn each_role_gets_as_far_as_the_policy_says() {
    for role in Role::ALL {
        let site = Site::start();
        let mut bo = world(&site, role).await;
        let mut refused = 0;
        for (method, path, action) in org_routes() {
            let answer = ask(&mut bo, &method, &fill(path)).await;
            if role.may(action, OrgSettings::default()) {
                assert_ne!(
                    answer.status,
                    StatusCode::FORBIDDEN,
                    "{role} {method} {path}"
                );
                assert!(!answer.status.is_server_error(), "{role} {method} {path}");
            } else {
                refused += 1;
                assert_eq!(
                    answer.status,
                    StatusCode::FORBIDDEN,
                    "{role} {method} {path}"
                );
                let why = "You may not do that";
                assert!(answer.body.contains(why), "{role} {method} {path}");
                assert!(answer.body.contains("Only OWNER"), "{role} {method} {path}");
                assert!(answer.body.contains("Ask Ana"), "{role} {method} {path}");
            }
        }
        let expected = match role {
            Role::Viewer => refused > 5,
            Role::Member => refused > 3,
            // Handing over, converting, deleting and taking that back, moving a project.
            Role::Admin => refused == 5,
            Role::Owner => refused == 0,
        };
        assert!(expected, "{role} was refused {refused} times");
    }
}

#[tokio::test]
async fn a_viewer_reads_and_is_told_who_does_the_rest() {
    let site = Site::start();
    let mut bo = world(&site, Role::Viewer).await;
    let triage = "Only OWNER, ADMIN or MEMBER can resolve and ignore issues. Ask Ana.";
    let list = bo.get("/o/anas-workspace/issues").await.body;
    assert!(list.contains(triage) && !list.contains("name=\"issue\""));
    let issue = bo.get("/o/anas-workspace/issues/SHOP-1").await.body;
    assert!(issue.contains(triage) && !issue.contains("value=\"RESOLVED\""));
    let guide = bo.get("/o/anas-workspace/projects/shop/guide").await.body;
    assert!(guide.contains("Only OWNER, ADMIN or MEMBER can see client keys. Ask Ana."));
    assert!(!guide.contains("@copal.test"), "the DSN is a key");
    let dashboard = bo.get("/o/anas-workspace").await.body;
    assert!(!dashboard.contains("New project"));
}

#[tokio::test]
async fn a_member_triages_and_sees_keys_but_changes_no_project() {
    let site = Site::start();
    let mut bo = world(&site, Role::Member).await;
    let answer = bo
        .post(
            "/o/anas-workspace/issues/SHOP-1/status",
            &[("status", "RESOLVED")],
        )
        .await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    let guide = bo.get("/o/anas-workspace/projects/shop/guide").await.body;
    assert!(guide.contains("@copal.test"), "a member sees the DSN");
    let settings = bo
        .get("/o/anas-workspace/projects/shop/settings")
        .await
        .body;
    for why in [
        "Only OWNER or ADMIN can change projects. Ask Ana.",
        "Only OWNER or ADMIN can change client keys. Ask Ana.",
        "Only OWNER or ADMIN can delete projects. Ask Ana.",
    ] {
        assert!(settings.contains(why), "{why}");
    }
    assert!(!settings.contains("name=\"action\"") && !settings.contains("name=\"confirm\""));
}

#[tokio::test]
async fn a_role_that_is_taken_away_is_gone_at_once() {
    let site = Site::start();
    let mut bo = world(&site, Role::Admin).await;
    let path = "/o/anas-workspace/projects/new";
    assert_eq!(bo.get(path).await.status, StatusCode::OK);
    site.join("bo@shop.example", Role::Viewer);
    let answer = bo.post(path, &[("name", "x")]).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn the_plan_is_a_page_for_owners_and_admins_only() {
    let site = Site::start();
    let (mut ana, dashboard) = site.member("Ana").await;
    let (mut bob, _) = site.member("Bob").await;
    let page = format!("{dashboard}/settings/plan");
    assert_eq!(bob.get(&page).await.status, StatusCode::NOT_FOUND);
    site.join("bob@shop.example", Role::Member);
    assert_eq!(bob.get(&page).await.status, StatusCode::FORBIDDEN);
    let plan = ana.get(&page).await;
    assert_eq!(plan.status, StatusCode::OK);
    assert!(
        plan.body.contains("0 of 1,000,000, 1,000,000 left"),
        "{}",
        plan.body
    );
    assert!(plan.body.contains("aria-current=\"page\">Plan and use"));
}
