//! The licence gate: everything in the binary is permissive, and says so.
//!
//! A missing SPDX expression fails: that is where source-available licences hide.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

use crate::tree;

/// Licences that ask for nothing but their text.
const ALLOWED: [&str; 13] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Whether an SPDX expression can be met with allowed licences.
fn is_permissive(expression: &str) -> bool {
    let expression = expression.replace('/', " OR ");
    any_of(expression.trim())
}

fn any_of(expression: &str) -> bool {
    split(expression, " OR ").into_iter().any(all_of)
}

fn all_of(expression: &str) -> bool {
    split(expression, " AND ").into_iter().all(|part| {
        let part = part.trim();
        match part
            .strip_prefix('(')
            .and_then(|part| part.strip_suffix(')'))
        {
            Some(inner) => any_of(inner),
            None => ALLOWED.contains(&part),
        }
    })
}

/// Splits at an operator outside parentheses.
fn split<'a>(expression: &'a str, operator: &str) -> Vec<&'a str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0, 0);
    for (at, byte) in expression.bytes().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' => depth -= 1,
            _ if depth == 0 && at >= start && expression[at..].starts_with(operator) => {
                parts.push(&expression[start..at]);
                start = at + operator.len();
            }
            _ => {}
        }
    }
    parts.push(&expression[start..]);
    parts
}

fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--locked"])
        .current_dir(tree::root())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Ids of the packages that are linked into or build the binary.
fn linked(metadata: &Value) -> BTreeSet<String> {
    let nodes = metadata["resolve"]["nodes"].as_array().unwrap();
    let mut open: Vec<_> = metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|package| package["name"] == "copal")
        .map(|package| package["id"].as_str().unwrap().to_owned())
        .collect();
    let mut seen = BTreeSet::new();
    while let Some(id) = open.pop() {
        if !seen.insert(id.clone()) {
            continue;
        }
        let node = nodes.iter().find(|node| node["id"] == id.as_str()).unwrap();
        for dependency in node["deps"].as_array().unwrap() {
            let kinds = dependency["dep_kinds"].as_array().unwrap();
            if kinds.iter().any(|kind| kind["kind"] != "dev") {
                open.push(dependency["pkg"].as_str().unwrap().to_owned());
            }
        }
    }
    seen
}

#[test]
fn everything_linked_is_permissive() {
    let metadata = metadata();
    let linked = linked(&metadata);
    assert!(
        linked.len() > 50,
        "the walk over the dependencies found only {}",
        linked.len()
    );
    let mut refused = Vec::new();
    for package in metadata["packages"].as_array().unwrap() {
        let licence = package["license"].as_str();
        if linked.contains(package["id"].as_str().unwrap()) && !licence.is_some_and(is_permissive) {
            refused.push(format!(
                "{} {}: {licence:?}",
                package["name"], package["version"]
            ));
        }
    }
    assert!(
        refused.is_empty(),
        "not permissive, or without an SPDX expression: {refused:#?}"
    );
}

#[test]
fn expressions_are_understood() {
    assert!(is_permissive("MIT"));
    assert!(is_permissive("BSD-3-Clause/MIT"));
    assert!(is_permissive("GPL-3.0 OR MIT"));
    assert!(is_permissive("(MIT OR GPL-3.0) AND Unicode-3.0"));
    assert!(is_permissive(
        "Apache-2.0 WITH LLVM-exception OR Apache-2.0 OR MIT"
    ));
    assert!(!is_permissive("MIT AND GPL-3.0"));
    assert!(!is_permissive("FSL-1.1-Apache-2.0"));
    assert!(!is_permissive("BUSL-1.1"));
    assert!(!is_permissive(""));
}
