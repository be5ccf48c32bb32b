//! Settings of a project: what each form changes, what it leaves alone, and what it refuses.

use axum::http::StatusCode;
use copal_model::{AuditEntry, Role};
use copal_store::PageRequest;
use copal_store::access::OrgRef;
use copal_store::audit::AuditFilter;

use crate::site::{Answer, Browser, Site};

const PROJECT: &str = "/o/anas-workspace/projects/shop";

/// Fields of a form.
type Typed = [(&'static str, &'static str)];

async fn shop(site: &Site) -> Browser<'_> {
    let (mut ana, _) = site.member("Ana").await;
    ana.post("/o/anas-workspace/projects/new", &[("name", "Shop")])
        .await;
    ana
}

async fn page(browser: &mut Browser<'_>) -> String {
    let answer = browser.get(&format!("{PROJECT}/settings")).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    answer.body
}

async fn send(browser: &mut Browser<'_>, part: &str, fields: &[(&str, &str)]) -> Answer {
    browser.post(&format!("{PROJECT}/{part}"), fields).await
}

/// The field of a page as far as the next tag.
fn field<'p>(page: &'p str, id: &str) -> &'p str {
    let from = page.find(&format!("id=\"{id}\"")).unwrap();
    let end = page[from..].find('<').unwrap();
    &page[from..from + end]
}

