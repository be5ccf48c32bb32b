//! Invitations: who may be let into an organization, by a link that opens once (rules D-I1 to
//! D-I13).
//!
//! An invitation is of an address and opens by the secret in the link of its mail. Accepting it is
//! one transaction with the membership; whether it may be accepted is decided there again, by what
//! holds then. What decides anything is here, for all engines.

use async_trait::async_trait;
use copal_model::limits::{
    INVITATIONS_PER_ADDRESS_DAY, INVITATIONS_PER_ORG_DAY, INVITATIONS_PER_USER_HOUR,
};
use copal_model::policy::{Refused, membership};
use copal_model::{
    Email, Invitation, InvitationId, InvitationStatus, Letter, MailId, MailKind, Member,
    Organization, Role, Timestamp, User, UserId,
};
use jiff::SignedDuration;

use crate::access::SecretHash;
use crate::mails::NewMail;
use crate::users::{NewUser, SignedUp};
use crate::{OrgScope, Result};

/// What was asked for, or why not. Either way the store could say.
pub type Answer<T, R> = std::result::Result<T, R>;

/// Days that an invitation is listed after it has ended.
pub const INVITATION_KEPT_DAYS: i64 = 30;

/// An invitation to be made, or to be sent again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewInvitation {
    /// Made by the application (UUIDv7); of the invitation that is sent again.
    pub id: InvitationId,
    /// Who is invited.
    pub email: Email,
    /// What they will be.
    pub role: Role,
    /// Who invites.
    pub inviter: UserId,
    /// The mail that carries the link; made by the application (UUIDv7).
    pub mail_id: MailId,
    /// What the mail says.
    pub letter: Letter,
    /// The secret that is shown to the inviter, where no mail can be sent.
    pub shown: Option<SecretHash>,
    /// Until when it can be accepted.
    pub expires_at: Timestamp,
    /// When.
    pub now: Timestamp,
}

/// Why somebody was not invited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotInvited {
    /// The organization is somebody's own and nobody else's (rule D-5).
    PersonalOrganization,
    /// The inviter's role does not let them invite with this role.
    RoleTooLow,
    /// They are a member already (rule D-I8).
    AlreadyMember,
    /// They are invited already, by this invitation (rule D-I9).
    AlreadyInvited(InvitationId),
    /// They do not want to be invited any more (rule D-I11).
    Blocked,
    /// Too many have been sent (rule D-I11).
    TooMany {
        /// By whom, or to whom.
        limit: InvitationLimit,
        /// When there may be another.
        until: Timestamp,
    },
}

/// What invitations are counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvitationLimit {
    /// By the person who sends them, within an hour.
    Inviter,
    /// By the organization that they are of, within a day.
    Organization,
    /// By the address that they are sent to, within a day.
    Address,
}

/// An invitation that somebody has opened: it can be accepted, as far as it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenInvitation {
    /// The invitation; it is pending.
    pub invitation: Invitation,
    /// Into which organization.
    pub organization: Organization,
    /// Whether the secret was only ever in a mail: who shows it reads mail sent to the address.
    pub is_mailed: bool,
    /// The account with the invited address, if there is one.
    pub account: Option<UserId>,
    /// Whether that account is a member already.
    pub is_member: bool,
    /// Whether the inviter could still invite like this (rule D-I6).
    pub is_backed: bool,
}

/// Somebody wants to accept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acceptance {
    /// What they opened it by.
    pub secret: SecretHash,
    /// Who it is.
    pub user: UserId,
    /// Whether accounts have to prove their address.
    pub proof: AddressProof,
    /// When.
    pub now: Timestamp,
}

/// Whether accounts have to prove their address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressProof {
    /// They have to: mail can be sent.
    Needed,
    /// They count as if they had: no mail can be sent.
    Waived,
}

/// Why an invitation was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotAccepted {
    /// There is none that opens so: unknown, used, revoked, declined or over, which are not told
    /// apart (rule D-I10).
    Gone,
    /// It is of another address than the account (rule D-I3).
    WrongAccount,
    /// The account has not proved its address, and neither does the secret.
    Unproven,
    /// Who invited could not do so any more; it has ended with this (rule D-I6).
    Superseded,
}

/// A membership that an invitation led to, or that was there already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Joined {
    /// The organization.
    pub organization: Organization,
    /// The membership.
    pub member: Member,
}

/// Whether declining ends one invitation only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decline {
    /// Only this one.
    Once,
    /// The address is not to be invited any more.
    ForEver,
}

/// Invitations into organizations.
#[async_trait]
pub trait Invitations: Send + Sync {
    /// Invites somebody, and puts the mail into the outbox.
    async fn create_invitation(
        &self,
        scope: &OrgScope,
        new: NewInvitation,
    ) -> Result<Answer<Invitation, NotInvited>>;

    /// Sends an invitation again, whose time may be over: what opened it before does not any more,
    /// and whoever sends it answers for it from now on (rule D-I4).
    ///
    /// # Errors
    /// [`NotFound`](crate::Error::NotFound) when it has ended otherwise, or is not there.
    async fn resend_invitation(
        &self,
        scope: &OrgScope,
        new: NewInvitation,
    ) -> Result<Answer<Invitation, NotInvited>>;

    /// The organization's invitations in the order in which they were made, also those that have
    /// ended lately.
    async fn list_invitations(&self, scope: &OrgScope, now: Timestamp) -> Result<Vec<Invitation>>;

    /// Takes an invitation back; answers how it stands then: one that has ended otherwise stays as
    /// it is.
    ///
    /// # Errors
    /// [`NotFound`](crate::Error::NotFound) when it is not there.
    async fn revoke_invitation(
        &self,
        scope: &OrgScope,
        invitation: InvitationId,
        now: Timestamp,
    ) -> Result<InvitationStatus>;

