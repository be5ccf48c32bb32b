use copal_model::{EventSummary, IssueId, ProjectId, Timestamp};
use copal_protocol::EventId;
use copal_store::events::StoredEvent;
use copal_ui::pages::event::Relation;
use uuid::Uuid;

use super::*;

fn view(payload: &str) -> EventView {
    let at = Timestamp::UNIX_EPOCH;
    event_view(&EventInIssue {
        event: StoredEvent {
            summary: EventSummary {
                event_id: EventId::new(Uuid::nil()),
                issue_id: IssueId::new(ProjectId::new(1).unwrap(), 1),
                title: String::new(),
                occurred_at: at,
                received_at: at,
                release: None,
                environment: None,
            },
            payload: payload.as_bytes().to_vec(),
            grouping: br#"{"fingerprint":"aa","version":"copal-1","reasons":["because"],
                "variants":[{"name":"app","hash":"aa","contributes":true,"hint":"in-app frames"},
                            {"name":"system","hash":"bb","contributes":true,"leaves":[1,2]}]}"#
                .to_vec(),
        },
        previous: None,
        next: None,
        number: 1,
        stored: 1,
    })
}

#[test]
fn the_crash_and_its_innermost_frame_come_first() {
    let view = view(
        r#"{"level":"fatal","exception":{"values":[
            {"type":"KeyError","value":"x","mechanism":{"source":"__context__"}},
            {"type":"ValueError","value":"y","mechanism":{"type":"django","handled":false},
             "stacktrace":{"frames":[{"function":"outer"},
               {"function":"inner","lineno":10,"in_app":true,"pre_context":["a","b"],
                "context_line":"c","post_context":["d"],"vars":{"n":1.5}}]}}]}}"#,
    );
    assert_eq!(view.level, Level::Fatal);
    let [crash, context] = &view.exceptions[..] else {
        panic!("{:?}", view.exceptions)
    };
    assert_eq!(
        (crash.kind.as_str(), crash.is_handled),
        ("ValueError", Some(false))
    );
    assert_eq!(crash.relation, Relation::Crash);
    assert_eq!(context.relation, Relation::WhileHandling);
    let inner = &crash.frames[0];
    assert_eq!(inner.function, "inner");
    let numbers: Vec<_> = inner.source.iter().map(|line| line.number).collect();
    assert_eq!(numbers, [Some(8), Some(9), Some(10), Some(11)]);
    assert!(inner.source[2].is_current);
    assert_eq!(crash.frames[1].function, "outer");
}

#[test]
fn request_and_breadcrumbs_are_taken_apart() {
    let view = view(
        r#"{"request":{"url":"https://x.io/a?b=1&c=%20#f","method":"GET","headers":[["Host","x.io"]]},
            "breadcrumbs":{"values":[{"category":"http","message":"GET","timestamp":1}, 7]},
            "tags":[["a","b"]],"user":{"id":7,"email":null}}"#,
    );
    let request = view.request.unwrap();
    assert_eq!(request.url, "https://x.io/a");
    assert_eq!(
        request.query,
        [("b".into(), "1".into()), ("c".into(), " ".into())]
    );
    assert_eq!(request.headers, [("Host".into(), "x.io".into())]);
    assert_eq!(view.breadcrumbs.len(), 1);
    assert_eq!(view.tags, [("a".into(), "b".into())]);
    assert_eq!(view.user.len(), 1);
}

#[test]
fn grouping_names_the_variant_that_decided() {
    let grouping = view("{}").grouping;
    assert_eq!(
        (grouping.version.as_str(), grouping.deciding.as_str()),
        ("copal-1", "app")
    );
    assert!(!grouping.variants[1].is_deciding);
    assert_eq!(grouping.variants[1].note, "2 values contribute");
}

#[test]
fn nothing_hostile_fails_or_grows() {
    let long = "x".repeat(100_000);
    let deep = format!("{}{}", "[".repeat(90), "]".repeat(90));
    let many = vec!["{}"; 1_000].join(",");
    let payload = format!(
        r#"{{"exception":[{many}],"extra":{{"long":"{long}","deep":{deep}}},"breadcrumbs":[{many}]}}"#
    );
    let view = view(&payload);
    assert!(view.exceptions.len() <= 50);
    assert_eq!(view.breadcrumbs.len(), SHOWN_MAX);
    assert!(format!("{:?}", view.extra).len() < 20_000);
    for payload in [
        "",
        "null",
        "[]",
        "7",
        r#"{"exception":7,"request":[],"tags":"x","user":[]}"#,
    ] {
        let view = super::tests::view(payload);
        assert!(view.exceptions.is_empty() && view.request.is_none() && view.tags.is_empty());
    }
}

#[test]
fn what_was_mended_is_told_in_sentences() {
    let told = view(
        r#"{"errors":[{"type":"value_too_long","name":"extra"},
            {"type":"invalid_data","name":"release","value":"a/b"},
            {"type":"clock_drift","name":"timestamp","value":"2026-01-01T00:00:00Z"},
            {"type":"filtered","name":"extra.card","value":"a payment card"},
            {"type":"js_no_source","name":"app.js"},{"name":"without a kind"},7]}"#,
    );
    assert_eq!(
        told.problems,
        [
            "extra: too large, cut",
            "release: not a value it may have, dropped (was a/b)",
            "timestamp: the sender's clock was wrong, corrected (was 2026-01-01T00:00:00Z)",
            "extra.card: taken out: a payment card",
            "app.js: js_no_source",
        ]
    );
}
