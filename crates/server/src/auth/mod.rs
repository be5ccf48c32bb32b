//! Letting people and programs in, and keeping others out.
//!
//! # Layout
//! - [`secret`]: random secrets, their hashes and their comparison
//! - [`password`]: Argon2id on bounded workers, and which passwords are refused
//! - [`cookie`], [`session`]: how a browser stays logged in
//! - [`form`]: forms that only our own pages can send (CSRF)
//! - [`new_account`]: what signing up asks for, checked
//! - [`throttle`]: how often logging in may be tried
//! - [`next`]: where to go after logging in; never off this site
//! - [`caller`], [`signed_in`]: the extractors for who is asking, an organization or a person
//! - [`member`]: the extractors that let members into an organization, project or issue, each with
//!   the action it was opened for
//! - [`actor`]: who changes what is decided where it is changed
//! - [`path`]: organizations, projects, issues and tokens as paths name them
//! - [`permit`]: the actions as types
//! - [`trail`]: the audit log
//! - [`refusal`]: the ways to be turned away

pub mod actor;
pub mod caller;
mod common_passwords;
pub mod cookie;
pub mod form;
pub mod member;
pub mod new_account;
pub mod next;
pub mod password;
pub mod path;
pub mod permit;
pub mod refusal;
pub mod secret;
pub mod session;
pub mod signed_in;
pub mod throttle;
pub mod trail;

pub use caller::Caller;
pub use form::{Form, OpenForm};
pub use member::{IssueCaller, IssueMember, OrgCaller, OrgMember, ProjectCaller, ProjectMember};
pub use refusal::Refusal;
pub use signed_in::SignedIn;
pub use trail::Trail;

use self::password::Passwords;
use self::throttle::{LoginLimits, LoginThrottle};

/// What letting people in keeps in memory.
#[derive(Debug)]
pub struct Auth {
    /// The bounded password workers.
    pub passwords: Passwords,
    /// How often logging in was tried.
    pub login: LoginThrottle,
}

impl Auth {
    /// Starts with nothing tried yet.
    pub fn new(limits: &LoginLimits) -> Self {
        Self {
            passwords: Passwords::new(),
            login: LoginThrottle::new(limits),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests_support {
    //! What unit tests of this crate share.

    use copal_model::Plan;

    use crate::app::{Settings, SignupMode};
    use crate::auth::throttle::LoginLimits;

    /// Default settings of a server that is reached at `base_url`.
    pub(crate) fn settings(base_url: &str) -> Settings {
        Settings {
            base_url: base_url.to_owned(),
            signup: SignupMode::Open,
            default_plan: Plan::Free,
            plans: copal_model::Plans::default(),
            billing_url: None,
            login_limits: LoginLimits::default(),
            operator_token: None,
        }
    }
}
