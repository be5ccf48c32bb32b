//! A real `copal` on a free port with a throw-away data folder, and how tests talk to it.

pub(crate) mod browser;
pub(crate) mod call;
pub(crate) mod sdk;

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long a test waits for what must happen.
const PATIENCE: Duration = Duration::from_mins(1);
/// How long a test waits before it looks again.
const GLANCE: Duration = Duration::from_millis(20);
/// What everybody logs in with.
pub(crate) const PASSWORD: &str = "correct horse battery staple";

/// A running server with one user, one organization and one project.
pub(crate) struct TestApp {
    folder: tempfile::TempDir,
    server: Child,
    pub(crate) base_url: String,
    pub(crate) project_id: String,
    pub(crate) key: String,
    /// The slug of the organization.
    pub(crate) org: String,
    /// A token of Ana, who owns the organization, with all her rights.
    pub(crate) token: String,
    client: reqwest::Client,
}

/// Where a project's events are sent.
pub(crate) struct Project {
    pub(crate) id: String,
    pub(crate) key: String,
}

impl TestApp {
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts with settings, as variables.
    pub(crate) fn start_with(settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut server = command(&folder)
            .args(["serve", "--listen", "127.0.0.1:0"])
            .envs(settings.iter().copied())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let stdout = server.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        let base_url = line.trim().strip_prefix("copal listening on ").unwrap();
        let mut app = Self {
            base_url: base_url.to_owned(),
            folder,
            server,
            project_id: String::new(),
            key: String::new(),
            org: String::new(),
            token: String::new(),
            client: call::client(),
        };
        let user = app.user("Ana");
        text(&user["defaultOrgSlug"]).clone_into(&mut app.org);
        let Project { id, key } = app.project("shop");
        (app.project_id, app.key) = (id, key);
        app.token = app.token_of("Ana", &[]);
        app
    }

    /// Makes `name@example.com` with a personal organization.
    pub(crate) fn user(&self, name: &str) -> Value {
        let email = email(name);
        let create = ["user", "create", "--email", &email, "--name", name];
        self.cli(&[&create[..], &["--password-stdin", "--json"]].concat())
    }

    /// Makes a token of the user with this name; no scopes mean all rights.
    pub(crate) fn token_of(&self, name: &str, scopes: &[&str]) -> String {
        let (email, scopes) = (email(name), scopes.join(","));
        let mut create = vec!["token", "create", "--user", &email, "--name", "it"];
        create.push("--json");
        if !scopes.is_empty() {
            create.extend(["--scopes", &scopes]);
        }
        text(&self.cli(&create)["token"]).to_owned()
    }

    /// Makes a project.
    pub(crate) fn project(&self, name: &str) -> Project {
        let create = ["project", "create", "--org", &self.org, "--name", name];
        let project = self.cli(&[&create[..], &["--json"]].concat());
        Project {
            id: text(&project["id"]).to_owned(),
            key: text(&project["apiKey"]).to_owned(),
        }
    }

    /// Runs a command beside the server; what it prints.
    pub(crate) fn cli(&self, arguments: &[&str]) -> Value {
        let mut child = command(&self.folder)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // A command that reads nothing may be gone already.
        let _ = writeln!(stdin, "{PASSWORD}");
        drop(stdin);
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{arguments:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    pub(crate) fn envelope_url(&self) -> String {
        format!("{}/api/{}/envelope/", self.base_url, self.project_id)
    }

    pub(crate) fn store_url(&self) -> String {
        format!("{}/api/{}/store/", self.base_url, self.project_id)
    }

    /// What SDKs are configured with to send to the project.
    pub(crate) fn dsn(&self) -> String {
        let host = self.base_url.strip_prefix("http://").unwrap();
        format!("http://{}@{host}/{}", self.key, self.project_id)
    }

    /// The database, to look into.
    pub(crate) fn db(&self) -> rusqlite::Connection {
        let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
        rusqlite::Connection::open_with_flags(self.folder.path().join("copal.db"), flags).unwrap()
    }

    /// One number out of the database.
    pub(crate) fn count(&self, query: &str) -> i64 {
        self.db().query_row(query, (), |row| row.get(0)).unwrap()
    }

    /// The value of a metric; zero while there is none.
    pub(crate) async fn metric(&self, name: &str) -> f64 {
        let url = format!("{}/metrics", self.base_url);
        let answer = self.client.get(url).send().await.unwrap();
        let text = answer.text().await.unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.map_or(0.0, |value| value.trim().parse().unwrap())
    }

    /// Waits until everything that has been acknowledged is recorded.
    pub(crate) async fn settle(&self) {
        let began = Instant::now();
        while self.metric("copal_journal_backlog_records ").await > 0.0 {
            assert!(began.elapsed() < PATIENCE, "the journal is not recorded");
            tokio::time::sleep(GLANCE).await;
        }
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn command(folder: &tempfile::TempDir) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_copal"));
    command.arg("--data").arg(folder.path());
    for (name, _) in std::env::vars() {
        if name.starts_with("COPAL_") {
            command.env_remove(name);
        }
    }
    command
}

/// The text of a JSON value that must be one.
pub(crate) fn text(value: &Value) -> &str {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is no text"))
}

fn email(name: &str) -> String {
    format!("{}@example.com", name.to_lowercase())
}
