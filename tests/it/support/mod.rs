//! A real `copal` with a throw-away data folder, and how tests talk to it.

pub(crate) mod browser;
pub(crate) mod call;
mod cluster;
pub(crate) mod database;
mod engine;
pub(crate) mod sdk;
mod server;

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

pub(crate) use cluster::Cluster;
pub(crate) use database::Database;
pub(crate) use engine::{Engine, on_each_engine};
pub(crate) use server::{Server, command, fixed_address};

/// How long a test waits for what must happen.
const PATIENCE: Duration = Duration::from_mins(1);
/// How long a test waits before it looks again.
const GLANCE: Duration = Duration::from_millis(20);
/// What everybody logs in with.
pub(crate) const PASSWORD: &str = "correct horse battery staple";

/// A data folder with one user, one organization and one project, and a server on it.
pub(crate) struct TestApp {
    /// `None` while it is down. Stands before its data: dropped first.
    server: Option<Server>,
    pub(crate) database: Database,
    folder: tempfile::TempDir,
    listen: String,
    pub(crate) base_url: String,
    pub(crate) project_id: String,
    pub(crate) key: String,
    /// The slug of the organization.
    pub(crate) org: String,
    /// A token of Ana, who owns the organization, with all her rights.
    pub(crate) token: String,
    client: reqwest::Client,
}

/// Another server on the same database.
pub(crate) struct SecondServer {
    pub(crate) base_url: String,
    /// Stands before its folder: dropped first.
    pub(crate) server: Server,
    pub(crate) folder: tempfile::TempDir,
}

/// Where a project's events are sent.
pub(crate) struct Project {
    pub(crate) id: String,
    pub(crate) key: String,
}

impl TestApp {
    /// On a port that the system picks.
    pub(crate) fn start(engine: Engine) -> Self {
        Self::start_with(engine, &[])
    }

    /// Starts with settings, as variables.
    pub(crate) fn start_with(engine: Engine, settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::new(engine, folder.path());
        Self::start_as(folder, database, "127.0.0.1:0", settings)
    }

    /// Starts on an address that stays the same over restarts.
    pub(crate) fn start_on(engine: Engine, listen: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::new(engine, folder.path());
        Self::start_as(folder, database, listen, &[])
    }

    /// Starts on a cluster that the test has for itself.
    pub(crate) fn start_in(cluster: &Cluster, listen: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::in_cluster(&cluster.address);
        Self::start_as(folder, database, listen, &[])
    }

    fn start_as(
        folder: tempfile::TempDir,
        database: Database,
        listen: &str,
        settings: &[(&str, &str)],
    ) -> Self {
        let mut command = command(folder.path());
        database.name_to(&mut command);
        command.envs(settings.iter().copied());
        let mut server = Server::launch(command, listen);
        let mut app = Self {
            base_url: server.wait_until_it_listens(),
            server: Some(server),
            database,
            folder,
            listen: listen.to_owned(),
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

    /// Where all data is.
    pub(crate) fn data(&self) -> &Path {
        self.folder.path()
    }

    /// The program on this data.
    pub(crate) fn command(&self) -> Command {
        let mut command = command(self.data());
        self.database.name_to(&mut command);
        command
    }

    /// Starts another server on the same database, with a data folder of its own. On SQLite there
    /// can be none.
    pub(crate) fn second_server(&self) -> SecondServer {
        assert!(self.database.url().is_some(), "a file has one server");
        let folder = tempfile::tempdir().unwrap();
        let mut command = command(folder.path());
        self.database.name_to(&mut command);
        let mut server = Server::launch(command, "127.0.0.1:0");
        SecondServer {
            base_url: server.wait_until_it_listens(),
            server,
            folder,
        }
    }

    /// The server, for the caller to end.
    pub(crate) fn take_server(&mut self) -> Server {
        self.server.take().unwrap()
    }

    /// The server.
    pub(crate) fn server(&self) -> &Server {
        self.server.as_ref().unwrap()
    }

    /// Starts a server again on the same data.
    pub(crate) fn restart(&mut self) {
        self.resume(Server::launch(self.command(), &self.listen));
    }

    /// Starts a server again that logs everything from `info` on. Its log is at [`Self::log`].
    pub(crate) fn restart_logging(&mut self) {
        let mut command = self.command();
        let log = File::create(self.data().join("log")).unwrap();
        command.env("COPAL_LOG", "info").stderr(log);
        self.resume(Server::launch(command, &self.listen));
    }

    /// Starts a server again, whose files cannot grow beyond `kib`. Its log is at [`Self::log`].
    pub(crate) fn restart_cramped(&mut self, kib: u64) {
        let log = self.data().join("log");
        let command = self.command();
        self.resume(Server::launch_cramped(&command, &self.listen, kib, &log));
    }

    fn resume(&mut self, mut server: Server) {
        self.base_url = server.wait_until_it_listens();
        self.server = Some(server);
    }

    /// What a server has said that writes its log there.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.data().join("log")).unwrap()
    }

    /// Runs a command beside the server; what it prints.
    pub(crate) fn cli(&self, arguments: &[&str]) -> Value {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Runs a command, beside the server if there is one; how it ended.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        let mut child = self
            .command()
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // A command that reads nothing may be gone already.
        let _ = writeln!(stdin, "{PASSWORD}");
        drop(stdin);
        child.wait_with_output().unwrap()
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

    /// One number out of the database.
    pub(crate) fn count(&self, query: &str) -> i64 {
        self.database.count(query)
    }

    /// The value of a metric; zero while there is none.
    pub(crate) async fn metric(&self, name: &str) -> f64 {
        metric_of(&self.client, &self.base_url, name).await
    }

    /// Waits until everything that has been acknowledged is recorded.
    pub(crate) async fn settle(&self) {
        settle(&self.client, &self.base_url).await;
    }

    /// The same where much waits.
    pub(crate) async fn settle_within(&self, patience: Duration) {
        settle_within(&self.client, &self.base_url, patience).await;
    }
}

/// Waits until everything that the server at this address has acknowledged is recorded.
pub(crate) async fn settle(client: &reqwest::Client, base_url: &str) {
    settle_within(client, base_url, PATIENCE).await;
}

async fn settle_within(client: &reqwest::Client, base_url: &str, patience: Duration) {
    let began = Instant::now();
    while metric_of(client, base_url, "copal_journal_backlog_records ").await > 0.0 {
        assert!(began.elapsed() < patience, "the journal is not recorded");
        tokio::time::sleep(GLANCE).await;
    }
}

async fn metric_of(client: &reqwest::Client, base_url: &str, name: &str) -> f64 {
    let url = format!("{base_url}/metrics");
    let answer = client.get(url).send().await.unwrap();
    let text = answer.text().await.unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.map_or(0.0, |value| value.trim().parse().unwrap())
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
