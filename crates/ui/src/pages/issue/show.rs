//! An issue with one of its events.

use askama::Template;
use copal_model::{Issue, IssueStatus};

use super::{level_icon, status_word, title_value};
use crate::filter::Period;
use crate::filters;
use crate::form::Permission;
use crate::format::{percent, plural};
use crate::icon::Icon;
use crate::nav::{CSRF_FIELD, Nav, NavItem};
use crate::pages::event::{BreadcrumbView, EventView, FrameView};
use crate::pages::frames::{Folding, FrameRun, runs};
use crate::trend::Trend;
use crate::urls;

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
    /// Whether the viewer may see the event as JSON.
    pub may_read_raw: Permission,
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
