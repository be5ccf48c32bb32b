//! How a page of issues is put together, whatever the engine: from each project and status the
//! first few in order, then the first of these.

use copal_model::search::Condition;
use copal_model::{Issue, IssueStatus};

use super::{IssueQuery, IssueSort};
use crate::{Error, Page, Result};

const STATUSES: [IssueStatus; 3] = [
    IssueStatus::Open,
    IssueStatus::Resolved,
    IssueStatus::Ignored,
];

/// An issue's place in an order, and the issue.
pub(crate) type Key = (i64, i64);

/// The statuses to look into one by one, as the index by the latest event has them; `None` where
/// the index of the order does not tell them apart.
pub(crate) fn statuses(query: &IssueQuery) -> Vec<Option<IssueStatus>> {
    if query.sort != IssueSort::LastSeen {
        return vec![None];
    }
    let mut terms = query.query.terms.iter();
    let asked = terms.find_map(|term| match term.condition {
        Condition::Status(status) if !term.is_negated => Some(status),
        _ => None,
    });
    match asked {
        Some(status) => vec![Some(status)],
        None => STATUSES.map(Some).to_vec(),
    }
}

/// The column that an order goes by.
pub(crate) const fn sort_column(sort: IssueSort) -> &'static str {
    match sort {
        IssueSort::LastSeen => "last_seen",
        IssueSort::FirstSeen => "first_seen",
        IssueSort::Events => "events_count",
        IssueSort::Users => "users_affected",
    }
}

/// The page of the highest of `keys`, of which each project and status has given one more than
/// `limit`, if it has so many.
pub(crate) fn page_of(mut keys: Vec<Key>, limit: usize) -> Page<Key> {
    keys.sort_unstable_by(|a, b| b.cmp(a));
    Page::of(keys, limit, |key| cursor(*key))
}

/// A key as the cursor of the page after it.
pub(crate) fn cursor((key, id): Key) -> String {
    format!("{key}.{id}")
}

/// The issues of a page, in its order; those that are not there any more are left out.
pub(crate) fn in_order(page: Page<Key>, mut issues: Vec<Issue>) -> Page<Issue> {
    let place = |issue: &Issue| {
        page.rows
            .iter()
            .position(|(_, id)| *id == issue.id.to_i64())
    };
    issues.sort_by_cached_key(place);
    Page {
        rows: issues,
        next: page.next,
    }
}

/// The key that a cursor names.
pub(crate) fn parse_cursor(cursor: &str) -> Result<Key> {
    let read = || {
        let (key, id) = cursor.split_once('.')?;
        Some((key.parse().ok()?, id.parse().ok()?))
    };
    read().ok_or(Error::BadCursor)
}
