mod told;

use std::path::{Path, PathBuf};

use copal_grouping::Rules;
use copal_model::UserIdentityKind;
use copal_protocol::envelope::ItemType;
use copal_protocol::{Envelope, parse_lenient};
use proptest::prelude::*;

use super::*;
use crate::group::{Grouped, group};
use crate::scrub::{Scrubbing, scrub};
use crate::summary::Summary;

const ID: &str = "11111111111111111111111111111111";

fn facts() -> Facts<'static> {
    Facts {
        received_at: "2026-03-01T12:00:00Z".parse().unwrap(),
        sent_at: None,
        client_ip: Some("203.0.113.7".parse().unwrap()),
        user_agent: "",
        sdk: "sentry.python/2.0",
        envelope_event_id: None,
        fallback_event_id: ID.parse().unwrap(),
        retention_days: 90,
    }
}

fn normalized(text: &str, facts: &Facts<'_>) -> Grouped<'static> {
    let owned: &'static str = Box::leak(text.to_owned().into_boxed_str());
    let scratch: &'static mut Vec<u8> = Box::leak(Box::default());
    let json = parse_lenient(owned.as_bytes(), scratch).unwrap();
    through(Event::from_json(json).unwrap(), facts)
}

/// An event as it is stored.
fn through<'a>(event: Event<'a>, facts: &Facts<'_>) -> Grouped<'a> {
    group(
        scrub(normalize(event, facts), &Scrubbing::default()),
        Rules::builtin(),
    )
}

fn summary(text: &str) -> Summary {
    normalized(text, &facts()).summary
}

fn tag<'s>(summary: &'s Summary, key: &str) -> Option<&'s str> {
    let found = summary.tags.iter().find(|tag| tag.0 == key);
    found.map(|tag| &*tag.1)
}

