//! What operators set and ask for.

use std::process::Command;
use std::time::Duration;

use reqwest::Client;

use crate::support::{Engine, Server, TestApp, command, on_each_engine};

/// A token as an operator would make one.
const TOKEN: &str = "an-operator-made-this-token";

async fn proxies_are_believed_about_the_client_only_where_they_are_trusted(engine: Engine) {
    for (trusted, client) in [("127.0.0.0/8", "203.0.113.9"), ("192.0.2.1", "127.0.0.1")] {
        let app = TestApp::start_with(engine, &[("COPAL_TRUSTED_PROXIES", trusted)]);
        let url = format!("{}?sentry_key={}", app.store_url(), app.key);
        let request = Client::new().post(url);
        let request = request.header("x-forwarded-for", "198.51.100.7, 203.0.113.9");
        let event = "{\"user\":{\"ip_address\":\"{{auto}}\"}}";
        let answer = request.body(event).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let issues = app.issues_of(1).await;
        let event = app.latest_event(&issues[0]).await;
        assert_eq!(event["payload"]["user"]["ip_address"], client, "{trusted}");
    }
}

async fn metrics_are_for_the_operator_and_documented(engine: Engine) {
    let app = TestApp::start_with(
        engine,
        &[
            ("COPAL_OPERATOR_TOKEN", TOKEN),
            ("COPAL_TRUSTED_PROXIES", "127.0.0.1"),
        ],
    );
    let url = format!("{}?sentry_key={}", app.store_url(), app.key);
    let answer = Client::new().post(url).body("{}").send().await.unwrap();
    assert_eq!(answer.status(), 200);
    app.settle().await;

    let ask = |token: Option<&str>| {
        let request = Client::new().get(format!("{}/metrics", app.base_url));
        // From elsewhere, as the trusted proxy says.
        let request = request.header("x-forwarded-for", "203.0.113.9");
        let request = token
            .into_iter()
            .fold(request, reqwest::RequestBuilder::bearer_auth);
        request.send()
    };
    for wrong in [None, Some(""), Some("an-operator-made-this-toke")] {
        assert_eq!(ask(wrong).await.unwrap().status(), 404, "{wrong:?}");
    }
    let told = ask(Some(TOKEN)).await.unwrap().text().await.unwrap();
    let documented = include_str!("../../docs/operating.md");
    for line in told.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let name = line.split(' ').next().unwrap();
        assert!(documented.contains(&format!("`{name}`")), "{name}");
    }
    for (name, _, meaning) in copal_server::operate::metrics::ALL {
        let row = format!("| `{name}` | ");
        assert!(documented.contains(&row), "{row}{meaning}");
    }
    for measured in [
        "process_cpu_seconds_total ",
        "copal_build_info{version=",
        "copal_request_seconds_bucket{",
    ] {
        assert!(told.contains(measured), "{measured}: {told}");
    }
}

async fn a_server_says_that_it_lives_and_is_ready(engine: Engine) {
    let app = TestApp::start(engine);
    for (path, said) in [("/healthz", "alive\n"), ("/readyz", "ready\n")] {
        let answer = Client::new().get(format!("{}{path}", app.base_url)).send();
        let answer = answer.await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.text().await.unwrap(), said);
    }
}

#[tokio::test]
async fn as_many_files_may_be_open_as_the_system_lets() {
    let folder = tempfile::tempdir().unwrap();
    let program = command(folder.path());
    // What most systems give a service, far below what they let it take.
    let mut few = Command::new("sh");
    few.args(["-c", "ulimit -S -n 256; exec \"$@\"", "sh"]);
    few.arg(program.get_program()).args(program.get_args());
    few.env_remove("COPAL_CONFIG").env("COPAL_LOG", "warn");
    let mut server = Server::launch(few, "127.0.0.1:0");
    let url = format!("{}/metrics", server.wait_until_it_listens());
    let told = reqwest::get(url).await.unwrap().text().await.unwrap();
    let line = told
        .lines()
        .find_map(|line| line.strip_prefix("process_max_fds "));
    let own = std::fs::read_to_string("/proc/self/limits").unwrap();
    let own = own
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"));
    let hard = own.unwrap().split_whitespace().nth(1).unwrap();
    assert_eq!(line.unwrap(), hard.replace("unlimited", "inf"));
}

#[test]
fn a_disk_without_room_for_the_schema_ends_the_server_with_3() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let command = command(&folder.path().join("data"));
    // The database needs more than these 16 KiB from its first transaction on.
    let server = Server::launch_cramped(&command, "127.0.0.1:0", 16, &log);
    let ended = server.wait_for_end(Duration::from_secs(20));
    let said = std::fs::read_to_string(log).unwrap();
    assert_eq!(ended.code(), Some(3), "{said}");
    assert!(
        said.starts_with("copal: cannot open the data folder"),
        "{said}"
    );
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[test]
fn settings_that_cannot_be_used_end_the_server_with_1() {
    let folder = tempfile::tempdir().unwrap();
    for (name, value, part) in [
        ("COPAL_TRUSTED_PROXIES", "proxy.example", "trusted_proxies"),
        ("COPAL_OPERATOR_TOKEN", "short", "operator_token"),
        (
            "COPAL_OPERATOR_TOKEN_FILE",
            "/nowhere/token",
            "operator_token_file",
        ),
    ] {
        let mut command = command(folder.path());
        let output = command.arg("serve").env(name, value).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(part) && said.lines().count() == 1, "{said}");
    }
}

on_each_engine!(
    async proxies_are_believed_about_the_client_only_where_they_are_trusted,
    async metrics_are_for_the_operator_and_documented,
    async a_server_says_that_it_lives_and_is_ready,
);