    /// What a secret opens, if it can still be accepted; changes nothing.
    async fn open_invitation(
        &self,
        secret: &SecretHash,
        now: Timestamp,
    ) -> Result<Option<OpenInvitation>>;

    /// Makes somebody a member whom an invitation is of, and ends it. A member stays what they
    /// are.
    async fn accept_invitation(
        &self,
        acceptance: Acceptance,
    ) -> Result<Answer<Joined, NotAccepted>>;

    /// Signs somebody up with the address of an invitation, and accepts it, or does nothing of
    /// both. The person lands in the organization that invited them from now on.
    ///
    /// # Errors
    /// [`Conflict`](crate::Error::Conflict) `email` when the address has an account.
    async fn sign_up_invited(
        &self,
        user: NewUser,
        secret: &SecretHash,
    ) -> Result<Answer<(SignedUp, Joined), NotAccepted>>;

    /// Ends an invitation for who was invited; whether there was one that the secret opens.
    async fn decline_invitation(
        &self,
        secret: &SecretHash,
        decline: Decline,
        now: Timestamp,
    ) -> Result<bool>;

    /// Ends invitations whose time is over, and forgets those that ended long ago.
    async fn forget_invitations(&self, now: Timestamp) -> Result<()>;
}

impl InvitationLimit {
    /// All limits.
    pub(crate) const ALL: [Self; 3] = [Self::Inviter, Self::Organization, Self::Address];

    /// How many there may be.
    pub const fn count(self) -> u32 {
        match self {
            Self::Inviter => INVITATIONS_PER_USER_HOUR,
            Self::Organization => INVITATIONS_PER_ORG_DAY,
            Self::Address => INVITATIONS_PER_ADDRESS_DAY,
        }
    }

    /// Within which time.
    pub const fn within(self) -> SignedDuration {
        match self {
            Self::Inviter => SignedDuration::from_hours(1),
            Self::Organization | Self::Address => SignedDuration::from_hours(24),
        }
    }
}

/// What holds when somebody is to be invited.
pub(crate) struct Facts {
    pub(crate) organization: Organization,
    /// The inviter's role; `None` when they are no member any more.
    pub(crate) inviter: Option<Role>,
    pub(crate) is_member: bool,
    /// Another invitation of the same address that is pending, and when its time is over.
    pub(crate) pending: Option<(InvitationId, Timestamp)>,
    pub(crate) is_blocked: bool,
    /// For each of [`InvitationLimit::ALL`], when the mail was written that has to be older than
    /// the limit's time before there may be another; `None` while there are too few.
    pub(crate) filled_at: [Option<Timestamp>; 3],
}

impl Facts {
    /// Whether somebody may be invited as `role`.
    pub(crate) fn check(&self, role: Role, now: Timestamp) -> Answer<(), NotInvited> {
        may_invite(self.inviter, role, &self.organization)?;
        if self.is_member {
            return Err(NotInvited::AlreadyMember);
        }
        if let Some((pending, expires_at)) = self.pending
            && expires_at > now
        {
            return Err(NotInvited::AlreadyInvited(pending));
        }
        if self.is_blocked {
            return Err(NotInvited::Blocked);
        }
        for (limit, filled_at) in InvitationLimit::ALL.into_iter().zip(self.filled_at) {
            let until = filled_at.map(|at| at + limit.within());
            if let Some(until) = until.filter(|until| *until > now) {
                return Err(NotInvited::TooMany { limit, until });
            }
        }
        Ok(())
    }
}

/// Whether somebody with this role may let somebody in as `role`, by the policy and what the
/// organization has set (rules D-1 and D-I6). Who is no member any more may not.
pub(crate) fn may_invite(
    inviter: Option<Role>,
    role: Role,
    organization: &Organization,
) -> Answer<(), NotInvited> {
    let inviter = inviter.ok_or(NotInvited::RoleTooLow)?;
    let Organization {
        settings,
        is_personal,
        ..
    } = organization;
    match membership::invite(inviter, role, *settings, *is_personal) {
        Ok(_) => Ok(()),
        Err(Refused::Personal) => Err(NotInvited::PersonalOrganization),
        Err(_) => Err(NotInvited::RoleTooLow),
    }
}

/// What becomes of an acceptance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// They become a member.
    Join,
    /// They are one: the invitation ends, and nothing else changes.
    KeepMembership,
    /// The invitation ends without a membership.
    End(NotAccepted),
    /// Nothing changes.
    Refuse(NotAccepted),
}

impl OpenInvitation {
    /// What becomes of it when `user` wants to accept.
    pub(crate) fn verdict(&self, user: &User, proof: AddressProof) -> Verdict {
        if user.email != self.invitation.email {
            return Verdict::Refuse(NotAccepted::WrongAccount);
        }
        if proof == AddressProof::Needed && !user.is_verified && !self.is_mailed {
            return Verdict::Refuse(NotAccepted::Unproven);
        }
        if self.is_member {
            return Verdict::KeepMembership;
        }
        if !self.is_backed {
            return Verdict::End(NotAccepted::Superseded);
        }
        Verdict::Join
    }
}

impl NewInvitation {
    /// The mail that carries the link.
    pub(crate) fn mail(&self, scope: OrgScope) -> NewMail {
        NewMail {
            id: self.mail_id,
            kind: MailKind::Invitation,
            org: Some(scope.org()),
            sender: Some(self.inviter),
            recipient: self.email.clone(),
            letter: self.letter.clone(),
            expires_at: self.expires_at,
            now: self.now,
        }
    }
}

/// Invitations that ended before this are forgotten.
pub(crate) fn forgotten_before(now: Timestamp) -> Timestamp {
    now - SignedDuration::from_hours(24 * INVITATION_KEPT_DAYS)
}
