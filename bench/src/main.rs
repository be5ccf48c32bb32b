//! The benchmark: starts the real program, sends real SDK envelopes, waits until every acknowledged
//! event is stored and grouped, and prints what that cost.
//!
//! `script/bench` is the one command; this is what it runs.
#![expect(clippy::print_stdout, reason = "a benchmark prints its numbers")]

mod cluster;
mod http;
mod load;
mod pages;
mod program;
mod workload;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use clap::{Parser, ValueEnum};

use crate::cluster::Cluster;
use crate::load::{Load, Outcome};
use crate::program::Program;
use crate::workload::Workload;

/// What to send, how, and for how long.
#[derive(Debug, Parser)]
struct Arguments {
    /// The program under test.
    #[arg(long, default_value = "target/release/copal")]
    copal: PathBuf,
    /// Envelopes to send: a folder of .env files with placeholders, or a .jsonl.zst of them.
    #[arg(long, default_value = "bench/envelopes.jsonl.zst")]
    envelopes: PathBuf,
    /// How bodies travel.
    #[arg(long, value_enum, default_value = "raw")]
    encoding: Encoding,
    /// Connections that send at the same time.
    #[arg(long, default_value_t = 32)]
    connections: usize,
    /// Seconds to send for.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Events per second to offer; 0 = as fast as answers come.
    #[arg(long, default_value_t = 0)]
    rate: u64,
    /// Where it is stored.
    #[arg(long, value_enum, default_value = "sqlite")]
    engine: Engine,
    /// Which PostgreSQL, as `script/postgres` names it.
    #[arg(long, default_value = "packaged")]
    postgres: String,
    /// Stop after this many events instead of after the time.
    #[arg(long)]
    events: Option<u64>,
    /// Also time the issue list and the issue page afterwards.
    #[arg(long)]
    pages: bool,
}

/// Where it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Engine {
    /// SQLite in the data folder.
    Sqlite,
    /// A throw-away PostgreSQL on the same machine.
    Postgres,
}

/// How bodies travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Encoding {
    /// Not compressed.
    Raw,
    /// Gzip, level 6, compressed before the clock starts.
    Gzip,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let workload = Workload::read(&arguments.envelopes)?;
    println!(
        "workload: {} envelopes, {} bytes on average, {:?}",
        workload.len(),
        workload.average_bytes(),
        arguments.encoding
    );
    let cluster = match arguments.engine {
        Engine::Sqlite => None,
        Engine::Postgres => Some(Cluster::start(&arguments.postgres).await?),
    };
    let database = cluster.as_ref().map(|cluster| cluster.address.as_str());
    let mut program = Program::start(&arguments.copal, database).await?;
    println!(
        "empty start to ready: {} ms",
        program.start_time.as_millis()
    );
    let outcome = send(&arguments, workload, &program).await?;
    report_load(&outcome);
    let stored = report_stored(&outcome, &mut program).await?;
    if let Some(cluster) = &cluster {
        report_cluster(cluster, stored);
    }
    if arguments.pages {
        pages::report(&program).await?;
    }
    program.stop().await
}

async fn send(arguments: &Arguments, workload: Workload, program: &Program) -> Result<Outcome> {
    let load = Load {
        address: program.address.clone(),
        path: program.envelope_path(),
        connections: arguments.connections,
        duration: Duration::from_secs(arguments.seconds),
        rate: arguments.rate,
        events: arguments.events,
    };
    match arguments.encoding {
        Encoding::Raw => load.send_raw(workload).await,
        Encoding::Gzip => load.send_gzip(workload).await,
    }
}

fn report_load(outcome: &Outcome) {
    let seconds = outcome.elapsed.as_secs_f64();
    println!(
        "acknowledged: {} in {seconds:.1} s = {:.0}/s; other answers: {:?}",
        outcome.acknowledged,
        outcome.acknowledged as f64 / seconds,
        outcome.refused
    );
    println!(
        "acknowledged after: p50 {:.1} ms, p99 {:.1} ms, max {:.1} ms",
        outcome.percentile(50.0),
        outcome.percentile(99.0),
        outcome.percentile(100.0)
    );
}

async fn report_stored(outcome: &Outcome, program: &mut Program) -> Result<u64> {
    let stored = wait_until_stored(outcome.acknowledged, program).await?;
    let seconds = outcome.started.elapsed().as_secs_f64();
    println!(
        "stored and grouped: {stored} in {seconds:.1} s = {:.0}/s, in {} issues",
        stored as f64 / seconds,
        program.count_issues().await?.0
    );
    let memory = program.memory();
    println!(
        "memory: {} MiB at start, {} MiB at most",
        memory.idle_mib, memory.peak_mib
    );
    println!(
        "processor: {:.0} µs per event",
        program.cpu_micros()? / stored as f64
    );
    let bytes = program.disk_bytes()?;
    println!(
        "disk: {} bytes in all, {} per event",
        bytes,
        bytes / stored.max(1)
    );
    Ok(stored)
}

fn report_cluster(cluster: &Cluster, stored: u64) {
    println!(
        "PostgreSQL: {} MiB at most, {:.0} µs of processor per event",
        cluster.peak_mib(),
        cluster.cpu_micros() / stored.max(1) as f64
    );
}

/// Polls the API until the issues count every acknowledged event.
async fn wait_until_stored(acknowledged: u64, program: &Program) -> Result<u64> {
    let deadline = Instant::now() + Duration::from_mins(10);
    loop {
        let (_, events) = program
            .count_issues()
            .await
            .context("asking for the counts")?;
        if events >= acknowledged {
            ensure!(
                events == acknowledged,
                "{events} counted of {acknowledged} acknowledged"
            );
            return Ok(events);
        }
        ensure!(
            Instant::now() < deadline,
            "only {events} of {acknowledged} are stored"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
