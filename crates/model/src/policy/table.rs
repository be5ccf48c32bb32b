//! The table: every action, what it is called, and for each role whether it may.
//!
//! Rows are numbered as in the role matrix that the table was made from; `docs/roles.md` shows
//! them. Add an action here, and its name to the server's `permit`; everything else follows.

use super::reach::Reach::{self, Fresh, Scope, Session, Unscoped};
use super::setting::OrgSetting::{
    self, MembersCreateProjects, MembersDeleteIssues, MembersInvite, ViewersSeeRaw,
};

/// Whether a role may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grant {
    /// It may.
    Yes,
    /// It may where the organization allows it.
    When(OrgSetting),
    /// It may to what is the member's own.
    Own,
    /// It may not.
    No,
}

/// One row of the policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// What is wanted.
    pub action: Action,
    /// What it is, for people: `create projects`.
    pub label: &'static str,
    /// Whether OWNER, ADMIN, MEMBER and VIEWER may.
    pub grants: [Grant; 4],
    /// What it asks of the credential.
    pub reach: Reach,
    /// What else there is to know; empty where the row says it all.
    pub note: &'static str,
}

const YES: Grant = Grant::Yes;
const OWN: Grant = Grant::Own;
const NO: Grant = Grant::No;

const fn when(setting: OrgSetting) -> Grant {
    Grant::When(setting)
}

macro_rules! policy {
    ($(
        $(#[doc = $doc:literal])+
        $action:ident: $label:literal, [$($grant:expr),+], $reach:expr, $note:literal;
    )+) => {
        /// Something that somebody may want to do. The numbers are rows of the role matrix.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Action {
            $($(#[doc = $doc])+ $action,)+
        }

        impl Action {
            /// The name in audit logs; stable.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$action => stringify!($action),)+
                }
            }
        }

        /// The policy. Everything that asks "may they?" asks this table.
        pub const POLICY: [Rule; [$(Action::$action),+].len()] = [$(Rule {
            action: Action::$action,
            label: $label,
            grants: [$($grant),+],
            reach: $reach,
            note: $note,
        }),+];
    };
}

