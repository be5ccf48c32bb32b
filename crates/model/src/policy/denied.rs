//! A refusal as data: which roles may, who can give the caller such a role, and how to say so.

use std::fmt;

use super::setting::{OrgSetting, OrgSettings};
use super::table::{Action, Grant};
use crate::{Member, Role};

/// Names of members who can help that are kept; more are no help.
const GRANTERS_MAX: usize = 3;
/// Names that a sentence tells.
const GRANTERS_TOLD: usize = 2;

/// Why a role may not, and what would help. Shown, it is a sentence or two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denied {
    /// What was wanted.
    pub action: Action,
    /// The roles that may, highest first; none where nobody may.
    pub roles: Vec<Role>,
    /// What the organization could allow, so that the caller's role may too.
    pub setting: Option<OrgSetting>,
    /// Names of members who can give the caller a role that may, the highest first.
    pub granters: Vec<String>,
}

impl Denied {
    /// Refuses `action` to a member with the role `role`. `members` are those of the organization,
    /// highest role first.
    pub fn of<'m>(
        action: Action,
        role: Role,
        settings: OrgSettings,
        members: impl IntoIterator<Item = &'m Member>,
    ) -> Self {
        let row = action.rule();
        let roles: Vec<_> = row.roles(settings).collect();
        let needed = roles.last().copied();
        let can_help = |member: &&Member| needed.is_some_and(|role| member.role.can_grant(role));
        let setting = match row.grant(role) {
            Grant::When(setting) => Some(setting),
            _ => None,
        };
        let granters = members.into_iter().filter(can_help);
        let granters = granters.map(|member| member.name.clone());
        Self {
            action,
            setting,
            granters: granters.take(GRANTERS_MAX).collect(),
            roles,
        }
    }

    /// The lowest role that may; `None` where nobody may.
    pub fn needed(&self) -> Option<Role> {
        self.roles.last().copied()
    }
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rule = self.action.rule();
        let roles: Vec<_> = self.roles.iter().map(|role| role.as_str()).collect();
        match roles.split_last() {
            None => write!(f, "Nobody can {}: {}.", rule.label, rule.note)?,
            Some((last, [])) => write!(f, "Only {last} can {}.", rule.label)?,
            Some((last, rest)) => {
                write!(f, "Only {} or {last} can {}.", rest.join(", "), rule.label)?;
            }
        }
        let told = self.granters.len().min(GRANTERS_TOLD);
        if told > 0 {
            write!(f, " Ask {}.", self.granters[..told].join(" or "))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Email, OrgId, Timestamp, UserId};

    fn member(name: &str, role: Role) -> Member {
        Member {
            org_id: OrgId::new(uuid::Uuid::nil()),
            user_id: UserId::new(uuid::Uuid::nil()),
            role,
            name: name.to_owned(),
            email: Email::parse("x@example.org").unwrap(),
            joined_at: Timestamp::UNIX_EPOCH,
        }
    }

    fn denied(action: Action, members: &[(&str, Role)]) -> Denied {
        let members: Vec<_> = members
            .iter()
            .map(|(name, role)| member(name, *role))
            .collect();
        Denied::of(action, Role::Viewer, OrgSettings::default(), &members)
    }

    #[test]
    fn says_which_roles_may_and_whom_to_ask() {
        let say = |action, members: &[(&str, Role)]| denied(action, members).to_string();
        assert_eq!(
            say(Action::CreateProject, &[("Ana", Role::Owner)]),
            "Only OWNER or ADMIN can create projects. Ask Ana."
        );
        let four = [
            ("Ana", Role::Owner),
            ("Bo", Role::Owner),
            ("Cy", Role::Admin),
            ("Di", Role::Admin),
        ];
        assert_eq!(
            say(Action::TriageIssues, &four),
            "Only OWNER, ADMIN or MEMBER can resolve and ignore issues. Ask Ana or Bo."
        );
        assert_eq!(denied(Action::TriageIssues, &four).granters.len(), 3);
        assert_eq!(
            say(Action::DeleteOrg, &[]),
            "Only OWNER can delete the organization."
        );
        assert_eq!(
            say(Action::InviteOwners, &four),
            "Nobody can invite people as OWNER: an OWNER can make them OWNER once they have joined."
        );
    }

    #[test]
    fn helps_only_who_can_give_the_role() {
        let members = [
            ("Ana", Role::Owner),
            ("Bo", Role::Admin),
            ("Cy", Role::Member),
        ];
        let granters = |action| denied(action, &members).granters;
        assert_eq!(granters(Action::WriteOrg), ["Ana", "Bo"]);
        assert_eq!(
            granters(Action::DeleteOrg),
            ["Ana"],
            "an admin makes no owner"
        );
        assert_eq!(
            granters(Action::TriageIssues),
            ["Ana", "Bo"],
            "a member gives no role"
        );
        assert!(granters(Action::InviteOwners).is_empty());
    }

    #[test]
    fn says_which_setting_would_help() {
        let hidden = OrgSettings::NONE;
        let action = Action::ReadRawEvents;
        let denied = Denied::of(action, Role::Viewer, hidden, []);
        assert_eq!(denied.setting, Some(OrgSetting::ViewersSeeRaw));
        assert_eq!(denied.needed(), Some(Role::Member));
        let denied = Denied::of(Action::WriteOrg, Role::Member, hidden, []);
        assert_eq!((denied.setting, denied.needed()), (None, Some(Role::Admin)));
    }
}
