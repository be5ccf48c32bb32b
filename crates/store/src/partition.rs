//! Partitions of stored events: one per day received and retention class, each a table.

/// A partition and the day of its events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Partition {
    /// Days since 1970-01-01, UTC.
    pub(crate) day: i64,
    /// Its row.
    pub(crate) id: i64,
}

impl Partition {
    /// The name of its table.
    pub(crate) fn table(self) -> String {
        table(self.id)
    }
}

/// The name of a partition's table.
pub(crate) fn table(id: i64) -> String {
    format!("events_p{id}")
}
