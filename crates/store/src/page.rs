//! Pages of lists, by opaque cursor.

use copal_model::limits::{PAGE_ROWS_DEFAULT, PAGE_ROWS_MAX};

/// Which part of a list is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest {
    /// Where the last page ended, as [`Page::next`] gave it; `None` for the first page.
    pub cursor: Option<String>,
    /// Rows wanted, `1..=100`.
    pub limit: usize,
}

impl PageRequest {
    /// The first page, with `limit` rows brought into `1..=100`.
    pub fn first(limit: usize) -> Self {
        Self {
            cursor: None,
            limit: limit.clamp(1, PAGE_ROWS_MAX),
        }
    }
}

impl Default for PageRequest {
    fn default() -> Self {
        Self::first(PAGE_ROWS_DEFAULT)
    }
}

/// One part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows, in order.
    pub rows: Vec<T>,
    /// The cursor of the next page; `None` at the end.
    pub next: Option<String>,
}

impl<T> Default for Page<T> {
    /// Nothing, and nothing after it.
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            next: None,
        }
    }
}

impl<T> Page<T> {
    /// A page of the first `limit` of `rows`, of which one more was asked for, so that it is known
    /// whether there is a next page.
    pub(crate) fn of(mut rows: Vec<T>, limit: usize, cursor: impl FnOnce(&T) -> String) -> Self {
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| more).map(cursor);
        Self { rows, next }
    }

    /// The same page with other rows.
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Page<U> {
        Page {
            rows: self.rows.into_iter().map(f).collect(),
            next: self.next,
        }
    }
}
