//! Who may give which role to whom, and what no role may do: the rules that the table cannot say.
//!
//! Pure. Whoever changes a membership asks here twice: before, to say why not, and inside the
//! transaction that changes it, with what holds there (D-R4). Each answers the [`Action`] that was
//! decided, whose row says what it asks of the credential.

use super::setting::OrgSettings;
use super::table::Action;
use crate::Role;

/// A membership that somebody wants to change, with all that the rules look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Case {
    /// The role of who wants it.
    pub actor: Role,
    /// The role that the member has now.
    pub target: Role,
    /// It is the actor's own membership.
    pub is_self: bool,
    /// The organization is personal.
    pub is_personal: bool,
    /// The member's account can act for an organization: see [`Self::other_owners`].
    pub target_can_act: bool,
    /// Owners besides the member who can act for the organization: an account that is disabled or
    /// whose address is not verified does not count (rule D-4).
    pub other_owners: u64,
}

/// Why a membership, or the organization, cannot be changed so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The actor's role may not.
    #[error("the role may not {}", .0.rule().label)]
    RoleTooLow(Action),
    /// Nobody becomes OWNER whose account cannot act for an organization (row 33).
    #[error("the member has not proved their address")]
    Unproven,
    /// Nobody changes the own role (rule D-3).
    #[error("nobody changes their own role")]
    OwnRole,
    /// The organization would be without an owner (rule D-4).
    #[error("an organization needs an owner")]
    LastOwner,
    /// A personal organization is its person's alone (rule D-5).
    #[error("a personal organization is its person's alone")]
    Personal,
    /// The project is there already.
    #[error("the project is in that organization")]
    SameOrg,
    /// It is a team already.
    #[error("the organization is a team already")]
    Team,
    /// The member has a higher role than the actor.
    #[error("the member has a higher role")]
    HigherRole,
}

impl Case {
    /// Whether the actor may give the member the role `new` (rules D-1 to D-5).
    ///
    /// # Errors
    /// When not.
    pub fn change_role(&self, new: Role) -> Result<Action, Refused> {
        self.require_team()?;
        if self.is_self {
            self.require_owner_left(Some(new))?;
            return Err(Refused::OwnRole);
        }
        let action = match (self.target, new) {
            (_, Role::Owner) => Action::GrantOwner,
            (Role::Owner, _) => Action::DemoteOwner,
            _ => Action::ChangeRoles,
        };
        self.require(action)?;
        self.require_owner_left(Some(new))?;
        if new == Role::Owner {
            self.require_able()?;
        }
        Ok(action)
    }

    /// Whether the actor may remove the member, or leave (rules D-2, D-4 and D-5).
    ///
    /// # Errors
    /// When not.
    pub fn remove(&self) -> Result<Action, Refused> {
        self.require_team()?;
        let action = match (self.target, self.is_self) {
            (Role::Owner, _) => Action::RemoveOwner,
            (_, true) => Action::LeaveOrg,
            (_, false) => Action::RemoveMembers,
        };
        self.require(action)?;
        self.require_owner_left(None)?;
        Ok(action)
    }

    /// Whether the actor may make the member OWNER and take a lower role in the same step, which
    /// is the one way to lower the own role (rules D-3 and D-5).
    ///
    /// # Errors
    /// When not.
    pub fn hand_over(&self) -> Result<Action, Refused> {
        self.require_team()?;
        self.require(Action::TransferOwnership)?;
        if self.is_self {
            return Err(Refused::OwnRole);
        }
        self.require_able()?;
        Ok(Action::TransferOwnership)
    }

    fn require(&self, action: Action) -> Result<(), Refused> {
        // No setting of an organization touches these rows (tested).
        if self.actor.may(action, OrgSettings::default()) {
            Ok(())
        } else {
            Err(Refused::RoleTooLow(action))
        }
    }

    fn require_able(&self) -> Result<(), Refused> {
        if self.target_can_act {
            Ok(())
        } else {
            Err(Refused::Unproven)
        }
    }

    fn require_team(&self) -> Result<(), Refused> {
        require_team(self.is_personal)
    }

