//! A project: making one, sending the first event, settings.

mod inbound;
mod settings;

pub use inbound::{InboundForm, LineList, SwitchLine};
pub use settings::{KeyRow, Settings, TransferForm};

use askama::Template;
use copal_model::Project;

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
