//! Who may do what: one table for routes, buttons, answers, documentation and tests.

use crate::Role;

/// Something a member may want to do. The numbers are the rows of the role matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// See the organization, its projects and the own membership (1).
    ReadOrg,
    /// See issues, events and counts (2, 3, 4).
    ReadIssues,
    /// Resolve, ignore, reopen (5).
    TriageIssues,
    /// Delete an issue with its events (7).
    DeleteIssues,
    /// Change a project (9).
    WriteProject,
    /// See client keys and DSNs (10).
    ReadKeys,
    /// Make, change and delete client keys (11).
    WriteKeys,
    /// Create a project (12).
    CreateProject,
    /// Delete a project (13).
    DeleteProject,
    /// See the members (22).
    ReadMembers,
    /// Change the organization's name and slug (34).
    WriteOrg,
    /// Delete the organization (37).
    DeleteOrg,
}

/// One row of the policy: the lowest role that may, and the scope a token needs for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// What is wanted.
    pub action: Action,
    /// The lowest role that may.
    pub role: Role,
    /// The scope a narrowed token needs; `None` = never by token, only in a session.
    pub scope: Option<&'static str>,
    /// What it is, for people.
    pub label: &'static str,
}

/// The policy. Everything that asks "may they?" asks this table.
pub const POLICY: [Rule; 12] = [
    rule(
        Action::ReadOrg,
        Role::Viewer,
        Some("org:read"),
        "see the organization",
    ),
    rule(
        Action::ReadIssues,
        Role::Viewer,
        Some("event:read"),
        "see issues and events",
    ),
    rule(
        Action::TriageIssues,
        Role::Member,
        Some("event:write"),
        "resolve and ignore issues",
    ),
    rule(
        Action::DeleteIssues,
        Role::Admin,
        Some("event:admin"),
        "delete issues",
    ),
    rule(
        Action::WriteProject,
        Role::Admin,
        Some("project:write"),
        "change projects",
    ),
    rule(
        Action::ReadKeys,
        Role::Member,
        Some("project:read"),
        "see client keys",
    ),
    rule(
        Action::WriteKeys,
        Role::Admin,
        Some("project:write"),
        "change client keys",
    ),
    rule(
        Action::CreateProject,
        Role::Admin,
        Some("project:write"),
        "create projects",
    ),
    rule(
        Action::DeleteProject,
        Role::Admin,
        Some("project:admin"),
        "delete projects",
    ),
    rule(
        Action::ReadMembers,
        Role::Viewer,
        Some("member:read"),
        "see members",
    ),
    rule(
        Action::WriteOrg,
        Role::Admin,
        Some("org:write"),
        "change the organization",
    ),
    rule(
        Action::DeleteOrg,
        Role::Owner,
        None,
        "delete the organization",
    ),
];

const fn rule(
    action: Action,
    role: Role,
    scope: Option<&'static str>,
    label: &'static str,
) -> Rule {
    Rule {
        action,
        role,
        scope,
        label,
    }
}

impl Action {
    /// The row of this action.
    pub fn rule(self) -> &'static Rule {
        POLICY
            .iter()
            .find(|rule| rule.action == self)
            .expect("every action has a row (tested)")
    }
}

impl Role {
    /// Whether a member with this role may do `action`.
    pub fn may(self, action: Action) -> bool {
        self >= action.rule().role
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_has_one_row() {
        let mut actions: Vec<_> = POLICY.iter().map(|rule| rule.action).collect();
        actions.dedup();
        actions.sort_unstable();
        actions.dedup();
        assert_eq!(actions.len(), POLICY.len());
        assert_eq!(
            Action::DeleteOrg as usize + 1,
            POLICY.len(),
            "the last action is covered too"
        );
    }

    #[test]
    fn rank_decides() {
        assert!(Role::Viewer.may(Action::ReadIssues));
        assert!(!Role::Viewer.may(Action::TriageIssues));
        assert!(Role::Owner.may(Action::DeleteOrg));
        assert!(!Role::Admin.may(Action::DeleteOrg));
    }
}
