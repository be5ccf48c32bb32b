use copal_grouping::Rules;
use copal_model::{ScrubSettings, Switch};
use copal_protocol::parse_lenient;
use proptest::prelude::*;

use super::*;
use crate::group::group;
use crate::normalize::{Facts, normalize};

fn scrubbed(text: &str) -> String {
    scrubbed_as(&ScrubSettings::default(), text)
}

fn scrubbed_as(settings: &ScrubSettings, text: &str) -> String {
    let scrubbing = &Scrubbing::of(settings);
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
    let scrubbed = scrub(
        normalize(Event::from_json(json).unwrap(), &facts),
        scrubbing,
    );
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

/// The places of an event that lost something, each with the reason.
fn reasons(settings: &ScrubSettings, text: &str) -> Vec<String> {
    let stored = scrubbed_event(settings, text);
    let errors = stored["errors"].as_array().cloned().unwrap_or_default();
    let filtered = errors.iter().filter(|error| error["type"] == "filtered");
    let told = |error: &serde_json::Value| {
        let text = |key: &str| error[key].as_str().unwrap().to_owned();
        format!("{}: {}", text("name"), text("value"))
    };
    filtered.map(told).collect()
}

fn scrubbed_event(settings: &ScrubSettings, text: &str) -> serde_json::Value {
    let all = scrubbed_as(settings, text);
    let start = all.find("{\"event_id\"").unwrap();
    let mut values = serde_json::Deserializer::from_str(&all[start..]).into_iter();
    values.next().unwrap().unwrap()
}

#[test]
fn each_place_is_told_with_its_reason() {
    let told = reasons(
        &ScrubSettings::default(),
        r#"{"message":"sent Bearer hunter2hunter2 to it",
            "extra":{"a":[{"db_password":"x"}],"b":"pw: see password=x","c":"[Filtered]","token":"[Filtered]"},
            "request":{"headers":{"authorization":"x"},"cookies":"sessionid=x"},
            "exception":{"type":"E","value":"AKIAIOSFODNN7EXAMPLE","stacktrace":{"frames":[{"vars":{"api_key":1}}]}}}"#,
    );
    assert_eq!(
        told,
        [
            "extra.a.0.db_password: its name is that of a secret",
            "extra.b: text with the name of a secret and its value",
            "logentry.formatted: credentials of a request",
            "exception.0.value: an access key or token",
            "exception.0.frames.0.vars.api_key: its name is that of a secret",
            "request.cookies.sessionid: a session cookie",
            "request.headers.Authorization: its name is that of a secret",
        ]
    );
    assert_eq!(
        reasons(&ScrubSettings::default(), r#"{"message":"x"}"#),
        [""; 0]
    );
}

#[test]
fn keys_and_accounts_go_from_every_text() {
    for secret in [
        "AKIAIOSFODNN7EXAMPLE",
        "ghp_0123456789abcdefghijABCDEFGHIJ012345",
        "glpat-0123456789abcdefghij",
        "xoxb-0123456789-abcdefghij",
        "sk_live_0123456789abcdefghij",
        "AIza0123456789abcdefghijABCDEFGHIJ01234",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl",
        "DE89 3704 0044 0532 0130 00",
        "GB82WEST12345698765432",
    ] {
        for text in [
            format!(r#"{{"message":"a {secret} b"}}"#),
            format!(r#"{{"exception":{{"type":"E","value":"a {secret} b"}}}}"#),
            format!(r#"{{"extra":{{"x":"a {secret} b"}}}}"#),
        ] {
            let result = scrubbed(&text);
            assert!(!result.contains(secret), "{result}");
            assert!(result.contains("a [Filtered] b"), "{result}");
        }
    }
    stays(
        r#"{"message":"DE89370400440532013001"}"#,
        "DE89370400440532013001",
    );
}

#[test]
fn paths_lose_the_name_of_their_person() {
    stays(
        r#"{"extra":{"a":"in /home/ana/x.py"}}"#,
        "in /home/[Filtered]/x.py",
    );
    stays(
        r#"{"extra":{"a":"C:\\Users\\Ana B\\x"}}"#,
        r"C:\\Users\\[Filtered] B\\x",
    );
    stays(
        r#"{"stacktrace":{"frames":[{"abs_path":"/home/ana/x.py"}]}}"#,
        "/home/ana/x.py",
    );
}

#[test]
fn a_project_has_fields_of_its_own_and_safe_ones() {
    let settings = ScrubSettings {
        fields: vec![" Patient ".to_owned(), String::new()],
        safe_fields: vec!["TOKEN_count".to_owned(), "auth".to_owned()],
        ..ScrubSettings::default()
    };
    let event = scrubbed_event(
        &settings,
        r#"{"extra":{"the_patient_id":7,"token_count":"3 tokens: 3","other":"kept",
            "auth":{"kind":"basic","password":"x"},"token":"x"}}"#,
    );
    assert_eq!(event["extra"]["the_patient_id"], "[Filtered]");
    assert_eq!(event["extra"]["token_count"], "3 tokens: 3");
    assert_eq!(event["extra"]["other"], "kept");
    assert_eq!(event["extra"]["auth"]["kind"], "basic", "it is safe itself");
    assert_eq!(event["extra"]["auth"]["password"], "[Filtered]");
    assert_eq!(event["extra"]["token"], "[Filtered]");
    let told = reasons(&settings, r#"{"extra":{"patient":1}}"#);
    assert_eq!(told, ["extra.patient: a field that the project keeps out"]);
}

#[test]
fn secrets_can_be_kept_and_addresses_taken_out() {
    let settings = ScrubSettings {
        secrets: Switch::Off,
        addresses: Switch::On,
        fields: vec!["iban".to_owned()],
        ..ScrubSettings::default()
    };
    let text = r#"{"platform":"javascript","user":{"ip_address":"198.51.100.7"},
        "extra":{"password":"x","iban":"y"},"sdk":{"name":"s","client_ip":"198.51.100.7"},
        "request":{"env":{"REMOTE_ADDR":"198.51.100.7"},"headers":{"x-forwarded-for":"198.51.100.7"},
            "cookies":"sessionid=z"}}"#;
    let event = scrubbed_event(&settings, text);
    assert_eq!(event["extra"]["password"], "x");
    assert_eq!(event["extra"]["iban"], "[Filtered]");
    assert!(event["request"]["cookies"].to_string().contains('z'));
    let all = scrubbed_as(&settings, text);
    assert!(!all.contains("198.51.100.7"), "{all}");
    assert!(
        scrubbed(text).contains("ip:198.51.100.7"),
        "they stay by default"
    );
}

proptest! {
    #[test]
    fn what_was_scrubbed_is_not_scrubbed_again(
        key in "(password|name|token|[a-z]{1,3})",
        text in r"(Bearer |://a:|/home/|password=|DE89|4111 1111|AKIA|eyJ|[a-z0-9 .@:/]){0,12}",
    ) {
        let value = serde_json::to_string(&text).unwrap();
        let json = format!(r#"{{"message":{value},"extra":{{"{key}":{value}}}}}"#);
        let settings = ScrubSettings::default();
        let once = scrubbed_event(&settings, &json);
        let again = scrubbed_event(&settings, &once.to_string());
        prop_assert_eq!(once, again);
    }
}
