//! Isolation: nobody reads or touches what is not theirs, on any route, in any way.

#![expect(clippy::unwrap_used, reason = "a case that cannot go on has failed")]

mod actors;
mod canary;
mod cases;
mod database;
mod events;
mod expect;
mod gates;
mod ingest;
mod oracles;
mod ownership;
mod parts;
mod policy;
mod recipes;
mod request;
mod run;
mod site;
mod streams;
mod variants;
mod world;

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use database::Database;
use run::{Plan, Suite, Tally};

/// Asks only routes whose path has this text: for who works on them.
const ROUTES_VARIABLE: &str = "COPAL_ISOLATION_ROUTES";
/// Leaks that are told one by one.
const LEAKS_TOLD: usize = 40;
/// Characters of each.
const LEAK_CHARS: usize = 600;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_reads_or_touches_what_is_not_theirs() {
    let began = Instant::now();
    let folder = tempfile::tempdir().unwrap();
    let plan = Arc::new(Plan::prepare(folder.path()).await);
    let only = std::env::var(ROUTES_VARIABLE).ok();
    let mut rows = cases::rows();
    rows.retain(|row| only.as_ref().is_none_or(|only| row.path.contains(only)));
    assert!(!rows.is_empty(), "no route is called {only:?}");
    let halves: Vec<Vec<_>> = (0..2)
        .map(|half| rows.iter().skip(half).step_by(2).cloned().collect())
        .collect();
    let mut running = Vec::new();
    for (number, rows) in halves.into_iter().enumerate() {
        let (plan, own) = (Arc::clone(&plan), copy_of(folder.path()));
        running.push(tokio::spawn(async move {
            let mut suite = Suite::start(&plan, own.path()).await;
            for row in &rows {
                suite.ask_all(row).await;
            }
            if number == 0 {
                suite.ask_for_entry().await;
                suite.ask_with_two_keys().await;
                suite.send_alike().await;
            } else {
                suite.listen().await;
            }
            suite.tally
        }));
    }
    let mut tally = Tally::default();
    for suite in running {
        tally.add(suite.await.unwrap());
    }
    eprintln!(
        "isolation on SQLite: {} routes x {} actors x {} variants = {} requests, {} leaks, {:.0} s",
        tally.routes.len(),
        tally.actors.len(),
        tally.variants.len(),
        tally.requests,
        tally.leaks.len(),
        began.elapsed().as_secs_f64()
    );
    for leak in tally.leaks.iter().take(LEAKS_TOLD) {
        let start: String = leak.chars().take(LEAK_CHARS).collect();
        eprintln!("LEAK {start}");
    }
    assert!(tally.leaks.is_empty());
    let database = Database::open(folder.path());
    let gaps = if only.is_some() {
        gates::gaps_of_world(&database)
    } else {
        gates::gaps(&tally, &plan, &database)
    };
    assert!(gaps.is_empty(), "{}", gaps.join("\n"));
}

/// A copy of a folder, for one more server.
fn copy_of(folder: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    copy_into(folder, copy.path());
    copy
}

fn copy_into(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            std::fs::create_dir(&target).unwrap();
            copy_into(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), &target).unwrap();
        }
    }
}