/// The form that changes the key of a label.
fn key_path(page: &str, label: &str) -> String {
    let (_, rest) = page.split_once(&format!("<bdi>{label}</bdi>")).unwrap();
    let (_, rest) = rest.split_once("action=\"").unwrap();
    rest.split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_form_changes_what_it_sends_and_nothing_else() {
    let site = Site::start();
    let mut ana = shop(&site).await;
    let answer = send(
        &mut ana,
        "settings",
        &[("allowed_origins", "shop.example\n*.shop.example")],
    )
    .await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    send(&mut ana, "settings", &[("retention_days", "7")]).await;
    send(
        &mut ana,
        "filters",
        &[("localhost", "on"), ("releases", "1.*\n\n beta-* ")],
    )
    .await;
    send(&mut ana, "scrubbing", &[("fields", "patient")]).await;
    let page = page(&mut ana).await;
    assert!(field(&page, "f-name").contains("value=\"Shop\""));
    assert!(field(&page, "f-allowed_origins").ends_with("shop.example\n*.shop.example"));
    assert!(page.contains("kept for 7 days"));
    assert!(field(&page, "f-localhost").contains(" checked"));
    assert!(!field(&page, "f-webCrawlers").contains(" checked"));
    assert!(field(&page, "f-releases").ends_with("1.*\nbeta-*"));
    // Not ticked is off, which the other form has left alone.
    assert!(!field(&page, "f-secrets").contains(" checked"));
    assert!(field(&page, "f-fields").ends_with("patient"));
}

#[tokio::test]
async fn what_cannot_be_used_is_named_and_kept_as_it_was_typed() {
    let site = Site::start();
    let mut ana = shop(&site).await;
    let typed = [
        ("addresses", "10.0.0.0/8\n10.0.0.0/99"),
        ("localhost", "on"),
    ];
    let many = "x\n".repeat(201);
    let many: &'static str = many.leak();
    let many = [("safeFields", many)];
    let days = [("retention_days", "365")];
    let cases: [(&str, &Typed, &str); 4] = [
        ("filters", &typed, "Line 2: `10.0.0.0/99` is neither"),
        (
            "scrubbing",
            &many,
            "A list has at most 200 lines, and this one has 201.",
        ),
        ("settings", &days, "up to the 30 of the plan FREE."),
        ("settings", &[("slug", "7")], "<span class=\"wrong\">"),
    ];
    for (part, fields, why) in cases {
        let answer = send(&mut ana, part, fields).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{part}");
        let told = answer.body.replace("&#96;", "`");
        assert!(told.contains(why), "{part}: {why}");
        if part == "filters" {
            assert!(field(&told, "f-addresses").ends_with("10.0.0.0/8\n10.0.0.0/99"));
            assert!(field(&told, "f-localhost").contains(" checked"));
        }
    }
    let page = page(&mut ana).await;
    assert!(!field(&page, "f-localhost").contains(" checked"));
    assert!(page.contains("kept for 30 days"));
}

#[tokio::test]
async fn a_slug_of_another_project_is_taken() {
    let site = Site::start();
    let mut ana = shop(&site).await;
    ana.post("/o/anas-workspace/projects/new", &[("name", "Blog")])
        .await;
    let answer = send(&mut ana, "settings", &[("slug", "blog")]).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert!(answer.body.contains("Another project has this slug."));
    let answer = send(&mut ana, "settings", &[("slug", "store")]).await;
    assert_eq!(
        answer.location(),
        "/o/anas-workspace/projects/store/settings"
    );
}

#[tokio::test]
async fn a_key_that_is_rotated_keeps_its_limit_and_stays_valid() {
    let site = Site::start();
    let mut ana = shop(&site).await;
    let first = page(&mut ana).await;
    let key = key_path(&first, "Default");
    let limit = [
        ("action", "change"),
        ("label", "App"),
        ("limit", "600"),
        ("seconds", "3600"),
    ];
    ana.post(&key, &limit).await;
    ana.post(&key, &[("action", "rotate")]).await;
    let both = page(&mut ana).await;
    assert_eq!(both.matches("at most 600 events an hour").count(), 2);
    assert_eq!(
        both.matches("<span class=\"chip\">active</span>").count(),
        2
    );
    assert_eq!(key_path(&both, "App (old)"), key);
    assert_ne!(key_path(&both, "App"), key);
    let dsn = field(&first, "dsn-1").split_once('>').unwrap().1;
    assert!(both.contains(dsn), "the old one is still told");
    let wrong = [
        ("action", "change"),
        ("label", "App"),
        ("limit", "1000001"),
        ("seconds", "60"),
    ];
    let answer = ana.post(&key, &wrong).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(
        answer.body.contains("1 to 1000000 events"),
        "{}",
        answer.body
    );
}

#[tokio::test]
async fn who_may_change_nothing_sees_what_is_set_and_who_can_change_it() {
    let site = Site::start();
    let mut ana = shop(&site).await;
    send(&mut ana, "filters", &[("releases", "unwanted-*")]).await;
    let (mut bo, _) = site.member("Bo").await;
    site.join("bo@shop.example", Role::Viewer);
    let page = page(&mut bo).await;
    assert!(page.contains("unwanted-*"));
    assert!(page.contains("Only OWNER or ADMIN can change projects. Ask Ana."));
    assert!(!page.contains("<textarea") && !page.contains("@copal.test"));
    for part in ["filters", "scrubbing"] {
        let answer = send(&mut bo, part, &[]).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{part}");
    }
}

async fn audited(site: &Site, org: &str) -> Vec<AuditEntry> {
    let slug = OrgRef::Slug(copal_model::Slug::parse(org).unwrap());
    let opened = site.app.store.open_org_as_operator(&slug).await;
    let (scope, _) = opened.unwrap().unwrap();
    let filter = AuditFilter::default();
    let page = PageRequest::first(100);
    let listed = site.app.store.list_audit(&scope, &filter, &page).await;
    let mut rows = listed.unwrap().rows;
    rows.retain(|row| row.action == "TransferProject");
    rows
}

#[tokio::test]
async fn a_project_that_is_deleted_is_taken_back_on_the_settings_page() {
    let site = Site::start();
    let mut ana = shop(&site).await;
    let wrong = send(&mut ana, "delete", &[("confirm", "shop")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    let early = send(&mut ana, "restore", &[]).await;
    assert_eq!(early.status, StatusCode::CONFLICT);
    let deleted = send(&mut ana, "delete", &[("confirm", "Shop")]).await;
    assert_eq!(deleted.status, StatusCode::SEE_OTHER);
    let gone = ana.get(&format!("{PROJECT}/settings")).await;
    assert_eq!(gone.status, StatusCode::NOT_FOUND);
    let settings = ana.get("/o/anas-workspace/settings").await.body;
    assert!(settings.contains("Deleted projects"));
    assert!(settings.contains(&format!("action=\"{PROJECT}/restore\"")));

    let (mut bo, _) = site.member("Bo").await;
    site.join("bo@shop.example", Role::Member);
    let refused = send(&mut bo, "restore", &[]).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let seen = bo.get("/o/anas-workspace/settings").await.body;
    assert!(!seen.contains("Deleted projects"));

    let back = send(&mut ana, "restore", &[]).await;
    assert_eq!(back.location(), format!("{PROJECT}/settings"));
    assert!(page(&mut ana).await.contains("Shop is back, as it was."));
}

#[tokio::test]
async fn who_owns_both_moves_a_project_and_both_are_told() {
    let site = Site::start();
    let mut ana = shop(&site).await;
    ana.post("/o/new", &[("name", "Acme")]).await;
    let settings = page(&mut ana).await;
    assert!(settings.contains(">Acme</option>"));
    assert!(!settings.contains(">Ana&#39;s Workspace</option>"));
    let same = send(&mut ana, "transfer", &[("to", "anas-workspace")]).await;
    assert_eq!(same.status, StatusCode::CONFLICT);
    let moved = send(&mut ana, "transfer", &[("to", "acme")]).await;
    assert_eq!(moved.location(), "/o/acme/projects/shop/settings");
    let old = ana.get(&format!("{PROJECT}/settings")).await;
    assert_eq!(old.status, StatusCode::NOT_FOUND);
    let new = ana.get("/o/acme/projects/shop/settings").await;
    assert!(new.body.contains("Shop is in Acme now."));
    for org in ["anas-workspace", "acme"] {
        let entries = audited(&site, org).await;
        assert_eq!(entries.len(), 1, "{org}");
        assert_eq!(entries[0].before.as_deref(), Some("anas-workspace/shop"));
        assert_eq!(entries[0].after.as_deref(), Some("acme/shop"));
    }
}

#[tokio::test]
async fn a_project_is_moved_to_no_organization_of_others() {
    let site = Site::start();
    let mut ana = shop(&site).await;
    let (mut bo, _) = site.member("Bo").await;
    bo.post("/o/new", &[("name", "Acme")]).await;
    ana.post("/o/new", &[("name", "Other")]).await;
    let foreign = send(&mut ana, "transfer", &[("to", "acme")]).await;
    let missing = send(&mut ana, "transfer", &[("to", "nothing")]).await;
    assert_eq!(foreign.status, StatusCode::NOT_FOUND);
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
    site.join("bo@shop.example", Role::Admin);
    let low = send(&mut bo, "transfer", &[("to", "acme")]).await;
    assert_eq!(low.status, StatusCode::FORBIDDEN);
    site.wait_secs(15 * 60 + 1);
    let stale = send(&mut ana, "transfer", &[("to", "acme")]).await;
    assert!(
        stale.location().starts_with("/account/confirm"),
        "{}",
        stale.status
    );
    assert!(page(&mut ana).await.contains("Confirm your password first"));
    assert_eq!(audited(&site, "acme").await.len(), 0);
}
