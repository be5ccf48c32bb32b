//! `sentry-sdk` of `PyPI` behind Flask.

use std::collections::BTreeSet;

use super::{exceptions, frames, hashed, is_own, line, tag};
use crate::support::call::titled;
use crate::support::{Engine, TestApp, on_each_engine, sdk, text};

const FAILURES: u64 = 11;

async fn every_failure_becomes_the_issue_that_it_is(engine: Engine) {
    let app = TestApp::start(engine);
    sdk::python(&app.dsn(), &["--rounds", "2"]);
    let issues = app.issues_of(2 * FAILURES).await;
    let mut lines: Vec<_> = issues.iter().map(line).collect();
    lines.sort();
    // How long it waited is left to chance.
    let timeout = lines.remove(5);
    assert!(timeout.starts_with("TimeoutError: no answer after "));
    assert!(timeout.ends_with(" s | fingerprint | ERROR | 2"));
    assert_eq!(
        lines,
        [
            "ExceptionGroup: two deliveries failed | parallel | ERROR | 2",
            "KeyError: 'SKU-404' | article | ERROR | 2",
            "OperationalError: no such table: sales_2025 | report | ERROR | 2",
            "OutOfStock: SKU-12 cannot be reserved | order | ERROR | 2",
            "RuntimeError: the price list refers to itself | deep | ERROR | 2",
            "UnicodeEncodeError: 'ascii' codec can't encode character '\\xe9' in position 3: \
             ordinal not in range(128) | export | ERROR | 2",
            "ValueError: invalid literal for int() with base 10: 'half' | cart_total | ERROR | 2",
            "ZeroDivisionError: integer division or modulo by zero | cart_total | ERROR | 2",
            "mail to chidi@shop.example bounced | warnings | ERROR | 2",
            "nightly import took longer than an hour | message | WARNING | 2",
        ]
    );
    for issue in &issues {
        assert_eq!(issue["platform"], "python");
        assert_eq!(issue["firstRelease"], "shop@2.4.0");
        assert_eq!(issue["lastRelease"], "shop@2.4.1");
        let listed = app.events(issue).await;
        let environments: Vec<_> = listed.iter().map(|one| text(&one["environment"])).collect();
        assert_eq!(environments, ["production", "staging"]);
    }
}

async fn a_chained_exception_is_there_whole(engine: Engine) {
    let app = TestApp::start(engine);
    sdk::python(&app.dsn(), &["chained"]);
    let issues = app.issues_of(1).await;
    let issue = titled(&issues, "OutOfStock: SKU-12 cannot be reserved");
    assert_eq!(issue["errorType"], "OutOfStock");
    assert_eq!(issue["usersAffected"], 1);
    let event = app.latest_event(issue).await;
    let chain = [
        ("ValueError", "wanted 3, left 1"),
        ("OutOfStock", "SKU-12 cannot be reserved"),
    ];
    assert_eq!(exceptions(&event), chain);
    let frames = frames(&event);
    let of_flask = |file: &str| file.starts_with("flask/");
    assert!(frames.len() > 3);
    for frame in frames {
        assert_eq!(
            !is_own(frame),
            of_flask(text(&frame["filename"])),
            "{frame}"
        );
    }
    let innermost = frames.last().unwrap();
    assert_eq!(innermost["filename"], "warehouse/stock.py");
    assert_eq!(innermost["function"], "reserve");
    assert_eq!(
        innermost["context_line"],
        "        raise OutOfStock(f\"{sku} cannot be reserved\") from error"
    );
    assert_eq!(innermost["vars"]["sku"], "'SKU-12'");

    let payload = &event["payload"];
    assert_eq!(payload["user"]["email"], "ana@shop.example");
    assert_eq!(payload["request"]["method"], "POST");
    assert_eq!(payload["request"]["data"]["sku"], "SKU-12");
    assert_eq!(payload["contexts"]["order"]["express"], true);
    assert_eq!(payload["contexts"]["runtime"]["name"], "CPython");
    for (key, value) in [
        ("user", "id:41"),
        ("environment", "staging"),
        ("release", "shop@2.4.0"),
        ("server_name", "web-1"),
        ("handled", "no"),
        ("url", "http://localhost/orders"),
        ("transaction", "order"),
    ] {
        assert_eq!(tag(&event, key), Some(value), "{key}");
    }
    assert!(["north", "south"].contains(&tag(&event, "warehouse").unwrap()));

    assert_eq!(event["grouping"]["fingerprint"], issue["fingerprint"]);
    assert_eq!(event["grouping"]["deciding"], "exception");
    let hashed = hashed(&event);
    assert!(hashed.contains(&"type ValueError".to_owned()), "{hashed:?}");
    assert!(hashed.contains(&"function reserve".to_owned()));
    assert!(!hashed.iter().any(|leaf| leaf.contains("flask")));
}

