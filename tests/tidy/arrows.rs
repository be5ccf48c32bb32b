//! Which crate may use which: the arrows of `ARCHITECTURE.md`.

use std::collections::BTreeSet;
use std::fs;

use crate::tree;

/// What each crate may depend on, of our own.
const ALLOWED: [(&str, &[&str]); 9] = [
    ("protocol", &[]),
    ("sabotage", &[]),
    ("model", &["protocol", "sabotage"]),
    ("grouping", &["protocol"]),
    ("journal", &[]),
    ("store", &["protocol", "model", "sabotage"]),
    (
        "pipeline",
        &["protocol", "model", "grouping", "journal", "store"],
    ),
    ("ui", &["model"]),
    (
        "server",
        &[
            "protocol", "model", "journal", "store", "pipeline", "ui", "sabotage",
        ],
    ),
];

/// Libraries that would let a crate do I/O or ask the time.
const IMPURE: [&str; 8] = [
    "axum",
    "getrandom",
    "hyper",
    "reqwest",
    "rusqlite",
    "rustix",
    "tokio",
    "tokio-postgres",
];

fn dependencies(name: &str) -> BTreeSet<String> {
    let manifest = tree::root().join("crates").join(name).join("Cargo.toml");
    let manifest: toml::Table = fs::read_to_string(manifest).unwrap().parse().unwrap();
    ["dependencies", "build-dependencies"]
        .into_iter()
        .filter_map(|section| manifest.get(section)?.as_table())
        .flat_map(|table| table.keys().cloned())
        .collect()
}

#[test]
fn crates_depend_only_along_the_arrows() {
    for name in tree::crates() {
        let (_, allowed) = ALLOWED
            .iter()
            .find(|(known, _)| *known == name)
            .unwrap_or_else(|| panic!("crates/{name} has no row in tests/tidy/arrows.rs"));
        for dependency in dependencies(&name) {
            if let Some(ours) = dependency.strip_prefix("copal-") {
                assert!(
                    allowed.contains(&ours),
                    "crates/{name} must not depend on {dependency}"
                );
            }
        }
    }
}

#[test]
fn pure_crates_have_no_impure_library() {
    for name in ["protocol", "model", "grouping", "ui"] {
        for dependency in dependencies(name) {
            assert!(
                !IMPURE.contains(&dependency.as_str()),
                "crates/{name} is pure: no {dependency}"
            );
        }
    }
}

#[test]
fn the_model_is_not_serializable() {
    let serde: Vec<_> = dependencies("model")
        .into_iter()
        .filter(|name| name.starts_with("serde"))
        .collect();
    assert!(
        serde.is_empty(),
        "each surface converts the model to its own shape: no {serde:?}"
    );
}
