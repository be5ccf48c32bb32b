//! Issues: the list, and one with its events.

use askama::Template;
use copal_model::search::QueryError;
use copal_model::{Issue, IssueStatus, Level, Timestamp};

use crate::filter::{IssueFilter, Period, Sort, StatusTab};
use crate::filters;
use crate::form::Permission;
use crate::format::{Age, percent, plural};
use crate::icon::Icon;
use crate::nav::{CSRF_FIELD, Nav, NavItem};
use crate::pages::event::{BreadcrumbView, EventView, FrameView};
use crate::pages::frames::{Folding, FrameRun, runs};
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

/// `/o/{org}/issues/{issue}`, with one of its events.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/issue/show.html")]
pub struct Show {
    /// What is around the page.
    pub nav: Nav,
    /// The issue.
    pub issue: Issue,
    /// Name of its project.
    pub project_name: String,
    /// The period of graph and counts.
    pub period: Period,
    /// Its events over the period.
    pub trend: Trend,
    /// Its most frequent tags.
    pub tags: Vec<TagView>,
    /// The event shown; `None` where none is stored any more.
    pub event: Option<EventView>,
    /// How many days events are kept, for when none is.
    pub retention_days: u16,
    /// Which frames are shown.
    pub stack: StackMode,
    /// The page's address with its host, for copying.
    pub permalink: String,
    /// Whether the viewer may resolve and ignore.
    pub may_triage: Permission,
    /// Whether the viewer may delete the issue.
    pub may_delete: Permission,
}

/// A tag key and its most frequent values.
#[derive(Debug, Clone)]
pub struct TagView {
    /// The key.
    pub key: String,
    /// Events that have the key.
    pub total: u64,
    /// Values and their number of events, most frequent first.
    pub values: Vec<(String, u64)>,
}

/// Which frames of a stack trace are shown; `?stack=`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum StackMode {
    /// The application's; library frames are folded.
    #[default]
    App,
    /// All.
    Full,
    /// As plain text.
    Text,
}

impl StackMode {
    /// The mode of this name; the default where there is none.
    pub fn from_value(value: &str) -> Self {
        match value {
            "full" => Self::Full,
            "text" => Self::Text,
            _ => Self::App,
        }
    }

    /// All of them, in the order shown.
    pub const ALL: &'static [Self] = &[Self::App, Self::Full, Self::Text];

    /// The words on the page.
    pub const fn label(self) -> &'static str {
        match self {
            Self::App => "Application",
            Self::Full => "All frames",
            Self::Text => "Text",
        }
    }

    /// The name in the query string.
    pub const fn value(self) -> &'static str {
        match self {
            Self::App => "app",
            Self::Full => "full",
            Self::Text => "text",
        }
    }
}

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

impl TagView {
    /// Values with their share of the events that have the key, in percent.
    fn shares(&self) -> impl Iterator<Item = (&str, u64)> {
        let shares = self.values.iter().take(TAG_VALUES_SHOWN);
        shares.map(|(value, count)| (value.as_str(), percent(*count, self.total)))
    }
}

/// Values shown of each tag.
const TAG_VALUES_SHOWN: usize = 3;
/// Breadcrumbs shown at once; earlier ones fold.
const CRUMBS_SHOWN: usize = 20;
/// Tags shown at once; the others fold.
const TAGS_SHOWN: usize = 6;
/// Tags that come first: where and in which version it happens is asked first.
const TAGS_FIRST: [&str; 2] = ["environment", "release"];

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

impl Show {
    fn short_id(&self) -> String {
        self.issue.short_id.to_string()
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

    fn short_title(&self) -> String {
        self.issue.title.chars().take(TITLE_CHARS_SHOWN).collect()
    }

    fn runs<'a>(&self, frames: &'a [FrameView]) -> Vec<FrameRun<'a>> {
        let folding = match self.stack {
            StackMode::App => Folding::Fold,
            StackMode::Full | StackMode::Text => Folding::ShowAll,
        };
        runs(frames, folding)
    }

    /// The tags shown at once, the telling ones first; and the rest.
    fn common(&self) -> (Vec<&TagView>, Vec<&TagView>) {
        let place = |tag: &&TagView| {
            let named = TAGS_FIRST.iter().position(|key| *key == tag.key);
            let says_little = tag.values.len() < 2;
            (named.unwrap_or(TAGS_FIRST.len()), says_little)
        };
        let mut tags: Vec<_> = self.tags.iter().collect();
        tags.sort_by_key(place);
        let rest = tags.split_off(TAGS_SHOWN.min(tags.len()));
        (tags, rest)
    }

    /// The breadcrumbs that fold, and the latest, which are shown.
    fn crumbs(event: &EventView) -> (&[BreadcrumbView], &[BreadcrumbView]) {
        let crumbs = &event.breadcrumbs;
        crumbs.split_at(crumbs.len().saturating_sub(CRUMBS_SHOWN))
    }

    fn tags_folded(tags: &[&TagView]) -> String {
        let noun = plural(tags.len() as u64, "tag", "tags");
        format!("{} more {noun}", tags.len())
    }

    /// What the graph ends and begins with: `14 days ago`.
    fn graph_begin(&self) -> String {
        let period = match self.period {
            Period::All => Period::Quarter,
            other => other,
        };
        format!("{} ago", period.label())
    }

    /// Another event of the issue, seen in the same way.
    fn event_link(&self, event: &str) -> String {
        let path = urls::issue_event(self.nav.org_slug(), &self.short_id(), event);
        format!("{path}{}", view_query(self.period, self.stack))
    }

    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "templates pass references"
    )]
    fn period_link(&self, period: &Period) -> String {
        format!("{}{}", self.own_path(), view_query(*period, self.stack))
    }

    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "templates pass references"
    )]
    fn stack_link(&self, stack: &StackMode) -> String {
        format!("{}{}", self.own_path(), view_query(self.period, *stack))
    }

    /// The path of this page: of the event shown, unless it is the latest.
    fn own_path(&self) -> String {
        let (org, issue) = (self.nav.org_slug(), self.short_id());
        match self.event.as_ref().filter(|event| event.next.is_some()) {
            Some(event) => urls::issue_event(org, &issue, &event.id),
            None => urls::issue(org, &issue),
        }
    }
}

/// Characters of an issue's title in the browser's tab.
const TITLE_CHARS_SHOWN: usize = 80;

fn view_query(period: Period, stack: StackMode) -> String {
    format!("?period={}&stack={}", period.value(), stack.value())
}
