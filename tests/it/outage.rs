//! The database goes away: killed, or there and silent. Events are taken in all the same, nothing
//! is lost or counted twice, and whoever asks for a page is told soon.

use std::time::{Duration, Instant};

use reqwest::Method;
use tokio::task::block_in_place;

use crate::durability::audit::assert_nothing_lost;
use crate::durability::load::{Load, Pace, Random};
use crate::durability::{seed, something_is_recorded};
use crate::support::browser::Browser;
use crate::support::call::{Answer, client};
use crate::support::{Cluster, TestApp, command, fixed_address};

/// Kills of the cluster in one run; `COPAL_KILLS` says otherwise.
const KILLS: u64 = 10;
/// When a kill comes, after something was recorded.
const KILL_AFTER_MS: std::ops::Range<u64> = 20..300;
/// How long the database is away; `COPAL_OUTAGE_SECS` says otherwise.
const OUTAGE_SECS: u64 = 6;
/// How soon a page or a call of the API is answered meanwhile.
const TOLD_WITHIN: Duration = Duration::from_secs(3);
/// What the server may grow by while the database is away.
const GROWTH_BYTES_MAX: u64 = 48 << 20;
/// How soon everything is recorded after its return, and as long again as it was away: what waited
/// is recorded beside what comes in.
const DRAINED_WITHIN: Duration = Duration::from_secs(30);

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).map_or(otherwise, |text| text.parse().unwrap())
}

