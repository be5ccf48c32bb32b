//! `/o/{org}/projects/{project}/settings`: everybody in the organization sees it, and who may not
//! change something is told who can.

use askama::Template;
use copal_model::gate::{KEY_LIMIT_EVENTS_MAX, RETENTION_CHOICES};
use copal_model::limits::PROJECT_GRACE_DAYS;
use copal_model::{ClientKey, LimitWindow, Organization, Project};

use super::InboundForm;
use crate::filters;
use crate::form::{Field, Permission};
use crate::icon::Icon;
use crate::nav::{CSRF_FIELD, Nav, NavItem};
use crate::platforms::{PLATFORMS, Platform};
use crate::urls;

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
    /// Field `slug`.
    pub slug: Field,
    /// Field `allowed_origins`, one to a line.
    pub origins: Field,
    /// Days that the plan allows to keep events.
    pub plan_retention_days: u16,
    /// Why the days that were chosen cannot be; empty where nothing is wrong.
    pub retention_error: String,
    /// Its client keys, oldest first.
    pub keys: Vec<KeyRow>,
    /// Field `label` of the form that makes a key.
    pub label: Field,
    /// What happens to events on their way in.
    pub inbound: InboundForm,
    /// Where the project can move to.
    pub transfer: TransferForm,
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

/// Where a project can move to.
#[derive(Debug, Clone)]
pub struct TransferForm {
    /// Other organizations that the viewer owns.
    pub targets: Vec<Organization>,
    /// Whether the viewer may move projects out of this one.
    pub may: Permission,
    /// Whether the viewer has just proved who they are.
    pub is_fresh: bool,
}

impl Settings {
    /// The sections, by anchor and title.
    const fn sections() -> [(&'static str, &'static str); 6] {
        [
            ("general", "General"),
            ("keys", "Client keys"),
            ("scrubbing", "Data scrubbing"),
            ("filters", "Inbound filters"),
            ("retention", "Retention"),
            ("danger", "Danger zone"),
        ]
    }

    /// Days that may be chosen to keep events, and whether they are.
    fn retention_choices(&self) -> impl Iterator<Item = (u16, bool)> {
        let (most, chosen) = (self.plan_retention_days, self.project.retention_days);
        let choices = RETENTION_CHOICES.into_iter();
        let choices = choices.filter(move |days| *days < most);
        choices.map(move |days| (days, chosen == Some(days)))
    }

    /// Days that events are kept from now on.
    fn kept_days(&self) -> u16 {
        let chosen = self.project.retention_days;
        chosen.map_or(self.plan_retention_days, |days| {
            days.min(self.plan_retention_days)
        })
    }

    const fn grace_days() -> i64 {
        PROJECT_GRACE_DAYS
    }

    fn confirm_password(&self) -> String {
        let slug = self.project.slug.as_str();
        urls::confirm_then(&urls::project_settings(self.nav.org_slug(), slug))
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

    fn limit_text(&self) -> String {
        let Some(limit) = self.key.limit else {
            return "any number of events".to_owned();
        };
        let window = match limit.window {
            LimitWindow::Minute => "a minute",
            LimitWindow::Hour => "an hour",
        };
        format!("at most {} events {window}", limit.events)
    }

    fn is_hourly(&self) -> bool {
        self.key
            .limit
            .is_some_and(|limit| limit.window == LimitWindow::Hour)
    }

    fn key_id(&self) -> String {
        self.key.id.to_string()
    }

    const fn events_max() -> u32 {
        KEY_LIMIT_EVENTS_MAX
    }
}
