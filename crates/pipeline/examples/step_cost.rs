//! What reading, normalising and scrubbing cost: `step_cost FOLDER` with envelopes in the folder.

use std::error::Error;
use std::io::Write as _;
use std::time::{Duration, Instant};

use copal_pipeline::normalize::{Facts, normalize};
use copal_pipeline::scrub::{Scrubbing, scrub};
use copal_protocol::envelope::ItemType;
use copal_protocol::{Envelope, Event, parse_lenient};

/// Rounds over all events; the first warms up.
const ROUNDS: u32 = 20;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).ok_or("usage: step_cost FOLDER")?;
    let mut payloads = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let bytes = std::fs::read(entry?.path())?;
        if let Ok(envelope) = Envelope::parse(&bytes) {
            let items = envelope.items.iter();
            let events = items.filter(|item| item.header.item_type == ItemType::Event);
            payloads.extend(events.map(|item| item.payload.to_vec()));
        }
    }
    let facts = Facts {
        received_at: "2026-03-01T12:00:00Z".parse()?,
        sent_at: None,
        client_ip: None,
        user_agent: "",
        sdk: "",
        envelope_event_id: None,
        fallback_event_id: "11111111111111111111111111111111".parse()?,
        retention_days: 90,
    };
    let mut costs = [Duration::ZERO; 5];
    for round in 0..=ROUNDS {
        for payload in &payloads {
            let mut scratch = Vec::new();
            let start = Instant::now();
            let json = parse_lenient(payload, &mut scratch)?;
            let parsed = Instant::now();
            let event = Event::from_json(json)?;
            let typed = Instant::now();
            let event = normalize(event, &facts);
            let normalized = Instant::now();
            let event = scrub(event, &Scrubbing::default());
            let scrubbed = Instant::now();
            let _ = event.event.to_json_text();
            let written = Instant::now();
            if round > 0 {
                let times = [start, parsed, typed, normalized, scrubbed, written];
                for (cost, pair) in costs.iter_mut().zip(times.windows(2)) {
                    *cost += pair[1] - pair[0];
                }
            }
        }
    }
    let events = ROUNDS * u32::try_from(payloads.len())?;
    let bytes: usize = payloads.iter().map(Vec::len).sum();
    let mut output = std::io::stdout();
    writeln!(
        output,
        "{} events of {} bytes",
        payloads.len(),
        bytes / payloads.len().max(1)
    )?;
    for (step, cost) in ["parse", "type", "normalize", "scrub", "write"]
        .iter()
        .zip(costs)
    {
        writeln!(output, "{step:10} {:?}", cost / events.max(1))?;
    }
    Ok(())
}
