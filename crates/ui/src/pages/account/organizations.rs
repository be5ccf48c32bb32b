//! What of an account is about organizations: where it lands, what it can take back, its end.

use copal_model::{OrgId, Timestamp};

use crate::form::Field;

/// The sections of `/account` that are about organizations.
#[derive(Debug, Clone)]
pub struct OwnOrganizations {
    /// All that the user is in, as the switcher has them.
    pub all: Vec<Landing>,
    /// Those that the user deleted, or another owner, and can be taken back.
    pub deleted: Vec<Deleted>,
    /// Organizations that hold the user back: names of those with others and no other OWNER.
    pub held_by: Vec<String>,
    /// Field `confirm` of the form that deletes the account.
    pub confirm: Field,
    /// Whether the user has just proved who they are, as deleting asks for.
    pub is_fresh: bool,
}

/// An organization to land in.
#[derive(Debug, Clone)]
pub struct Landing {
    /// Identifies it in the form.
    pub id: OrgId,
    /// As people write it.
    pub name: String,
    /// It is where the user lands now.
    pub is_default: bool,
}

/// An organization that was deleted.
#[derive(Debug, Clone)]
pub struct Deleted {
    /// As people write it.
    pub name: String,
    /// Its name in URLs.
    pub slug: String,
    /// When it was deleted.
    pub deleted_at: Timestamp,
    /// When it goes for good.
    pub purged_at: Timestamp,
}
