//! Signing up, logging in and out.

use std::time::{Duration, Instant};

use axum::http::{StatusCode, header};
use copal_server::app::SignupMode;

use crate::site::{PASSWORD, Site};

#[tokio::test]
async fn signing_up_lands_on_the_own_dashboard() {
    let site = Site::start();
    let (mut ana, dashboard) = site.member("Ana").await;
    assert_eq!(dashboard, "/o/anas-workspace");
    assert_eq!(ana.get(&dashboard).await.status, StatusCode::OK);
    assert_eq!(ana.get("/").await.location(), dashboard);
    assert_eq!(ana.get("/login").await.location(), dashboard);
}

#[tokio::test]
async fn only_the_first_user_may_sign_up_where_it_is_closed() {
    for mode in [SignupMode::Closed, SignupMode::Invite] {
        let site = Site::with("http://copal.test", mode);
        site.member("Ana").await;
        let mut bo = site.browser();
        bo.get("/signup").await;
        let fields = [("name", "Bo"), ("email", "bo@x.io"), ("password", PASSWORD)];
        let answer = bo.post("/signup", &fields).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        assert_eq!(site.app.store.count_users().await.unwrap(), 1);
    }
}

#[tokio::test]
async fn a_cookie_is_dead_after_logging_out() {
    let site = Site::start();
    let (mut ana, dashboard) = site.member("Ana").await;
    let mut thief = ana.clone();
    assert_eq!(thief.get(&dashboard).await.status, StatusCode::OK);
    assert_eq!(ana.post("/logout", &[]).await.location(), "/login");
    assert!(!ana.cookies.contains_key("copal"));
    let answer = thief.get(&dashboard).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(answer.location(), "/login?next=%2Fo%2Fanas-workspace");
}

