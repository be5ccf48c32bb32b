//! Grouping against events and hashes recorded elsewhere; needs the folder in `COPAL_CORPUS`.

#![expect(clippy::unwrap_used, reason = "a case that cannot be read has failed")]

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use copal_grouping::{group_by, rules::Rules};
use copal_protocol::event::Event;
use copal_protocol::json::parse_lenient;
use serde_json::Value;

/// Share of recorded cases, in percent, that are grouped with the same cases. The full rule
/// set will raise it.
const PARITY_PERCENT_MIN: usize = 80;

type Hashes = BTreeMap<String, String>;

/// The recorded hashes of a case: those read from the current version where there are any.
fn expected(file: &Value, name: &str) -> Option<Hashes> {
    let read = &file["read_snapshots"][name]["variant_hashes"];
    let hashes = if read.is_object() {
        read
    } else {
        &file["derived_all"][name]
    };
    serde_json::from_value(hashes.clone()).ok()
}

fn hashes_of(path: &Path) -> Vec<String> {
    let bytes = std::fs::read(path).unwrap();
    let enhancements: Value = serde_json::from_slice(&bytes).unwrap();
    let rules = enhancements["_grouping"]["enhancements"]
        .as_str()
        .unwrap_or("");
    let rules = Rules::with_builtin(rules)
        .unwrap_or_else(|_| Rules::with_builtin("").expect("the built-in rules are readable"));
    let mut scratch = Vec::new();
    let event = Event::from_json(parse_lenient(&bytes, &mut scratch).unwrap()).unwrap();
    let grouping = group_by(&event, &rules);
    grouping
        .hashes
        .iter()
        .map(|hash| format!("{:032x}", u128::from_be_bytes(*hash)))
        .collect()
}

#[test]
fn partitions_are_those_recorded() {
    let Some(corpus) = std::env::var_os("COPAL_CORPUS") else {
        eprintln!("SKIPPED: COPAL_CORPUS is not set");
        return;
    };
    let folder = Path::new(&corpus).join("grouping");
    let file = std::fs::read(folder.join("expected_newstyle-2026-01-20.json")).unwrap();
    let file: Value = serde_json::from_slice(&file).unwrap();
    let mut cases = Vec::new();
    for entry in std::fs::read_dir(folder.join("inputs")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let name = path
            .file_stem()
            .unwrap()
            .to_str()
            .unwrap()
            .replace('-', "_");
        let Some(expected) = expected(&file, &name) else {
            continue;
        };
        let key = ["app", "system", "default"]
            .iter()
            .find_map(|variant| expected.get(*variant));
        let expected = key.or_else(|| expected.values().next()).unwrap().clone();
        cases.push((name, expected, hashes_of(&path).swap_remove(0)));
    }
    assert!(cases.len() > 90, "only {} cases found", cases.len());
    let same_hash = cases
        .iter()
        .filter(|(_, expected, ours)| expected == ours)
        .count();
    for (name, expected, ours) in &cases {
        if expected != ours {
            eprintln!("differs: {name}: expected {expected}, is {ours}");
        }
    }
    let mut by_expected: HashMap<&str, HashSet<&str>> = HashMap::new();
    for (name, expected, _) in &cases {
        by_expected.entry(expected).or_default().insert(name);
    }
    let mut by_ours: HashMap<&str, HashSet<&str>> = HashMap::new();
    for (name, _, ours) in &cases {
        by_ours.entry(ours).or_default().insert(name);
    }
    let together = cases
        .iter()
        .filter(|(_, expected, ours)| by_expected[expected.as_str()] == by_ours[ours.as_str()])
        .count();
    let percent = together * 100 / cases.len();
    eprintln!(
        "{} cases: {same_hash} equal hashes, {percent} % in equal groups",
        cases.len()
    );
    assert!(percent >= PARITY_PERCENT_MIN, "{percent} % in equal groups");
    assert!(
        same_hash * 100 / cases.len() >= HASH_PERCENT_MIN,
        "{same_hash} equal hashes"
    );
}

/// Share of recorded cases, in percent, whose deciding hash is exactly the recorded one.
const HASH_PERCENT_MIN: usize = 60;
