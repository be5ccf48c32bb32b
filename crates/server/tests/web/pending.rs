//! The SQLite store, and what its engine does not have yet.
//!
//! Issues, events and the recorder answer that they are not available; accounts are the real ones.
//! To be deleted with the first commit in which the engine implements the whole `Store`.

use async_trait::async_trait;
use copal_store::sqlite::SqliteStore;
use copal_store::{Error, Result};

use copal_model::{
    ClientKey, Email, EventSummary, Issue, IssueId, IssueStatus, KeyId, Member, Organization,
    Project, ProjectId, Role, Timestamp, TokenId, User, UserId,
};
use copal_protocol::EventId;
use copal_store::access::{
    Access, IssueRef, KeyAccess, OrgAccess, OrgRef, Principal, ProjectRef, RecordAccess, SecretHash,
};
use copal_store::events::{EventInIssue, EventPick, Events, StoredEvent};
use copal_store::issues::{HourCount, IssueQuery, Issues, StatusCounts, TagSummary};
use copal_store::organizations::{NewOrganization, OrganizationPatch, Organizations};
use copal_store::projects::{KeyPatch, NewKey, NewProject, ProjectPatch, Projects};
use copal_store::record::{Batch, JournalId, Recorded, Recorder};
use copal_store::sessions::{NewSession, Sessions};
use copal_store::tokens::{Token, Tokens};
use copal_store::upkeep::{FsckReport, Guarantee, Upkeep};
use copal_store::users::{LoginRecord, NewUser, SignedUp, UserPatch, Users};
use copal_store::{OrgScope, Page, PageRequest, ProjectScope};

/// The store.
pub(crate) struct Pending(pub(crate) SqliteStore);

fn pending() -> Error {
    Error::Unavailable("not implemented by the engine yet".to_owned())
}

#[async_trait]
impl Access for Pending {
    async fn find_session(&self, secret: &SecretHash, now: Timestamp) -> Result<Option<Principal>> {
        self.0.find_session(secret, now).await
    }
    async fn find_token(&self, secret: &SecretHash, now: Timestamp) -> Result<Option<Principal>> {
        self.0.find_token(secret, now).await
    }
    async fn open_org(&self, user: UserId, org: &OrgRef) -> Result<Option<OrgAccess>> {
        self.0.open_org(user, org).await
    }
    async fn open_project(
        &self,
        scope: &OrgScope,
        project: &ProjectRef,
    ) -> Result<Option<(ProjectScope, Project)>> {
        self.0.open_project(scope, project).await
    }
    async fn open_key(&self, public_key: &str) -> Result<Option<KeyAccess>> {
        self.0.open_key(public_key).await
    }
    async fn open_recording(&self, project: ProjectId) -> Result<Option<RecordAccess>> {
        self.0.open_recording(project).await
    }
    async fn open_org_as_operator(&self, org: &OrgRef) -> Result<Option<(OrgScope, Organization)>> {
        self.0.open_org_as_operator(org).await
    }
}

#[async_trait]
impl Users for Pending {
    async fn sign_up(&self, user: NewUser) -> Result<SignedUp> {
        self.0.sign_up(user).await
    }
    async fn count_users(&self) -> Result<u64> {
        self.0.count_users().await
    }
    async fn find_login(&self, email: &Email) -> Result<Option<LoginRecord>> {
        self.0.find_login(email).await
    }
    async fn update_user(&self, user: UserId, patch: UserPatch) -> Result<User> {
        self.0.update_user(user, patch).await
    }
}

#[async_trait]
impl Sessions for Pending {
    async fn create_session(
        &self,
        session: NewSession,
        replaces: Option<SecretHash>,
    ) -> Result<()> {
        self.0.create_session(session, replaces).await
    }
    async fn delete_session(&self, secret: &SecretHash) -> Result<()> {
        self.0.delete_session(secret).await
    }
}

#[async_trait]
impl Tokens for Pending {
    async fn create_token(&self, token: Token, secret: SecretHash) -> Result<()> {
        self.0.create_token(token, secret).await
    }
    async fn list_tokens(&self, user: UserId) -> Result<Vec<Token>> {
        self.0.list_tokens(user).await
    }
    async fn delete_token(&self, user: UserId, token: TokenId) -> Result<()> {
        self.0.delete_token(user, token).await
    }
}

#[async_trait]
impl Organizations for Pending {
    async fn create_organization(&self, organization: NewOrganization) -> Result<Organization> {
        self.0.create_organization(organization).await
    }
    async fn list_organizations(&self, user: UserId) -> Result<Vec<(Organization, Role)>> {
        self.0.list_organizations(user).await
    }
    async fn update_organization(
        &self,
        scope: &OrgScope,
        patch: OrganizationPatch,
    ) -> Result<Organization> {
        self.0.update_organization(scope, patch).await
    }
    async fn list_members(&self, scope: &OrgScope) -> Result<Vec<Member>> {
        self.0.list_members(scope).await
    }
}