#[tokio::test]
async fn a_session_ends_after_thirty_days() {
    let site = Site::start();
    let (mut ana, dashboard) = site.member("Ana").await;
    site.wait_secs(30 * 86_400 - 1);
    assert_eq!(ana.get(&dashboard).await.status, StatusCode::OK);
    site.wait_secs(1);
    assert_eq!(ana.get(&dashboard).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_planted_session_is_worth_nothing_after_logging_in() {
    let site = Site::start();
    site.member("Ana").await;
    let mut ana = site.browser();
    ana.get("/login").await;
    ana.cookies.insert("copal".to_owned(), "planted".to_owned());
    let mut attacker = ana.clone();
    let fields = [("email", "ana@shop.example"), ("password", PASSWORD)];
    let answer = ana.post("/login", &fields).await;
    assert_eq!(answer.location(), "/o/anas-workspace");
    assert_ne!(ana.cookies["copal"], "planted");
    assert_eq!(attacker.get("/account").await.status, StatusCode::SEE_OTHER);
    // Logging in again ends the session before.
    let mut before = ana.clone();
    ana.get("/login").await;
    ana.cookies.extend(before.cookies.clone());
    let old = ana.cookies["copal"].clone();
    ana.cookies.remove("copal");
    let (secret, _) = (
        ana.token().await,
        ana.cookies.insert("copal".to_owned(), old),
    );
    let fields = [
        ("email", "ana@shop.example"),
        ("password", PASSWORD),
        ("csrf", &*secret),
    ];
    let answer = ana
        .post_as_is("/login", &fields, axum::http::HeaderMap::new())
        .await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    assert_eq!(before.get("/account").await.status, StatusCode::SEE_OTHER);
    assert_eq!(ana.get("/account").await.status, StatusCode::OK);
}

#[tokio::test]
async fn an_unknown_address_and_a_wrong_password_read_the_same() {
    let site = Site::start();
    site.member("Ana").await;
    let mut answers = Vec::new();
    for email in ["ana@shop.example", "who@shop.example", "no address"] {
        let mut browser = site.browser();
        browser.get("/login").await;
        let fields = [("email", email), ("password", "wrong password")];
        let answer = browser.post("/login", &fields).await;
        answers.push((answer.status, answer.body.replace(email, "…").len()));
    }
    assert_eq!(answers[0].0, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0], answers[2]);
}

#[tokio::test]
async fn an_unknown_address_and_a_wrong_password_take_as_long() {
    let site = Site::start();
    site.member("Ana").await;
    let mut browser = site.browser();
    browser.get("/login").await;
    let mut shortest = [Duration::MAX; 2];
    // On a busy machine single tries take longer, but the shortest of many comes near the work.
    for _ in 0..50 {
        // So that no try is refused.
        site.wait_secs(600);
        for (which, email) in ["ana@shop.example", "nobody@shop.example"]
            .into_iter()
            .enumerate()
        {
            let fields = [("email", email), ("password", "not the password")];
            let start = Instant::now();
            let answer = browser.post("/login", &fields).await;
            shortest[which] = shortest[which].min(start.elapsed());
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        }
        let [wrong, unknown] = shortest;
        if wrong < unknown * 2 && unknown < wrong * 2 {
            return;
        }
    }
    panic!("a wrong password and an unknown address took {shortest:?}");
}

#[tokio::test]
async fn guesses_run_out_and_come_back() {
    let site = Site::start();
    site.member("Ana").await;
    let mut guesser = site.browser();
    guesser.get("/login").await;
    let wrong = [
        ("email", "ana@shop.example"),
        ("password", "wrong password"),
    ];
    for _ in 0..10 {
        let answer = guesser.post("/login", &wrong).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let right = [("email", "ana@shop.example"), ("password", PASSWORD)];
    let answer = guesser.post("/login", &right).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(answer.headers[header::RETRY_AFTER], "61");
    site.wait_secs(61);
    let answer = guesser.post("/login", &right).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn logging_in_leads_back_but_never_off_the_site() {
    let site = Site::start();
    site.member("Ana").await;
    for (next, expected) in [
        ("/o/anas-workspace/members", "/o/anas-workspace/members"),
        ("//evil.example", "/o/anas-workspace"),
        ("/\\evil.example", "/o/anas-workspace"),
        ("https://evil.example", "/o/anas-workspace"),
        ("/%2fevil.example", "/o/anas-workspace"),
    ] {
        let mut ana = site.browser();
        ana.get("/login").await;
        let fields = [
            ("email", "ana@shop.example"),
            ("password", PASSWORD),
            ("next", next),
        ];
        assert_eq!(
            ana.post("/login", &fields).await.location(),
            expected,
            "{next}"
        );
    }
}

#[tokio::test]
async fn under_tls_every_cookie_is_bound_to_the_host() {
    let site = Site::with("https://copal.test", SignupMode::Open);
    let mut browser = site.browser();
    let answer = browser.get("/signup").await;
    let cookie = answer.headers[header::SET_COOKIE].to_str().unwrap();
    assert!(cookie.starts_with("__Host-copal-form="), "{cookie}");
    for part in ["Path=/", "HttpOnly", "SameSite=Lax", "Secure"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(
        answer
            .headers
            .contains_key(header::STRICT_TRANSPORT_SECURITY)
    );
}

#[tokio::test]
async fn what_was_typed_is_checked_and_a_taken_address_refused() {
    let site = Site::start();
    site.member("Ana").await;
    let mut bo = site.browser();
    bo.get("/signup").await;
    let sign_up = |email, password| [("name", "Bo"), ("email", email), ("password", password)];
    for (email, password, status) in [
        ("bo@x.io", "password1", StatusCode::UNPROCESSABLE_ENTITY),
        ("bo@x.io", "short", StatusCode::UNPROCESSABLE_ENTITY),
        ("b\u{131}@x.io", PASSWORD, StatusCode::UNPROCESSABLE_ENTITY),
        ("ANA@shop.example", PASSWORD, StatusCode::CONFLICT),
    ] {
        let answer = bo.post("/signup", &sign_up(email, password)).await;
        assert_eq!(answer.status, status, "{email} {password}");
    }
    let twice = [
        ("name", "Bo"),
        ("email", "a@x.io"),
        ("email", "b@x.io"),
        ("password", PASSWORD),
    ];
    assert_eq!(
        bo.post("/signup", &twice).await.status,
        StatusCode::BAD_REQUEST
    );
}

#[tokio::test]
async fn a_token_is_made_once_and_revoked() {
    let site = Site::start();
    let (mut ana, _) = site.member("Ana").await;
    let answer = ana.post("/account/tokens", &[("name", "deploys")]).await;
    assert_eq!(answer.status, StatusCode::OK);
    let me = site
        .app
        .store
        .find_login(&"ana@shop.example".parse_email())
        .await
        .unwrap()
        .unwrap()
        .user;
    let tokens = site.app.store.list_tokens(me.id).await.unwrap();
    assert_eq!(tokens[0].name, "deploys");
    let path = format!("/account/tokens/{}/delete", tokens[0].id);
    assert_eq!(ana.post(&path, &[]).await.location(), "/account");
    assert!(site.app.store.list_tokens(me.id).await.unwrap().is_empty());
}

trait ParseEmail {
    fn parse_email(&self) -> copal_model::Email;
}

impl ParseEmail for str {
    fn parse_email(&self) -> copal_model::Email {
        copal_model::Email::parse(self).unwrap()
    }
}
