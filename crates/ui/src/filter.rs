//! What an issue list is narrowed to, and its query string.
//!
//! A link to a list can be kept for years, so an unknown value means the default and never an error.

use copal_model::{IssueStatus, Timestamp};
use jiff::SignedDuration;

use crate::urls;

/// What an issue list is narrowed to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IssueFilter {
    /// A query of [`copal_model::search`], as typed.
    pub query: String,
    /// Which statuses.
    pub status: StatusTab,
    /// The order.
    pub sort: Sort,
    /// Slug of the one project.
    pub project: Option<String>,
    /// The one environment.
    pub environment: Option<String>,
    /// Seen within this time.
    pub period: Period,
    /// Where the page before ended.
    pub cursor: Option<String>,
}

macro_rules! choice {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $value:literal, $label:literal;)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        pub enum $name { $($(#[$variant_doc])* $variant),* }

        impl $name {
            /// All of them, in the order shown.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The value in the query string.
            pub const fn value(self) -> &'static str {
                match self { $(Self::$variant => $value),* }
            }

            /// The words on the page.
            pub const fn label(self) -> &'static str {
                match self { $(Self::$variant => $label),* }
            }

            /// The one with this value; the default where there is none.
            pub fn from_value(value: &str) -> Self {
                Self::ALL.iter().copied().find(|one| one.value() == value).unwrap_or_default()
            }
        }
    };
}

choice!(
    /// Which statuses.
    StatusTab {
        /// Open issues.
        #[default]
        Open = "open", "Open";
        /// Resolved issues.
        Resolved = "resolved", "Resolved";
        /// Ignored issues.
        Ignored = "ignored", "Ignored";
        /// Issues of every status.
        All = "all", "All";
    }
);

choice!(
    /// The order, each from the highest down.
    Sort {
        /// By the latest event.
        #[default]
        LastSeen = "lastSeen", "Last seen";
        /// By the earliest event.
        FirstSeen = "firstSeen", "First seen";
        /// By the number of events.
        Events = "events", "Events";
        /// By the number of users.
        Users = "users", "Users";
    }
);

choice!(
    /// How far back.
    Period {
        /// One day.
        Day = "24h", "24 hours";
        /// Seven days.
        Week = "7d", "7 days";
        /// Fourteen days.
        #[default]
        TwoWeeks = "14d", "14 days";
        /// Thirty days.
        Month = "30d", "30 days";
        /// Ninety days.
        Quarter = "90d", "90 days";
        /// For ever.
        All = "all", "All time";
    }
);

impl StatusTab {
    /// The status it stands for; `None` for all.
    pub const fn status(self) -> Option<IssueStatus> {
        match self {
            Self::Open => Some(IssueStatus::Open),
            Self::Resolved => Some(IssueStatus::Resolved),
            Self::Ignored => Some(IssueStatus::Ignored),
            Self::All => None,
        }
    }
}

impl Period {
    /// How many hours it is long; `None` for all time.
    pub const fn hours(self) -> Option<i64> {
        match self {
            Self::Day => Some(24),
            Self::Week => Some(7 * 24),
            Self::TwoWeeks => Some(14 * 24),
            Self::Month => Some(30 * 24),
            Self::Quarter => Some(90 * 24),
            Self::All => None,
        }
    }

    /// When it began; `None` for all time.
    pub fn since(self, now: Timestamp) -> Option<Timestamp> {
        self.hours()
            .map(|hours| now - SignedDuration::from_hours(hours))
    }

    /// When the graphs of this period begin: all time is drawn as its last ninety days.
    pub fn graph_since(self, now: Timestamp) -> Timestamp {
        now - SignedDuration::from_hours(self.hours().unwrap_or(90 * 24))
    }
}

impl IssueFilter {
    /// Reads a query string's pairs; unknown names are left out, the last of a name counts.
    pub fn from_pairs<N: AsRef<str>, V: Into<String>>(
        pairs: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let mut filter = Self::default();
        for (name, value) in pairs {
            let value: String = value.into();
            let some = |value: String| Some(value).filter(|value| !value.is_empty());
            match name.as_ref() {
                "query" => filter.query = value,
                "status" => filter.status = StatusTab::from_value(&value),
                "sort" => filter.sort = Sort::from_value(&value),
                "project" => filter.project = some(value),
                "environment" => filter.environment = some(value),
                "period" => filter.period = Period::from_value(&value),
                "cursor" => filter.cursor = some(value),
                _ => {}
            }
        }
        filter
    }

    /// The query string with its `?`; empty where everything is as by default.
    pub fn to_query_string(&self) -> String {
        let default = Self::default();
        let pairs = [
            ("query", self.query.as_str()),
            (
                "status",
                changed(self.status, default.status, StatusTab::value),
            ),
            ("sort", changed(self.sort, default.sort, Sort::value)),
            ("project", self.project.as_deref().unwrap_or_default()),
            (
                "environment",
                self.environment.as_deref().unwrap_or_default(),
            ),
            (
                "period",
                changed(self.period, default.period, Period::value),
            ),
            ("cursor", self.cursor.as_deref().unwrap_or_default()),
        ];
        let pairs: Vec<String> = pairs
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| format!("{name}={}", urls::encoded(value)))
            .collect();
        if pairs.is_empty() {
            String::new()
        } else {
            format!("?{}", pairs.join("&"))
        }
    }

    /// The same from its first page on, with another status.
    #[must_use]
    pub fn with_status(&self, status: StatusTab) -> Self {
        Self {
            status,
            cursor: None,
            ..self.clone()
        }
    }

    /// The same at another place.
    #[must_use]
    pub fn at(&self, cursor: Option<String>) -> Self {
        Self {
            cursor,
            ..self.clone()
        }
    }

    /// Whether anything but status, order and place is narrowed.
    pub fn is_narrowed(&self) -> bool {
        !self.query.trim().is_empty() || self.project.is_some() || self.environment.is_some()
    }
}

fn changed<T: PartialEq + Copy>(
    value: T,
    default: T,
    text: impl Fn(T) -> &'static str,
) -> &'static str {
    if value == default { "" } else { text(value) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_needs_no_query_string() {
        assert_eq!(IssueFilter::default().to_query_string(), "");
    }

    #[test]
    fn reads_back_what_it_writes() {
        let pairs = [
            ("query", "a:b c"),
            ("status", "all"),
            ("sort", "users"),
            ("project", "shop"),
            ("environment", "prod&x"),
            ("period", "90d"),
            ("cursor", "0:1"),
        ];
        let filter = IssueFilter::from_pairs(pairs);
        assert_eq!(
            filter.to_query_string(),
            "?query=a%3Ab%20c&status=all&sort=users&project=shop&environment=prod%26x&period=90d&cursor=0%3A1"
        );
        assert_eq!(filter.with_status(StatusTab::Open).cursor, None);
    }

    #[test]
    fn unknown_values_mean_the_default() {
        let filter =
            IssueFilter::from_pairs([("status", "lost"), ("colour", "red"), ("project", "")]);
        assert_eq!(filter, IssueFilter::default());
    }
}
