//! Credentials to scopes: the only place where a scope comes from.

use std::sync::Arc;

use async_trait::async_trait;
use copal_model::{
    InboundSettings, IssueId, KeyLimit, Member, OrgId, Organization, Origins, Project, ProjectId,
    ShortId, Slug, Timestamp, TokenId, User, UserId,
};

use crate::{OrgScope, ProjectScope, Result};

/// SHA-256 of a secret. Secrets themselves are never stored.
pub type SecretHash = [u8; 32];

/// An organization as a URL names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrgRef {
    /// By id.
    Id(OrgId),
    /// By slug.
    Slug(Slug),
}

/// A project as a URL names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProjectRef {
    /// By id.
    Id(ProjectId),
    /// By slug.
    Slug(Slug),
}

/// An issue as a URL names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IssueRef {
    /// By id.
    Id(IssueId),
    /// By short id.
    Short(ShortId),
}

/// The person that a session or a personal token speaks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// The person.
    pub user: User,
    /// By which credential.
    pub credential: Credential,
}

/// What was shown to get in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// A browser session.
    Session {
        /// Hash of the session's secret; names it in the store.
        hash: SecretHash,
        /// When the person last proved who they are (for re-authentication).
        authenticated_at: Timestamp,
        /// When it ends.
        expires_at: Timestamp,
    },
    /// A personal API token.
    Token {
        /// The token.
        id: TokenId,
        /// Narrowed to these scopes; `None` = all its user's rights.
        scopes: Option<Vec<String>>,
        /// Organizations that it does not open, although its user is a member (row 41).
        shut_out: Vec<OrgId>,
    },
}

/// Whom an API token speaks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bearer {
    /// A person.
    Person(Principal),
    /// An organization, and no person in it.
    Organization(OrgBearer),
}

/// A token of an organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrgBearer {
    /// The token.
    pub token: TokenId,
    /// The one organization that it opens.
    pub org: OrgId,
    /// What it may there.
    pub scopes: Vec<String>,
}

/// A member let into an organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrgAccess {
    /// Leave to touch the organization's data.
    pub scope: OrgScope,
    /// The organization.
    pub organization: Organization,
    /// The caller's membership.
    pub member: Member,
}

/// A client key let in to send events to its project. Small: kept in memory by ingest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyAccess {
    /// Leave to record in the project.
    pub scope: ProjectScope,
    /// Whether the key is active; one that is not answers 403.
    pub is_active: bool,
    /// How many events it lets in.
    pub limit: Option<KeyLimit>,
    /// Where browsers may send events from.
    pub origins: Origins,
}

/// What the pipeline needs to know of the project it records into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordAccess {
    /// Leave to record in the project.
    pub scope: ProjectScope,
    /// Retention class, in days: the partition events go to.
    pub retention_days: u16,
    /// What the project wants done with events on their way in.
    pub inbound: Arc<InboundSettings>,
}

/// Turns credentials into scopes.
#[async_trait]
pub trait Access: Send + Sync {
    /// Whom the session with this secret speaks for, if it lives at `now`.
    async fn find_session(&self, secret: &SecretHash, now: Timestamp) -> Result<Option<Principal>>;

    /// Whom the API token with this secret speaks for; notes that it was used.
    async fn find_token(&self, secret: &SecretHash, now: Timestamp) -> Result<Option<Bearer>>;

    /// Lets a user into an organization they are a member of; `None` for a foreign or missing one.
    async fn open_org(&self, user: UserId, org: &OrgRef) -> Result<Option<OrgAccess>>;

    /// Lets a token of an organization into that organization; `None` for any other one, and once
    /// the token is revoked.
    async fn open_own_org(
        &self,
        bearer: &OrgBearer,
        org: &OrgRef,
    ) -> Result<Option<(OrgScope, Organization)>>;

    /// Lets a user into the organization of theirs that had a slug before, the last one of several;
    /// `None` where there is none. Who has the slug now is for [`Self::open_org`] to say.
    async fn open_renamed_org(&self, user: UserId, slug: &Slug) -> Result<Option<OrgAccess>>;

    /// Lets an owner into an organization that was deleted and can still be taken back; `None` for
    /// everybody else, and for one that was not deleted.
    async fn open_deleted_org(&self, user: UserId, org: &OrgRef) -> Result<Option<OrgAccess>>;

    /// Lets into a project of the organization; `None` for a foreign or missing one.
    async fn open_project(
        &self,
        scope: &OrgScope,
        project: &ProjectRef,
    ) -> Result<Option<(ProjectScope, Project)>>;

    /// Lets a client key in; `None` for an unknown key, and for one of an organization that was
    /// deleted. Says nothing about the project in the URL:
    /// the caller compares it.
    async fn open_key(&self, public_key: &str) -> Result<Option<KeyAccess>>;

    /// Lets the pipeline record what the journal holds for a project whose key was let in when it
    /// was received; `None` when the project has been deleted since. An organization that was deleted
    /// and can be taken back gets what was received before.
    async fn open_recording(&self, project: ProjectId) -> Result<Option<RecordAccess>>;

    /// Lets the operator (someone who can read the data folder anyway) into an organization.
    async fn open_org_as_operator(&self, org: &OrgRef) -> Result<Option<(OrgScope, Organization)>>;

    /// Lets the operator into an organization that was deleted and can still be taken back.
    async fn open_deleted_org_as_operator(
        &self,
        org: &OrgRef,
    ) -> Result<Option<(OrgScope, Organization)>>;
}
