//! The examples of `docs/api.md`, run as they stand there.

use std::path::Path;
use std::process::Command;

use copal_model::policy;

use super::exception;
use crate::support::{Engine, TestApp, on_each_engine};

/// The blocks of shell in a page of the documentation.
fn examples(page: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
    let text = std::fs::read_to_string(path).unwrap();
    let blocks = text.split("```sh\n").skip(1);
    blocks
        .map(|block| block.split("```").next().unwrap().to_owned())
        .collect()
}

#[test]
fn the_documented_scopes_are_those_of_the_policy() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/api.md");
    let page = std::fs::read_to_string(path).unwrap();
    let is_scope =
        |word: &&str| word.contains(":read") || word.contains(":write") || word.contains(":admin");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
    let names = rows.filter_map(|row| row.split("` |").next());
    let mut documented: Vec<_> = names.filter(is_scope).collect();
    documented.sort_unstable();
    assert_eq!(documented, policy::scopes());
}

async fn the_examples_of_the_documentation_work(engine: Engine) {
    let app = TestApp::start(engine);
    for kind in ["A", "B", "C"] {
        app.send(&app.shop(), &exception(kind, "is broken")).await;
    }
    app.issues_of(3).await;
    let examples = examples("docs/api.md");
    assert!(examples.len() >= 6, "{examples:#?}");
    let folder = tempfile::tempdir().unwrap();
    // One shell for all: what one sets, those after it use.
    let script = format!("set -euo pipefail\n{}", examples.join("\n"));
    let output = Command::new("bash")
        .args(["-c", &script])
        .env("COPAL", &app.base_url)
        .env("ORG", &app.org)
        .env("TOKEN", &app.token)
        .env("NO_PROXY", "127.0.0.1")
        .current_dir(folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    for part in [
        "ana@example.com",
        "\"status\":\"RESOLVED\"",
        "\"grouping\"",
        "\"label\":\"backend\"",
    ] {
        assert!(said.contains(part), "{part} is not in {said}");
    }
    let last_page = std::fs::read_to_string(folder.path().join("page.json")).unwrap();
    assert_eq!(last_page.matches("shortId").count(), 1, "{last_page}");
}

on_each_engine!(
    async the_examples_of_the_documentation_work,
);
