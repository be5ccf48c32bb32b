//! A project: making one, sending the first event, settings.

use askama::Template;
use copal_model::gate::RETENTION_CHOICES;
use copal_model::{ClientKey, LimitWindow, Project};

use crate::filters;
use crate::form::{Field, Permission};
use crate::icon::Icon;
use crate::nav::{CSRF_FIELD, Nav, NavItem};
use crate::platforms::{PLATFORMS, Platform};
use crate::urls;

/// `/o/{org}/projects/new`.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/project/new.html")]
pub struct New {
    /// What is around the page.
    pub nav: Nav,
    /// Field `name`.
    pub name: Field,
    /// Field `platform`: slug of one of [`PLATFORMS`]; empty where none is picked.
    pub platform: String,
    /// Whether the viewer may create a project.
    pub may_create: Permission,
}

/// `/o/{org}/projects/{project}/guide`: from nothing to the first event.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/project/guide.html")]
pub struct Guide {
    /// What is around the page.
    pub nav: Nav,
    /// The project.
    pub project: Project,
    /// The project's DSN; `None` where it has no active key or the viewer may not see it.
    pub dsn: Option<String>,
    /// Why there is no DSN to show; granted where there is.
    pub may_read_keys: Permission,
    /// The SDK whose lines are shown: of `?platform=`, else of the project, else the first.
    pub platform: &'static Platform,
    /// Whether an event has come.
    pub first_event: FirstEvent,
}

/// Whether the first event has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FirstEvent {
    /// Not yet; the page listens.
    Waiting,
    /// It has: the path of its issue.
    Arrived(String),
}

/// `/o/{org}/projects/{project}/settings`.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/project/settings.html")]
pub struct Settings {
    /// What is around the page.
    pub nav: Nav,
    /// The project.
    pub project: Project,
    /// Field `name`.
    pub name: Field,
    /// Field `allowed_origins`, one to a line.
    pub origins: Field,
    /// Days that the plan allows to keep events.
    pub plan_retention_days: u16,
    /// Its client keys, oldest first.
    pub keys: Vec<KeyRow>,
    /// Field `label` of the form that makes a key.
    pub label: Field,
    /// Field `confirm` of the form that deletes the project.
    pub confirm: Field,
    /// Whether the viewer may change the project.
    pub may_write: Permission,
    /// Whether the viewer may see the keys.
    pub may_read_keys: Permission,
    /// Whether the viewer may change the keys.
    pub may_write_keys: Permission,
    /// Whether the viewer may delete the project.
    pub may_delete: Permission,
}

/// A client key in the list.
#[derive(Debug, Clone)]
pub struct KeyRow {
    /// The key.
    pub key: ClientKey,
    /// The DSN with it.
    pub dsn: String,
}

impl Guide {
    fn steps(&self) -> Vec<crate::platforms::Step> {
        self.platform
            .steps(self.dsn.as_deref().unwrap_or("YOUR_DSN"))
    }

    fn is_picked(&self, platform: &Platform) -> bool {
        self.platform.slug == platform.slug
    }
}

impl New {
    fn is_picked(&self, platform: &Platform) -> bool {
        self.platform == platform.slug
    }
}

impl Settings {
    /// Days that may be chosen to keep events, and whether they are.
    fn retention_choices(&self) -> impl Iterator<Item = (u16, bool)> {
        let (most, chosen) = (self.plan_retention_days, self.project.retention_days);
        let choices = RETENTION_CHOICES.into_iter();
        let choices = choices.filter(move |days| *days < most);
        choices.map(move |days| (days, chosen == Some(days)))
    }

    fn confirm_caption(&self) -> String {
        format!("Type “{}” to confirm", self.project.name)
    }

    fn is_picked(&self, platform: &Platform) -> bool {
        self.project.platform.as_deref() == Some(platform.slug)
    }
}

impl KeyRow {
    fn limit_events(&self) -> String {
        let limit = self.key.limit;
        limit.map_or_else(String::new, |limit| limit.events.to_string())
    }

    fn is_hourly(&self) -> bool {
        self.key
            .limit
            .is_some_and(|limit| limit.window == LimitWindow::Hour)
    }

    fn key_id(&self) -> String {
        self.key.id.to_string()
    }
}
