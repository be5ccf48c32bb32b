//! Counts events by tag: most statements of a batch, so each is looked up once.

use copal_model::IssueId;
use rusqlite::{CachedStatement, Transaction};

use crate::Result;
use crate::record::plan::IssueTally;
use crate::record::tags::{Listed, TagKey, counted};
use crate::sqlite::Columns;

/// The statements that count tags.
pub(super) struct Tags<'a> {
    list_keys: CachedStatement<'a>,
    update_value: CachedStatement<'a>,
    insert_value: CachedStatement<'a>,
    add_key: CachedStatement<'a>,
}

impl<'a> Tags<'a> {
    /// Prepares all statements.
    pub(super) fn new(tx: &'a Transaction<'_>) -> Result<Self> {
        Ok(Self {
            list_keys: tx.prepare_cached(
                "select key, listed
                 from issue_tag_keys
                 where issue_id = ?1",
            )?,
            update_value: tx.prepare_cached(
                "update issue_tags
                 set events = events + ?4
                 where issue_id = ?1
                   and key = ?2
                   and value = ?3",
            )?,
            insert_value: tx.prepare_cached(
                "insert into issue_tags (issue_id, key, value, events)
                 values (?1, ?2, ?3, ?4)",
            )?,
            add_key: tx.prepare_cached(
                "insert into issue_tag_keys (issue_id, key, events, other, listed)
                 values (?1, ?2, ?3, ?4, ?5)
                 on conflict (issue_id, key)
                 do update set events = events + excluded.events,
                     other = other + excluded.other,
                     listed = listed + excluded.listed",
            )?,
        })
    }

    /// Counts events of an issue by tag.
    pub(super) fn add(&mut self, issue: IssueId, tally: &IssueTally<'_>) -> Result<()> {
        if tally.tags.is_empty() {
            return Ok(());
        }
        let known = self.known(issue)?;
        for key in counted(issue, tally, &known) {
            self.add_key(&key)?;
        }
        Ok(())
    }

    fn known(&mut self, issue: IssueId) -> Result<Listed> {
        let rows = self.list_keys.query_and_then((issue.to_i64(),), |row| {
            let columns = Columns::new("issue_tag_keys", row);
            Ok((columns.get("key")?, columns.get("listed")?))
        })?;
        rows.collect()
    }

    fn add_key(&mut self, key: &TagKey<'_>) -> Result<()> {
        let issue = key.issue.to_i64();
        let mut new = Vec::new();
        for (value, events) in &key.values {
            let updated = self.update_value.execute((issue, key.key, value, events))?;
            if updated == 0 {
                new.push((*value, *events));
            }
        }
        let new = key.list(new);
        for (value, events) in &new.listed {
            self.insert_value.execute((issue, key.key, value, events))?;
        }
        self.add_key
            .execute((issue, key.key, key.events(), new.other, new.listed.len()))?;
        Ok(())
    }
}
