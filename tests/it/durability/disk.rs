//! A write fails: nothing is acknowledged any more, the process ends with 3, and the next one serves.

use std::time::Duration;

use tokio::task::block_in_place;

use super::audit::assert_nothing_lost;
use super::load::{Ledger, Load, Pace, Random, Template};
use super::seed;
use crate::support::{TestApp, fixed_address};

/// Exit code when storage failed (interface of the program).
const STORAGE_FAILED: i32 = 3;
/// How large files may become, in KiB: more than a server needs that has just been set up.
const CRAMPED_KIB: u64 = 1_024;
/// How soon the process ends once requests fail (goal: a second, on a quiet machine).
const END_MAX: Duration = Duration::from_secs(5);

/// Asserts that the server says why it ended, once.
fn assert_says(app: &TestApp, why: &str) {
    let log = app.log();
    let said: Vec<_> = log.lines().filter(|line| !line.starts_with('{')).collect();
    assert_eq!(said.len(), 1, "{log}");
    let sentence = "copal: storage failed, nothing was acknowledged after it: ";
    assert!(
        said[0].strip_prefix(sentence).unwrap().starts_with(why),
        "{log}"
    );
}

/// Asserts that a server with room serves, and has everything that was acknowledged.
async fn assert_the_next_one_serves(app: &mut TestApp, ledger: &mut Ledger, seed: u64) {
    block_in_place(|| app.restart());
    let load = Load::start(app, seed.wrapping_add(1), Pace::Storm);
    load.answers(50).await;
    let more = load.stop().await;
    app.settle().await;
    let (ended, _) = block_in_place(|| app.take_server().terminate());
    assert!(ended.success(), "{ended}");
    assert_eq!((more.unanswered, more.wrong.len()), (0, 0));
    ledger.events.extend(more.events);
    assert_nothing_lost(app, ledger, &format!("COPAL_SEED={seed}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_cannot_be_written_ends_the_server() {
    let seed = seed();
    let mut app = TestApp::start_on(&fixed_address(seed));
    block_in_place(|| app.take_server().terminate());
    block_in_place(|| app.restart_cramped(CRAMPED_KIB));
    // Somebody holds the database: only the journal grows.
    let database = rusqlite::Connection::open(app.data().join("copal.db")).unwrap();
    database.execute_batch("begin immediate").unwrap();
    let load = Load::start(&app, seed, Pace::Storm);
    load.trouble().await;
    let ended = block_in_place(|| app.take_server().wait_for_end(END_MAX));
    drop(database);
    let mut ledger = load.stop().await;
    assert_eq!(ended.code(), Some(STORAGE_FAILED), "{}", app.log());
    assert_says(&app, "the journal cannot be written");
    assert!(ledger.acknowledged() > 100, "{}", ledger.acknowledged());
    ledger.wrong.retain(|answer| !answer.starts_with("503 "));
    assert_the_next_one_serves(&mut app, &mut ledger, seed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_cannot_be_written_ends_the_server() {
    let seed = seed();
    let mut app = TestApp::start_on(&fixed_address(seed));
    block_in_place(|| app.take_server().terminate());
    block_in_place(|| app.restart_cramped(CRAMPED_KIB));
    let (mut random, templates) = (Random::new(seed), Template::recorded());
    let (mut ledger, client) = (Ledger::default(), reqwest::Client::new());
    let url = format!("{}?sentry_key={}", app.envelope_url(), app.key);
    // One transaction an event: the database's log grows by far more than the journal.
    for number in 0.. {
        let id = random.event_id();
        ledger.events.entry(id).or_default().times += 1;
        let body = templates[number % templates.len()].with_id(id);
        let Ok(answer) = client.post(&url).body(body).send().await else {
            break;
        };
        assert_eq!(answer.status().as_u16(), 200);
        ledger.events.entry(id).or_default().acknowledged = true;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let ended = block_in_place(|| app.take_server().wait_for_end(END_MAX));
    assert_eq!(ended.code(), Some(STORAGE_FAILED), "{}", app.log());
    assert_says(&app, "recording events: ");
    assert_the_next_one_serves(&mut app, &mut ledger, seed).await;
}
