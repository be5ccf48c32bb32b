//! API tokens: the form that makes one, and the page of an organization's own.

use askama::Template;
use copal_model::policy::{Action, POLICY, table::PLANNED};
use copal_model::{Organization, Timestamp};

use crate::filters;
use crate::form::{Field, Permission};
use crate::icon::Icon;
use crate::nav::{CSRF_FIELD, Nav, NavItem};
use crate::urls;

/// The form that makes a token, as it was typed.
#[derive(Debug, Clone, Default)]
pub struct TokenForm {
    /// Field `name`.
    pub name: Field,
    /// Field `reach`, `all` or `some`: whether the token is narrowed to scopes. Tokens of
    /// organizations always are, and their form does not ask.
    pub is_narrowed: bool,
    /// Fields `scope`: one for each that is ticked.
    pub scopes: Vec<ScopeChoice>,
    /// What is wrong with the scopes.
    pub scopes_error: Option<String>,
    /// Field `expires`: days, or `never`.
    pub expiries: Vec<ExpiryChoice>,
}

/// A scope that can be ticked.
#[derive(Debug, Clone)]
pub struct ScopeChoice {
    /// Its name: `event:read`.
    pub name: &'static str,
    /// What it lets the token do, in words of the policy.
    pub reaches: String,
    /// Whether it is ticked.
    pub is_ticked: bool,
}

/// How long a token can live.
#[derive(Debug, Clone)]
pub struct ExpiryChoice {
    /// What the form sends.
    pub value: &'static str,
    /// What people read.
    pub label: &'static str,
    /// Whether it is chosen.
    pub is_chosen: bool,
}

impl ScopeChoice {
    /// A scope, and what the policy lets who has it do.
    pub fn new(name: &'static str, is_ticked: bool) -> Self {
        let is_built = |action: Action| !PLANNED.contains(&action);
        let labels: Vec<_> = POLICY
            .iter()
            .filter(|rule| rule.reach.scope() == Some(name) && is_built(rule.action))
            .map(|rule| rule.label)
            .collect();
        Self {
            name,
            reaches: labels.join(", "),
            is_ticked,
        }
    }
}

/// `/o/{org}/settings/tokens`.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/organization/tokens.html")]
pub struct OrgTokens {
    /// What is around the page.
    pub nav: Nav,
    /// The organization.
    pub org: Organization,
    /// Its tokens, newest first.
    pub tokens: Vec<OrgTokenRow>,
    /// The form for another one.
    pub form: TokenForm,
    /// Whether the viewer may make and revoke tokens.
    pub may_write: Permission,
    /// The secret of the token just made; shown this once.
    pub new_token: Option<String>,
    /// Members' own tokens that reach the organization, or would.
    pub member_tokens: Vec<MemberTokenRow>,
}

/// A token of an organization in the list.
#[derive(Debug, Clone)]
pub struct OrgTokenRow {
    /// Its id, for the form that revokes it.
    pub id: String,
    /// What it is for.
    pub name: String,
    /// The first characters of the secret.
    pub prefix: String,
    /// What it may.
    pub scopes: Vec<String>,
    /// Who made it, in words: `Ana`, `Ana, who has left`.
    pub creator: String,
    /// Whether who made it has left, so that somebody should look at it.
    pub is_orphaned: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last used.
    pub last_used_at: Option<Timestamp>,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// A member's own token in the list.
#[derive(Debug, Clone)]
pub struct MemberTokenRow {
    /// Its id, for the form that keeps it out.
    pub id: String,
    /// Whose it is.
    pub member: String,
    /// What they are here.
    pub role: &'static str,
    /// The first characters of the secret.
    pub prefix: String,
    /// Narrowed to these scopes; `None` = all its user's rights.
    pub scopes: Option<Vec<String>>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends; `None` = never.
    pub expires_at: Option<Timestamp>,
    /// Whether it does not reach the organization any more.
    pub is_shut_out: bool,
    /// Whether the viewer may keep it out.
    pub may_shut_out: bool,
}

impl MemberTokenRow {
    fn scopes_text(&self) -> String {
        scopes_text(self.scopes.as_deref())
    }
}

/// What a token may, in words.
pub(super) fn scopes_text(scopes: Option<&[String]>) -> String {
    match scopes {
        None => "all that its user may".to_owned(),
        Some([]) => "nothing".to_owned(),
        Some(scopes) => scopes.join(", "),
    }
}
