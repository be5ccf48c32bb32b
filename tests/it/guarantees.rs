//! What durability rests on, asked of real servers whose settings break it.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use crate::support::database::{Database, on_postgres};
use crate::support::{Cluster, Server, command};

/// How soon a setting is in force after the server was told to read it again.
const IN_FORCE_WITHIN: Duration = Duration::from_secs(10);

/// A database in a cluster that a test has for itself, and a data folder.
struct Place {
    cluster: Cluster,
    database: Database,
    folder: tempfile::TempDir,
}

impl Place {
    fn make(version: &str) -> Option<Self> {
        let cluster = Cluster::start(version)?;
        let database = Database::in_cluster(&cluster.address);
        Some(Self {
            cluster,
            database,
            folder: tempfile::tempdir().unwrap(),
        })
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn run(&self, arguments: &[&str]) -> Output {
        run(&self.data(), &self.database.url().unwrap(), arguments)
    }

    /// Changes a setting and waits until new connections have it.
    fn set(&self, setting: &str, value: &str) {
        self.cluster.set(setting, value);
        let show = format!("select current_setting('{setting}')");
        let started = std::time::Instant::now();
        while on_postgres(&self.cluster.address, show.clone())[0].get::<_, String>(0) != value {
            assert!(
                started.elapsed() < IN_FORCE_WITHIN,
                "{setting} is not in force"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// What `copal check` says of the promises that are broken, a line each.
    fn broken(&self) -> Vec<String> {
        let check = self.run(&["check"]);
        let said = String::from_utf8(check.stdout).unwrap();
        let broken: Vec<String> = said
            .lines()
            .filter_map(|line| line.strip_prefix("failed  "))
            .map(str::to_owned)
            .collect();
        let code = i32::from(!broken.is_empty());
        let complained = String::from_utf8_lossy(&check.stderr);
        assert_eq!(check.status.code(), Some(code), "{said}{complained}");
        broken
    }

    /// Why a server does not start, if it does not.
    fn refusal(&self) -> Option<String> {
        let mut command = command(&self.data());
        self.database.name_to(&mut command);
        command.args(["serve", "--listen", "127.0.0.1:0"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut line).unwrap();
        if line.starts_with("copal listening on ") {
            drop(Server::from(child));
            return None;
        }
        let ended = child.wait_with_output().unwrap();
        assert_eq!(ended.status.code(), Some(1));
        Some(String::from_utf8(ended.stderr).unwrap())
    }

    /// What a server says that starts because its operator accepts the risk.
    fn warning(&self) -> String {
        let mut command = command(&self.data());
        self.database.name_to(&mut command);
        command.args(["serve", "--listen", "127.0.0.1:0"]);
        command.env("COPAL_ACCEPT_LOSS", "acknowledged-events-may-be-lost");
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut line).unwrap();
        assert!(line.starts_with("copal listening on "), "{line}");
        child.kill().unwrap();
        String::from_utf8(child.wait_with_output().unwrap().stderr).unwrap()
    }
}

fn run(data: &Path, url: &str, arguments: &[&str]) -> Output {
    let mut command = command(data);
    command.args(arguments).env("COPAL_DATABASE_URL", url);
    command.output().unwrap()
}

/// What breaks a promise: a setting, whether it takes a restart, whether a server must not start,
/// and the promise.
const BROKEN: [(&str, &str, bool, &str); 4] = [
    ("fsync", "off", true, "the server waits for its disk"),
    (
        "full_page_writes",
        "off",
        true,
        "a page that was half written is mended after a crash",
    ),
    (
        "synchronous_commit",
        "off",
        false,
        "that holds for everybody who uses the server",
    ),
    (
        "default_transaction_read_only",
        "on",
        false,
        "the database can be written",
    ),
];

fn what_breaks_a_promise_is_told_and_refused(version: &str) {
    let Some(place) = Place::make(version) else {
        return;
    };
    assert_eq!(place.broken(), [] as [String; 0]);
    assert_eq!(place.refusal(), None);
    for (setting, value, refuses, promise) in BROKEN {
        let before: String = {
            let show = format!("select current_setting('{setting}')");
            on_postgres(&place.cluster.address, show)[0].get(0)
        };
        place.set(setting, value);
        let broken = place.broken();
        assert_eq!(broken.len(), 1, "{broken:?}");
        let (told, why) = broken[0].split_once(": ").unwrap();
        assert_eq!(told, promise);
        assert!(why.starts_with(&format!("{setting} is {value}")), "{why}");
        let refusal = place.refusal();
        let expected = format!("copal: what is acknowledged could be lost: {why}\n");
        assert_eq!(refusal, refuses.then_some(expected), "{setting}");
        place.set(setting, &before);
    }
    assert_eq!(place.broken(), [] as [String; 0]);
}

#[test]
fn what_breaks_a_promise_of_the_oldest_server_is_told_and_refused() {
    what_breaks_a_promise_is_told_and_refused("packaged");
}

#[test]
fn what_breaks_a_promise_of_the_newest_server_is_told_and_refused() {
    what_breaks_a_promise_is_told_and_refused("18");
}

#[test]
fn a_server_that_goes_on_after_its_disk_failed_is_refused_and_a_standby_told() {
    let Some(place) = Place::make("packaged") else {
        return;
    };
    assert_eq!(place.broken(), [] as [String; 0]);
    place.cluster.set("data_sync_retry", "on");
    place.cluster.restart();
    let broken = place.broken();
    assert!(broken.len() == 1 && broken[0].contains("data_sync_retry is on"));
    let refusal = place.refusal().expect("no server starts there");
    assert!(refusal.contains("data_sync_retry is on"), "{refusal}");
    let warning = place.warning();
    assert!(warning.contains("data_sync_retry is on"), "{warning}");
    place.cluster.set("data_sync_retry", "off");

    place.cluster.become_standby();
    let broken = place.broken();
    assert!(
        broken.len() == 1 && broken[0].contains("the server is a standby"),
        "{broken:?}"
    );
    let refusal = place.refusal().expect("no server starts there");
    assert!(refusal.starts_with("copal: "), "{refusal}");
}

#[test]
fn what_turns_commits_asynchronous_on_the_way_is_refused() {
    let Some(place) = Place::make("packaged") else {
        return;
    };
    // Settings of the role, the database and the address do not reach what Copal sets itself.
    let url = place.database.url().unwrap();
    for statement in [
        "alter role copal set synchronous_commit = off".to_owned(),
        format!("{url}?options=-csynchronous_commit%3Doff"),
    ] {
        let mut url = url.clone();
        if statement.starts_with("alter") {
            place.cluster.administrate(&statement);
        } else {
            url = statement;
        }
        let check = run(&place.data(), &url, &["check"]);
        let said = String::from_utf8(check.stdout).unwrap();
        let own = "ok      a commit is on disk before it is answered\n";
        assert!(said.contains(own), "{said}");
        assert!(said.contains("failed  that holds for everybody"), "{said}");
        place
            .cluster
            .administrate("alter role copal reset synchronous_commit");
    }
}

#[test]
fn a_database_of_another_encoding_is_refused_in_one_sentence() {
    let Some(place) = Place::make("18") else {
        return;
    };
    place.cluster.administrate(
        "create database latin encoding 'LATIN1' locale 'C' template template0 owner copal",
    );
    let (server, _) = place.cluster.address.rsplit_once('/').unwrap();
    for command in ["check", "serve"] {
        let refused = run(&place.data(), &format!("{server}/latin"), &[command]);
        assert_eq!(refused.status.code(), Some(1));
        let said = String::from_utf8(refused.stderr).unwrap();
        assert!(said.contains("the database's encoding is LATIN1"), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}
