//! What ticks: keys that change, plans that are used up, metrics, the journal, retention, compaction, sessions that end.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use crate::app::App;
use crate::ingest::{KEYS_REFRESH_EVERY, QUOTA_REFRESH_EVERY};
use crate::operate::METRICS_SORTED_EVERY;

/// How often data whose retention is over is looked for; partitions are days.
const RETENTION_EVERY: Duration = Duration::from_hours(1);
/// How often payloads of deleted events are looked for.
const COMPACT_EVERY: Duration = Duration::from_hours(1);
/// How often the journal is cleared of what is recorded: so long secrets can lie in it.
const JOURNAL_CLEARED_EVERY: Duration = Duration::from_hours(1);
/// How often sessions and tokens that have ended are forgotten.
const FORGET_EVERY: Duration = Duration::from_mins(10);

/// How often organizations and projects are looked for that were deleted so long ago that nobody can take it back.
const PURGE_EVERY: Duration = Duration::from_hours(1);

/// Starts all jobs; dropping the set stops them.
pub fn start(app: &App) -> JoinSet<()> {
    let mut jobs = JoinSet::new();
    jobs.spawn(every(KEYS_REFRESH_EVERY, app.clone(), refresh_keys));
    jobs.spawn(every(QUOTA_REFRESH_EVERY, app.clone(), refresh_quotas));
    jobs.spawn(every(METRICS_SORTED_EVERY, app.clone(), sort_metrics));
    jobs.spawn(every(JOURNAL_CLEARED_EVERY, app.clone(), clear_journal));
    jobs.spawn(every(RETENTION_EVERY, app.clone(), drop_expired));
    jobs.spawn(every(COMPACT_EVERY, app.clone(), compact));
    jobs.spawn(every(FORGET_EVERY, app.clone(), forget_expired));
    jobs.spawn(every(PURGE_EVERY, app.clone(), purge));
    jobs
}

/// Runs `job` now and after each `period`. A panic ends that run only.
async fn every<R>(period: Duration, app: App, job: impl Fn(App) -> R)
where
    R: Future<Output = ()> + Send + 'static,
{
    let mut ticks = tokio::time::interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = tokio::spawn(job(app.clone())).await
            && error.is_panic()
        {
            tracing::error!(%error, "a job panicked; it runs again at its next turn");
        }
    }
}

async fn refresh_keys(app: App) {
    app.ingest.refresh_keys().await;
}

async fn refresh_quotas(app: App) {
    app.ingest.refresh_quotas().await;
}

async fn sort_metrics(app: App) {
    app.operate.sort_metrics();
}

async fn clear_journal(app: App) {
    app.operate.journal.clear();
}

async fn drop_expired(app: App) {
    match app.store.drop_expired(app.clock.now()).await {
        Ok(0) => {}
        Ok(dropped) => tracing::info!(dropped, "dropped partitions whose retention is over"),
        Err(error) => complain(&error, "cannot drop what is over its retention"),
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
        Err(error) => complain(&error, "cannot remove payloads of deleted events"),
    }
}

async fn forget_expired(app: App) {
    if let Err(error) = app.store.forget_expired(app.clock.now()).await {
        complain(&error, "cannot forget sessions that have ended");
    }
}

async fn purge(app: App) {
    match app.store.purge_organizations(app.clock.now()).await {
        Ok(0) => {}
        Ok(purged) => tracing::info!(purged, "purged organizations that were deleted long ago"),
        Err(error) => complain(&error, "cannot purge organizations that were deleted"),
    }
    match app.store.purge_projects(app.clock.now()).await {
        Ok(0) => {}
        Ok(purged) => tracing::info!(purged, "purged projects that were deleted long ago"),
        Err(error) => complain(&error, "cannot purge projects that were deleted"),
    }
}

/// Logs why a job could not be done. That the store is away has been said once already, by
/// [`refresh_keys`]; the job is done at its next turn.
fn complain(error: &copal_store::Error, what: &'static str) {
    match error {
        copal_store::Error::Unavailable(_) => tracing::debug!(%error, "{what}"),
        error => tracing::error!(%error, "{what}"),
    }
}