async fn kills_of_the_database_lose_nothing(version: &str) {
    let Some(cluster) = Cluster::start(version) else {
        return;
    };
    let seed = seed();
    let mut random = Random::new(seed);
    let mut app = TestApp::start_in(&cluster, &fixed_address(seed));
    let load = Load::start(&app, seed, Pace::Steady);
    let kills = number("COPAL_KILLS", KILLS);
    for kill in 1..=kills {
        load.set_pace(if kill % 2 == 0 {
            Pace::Storm
        } else {
            Pace::Steady
        });
        something_is_recorded(&app).await;
        let after = KILL_AFTER_MS.start + random.below(KILL_AFTER_MS.end - KILL_AFTER_MS.start);
        tokio::time::sleep(Duration::from_millis(after)).await;
        block_in_place(|| {
            cluster.kill();
            cluster.start_again();
        });
    }
    load.answers(100).await;
    let ledger = load.stop().await;
    app.settle().await;
    let (ended, _) = block_in_place(|| app.take_server().terminate());
    eprintln!(
        "{kills} kills of the database: {} events acknowledged",
        ledger.acknowledged()
    );
    assert!(ended.success(), "{ended}");
    assert_eq!(ledger.unanswered, 0, "Copal itself was there all the time");
    assert_nothing_lost(&app, &ledger, 0, &format!("COPAL_SEED={seed}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_of_the_oldest_database_lose_nothing_and_count_nothing_twice() {
    kills_of_the_database_lose_nothing("packaged").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_of_the_newest_database_lose_nothing_and_count_nothing_twice() {
    kills_of_the_database_lose_nothing("18").await;
}

/// Asserts, while the database is away, that everybody is told so soon and clearly.
async fn assert_told(app: &TestApp, ana: &Browser) {
    let pages = ["/", "/login", &format!("/o/{}/issues", app.org), "/account"];
    for page in pages {
        let asked = Instant::now();
        let answer = ana.get(page).await;
        assert!(
            asked.elapsed() < TOLD_WITHIN,
            "{page}: {:?}",
            asked.elapsed()
        );
        // A page that needs no database may be there.
        if page == "/login" && answer.status == 200 {
            continue;
        }
        assert_eq!(answer.status, 503, "{page}: {}", answer.body);
        assert!(answer.body.contains("storage does not answer"), "{page}");
        assert!(!answer.header("retry-after").is_empty(), "{page}");
    }
    for path in ["/me", &format!("/organizations/{}/issues", app.org)] {
        let asked = Instant::now();
        let answer = app.call(&app.token, Method::GET, path, None).await;
        assert!(
            asked.elapsed() < TOLD_WITHIN,
            "{path}: {:?}",
            asked.elapsed()
        );
        let problem = answer.json(503);
        assert_eq!(problem["type"], "urn:copal:problem:unavailable");
    }
    let get = |path: &str| Answer::to(client().get(format!("{}{path}", app.base_url)));
    assert_eq!(get("/readyz").await.body, "ready\n");
    assert_eq!(get("/healthz").await.status, 200);
    let unknown = format!("{}?sentry_key={}", app.store_url(), "f".repeat(32));
    let asked = Instant::now();
    let answer = Answer::to(client().post(unknown).body("{}")).await;
    assert!(asked.elapsed() < TOLD_WITHIN, "{:?}", asked.elapsed());
    assert_eq!(answer.status, 503, "{}", answer.body);
    assert_eq!(answer.header("retry-after"), "60");
}

/// Asserts that crowds are told as soon as one is: waiting must not pile up.
async fn assert_crowd_is_told(app: &TestApp) {
    let mut answers = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let request = client().get(app.url("/me")).bearer_auth(&app.token);
        answers.spawn(async move {
            let asked = Instant::now();
            (Answer::to(request).await.status, asked.elapsed())
        });
    }
    while let Some(answer) = answers.join_next().await {
        let (status, took) = answer.unwrap();
        assert_eq!(status, 503);
        assert!(took < TOLD_WITHIN, "{took:?}");
    }
}

/// Asserts that the log tells of the outage, each part of the server once, and not at every try.
fn assert_logged_once(log: &str) {
    let lines = |part: &str| log.lines().filter(|line| line.contains(part)).count();
    assert_eq!(lines("the store does not answer"), 1, "{log}");
    assert_eq!(lines("the store answers again"), 1, "{log}");
    // A batch that waits for an answer, and gets it at last, has nothing to tell.
    let waits = lines("what is received waits in the journal");
    assert!(waits <= 1, "{log}");
    assert_eq!(lines("recording goes on"), waits, "{log}");
    assert_eq!(lines("\"ERROR\""), 0, "{log}");
}

async fn an_outage_is_survived(away: impl Fn(&Cluster), back: impl Fn(&Cluster)) {
    let Some(cluster) = Cluster::start("packaged") else {
        return;
    };
    let seed = seed();
    let mut app = TestApp::start_in(&cluster, &fixed_address(seed));
    block_in_place(|| app.take_server().terminate());
    block_in_place(|| app.restart_logging());
    let ana = app.log_in().await;
    let load = Load::start(&app, seed, Pace::Storm);
    load.answers(200).await;
    let before = app.server().forget_peak();
    let began = Instant::now();
    block_in_place(|| away(&cluster));
    let outage = Duration::from_secs(number("COPAL_OUTAGE_SECS", OUTAGE_SECS));
    assert_told(&app, &ana).await;
    assert_crowd_is_told(&app).await;
    while began.elapsed() < outage {
        load.answers(10).await;
    }
    let growth = app.server().memory("VmHWM:").saturating_sub(before);
    let waiting = app.metric("copal_journal_backlog_records ").await;
    block_in_place(|| back(&cluster));
    load.set_pace(Pace::Steady);
    let returned = Instant::now();
    load.answers(100).await;
    let ledger = load.stop().await;
    app.settle_within(DRAINED_WITHIN + outage).await;
    let drained = returned.elapsed();
    assert_eq!(ana.get("/account").await.status, 200);
    let (ended, _) = block_in_place(|| app.take_server().terminate());
    eprintln!(
        "{} events acknowledged, {waiting} waited, drained {drained:?} after the return, {} MiB more",
        ledger.acknowledged(),
        growth >> 20
    );
    assert!(ended.success(), "{ended}");
    assert_eq!(ledger.unanswered, 0);
    assert_nothing_lost(&app, &ledger, 0, &format!("COPAL_SEED={seed}"));
    assert_logged_once(&app.log());
    assert!(waiting > 100.0, "{waiting}");
    assert!(growth < GROWTH_BYTES_MAX, "{growth} bytes");
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_database_is_dead_events_are_taken_in_and_pages_say_so() {
    an_outage_is_survived(Cluster::kill, Cluster::start_again).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_database_is_silent_events_are_taken_in_and_pages_say_so() {
    an_outage_is_survived(Cluster::freeze, Cluster::thaw).await;
}

#[test]
fn nothing_starts_without_the_database_and_a_sentence_says_why() {
    let Some(cluster) = Cluster::start("packaged") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let url = cluster.address.replace("/postgres", "/nowhere");
    let password = url.split([':', '@']).nth(2).unwrap().to_owned();
    let wrong = cluster.address.replace(&password, "wr0ng");
    let refused = |url: &str, arguments: &[&str], why: &str| {
        let asked = Instant::now();
        let mut program = command(folder.path());
        program.args(arguments).env("COPAL_DATABASE_URL", url);
        let output = program.output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
        assert!(said.contains(why), "{arguments:?}: {said}");
        assert_eq!(said.lines().count(), 1, "{arguments:?}: {said}");
        assert!(
            !said.contains(&password) && !said.contains("wr0ng"),
            "{said}"
        );
        assert!(
            asked.elapsed() < Duration::from_secs(5),
            "{:?}",
            asked.elapsed()
        );
    };
    for arguments in [
        &["serve", "--listen", "127.0.0.1:0"][..],
        &["fsck"],
        &["check"],
    ] {
        refused(&url, arguments, "database \"nowhere\" does not exist");
        refused(&wrong, arguments, "password authentication failed");
        cluster.freeze();
        refused(&cluster.address, arguments, "does not answer");
        cluster.thaw();
    }
    cluster.kill();
    refused(&cluster.address, &["serve"], "Connection refused");
}