    /// Refuses to take OWNER from the last one. `new` is the role afterwards, if there is one.
    fn require_owner_left(&self, new: Option<Role>) -> Result<(), Refused> {
        let loses_one = self.target == Role::Owner && new != Some(Role::Owner);
        if loses_one && self.other_owners == 0 {
            Err(Refused::LastOwner)
        } else {
            Ok(())
        }
    }
}

/// Whether a member may invite somebody with the role `invited` (rows 23 to 25). Asked again when
/// the invitation is accepted, of the inviter's role then (rule D-I6).
///
/// # Errors
/// When not.
pub fn invite(
    actor: Role,
    invited: Role,
    settings: OrgSettings,
    is_personal: bool,
) -> Result<Action, Refused> {
    require_team(is_personal)?;
    let action = match invited {
        Role::Owner => Action::InviteOwners,
        Role::Admin => Action::InviteAdmins,
        Role::Member | Role::Viewer => Action::InviteMembers,
    };
    if actor.may(action, settings) {
        Ok(action)
    } else {
        Err(Refused::RoleTooLow(action))
    }
}

/// Whether a member may delete the organization, or take that back (rule D-5).
///
/// # Errors
/// When not.
pub fn delete_org(actor: Role, is_personal: bool) -> Result<Action, Refused> {
    require_team(is_personal)?;
    require_owner(actor, Action::DeleteOrg)
}

/// Whether somebody may move a project from an organization to another one (row 14): they are OWNER
/// of both, so that the other one is asked by asking them. Roles are the actor's `here` and `there`.
///
/// # Errors
/// When not.
pub fn transfer_project(here: Role, there: Role, is_same: bool) -> Result<Action, Refused> {
    if is_same {
        return Err(Refused::SameOrg);
    }
    require_owner(here, Action::TransferProject)?;
    require_owner(there, Action::TransferProject)
}

/// Whether a member may turn the organization into a team (rule D-5).
///
/// # Errors
/// When not.
pub fn convert_org(actor: Role, is_personal: bool) -> Result<Action, Refused> {
    if !is_personal {
        return Err(Refused::Team);
    }
    require_owner(actor, Action::ConvertOrg)
}

fn require_owner(actor: Role, action: Action) -> Result<Action, Refused> {
    if actor.may(action, OrgSettings::default()) {
        Ok(action)
    } else {
        Err(Refused::RoleTooLow(action))
    }
}

/// A team that somebody is in whose account is to end or to be disabled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Departure {
    /// The person's role there.
    pub role: Role,
    /// It is the personal organization.
    pub is_personal: bool,
    /// Other owners who can act.
    pub other_owners: u64,
    /// Other members, whatever their role.
    pub other_members: u64,
}

impl Departure {
    /// Whether others would be left without an owner, so that the person has to name one or to
    /// delete the organization first (rules D-12 and D-13).
    pub const fn leaves_others_alone(&self) -> bool {
        let is_last_owner = matches!(self.role, Role::Owner) && self.other_owners == 0;
        !self.is_personal && is_last_owner && self.other_members > 0
    }
}

