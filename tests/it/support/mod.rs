//! A real `copal` on a free port with a throw-away data folder.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};

/// A running server with one user, one organization and one project.
pub(crate) struct TestApp {
    folder: tempfile::TempDir,
    server: Child,
    pub(crate) base_url: String,
    pub(crate) project_id: String,
    pub(crate) key: String,
}

impl TestApp {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut server = command(&folder)
            .args(["serve", "--listen", "127.0.0.1:0"])
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
        };
        let user = [
            "user",
            "create",
            "--email",
            "ana@example.com",
            "--name",
            "Ana",
        ];
        let user = app.cli(&[&user[..], &["--password-stdin", "--json"]].concat());
        let org = user["defaultOrgSlug"].as_str().unwrap();
        let project = app.cli(&[
            "project", "create", "--org", org, "--name", "shop", "--json",
        ]);
        project["id"]
            .as_str()
            .unwrap()
            .clone_into(&mut app.project_id);
        project["apiKey"].as_str().unwrap().clone_into(&mut app.key);
        app
    }

    /// Runs a command beside the server; what it prints.
    pub(crate) fn cli(&self, arguments: &[&str]) -> serde_json::Value {
        let mut child = command(&self.folder)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(b"correct horse battery staple\n").unwrap();
        drop(stdin);
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{arguments:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    pub(crate) fn envelope_url(&self) -> String {
        format!("{}/api/{}/envelope/", self.base_url, self.project_id)
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
    command
}
