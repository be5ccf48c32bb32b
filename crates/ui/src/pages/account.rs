//! Signing up, logging in, and the account itself.

mod organizations;

pub use organizations::{Deleted, Landing, OwnOrganizations};

use askama::Template;
use copal_model::policy::{Action, OrgSettings};
use copal_model::{Timestamp, User};

use crate::filters;
use crate::form::Field;
use crate::icon::Icon;
use crate::nav::{CSRF_FIELD, Nav, NavItem, NavOrg};
use crate::pages::tokens::{TokenForm, scopes_text};
use crate::urls;

/// `/signup`.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/account/sign_up.html")]
pub struct SignUp {
    /// What is around the page.
    pub nav: Nav,
    /// Field `name`.
    pub name: Field,
    /// Field `email`.
    pub email: Field,
    /// Field `password`; its value is never shown again.
    pub password: Field,
    /// What is wrong with the whole, such as that signing up is closed.
    pub problem: Option<String>,
    /// The first user: becomes administrator of the instance.
    pub is_first_user: bool,
}

/// `/login`.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/account/log_in.html")]
pub struct LogIn {
    /// What is around the page.
    pub nav: Nav,
    /// Field `email`.
    pub email: Field,
    /// Field `password`; its value is never shown again.
    pub password: Field,
    /// What is wrong with the whole, such as a wrong password or too many tries.
    pub problem: Option<String>,
    /// Field `next`: where to go afterwards; empty = to the default organization.
    pub next: String,
    /// Whether people may sign up.
    pub may_sign_up: bool,
}

/// `/account`.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/account/show.html")]
pub struct Account {
    /// What is around the page.
    pub nav: Nav,
    /// Whose account.
    pub user: User,
    /// Field `name` of the form that changes the name.
    pub name: Field,
    /// What is about organizations.
    pub organizations: OwnOrganizations,
    /// The user's API tokens, newest first.
    pub tokens: Vec<TokenRow>,
    /// The form that makes a token.
    pub token_form: TokenForm,
    /// The secret of the token just made; shown this once.
    pub new_token: Option<String>,
    /// Where the user is logged in, this session first.
    pub sessions: Vec<SessionRow>,
}

/// A session in the list.
#[derive(Debug, Clone)]
pub struct SessionRow {
    /// Its name, for the form that ends it.
    pub id: String,
    /// The device in words.
    pub device: String,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last used, to the hour.
    pub last_seen_at: Timestamp,
    /// It is the one that looks at the page.
    pub is_this: bool,
}

/// `/account/confirm`: proves again who is asking.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/account/confirm.html")]
pub struct Confirm {
    /// What is around the page.
    pub nav: Nav,
    /// Field `password`; its value is never shown again.
    pub password: Field,
    /// Field `next`: where to go afterwards.
    pub next: String,
}

/// An API token in the list.
#[derive(Debug, Clone)]
pub struct TokenRow {
    /// Its id, for the form that revokes it.
    pub id: String,
    /// What its user calls it.
    pub name: String,
    /// The first characters of the secret.
    pub prefix: String,
    /// Narrowed to these scopes; `None` = all its user's rights.
    pub scopes: Option<Vec<String>>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last used.
    pub last_used_at: Option<Timestamp>,
    /// When it ends; `None` = never.
    pub expires_at: Option<Timestamp>,
}

impl Account {
    /// The organizations whose tokens the user may see.
    fn orgs_with_tokens(&self) -> Vec<&NavOrg> {
        // No setting of an organization touches this row.
        let may = |org: &&NavOrg| org.role.may(Action::ReadOrgTokens, OrgSettings::default());
        self.nav.orgs.iter().filter(may).collect()
    }
}

impl SignUp {
    /// The first field is focused unless another is wrong.
    fn focuses_name(&self) -> bool {
        !self.email.is_wrong() && !self.password.is_wrong()
    }
}

impl LogIn {
    /// After a wrong password the address stands; the password is what is typed again.
    fn focuses_password(&self) -> bool {
        !self.email.is_wrong() && !self.email.value.is_empty()
    }

    fn focuses_email(&self) -> bool {
        !self.focuses_password()
    }
}

impl TokenRow {
    fn scopes_text(&self) -> String {
        match &self.scopes {
            None => "all your rights".to_owned(),
            Some(scopes) => scopes_text(Some(scopes)),
        }
    }
}

/// `/o/new`.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/account/new_organization.html")]
pub struct NewOrganization {
    /// What is around the page.
    pub nav: Nav,
    /// Field `name`.
    pub name: Field,
}
