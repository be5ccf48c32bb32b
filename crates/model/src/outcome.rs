//! How every received item ended. Each item ends in exactly one outcome (invariant I-09).

/// What a quota or an outcome counts (SDK rate-limit categories).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Category {
    /// Events of every kind but transactions.
    Error,
    /// Performance data; not kept.
    Transaction,
    /// Files beside an event; counted, not kept yet.
    Attachment,
    /// Release health; not kept yet.
    Session,
    /// User feedback; not kept yet.
    Feedback,
    /// Cron check-ins; not kept yet.
    Monitor,
    /// Browser security reports; not kept yet.
    Security,
    /// Profiles; not kept.
    Profile,
    /// Session replays; not kept.
    Replay,
    /// Spans; not kept.
    Span,
    /// Structured logs; not kept.
    Log,
    /// Metrics; not kept.
    Metric,
    /// Anything else an SDK may send one day.
    Default,
}

impl Category {
    /// All categories.
    pub const ALL: [Self; 13] = [
        Self::Error,
        Self::Transaction,
        Self::Attachment,
        Self::Session,
        Self::Feedback,
        Self::Monitor,
        Self::Security,
        Self::Profile,
        Self::Replay,
        Self::Span,
        Self::Log,
        Self::Metric,
        Self::Default,
    ];

    /// The name in rate-limit headers, client reports and storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Transaction => "transaction",
            Self::Attachment => "attachment",
            Self::Session => "session",
            Self::Feedback => "feedback",
            Self::Monitor => "monitor",
            Self::Security => "security",
            Self::Profile => "profile",
            Self::Replay => "replay",
            Self::Span => "span",
            Self::Log => "log_item",
            Self::Metric => "trace_metric",
            Self::Default => "default",
        }
    }
}

/// How an item ended, with the reason where there is one to give.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// Recorded: counted in an issue.
    Accepted,
    /// Not wanted: by a filter, or of a kind that is not kept.
    Filtered(&'static str),
    /// Over a limit.
    RateLimited(&'static str),
    /// Could not be understood, or was a duplicate.
    Invalid(&'static str),
    /// Stopped because it would harm others.
    Abuse,
    /// Our fault: quarantined, to be looked at.
    Internal,
    /// Thrown away by the SDK, which told us so in a client report; the reason is the SDK's.
    ClientDiscard(String),
}

impl Outcome {
    /// The organization's plan had no room left in the month.
    pub const QUOTA: Self = Self::RateLimited("quota");
    /// The client key had reached its own limit.
    pub const KEY_LIMIT: Self = Self::RateLimited("key");

    /// The name in storage and in lists.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Filtered(_) => "filtered",
            Self::RateLimited(_) => "rate_limited",
            Self::Invalid(_) => "invalid",
            Self::Abuse => "abuse",
            Self::Internal => "internal",
            Self::ClientDiscard(_) => "client_discard",
        }
    }

    /// The reason; empty where the outcome says it all.
    pub fn reason(&self) -> &str {
        match self {
            Self::Filtered(why) | Self::RateLimited(why) | Self::Invalid(why) => why,
            Self::ClientDiscard(why) => why,
            Self::Accepted | Self::Abuse | Self::Internal => "",
        }
    }
}
