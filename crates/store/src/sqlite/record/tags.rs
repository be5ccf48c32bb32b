//! Counts events by tag: most statements of a batch, so each is looked up once.

use std::collections::BTreeMap;

use copal_model::limits::{TAG_KEYS_PER_ISSUE_MAX, TAG_VALUES_PER_KEY_MAX};
use rusqlite::{CachedStatement, Transaction};

use crate::Result;

/// The statements that count tags.
pub(super) struct Tags<'a> {
    update_key: CachedStatement<'a>,
    count_keys: CachedStatement<'a>,
    insert_key: CachedStatement<'a>,
    update_value: CachedStatement<'a>,
    count_values: CachedStatement<'a>,
    insert_value: CachedStatement<'a>,
    extend_key: CachedStatement<'a>,
}

impl<'a> Tags<'a> {
    /// Prepares all statements.
    pub(super) fn new(tx: &'a Transaction<'_>) -> Result<Self> {
        Ok(Self {
            update_key: tx.prepare_cached(
                "update issue_tag_keys
                 set events = events + ?3
                 where issue_id = ?1
                   and key = ?2",
            )?,
            count_keys: tx.prepare_cached(
                "select count(*)
                 from issue_tag_keys
                 where issue_id = ?1",
            )?,
            insert_key: tx.prepare_cached(
                "insert into issue_tag_keys (issue_id, key, events, other, listed)
                 values (?1, ?2, ?3, 0, 0)",
            )?,
            update_value: tx.prepare_cached(
                "update issue_tags
                 set events = events + ?4
                 where issue_id = ?1
                   and key = ?2
                   and value = ?3",
            )?,
            count_values: tx.prepare_cached(
                "select listed
                 from issue_tag_keys
                 where issue_id = ?1
                   and key = ?2",
            )?,
            insert_value: tx.prepare_cached(
                "insert into issue_tags (issue_id, key, value, events)
                 values (?1, ?2, ?3, ?4)",
            )?,
            extend_key: tx.prepare_cached(
                "update issue_tag_keys
                 set listed = listed + ?3,
                     other = other + ?4
                 where issue_id = ?1
                   and key = ?2",
            )?,
        })
    }

    /// Counts events of an issue that have the key, by value.
    pub(super) fn add(
        &mut self,
        issue: i64,
        key: &str,
        values: &BTreeMap<&str, i64>,
    ) -> Result<()> {
        if !self.add_key(issue, key, values.values().sum())? {
            return Ok(());
        }
        let mut new = Vec::new();
        for (value, events) in values {
            if self.update_value.execute((issue, key, value, events))? == 0 {
                new.push((value, events));
            }
        }
        if new.is_empty() {
            return Ok(());
        }
        let listed: usize = self
            .count_values
            .query_one((issue, key), |row| row.get(0))?;
        let room = TAG_VALUES_PER_KEY_MAX.saturating_sub(listed).min(new.len());
        for (value, events) in &new[..room] {
            self.insert_value.execute((issue, key, value, events))?;
        }
        let other: i64 = new[room..].iter().map(|(_, events)| **events).sum();
        self.extend_key.execute((issue, key, room, other))?;
        Ok(())
    }

    /// Counts events that have the key; false when the issue has too many keys.
    fn add_key(&mut self, issue: i64, key: &str, events: i64) -> Result<bool> {
        if self.update_key.execute((issue, key, events))? > 0 {
            return Ok(true);
        }
        let keys: usize = self.count_keys.query_one((issue,), |row| row.get(0))?;
        if keys >= TAG_KEYS_PER_ISSUE_MAX {
            return Ok(false);
        }
        self.insert_key.execute((issue, key, events))?;
        Ok(true)
    }
}
