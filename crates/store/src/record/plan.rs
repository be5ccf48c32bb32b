//! What a batch changes, added up per issue, whatever the engine.
//!
//! Five hundred events of one issue are one change of its counters.

use std::collections::{BTreeMap, BTreeSet};

use copal_model::{IssueId, Level, ProjectId, Timestamp};

use super::NewEvent;

/// Microseconds in an hour.
const HOUR: i64 = 3_600_000_000;
/// Microseconds in a day.
const DAY: i64 = 24 * HOUR;
/// Days back within which an equal event id is a duplicate: today's and yesterday's partitions.
pub(crate) const DEDUPE_DAYS: i64 = 1;
/// Bytes after which a segment file is not appended to any more.
pub(crate) const SEGMENT_BYTES_MAX: u64 = 64 << 20;

/// The start of the hour, in microseconds since 1970.
pub(crate) fn hour_of(time: Timestamp) -> i64 {
    let micros = time.as_microsecond();
    micros - micros.rem_euclid(HOUR)
}

/// Days since 1970-01-01 UTC.
pub(crate) fn day_of(time: Timestamp) -> i64 {
    time.as_microsecond().div_euclid(DAY)
}

/// What a batch adds to the counters.
#[derive(Default)]
pub(crate) struct BatchTally<'a> {
    /// To those of issues.
    pub(crate) issues: BTreeMap<IssueId, IssueTally<'a>>,
    /// To those of projects.
    pub(crate) projects: BTreeMap<ProjectId, ProjectTally<'a>>,
}

impl<'a> BatchTally<'a> {
    /// Adds an event of `issue` that is stored in `partition`.
    pub(crate) fn add(&mut self, event: &'a NewEvent, issue: IssueId, partition: i64) {
        self.issues
            .entry(issue)
            .or_insert_with(|| IssueTally::new(event))
            .add(event, partition);
        let project = self.projects.entry(event.scope.project()).or_default();
        let hour = hour_of(event.occurred_at);
        *project.hours.entry(hour).or_default() += 1;
        project.environments.extend(event.environment.as_deref());
    }
}

/// What events of a batch add to one project.
#[derive(Default)]
pub(crate) struct ProjectTally<'a> {
    /// Events per hour in which they happened.
    pub(crate) hours: BTreeMap<i64, i64>,
    /// Where they came from.
    pub(crate) environments: BTreeSet<&'a str>,
}

/// What events of a batch add to one issue.
pub(crate) struct IssueTally<'a> {
    /// How many.
    pub(crate) events: i64,
    /// When the earliest occurred.
    pub(crate) first_seen: Timestamp,
    /// When the latest occurred.
    pub(crate) last_seen: Timestamp,
    /// Severity of the latest.
    pub(crate) last_level: Level,
    /// Release of the latest.
    pub(crate) last_release: Option<&'a str>,
    /// Who was affected.
    pub(crate) users: BTreeSet<String>,
    /// Events per tag key and value.
    pub(crate) tags: BTreeMap<&'a str, BTreeMap<&'a str, i64>>,
    /// Events per hour in which they happened, environment and release.
    pub(crate) hours: BTreeMap<(i64, &'a str, &'a str), i64>,
    /// Events stored per partition.
    pub(crate) partitions: BTreeMap<i64, i64>,
}

impl<'a> IssueTally<'a> {
    /// Nothing yet, of an issue that `event` is the first for.
    fn new(event: &'a NewEvent) -> Self {
        Self {
            events: 0,
            first_seen: event.occurred_at,
            last_seen: event.occurred_at,
            last_level: event.level,
            last_release: event.release.as_deref(),
            users: BTreeSet::new(),
            tags: BTreeMap::new(),
            hours: BTreeMap::new(),
            partitions: BTreeMap::new(),
        }
    }

    /// Adds an event that is stored in `partition`.
    fn add(&mut self, event: &'a NewEvent, partition: i64) {
        self.events += 1;
        self.first_seen = self.first_seen.min(event.occurred_at);
        if event.occurred_at >= self.last_seen {
            self.last_seen = event.occurred_at;
            self.last_level = event.level;
            self.last_release = event.release.as_deref();
        }
        self.users
            .extend(event.user.as_ref().map(ToString::to_string));
        for (key, value) in &event.tags {
            *self.tags.entry(key).or_default().entry(value).or_default() += 1;
        }
        let environment = event.environment.as_deref().unwrap_or_default();
        let release = event.release.as_deref().unwrap_or_default();
        *self
            .hours
            .entry((hour_of(event.occurred_at), environment, release))
            .or_default() += 1;
        *self.partitions.entry(partition).or_default() += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_and_days_begin_at_their_start_also_before_1970() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        assert_eq!(hour_of(at("1970-01-01T01:59:59.999999Z")), HOUR);
        assert_eq!(hour_of(at("1969-12-31T23:30:00Z")), -HOUR);
        assert_eq!(day_of(at("1970-01-02T00:00:00Z")), 1);
        assert_eq!(day_of(at("1969-12-31T23:59:59Z")), -1);
    }
}
