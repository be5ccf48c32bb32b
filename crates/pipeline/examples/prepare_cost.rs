//! What each step of the pipeline costs: microseconds per event, over a folder of envelopes.
//!
//! `cargo run --release -p copal-pipeline --example prepare_cost -- FOLDER`

#![expect(clippy::print_stdout, reason = "a program that prints a table")]

use std::time::{Duration, Instant};

use copal_grouping::Rules;
use copal_model::{ProjectId, Timestamp};
use copal_pipeline::expand::expand;
use copal_pipeline::group::group;
use copal_pipeline::normalize::normalize;
use copal_pipeline::prepare::facts;
use copal_pipeline::received::{BodyEncoding, BodyKind, Received};
use copal_pipeline::scrub::{Scrubbing, scrub};
use copal_protocol::EventId;
use uuid::Uuid;

/// Times that the folder is gone through.
const ROUNDS: u32 = 20;
const STEPS: [&str; 6] = ["decode", "expand", "normalize", "scrub", "group", "payload"];

fn record(body: &[u8]) -> Vec<u8> {
    let compressed = zstd::bulk::compress(body, 1).expect("compressing in memory");
    Received {
        project: ProjectId::new(1).expect("1 is a project id"),
        received_at: "2026-11-24T08:00:00Z"
            .parse::<Timestamp>()
            .expect("a correct time"),
        fallback_event_id: EventId::new(Uuid::from_u128(1)),
        client_ip: None,
        user_agent: "",
        sdk: "",
        kind: BodyKind::Envelope,
        encoding: BodyEncoding::Zstd,
        decoded_bytes: body.len() as u64,
        body: &compressed,
    }
    .encode()
}

fn measure(record: &[u8], spent: &mut [Duration; STEPS.len()]) -> usize {
    let mut times = [Instant::now(); STEPS.len() + 1];
    let received = Received::decode(record).expect("just encoded");
    let body = received.body_decoded().expect("just compressed");
    times[1] = Instant::now();
    let mut scratch = Vec::new();
    let Some(incoming) = expand(&received, &body, &mut scratch).incoming else {
        return 0;
    };
    times[2] = Instant::now();
    let facts = facts(&incoming, &received, 90);
    let normalized = normalize(incoming.event, &facts);
    times[3] = Instant::now();
    let scrubbed = scrub(normalized, &Scrubbing::default());
    times[4] = Instant::now();
    let grouped = group(scrubbed, Rules::builtin());
    times[5] = Instant::now();
    let payload = grouped.event.to_json_text();
    times[6] = Instant::now();
    for (spent, pair) in spent.iter_mut().zip(times.windows(2)) {
        *spent += pair[1] - pair[0];
    }
    std::hint::black_box((grouped.grouping, payload.len())).1
}

fn main() {
    let Some(folder) = std::env::args_os().nth(1) else {
        println!("usage: prepare_cost FOLDER");
        return;
    };
    let files = std::fs::read_dir(folder).expect("a folder that can be read");
    let records: Vec<Vec<u8>> = files
        .filter_map(Result::ok)
        .filter(|file| {
            file.path()
                .extension()
                .is_some_and(|extension| extension == "env")
        })
        .filter_map(|file| std::fs::read(file.path()).ok())
        .map(|body| record(&body))
        .collect();
    let mut spent = [Duration::ZERO; STEPS.len()];
    // The first round warms up caches and automata.
    for record in &records {
        measure(record, &mut spent);
    }
    spent = [Duration::ZERO; STEPS.len()];
    let mut events = 0_u32;
    for _ in 0..ROUNDS {
        for record in &records {
            events += u32::from(measure(record, &mut spent) > 0);
        }
    }
    let each = |time: Duration| time.as_secs_f64() * 1e6 / f64::from(events.max(1));
    for (step, time) in STEPS.iter().zip(spent) {
        println!("{step:>10} {:8.1} µs", each(time));
    }
    println!(
        "{:>10} {:8.1} µs over {events} events",
        "all",
        each(spent.iter().sum())
    );
}
