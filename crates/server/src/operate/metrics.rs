//! What is counted and measured: every name with what it means, and how durations are sorted.
//!
//! Other modules count by the name; what they count is described here, told to Prometheus, and
//! checked against `docs/operating.md` by a test.

use copal_journal::Journal;
use copal_model::Timestamp;
use metrics::{Unit, counter, gauge};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

/// Seconds by which durations are sorted: from an answer out of memory to one that is too late.
const SECONDS: [f64; 13] = [
    0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
];
/// Events by which batches are sorted.
const EVENTS: [f64; 7] = [0.0, 1.0, 10.0, 50.0, 100.0, 250.0, 500.0];

/// How a metric comes about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only grows, until the process ends.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Observations, counted by size.
    Histogram,
}

/// Every metric: its name, how it comes about, and what it means.
pub const ALL: [(&str, Kind, &str); 21] = [
    (
        "copal_requests_total",
        Kind::Counter,
        "Requests answered, by audience (sdk, api, page) and class of status",
    ),
    (
        "copal_request_seconds",
        Kind::Histogram,
        "From a request's header to its answer, by audience",
    ),
    (
        "copal_items_total",
        Kind::Counter,
        "Items of envelopes that have ended, by outcome",
    ),
    (
        "copal_journal_backlog_records",
        Kind::Gauge,
        "Records acknowledged and not yet recorded",
    ),
    (
        "copal_journal_backlog_bytes",
        Kind::Gauge,
        "Bytes of the journal's files",
    ),
    (
        "copal_journal_corrupt_records",
        Kind::Gauge,
        "Journal records found to be damaged or missing since the start",
    ),
    (
        "copal_journal_damaged_records_total",
        Kind::Counter,
        "Damaged or missing journal records that the pipeline has passed",
    ),
    (
        "copal_journal_appended_records_total",
        Kind::Counter,
        "Records made durable",
    ),
    (
        "copal_journal_syncs_total",
        Kind::Counter,
        "fdatasync calls that made records durable",
    ),
    (
        "copal_pipeline_lag_seconds",
        Kind::Gauge,
        "Age of the last recorded event when it was recorded",
    ),
    (
        "copal_pipeline_batch_events",
        Kind::Histogram,
        "Events recorded in one transaction",
    ),
    (
        "copal_pipeline_prepare_seconds",
        Kind::Histogram,
        "Preparing a batch: unpack, normalise, scrub, group",
    ),
    (
        "copal_pipeline_record_seconds",
        Kind::Histogram,
        "Recording a batch in one transaction",
    ),
    (
        "copal_quarantined_records_total",
        Kind::Counter,
        "Records that could not be processed and are kept aside",
    ),
    (
        "copal_build_info",
        Kind::Gauge,
        "Always 1; its label is the version",
    ),
    (
        "process_start_time_seconds",
        Kind::Gauge,
        "When the process started, in Unix time",
    ),
    (
        "process_cpu_seconds_total",
        Kind::Gauge,
        "Processor time taken, user and system",
    ),
    (
        "process_resident_memory_bytes",
        Kind::Gauge,
        "Memory in use",
    ),
    ("process_threads", Kind::Gauge, "Threads"),
    ("process_open_fds", Kind::Gauge, "Open file descriptors"),
    (
        "process_max_fds",
        Kind::Gauge,
        "File descriptors the process may open",
    ),
];

/// Installs the one recorder of the process.
///
/// # Errors
/// When there is one already.
pub fn install() -> Result<PrometheusHandle, BuildError> {
    let events = Matcher::Full("copal_pipeline_batch_events".to_owned());
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(events, &EVENTS)?
        .set_buckets(&SECONDS)?
        .install_recorder()?;
    for (name, kind, meaning) in ALL {
        match kind {
            Kind::Counter => metrics::describe_counter!(name, meaning),
            Kind::Gauge => metrics::describe_gauge!(name, meaning),
            Kind::Histogram => metrics::describe_histogram!(name, Unit::Count, meaning),
        }
    }
    gauge!("copal_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    Ok(handle)
}

/// Measures what nobody counts as it happens.
pub(super) fn measure(journal: &Journal, started_at: Timestamp) {
    let stats = journal.stats();
    gauge!("copal_journal_backlog_records").set(stats.backlog_records as f64);
    gauge!("copal_journal_backlog_bytes").set(stats.backlog_bytes as f64);
    gauge!("copal_journal_corrupt_records").set(stats.corrupt_records as f64);
    counter!("copal_journal_appended_records_total").absolute(stats.appended_records);
    counter!("copal_journal_syncs_total").absolute(stats.syncs);
    gauge!("process_start_time_seconds").set(started_at.as_second() as f64);
    if let Some(process) = Process::of_proc() {
        gauge!("process_cpu_seconds_total").set(process.cpu_seconds);
        gauge!("process_resident_memory_bytes").set(process.resident_bytes as f64);
        gauge!("process_threads").set(process.threads as f64);
        gauge!("process_open_fds").set(process.open_fds as f64);
        gauge!("process_max_fds").set(process.max_fds.map_or(f64::INFINITY, |max| max as f64));
    }
}

/// What Linux tells of this process; other systems tell nothing.
#[derive(Debug)]
struct Process {
    cpu_seconds: f64,
    resident_bytes: u64,
    threads: u64,
    open_fds: usize,
    /// `None` where there is no limit.
    max_fds: Option<u64>,
}

/// Clock ticks in a second, as `/proc` counts them: 100 on every architecture of today (`proc(5)`).
const TICKS_PER_SECOND: f64 = 100.0;

impl Process {
    fn of_proc() -> Option<Self> {
        let status = std::fs::read_to_string("/proc/self/status").ok()?;
        let number = |name: &str| -> Option<u64> {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next()?.parse().ok()
        };
        let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
        // The second field, the name, may hold blanks and brackets; what follows it does not.
        let (_, fields) = stat.rsplit_once(')')?;
        let mut ticks = fields.split_whitespace().skip(11);
        let mut next_ticks = || ticks.next()?.parse::<f64>().ok();
        let limits = std::fs::read_to_string("/proc/self/limits").ok()?;
        let open_files = limits
            .lines()
            .find_map(|line| line.strip_prefix("Max open files"))?;
        Some(Self {
            cpu_seconds: (next_ticks()? + next_ticks()?) / TICKS_PER_SECOND,
            resident_bytes: number("VmRSS:")? * 1_024,
            threads: number("Threads:")?,
            open_fds: std::fs::read_dir("/proc/self/fd").ok()?.count(),
            max_fds: open_files.split_whitespace().next()?.parse().ok(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn linux_tells_of_the_process() {
        let process = Process::of_proc().unwrap();
        assert!(process.resident_bytes > 1 << 20, "{process:?}");
        assert!(process.threads >= 1, "{process:?}");
        assert!(process.open_fds >= 3, "{process:?}");
        assert!(process.max_fds.is_none_or(|max| max >= 256), "{process:?}");
        assert!((0.0..3_600.0).contains(&process.cpu_seconds), "{process:?}");
    }
}
