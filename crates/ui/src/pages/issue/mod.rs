//! Issues: the list, and one with its events.

mod list;
mod show;

use copal_model::{Issue, IssueStatus, Level};

pub use self::list::{Emptiness, List, ProjectOption, Row, TabCounts};
pub use self::show::{Show, StackMode, TagView};
use crate::icon::Icon;

pub(crate) fn level_icon(level: Level) -> Icon {
    match level {
        Level::Fatal => Icon::Fatal,
        Level::Error => Icon::Error,
        Level::Warning => Icon::Warning,
        Level::Info => Icon::Info,
        Level::Debug => Icon::Debug,
    }
}

pub(crate) fn status_word(status: IssueStatus) -> &'static str {
    match status {
        IssueStatus::Open => "Open",
        IssueStatus::Resolved => "Resolved",
        IssueStatus::Ignored => "Ignored",
    }
}

/// The title without its type: `division by zero` of `ZeroDivisionError: division by zero`.
pub(crate) fn title_value(issue: &Issue) -> &str {
    match &issue.error_type {
        Some(kind) => issue
            .title
            .strip_prefix(kind.as_str())
            .map_or(issue.title.as_str(), |rest| {
                rest.strip_prefix(": ").unwrap_or(rest)
            }),
        None => "",
    }
}