async fn the_page_shows_what_the_sdk_sent(engine: Engine) {
    let app = TestApp::start(engine);
    sdk::python(&app.dsn(), &["chained", "logging"]);
    app.issues_of(2).await;
    let (ana, org) = (app.log_in().await, &app.org);
    let list = ana.page(&format!("/o/{org}/issues")).await;
    assert!(list.contains("SKU-12 cannot be reserved"), "{list}");
    assert!(list.contains("mail to chidi@shop.example bounced"));
    let page = ana.page(&format!("/o/{org}/issues/SHOP-1")).await;
    for part in [
        "OutOfStock",
        "SKU-12 cannot be reserved",
        "ValueError",
        "wanted 3, left 1",
        "warehouse/stock.py",
        "raise OutOfStock(f\"{sku} cannot be reserved\") from error",
        "flask/app.py",
        "ana@shop.example",
        "shop@2.4.0",
        "http://localhost/orders",
        "CPython 3",
    ] {
        assert!(page.contains(part), "{part} is not in {page}");
    }
    let page = ana.page(&format!("/o/{org}/issues/SHOP-2")).await;
    assert!(page.contains("stock of SKU-7 is low"), "a breadcrumb");
}

async fn breadcrumbs_lead_to_the_event(engine: Engine) {
    let app = TestApp::start(engine);
    sdk::python(&app.dsn(), &["division", "logging"]);
    let issues = app.issues_of(2).await;
    let division = titled(
        &issues,
        "ZeroDivisionError: integer division or modulo by zero",
    );
    let event = app.latest_event(division).await;
    let crumb = &event["payload"]["breadcrumbs"]["values"][0];
    assert_eq!(crumb["category"], "cart");
    assert_eq!(crumb["message"], "opened cart 7");
    assert_eq!(crumb["level"], "info");
    let mail = titled(&issues, "mail to chidi@shop.example bounced");
    let event = app.latest_event(mail).await;
    assert_eq!(event["payload"]["logger"], "shop.mail");
    assert_eq!(
        event["payload"]["logentry"]["message"],
        "mail to %s bounced"
    );
    assert_eq!(hashed(&event), ["message mail to %s bounced"]);
}

async fn users_are_told_apart_by_whatever_they_are_known_by(engine: Engine) {
    let app = TestApp::start(engine);
    let arguments = ["--rounds", "8", "--unscrubbed", "fingerprint"];
    sdk::python(&app.dsn(), &arguments);
    let issues = app.issues_of(8).await;
    let [issue] = &issues[..] else {
        panic!("a fingerprint of one's own makes one issue: {issues:#?}")
    };
    assert_eq!(issue["usersAffected"], 6);
    let mut users = BTreeSet::new();
    let mut titles = BTreeSet::new();
    for listed in app.events(issue).await {
        let event = app.event(&listed).await;
        users.insert(tag(&event, "user").unwrap().to_owned());
        titles.insert(text(&event["title"]).to_owned());
        assert_eq!(event["grouping"]["deciding"], "fingerprint");
    }
    let expected = [
        "email:guest@shop.example",
        "id:41",
        "id:42",
        "id:43",
        "id:57",
        "ip:203.0.113.7",
    ];
    assert_eq!(Vec::from_iter(users), expected);
    assert!(titles.len() > 1, "the messages differ: {titles:?}");
}

async fn secrets_that_the_sdk_lets_through_are_scrubbed(engine: Engine) {
    let app = TestApp::start(engine);
    let arguments = ["--unscrubbed", "chained", "encoding"];
    sdk::python(&app.dsn(), &arguments);
    let issues = app.issues_of(2).await;
    for issue in &issues {
        let event = app.latest_event(issue).await;
        let shown = event.to_string();
        assert!(!shown.contains("Bearer abc"), "{shown}");
        assert!(!shown.contains("'hunter2'"), "{shown}");
        if issue["errorType"] == "OutOfStock" {
            let headers = event["payload"]["request"]["headers"].as_array().unwrap();
            let filtered = serde_json::json!(["Authorization", "[Filtered]"]);
            assert!(headers.contains(&filtered), "{headers:?}");
        } else {
            let innermost = frames(&event).last().unwrap();
            assert_eq!(innermost["function"], "export");
            assert_eq!(innermost["vars"]["password"], "[Filtered]");
        }
    }
}

on_each_engine!(
    async every_failure_becomes_the_issue_that_it_is,
    async a_chained_exception_is_there_whole,
    async the_page_shows_what_the_sdk_sent,
    async breadcrumbs_lead_to_the_event,
    async users_are_told_apart_by_whatever_they_are_known_by,
    async secrets_that_the_sdk_lets_through_are_scrubbed,
);
