//! Sends a workload over many connections and keeps the time of every answer.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::http::Connection;
use crate::workload::Workload;

/// Events compressed beforehand, for each second of a run.
const GZIP_EVENTS_PER_SECOND: u64 = 9_000;

/// How to send.
#[derive(Debug, Clone)]
pub(crate) struct Load {
    pub(crate) address: String,
    pub(crate) path: String,
    pub(crate) connections: usize,
    pub(crate) duration: Duration,
    /// Events per second over all connections; 0 = as fast as answers come.
    pub(crate) rate: u64,
    pub(crate) events: Option<u64>,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) started: Instant,
    pub(crate) elapsed: Duration,
    pub(crate) acknowledged: u64,
    pub(crate) refused: BTreeMap<u16, u64>,
    micros: Vec<u32>,
}

impl Outcome {
    /// Milliseconds within which `percent` of the acknowledgements came.
    pub(crate) fn percentile(&self, percent: f64) -> f64 {
        let last = self.micros.len().saturating_sub(1);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "0..=last"
        )]
        let at = (last as f64 * percent / 100.0).round() as usize;
        self.micros
            .get(at)
            .map_or(0.0, |micros| f64::from(*micros) / 1000.0)
    }
}

/// Makes the body of the n-th request.
trait Bodies: Send + Sync + 'static {
    const ENCODING: &'static str;
    /// Writes the body; `false` when there are no more.
    fn write(&self, number: u64, body: &mut Vec<u8>) -> bool;
}

struct Raw(Workload);
struct Gzipped(Vec<Vec<u8>>);

impl Bodies for Raw {
    const ENCODING: &'static str = "";
    fn write(&self, number: u64, body: &mut Vec<u8>) -> bool {
        self.0.write(number, body);
        true
    }
}

impl Bodies for Gzipped {
    const ENCODING: &'static str = "content-encoding: gzip\r\n";
    fn write(&self, number: u64, body: &mut Vec<u8>) -> bool {
        let packed = usize::try_from(number).ok().and_then(|at| self.0.get(at));
        body.clear();
        body.extend_from_slice(packed.map_or(&[][..], Vec::as_slice));
        packed.is_some()
    }
}

impl Load {
    pub(crate) async fn send_raw(self, workload: Workload) -> Result<Outcome> {
        self.send(Raw(workload)).await
    }

    /// Compresses all bodies first, on both cores, so that the generator's gzip is not measured.
    pub(crate) async fn send_gzip(self, workload: Workload) -> Result<Outcome> {
        let per_second = if self.rate > 0 {
            self.rate
        } else {
            GZIP_EVENTS_PER_SECOND
        };
        let count = self
            .events
            .unwrap_or((self.duration.as_secs() + 1) * per_second);
        let halves = [0..count / 2, count / 2..count].map(|range| {
            let workload = workload.clone();
            tokio::task::spawn_blocking(move || compress(&workload, range))
        });
        let mut bodies = Vec::new();
        for half in halves {
            bodies.extend(half.await??);
        }
        self.send(Gzipped(bodies)).await
    }

    async fn send<B: Bodies>(self, bodies: B) -> Result<Outcome> {
        let bodies = Arc::new(bodies);
        let next = Arc::new(AtomicU64::new(0));
        let started = Instant::now();
        let tasks: Vec<_> = (0..self.connections)
            .map(|_| {
                tokio::spawn(self.clone().send_on_one(
                    Arc::clone(&bodies),
                    Arc::clone(&next),
                    started,
                ))
            })
            .collect();
        let (mut micros, mut refused) = (Vec::new(), BTreeMap::new());
        for task in tasks {
            let (times, others) = task.await??;
            micros.extend(times);
            for (status, count) in others {
                *refused.entry(status).or_default() += count;
            }
        }
        let elapsed = started.elapsed();
        micros.sort_unstable();
        Ok(Outcome {
            started,
            elapsed,
            acknowledged: micros.len() as u64,
            refused,
            micros,
        })
    }

    async fn send_on_one<B: Bodies>(
        self,
        bodies: Arc<B>,
        next: Arc<AtomicU64>,
        started: Instant,
    ) -> Result<(Vec<u32>, BTreeMap<u16, u64>)> {
        let mut connection = Connection::open(&self.address).await?;
        let (mut micros, mut refused) = (Vec::new(), BTreeMap::new());
        let (mut body, mut request) = (Vec::new(), Vec::new());
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if self.events.is_some_and(|events| number >= events)
                || !bodies.write(number, &mut body)
            {
                break;
            }
            let due = self.due(number, started);
            if due >= started + self.duration && self.events.is_none() {
                break;
            }
            tokio::time::sleep_until(due.into()).await;
            self.write_request(B::ENCODING, &body, &mut request)?;
            match connection.exchange(&request).await?.status {
                200 => micros.push(u32::try_from(due.elapsed().as_micros()).unwrap_or(u32::MAX)),
                status => *refused.entry(status).or_default() += 1,
            }
        }
        Ok((micros, refused))
    }

    /// When a request is due: on schedule under a rate (so that waiting counts as latency), else now.
    fn due(&self, number: u64, started: Instant) -> Instant {
        match self.rate {
            0 => Instant::now(),
            rate => started + Duration::from_secs_f64(number as f64 / rate as f64),
        }
    }

    fn write_request(&self, encoding: &str, body: &[u8], request: &mut Vec<u8>) -> Result<()> {
        request.clear();
        write!(
            request,
            "POST {} HTTP/1.1\r\nhost: copal\r\n{encoding}content-length: {}\r\n\r\n",
            self.path,
            body.len()
        )?;
        request.extend_from_slice(body);
        Ok(())
    }
}

fn compress(workload: &Workload, numbers: std::ops::Range<u64>) -> Result<Vec<Vec<u8>>> {
    let mut body = Vec::new();
    numbers
        .map(|number| {
            workload.write(number, &mut body);
            let mut encoder = GzEncoder::new(Vec::new(), Compression::new(6));
            encoder.write_all(&body)?;
            Ok(encoder.finish()?)
        })
        .collect()
}
