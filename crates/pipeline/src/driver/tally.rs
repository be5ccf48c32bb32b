//! What a batch is counted as in the metrics, once it is recorded.

use copal_model::Outcome;
use copal_store::record::{Batch, Disposition, Recorded};

/// What a batch will be counted as, once it is recorded.
pub(super) struct Tally {
    records: usize,
    outcomes: Vec<(&'static str, u64)>,
    quarantined: usize,
    received_at: Option<copal_model::Timestamp>,
}

impl Tally {
    pub(super) fn of(batch: &Batch) -> Self {
        let outcomes = batch
            .outcomes
            .iter()
            .map(|one| (one.outcome.as_str(), one.quantity));
        Self {
            records: batch.events.len(),
            outcomes: outcomes.collect(),
            quarantined: batch.quarantined.len(),
            received_at: batch.events.last().map(|event| event.received_at),
        }
    }

    pub(super) fn count(self, recorded: &Recorded, now: copal_model::Timestamp) {
        metrics::histogram!("copal_pipeline_batch_events").record(self.records as f64);
        for (outcome, quantity) in self.outcomes {
            metrics::counter!("copal_items_total", "outcome" => outcome).increment(quantity);
        }
        for event in &recorded.events {
            let outcome = match event.disposition {
                Disposition::Duplicate => Outcome::Invalid("duplicate"),
                Disposition::OverQuota => Outcome::QUOTA,
                // Its project's counters are gone too.
                Disposition::ProjectGone => continue,
                Disposition::New | Disposition::Regressed | Disposition::Joined => {
                    Outcome::Accepted
                }
            };
            metrics::counter!("copal_items_total", "outcome" => outcome.as_str()).increment(1);
        }
        metrics::counter!("copal_quarantined_records_total").increment(self.quarantined as u64);
        if let Some(received_at) = self.received_at {
            let lag = now.duration_since(received_at).as_secs_f64();
            metrics::gauge!("copal_pipeline_lag_seconds").set(lag);
        }
    }
}
