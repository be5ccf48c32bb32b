//! A PostgreSQL of its own for a run, and what it takes of the machine.

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// The database that a run has to itself.
const DATABASE: &str = "bench";

/// A running cluster with the settings that PostgreSQL comes with. It ends with this value, however
/// that ends: its script waits for the end of standard input.
pub(crate) struct Cluster {
    /// Where Copal finds its database.
    pub(crate) address: String,
    postmaster: u32,
    peak_kib: Arc<AtomicU64>,
    _child: Child,
    _output: Lines<BufReader<ChildStdout>>,
}

impl Cluster {
    /// Starts a cluster of a version, as `script/postgres` names it.
    pub(crate) async fn start(version: &str) -> Result<Self> {
        let mut child = Command::new("script/postgres")
            .args(["serve", version])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("starting script/postgres")?;
        let output = child.stdout.take().context("it has a standard output")?;
        let mut output = BufReader::new(output).lines();
        let maintenance = output.next_line().await?.context("no cluster started")?;
        let folder = output.next_line().await?.context("it names its folder")?;
        let (server, _) = maintenance
            .rsplit_once('/')
            .context("the address names a database")?;
        let address = format!("{server}/{DATABASE}");
        make_database(&maintenance).await?;
        let pid_file = Path::new(&folder).join("data/postmaster.pid");
        let pid_file = std::fs::read_to_string(pid_file)?;
        let postmaster = pid_file
            .lines()
            .next()
            .context("the file begins with the process")?
            .parse()?;
        let peak_kib = Arc::default();
        tokio::spawn(watch_memory(postmaster, Arc::clone(&peak_kib)));
        Ok(Self {
            address,
            postmaster,
            peak_kib,
            _child: child,
            _output: output,
        })
    }

    /// Memory of all its processes at most, what they share counted once, in MiB.
    pub(crate) fn peak_mib(&self) -> u64 {
        self.peak_kib.load(Ordering::Relaxed) / 1024
    }

    /// Processor time of all its processes, those that have ended among them, in microseconds.
    pub(crate) fn cpu_micros(&self) -> f64 {
        let ticks: u64 = family(self.postmaster)
            .into_iter()
            .map(|pid| ticks(pid, pid == self.postmaster))
            .sum();
        ticks as f64 * 10_000.0
    }
}

async fn make_database(address: &str) -> Result<()> {
    let (client, connection) = tokio_postgres::connect(address, tokio_postgres::NoTls).await?;
    let connection = tokio::spawn(connection);
    client
        .batch_execute(&format!("create database {DATABASE}"))
        .await?;
    drop(client);
    connection.await??;
    Ok(())
}

async fn watch_memory(postmaster: u32, peak_kib: Arc<AtomicU64>) {
    loop {
        let now = family(postmaster).into_iter().map(proportional_kib).sum();
        if now == 0 {
            return;
        }
        peak_kib.fetch_max(now, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// The postmaster and its children.
fn family(postmaster: u32) -> Vec<u32> {
    let path = format!("/proc/{postmaster}/task/{postmaster}/children");
    let children = std::fs::read_to_string(path).unwrap_or_default();
    let children = children
        .split_whitespace()
        .filter_map(|pid| pid.parse().ok());
    std::iter::once(postmaster).chain(children).collect()
}

/// Memory of a process, with its share of what several have in common.
fn proportional_kib(pid: u32) -> u64 {
    let rollup = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let line = rollup.lines().find(|line| line.starts_with("Pss:"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok())
        .unwrap_or(0)
}

/// Processor time of a process, in hundredths of a second; with that of its ended children or not.
fn ticks(pid: u32, with_ended: bool) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields = stat.rsplit(") ").next().unwrap_or("").split(' ');
    let taken = if with_ended { 4 } else { 2 };
    fields
        .skip(11)
        .take(taken)
        .filter_map(|ticks| ticks.parse::<u64>().ok())
        .sum()
}
