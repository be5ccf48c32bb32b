//! What plans allow, and how much of it is used: the one place that knows the limits of a plan.

use std::fmt;

use jiff::civil::Date;
use jiff::tz::Offset;

use crate::limits::PROJECTS_PER_ORG_MAX;
use crate::{Plan, Timestamp};

/// Percent of a month's events from which on owners are warned.
pub const USAGE_WARN_PERCENT: u64 = 80;

/// What the organizations of each plan may use. Configuration; these are the defaults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plans {
    /// Limits of `FREE`.
    pub free: PlanLimits,
    /// Limits of `PRO`.
    pub pro: PlanLimits,
    /// Limits of `ENTERPRISE`.
    pub enterprise: PlanLimits,
}

/// What an organization of one plan may use; `None` = as much as it likes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlanLimits {
    /// Events recorded in one calendar month (UTC).
    pub events_per_month: Option<u64>,
    /// Days that events are kept.
    pub retention_days: u16,
    /// Projects at the same time.
    pub projects: Option<u32>,
    /// Members at the same time.
    pub members: Option<u32>,
}

impl Default for Plans {
    fn default() -> Self {
        Self {
            free: PlanLimits {
                events_per_month: Some(1_000_000),
                retention_days: 30,
                projects: Some(100),
                members: Some(50),
            },
            pro: PlanLimits {
                events_per_month: Some(10_000_000),
                retention_days: 90,
                projects: Some(1_000),
                members: Some(500),
            },
            enterprise: PlanLimits {
                events_per_month: None,
                retention_days: 365,
                projects: None,
                members: None,
            },
        }
    }
}

impl Plans {
    /// The limits of a plan.
    pub const fn of(&self, plan: Plan) -> &PlanLimits {
        match plan {
            Plan::Free => &self.free,
            Plan::Pro => &self.pro,
            Plan::Enterprise => &self.enterprise,
        }
    }

    /// The limits of a plan, to be changed.
    pub const fn of_mut(&mut self, plan: Plan) -> &mut PlanLimits {
        match plan {
            Plan::Free => &mut self.free,
            Plan::Pro => &mut self.pro,
            Plan::Enterprise => &mut self.enterprise,
        }
    }
}

impl PlanLimits {
    /// Projects at the same time, with the limit that holds for every plan.
    pub fn projects_max(&self) -> u32 {
        self.projects.map_or(PROJECTS_PER_ORG_MAX, |limit| {
            limit.min(PROJECTS_PER_ORG_MAX)
        })
    }
}

/// A calendar month in UTC: what events of a plan are counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month {
    year: i16,
    month: i8,
}

impl Month {
    /// The month that a time is in.
    pub fn of(time: Timestamp) -> Self {
        let date = Offset::UTC.to_datetime(time).date();
        Self {
            year: date.year(),
            month: date.month(),
        }
    }

    /// As it is stored: months since the year 0, so that numbers sort as months do.
    pub fn number(self) -> i64 {
        i64::from(self.year) * 12 + i64::from(self.month) - 1
    }

    /// The first moment of the next month, when the count begins again.
    pub fn renews_at(self) -> Timestamp {
        let (year, month) = match self.month {
            12 => (self.year.saturating_add(1), 1),
            month => (self.year, month + 1),
        };
        let first = Date::new(year, month, 1)
            .and_then(|date| Offset::UTC.to_timestamp(date.at(0, 0, 0, 0)));
        first.unwrap_or(Timestamp::MAX)
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

/// How much of its plan an organization uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage {
    /// The plan.
    pub plan: Plan,
    /// What it allows.
    pub limits: PlanLimits,
    /// The month that events are counted in.
    pub month: Month,
    /// Events recorded in the month.
    pub events: u64,
    /// Events refused in the month because there was no room for them.
    pub events_refused: u64,
    /// Projects now.
    pub projects: u32,
    /// Members now.
    pub members: u32,
}

/// How near to its limit of events an organization is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UsageLevel {
    /// There is room.
    Fine,
    /// Most of it is used.
    Near,
    /// All of it is used: events are refused.
    Full,
}

impl UsageLevel {
    /// The level of so many events under a limit.
    pub fn of(events: u64, limit: Option<u64>) -> Self {
        match limit {
            Some(limit) if events >= limit => Self::Full,
            Some(limit)
                if u128::from(events) * 100
                    >= u128::from(limit) * u128::from(USAGE_WARN_PERCENT) =>
            {
                Self::Near
            }
            _ => Self::Fine,
        }
    }
}

impl Usage {
    /// Events that can still be recorded this month; `None` = any number.
    pub fn events_left(&self) -> Option<u64> {
        let limit = self.limits.events_per_month?;
        Some(limit.saturating_sub(self.events))
    }

    /// How near to its limit of events the organization is.
    pub fn level(&self) -> UsageLevel {
        UsageLevel::of(self.events, self.limits.events_per_month)
    }

    /// When the events are counted from nothing again.
    pub fn renews_at(&self) -> Timestamp {
        self.month.renews_at()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_month_ends_where_the_next_begins() {
        for (time, month, renews_at) in [
            (
                "2026-11-30T23:59:59.999999Z",
                "2026-11",
                "2026-12-01T00:00:00Z",
            ),
            ("2026-12-01T00:00:00Z", "2026-12", "2027-01-01T00:00:00Z"),
            ("2028-02-29T12:00:00Z", "2028-02", "2028-03-01T00:00:00Z"),
        ] {
            let found = Month::of(at(time));
            assert_eq!(found.to_string(), month);
            assert_eq!(found.renews_at(), at(renews_at));
            assert_eq!(Month::of(found.renews_at()).number(), found.number() + 1);
        }
        assert_eq!(Month::of(Timestamp::MAX).renews_at(), Timestamp::MAX);
    }

    #[test]
    fn owners_are_warned_at_four_fifths_and_at_the_limit() {
        for (events, limit, expected) in [
            (79, Some(100), UsageLevel::Fine),
            (80, Some(100), UsageLevel::Near),
            (99, Some(100), UsageLevel::Near),
            (100, Some(100), UsageLevel::Full),
            (0, Some(0), UsageLevel::Full),
            (u64::MAX - 1, Some(u64::MAX), UsageLevel::Near),
            (u64::MAX, None, UsageLevel::Fine),
        ] {
            assert_eq!(
                UsageLevel::of(events, limit),
                expected,
                "{events} of {limit:?}"
            );
        }
    }

    #[test]
    fn no_plan_allows_more_projects_than_the_data_model() {
        let plans = Plans::default();
        assert_eq!(
            plans.of(Plan::Enterprise).projects_max(),
            PROJECTS_PER_ORG_MAX
        );
        assert_eq!(plans.of(Plan::Free).projects_max(), 100);
    }
}
