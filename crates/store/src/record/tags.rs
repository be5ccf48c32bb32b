//! Decides which tags of an issue are counted: keys and values have limits.

use std::collections::HashMap;

use copal_model::IssueId;
use copal_model::limits::{
    ENVIRONMENTS_PER_PROJECT_MAX, TAG_KEYS_PER_ISSUE_MAX, TAG_VALUES_PER_KEY_MAX,
};

use super::plan::IssueTally;

/// The tag keys of an issue, with how many distinct values are listed of each.
pub(crate) type Listed = HashMap<String, usize>;

/// Events of an issue that have a tag key, by value.
#[derive(Debug)]
pub(crate) struct TagKey<'a> {
    /// The issue.
    pub(crate) issue: IssueId,
    /// The key.
    pub(crate) key: &'a str,
    /// Values with their number of events, in order.
    pub(crate) values: Vec<(&'a str, i64)>,
    /// How many values are listed so far.
    listed: usize,
}

/// What becomes of values that are not listed yet.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NewValues<'a> {
    /// Those that there is room for.
    pub(crate) listed: Vec<(&'a str, i64)>,
    /// Events with the others.
    pub(crate) other: i64,
}

/// The keys of an issue that are counted: those that it has, and new ones in their order while
/// there is room.
pub(crate) fn counted<'a>(
    issue: IssueId,
    tally: &IssueTally<'a>,
    known: &Listed,
) -> Vec<TagKey<'a>> {
    let mut room = TAG_KEYS_PER_ISSUE_MAX.saturating_sub(known.len());
    let mut counted = Vec::with_capacity(tally.tags.len());
    for (key, values) in &tally.tags {
        let listed = match known.get(*key) {
            Some(listed) => *listed,
            None if room > 0 => {
                room -= 1;
                0
            }
            None => continue,
        };
        counted.push(TagKey {
            issue,
            key,
            values: values
                .iter()
                .map(|(value, events)| (*value, *events))
                .collect(),
            listed,
        });
    }
    counted
}

impl<'a> TagKey<'a> {
    /// Events that have the key.
    pub(crate) fn events(&self) -> i64 {
        self.values.iter().map(|(_, events)| events).sum()
    }

    /// Decides about those of the values, in their order, that are `new`.
    pub(crate) fn list(&self, mut new: Vec<(&'a str, i64)>) -> NewValues<'a> {
        let room = TAG_VALUES_PER_KEY_MAX.saturating_sub(self.listed);
        let rest = new.split_off(room.min(new.len()));
        NewValues {
            listed: new,
            other: rest.iter().map(|(_, events)| events).sum(),
        }
    }
}

/// Those of a project's `new` environments that are listed, when `listed` are so far.
pub(crate) fn environments<T>(mut new: Vec<T>, listed: usize) -> Vec<T> {
    new.truncate(ENVIRONMENTS_PER_PROJECT_MAX.saturating_sub(listed));
    new
}
