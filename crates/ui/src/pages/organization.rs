//! An organization: its dashboard, its members and its settings.

mod plan;
mod settings;

pub use plan::PlanAndUse;
pub use settings::{DeletedProject, Settings};

use askama::Template;
use copal_model::policy::document;
use copal_model::{Issue, Member, Organization, Project, Role, Timestamp};

use crate::filter::IssueFilter;
use crate::filters;
use crate::form::Permission;
use crate::icon::Icon;
use crate::nav::{CSRF_FIELD, Nav, NavItem};
use crate::pages::issue::{level_icon, title_value};
use crate::trend::Trend;
use crate::urls;

/// `/o/{org}`: the projects and what goes on in them.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/organization/dashboard.html")]
pub struct Dashboard {
    /// What is around the page.
    pub nav: Nav,
    /// The organization.
    pub org: Organization,
    /// What needs somebody now; empty while there is no project.
    pub attention: Vec<Attention>,
    /// Its projects, by name.
    pub projects: Vec<ProjectCard>,
    /// Whether the viewer may create a project.
    pub may_create_project: Permission,
}

/// Issues that need somebody for the same reason.
#[derive(Debug, Clone)]
pub struct Attention {
    /// The reason.
    pub title: &'static str,
    /// What to say when there are none.
    pub nothing: &'static str,
    /// The list that begins with these.
    pub filter: IssueFilter,
    /// The first few.
    pub lines: Vec<IssueLine>,
}

/// An issue in one line, with the number or time that counts here.
#[derive(Debug, Clone)]
pub struct IssueLine {
    issue: Issue,
    note: Note,
}

#[derive(Debug, Clone, Copy)]
enum Note {
    Seen(Timestamp),
    Events(u64),
}

/// A project on the dashboard.
#[derive(Debug, Clone)]
pub struct ProjectCard {
    /// The project.
    pub project: Project,
    /// Its open issues.
    pub open_issues: u64,
    /// Events received in the last 24 hours.
    pub events_day: u64,
    /// Events of the last 14 days, a bar a day.
    pub trend: Trend,
}

impl IssueLine {
    /// An issue with when it was last seen.
    pub fn seen(issue: Issue) -> Self {
        let note = Note::Seen(issue.last_seen);
        Self { issue, note }
    }

    /// An issue with when it was first seen.
    pub fn new_since(issue: Issue) -> Self {
        let note = Note::Seen(issue.first_seen);
        Self { issue, note }
    }

    /// An issue with its events in the time that the group is about.
    pub fn with_events(issue: Issue, events: u64) -> Self {
        let note = Note::Events(events);
        Self { issue, note }
    }

    fn path(&self, org: &str) -> String {
        urls::issue(org, &self.issue.short_id.to_string())
    }

    fn level_icon(&self) -> Icon {
        level_icon(self.issue.level)
    }

    fn title_value(&self) -> &str {
        title_value(&self.issue)
    }
}

impl Attention {
    fn link(&self, org: &str) -> String {
        format!("{}{}", urls::issues(org), self.filter.to_query_string())
    }
}

impl ProjectCard {
    fn platform_name(&self) -> &str {
        let slug = self.project.platform.as_deref().unwrap_or_default();
        crate::platforms::Platform::find(slug).map_or(slug, |platform| platform.name)
    }
}

/// `/o/{org}/members`.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/organization/members.html")]
pub struct Members {
    /// What is around the page.
    pub nav: Nav,
    /// The organization.
    pub org: Organization,
    /// Its members, by role and name.
    pub members: Vec<MemberRow>,
    /// Whether the viewer may see the members' addresses.
    pub may_read_emails: Permission,
    /// Whether the viewer may leave.
    pub may_leave: Permission,
}

/// A member, and what the viewer may do with the membership.
#[derive(Debug, Clone)]
pub struct MemberRow {
    /// The membership.
    pub member: Member,
    /// Roles that the viewer may give, the present one among them.
    pub roles: Vec<Role>,
    /// Whether the viewer may remove the member; never themselves.
    pub may_remove: bool,
    /// It is the viewer.
    pub is_self: bool,
}

impl MemberRow {
    fn has_choice(&self) -> bool {
        self.roles.iter().any(|role| *role != self.member.role)
    }

    fn role_path(&self, org: &str) -> String {
        urls::member_role(org, &self.member.user_id.to_string())
    }

    fn remove_path(&self, org: &str) -> String {
        urls::member_remove(org, &self.member.user_id.to_string())
    }
}

impl Members {
    /// Whether somebody can be removed by the viewer, so that the table has a column for it.
    fn removes(&self) -> bool {
        self.members.iter().any(|row| row.may_remove)
    }

    /// Each role, the least first, and what it may do beyond those before it.
    fn roles(&self) -> Vec<(&'static str, String)> {
        let rows = document::by_role(self.org.settings).into_iter();
        rows.enumerate()
            .map(|(place, (role, rules))| {
                let more = if place == 0 { "" } else { "all of that, and " };
                let labels: Vec<_> = rules.iter().map(|rule| rule.label).collect();
                (role.as_str(), format!("{more}{}", labels.join(", ")))
            })
            .collect()
    }
}
