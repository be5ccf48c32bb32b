//! An organization: its dashboard and its members.

use askama::Template;
use copal_model::{Member, Organization, Project};

use crate::filters;
use crate::form::Permission;
use crate::icon::Icon;
use crate::nav::{CSRF_FIELD, Nav, NavItem};
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
    /// Its projects, by name.
    pub projects: Vec<ProjectCard>,
    /// Whether the viewer may create a project.
    pub may_create_project: Permission,
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
    pub members: Vec<Member>,
}
