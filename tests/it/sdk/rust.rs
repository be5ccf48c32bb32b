//! The `sentry` crate of crates.io.

use super::{exceptions, frames, hashed, is_own, tag};
use crate::support::call::titled;
use crate::support::{Engine, TestApp, on_each_engine, sdk, text};

async fn errors_panics_and_messages_become_issues(engine: Engine) {
    let app = TestApp::start(engine);
    sdk::rust(&app.dsn(), &["3"]);
    let issues = app.issues_of(9).await;
    assert_eq!(issues.len(), 3, "{issues:#?}");
    for issue in &issues {
        assert_eq!(issue["eventsCount"], 3);
        assert_eq!(issue["usersAffected"], 3, "job-0, job-1 and job-2");
        assert_eq!(issue["firstRelease"], "worker@0.3.1");
    }

    let import = titled(&issues, "ImportError: line 17 could not be imported");
    assert_eq!(import["level"], "ERROR");
    let event = app.latest_event(import).await;
    let chain = [
        ("ParseIntError", "invalid digit found in string"),
        ("ImportError", "line 19 could not be imported"),
    ];
    assert_eq!(exceptions(&event), chain, "its source comes first");
    assert!(hashed(&event).contains(&"value line <int> could not be imported".to_owned()));
    assert_eq!(tag(&event, "queue"), Some("imports"));
    assert_eq!(tag(&event, "environment"), Some("production"));
    assert_eq!(tag(&event, "user"), Some("id:job-2"));

    let title = "panic: index out of bounds: the len is 3 but the index is 3";
    let panic = titled(&issues, title);
    assert_eq!(panic["level"], "FATAL");
    assert_eq!(panic["culprit"], "sdk_worker::settle");
    let event = app.latest_event(panic).await;
    let settle = frames(&event)
        .iter()
        .find(|frame| text(&frame["function"]) == "sdk_worker::settle")
        .unwrap();
    assert!(is_own(settle));
    assert_eq!(settle["filename"], "worker.rs");
    let of_sdk = frames(&event)
        .iter()
        .filter(|frame| text(&frame["function"]).starts_with("sentry"));
    assert!(of_sdk.clone().count() > 0);
    assert!(
        !of_sdk.clone().any(is_own),
        "the SDK's frames are not the application's"
    );
    assert!(hashed(&event).contains(&"function sdk_worker::settle".to_owned()));

    let message = titled(&issues, "the queue is empty");
    assert_eq!(message["level"], "INFO");
    let (ana, org) = (app.log_in().await, &app.org);
    let list = ana.page(&format!("/o/{org}/issues")).await;
    for issue in &issues {
        assert!(list.contains(text(&issue["shortId"])), "{list}");
    }
    let short_id = text(&import["shortId"]);
    let page = ana.page(&format!("/o/{org}/issues/{short_id}")).await;
    for part in [
        "ImportError",
        "ParseIntError",
        "invalid digit found",
        "job-2",
    ] {
        assert!(page.contains(part), "{part} is not in {page}");
    }
}

on_each_engine!(
    async errors_panics_and_messages_become_issues,
);
