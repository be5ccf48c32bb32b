//! Samples of the pages of projects.

use copal_model::{ClientKey, InboundSettings, KeyLimit, Switch};

use super::{DSN, minutes_ago, nav, org, project};
use crate::form::{Field, Permission};
use crate::nav::NavItem;
use crate::pages::project::{FirstEvent, Guide, InboundForm, KeyRow, New, Settings, TransferForm};
use crate::platforms::Platform;

impl New {
    /// The form with a platform picked.
    pub fn sample() -> Self {
        Self {
            nav: nav(NavItem::Projects),
            name: Field::filled("Shop"),
            platform: "python".to_owned(),
            may_create: Permission::Granted,
        }
    }
}

impl Guide {
    /// Waiting for the first event of a Python project.
    pub fn sample() -> Self {
        let mut project = project(1, "Shop", "python");
        project.first_event_at = None;
        Self {
            nav: nav(NavItem::Projects),
            project,
            dsn: Some(DSN.to_owned()),
            may_read_keys: Permission::Granted,
            platform: Platform::find_or_first("python"),
            first_event: FirstEvent::Waiting,
        }
    }
}

impl Settings {
    /// A project with two keys.
    pub fn sample() -> Self {
        let project = project(1, "Shop", "python");
        let key = |id: &str, label: &str, is_active| KeyRow {
            key: ClientKey {
                id: id.parse().expect("an id"),
                project_id: project.id,
                public_key: "5f3c9b0d1e2a4c6f8091a2b3c4d5e6f7".to_owned(),
                label: label.to_owned(),
                is_active,
                limit: KeyLimit::new(600, 60).ok().filter(|_| is_active),
                created_at: minutes_ago(60 * 24 * 91),
            },
            dsn: DSN.to_owned(),
        };
        Self {
            nav: nav(NavItem::Projects),
            name: Field::filled("Shop"),
            slug: Field::filled("shop"),
            retention_error: String::new(),
            inbound: inbound(),
            origins: Field::filled("shop.example\n*.shop.example"),
            plan_retention_days: 90,
            keys: vec![
                key("0199a1b2-0000-7000-8000-0000000000d1", "Default", true),
                key(
                    "0199a1b2-0000-7000-8000-0000000000d2",
                    "Old mobile app",
                    false,
                ),
            ],
            label: Field::default(),
            transfer: TransferForm {
                targets: vec![org()],
                may: Permission::Granted,
                is_fresh: true,
            },
            confirm: Field::default(),
            may_write: Permission::Granted,
            may_read_keys: Permission::Granted,
            may_write_keys: Permission::Granted,
            may_delete: Permission::Denied(
                "Only OWNER or ADMIN can delete projects. Ask Ana.".to_owned(),
            ),
            project,
        }
    }
}

/// Some filters that have taken something.
fn inbound() -> InboundForm {
    let mut settings = InboundSettings::default();
    settings.filters.browser_extensions = Switch::On;
    settings.filters.web_crawlers = Switch::On;
    settings.filters.error_messages = vec!["*ResizeObserver loop*".to_owned()];
    settings.scrubbing.fields = vec!["patient".to_owned(), "iban_note".to_owned()];
    InboundForm {
        settings,
        taken: vec![
            ("browser-extensions".to_owned(), 1_312),
            ("error-message".to_owned(), 48),
        ],
        wrong: Vec::new(),
    }
}

impl Settings {
    /// Settings with something wrong in a list.
    pub fn sample_wrong() -> Self {
        let mut page = Self::sample();
        page.inbound.settings.filters.addresses = vec!["10.0.0.0/99".to_owned()];
        page.inbound.wrong = vec![(
            "addresses",
            "Line 1: `10.0.0.0/99` is neither an address nor a range such as 10.0.0.0/8."
                .to_owned(),
        )];
        page
    }
}

impl Settings {
    /// Settings as somebody reads them who may change nothing.
    pub fn sample_as_viewer() -> Self {
        let denied = |what| Permission::Denied(format!("Only OWNER or ADMIN can {what}. Ask Ana."));
        Self {
            keys: Vec::new(),
            may_write: denied("change projects"),
            may_read_keys: denied("see client keys"),
            may_write_keys: denied("change client keys"),
            may_delete: denied("delete projects"),
            transfer: TransferForm {
                targets: Vec::new(),
                may: Permission::Denied(
                    "Only OWNER can move projects to another organization. Ask Ana.".to_owned(),
                ),
                is_fresh: false,
            },
            ..Self::sample()
        }
    }
}
