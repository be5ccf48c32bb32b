//! Memberships that change: who may is decided in the transaction that changes them, by the roles
//! as they are then.
//!
//! The rules are [`copal_model::policy::membership`]'s. An engine locks the organization, reads the
//! `Facts` and asks; what was asked for is done or refused as a whole.

use async_trait::async_trait;
use copal_model::policy::{Action, Case, Refused};
use copal_model::{Member, Role, Timestamp, UserId};

use crate::invitations::{AddressProof, Answer};
use crate::{Error, OrgScope, Result};

/// Who wants to change something that is decided by the role they have at that moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The person.
    pub user: UserId,
    /// The actions that their credential reaches.
    pub reaches: Vec<Action>,
    /// Whether an account has to have proved its address to act for an organization.
    pub proof: AddressProof,
    /// When.
    pub now: Timestamp,
}

/// Why nothing was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotChanged {
    /// A rule of the policy.
    Refused(Refused),
    /// The role may, but the credential does not reach this action.
    OutOfReach(Action),
}

/// What whoever hands an organization over is afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Afterwards {
    /// OWNER, beside the new one.
    Owner,
    /// ADMIN.
    Admin,
}

/// Memberships that change.
#[async_trait]
pub trait Members: Send + Sync {
    /// Gives a member another role; answers the membership.
    ///
    /// # Errors
    /// [`NotFound`](Error::NotFound) `organization` when the actor is no member any more, `member`
    /// when there is no such member.
    async fn change_role(
        &self,
        scope: &OrgScope,
        actor: Actor,
        member: UserId,
        role: Role,
    ) -> Result<Answer<Member, NotChanged>>;

    /// Removes a member, who may be the actor. They land in their personal organization from now
    /// on, and invitations that they sent are taken back (rule D-11).
    ///
    /// # Errors
    /// As [`Self::change_role`].
    async fn remove_member(
        &self,
        scope: &OrgScope,
        actor: Actor,
        member: UserId,
    ) -> Result<Answer<(), NotChanged>>;

    /// Makes another member OWNER, and the actor what they are to be afterwards, in one step.
    ///
    /// # Errors
    /// As [`Self::change_role`].
    async fn hand_over(
        &self,
        scope: &OrgScope,
        actor: Actor,
        member: UserId,
        afterwards: Afterwards,
    ) -> Result<Answer<Member, NotChanged>>;
}

impl Afterwards {
    /// As a role.
    pub const fn role(self) -> Role {
        match self {
            Self::Owner => Role::Owner,
            Self::Admin => Role::Admin,
        }
    }
}

impl Actor {
    /// What was decided, as far as the credential reaches.
    pub(crate) fn conclude(&self, decided: Answer<Action, Refused>) -> Answer<Action, NotChanged> {
        let action = decided.map_err(NotChanged::Refused)?;
        if self.reaches.contains(&action) {
            Ok(action)
        } else {
            Err(NotChanged::OutOfReach(action))
        }
    }

    /// Whether owners count who have not proved their address.
    pub(crate) fn counts_everybody(&self) -> bool {
        self.proof == AddressProof::Waived
    }
}

/// What holds of an organization, its actor and a member, while it is locked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Facts {
    pub(crate) is_personal: bool,
    /// `None` when they are no member any more.
    pub(crate) actor: Option<Role>,
    /// `None` when there is no such member.
    pub(crate) member: Option<Role>,
    /// Whether the member's account has proved its address, or need not.
    pub(crate) member_can_act: bool,
    /// Owners besides the member who can act.
    pub(crate) other_owners: u64,
}

impl Facts {
    /// What the rules look at.
    ///
    /// # Errors
    /// When actor or member are not there.
    pub(crate) fn case(&self, actor: UserId, member: UserId) -> Result<Case> {
        let gone = |what| Error::NotFound { what };
        Ok(Case {
            actor: self.actor.ok_or(gone("organization"))?,
            target: self.member.ok_or(gone("member"))?,
            is_self: actor == member,
            is_personal: self.is_personal,
            target_can_act: self.member_can_act,
            other_owners: self.other_owners,
        })
    }
}
