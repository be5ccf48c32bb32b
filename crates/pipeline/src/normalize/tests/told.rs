//! What the user agent tells, and what is told of what was dropped or cut.

use super::*;

const CHROME: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/74.0.3729.169 Safari/537.36";

/// The stored event as JSON.
fn stored(text: &str) -> serde_json::Value {
    serde_json::from_str(&normalized(text, &facts()).event.to_json_text()).unwrap()
}

/// Kind and name of each note.
fn notes(text: &str) -> Vec<String> {
    let event = normalized(text, &facts()).event;
    let told =
        |note: &copal_protocol::event::EventError<'_>| format!("{} {}", note.kind, note.name);
    event.errors.iter().map(told).collect()
}

#[test]
fn the_user_agent_tells_browser_and_system() {
    let event = |platform: &str| {
        stored(&format!(
            r#"{{"platform":"{platform}","request":{{"headers":{{"user-agent":"{CHROME}"}}}}}}"#
        ))
    };
    let python = event("python");
    assert_eq!(python["contexts"]["browser"]["name"], "Chrome");
    assert_eq!(python["contexts"]["browser"]["version"], "74.0.3729");
    // The server's own system is another.
    assert_eq!(python["contexts"]["client_os"]["name"], "Windows");
    assert_eq!(python["contexts"]["os"], serde_json::Value::Null);
    assert_eq!(event("javascript")["contexts"]["os"]["version"], ">=10");
    let tags = python["tags"].to_string();
    assert!(tags.contains("Chrome 74.0.3729"), "{tags}");
}

#[test]
fn what_the_sdk_tells_is_kept() {
    let event = stored(&format!(
        r#"{{"contexts":{{"browser":{{"name":"Lynx","version":"2"}}}},
            "request":{{"headers":{{"user-agent":"{CHROME}"}}}}}}"#
    ));
    assert_eq!(event["contexts"]["browser"]["name"], "Lynx");
}

#[test]
fn client_hints_beat_the_user_agent() {
    let event = stored(&format!(
        r#"{{"platform":"javascript","request":{{"headers":{{"user-agent":"{CHROME}",
            "sec-ch-ua":"\"Not A(Brand\";v=\"24\", \"Chromium\";v=\"110\", \"Google Chrome\";v=\"110\"",
            "sec-ch-ua-platform":"\"macOS\"","sec-ch-ua-platform-version":"\"13.1.0\""}}}}}}"#
    ));
    assert_eq!(event["contexts"]["browser"]["name"], "Chrome");
    assert_eq!(event["contexts"]["browser"]["version"], "110");
    assert_eq!(event["contexts"]["os"]["name"], "macOS");
    assert_eq!(event["contexts"]["os"]["version"], "13.1.0");
}

#[test]
fn descriptions_are_taken_apart() {
    let event = stored(
        r#"{"contexts":{"os":{"raw_description":"Microsoft Windows 10.0.17763"},
            "runtime":{"raw_description":".NET Core 2.1.5"},"device":{"raw_description":"A 1"}}}"#,
    );
    assert_eq!(event["contexts"]["os"]["name"], "Windows");
    assert_eq!(event["contexts"]["os"]["version"], "10.0.17763");
    assert_eq!(event["contexts"]["runtime"]["name"], ".NET Core");
    assert_eq!(event["contexts"]["runtime"]["version"], "2.1.5");
    assert_eq!(event["contexts"]["device"]["name"], serde_json::Value::Null);
}

#[test]
fn what_was_dropped_is_told() {
    assert_eq!(
        notes(r#"{"release":"a/b","dist":"a b","request":{"method":"?"},"nonsense":1}"#),
        [
            "unknown_attribute nonsense",
            "invalid_data release",
            "invalid_data dist",
            "invalid_data request.method",
        ]
    );
    assert_eq!(notes(r#"{"tags":{"a!b":"c"}}"#), ["invalid_data tags"]);
    assert_eq!(
        notes(r#"{"debug_meta":{"images":[{"type":"elf"},{"type":"?"}]}}"#),
        ["invalid_data debug_meta.images.1"]
    );
    assert_eq!(notes(r#"{"release":"1","level":"error"}"#), [""; 0]);
}

#[test]
fn what_was_cut_is_told() {
    let long = |length: usize| "x".repeat(length);
    let check = |text: String, expected: &[&str]| assert_eq!(notes(&text), expected, "{text:.60}");
    check(format!(r#"{{"message":"{}"}}"#, long(8_392)), &[]);
    check(
        format!(r#"{{"message":"{}"}}"#, long(8_393)),
        &["value_too_long logentry"],
    );
    check(
        format!(r#"{{"extra":{{"a":"{}"}}}}"#, long(16_385)),
        &["value_too_long extra"],
    );
    check(
        format!(r#"{{"tags":{{"a":"{}"}}}}"#, long(201)),
        &["value_too_long tags.a"],
    );
    check(
        format!(
            r#"{{"exception":[{{"type":"E"}},{{"type":"E","value":"{}"}}]}}"#,
            long(9_000)
        ),
        &["value_too_long exception.1"],
    );
    check(
        r#"{"extra":{"a":[[[[[[[[[1]]]]]]]]]}}"#.to_owned(),
        &["value_too_long extra"],
    );
}

#[test]
fn notes_are_limited() {
    let tags: Vec<String> = (0..60).map(|n| format!(r#""{n}!":"x""#)).collect();
    let told = notes(&format!(r#"{{"tags":{{{}}}}}"#, tags.join(",")));
    assert_eq!(told, ["invalid_data tags"], "each is told once");
    let frames: Vec<String> = (0..60)
        .map(|_| format!(r#"{{"type":"E","value":"{}"}}"#, "x".repeat(9_000)))
        .collect();
    let told = notes(&format!(r#"{{"exception":[{}]}}"#, frames.join(",")));
    assert_eq!(told.len(), 50);
}

#[test]
fn functions_lose_what_compilers_add_and_keep_it_beside() {
    let event = stored(
        r#"{"platform":"native","exception":{"type":"E","stacktrace":{"frames":[
            {"function":"void app::run(int) const"},{"function":"main"}]}}}"#,
    );
    let frames = &event["exception"]["values"][0]["stacktrace"]["frames"];
    assert_eq!(frames[0]["function"], "app::run");
    assert_eq!(frames[0]["raw_function"], "void app::run(int) const");
    assert_eq!(frames[1]["raw_function"], serde_json::Value::Null);
}
