//! The commands, as operators and scripts run them: what they print, and how they end.

use std::fs::Permissions;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{self, Database, Engine, Server, TestApp, on_each_engine, text};

/// A data folder to run commands on, and a database where the rows are not in it.
struct Folder(TempDir, Database);

impl Folder {
    fn new(engine: Engine) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::new(engine, &folder.path().join("data"));
        Self(folder, database)
    }

    fn data(&self) -> PathBuf {
        self.0.path().join("data")
    }

    /// A command that sees no settings but the test's own.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = support::command(&self.data());
        self.1.name_to(&mut command);
        command.args(arguments).current_dir(self.0.path());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs a command that must succeed, and reads its JSON.
    fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(arguments);
        assert!(output.status.success(), "{}", stderr(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn with_input(&self, arguments: &[&str], input: &str) -> Output {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(input.as_bytes()).unwrap();
        drop(stdin);
        child.wait_with_output().unwrap()
    }

    fn ana(&self) -> Value {
        let command = "user create --email Ana@Shop.example --name Ana --json";
        self.json(&words(command))
    }
}

fn words(text: &str) -> Vec<&str> {
    text.split(' ').collect()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Asserts that a command ended with `code` and one sentence that holds `part`.
fn assert_refused(output: &Output, code: i32, part: &str) {
    let said = stderr(output);
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert!(said.contains(part), "{said}");
    assert_eq!(said.trim_end().lines().count(), 1, "{said}");
    assert!(output.stdout.is_empty());
}

fn keys(value: &Value) -> Vec<&str> {
    let fields = value.as_object().unwrap();
    fields.keys().map(String::as_str).collect()
}

fn a_user_comes_with_a_personal_organization_and_a_password_shown_once(engine: Engine) {
    let folder = Folder::new(engine);
    let ana = folder.ana();
    assert_eq!(ana["email"], "ana@shop.example");
    assert_eq!(ana["name"], "Ana");
    assert_eq!(ana["defaultOrgSlug"], "anas-workspace");
    assert_eq!(ana["password"].as_str().unwrap().len(), 43);
    for id in ["id", "defaultOrgId"] {
        assert!(ana[id].as_str().unwrap().parse::<uuid::Uuid>().is_ok());
    }
}

fn a_password_from_stdin_is_not_printed(engine: Engine) {
    let folder = Folder::new(engine);
    let arguments = words("user create --email a@x.io --name Ana --password-stdin --json");
    let output = folder.with_input(&arguments, "correct horse battery\n");
    assert!(output.status.success(), "{}", stderr(&output));
    let created: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut expected = vec!["id", "email", "name", "defaultOrgId", "defaultOrgSlug"];
    expected.sort_unstable();
    assert_eq!(keys(&created), expected);
}

fn a_password_that_anybody_guesses_is_refused(engine: Engine) {
    let folder = Folder::new(engine);
    let arguments = words("user create --email a@x.io --name Ana --password-stdin");
    for (input, why) in [
        ("", "at least 8 characters"),
        ("\n", "at least 8 characters"),
        ("1234567\n", "at least 8 characters"),
        ("a@x.io\n", "at least 8 characters"),
        ("PassWord1\n", "among the first that an attacker tries"),
    ] {
        assert_refused(&folder.with_input(&arguments, input), 1, why);
    }
    let longest = "horseman".repeat(32);
    let too_long = folder.with_input(&arguments, &format!("{longest}a"));
    assert_refused(&too_long, 1, "at most 256 characters");
    assert!(folder.with_input(&arguments, &longest).status.success());
}

fn an_address_has_one_account(engine: Engine) {
    let folder = Folder::new(engine);
    folder.ana();
    let again = folder.run(&words("user create --email ana@shop.example --name Eve"));
    assert_refused(&again, 1, "ana@shop.example exists already");
}

fn an_organization_has_an_owner_and_a_plan(engine: Engine) {
    let folder = Folder::new(engine);
    folder.ana();
    let acme = folder.json(&words(
        "org create --owner ana@shop.example --name Acme --json",
    ));
    assert_eq!(acme["slug"], "acme");
    assert_eq!(acme["plan"], "FREE");
    assert_eq!(acme["isPersonal"], false);
    let changed = folder.json(&words("org set-plan acme PRO --json"));
    assert_eq!(changed["plan"], "PRO");
    assert_eq!(changed["id"], acme["id"]);

    let nobody = folder.run(&words("org create --owner eve@x.io --name Acme"));
    assert_refused(&nobody, 1, "no account has the address eve@x.io");
    let nowhere = folder.run(&words("org set-plan missing PRO"));
    assert_refused(&nowhere, 1, "no organization has the slug missing");
}

fn a_project_comes_with_a_dsn_at_the_address_users_see(engine: Engine) {
    let folder = Folder::new(engine);
    folder.ana();
    let create = words("project create --org anas-workspace --name Shop --platform python --json");
    let shop = folder.json(&create);
    let key = shop["apiKey"].as_str().unwrap();
    assert_eq!(key.len(), 32);
    assert_eq!(shop["id"], "1");
    assert_eq!(shop["slug"], "shop");
    assert_eq!(shop["dsn"], format!("http://{key}@127.0.0.1:8000/1"));

    let output = folder
        .command(&create)
        .env("COPAL_BASE_URL", "https://errors.example/copal/")
        .output()
        .unwrap();
    let shop: Value = serde_json::from_slice(&output.stdout).unwrap();
    let key = shop["apiKey"].as_str().unwrap();
    assert_eq!(shop["slug"], "shop-2");
    assert_eq!(shop["dsn"], format!("https://{key}@errors.example/copal/2"));
}

fn a_token_is_shown_once_and_narrowed_to_known_scopes(engine: Engine) {
    let folder = Folder::new(engine);
    folder.ana();
    let create = "token create --user ana@shop.example --name ci --json";
    let full = folder.json(&words(create));
    assert_eq!(keys(&full), ["id", "token"]);
    let narrow = folder.json(&words(&format!("{create} --scopes event:read,org:read")));
    assert_ne!(full["token"], narrow["token"]);
    let unknown = folder.run(&words(&format!("{create} --scopes event:read,all")));
    assert_eq!(unknown.status.code(), Some(2));
    assert!(stderr(&unknown).contains("known scopes are"));
}

#[test]
fn wrong_usage_ends_with_two() {
    let folder = Folder::new(Engine::Sqlite);
    for arguments in [
        "nonsense",
        "user create --name Ana",
        "user create --email nobody --name Ana",
        "org set-plan acme GOLD",
    ] {
        let output = folder.run(&words(arguments));
        assert_eq!(output.status.code(), Some(2), "{arguments}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn settings_that_cannot_be_used_are_named() {
    let folder = Folder::new(Engine::Sqlite);
    std::fs::write(folder.0.path().join("copal.toml"), "lisen = \"x\"\n").unwrap();
    let unknown = folder.run(&["migrate"]);
    assert_refused(&unknown, 1, "unknown field `lisen`");
    let missing = folder.run(&words("migrate --config nowhere.toml"));
    assert_refused(&missing, 1, "cannot read the settings file nowhere.toml");
}

#[test]
fn a_database_address_that_cannot_be_used_is_told_without_its_password() {
    let folder = Folder::new(Engine::Sqlite);
    let reads = "`database_url` cannot be used: the database address cannot be read";
    for (url, why) in [
        ("mysql://copal:s3cret@localhost/copal", reads),
        ("localhost:5432/s3cret", reads),
        ("postgres://copal:s3@cret@localhost/copal", reads),
        (
            "postgres://copal:s3cret@localhost:5432",
            "names no database",
        ),
        (
            // Nothing listens on port 1.
            "postgres://copal:s3cret@127.0.0.1:1/copal",
            "cannot open the database copal on 127.0.0.1:1: ",
        ),
    ] {
        for command in ["serve", "migrate", "check", "fsck"] {
            let refused = folder.run(&[command, "--database-url", url]);
            assert_refused(&refused, 1, why);
            let said = stderr(&refused);
            assert!(!said.contains("s3") && !said.contains("cret"), "{said}");
        }
    }
    // Nor is it shown to who asks for help.
    let mut help = folder.command(&["serve", "--help"]);
    let url = "postgres://copal:s3cret@localhost/copal";
    let help = help.env("COPAL_DATABASE_URL", url).output().unwrap();
    let said = String::from_utf8(help.stdout).unwrap();
    assert!(said.contains("COPAL_DATABASE_URL"), "{said}");
    assert!(!said.contains("s3cret"), "{said}");
}

#[test]
fn a_data_folder_that_cannot_be_one_is_told() {
    let folder = Folder::new(Engine::Sqlite);
    std::fs::write(folder.data(), "").unwrap();
    for command in ["check", "fsck", "migrate", "serve"] {
        let refused = folder.run(&[command]);
        let why = if command == "fsck" {
            "there is no data in"
        } else {
            "it is a file"
        };
        assert_refused(&refused, 1, why);
    }
    std::fs::remove_file(folder.data()).unwrap();
    assert_refused(&folder.run(&["fsck"]), 1, "there is no data in");
    assert!(!folder.data().exists(), "fsck only reads");
}

fn migrating_twice_is_harmless(engine: Engine) {
    let folder = Folder::new(engine);
    for _ in 0..2 {
        let output = folder.run(&["migrate"]);
        assert!(output.status.success(), "{}", stderr(&output));
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(said.contains("up to date"), "{said}");
    }
}

#[test]
fn the_data_folder_is_checked() {
    let folder = Folder::new(Engine::Sqlite);
    folder.ana();
    let check = folder.run(&["check"]);
    let said = String::from_utf8_lossy(&check.stdout).into_owned();
    assert!(check.status.success(), "{said}{}", stderr(&check));
    assert!(said.lines().count() > 2, "{said}");
    assert!(said.lines().all(|line| line.starts_with("ok ")), "{said}");

    let file = folder.data().join("copal.db");
    std::fs::set_permissions(file, Permissions::from_mode(0o644)).unwrap();
    let broken = folder.run(&["check"]);
    assert_eq!(broken.status.code(), Some(1));
    let said = String::from_utf8_lossy(&broken.stdout).into_owned();
    let failed: Vec<_> = said
        .lines()
        .filter(|line| !line.starts_with("ok "))
        .collect();
    assert_eq!(failed.len(), 1, "{said}");
    assert!(failed[0].starts_with("failed  only this user can read the data: "));
    assert_eq!(stderr(&broken), "copal: 1 check failed\n");
}

/// The DSN of a project that a command makes.
fn dsn_of(folder: &Folder, settings: &[(&str, &str)]) -> String {
    let create = words("project create --org anas-workspace --name shop --json");
    let mut command = folder.command(&create);
    let output = command.envs(settings.iter().copied()).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let made: Value = serde_json::from_slice(&output.stdout).unwrap();
    let (_, address) = text(&made["dsn"]).split_once('@').unwrap();
    let (address, _) = address.rsplit_once('/').unwrap();
    address.to_owned()
}

fn dsns_lead_to_the_server_that_runs_on_the_same_data(engine: Engine) {
    let folder = Folder::new(engine);
    folder.ana();
    let mut server = Server::launch(folder.command(&[]), "127.0.0.1:0");
    let url = server.wait_until_it_listens();
    assert_eq!(format!("http://{}", dsn_of(&folder, &[])), url);
    let seen = [("COPAL_BASE_URL", "https://errors.example")];
    assert_eq!(dsn_of(&folder, &seen), "errors.example");
    assert!(server.terminate().0.success());
    assert_eq!(dsn_of(&folder, &[]), "127.0.0.1:8000", "none runs any more");

    let mut command = folder.command(&[]);
    command.env("COPAL_BASE_URL", "https://errors.example/copal");
    let mut server = Server::launch(command, "127.0.0.1:0");
    server.wait_until_it_listens();
    assert_eq!(dsn_of(&folder, &[]), "errors.example/copal");
}

fn a_data_folder_serves_one_server_and_an_address_too(engine: Engine) {
    let app = TestApp::start(engine);
    let mut second = app.command();
    let second = second.args(["serve", "--listen", "127.0.0.1:0"]).output();
    assert_refused(&second.unwrap(), 1, "in use by another running server");
    let folder = Folder::new(engine);
    let address = app.base_url.strip_prefix("http://").unwrap();
    let taken = folder.run(&["serve", "--listen", address]);
    assert_refused(&taken, 1, &format!("cannot listen on {address}"));
}

fn what_is_made_beside_a_server_counts_at_once(engine: Engine) {
    let app = TestApp::start(engine);
    app.user("Bo");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let token = app.token_of("Bo", &["org:read"]);
    let path = "/organizations/bos-workspace";
    let answer = runtime.block_on(app.call(&token, reqwest::Method::GET, path, None));
    assert_eq!(answer.json(200)["role"], "OWNER");
}

fn fsck_counts_invariants_and_finds_what_is_broken(engine: Engine) {
    let folder = Folder::new(engine);
    folder.ana();
    let sound = folder.run(&["fsck"]);
    let said = String::from_utf8_lossy(&sound.stdout).into_owned();
    assert!(sound.status.success(), "{said}{}", stderr(&sound));
    let counted = said.trim_end().strip_suffix(" invariants, 0 violations");
    let counted = counted.and_then(|line| line.strip_prefix("fsck: "));
    assert!(counted.unwrap().parse::<u32>().unwrap() > 0, "{said}");

    // An organization without an owner (I-12).
    folder.1.execute("update members set role = 'VIEWER'");
    let broken = folder.run(&["fsck"]);
    assert_eq!(broken.status.code(), Some(1));
    let said = String::from_utf8_lossy(&broken.stdout).into_owned();
    assert!(said.contains("I-12"), "{said}");
}

on_each_engine!(
    a_user_comes_with_a_personal_organization_and_a_password_shown_once,
    a_password_from_stdin_is_not_printed,
    a_password_that_anybody_guesses_is_refused,
    an_address_has_one_account,
    an_organization_has_an_owner_and_a_plan,
    a_project_comes_with_a_dsn_at_the_address_users_see,
    a_token_is_shown_once_and_narrowed_to_known_scopes,
    migrating_twice_is_harmless,
    dsns_lead_to_the_server_that_runs_on_the_same_data,
    a_data_folder_serves_one_server_and_an_address_too,
    what_is_made_beside_a_server_counts_at_once,
    fsck_counts_invariants_and_finds_what_is_broken,
);
