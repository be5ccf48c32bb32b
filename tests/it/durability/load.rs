//! SDKs that send as fast as they are answered, and remember what they were told.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use reqwest::Client;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::support::TestApp;

/// What real SDKs have sent.
const RECORDING: &[u8] = include_bytes!("../../../src/demo/envelopes.jsonl.zst");
/// Connections, each with one request at a time.
const CONNECTIONS: u64 = 16;
/// Recorded envelopes that are sent: every so many, and none larger.
const TEMPLATES_STEP: usize = 5;
const TEMPLATE_BYTES_MAX: usize = 4_000;
/// An SDK that got no answer tries again after this.
const RETRY_AFTER: Duration = Duration::from_millis(10);

/// How long an SDK has nothing to say after an event, at most, while the pace is steady: slow
/// enough for the pipeline of a debug build on two cores to keep up.
const PAUSE_MAX: Duration = Duration::from_millis(400);

/// How senders send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// Less than the pipeline can record: a kill hits it at any step of small batches.
    Steady,
    /// As fast as they are answered: a kill leaves much to the next server.
    Storm,
}

/// A small generator, so that the seed says everything.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    pub(crate) fn event_id(&mut self) -> Uuid {
        Uuid::from_u64_pair(self.next(), self.next())
    }
}

/// What senders know of an event.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) times: u64,
    /// Whether one of these times was answered with 200.
    pub(crate) acknowledged: bool,
}

/// What all senders remember.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) events: BTreeMap<Uuid, Sent>,
    pub(crate) unanswered: u64,
    /// Answers other than 200 with the event's id.
    pub(crate) wrong: Vec<String>,
}

impl Ledger {
    pub(crate) fn acknowledged(&self) -> usize {
        let events = self.events.values();
        events.filter(|sent| sent.acknowledged).count()
    }

    pub(crate) fn sent_again(&self) -> usize {
        self.events.values().filter(|sent| sent.times > 1).count()
    }
}

/// An envelope to be sent under new ids.
pub(crate) struct Template {
    text: String,
    id: Uuid,
}

impl Template {
    /// A choice of what was recorded.
    pub(crate) fn recorded() -> Vec<Self> {
        let text = zstd::decode_all(RECORDING).unwrap();
        let envelopes = text
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(|line| serde_json::from_slice::<serde_json::Value>(line).unwrap());
        envelopes
            .step_by(TEMPLATES_STEP)
            .map(|recorded| recorded["envelope"].as_str().unwrap().to_owned())
            .filter(|text| text.len() <= TEMPLATE_BYTES_MAX)
            .map(|text| {
                let header: serde_json::Value =
                    serde_json::from_str(text.lines().next().unwrap()).unwrap();
                let id = header["event_id"].as_str().unwrap().parse().unwrap();
                Self { text, id }
            })
            .collect()
    }

    /// The envelope of an event with this id: every id is as long as any other.
    pub(crate) fn with_id(&self, id: Uuid) -> String {
        let simple = self
            .text
            .replace(&self.id.simple().to_string(), &id.simple().to_string());
        simple.replace(
            &self.id.hyphenated().to_string(),
            &id.hyphenated().to_string(),
        )
    }
}

/// Senders at work.
pub(crate) struct Load {
    shared: Arc<Shared>,
    senders: JoinSet<()>,
}

struct Shared {
    url: String,
    templates: Vec<Template>,
    ledger: Mutex<Ledger>,
    answered: AtomicU64,
    acknowledged: AtomicU64,
    is_storm: AtomicBool,
    stop: AtomicBool,
}

impl Load {
    /// Begins to send to the app, which must stay at its address.
    pub(crate) fn start(app: &TestApp, seed: u64, pace: Pace) -> Self {
        let shared = Arc::new(Shared {
            url: format!("{}?sentry_key={}", app.envelope_url(), app.key),
            templates: Template::recorded(),
            ledger: Mutex::default(),
            answered: AtomicU64::new(0),
            acknowledged: AtomicU64::new(0),
            is_storm: AtomicBool::new(pace == Pace::Storm),
            stop: AtomicBool::new(false),
        });
        let mut senders = JoinSet::new();
        for number in 0..CONNECTIONS {
            let random = Random::new(seed.wrapping_add(number << 32));
            senders.spawn(send(Arc::clone(&shared), random));
        }
        Self { shared, senders }
    }

    /// Changes the pace.
    pub(crate) fn set_pace(&self, pace: Pace) {
        let is_storm = pace == Pace::Storm;
        self.shared.is_storm.store(is_storm, Ordering::Relaxed);
    }

    /// Waits for so many more answers.
    pub(crate) async fn answers(&self, more: u64) {
        let enough = self.shared.answered.load(Ordering::Relaxed) + more;
        while self.shared.answered.load(Ordering::Relaxed) < enough {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Waits until one more is taken in; how long that took.
    pub(crate) async fn accepts(&self) -> Duration {
        let began = Instant::now();
        let before = self.shared.acknowledged.load(Ordering::Relaxed);
        while self.shared.acknowledged.load(Ordering::Relaxed) == before {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        began.elapsed()
    }

    /// Waits until a request is not answered with 200.
    pub(crate) async fn trouble(&self) {
        let is_trouble = |ledger: &Ledger| ledger.unanswered > 0 || !ledger.wrong.is_empty();
        while !is_trouble(&self.shared.ledger()) {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Ends when all requests have ended.
    pub(crate) async fn stop(mut self) -> Ledger {
        self.shared.stop.store(true, Ordering::Relaxed);
        while let Some(ended) = self.senders.join_next().await {
            ended.unwrap();
        }
        std::mem::take(&mut *self.shared.ledger())
    }
}

impl Shared {
    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap()
    }
}

/// One SDK: an event after the other over one connection. What was not answered it sends again
/// half of the time; now and then it sends again what was.
async fn send(shared: Arc<Shared>, mut random: Random) {
    let client = Client::builder()
        .no_proxy()
        .pool_max_idle_per_host(1)
        .build()
        .unwrap();
    let mut again = None;
    while !shared.stop.load(Ordering::Relaxed) {
        if !shared.is_storm.load(Ordering::Relaxed) {
            let micros = u64::try_from(PAUSE_MAX.as_micros()).unwrap();
            tokio::time::sleep(Duration::from_micros(random.below(micros))).await;
        }
        let id = again.take().unwrap_or_else(|| random.event_id());
        shared.ledger().events.entry(id).or_default().times += 1;
        // The same event has the same body each time.
        let template = id.as_u128() % shared.templates.len() as u128;
        let template = &shared.templates[usize::try_from(template).unwrap()];
        let request = client.post(&shared.url).body(template.with_id(id));
        let Ok(answer) = request.send().await else {
            shared.ledger().unanswered += 1;
            again = (random.below(2) == 0).then_some(id);
            tokio::time::sleep(RETRY_AFTER).await;
            continue;
        };
        shared.answered.fetch_add(1, Ordering::Relaxed);
        let status = answer.status().as_u16();
        let text = answer.text().await;
        let acknowledged = u64::from(status == 200);
        shared
            .acknowledged
            .fetch_add(acknowledged, Ordering::Relaxed);
        let mut ledger = shared.ledger();
        ledger.events.entry(id).or_default().acknowledged |= status == 200;
        let expected = format!("{{\"id\":\"{}\"}}", id.simple());
        // The rest of an answer may be cut off by the kill.
        if status != 200 || text.as_ref().is_ok_and(|text| *text != expected) {
            ledger
                .wrong
                .push(format!("{status} {text:?} to {expected}"));
        }
        again = (random.below(50) == 0).then_some(id);
    }
}
