//! `copal demo`: what it prints, what it loads, and that nothing of it stays.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::support::browser::Browser;
use crate::support::{self, Server};

/// The demo, its throw-away folder made below `temporary`.
fn demo(temporary: &Path) -> Command {
    let mut command = support::command(&temporary.join("not-used"));
    command
        .args(["demo", "--listen", "127.0.0.1:0"])
        .env("TMPDIR", temporary)
        .stdout(Stdio::piped());
    command
}

/// Asserts that these are the lines a demo prints; its address.
fn assert_summary(lines: &[String]) -> &str {
    let [listening, loaded, open, email, password] = lines else {
        panic!("five lines: {lines:#?}")
    };
    let url = listening.strip_prefix("copal listening on ").unwrap();
    assert!(url.starts_with("http://127.0.0.1:"), "{url}");
    let counts = loaded.split(' ').filter_map(|word| word.parse().ok());
    let [events, issues, projects] = counts.collect::<Vec<u32>>()[..] else {
        panic!("three counts: {loaded}")
    };
    assert!((300..1000).contains(&events), "{loaded}");
    assert!((20..100).contains(&issues), "{loaded}");
    assert_eq!(projects, 4, "{loaded}");
    assert_eq!(*open, format!("open     {url}/login"));
    assert_eq!(email, "e-mail   demo@copal.example");
    assert_eq!(password, "password copal-demo-2026");
    url
}

#[test]
fn it_loads_says_so_and_is_gone() {
    let temporary = tempfile::tempdir().unwrap();
    let output = demo(temporary.path()).arg("--exit-after-load").output();
    let output = output.unwrap();
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    assert_summary(&said.lines().map(str::to_owned).collect::<Vec<_>>());
    let left = std::fs::read_dir(temporary.path()).unwrap();
    assert_eq!(left.count(), 0, "its folder is gone");
}

fn lines_of(demo: &mut Child) -> Vec<String> {
    let lines = BufReader::new(demo.stdout.take().unwrap()).lines();
    lines.take(5).map(Result::unwrap).collect()
}

#[tokio::test]
async fn whoever_logs_in_sees_recorded_errors_until_it_is_stopped() {
    let temporary = tempfile::tempdir().unwrap();
    let mut child = demo(temporary.path()).spawn().unwrap();
    let lines = lines_of(&mut child);
    let demo = Server::from(child);
    let url = assert_summary(&lines);
    let browser = Browser::log_in(url, "demo@copal.example", "copal-demo-2026").await;
    let list = browser.page("/o/demos-workspace/issues").await;
    for title in [
        "OutOfStock",
        "payment was refused",
        "BasketError",
        "ImportError",
    ] {
        assert!(list.contains(title), "{title} is not in {list}");
    }
    assert!(demo.terminate().0.success());
    let left = std::fs::read_dir(temporary.path()).unwrap();
    assert_eq!(left.count(), 0, "its folder is gone");
}
