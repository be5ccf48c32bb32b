//! `/o/{org}/settings`: name, slug, what members may do, and the ways out.

use askama::Template;
use copal_model::limits::ORG_GRACE_DAYS;
use copal_model::policy::{OrgSetting, OrgSettings};
use copal_model::{Member, Organization, Project, Timestamp};

use crate::filters;
use crate::form::{Field, Permission};
use crate::icon::Icon;
use crate::nav::{CSRF_FIELD, Nav, NavItem};
use crate::urls;

/// `/o/{org}/settings`.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/organization/settings.html")]
pub struct Settings {
    /// What is around the page.
    pub nav: Nav,
    /// The organization.
    pub org: Organization,
    /// Field `name`.
    pub name: Field,
    /// Field `slug`.
    pub slug: Field,
    /// Fields `allow`: what is on.
    pub allowed: OrgSettings,
    /// Whether the viewer may change these.
    pub may_write: Permission,
    /// Projects whose deletion the viewer may take back.
    pub deleted_projects: Vec<DeletedProject>,
    /// Members who can be made OWNER by handing over: all but the viewer.
    pub heirs: Vec<Member>,
    /// Whether the viewer may hand the organization over.
    pub may_hand_over: Permission,
    /// Whether the viewer may turn it into a team.
    pub may_convert: Permission,
    /// Field `confirm` of the form that deletes.
    pub confirm: Field,
    /// Whether the viewer may delete it.
    pub may_delete: Permission,
    /// Whether the viewer has just proved who they are, as handing over and deleting ask for.
    pub is_fresh: bool,
}

/// A project that was deleted and can be taken back.
#[derive(Debug, Clone)]
pub struct DeletedProject {
    /// As it was.
    pub project: Project,
    /// When it was deleted.
    pub deleted_at: Timestamp,
    /// From when on it is gone for good.
    pub purged_at: Timestamp,
}

impl Settings {
    fn settings() -> [OrgSetting; 4] {
        OrgSetting::ALL
    }

    fn allows(&self, setting: OrgSetting) -> bool {
        self.allowed.has(setting)
    }

    fn confirm_caption(&self) -> String {
        format!("Type {} to confirm", self.org.slug)
    }

    fn grace_days() -> i64 {
        ORG_GRACE_DAYS
    }

    fn confirm_password(&self) -> String {
        urls::confirm_then(&urls::org_settings(self.org.slug.as_str()))
    }
}