policy! {
    // what it is called, [OWNER, ADMIN, MEMBER, VIEWER], the credential, a note

    /// See the organization, its projects and the own membership (1).
    ReadOrg: "see the organization and its projects",
        [YES, YES, YES, YES], Scope("org:read"), "";
    /// See and search issues, events and counts (2, 3).
    ReadIssues: "see and search issues and events",
        [YES, YES, YES, YES], Scope("event:read"), "";
    /// See events as they are stored (4).
    ReadRawEvents: "see events as JSON",
        [YES, YES, YES, when(ViewersSeeRaw)], Scope("event:read"), "";
    /// Resolve, ignore, reopen (5).
    TriageIssues: "resolve and ignore issues",
        [YES, YES, YES, NO], Scope("event:write"), "";
    /// Delete an issue with its events (7).
    DeleteIssues: "delete issues",
        [YES, YES, when(MembersDeleteIssues), NO], Scope("event:admin"), "cannot be undone";
    /// Change a project (9).
    WriteProject: "change projects",
        [YES, YES, NO, NO], Scope("project:write"), "";
    /// See client keys and DSNs (10).
    ReadKeys: "see client keys",
        [YES, YES, YES, NO], Scope("project:read"), "a key lets events in, and nothing else";
    /// Make, change and delete client keys (11).
    WriteKeys: "change client keys",
        [YES, YES, NO, NO], Scope("project:write"), "";
    /// Create a project (12).
    CreateProject: "create projects",
        [YES, YES, when(MembersCreateProjects), NO], Scope("project:write"), "";
    /// Delete a project (13).
    DeleteProject: "delete projects",
        [YES, YES, NO, NO], Scope("project:admin"), "can be taken back for 30 days; in the browser its name must be typed";
    /// Give a project to another organization (14).
    TransferProject: "move projects to another organization",
        [YES, NO, NO, NO], Fresh, "to one that they are OWNER of too";
    /// See the members (22).
    ReadMembers: "see members",
        [YES, YES, YES, YES], Scope("member:read"), "";
    /// See the members' addresses (22).
    ReadMemberEmails: "see members' e-mail addresses",
        [YES, YES, YES, NO], Scope("member:read"), "";
    /// Invite somebody as MEMBER or VIEWER (23).
    InviteMembers: "invite people",
        [YES, YES, when(MembersInvite), NO], Scope("member:admin"), "as MEMBER or VIEWER";
    /// Invite somebody as ADMIN (24).
    InviteAdmins: "invite people as ADMIN",
        [YES, YES, NO, NO], Scope("member:admin"), "";
    /// Invite somebody as OWNER (25).
    InviteOwners: "invite people as OWNER",
        [NO, NO, NO, NO], Fresh, "an OWNER can make them OWNER once they have joined";
    /// See, resend and revoke invitations (26).
    WriteInvitations: "resend and revoke invitations",
        [YES, YES, OWN, NO], Scope("member:admin"), "own = those that they sent";
    /// Give a role up to ADMIN to somebody who is no OWNER (27).
    ChangeRoles: "change roles",
        [YES, YES, NO, NO], Scope("member:admin"), "of and to VIEWER, MEMBER and ADMIN";
    /// Make somebody OWNER (28).
    GrantOwner: "make somebody OWNER",
        [YES, NO, NO, NO], Fresh, "";
    /// Give an OWNER a lower role (29).
    DemoteOwner: "take OWNER from somebody",
        [YES, NO, NO, NO], Fresh, "never from the last one";
    /// Remove a member who is no OWNER (30).
    RemoveMembers: "remove members",
        [YES, YES, NO, NO], Scope("member:admin"), "who are no OWNER";
    /// Remove an OWNER (31).
    RemoveOwner: "remove an OWNER",
        [YES, NO, NO, NO], Fresh, "also oneself; never the last one";
    /// Leave (32).
    LeaveOrg: "leave the organization",
        [YES, YES, YES, YES], Scope("member:admin"), "an OWNER: as removing an OWNER";
    /// Make another member OWNER and step down (33).
    TransferOwnership: "hand the organization over",
        [YES, NO, NO, NO], Fresh, "another member becomes OWNER, and one steps down or stays";
    /// Change the organization's name, slug and settings (34).
    WriteOrg: "change the organization",
        [YES, YES, NO, NO], Scope("org:write"), "name, slug and what members may do";
    /// Change what the organization asks of its members' accounts (35).
    WriteSecurity: "change security settings",
        [YES, NO, NO, NO], Fresh, "";
    /// See plan and use (36).
    ReadUsage: "see plan and use",
        [YES, YES, NO, NO], Scope("org:read"), "";
    /// Ask for another plan (36).
    RequestPlan: "ask for another plan",
        [YES, NO, NO, NO], Scope("org:write"), "an instance administrator answers";
    /// Turn a personal organization into a team (D-5).
    ConvertOrg: "turn a personal organization into a team",
        [YES, NO, NO, NO], Fresh, "cannot be undone";
    /// Delete the organization, or take that back (37).
    DeleteOrg: "delete the organization",
        [YES, NO, NO, NO], Fresh, "no personal one; cannot be undone";
    /// See the tokens of the organization (38).
    ReadOrgTokens: "see organization tokens",
        [YES, YES, NO, NO], Session, "";
    /// Make and revoke tokens of the organization (39).
    WriteOrgTokens: "make and revoke organization tokens",
        [YES, YES, NO, NO], Fresh, "";
    /// Make and revoke own tokens (40).
    WriteOwnTokens: "make and revoke own tokens",
        [YES, YES, YES, YES], Session, "a token reaches no further than its user's role";
    /// Revoke another member's tokens for this organization (41).
    RevokeMemberTokens: "revoke other members' tokens",
        [YES, YES, NO, NO], Session, "of an OWNER: only an OWNER";
    /// Read the audit log (42).
    ReadAudit: "read the audit log",
        [YES, YES, NO, NO], Unscoped, "";
    /// Export the audit log (43).
    ExportAudit: "export the audit log",
        [YES, NO, NO, NO], Fresh, "";
    /// Change the own name and default organization.
    WriteAccount: "change the own account",
        [YES, YES, YES, YES], Unscoped, "";
    /// Delete the own account (45).
    DeleteAccount: "delete the own account",
        [YES, YES, YES, YES], Fresh, "not while others need a last OWNER";
}

/// Rows that nothing asks for yet. The documentation leaves them out.
pub const PLANNED: [Action; 8] = [
    Action::InviteAdmins,
    Action::InviteMembers,
    Action::InviteOwners,
    Action::WriteInvitations,
    Action::WriteSecurity,
    Action::RequestPlan,
    Action::ReadAudit,
    Action::ExportAudit,
];

impl Action {
    /// The row of this action.
    pub const fn rule(self) -> &'static Rule {
        // The table is made together with the actions, in the same order.
        &POLICY[self as usize]
    }

    /// Whether it stands in the audit log when somebody did it, or was not let do it: what changes
    /// who may do what, what is collected, or what is gone for good. Reading, triage and what people
    /// do to their own account do not.
    pub const fn is_audited(self) -> bool {
        !matches!(
            self,
            Self::ReadOrg
                | Self::ReadIssues
                | Self::ReadRawEvents
                | Self::TriageIssues
                | Self::ReadKeys
                | Self::ReadMembers
                | Self::ReadMemberEmails
                | Self::ReadUsage
                | Self::ReadOrgTokens
                | Self::WriteOwnTokens
                | Self::ReadAudit
                | Self::WriteAccount
                | Self::DeleteAccount
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_finds_its_own_row() {
        for rule in &POLICY {
            assert_eq!(rule.action.rule(), rule);
        }
    }
}
