//! Isolation: nobody reads or touches what is not theirs, on any route, in any way.

#![expect(clippy::unwrap_used, reason = "a case that cannot go on has failed")]

mod actors;
mod canary;
mod cases;
mod database;
mod events;
#[cfg(feature = "sabotage")]
mod excused;
mod expect;
mod gates;
mod ingest;
mod oracles;
mod ownership;
mod parts;
mod place;
mod policy;
mod recipes;
mod request;
mod run;
#[cfg(feature = "sabotage")]
mod sabotage;
mod site;
mod streams;
mod variants;
mod world;

use std::sync::Arc;
use std::time::Instant;

use cases::Row;
use database::Database;
use place::{Engine, Place};
use run::{Depth, Plan, Suite, Tally};

/// Asks only routes whose path has this text: for who works on them.
const ROUTES_VARIABLE: &str = "COPAL_ISOLATION_ROUTES";
/// Servers that are asked at the same time, each a share of the routes.
const SERVERS: usize = 3;
/// Leaks that are told one by one.
const LEAKS_TOLD: usize = 40;
/// Characters of each.
const LEAK_CHARS: usize = 600;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_reads_or_touches_what_is_not_theirs_on_sqlite() {
    run_all(&Engine::Sqlite, Depth::Everything).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_reads_or_touches_what_is_not_theirs_on_postgres() {
    if let Some(postgres) = Engine::postgres() {
        run_all(&postgres, Depth::Plain).await;
    }
}

/// Everybody asks every route in every way.
async fn run_all(engine: &Engine, depth: Depth) {
    let began = Instant::now();
    let only = std::env::var(ROUTES_VARIABLE).ok();
    let place = Place::make(engine).await;
    let plan = Arc::new(Plan::prepare(&place, depth).await);
    let mut rows = cases::rows();
    rows.retain(|row| only.as_ref().is_none_or(|only| row.path.contains(only)));
    assert!(!rows.is_empty(), "no route is called {only:?}");
    let mut running = Vec::new();
    for number in 0..SERVERS {
        let share: Vec<Row> = rows.iter().skip(number).step_by(SERVERS).cloned().collect();
        let (plan, place) = (Arc::clone(&plan), place.copy().await);
        running.push(tokio::spawn(ask(plan, place, share, number)));
    }
    let mut tally = Tally::default();
    for suite in running {
        tally.add(suite.await.unwrap());
    }
    tell((engine, depth), &tally, began.elapsed().as_secs_f64());
    assert!(tally.leaks.is_empty());
    let database = Database::open(&place).await;
    let seen = (&*database.columns().await, database.whole());
    let gaps = if only.is_some() {
        gates::gaps_of_world(seen.0, seen.1)
    } else {
        gates::gaps(&tally, &plan, seen)
    };
    drop(database);
    place.remove().await;
    assert!(gaps.is_empty(), "{}", gaps.join("\n"));
}

/// What one server is asked.
async fn ask(plan: Arc<Plan>, place: Place, rows: Vec<Row>, number: usize) -> Tally {
    let mut suite = Suite::start(&plan, &place).await;
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
    suite.check_invariants("all that was asked").await;
    let tally = suite.tally;
    drop((suite.database, suite.site));
    place.remove().await;
    tally
}

/// Says what was done and found.
fn tell((engine, depth): (&Engine, Depth), tally: &Tally, seconds: f64) {
    let what = match depth {
        Depth::Everything => "",
        Depth::Plain => " (without other ways of writing them)",
    };
    eprintln!(
        "isolation on {}: {} routes x {} actors x {} variants = {} requests{what}, {} leaks, {seconds:.0} s",
        engine.name(),
        tally.routes.len(),
        tally.actors.len(),
        tally.variants.len(),
        tally.requests,
        tally.leaks.len(),
    );
    for leak in tally.leaks.iter().take(LEAKS_TOLD) {
        let start: String = leak.chars().take(LEAK_CHARS).collect();
        eprintln!("LEAK {start}");
    }
}
