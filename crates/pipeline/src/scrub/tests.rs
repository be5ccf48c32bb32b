use copal_grouping::Rules;
use copal_protocol::parse_lenient;

use super::*;
use crate::group::group;
use crate::normalize::{Facts, normalize};

fn scrubbed(text: &str) -> String {
    let mut scratch = Vec::new();
    let json = parse_lenient(text.as_bytes(), &mut scratch).unwrap();
    let facts = Facts {
        received_at: "2026-03-01T12:00:00Z".parse().unwrap(),
        sent_at: None,
        client_ip: None,
        user_agent: "",
        sdk: "",
        envelope_event_id: None,
        fallback_event_id: "11111111111111111111111111111111".parse().unwrap(),
        retention_days: 90,
    };
    let scrubbed = scrub(normalize(Event::from_json(json).unwrap(), &facts));
    let grouped = group(scrubbed, Rules::builtin());
    let explanation = String::from_utf8(grouped.grouping.explanation).unwrap();
    format!(
        "{:?} {} {explanation}",
        grouped.summary,
        grouped.event.to_json_text()
    )
}

/// The secret must be gone from event and summary alike.
fn goes(text: &str) {
    assert!(text.contains("hunter2"), "the test has no secret: {text}");
    let result = scrubbed(text);
    assert!(!result.contains("hunter2"), "{result}");
    assert!(result.contains("[Filtered]"), "{result}");
}

fn stays(text: &str, kept: &str) {
    let result = scrubbed(text);
    assert!(result.contains(kept), "{result}");
}

#[test]
fn keys_that_name_secrets_lose_their_value() {
    for key in [
        "password",
        "db_PASSWORD",
        "passwd",
        "client_secret",
        "X-Api-Key",
        "api_key",
        "apikey",
        "authorization",
        "credentials",
        "mysql_pwd",
        "privateKey",
        "private-key",
        "token",
        "otp",
        "two-factor",
        "TWO_FACTOR",
    ] {
        goes(&format!(r#"{{"extra":{{"a":[{{"{key}":"hunter2"}}]}}}}"#));
        goes(&format!(
            r#"{{"extra":{{"{key}":{{"deep":["hunter2"]}}}}}}"#
        ));
        goes(&format!(
            r#"{{"request":{{"headers":{{"{key}":"hunter2"}}}}}}"#
        ));
        goes(&format!(r#"{{"tags":{{"{key}":"hunter2"}}}}"#));
        goes(&format!(
            r#"{{"exception":[{{"type":"E","stacktrace":{{"frames":[{{"vars":{{"{key}":"hunter2"}}}}]}}}}]}}"#
        ));
        goes(&format!(
            r#"{{"breadcrumbs":[{{"data":{{"{key}":"hunter2"}}}}]}}"#
        ));
        goes(&format!(
            r#"{{"request":{{"url":"http://h/?{key}=hunter2"}}}}"#
        ));
        goes(&format!(
            r#"{{"request":{{"data":"{{\"{key}\":\"hunter2\"}}"}}}}"#
        ));
    }
    stays(
        r#"{"extra":{"otpx":"kept","name":"kept"}}"#,
        r#""otpx":"kept","name":"kept""#,
    );
}

#[test]
fn text_that_holds_a_secret_loses_it() {
    goes(r#"{"extra":{"line":"a password=hunter2 b"}}"#);
    goes(r#"{"breadcrumbs":[{"message":"token: hunter2"}]}"#);
    goes(r#"{"message":"sent Bearer hunter2hunter2 to it"}"#);
    goes(r#"{"exception":[{"type":"E","value":"postgres://ana:hunter2@db/x refused"}]}"#);
    goes(r#"{"transaction":"http://ana:hunter2@db/x"}"#);
    goes(
        r#"{"extra":{"key":"-----BEGIN RSA PRIVATE KEY-----\nhunter2\n-----END RSA PRIVATE KEY-----"}}"#,
    );
    goes(r#"{"request":{"cookies":"sessionid=hunter2"}}"#);
    goes(r#"{"request":{"headers":{"cookie":"csrftoken=hunter2"}}}"#);
    goes(r#"{"shape":{},"token":"hunter2"}"#);
    stays(
        r#"{"message":"sent Bearer hunter2hunter2 to it"}"#,
        "sent Bearer [Filtered] to it",
    );
}

#[test]
fn cards_are_told_from_other_numbers() {
    stays(
        r#"{"message":"card 4111 1111 1111 1111."}"#,
        "card [Filtered].",
    );
    stays(
        r#"{"message":"card 4111111111111112."}"#,
        "card 4111111111111112.",
    );
    stays(r#"{"message":"ssn 078-05-1120"}"#, "ssn [Filtered]");
    stays(
        r#"{"message":"at 1767225600000 in 2026-03-01"}"#,
        "at 1767225600000 in 2026-03-01",
    );
}

#[test]
fn what_people_need_stays() {
    stays(
        r#"{"message":"password must not be empty"}"#,
        "password must not be empty",
    );
    stays(
        r#"{"exception":[{"type":"E","value":"no password=x"}]}"#,
        "E: no password=x",
    );
    stays(
        r#"{"request":{"headers":{"user-agent":"Bearer 12345678 token=1"}}}"#,
        "Bearer 12345678 token=1",
    );
    stays(
        r#"{"stacktrace":{"frames":[{"filename":"auth/token.py","function":"password"}]}}"#,
        r#""function":"password""#,
    );
    stays(r#"{"user":{"email":"ana@example.org"}}"#, "ana@example.org");
}
