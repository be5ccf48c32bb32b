//! The program under test: started on an empty folder, watched, asked, stopped.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::http::Connection;

/// The organization's password.
pub(crate) const PASSWORD: &str = "correct horse battery";
/// The address to log in with.
pub(crate) const EMAIL: &str = "bench@copal.example";

/// A running `copal serve`.
pub(crate) struct Program {
    pub(crate) address: String,
    pub(crate) start_time: Duration,
    tenant: Tenant,
    child: Child,
    idle_mib: u64,
    peak_kib: Arc<AtomicU64>,
    data: TempDir,
}

/// Resident memory.
pub(crate) struct Memory {
    pub(crate) idle_mib: u64,
    pub(crate) peak_mib: u64,
}

impl Program {
    pub(crate) async fn start(copal: &Path, database_url: Option<&str>) -> Result<Self> {
        let data = tempfile::tempdir_in("target")?;
        let begun = Instant::now();
        let mut child = command(copal, data.path(), database_url)
            .args(["serve", "--listen", "127.0.0.1:0"])
            .env("COPAL_LOG", "warn")
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("starting {}", copal.display()))?;
        let stdout = child
            .stdout
            .take()
            .context("the program has a standard output")?;
        let line = BufReader::new(stdout)
            .lines()
            .next_line()
            .await?
            .context("it ended at once")?;
        let start_time = begun.elapsed();
        let address = line
            .rsplit("http://")
            .next()
            .context("no address")?
            .to_owned();
        let tenant = Tenant::create(copal, data.path(), database_url).await?;
        let pid = child.id().context("it runs")?;
        let peak_kib = Arc::new(AtomicU64::new(0));
        tokio::spawn(watch_memory(pid, Arc::clone(&peak_kib)));
        let idle_mib = resident_kib(pid) / 1024;
        Ok(Self {
            address,
            start_time,
            tenant,
            child,
            idle_mib,
            peak_kib,
            data,
        })
    }

    /// The organization's slug.
    pub(crate) fn org(&self) -> &str {
        &self.tenant.org
    }

    pub(crate) fn envelope_path(&self) -> String {
        format!(
            "/api/{}/envelope/?sentry_key={}&sentry_version=7",
            self.tenant.project, self.tenant.key
        )
    }

    /// Issues of the organization, and the events that they count.
    pub(crate) async fn count_issues(&self) -> Result<(usize, u64)> {
        let mut connection = Connection::open(&self.address).await?;
        let headers = format!("authorization: Bearer {}\r\n", self.tenant.token);
        let mut path = format!("/api/v1/organizations/{}/issues?limit=100", self.tenant.org);
        let (mut issues, mut events) = (0, 0);
        loop {
            let answer = connection.get(&path, &headers).await?;
            ensure!(
                answer.status == 200,
                "{path}: {}",
                String::from_utf8_lossy(&answer.body)
            );
            let rows: Vec<Value> = serde_json::from_slice(&answer.body)?;
            issues += rows.len();
            events += rows
                .iter()
                .filter_map(|issue| issue["eventsCount"].as_u64())
                .sum::<u64>();
            let Some(next) = answer.headers("link").find_map(next_path) else {
                return Ok((issues, events));
            };
            path = next;
        }
    }

    pub(crate) fn memory(&self) -> Memory {
        Memory {
            idle_mib: self.idle_mib,
            peak_mib: self.peak_kib.load(Ordering::Relaxed) / 1024,
        }
    }

    /// Processor time that the program has used, in microseconds.
    pub(crate) fn cpu_micros(&self) -> Result<f64> {
        let stat = std::fs::read_to_string(format!(
            "/proc/{}/stat",
            self.child.id().context("it runs")?
        ))?;
        let fields: Vec<_> = stat.rsplit(") ").next().unwrap_or("").split(' ').collect();
        let ticks: f64 = fields[11].parse::<f64>()? + fields[12].parse::<f64>()?;
        Ok(ticks * 10_000.0)
    }

    pub(crate) fn disk_bytes(&self) -> Result<u64> {
        folder_bytes(self.data.path())
    }

    pub(crate) async fn stop(mut self) -> Result<()> {
        let pid = self.child.id().context("it runs")?;
        Command::new("kill")
            .args(["-TERM", &pid.to_string()])
            .status()
            .await?;
        let status = self.child.wait().await?;
        ensure!(status.success(), "it stopped with {status}");
        Ok(())
    }
}

/// Who the events are sent for.
struct Tenant {
    org: String,
    token: String,
    project: String,
    key: String,
}

impl Tenant {
    /// Makes a user, a project and a token with the program's own commands, beside its server.
    async fn create(copal: &Path, data: &Path, database_url: Option<&str>) -> Result<Self> {
        let run = async |arguments: &[&str]| create(copal, data, database_url, arguments).await;
        let user = [
            "user",
            "create",
            "--email",
            EMAIL,
            "--name",
            "Bench",
            "--password-stdin",
        ];
        let org = text(&run(&user).await?, "defaultOrgSlug")?;
        run(&["org", "set-plan", &org, "ENTERPRISE"]).await?;
        let project = run(&["project", "create", "--org", &org, "--name", "Shop"]).await?;
        let token = run(&["token", "create", "--user", EMAIL, "--name", "bench"]).await?;
        Ok(Self {
            token: text(&token, "token")?,
            project: text(&project, "id")?,
            key: text(&project, "apiKey")?,
            org,
        })
    }
}

fn command(copal: &Path, data: &Path, database_url: Option<&str>) -> Command {
    let mut command = Command::new(copal);
    command.env("COPAL_DATA", data).kill_on_drop(true);
    if let Some(address) = database_url {
        command.env("COPAL_DATABASE_URL", address);
    }
    command
}

async fn create(
    copal: &Path,
    data: &Path,
    database_url: Option<&str>,
    arguments: &[&str],
) -> Result<Value> {
    let mut child = command(copal, data, database_url)
        .args(arguments)
        .arg("--json")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(PASSWORD.as_bytes()).await.ok();
    }
    let output = child.wait_with_output().await?;
    ensure!(
        output.status.success(),
        "copal {} failed",
        arguments.join(" ")
    );
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn text(value: &Value, field: &str) -> Result<String> {
    value[field]
        .as_str()
        .map(str::to_owned)
        .with_context(|| format!("no {field} in {value}"))
}

/// The path of the next page in a `Link` header.
fn next_path(link: &str) -> Option<String> {
    let url = link
        .split(',')
        .find(|one| one.contains("rel=\"next\""))?
        .split(['<', '>'])
        .nth(1)?;
    Some(url.find("/api/").map_or(url, |at| &url[at..]).to_owned())
}

async fn watch_memory(pid: u32, peak_kib: Arc<AtomicU64>) {
    loop {
        let now = resident_kib(pid);
        if now == 0 {
            return;
        }
        peak_kib.fetch_max(now, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Resident memory, mapped files included.
fn resident_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok())
        .unwrap_or(0)
}

fn folder_bytes(folder: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        let path: PathBuf = entry?.path();
        bytes += if path.is_dir() {
            folder_bytes(&path)?
        } else {
            path.metadata()?.len()
        };
    }
    Ok(bytes)
}
