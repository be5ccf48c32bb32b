//! What was recorded of issues and projects, and goes with them.

/// Tables of what issues own, by `issue_id`.
pub(crate) const ISSUE_TABLES: [&str; 9] = [
    "groupings",
    "issue_hashes",
    "issue_hours",
    "issue_users",
    "issue_tag_keys",
    "issue_tags",
    "issue_terms",
    "issue_partitions",
    "outbox",
];

/// Tables of what projects own besides, by `project_id`.
pub(crate) const PROJECT_TABLES: [&str; 5] = [
    "outcomes",
    "project_environments",
    "project_hours",
    "quarantine",
    "received",
];
