use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::envelope::ItemType;
use crate::json::parse_lenient;
use crate::json::tests::any_json;
use crate::{Envelope, EnvelopeError};

/// Reads an event and writes it as today's SDKs would.
fn reads_as(text: &str, expected: &str) {
    let mut scratch = Vec::new();
    let json = parse_lenient(text.as_bytes(), &mut scratch).unwrap();
    assert_eq!(Event::from_json(json).unwrap().to_json_text(), expected);
}

/// What is written must read back as the same event.
fn assert_round_trip(event: &Event<'_>) {
    let written = event.to_json_text();
    let mut scratch = Vec::new();
    let json = parse_lenient(written.as_bytes(), &mut scratch).unwrap();
    assert_eq!(&Event::from_json(json).unwrap(), event);
}

#[test]
fn messages_have_many_forms() {
    reads_as(r#"{"message":"a"}"#, r#"{"logentry":{"formatted":"a"}}"#);
    reads_as(r#"{"logentry":"a"}"#, r#"{"logentry":{"formatted":"a"}}"#);
    reads_as(r#"{"message":false}"#, "{}");
    reads_as(
        r#"{"sentry.interfaces.Message":{"message":"%s","params":["x"]},"message":"x"}"#,
        r#"{"logentry":{"message":"%s","formatted":"x","params":["x"]}}"#,
    );
}

#[test]
fn exceptions_come_as_values_as_a_list_or_alone() {
    let expected = r#"{"exception":{"values":[{"type":"E","value":"1"}]}}"#;
    reads_as(
        r#"{"exception":{"values":[{"type":"E","value":1},null]}}"#,
        expected,
    );
    reads_as(r#"{"exception":[{"type":"E","value":1}]}"#, expected);
    reads_as(
        r#"{"sentry.interfaces.Exception":{"type":"E","value":1}}"#,
        expected,
    );
    reads_as(
        r#"{"exception":[{"type":"E","stacktrace":{"frames":null}}]}"#,
        r#"{"exception":{"values":[{"type":"E","stacktrace":{}}]}}"#,
    );
    reads_as(
        r#"{"stacktrace":{"frames":[null,{"lineno":"7","vars":[1],"pre_context":["a",null]}]}}"#,
        r#"{"stacktrace":{"frames":[{"lineno":7,"pre_context":["a",""],"vars":{"0":1}}]}}"#,
    );
}

#[test]
fn pairs_come_as_lists_or_objects() {
    reads_as(
        r#"{"tags":{"a":1,"b":null,"c":true}}"#,
        r#"{"tags":[["a","1"],["c","true"]]}"#,
    );
    reads_as(
        r#"{"tags":[["a","b"],null,["x"]]}"#,
        r#"{"tags":[["a","b"]]}"#,
    );
    reads_as(
        r#"{"request":{"headers":{"A":["x","y"]},"cookies":"a=b; c","query_string":"?q=1"}}"#,
        r#"{"request":{"query_string":[["q","1"]],"cookies":[["a","b"],["c",""]],"headers":[["A","x,y"]]}}"#,
    );
}

#[test]
fn unknown_keys_of_users_are_data() {
    reads_as(
        r#"{"user":{"id":7,"plan":"pro"}}"#,
        r#"{"user":{"id":"7","data":{"plan":"pro"}}}"#,
    );
}

#[test]
fn fingerprints_are_texts() {
    reads_as(
        r#"{"fingerprint":["a",1,2.7,true,null,{}]}"#,
        r#"{"fingerprint":["a","1","2","True"]}"#,
    );
}

#[test]
fn what_is_wrong_or_unknown_is_dropped_and_noted() {
    reads_as(
        r#"{"level":[],"shape":7,"exception":[{"mechanism":{"handled":"maybe"}}],"type":"x"}"#,
        concat!(
            r#"{"exception":{"values":[{"mechanism":{}}]},"errors":["#,
            r#"{"type":"invalid_data","name":"level"},"#,
            r#"{"type":"unknown_attribute","name":"shape","value":"7"},"#,
            r#"{"type":"invalid_data","name":"exception.0.mechanism.handled","value":"maybe"}]}"#,
        ),
    );
    assert_eq!(Event::from_json(Json::Null), Err(NotAnEvent));
}

#[test]
fn notes_are_limited() {
    let keys: Vec<String> = (0..200).map(|i| format!("\"k{i}\":1")).collect();
    let text = format!("{{{}}}", keys.join(","));
    let mut scratch = Vec::new();
    let json = parse_lenient(text.as_bytes(), &mut scratch).unwrap();
    let event = Event::from_json(json).unwrap();
    assert_eq!(event.errors.len(), crate::limits::EVENT_ERRORS_MAX);
    assert_round_trip(&event);
}

const KEYS: &[&str] = &[
    "event_id",
    "level",
    "timestamp",
    "message",
    "logentry",
    "exception",
    "values",
    "type",
    "value",
    "stacktrace",
    "frames",
    "function",
    "lineno",
    "vars",
    "pre_context",
    "tags",
    "user",
    "id",
    "request",
    "headers",
    "cookies",
    "query_string",
    "breadcrumbs",
    "threads",
    "mechanism",
    "meta",
    "fingerprint",
    "contexts",
    "extra",
    "sdk",
    "errors",
    "data",
    "shape",
    "in_app",
];

/// Events of which any part may be of any type.
fn event_like() -> impl Strategy<Value = Json<'static>> {
    let key = proptest::sample::select(KEYS);
    any_json().prop_recursive(5, 60, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Json::Array),
            proptest::collection::vec((key.clone(), inner), 0..6).prop_map(|pairs| {
                let pairs = pairs.into_iter().map(|(key, value)| (key.into(), value));
                Json::Object(Object::from_pairs(pairs.collect()))
            }),
        ]
    })
}

