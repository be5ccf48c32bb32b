//! Who may do what: one table for routes, buttons, answers, documentation and tests.
//!
//! # Layout
//! - [`table`]: the actions, and for each role whether it may
//! - [`setting`]: where an organization may decide otherwise
//! - [`reach`]: which credential reaches how far
//! - [`denied`]: a refusal as data, with what would help
//! - [`membership`]: who may give which role to whom, and what no role may do
//! - [`tokens`]: who may make and end tokens that are not their own
//! - [`document`]: `docs/roles.md`, made from all of it

pub mod denied;
pub mod document;
pub mod membership;
pub mod reach;
pub mod setting;
pub mod table;
pub mod tokens;

pub use denied::Denied;
pub use membership::{Case, Refused};
pub use reach::{Proof, Reach, TooNarrow, fits_org_tokens};
pub use setting::{OrgSetting, OrgSettings};
pub use table::{Action, Grant, POLICY, Rule};

use crate::Role;

impl Rule {
    /// What the table says of a role.
    pub const fn grant(&self, role: Role) -> Grant {
        let [owner, admin, member, viewer] = self.grants;
        match role {
            Role::Owner => owner,
            Role::Admin => admin,
            Role::Member => member,
            Role::Viewer => viewer,
        }
    }

    /// The roles that may in an organization with these settings, highest first.
    pub fn roles(&self, settings: OrgSettings) -> impl Iterator<Item = Role> {
        let allows = move |role: &Role| self.grant(*role).allows(settings);
        Role::ALL.into_iter().filter(allows)
    }
}

impl Grant {
    /// Whether a role with this grant may, whosever the thing is.
    const fn allows(self, settings: OrgSettings) -> bool {
        match self {
            Self::Yes => true,
            Self::When(setting) => settings.has(setting),
            Self::Own | Self::No => false,
        }
    }
}

impl Role {
    /// Whether a member with this role may do `action` in an organization with these settings.
    pub fn may(self, action: Action, settings: OrgSettings) -> bool {
        let may = action.rule().grant(self).allows(settings);
        #[cfg(feature = "sabotage")]
        let may = may
            != copal_sabotage::mutants::pass_by(copal_sabotage::mutants::Mutant::Cell {
                action: format!("{action:?}"),
                role: format!("{self:?}"),
            });
        may
    }

    /// The same, where the thing that it is done to is the member's own.
    pub fn may_to_own(self, action: Action, settings: OrgSettings) -> bool {
        action.rule().grant(self) == Grant::Own || self.may(action, settings)
    }

    /// Whether a member with this role may give somebody the role `granted` (rule D-1).
    pub fn can_grant(self, granted: Role) -> bool {
        self >= Role::Admin && self >= granted
    }
}

/// Every scope that a token can be narrowed to, sorted.
pub fn scopes() -> Vec<&'static str> {
    let mut scopes: Vec<_> = POLICY
        .iter()
        .filter_map(|rule| rule.reach.scope())
        .collect();
    scopes.sort_unstable();
    scopes.dedup();
    scopes
}

/// Every scope that a token of an organization can have, sorted.
pub fn org_token_scopes() -> Vec<&'static str> {
    let mut scopes = scopes();
    scopes.retain(|scope| fits_org_tokens(scope));
    scopes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_of_organizations_have_what_an_admin_may_at_most() {
        let scopes = org_token_scopes();
        assert_eq!(scopes.len(), super::scopes().len() - 2);
        for scope in scopes {
            let reaches = |rule: &&Rule| rule.reach.scope() == Some(scope);
            let may = |rule: &Rule| Role::Admin.may(rule.action, OrgSettings::default());
            assert!(POLICY.iter().filter(reaches).any(may), "{scope}");
        }
    }

    #[test]
    fn a_higher_role_may_whatever_a_lower_one_may() {
        for rule in &POLICY {
            for settings in OrgSettings::every() {
                let may = Role::ALL.map(|role| role.may(rule.action, settings));
                assert!(
                    may.is_sorted_by(|higher, lower| higher >= lower),
                    "{rule:?}"
                );
            }
        }
    }

    #[test]
    fn settings_decide_where_the_table_leaves_it_to_them() {
        let standard = OrgSettings::default();
        let may = |role: Role, action, settings| role.may(action, settings);
        assert!(may(Role::Viewer, Action::ReadRawEvents, standard));
        let hidden = standard.without(OrgSetting::ViewersSeeRaw);
        assert!(!may(Role::Viewer, Action::ReadRawEvents, hidden));
        assert!(may(Role::Member, Action::ReadRawEvents, hidden));
        for (setting, action) in [
            (OrgSetting::MembersDeleteIssues, Action::DeleteIssues),
            (OrgSetting::MembersCreateProjects, Action::CreateProject),
            (OrgSetting::MembersInvite, Action::InviteMembers),
        ] {
            let opened = standard.with(setting);
            assert!(!may(Role::Member, action, standard), "{action:?}");
            assert!(may(Role::Member, action, opened), "{action:?}");
            assert!(!may(Role::Viewer, action, opened), "{action:?}");
        }
    }

    #[test]
    fn a_member_has_power_over_own_invitations_only() {
        let settings = OrgSettings::default();
        let action = Action::WriteInvitations;
        assert!(Role::Member.may_to_own(action, settings));
        assert!(!Role::Member.may(action, settings));
        assert!(!Role::Viewer.may_to_own(action, settings));
        assert!(Role::Admin.may(action, settings));
    }

    #[test]
    fn scopes_are_known_by_name() {
        assert_eq!(
            scopes(),
            [
                "event:admin",
                "event:read",
                "event:write",
                "member:admin",
                "member:read",
                "org:read",
                "org:write",
                "project:admin",
                "project:read",
                "project:write",
            ]
        );
    }
}
