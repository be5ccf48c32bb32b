//! The invariants: which are checked, and how a broken one is told. Engines only ask.
//!
//! Two of the list do not apply yet: I-10 (one outbox row per destination: there are no
//! destinations) and I-14 (quota counters: there are no quotas).

use std::fmt::{self, Display};

use copal_model::Timestamp;

use super::{FsckReport, Violation};
use crate::hex;

/// Violations of one check that are told; further ones are only counted. Damage may be anywhere,
/// and nobody reads a million lines.
const VIOLATIONS_TOLD_MAX: u64 = 1_000;

/// One comparison, of those that an invariant consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Check {
    /// Issue, its count, the sum of its stored counts, its evicted count.
    CountedIsStoredAndEvicted,
    /// Issue and partition, where the stored count is not the number of rows.
    StoredCountsAreRows,
    /// Project, its accepted events, and the sum of its issues' and deleted events.
    IssuesSumToOutcomes,
    /// Issue, its count, the sum of its hours.
    HoursSumToEvents,
    /// Project, its accepted events, the sum of its hours.
    ProjectHoursSumToAccepted,
    /// Event and two partitions within the time in which duplicates are found.
    EventIdsAreUnique,
    /// Issue without a project, or of another than its id says.
    IssuesHaveProjects,
    /// Table and the issue that it has rows of, though it is not there.
    RowsHaveIssues,
    /// Event whose issue is not there, or of another project.
    EventsHaveIssues,
    /// Reads every frame: checksum, project and event id.
    PayloadsExist,
    /// Issue whose last event is before its first.
    FirstIsBeforeLast,
    /// Issue whose first and last are not of its events. Only while all of them are stored.
    FirstAndLastAreOfEvents,
    /// Tag key, issue, its count, the sum of its values' and of the rest.
    TagValuesSumToTaggedEvents,
    /// Event beyond the committed length of its segment: the database's side of I-08.
    SegmentsHoldWhatIsCommitted,
    /// Segment, its length, the bytes that events are in, those that are counted as dead.
    SegmentsAreLiveOrDead,
    /// Project, received, category, hour, ended. What clients say they threw away was never
    /// received.
    WhatWasReceivedHasEnded,
    /// Key of another organization than its project.
    KeysAreOfTheirProjects,
    /// Table and the one that it points at, for every foreign key, among them all that carry an
    /// organization along.
    ReferencesHold,
    /// Organization without an owner.
    OrganizationsHaveOwners,
    /// Personal organization that others are in.
    PersonalOrganizationsAreAlone,
    /// Nothing to name: the schema differs from the one that the migrations made.
    SchemaIsAsMigrated,
}

impl Check {
    /// All, in the order of the invariants.
    pub(crate) const ALL: [Self; 21] = [
        Self::CountedIsStoredAndEvicted,
        Self::StoredCountsAreRows,
        Self::IssuesSumToOutcomes,
        Self::HoursSumToEvents,
        Self::ProjectHoursSumToAccepted,
        Self::EventIdsAreUnique,
        Self::IssuesHaveProjects,
        Self::RowsHaveIssues,
        Self::EventsHaveIssues,
        Self::PayloadsExist,
        Self::FirstIsBeforeLast,
        Self::FirstAndLastAreOfEvents,
        Self::TagValuesSumToTaggedEvents,
        Self::SegmentsHoldWhatIsCommitted,
        Self::SegmentsAreLiveOrDead,
        Self::WhatWasReceivedHasEnded,
        Self::KeysAreOfTheirProjects,
        Self::ReferencesHold,
        Self::OrganizationsHaveOwners,
        Self::PersonalOrganizationsAreAlone,
        Self::SchemaIsAsMigrated,
    ];

    /// The invariant, and what is told of a row that breaks it: its columns fill the blanks.
    const fn rule(self) -> (&'static str, &'static str) {
        match self {
            Self::CountedIsStoredAndEvicted => (
                "I-01",
                "issue {} counts {} events, but {} are stored and {} evicted",
            ),
            Self::StoredCountsAreRows => (
                "I-01",
                "issue {} has a wrong number of events in partition {}",
            ),
            Self::IssuesSumToOutcomes => {
                ("I-02", "project {} accepted {} events, its issues count {}")
            }
            Self::HoursSumToEvents => ("I-03", "issue {} counts {} events, its hours {}"),
            Self::ProjectHoursSumToAccepted => {
                ("I-03", "project {} accepted {} events, its hours {}")
            }
            Self::EventIdsAreUnique => ("I-04", "event {} is in partitions {} and {}"),
            Self::IssuesHaveProjects => ("I-05", "issue {} is of no project"),
            Self::RowsHaveIssues => ("I-05", "{} has rows of issue {}, which is not there"),
            Self::EventsHaveIssues => ("I-05", "event {} is of no issue of its project"),
            Self::PayloadsExist => ("I-05", "{}"),
            Self::FirstIsBeforeLast => ("I-06", "issue {} was seen last before it was seen first"),
            Self::FirstAndLastAreOfEvents => (
                "I-06",
                "issue {} was not seen first or last when its events happened",
            ),
            Self::TagValuesSumToTaggedEvents => {
                ("I-07", "tag {} of issue {} has {} events, its values {}")
            }
            Self::SegmentsHoldWhatIsCommitted => ("I-08", "event {} lies beyond its segment"),
            Self::SegmentsAreLiveOrDead => (
                "I-08",
                "segment {} has {} bytes, of which {} are alive and {} dead",
            ),
            Self::WhatWasReceivedHasEnded => (
                "I-09",
                "project {} received {} items ({}) in the hour from {time}, of which {} have ended",
            ),
            Self::KeysAreOfTheirProjects => {
                ("I-11", "key {} is of another organization than its project")
            }
            Self::ReferencesHold => (
                "I-11",
                "a row of {} points at a row of {} that is not there",
            ),
            Self::OrganizationsHaveOwners => ("I-12", "organization {} has no owner"),
            Self::PersonalOrganizationsAreAlone => {
                ("I-12", "personal organization {} is not its user's alone")
            }
            Self::SchemaIsAsMigrated => {
                ("I-13", "the schema is not the one that the migrations made")
            }
        }
    }

