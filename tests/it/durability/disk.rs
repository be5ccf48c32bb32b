//! A write fails: nothing is acknowledged any more, the process ends with 3, and the next one
//! serves. The disk is full: refused with 429 until there is room.

use std::fs::File;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use tokio::task::block_in_place;

use super::audit::assert_nothing_lost;
use super::load::{Ledger, Load, Pace, Random, Template};
use super::seed;
use crate::support::call::{self, Answer};
use crate::support::{Engine, TestApp, fixed_address, on_each_engine};

/// Exit code when storage failed (interface of the program).
const STORAGE_FAILED: i32 = 3;
/// How large files may become, in KiB: more than a server needs that has just been set up.
const CRAMPED_KIB: u64 = 1_024;
/// How soon the process ends once requests fail (goal: a second, on a quiet machine).
const END_MAX: Duration = Duration::from_secs(5);

/// Tells a test that all temporary files are on a small disk.
const ON_SMALL_DISK: &str = "COPAL_TEST_ON_SMALL_DISK";
/// Mounts a small disk that only the command after it sees, and runs that command.
const MOUNT: &str = "mount -t tmpfs -o size=48m none /mnt && exec \"$@\"";
/// How much of it is left for a while, in bytes.
const LEFT_BYTES: u64 = 400 << 10;
/// How long it is full.
const FULL: Duration = Duration::from_secs(2);
/// How soon it accepts again once there is room.
const ACCEPTS_AGAIN_MAX: Duration = Duration::from_secs(10);

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
    assert_nothing_lost(app, ledger, 0, &format!("COPAL_SEED={seed}"));
}

async fn a_journal_that_cannot_be_written_ends_the_server(engine: Engine) {
    let seed = seed();
    let mut app = TestApp::start_on(engine, &fixed_address(seed));
    block_in_place(|| app.take_server().terminate());
    block_in_place(|| app.restart_cramped(CRAMPED_KIB));
    // Somebody holds the database: only the journal grows.
    let database = app.database.hold();
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
    let mut app = TestApp::start_on(Engine::Sqlite, &fixed_address(seed));
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

/// Asserts that an SDK is told to hold back, and for how long.
async fn assert_told_to_wait(app: &TestApp, random: &mut Random) {
    let url = format!("{}?sentry_key={}", app.envelope_url(), app.key);
    let body = Template::recorded()[0].with_id(random.event_id());
    let answer = Answer::to(call::client().post(url).body(body)).await;
    assert_eq!(answer.status, 429, "{}", answer.body);
    let seconds: u32 = answer.header("retry-after").parse().unwrap();
    assert!((1..=300).contains(&seconds), "{seconds}");
    let limits = answer.header("x-sentry-rate-limits");
    assert!(limits.starts_with(&format!("{seconds}::")), "{limits}");
}

/// A command that sees a small disk; no privileges are needed where users may make namespaces.
fn on_small_disk(command: &[&str]) -> Command {
    let mut unshare = Command::new("unshare");
    unshare.args([
        "--user",
        "--map-root-user",
        "--mount",
        "sh",
        "-c",
        MOUNT,
        "sh",
    ]);
    unshare
        .args(command)
        .env("TMPDIR", "/mnt")
        .env(ON_SMALL_DISK, "");
    unshare
}

/// Fills the disk but for a little, until the file is deleted.
fn inflate_balloon() -> PathBuf {
    let path = std::env::temp_dir().join("balloon");
    let mut balloon = File::create(&path).unwrap();
    let error = std::io::copy(&mut std::io::repeat(1), &mut balloon).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
    let len = balloon.metadata().unwrap().len();
    balloon.set_len(len - LEFT_BYTES).unwrap();
    path
}

fn a_full_disk_refuses_with_429_and_goes_on_once_there_is_room(engine: Engine) {
    if std::env::var_os(ON_SMALL_DISK).is_some() {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        return runtime.block_on(fill_and_free_the_disk(engine));
    }
    let probe = on_small_disk(&["true"]).output();
    if !probe.is_ok_and(|output| output.status.success()) {
        eprintln!("SKIPPED: this system lets nobody mount a small disk");
        return;
    }
    // This very test, on the small disk.
    let me = std::env::current_exe().unwrap();
    let name = std::thread::current().name().unwrap().to_owned();
    let again = [me.to_str().unwrap(), "--exact", &name, "--nocapture"];
    assert!(on_small_disk(&again).status().unwrap().success());
}

async fn fill_and_free_the_disk(engine: Engine) {
    let seed = seed();
    let mut app = TestApp::start(engine);
    let load = Load::start(&app, seed, Pace::Storm);
    load.answers(50).await;
    let balloon = inflate_balloon();
    load.trouble().await;
    tokio::time::sleep(FULL).await;
    assert_told_to_wait(&app, &mut Random::new(!seed)).await;
    let issues = format!("/organizations/{}/issues", app.org);
    let list = app
        .call(&app.token, reqwest::Method::GET, &issues, None)
        .await;
    assert_eq!(list.status, 200, "reading goes on: {}", list.body);

    std::fs::remove_file(balloon).unwrap();
    let took = load.accepts().await;
    load.answers(50).await;
    let mut ledger = load.stop().await;
    app.settle().await;
    let (ended, _) = block_in_place(|| app.take_server().terminate());
    let refused = ledger.wrong.len();
    ledger.wrong.retain(|answer| !answer.starts_with("429 "));
    eprintln!(
        "{} acknowledged, {refused} refused; accepted again after {took:?}",
        ledger.acknowledged()
    );
    assert!(ended.success(), "{ended}");
    assert_eq!(ledger.unanswered, 0);
    assert_nothing_lost(&app, &ledger, 0, &format!("COPAL_SEED={seed}"));
    assert!(took < ACCEPTS_AGAIN_MAX, "{took:?}");
}

on_each_engine!(
    async a_journal_that_cannot_be_written_ends_the_server;
    a_full_disk_refuses_with_429_and_goes_on_once_there_is_room,
);
