//! What ticks: retention, compaction, sessions that end, keys that change.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use crate::app::App;
use crate::ingest::KEYS_REFRESH_EVERY;
use crate::operate::METRICS_SORTED_EVERY;

/// How often data whose retention is over is looked for; partitions are days.
const RETENTION_EVERY: Duration = Duration::from_hours(1);
/// How often payloads of deleted events are looked for.
const COMPACT_EVERY: Duration = Duration::from_hours(1);
/// How often sessions and tokens that have ended are forgotten.
const FORGET_EVERY: Duration = Duration::from_mins(10);

/// Starts all jobs; dropping the set stops them.
pub fn start(app: &App) -> JoinSet<()> {
    let mut jobs = JoinSet::new();
    let keys = Arc::clone(&app.ingest);
    jobs.spawn(every(KEYS_REFRESH_EVERY, move || {
        let ingest = Arc::clone(&keys);
        async move { ingest.refresh_keys().await }
    }));
    let operate = Arc::clone(&app.operate);
    jobs.spawn(every(METRICS_SORTED_EVERY, move || {
        let operate = Arc::clone(&operate);
        async move { operate.sort_metrics() }
    }));
    let retention = app.clone();
    jobs.spawn(every(RETENTION_EVERY, move || {
        drop_expired(retention.clone())
    }));
    let compaction = app.clone();
    jobs.spawn(every(COMPACT_EVERY, move || compact(compaction.clone())));
    let forgetting = app.clone();
    jobs.spawn(every(FORGET_EVERY, move || {
        forget_expired(forgetting.clone())
    }));
    jobs
}

/// Runs `job` now and after each `period`. A panic ends that run only.
async fn every<F, R>(period: Duration, job: F)
where
    F: Fn() -> R,
    R: Future<Output = ()> + Send + 'static,
{
    let mut ticks = tokio::time::interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = tokio::spawn(job()).await
            && error.is_panic()
        {
            tracing::error!(%error, "a job panicked; it runs again at its next turn");
        }
    }
}

async fn drop_expired(app: App) {
    match app.store.drop_expired(app.clock.now()).await {
        Ok(0) => {}
        Ok(dropped) => tracing::info!(dropped, "dropped partitions whose retention is over"),
        Err(error) => tracing::error!(%error, "cannot drop what is over its retention"),
    }
}

async fn compact(app: App) {
    match app.store.compact(app.clock.now()).await {
        Ok(done) if done.segments == 0 => {}
        Ok(done) => tracing::info!(
            segments = done.segments,
            bytes = done.bytes,
            "removed payloads of deleted events"
        ),
        Err(error) => tracing::error!(%error, "cannot remove payloads of deleted events"),
    }
}

async fn forget_expired(app: App) {
    if let Err(error) = app.store.forget_expired(app.clock.now()).await {
        tracing::error!(%error, "cannot forget sessions that have ended");
    }
}