    /// What is told of a row with these columns.
    fn sentence(self, columns: &[Column]) -> String {
        let mut columns = columns.iter();
        let mut text = String::new();
        let mut rest = self.rule().1;
        while let Some((before, blank)) = rest.split_once('{') {
            text.push_str(before);
            let (name, after) = blank.split_once('}').unwrap_or((blank, ""));
            match (columns.next(), name) {
                (Some(Column::Number(micros)), "time") => text.push_str(&time(*micros)),
                (Some(column), _) => text.push_str(&column.to_string()),
                (None, _) => text.push('?'),
            }
            rest = after;
        }
        text + rest
    }
}

fn time(micros: i64) -> String {
    Timestamp::from_microsecond(micros).map_or_else(|_| micros.to_string(), |time| time.to_string())
}

/// A column of a row that breaks an invariant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Column {
    /// An id or a count.
    Number(i64),
    /// A name.
    Text(String),
    /// An id of an event or a key.
    Bytes(Vec<u8>),
}

impl Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => text.fmt(f),
            Self::Bytes(bytes) => hex::encode(bytes).fmt(f),
        }
    }
}

/// What has been found so far.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    report: FsckReport,
    found: u64,
}

impl Findings {
    /// Tells of a row that breaks an invariant.
    pub(crate) fn tell(&mut self, check: Check, columns: &[Column]) {
        self.found += 1;
        if self.found <= VIOLATIONS_TOLD_MAX {
            self.report.violations.push(Violation {
                invariant: check.rule().0,
                detail: check.sentence(columns),
            });
        }
    }

    /// Counts events whose payloads lie on other nodes.
    pub(crate) fn skip(&mut self, events: usize) {
        self.report.elsewhere += events as u64;
    }

    /// Notes that a check is through, whatever it has found.
    pub(crate) fn end(&mut self, check: Check) {
        let invariant = check.rule().0;
        if self.found > VIOLATIONS_TOLD_MAX {
            self.report.violations.push(Violation {
                invariant,
                detail: format!("and {} more like this", self.found - VIOLATIONS_TOLD_MAX),
            });
        }
        self.found = 0;
        if !self.report.checked.contains(&invariant) {
            self.report.checked.push(invariant);
        }
    }

    /// All that was found.
    pub(crate) fn report(self) -> FsckReport {
        self.report
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_fill_the_blanks_in_their_order() {
        let columns = [7, 3, 1].map(Column::Number);
        assert_eq!(
            Check::HoursSumToEvents.sentence(&columns),
            "issue 7 counts 3 events, its hours 1"
        );
        let columns = [
            Column::Number(1),
            Column::Number(5),
            Column::Text("error".to_owned()),
            Column::Number(1_795_176_000_000_000),
            Column::Number(4),
        ];
        assert_eq!(
            Check::WhatWasReceivedHasEnded.sentence(&columns),
            "project 1 received 5 items (error) in the hour from 2026-11-20T12:00:00Z, of which 4 \
             have ended"
        );
        assert_eq!(
            Check::EventsHaveIssues.sentence(&[Column::Bytes(vec![0xab; 2])]),
            "event abab is of no issue of its project"
        );
    }

    #[test]
    fn every_invariant_that_applies_is_checked() {
        let mut findings = Findings::default();
        for check in Check::ALL {
            findings.end(check);
        }
        let expected = (1..=13).filter(|number| *number != 10);
        let expected: Vec<String> = expected.map(|number| format!("I-{number:02}")).collect();
        assert_eq!(findings.report().checked, expected);
    }

    #[test]
    fn beyond_a_limit_violations_are_only_counted() {
        let told = |found: u64| {
            let mut findings = Findings::default();
            for _ in 0..found {
                findings.tell(Check::FirstIsBeforeLast, &[Column::Number(1)]);
            }
            findings.end(Check::FirstIsBeforeLast);
            let report = findings.report();
            let last = report.violations.last().unwrap().detail.clone();
            (report.violations.len(), last)
        };
        assert_eq!(told(1_000).0, 1_000);
        let (lines, last) = told(1_002);
        assert_eq!((lines, last.as_str()), (1_001, "and 2 more like this"));
    }
}
