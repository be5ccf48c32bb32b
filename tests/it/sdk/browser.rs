//! `@sentry/browser` of npm in headless Chromium, from another origin than the server's.

use super::{exceptions, frames, line, tag};
use crate::support::call::titled;
use crate::support::{Engine, TestApp, on_each_engine, sdk, text};

const FAILURES: u64 = 6;

async fn clicks_that_fail_become_issues(engine: Engine) {
    let app = TestApp::start(engine);
    sdk::browser(&app.dsn(), &["--rounds", "2"]);
    let issues = app.issues_of(2 * FAILURES).await;
    let lines: Vec<_> = issues.iter().map(line).collect();
    assert_eq!(lines.len(), 6, "{lines:#?}");
    for expected in [
        "TypeError: Cannot read properties of null (reading 'percent') | \
         applyCoupon(/app.bundle.js) | ERROR | 2",
        "Error: offers could not be loaded: 404 | loadOffers(/app.bundle.js) | ERROR | 2",
        "TypeError: window.trackPurchase is not a function | reference(/app.bundle.js) | ERROR | 2",
        "BasketError: the basket is empty | custom(/app.bundle.js) | ERROR | 2",
    ] {
        assert!(lines.iter().any(|line| line == expected), "{lines:#?}");
    }
    let message = titled(&issues, "slow page");
    assert_eq!(message["level"], "INFO");
    for issue in &issues {
        assert_eq!(issue["usersAffected"], 2, "visitor-1 and visitor-2");
        assert_eq!(issue["platform"], "javascript");
        assert_eq!(issue["firstRelease"], "web@5.1.0");
    }

    let title = "TypeError: Cannot read properties of null (reading 'percent')";
    let event = app.latest_event(titled(&issues, title)).await;
    let (kind, value) = exceptions(&event)[0];
    assert_eq!(format!("{kind}: {value}"), title);
    let functions = frames(&event).iter().map(|one| text(&one["function"]));
    let functions = functions.collect::<Vec<_>>();
    assert!(functions.ends_with(&["property", "checkout", "applyCoupon"]));
    assert_eq!(event["payload"]["user"]["id"], "visitor-2");
    assert_eq!(event["payload"]["user"]["ip_address"], "127.0.0.1");
    let crumbs = event["payload"]["breadcrumbs"]["values"].as_array();
    let last = crumbs.unwrap().last().unwrap();
    assert_eq!(last["category"], "ui.click");
    assert_eq!(last["message"], "body > button#property");
    let agent = event["payload"]["request"]["headers"].to_string();
    assert!(agent.contains("Chrome/"), "{agent}");

    let custom = titled(&issues, "BasketError: the basket is empty");
    let event = app.latest_event(custom).await;
    assert_eq!(tag(&event, "step"), Some("checkout"));
    assert_eq!(tag(&event, "handled"), Some("yes"));
    let short_id = text(&custom["shortId"]);
    let (ana, org) = (app.log_in().await, &app.org);
    let page = ana.page(&format!("/o/{org}/issues/{short_id}")).await;
    for part in [
        "BasketError",
        "/app.bundle.js",
        "checkout",
        "body > button#custom",
    ] {
        assert!(page.contains(part), "{part} is not in {page}");
    }
}

on_each_engine!(
    async clicks_that_fail_become_issues,
);
