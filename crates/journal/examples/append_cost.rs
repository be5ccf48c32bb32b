//! What an append costs: durable appends per second, and how long each waits for its answer.
//!
//! `cargo run --release -p copal-journal --example append_cost [folder [seconds [appenders]]]`
//!
//! The folder, by default a new one where the system keeps temporary files, must be on the disk to
//! be measured. A reader follows and forgets, as the pipeline does.

use std::{
    error::Error,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use copal_journal::{Config, Folder, Journal, fs::RealFs};

const RECORD_BYTES: usize = 4096;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::print_stdout, reason = "it is a program that prints")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments
        .next()
        .map_or_else(std::env::temp_dir, PathBuf::from);
    let seconds = arguments.next().map_or(Ok(5), |text| text.parse())?;
    let appenders = arguments
        .next()
        .map_or(Ok(32), |text| text.parse::<usize>())?;

    let folder = tempfile::tempdir_in(folder)?;
    let claimed = Folder::claim(folder.path(), Arc::new(RealFs), &mut |id| id.fill(1))?;
    let (journal, _) = claimed.open(Config::default(), 0)?;
    let following = tokio::spawn(follow(journal.clone()));

    let start = Instant::now();
    let until = start + Duration::from_secs(seconds);
    let tasks: Vec<_> = (0..appenders)
        .map(|_| tokio::spawn(append_until(journal.clone(), until)))
        .collect();
    let mut waits = Vec::new();
    for task in tasks {
        waits.extend(task.await??);
    }
    let took = start.elapsed();
    let stats = journal.stats();
    journal.close().await;
    let read = following.await??;

    waits.sort_unstable();
    let percentile = |percent: usize| waits[(waits.len() - 1) * percent / 100];
    println!("{appenders} appenders, {RECORD_BYTES} bytes a record, {took:.1?}");
    println!("{:.0} appends/s", waits.len() as f64 / took.as_secs_f64());
    println!(
        "{:.1} records a sync",
        stats.appended_records as f64 / stats.syncs as f64
    );
    println!(
        "waited p50 {:.2?}, p99 {:.2?}, max {:.2?}",
        percentile(50),
        percentile(99),
        percentile(100)
    );
    println!("{read} records read; corrupt: {}", stats.corrupt_records);
    Ok(())
}

async fn append_until(
    journal: Journal,
    until: Instant,
) -> Result<Vec<Duration>, copal_journal::AppendError> {
    let mut waits = Vec::new();
    let mut now = Instant::now();
    while now < until {
        let record = vec![waits.len().to_le_bytes()[0]; RECORD_BYTES];
        journal.append(record).await?;
        waits.push(now.elapsed());
        now = Instant::now();
    }
    Ok(waits)
}

async fn follow(journal: Journal) -> Result<usize, copal_journal::Error> {
    let mut reader = journal.reader(0);
    let mut read = 0;
    loop {
        let entries = reader.next(1000, 8 << 20).await?;
        let Some(last) = entries.last() else {
            return Ok(read);
        };
        journal.forget(last.sequence());
        read += entries.len();
    }
}
