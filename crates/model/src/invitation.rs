//! Invitations into an organization (rules D-I1 to D-I13).

use std::fmt;
use std::str::FromStr;

use crate::{Email, InvitationId, MailState, OrgId, Role, Timestamp, UserId};

/// An invitation, as the organization's members see it. Nothing in it opens anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// Identifies the invitation.
    pub id: InvitationId,
    /// Into which organization.
    pub org_id: OrgId,
    /// Who is invited; nobody else can accept.
    pub email: Email,
    /// What they will be; never `OWNER`.
    pub role: Role,
    /// How it stands. One whose time is over counts as expired, whatever is stored.
    pub status: InvitationStatus,
    /// Who answers for it: who made it, or had it sent again last.
    pub inviter: UserId,
    /// Their name.
    pub inviter_name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Until when it can be accepted.
    pub expires_at: Timestamp,
    /// What became of the mail that carries its link.
    pub mail: Option<MailState>,
}

/// How an invitation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum InvitationStatus {
    /// It can be accepted.
    Pending,
    /// It was accepted.
    Accepted,
    /// A member took it back.
    Revoked,
    /// Who was invited does not want it.
    Declined,
    /// Its time was over.
    Expired,
    /// It has become pointless: the person was a member already, or who invited them could not any
    /// more.
    Superseded,
}

/// A text that names no status of invitations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an invitation is PENDING, ACCEPTED, REVOKED, DECLINED, EXPIRED or SUPERSEDED")]
pub struct InvalidInvitationStatus;

impl InvitationStatus {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Pending,
        Self::Accepted,
        Self::Revoked,
        Self::Declined,
        Self::Expired,
        Self::Superseded,
    ];

    /// The name on the wire and in storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Accepted => "ACCEPTED",
            Self::Revoked => "REVOKED",
            Self::Declined => "DECLINED",
            Self::Expired => "EXPIRED",
            Self::Superseded => "SUPERSEDED",
        }
    }

    /// How a stored status reads at `now`.
    #[must_use]
    pub fn at(self, expires_at: Timestamp, now: Timestamp) -> Self {
        match self {
            Self::Pending if expires_at <= now => Self::Expired,
            other => other,
        }
    }
}

impl fmt::Display for InvitationStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for InvitationStatus {
    type Err = InvalidInvitationStatus;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut all = Self::ALL.into_iter();
        all.find(|status| status.as_str() == text)
            .ok_or(InvalidInvitationStatus)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_ends_what_is_pending_and_nothing_else() {
        let end = Timestamp::from_second(1_800_000_000).unwrap();
        let before = Timestamp::from_second(1_799_999_999).unwrap();
        assert_eq!(
            InvitationStatus::Pending.at(end, before),
            InvitationStatus::Pending
        );
        assert_eq!(
            InvitationStatus::Pending.at(end, end),
            InvitationStatus::Expired
        );
        assert_eq!(
            InvitationStatus::Accepted.at(end, end),
            InvitationStatus::Accepted
        );
    }

    #[test]
    fn statuses_are_read_back() {
        for status in InvitationStatus::ALL {
            assert_eq!(status.as_str().parse(), Ok(status));
        }
    }
}
