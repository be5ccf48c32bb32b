//! What every page has around it. Built once per request by an extractor, not by each handler.

use std::fmt;
use std::str::FromStr;

use copal_model::policy::{Action, OrgSettings};
use copal_model::{Role, Slug, Timestamp};

use crate::urls;

/// Name of the form field (and of the header `x-csrf-token` for scripts) with the CSRF token.
pub const CSRF_FIELD: &str = "csrf";

/// Name of the cookie that remembers the theme; its value is [`Theme::as_str`].
pub const THEME_COOKIE: &str = "copal-theme";

/// What every page has around it.
#[derive(Debug, Clone)]
pub struct Nav {
    /// Who is logged in.
    pub user: Option<NavUser>,
    /// The organization that the page is about, or else the one that the user comes from.
    pub org: Option<NavOrg>,
    /// All organizations of the user, for the switcher.
    pub orgs: Vec<NavOrg>,
    /// Which entry of the navigation the page belongs to.
    pub active: NavItem,
    /// The token that every form carries in [`CSRF_FIELD`].
    pub csrf: String,
    /// Light, dark or as the system says; from the cookie [`THEME_COOKIE`].
    pub theme: Theme,
    /// Path and query of this page, where changing the theme comes back to.
    pub path: String,
    /// What ages are counted from.
    pub now: Timestamp,
    /// What was just done.
    pub notice: Option<Notice>,
}

/// What was just done, said once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// A sentence, such as `Resolved SHOP-12.`
    pub text: String,
    /// What [`ISSUES_UNDO`](crate::urls::route::ISSUES_UNDO) takes to take it back; `None` where
    /// that is not possible.
    pub undo: Option<String>,
}

/// Who is logged in.
#[derive(Debug, Clone)]
pub struct NavUser {
    /// The person's name.
    pub name: String,
    /// The person's address.
    pub email: String,
}

/// An organization in the switcher.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NavOrg {
    /// As people write it.
    pub name: String,
    /// Its name in URLs.
    pub slug: Slug,
    /// What the user may do there.
    pub role: Role,
    /// The user's own one.
    pub is_personal: bool,
}

/// An entry of the navigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NavItem {
    /// The issue list and everything below it.
    Issues,
    /// The organization's projects.
    Projects,
    /// The organization's members.
    Members,
    /// The organization's settings.
    Settings,
    /// The user's own account.
    Account,
    /// The REST API's documentation.
    Api,
    /// None of them.
    #[default]
    Nothing,
}

/// Light or dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Theme {
    /// As the system says.
    #[default]
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

impl Nav {
    /// The frame of a page for somebody who is not logged in.
    pub fn anonymous(csrf: String, theme: Theme, path: String, now: Timestamp) -> Self {
        Self {
            user: None,
            org: None,
            orgs: Vec::new(),
            active: NavItem::Nothing,
            csrf,
            theme,
            path,
            now,
            notice: None,
        }
    }

    /// Slug of the page's organization; empty where there is none.
    pub fn org_slug(&self) -> &str {
        self.org.as_ref().map_or("", |org| org.slug.as_str())
    }

    /// Pages of the organization's settings that the viewer may see: address, title, and whether it
    /// is this page.
    pub(crate) fn settings_pages(&self) -> Vec<(String, &'static str, bool)> {
        let Some(org) = &self.org else {
            return Vec::new();
        };
        let slug = org.slug.as_str();
        let here = self.path.split('?').next().unwrap_or_default();
        [
            (urls::org_settings(slug), "General", Action::ReadOrg),
            (urls::members(slug), "Members", Action::ReadMembers),
            (urls::org_plan(slug), "Plan and use", Action::ReadUsage),
            (urls::org_tokens(slug), "Tokens", Action::ReadOrgTokens),
        ]
        .into_iter()
        .filter(|(_, _, action)| org.role.may(*action, OrgSettings::STANDARD))
        .map(|(path, title, _)| {
            let is_here = path == here;
            (path, title, is_here)
        })
        .collect()
    }

    pub(crate) fn is_in(&self, org: &NavOrg) -> bool {
        self.org.as_ref().is_some_and(|own| own.slug == org.slug)
    }

    /// The theme that the switch leads to: round from system over light to dark.
    pub fn next_theme(&self) -> Theme {
        match self.theme {
            Theme::System => Theme::Light,
            Theme::Light => Theme::Dark,
            Theme::Dark => Theme::System,
        }
    }

    pub(crate) fn theme_icon(&self) -> crate::icon::Icon {
        match self.theme {
            Theme::System => crate::icon::Icon::System,
            Theme::Light => crate::icon::Icon::Sun,
            Theme::Dark => crate::icon::Icon::Moon,
        }
    }

    pub(crate) fn is(&self, item: NavItem) -> bool {
        self.active == item
    }
}

impl Theme {
    /// The value in the cookie and in the form.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

impl fmt::Display for Theme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that names no theme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidTheme;

impl FromStr for Theme {
    type Err = InvalidTheme;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::System, Self::Light, Self::Dark]
            .into_iter()
            .find(|theme| theme.as_str() == text)
            .ok_or(InvalidTheme)
    }
}
