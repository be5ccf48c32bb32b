//! The issue list.

use askama::Template;
use copal_model::search::QueryError;
use copal_model::{Issue, Timestamp};

use super::{level_icon, status_word, title_value};
use crate::filter::{IssueFilter, Period, Sort, StatusTab};
use crate::filters;
use crate::form::Permission;
use crate::format::Age;
use crate::icon::Icon;
use crate::nav::{CSRF_FIELD, Nav, NavItem};
use crate::search_help::{EXAMPLES, IS, KEYS, LEVELS};
use crate::trend::Trend;
use crate::urls;

/// `/o/{org}/issues`.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/issue/list.html")]
pub struct List {
    /// What is around the page.
    pub nav: Nav,
    /// What the list is narrowed to.
    pub filter: IssueFilter,
    /// Projects to choose from.
    pub projects: Vec<ProjectOption>,
    /// Environments to choose from.
    pub environments: Vec<String>,
    /// How many issues of the organization have each status, whatever the filter.
    pub counts: TabCounts,
    /// One page of issues.
    pub rows: Vec<Row>,
    /// Cursor of the next page; `None` at the end.
    pub next_cursor: Option<String>,
    /// What is wrong with the query, and where.
    pub query_error: Option<QueryError>,
    /// Why there may be nothing to see.
    pub emptiness: Emptiness,
    /// Whether the viewer may resolve and ignore.
    pub may_triage: Permission,
    /// Whether the viewer may create a project.
    pub may_create_project: Permission,
}

/// A project to choose.
#[derive(Debug, Clone)]
pub struct ProjectOption {
    /// Its slug.
    pub slug: String,
    /// Its name.
    pub name: String,
}

/// How many issues have each status.
#[derive(Debug, Clone, Copy, Default)]
pub struct TabCounts {
    /// Open issues.
    pub open: u64,
    /// Resolved issues.
    pub resolved: u64,
    /// Ignored issues.
    pub ignored: u64,
}

/// Why a list may be empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Emptiness {
    /// The organization has no project.
    NoProject,
    /// No project has had an event; the slug of the project whose guide helps.
    NoEvent(String),
    /// There are issues, but none like this.
    NothingMatches,
}

/// An issue in the list.
#[derive(Debug, Clone)]
pub struct Row {
    /// The issue.
    pub issue: Issue,
    /// Name of its project.
    pub project_name: String,
    /// Its events over the chosen period.
    pub trend: Trend,
}

impl TabCounts {
    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "templates pass references"
    )]
    fn of(self, tab: &StatusTab) -> u64 {
        match tab {
            StatusTab::Open => self.open,
            StatusTab::Resolved => self.resolved,
            StatusTab::Ignored => self.ignored,
            StatusTab::All => self.open + self.resolved + self.ignored,
        }
    }
}

impl Row {
    fn path(&self, org: &str) -> String {
        urls::issue(org, &self.issue.short_id.to_string())
    }

    /// How long the issue has been known.
    fn age(&self, now: &Timestamp) -> String {
        Age::between(self.issue.first_seen, *now).span()
    }

    fn level_icon(&self) -> Icon {
        level_icon(self.issue.level)
    }

    fn status_word(&self) -> &'static str {
        status_word(self.issue.status)
    }

    fn title_value(&self) -> &str {
        title_value(&self.issue)
    }
}

impl List {
    fn link(&self, filter: &IssueFilter) -> String {
        format!(
            "{}{}",
            urls::issues(self.nav.org_slug()),
            filter.to_query_string()
        )
    }

    /// This page.
    fn here(&self) -> String {
        self.link(&self.filter)
    }

    /// The same list with another query, from its first page on.
    fn query_link(&self, query: &str) -> String {
        self.link(&IssueFilter {
            query: query.to_owned(),
            cursor: None,
            ..self.filter.clone()
        })
    }

    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "templates pass references"
    )]
    fn tab_link(&self, tab: &StatusTab) -> String {
        self.link(&self.filter.with_status(*tab))
    }

    fn first_link(&self) -> String {
        self.link(&self.filter.at(None))
    }

    fn next_link(&self) -> String {
        self.link(&self.filter.at(self.next_cursor.clone()))
    }

    /// The status of a row is told where the list may hold others.
    fn shows_status(&self, row: &Row) -> bool {
        let is_default = self.filter.status.status() == Some(row.issue.status);
        !is_default || !self.filter.query.is_empty()
    }

    fn is_project(&self, option: &ProjectOption) -> bool {
        self.filter.project.as_ref() == Some(&option.slug)
    }

    fn is_environment(&self, name: &str) -> bool {
        self.filter.environment.as_deref() == Some(name)
    }

    /// The query up to the place of its error.
    fn query_before(&self) -> String {
        self.filter.query.chars().take(self.error_place()).collect()
    }

    /// The query from the place of its error on.
    fn query_after(&self) -> String {
        self.filter.query.chars().skip(self.error_place()).collect()
    }

    fn error_place(&self) -> usize {
        self.query_error
            .as_ref()
            .map_or(0, |error| error.column.saturating_sub(1))
    }
}
