//! Fields that keep what was typed, and permissions that say their reason.

use copal_model::Role;
use copal_model::policy::Action;

/// One field of a form: what was typed, and what is wrong with it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Field {
    /// What was typed; always empty for a password.
    pub value: String,
    /// What is wrong and how to mend it, as a sentence.
    pub error: Option<String>,
}

impl Field {
    /// A field as it was typed, nothing wrong with it.
    pub fn filled(value: impl Into<String>) -> Self {
        Self {
            value: value.into(),
            error: None,
        }
    }

    /// A field with what was typed and what is wrong with it.
    pub fn wrong(value: impl Into<String>, error: impl Into<String>) -> Self {
        Self {
            value: value.into(),
            error: Some(error.into()),
        }
    }

    /// Whether something is wrong with it.
    pub fn is_wrong(&self) -> bool {
        self.error.is_some()
    }
}

/// Whether the viewer may do something and, if not, why and who can help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Permission {
    /// They may.
    Granted,
    /// They may not; the text says why and whom to ask.
    Denied(String),
}

impl Permission {
    /// Asks the policy; `helpers` are names of members who could do it instead.
    pub fn of(role: Role, action: Action, helpers: &[String]) -> Self {
        if role.may(action) {
            return Self::Granted;
        }
        Self::Denied(denial(action, helpers))
    }

    /// Whether they may.
    pub fn is_granted(&self) -> bool {
        *self == Self::Granted
    }

    /// Why not; empty if they may.
    pub fn reason(&self) -> &str {
        match self {
            Self::Granted => "",
            Self::Denied(reason) => reason,
        }
    }
}

/// Why a role may not, and who can help: `Only OWNER or ADMIN can create projects. Ask Ana.`
pub fn denial(action: Action, helpers: &[String]) -> String {
    let rule = action.rule();
    let roles: Vec<&str> = Role::ALL
        .into_iter()
        .filter(|role| *role >= rule.role)
        .map(Role::as_str)
        .collect();
    let who = match roles.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => String::new(),
    };
    let ask = match helpers {
        [] => String::new(),
        [one] => format!(" Ask {one}."),
        [one, two, ..] => format!(" Ask {one} or {two}."),
    };
    format!("Only {who} can {}.{ask}", rule.label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_who_can_help() {
        let denied = |action, helpers: &[&str]| {
            let helpers: Vec<String> = helpers.iter().map(|&name| name.to_owned()).collect();
            Permission::of(Role::Viewer, action, &helpers)
                .reason()
                .to_owned()
        };
        assert_eq!(
            denied(Action::CreateProject, &["Ana"]),
            "Only OWNER or ADMIN can create projects. Ask Ana."
        );
        assert_eq!(
            denied(Action::TriageIssues, &["Ana", "Bo", "Cy"]),
            "Only OWNER, ADMIN or MEMBER can resolve and ignore issues. Ask Ana or Bo."
        );
        assert_eq!(
            denied(Action::DeleteOrg, &[]),
            "Only OWNER can delete the organization."
        );
        assert!(Permission::of(Role::Admin, Action::CreateProject, &[]).is_granted());
    }
}