#[test]
fn the_envelopes_id_beats_the_events_own() {
    let other: EventId = "22222222222222222222222222222222".parse().unwrap();
    assert_eq!(summary("{}").event_id.to_string(), ID);
    let text = format!(r#"{{"event_id":"{other}"}}"#);
    assert_eq!(summary(&text).event_id, other);
    let mut facts = facts();
    facts.envelope_event_id = Some("33333333333333333333333333333333".parse().unwrap());
    let event_id = normalized(&text, &facts).summary.event_id;
    assert_eq!(Some(event_id), facts.envelope_event_id);
}

#[test]
fn clocks_that_differ_by_55_minutes_are_corrected() {
    let occurred = |sent_at: &str| {
        let mut facts = facts();
        facts.sent_at = Some(sent_at.parse().unwrap());
        let text = r#"{"timestamp":"2026-03-01T09:00:00Z"}"#;
        normalized(text, &facts).summary.occurred_at.to_string()
    };
    assert_eq!(occurred("2026-03-01T11:05:00Z"), "2026-03-01T09:55:00Z");
    assert_eq!(occurred("2026-03-01T11:05:01Z"), "2026-03-01T09:00:00Z");
    assert_eq!(occurred("2026-03-01T13:00:00Z"), "2026-03-01T08:00:00Z");
}

#[test]
fn events_out_of_the_window_happened_when_received() {
    let check = |timestamp: &str, expected: &str, kind: Option<&str>| {
        let event = normalized(&format!(r#"{{"timestamp":"{timestamp}"}}"#), &facts());
        assert_eq!(event.summary.occurred_at.to_string(), expected);
        assert_eq!(event.event.errors.first().map(|error| &*error.kind), kind);
    };
    let received = "2026-03-01T12:00:00Z";
    check("2026-03-01T12:01:00Z", "2026-03-01T12:01:00Z", None);
    check("2026-03-01T12:01:01Z", received, Some("future_timestamp"));
    check("2025-12-01T12:00:00Z", "2025-12-01T12:00:00Z", None);
    check("2025-12-01T11:59:59Z", received, Some("past_timestamp"));
}

#[test]
fn titles_say_what_happened() {
    let title = |text: &str| summary(text).title;
    assert_eq!(title(r#"{"message":" a\nb"}"#), "a");
    assert_eq!(title("{}"), "<unlabeled event>");
    let error = r#"{"exception":[{"type":"A"},{"type":"ValueError","value":"x\ny"}]}"#;
    assert_eq!(title(error), "ValueError: x");
    assert_eq!(summary(error).error_type.as_deref(), Some("ValueError"));
    assert_eq!(
        title(r#"{"exception":[{"value":"TypeError: no"}]}"#),
        "TypeError: no"
    );
    let frames = r#"{"exception":[{"stacktrace":{"frames":[{"function":"f","in_app":true},{"function":"?"}]}}]}"#;
    assert_eq!(title(frames), "f");
    let long = format!(r#"{{"message":"{}"}}"#, "x".repeat(300));
    assert_eq!(
        title(&long).chars().count(),
        copal_model::limits::TITLE_CHARS_MAX
    );
}

#[test]
fn messages_are_filled_in() {
    let formatted = |entry: &str| summary(&format!(r#"{{"logentry":{entry}}}"#)).title;
    assert_eq!(
        formatted(r#"{"message":"a %s %d%%","params":["b",3]}"#),
        "a b 3%"
    );
    assert_eq!(
        formatted(r#"{"message":"a %(x)s","params":{"x":"b"}}"#),
        "a b"
    );
    assert_eq!(
        formatted(r#"{"message":"a {} {1} {}","params":["b","c"]}"#),
        "a b c c"
    );
    assert_eq!(
        formatted(r#"{"message":"a {x}","params":{"x":"b"}}"#),
        "a b"
    );
    assert_eq!(
        formatted(r#"{"message":"100% {x}","params":["b"]}"#),
        "100% {x}"
    );
    assert_eq!(
        formatted(r#"{"message":"a %s %s","params":["b"]}"#),
        "a %s %s"
    );
}

#[test]
fn culprits_name_the_place() {
    let culprit = |platform: &str, rest: &str| {
        summary(&format!(
            r#"{{"platform":"{platform}",{rest}"exception":[{{"type":"E","stacktrace":{{"frames":[
                {{"function":"f","module":"m","in_app":true}},{{"function":"g","filename":"lib.py"}}]}}}}]}}"#
        ))
        .culprit
    };
    assert_eq!(culprit("python", ""), "m in f");
    assert_eq!(culprit("node", ""), "f(m)");
    assert_eq!(culprit("native", ""), "f");
    assert_eq!(culprit("python", r#""transaction":"/shop","#), "/shop");
    assert_eq!(
        summary(r#"{"request":{"url":"http://h/a?b"}}"#).culprit,
        "http://h/a"
    );
}

#[test]
fn users_are_known_by_the_first_of_four() {
    let user = |user: &str| {
        let user = summary(&format!(r#"{{"user":{user}}}"#)).user;
        user.map(|user| user.to_string())
    };
    let all = r#"{"email":"a@b.c","username":"ana","id":7,"ip_address":"1.2.3.4"}"#;
    assert_eq!(user(all).as_deref(), Some("id:7"));
    assert_eq!(
        user(r#"{"email":"a@b.c","username":"ana"}"#).as_deref(),
        Some("username:ana")
    );
    assert_eq!(user(r#"{"email":"a@b.c"}"#).as_deref(), Some("email:a@b.c"));
    assert_eq!(
        user(r#"{"ip_address":"{{auto}}"}"#).as_deref(),
        Some("ip:203.0.113.7")
    );
    assert_eq!(user(r#"{"ip_address":"nowhere"}"#), None);
    assert_eq!(user("{}"), None);
}

#[test]
fn addresses_are_inferred_only_where_asked() {
    let kind = |text: &str| summary(text).user.map(|user| user.kind);
    assert_eq!(
        kind(r#"{"platform":"javascript"}"#),
        Some(UserIdentityKind::Ip)
    );
    assert_eq!(kind(r#"{"platform":"python"}"#), None);
    let with = |setting: &str, platform: &str| {
        kind(&format!(
            r#"{{"platform":"{platform}","sdk":{{"settings":{{"infer_ip":"{setting}"}}}}}}"#
        ))
    };
    assert_eq!(with("auto", "python"), Some(UserIdentityKind::Ip));
    assert_eq!(with("never", "javascript"), None);
    let remote =
        r#"{"user":{"ip_address":"{{auto}}"},"request":{"env":{"REMOTE_ADDR":"1.2.3.4"}}}"#;
    assert_eq!(summary(remote).user.unwrap().value, "1.2.3.4");
}

#[test]
fn releases_and_environments_are_valid_or_absent() {
    let release = |release: &str| summary(&format!(r#"{{"release":"{release}"}}"#)).release;
    assert_eq!(release(" app@1.0 ").as_deref(), Some("app@1.0"));
    for bad in ["a/b", "Latest", ".", "", "a\\nb"] {
        assert_eq!(release(bad), None, "{bad}");
    }
    assert_eq!(release(&"x".repeat(200)), Some("x".repeat(200)));
    assert_eq!(release(&"x".repeat(201)), None);
    let environment = |text: &str| summary(text).environment;
    assert_eq!(environment(r#"{"environment":"None"}"#), None);
    let tagged = r#"{"tags":{"environment":"staging"}}"#;
    assert_eq!(environment(tagged).as_deref(), Some("staging"));
    assert_eq!(tag(&summary(tagged), "environment"), Some("staging"));
}

#[test]
fn tags_are_cleaned_and_ours_added() {
    let summary = summary(
        r#"{"tags":[["a b","1"],["a-b","2"],["release","evil"],["bad key!","x"],["n",""],["l","x\ny"]],
            "release":"r1","level":50,"exception":[{"type":"E","mechanism":{"type":"m","handled":false}}],
            "contexts":{"os":{"name":"Linux","version":"6.1"}}}"#,
    );
    let tags: Vec<String> = summary
        .tags
        .iter()
        .map(|tag| format!("{}={}", tag.0, tag.1))
        .collect();
    assert_eq!(
        tags.join(";"),
        "a-b=1;handled=no;l=x y;level=fatal;mechanism=m;os=Linux 6.1;os.name=Linux;release=r1"
    );
    assert_eq!(summary.level, copal_model::Level::Fatal);
}

#[test]
fn long_stacks_keep_both_ends() {
    let frames: Vec<String> = (1..=300)
        .map(|n| format!(r#"{{"lineno":{n},"vars":{{"a":1}}}}"#))
        .collect();
    let text = format!(r#"{{"stacktrace":{{"frames":[{}]}}}}"#, frames.join(","));
    let event = normalized(&text, &facts()).event;
    let frames = &event.stacktrace.as_ref().unwrap().frames;
    let lines: Vec<u64> = frames.iter().filter_map(|frame| frame.lineno).collect();
    assert_eq!(lines.len(), 250);
    assert_eq!((lines[49], lines[50], lines[249]), (50, 101, 300));
    let detailed = frames.iter().filter(|frame| !frame.vars.is_empty()).count();
    assert_eq!(detailed, 50);
    assert!(!frames[0].vars.is_empty() && !frames[249].vars.is_empty());
}

/// Normalising and scrubbing what was stored must change nothing.
fn assert_idempotent(event: Event<'_>) -> Summary {
    let mut facts = facts();
    facts.sent_at = Some("2026-03-01T10:00:00Z".parse().unwrap());
    let first = through(event, &facts);
    let stored = first.event.to_json_text();
    facts.sent_at = None;
    let mut scratch = Vec::new();
    let json = parse_lenient(stored.as_bytes(), &mut scratch).unwrap();
    let second = through(Event::from_json(json).unwrap(), &facts);
    assert_eq!(second.event.to_json_text(), stored);
    assert_eq!(second.summary, first.summary);
    assert_eq!(second.grouping.hashes, first.grouping.hashes);
    first.summary
}

proptest! {
    #[test]
    fn stored_events_do_not_change_again(
        kind in "[A-Za-z: ?]{0,9}", value in "\\PC{0,40}", key in "[a-z ._!]{0,8}",
        tag in "\\PC{0,20}", path in "(http://h/|/|)[a-z?#./…]{0,12}", level in "[a-z0-9]{0,7}",
        body in r#"([{}\[\]",:a-z0-9 =&]|password){0,20}"#, repeat in 1_usize..400,
    ) {
        let text = |text: &str| serde_json::to_string(text).unwrap();
        let json = format!(
            r#"{{"level":{0},"exception":[{{"type":{1},"value":{2},"stacktrace":{{"frames":[{{"abs_path":{3}}},{{"filename":{3}}}]}}}}],
                "tags":{{{4}:{5}}},"request":{{"url":{3},"data":{6},"headers":{{{4}:{2}}}}},"extra":{{{4}:[{2},{7}]}},
                "message":{2},"user":{{"id":{5}}},"breadcrumbs":[{{"data":{{{4}:{7}}},"message":{7}}}],"timestamp":1}}"#,
            text(&level), text(&kind), text(&value), text(&path), text(&key), text(&tag), text(&body),
            text(&value.repeat(repeat)),
        );
        let mut scratch = Vec::new();
        let json = parse_lenient(json.as_bytes(), &mut scratch).unwrap();
        assert_idempotent(Event::from_json(json).unwrap());
    }
}

fn files_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files_below(&path, found);
        } else {
            found.push(path);
        }
    }
}

#[test]
fn every_event_of_the_corpus_has_a_title_and_is_stable() {
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
        let is_json = path
            .extension()
            .is_some_and(|extension| extension == "json");
        let payloads: Vec<&[u8]> = match Envelope::parse(&bytes) {
            _ if is_json => vec![&bytes],
            Ok(envelope) => {
                let items = envelope.items.iter();
                let events = items.filter(|item| item.header.item_type == ItemType::Event);
                events.map(|item| item.payload).collect()
            }
            Err(_) => continue,
        };
        for payload in payloads {
            let mut scratch = Vec::new();
            let json = parse_lenient(payload, &mut scratch).unwrap();
            let Ok(event) = Event::from_json(json) else {
                continue;
            };
            let summary = assert_idempotent(event);
            assert!(!summary.title.is_empty(), "{}", path.display());
            events += 1;
        }
    }
    assert!(events > 120, "only {events} events found");
}
