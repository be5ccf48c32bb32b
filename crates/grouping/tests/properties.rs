//! What grouping must not depend on, and what it must.

#![expect(clippy::unwrap_used, reason = "events written here are readable")]

use std::collections::HashSet;

use copal_grouping::{Hash, group};
use copal_protocol::event::Event;
use copal_protocol::json::parse_lenient;
use proptest::prelude::*;
use serde_json::{Value, json};

fn hashes(event: &Value) -> Vec<Hash> {
    let text = event.to_string();
    let mut scratch = Vec::new();
    let event = Event::from_json(parse_lenient(text.as_bytes(), &mut scratch).unwrap()).unwrap();
    group(&event).hashes
}

fn deciding(event: &Value) -> &'static str {
    let text = event.to_string();
    let mut scratch = Vec::new();
    let event = Event::from_json(parse_lenient(text.as_bytes(), &mut scratch).unwrap()).unwrap();
    group(&event).deciding
}

/// An error in `function`, called by a framework.
fn error(function: &str, value: &str, line: u32, address: u64) -> Value {
    json!({
        "platform": "python",
        "exception": {"values": [{"type": "KeyError", "value": value, "stacktrace": {"frames": [
            {"module": "django.core", "function": "get_response", "in_app": false, "lineno": line,
             "abs_path": "/venv/lib/python3.12/site-packages/django/core/handlers.py"},
            {"module": "shop.cart", "function": function, "in_app": true, "lineno": line,
             "abs_path": "/srv/shop/cart.py", "instruction_addr": format!("{address:#x}")},
        ]}}]},
    })
}

#[test]
fn one_trace_is_one_group_however_its_message_changes() {
    let groups: HashSet<_> = (0..300)
        .map(|number| hashes(&error("pay", &format!("order {number}"), 7, 1)))
        .collect();
    assert_eq!(groups.len(), 1);
}

#[test]
fn distinct_traces_are_distinct_groups() {
    let names: Vec<_> = (0..26_u8)
        .map(|letter| format!("pay_{}", char::from(b'a' + letter)))
        .collect();
    let groups: HashSet<_> = names
        .iter()
        .map(|name| hashes(&error(name, "x", 7, 1))[0])
        .collect();
    assert_eq!(groups.len(), names.len());
}

#[test]
fn the_first_strategy_with_something_to_say_decides() {
    assert_eq!(deciding(&json!({})), "fallback");
    assert_eq!(deciding(&json!({"message": "a"})), "message");
    let mut event = error("pay", "x", 1, 1);
    event["message"] = "a".into();
    assert_eq!(deciding(&event), "exception");
    assert_eq!(hashes(&event).len(), 2);
    event["fingerprint"] = json!(["mine", "{{ default }}"]);
    assert_eq!(deciding(&event), "exception");
    assert_ne!(hashes(&event), hashes(&error("pay", "x", 1, 1)));
    event["fingerprint"] = json!(["mine"]);
    assert_eq!(deciding(&event), "fingerprint");
    event["checksum"] = "d41d8cd98f00b204e9800998ecf8427e".into();
    assert_eq!(hashes(&event)[0][..2], [0xd4, 0x1d]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn lines_and_addresses_do_not_matter(a: u32, b: u32, x: u64, y: u64) {
        prop_assert_eq!(hashes(&error("pay", "v", a, x)), hashes(&error("pay", "v", b, y)));
    }

    #[test]
    fn the_order_of_keys_does_not_matter(function in "[a-z]{1,8}", value in "[ -~]{0,40}") {
        // A `Value` writes its keys sorted; here the same event is written the other way round.
        let sorted = error(&function, &value, 1, 1);
        let exception = sorted["exception"].to_string();
        let reversed = format!(r#"{{"platform":"python","exception":{exception}}}"#);
        let forward = format!(r#"{{"exception":{exception},"platform":"python"}}"#);
        let of = |text: &str| {
            let mut scratch = Vec::new();
            let json = parse_lenient(text.as_bytes(), &mut scratch).unwrap();
            group(&Event::from_json(json).unwrap()).hashes
        };
        prop_assert_eq!(of(&reversed), of(&forward));
    }
}