#[async_trait]
impl Projects for Pending {
    async fn create_project(&self, scope: &OrgScope, project: NewProject) -> Result<Project> {
        self.0.create_project(scope, project).await
    }
    async fn list_projects(&self, scope: &OrgScope) -> Result<Vec<Project>> {
        self.0.list_projects(scope).await
    }
    async fn update_project(&self, scope: &ProjectScope, patch: ProjectPatch) -> Result<Project> {
        self.0.update_project(scope, patch).await
    }
    async fn delete_project(&self, scope: &ProjectScope) -> Result<()> {
        self.0.delete_project(scope).await
    }
    async fn list_keys(&self, scope: &ProjectScope) -> Result<Vec<ClientKey>> {
        self.0.list_keys(scope).await
    }
    async fn create_key(&self, scope: &ProjectScope, key: NewKey) -> Result<ClientKey> {
        self.0.create_key(scope, key).await
    }
    async fn update_key(
        &self,
        scope: &ProjectScope,
        key: KeyId,
        patch: KeyPatch,
    ) -> Result<ClientKey> {
        self.0.update_key(scope, key, patch).await
    }
    async fn delete_key(&self, scope: &ProjectScope, key: KeyId) -> Result<()> {
        self.0.delete_key(scope, key).await
    }
}

#[async_trait]
impl Issues for Pending {
    async fn list_issues(
        &self,
        _scope: &OrgScope,
        _query: &IssueQuery,
        _page: &PageRequest,
    ) -> Result<Page<Issue>> {
        Err(pending())
    }
    async fn find_issue(
        &self,
        _scope: &OrgScope,
        _issue: &IssueRef,
    ) -> Result<Option<(ProjectScope, Issue)>> {
        Err(pending())
    }
    async fn count_issues(&self, _scope: &OrgScope) -> Result<StatusCounts> {
        Err(pending())
    }
    async fn set_issue_status(
        &self,
        _scope: &ProjectScope,
        _issue: IssueId,
        _status: IssueStatus,
        _now: Timestamp,
    ) -> Result<Issue> {
        Err(pending())
    }
    async fn delete_issue(&self, _scope: &ProjectScope, _issue: IssueId) -> Result<()> {
        Err(pending())
    }
    async fn list_issue_hours(
        &self,
        _scope: &ProjectScope,
        _issue: IssueId,
        _since: Timestamp,
    ) -> Result<Vec<HourCount>> {
        Err(pending())
    }
    async fn list_trends(
        &self,
        _scope: &OrgScope,
        _issues: &[IssueId],
        _since: Timestamp,
    ) -> Result<Vec<(IssueId, Vec<HourCount>)>> {
        Err(pending())
    }
    async fn list_issue_tags(
        &self,
        _scope: &ProjectScope,
        _issue: IssueId,
        _values: usize,
    ) -> Result<Vec<TagSummary>> {
        Err(pending())
    }
}

#[async_trait]
impl Events for Pending {
    async fn list_events(
        &self,
        _scope: &ProjectScope,
        _issue: IssueId,
        _page: &PageRequest,
    ) -> Result<Page<EventSummary>> {
        Err(pending())
    }
    async fn find_event(
        &self,
        _scope: &ProjectScope,
        _event: EventId,
    ) -> Result<Option<StoredEvent>> {
        Err(pending())
    }
    async fn find_event_in_issue(
        &self,
        _scope: &ProjectScope,
        _issue: IssueId,
        _pick: EventPick,
    ) -> Result<Option<EventInIssue>> {
        Err(pending())
    }
}

#[async_trait]
impl Recorder for Pending {
    async fn record(&self, _batch: Batch) -> Result<Recorded> {
        Err(pending())
    }
    async fn journal_position(&self, _journal: JournalId) -> Result<Option<u64>> {
        Err(pending())
    }
}

#[async_trait]
impl Upkeep for Pending {
    async fn change_token(&self) -> Result<u64> {
        Err(pending())
    }
    async fn drop_expired(&self, _now: Timestamp) -> Result<usize> {
        Err(pending())
    }
    async fn forget_expired(&self, _now: Timestamp) -> Result<()> {
        Err(pending())
    }
    async fn fsck(&self) -> Result<FsckReport> {
        Err(pending())
    }
    async fn guarantees(&self) -> Result<Vec<Guarantee>> {
        Err(pending())
    }
    async fn server_address(&self) -> Result<Option<String>> {
        Err(pending())
    }
    async fn set_server_address(&self, _base_url: Option<&str>) -> Result<()> {
        Err(pending())
    }
}