const fn require_team(is_personal: bool) -> Result<(), Refused> {
    if is_personal {
        Err(Refused::Personal)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Grant, POLICY};

    const TEAM: Case = Case {
        actor: Role::Owner,
        target: Role::Owner,
        is_self: true,
        is_personal: false,
        target_can_act: true,
        other_owners: 0,
    };

    #[test]
    fn the_last_owner_stays() {
        assert_eq!(TEAM.remove(), Err(Refused::LastOwner));
        for new in [Role::Admin, Role::Member, Role::Viewer] {
            assert_eq!(TEAM.change_role(new), Err(Refused::LastOwner));
        }
        let two = Case {
            other_owners: 1,
            ..TEAM
        };
        assert_eq!(two.remove(), Ok(Action::RemoveOwner));
        assert_eq!(two.change_role(Role::Admin), Err(Refused::OwnRole));
        // Another owner who cannot act does not count; the actor here is one.
        let disabled = Case {
            is_self: false,
            ..TEAM
        };
        assert_eq!(disabled.remove(), Err(Refused::LastOwner));
        assert_eq!(disabled.change_role(Role::Admin), Err(Refused::LastOwner));
        assert_eq!(disabled.change_role(Role::Owner), Ok(Action::GrantOwner));
    }

    #[test]
    fn a_personal_organization_is_its_persons_alone() {
        let own = Case {
            is_personal: true,
            ..TEAM
        };
        assert_eq!(own.remove(), Err(Refused::Personal));
        assert_eq!(own.hand_over(), Err(Refused::Personal));
        for role in Role::ALL {
            let settings = OrgSettings::default();
            assert_eq!(own.change_role(role), Err(Refused::Personal));
            let invited = invite(Role::Owner, role, settings, true);
            assert_eq!(invited, Err(Refused::Personal));
            assert_eq!(delete_org(role, true), Err(Refused::Personal));
            assert_eq!(convert_org(role, false), Err(Refused::Team));
        }
        assert_eq!(convert_org(Role::Owner, true), Ok(Action::ConvertOrg));
    }

    #[test]
    fn owners_alone_hand_over_and_delete() {
        for role in Role::ALL {
            let case = Case {
                actor: role,
                target: Role::Member,
                is_self: false,
                ..TEAM
            };
            let is_owner = role == Role::Owner;
            assert_eq!(case.hand_over().is_ok(), is_owner, "{role}");
            assert_eq!(delete_org(role, false).is_ok(), is_owner, "{role}");
        }
        assert_eq!(TEAM.hand_over(), Err(Refused::OwnRole));
    }

    #[test]
    fn nobody_becomes_owner_who_cannot_act() {
        let unproven = Case {
            target: Role::Admin,
            is_self: false,
            target_can_act: false,
            ..TEAM
        };
        assert_eq!(unproven.change_role(Role::Owner), Err(Refused::Unproven));
        assert_eq!(unproven.hand_over(), Err(Refused::Unproven));
        assert_eq!(unproven.change_role(Role::Member), Ok(Action::ChangeRoles));
        assert_eq!(unproven.remove(), Ok(Action::RemoveMembers));
    }

    #[test]
    fn invitations_follow_the_rows() {
        let standard = OrgSettings::default();
        let opened = OrgSettings::every().last().unwrap();
        // Rows are actors, columns invited roles, both from OWNER down.
        for (settings, expected) in [
            (standard, ["-YYY", "-YYY", "----", "----"]),
            (opened, ["-YYY", "-YYY", "--YY", "----"]),
        ] {
            for (actor, row) in Role::ALL.into_iter().zip(expected) {
                for (invited, cell) in Role::ALL.into_iter().zip(row.chars()) {
                    let answer = invite(actor, invited, settings, false);
                    assert_eq!(answer.is_ok(), cell == 'Y', "{actor} invites {invited}");
                }
            }
        }
    }

    #[test]
    fn nobody_leaves_others_alone() {
        let alone = Departure {
            role: Role::Owner,
            is_personal: false,
            other_owners: 0,
            other_members: 1,
        };
        assert!(alone.leaves_others_alone());
        for departure in [
            Departure {
                role: Role::Admin,
                ..alone
            },
            Departure {
                is_personal: true,
                ..alone
            },
            Departure {
                other_owners: 1,
                ..alone
            },
            Departure {
                other_members: 0,
                ..alone
            },
        ] {
            assert!(!departure.leaves_others_alone(), "{departure:?}");
        }
    }

    #[test]
    fn no_setting_touches_what_is_decided_here() {
        for rule in &POLICY {
            let by_setting = rule
                .grants
                .iter()
                .any(|grant| matches!(grant, Grant::When(_)));
            let is_decided_here = matches!(
                rule.action,
                Action::ChangeRoles
                    | Action::GrantOwner
                    | Action::DemoteOwner
                    | Action::RemoveMembers
                    | Action::RemoveOwner
                    | Action::LeaveOrg
                    | Action::TransferOwnership
                    | Action::ConvertOrg
                    | Action::DeleteOrg
            );
            assert!(!(by_setting && is_decided_here), "{rule:?}");
        }
    }
}
