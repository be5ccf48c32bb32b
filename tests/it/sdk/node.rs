//! `@sentry/node` of npm behind express.

use super::{exceptions, frames, hashed, is_own, line, tag};
use crate::support::call::titled;
use crate::support::{Engine, TestApp, on_each_engine, sdk, text};

const FAILURES: u64 = 6;

async fn every_failure_becomes_the_issue_that_it_is(engine: Engine) {
    let app = TestApp::start(engine);
    sdk::node(&app.dsn(), &["--rounds", "3"]);
    let issues = app.issues_of(3 * FAILURES).await;
    let mut lines: Vec<_> = issues.iter().map(line).collect();
    lines.sort();
    assert_eq!(lines.len(), 6, "{lines:#?}");
    for expected in [
        "Error: payment was refused | GET /payment | ERROR | 3",
        "TypeError: Cannot read properties of undefined (reading 'name') | GET /product/9 | ERROR | 3",
        "recommendations are stale | GET /report | WARNING | 3",
    ] {
        assert!(lines.iter().any(|line| line == expected), "{lines:#?}");
    }
    // Whose words differ between versions of Node.
    for (kind, culprit) in [
        ("Error: ENOENT", "GET /config"),
        ("SyntaxError: ", "GET /search"),
        ("SyntaxError: ", "GET /json"),
    ] {
        let expected = format!(" | {culprit} | ERROR | 3");
        assert!(
            lines
                .iter()
                .any(|line| line.starts_with(kind) && line.ends_with(&expected)),
            "{lines:#?}"
        );
    }
    for issue in &issues {
        assert_eq!(issue["usersAffected"], 3, "u-100, u-101 and u-102");
        assert_eq!(issue["lastRelease"], "storefront@1.9.2");
    }
}

async fn an_error_with_a_cause_is_one_issue_whatever_number_it_names(engine: Engine) {
    let app = TestApp::start(engine);
    sdk::node(&app.dsn(), &["--rounds", "4", "cause"]);
    let issues = app.issues_of(4).await;
    let issue = titled(&issues, "Error: payment was refused");
    assert_eq!(issue["eventsCount"], 4);
    assert_eq!(issue["usersAffected"], 4);
    let event = app.latest_event(issue).await;
    let [cause, caught] = exceptions(&event)[..] else {
        panic!("a cause and its consequence")
    };
    assert_eq!(cause.0, "RangeError");
    assert!(cause.1.ends_with(" is over the limit"), "{cause:?}");
    assert_eq!(caught, ("Error", "payment was refused"));
    for frame in frames(&event) {
        let file = text(&frame["filename"]);
        assert_eq!(is_own(frame), file.ends_with("storefront.mjs"), "{frame}");
    }
    let innermost = frames(&event).last().unwrap();
    let line = text(&innermost["context_line"]);
    assert!(line.contains("payment was refused"), "{line}");
    // Which is the latest is the network's choice.
    let user = tag(&event, "user").and_then(|user| user.strip_prefix("id:"));
    let user = user.expect("who asked is known");
    assert!(user.starts_with("u-10"), "{user}");
    assert_eq!(tag(&event, "environment"), Some("production"));
    assert_eq!(tag(&event, "runtime.name"), Some("node"));
    let request = &event["payload"]["request"];
    assert_eq!(request["method"], "GET");
    assert_eq!(request["query_string"][0][1], user);
    let crumbs = event["payload"]["breadcrumbs"]["values"].as_array();
    let last = crumbs.unwrap().last().unwrap();
    assert_eq!(last["category"], "navigation");
    assert_eq!(last["message"], "opened /payment");
    let hashed = hashed(&event);
    assert!(
        !hashed.iter().any(|leaf| leaf.contains("router")),
        "{hashed:?}"
    );

    let (ana, org) = (app.log_in().await, &app.org);
    let page = ana.page(&format!("/o/{org}/issues/SHOP-1")).await;
    for part in [
        "payment was refused",
        "RangeError",
        "storefront.mjs",
        "u-103",
        "opened /payment",
        "storefront@1.9.2",
    ] {
        assert!(page.contains(part), "{part} is not in {page}");
    }
}

on_each_engine!(
    async every_failure_becomes_the_issue_that_it_is,
    async an_error_with_a_cause_is_one_issue_whatever_number_it_names,
);
