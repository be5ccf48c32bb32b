//! Fingerprints that rules set: which rule matches, the values, and the title.

use std::fmt::Write as _;
use std::path::Path;

use copal_grouping::group_by;
use copal_grouping::rules::{FingerprintRules, Rules};
use copal_protocol::event::Event;
use copal_protocol::json::parse_lenient;
use serde_json::Value;

/// The rules of a case, as their author would have written them.
fn written(rules: &Value) -> String {
    let mut text = String::new();
    for rule in rules.as_array().unwrap() {
        for matcher in rule["matchers"].as_array().unwrap() {
            write!(text, "{}:{} ", matcher[0].as_str().unwrap(), matcher[1]).unwrap();
        }
        let values = rule["fingerprint"].as_array().unwrap().iter();
        let values: Vec<String> = values.map(Value::to_string).collect();
        write!(text, "-> {}", values.join(", ")).unwrap();
        if let Some(title) = rule["attributes"].get("title") {
            write!(text, " title={title}").unwrap();
        }
        text.push('\n');
    }
    text
}

/// A value of a snapshot under a key at the start of a line, with what follows more indented.
fn section<'s>(snapshot: &'s str, key: &str) -> Option<&'s str> {
    let start = snapshot.find(&format!("\n{key}:"))? + 1;
    let rest = &snapshot[start..];
    let end = rest
        .match_indices('\n')
        .map(|(at, _)| at)
        .find(|at| !rest[at + 1..].starts_with([' ', '-']));
    Some(&rest[key.len() + 1..end.unwrap_or(rest.len())])
}

/// The items of a list of a snapshot that stands under `key`.
fn list(text: &str, key: &str) -> Vec<String> {
    let Some(start) = text.find(&format!(" {key}:\n")) else {
        return Vec::new();
    };
    let items = text[start..].lines().skip(1);
    let items = items
        .map(str::trim)
        .map_while(|line| line.strip_prefix("- "));
    items.map(unquoted).collect()
}

fn unquoted(text: &str) -> String {
    text.trim().trim_matches('\'').to_owned()
}

fn check(name: &str, bytes: &[u8], snapshots: &Path) {
    let snapshot = std::fs::read_to_string(snapshots.join(format!("{name}.pysnap"))).unwrap();
    let variants = section(&snapshot, "variants").unwrap();
    let json: Value = serde_json::from_slice(bytes).unwrap();
    let text = written(&json["_fingerprinting_rules"]);
    let rules = Rules {
        fingerprint: FingerprintRules::parse(&text).unwrap(),
        ..Rules::default()
    };
    let mut scratch = Vec::new();
    let event = Event::from_json(parse_lenient(bytes, &mut scratch).unwrap()).unwrap();
    let grouping = group_by(&event, &rules);

    let is_custom = variants.contains("custom-fingerprint:");
    assert_eq!(
        grouping.deciding == "fingerprint",
        is_custom,
        "{name}: {:?}",
        grouping.deciding
    );
    assert_eq!(grouping.fingerprint_rule.is_some(), is_custom, "{name}");
    if is_custom {
        let ours: Vec<&str> = grouping.variants[0]
            .leaves
            .iter()
            .map(|leaf| &*leaf.value)
            .collect();
        assert_eq!(ours, list(variants, "values"), "{name}");
    }
    if let Some(title) = &grouping.title {
        assert_eq!(
            *title,
            unquoted(section(&snapshot, "title").unwrap()),
            "{name}"
        );
    }
    // Salted: the client added to the default grouping, and no rule matched.
    let is_salted = variants.contains("salted-component");
    let salted = grouping.variants[0]
        .leaves
        .iter()
        .any(|leaf| leaf.part == "fingerprint");
    assert_eq!(salted && !is_custom, is_salted, "{name}");
}

#[test]
fn fingerprints_are_those_recorded() {
    let Some(folder) = crate::folder("grouping") else {
        return;
    };
    let cases = crate::cases(&folder.join("fingerprint_inputs"));
    for (name, bytes) in &cases {
        check(name, bytes, &folder.join("fingerprint_snapshots"));
    }
    eprintln!("{} fingerprint cases, all as recorded", cases.len());
    assert!(cases.len() >= 18, "only {} cases found", cases.len());
}