proptest! {
    #[test]
    fn any_event_reads_and_writes_back_the_same(json in event_like()) {
        if let Ok(event) = Event::from_json(json) {
            assert_round_trip(&event);
        }
    }
}

fn files_below(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files_below(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// Checks every event of the outside corpus, alone or in an envelope.
#[test]
fn the_corpus_reads_and_writes_back_the_same() {
    let Some(corpus) = std::env::var_os("COPAL_CORPUS") else {
        eprintln!("SKIPPED: COPAL_CORPUS is not set");
        return;
    };
    let mut files = Vec::new();
    for folder in [
        "event-samples",
        "relay/server-payloads",
        "spotlight-envelopes",
    ] {
        files_below(&Path::new(&corpus).join(folder), &mut files);
    }
    let mut events = 0;
    for path in files {
        let bytes = std::fs::read(&path).unwrap();
        let extension = path.extension().and_then(std::ffi::OsStr::to_str);
        let is_envelope = path.to_string_lossy().contains("_fixtures");
        match extension {
            Some("json") => events += usize::from(check_event(&path, &bytes)),
            Some("txt" | "bin") if is_envelope => events += check_envelope(&path, &bytes),
            _ => {}
        }
    }
    assert!(events > 120, "only {events} events found");
}

fn check_event(path: &Path, bytes: &[u8]) -> bool {
    let mut scratch = Vec::new();
    let json = parse_lenient(bytes, &mut scratch)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    match Event::from_json(json) {
        Ok(event) => assert_round_trip(&event),
        Err(NotAnEvent) => return false,
    }
    true
}

fn check_envelope(path: &Path, bytes: &[u8]) -> usize {
    let envelope = match Envelope::parse(bytes) {
        Ok(envelope) => envelope,
        // These were edited by hand after they were captured: their lengths are wrong.
        Err(EnvelopeError::TooShort { .. }) if path.to_string_lossy().contains("profile_chunk") => {
            return 0;
        }
        Err(error) => panic!("{}: {error}", path.display()),
    };
    let is_event = |item: &&crate::Item<'_>| item.header.item_type == ItemType::Event;
    let events = envelope.items.iter().filter(is_event);
    events
        .filter(|item| check_event(path, item.payload))
        .count()
}
