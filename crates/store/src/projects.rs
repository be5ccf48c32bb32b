//! Projects and their client keys.

use async_trait::async_trait;
use copal_model::limits::{KEYS_PER_PROJECT_MAX, PROJECTS_PER_ORG_MAX};
use copal_model::{ClientKey, KeyId, KeyLimit, Origins, Project, ProjectId, Slug, Timestamp};

use crate::issues::HourCount;
use crate::{Error, OrgScope, ProjectScope, Result};

/// What the first key of a project is called.
const FIRST_KEY_LABEL: &str = "Default";

/// A project to be made, with its first key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewProject {
    /// As people write it; the slug comes from it and is told apart by a number where taken.
    pub name: String,
    /// The SDK platform, such as `python`.
    pub platform: Option<String>,
    /// Id of the first key (UUIDv7).
    pub key_id: KeyId,
    /// The first key: 32 hexadecimal digits.
    pub public_key: String,
    /// When.
    pub now: Timestamp,
}

/// A change to a project; `None` leaves as is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProjectPatch {
    /// The new name.
    pub name: Option<String>,
    /// The new slug; short ids change with it.
    pub slug: Option<Slug>,
    /// The new platform.
    pub platform: Option<String>,
    /// Where browsers may send events from.
    pub allowed_origins: Option<Origins>,
    /// Days that events are kept from now on; `Some(None)` = as the plan says.
    pub retention_days: Option<Option<u16>>,
}

/// A client key to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewKey {
    /// Made by the application (UUIDv7).
    pub id: KeyId,
    /// 32 hexadecimal digits.
    pub public_key: String,
    /// What people call it.
    pub label: String,
    /// How many events it lets in; `None` = any number.
    pub limit: Option<KeyLimit>,
    /// When.
    pub now: Timestamp,
}

/// A change to a client key; `None` leaves as is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyPatch {
    /// The new label.
    pub label: Option<String>,
    /// Let it in, or refuse it.
    pub is_active: Option<bool>,
    /// How many events it lets in; `Some(None)` = any number.
    pub limit: Option<Option<KeyLimit>>,
}

/// What goes on in a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectActivity {
    /// The project.
    pub project: ProjectId,
    /// Issues that are open now.
    pub open_issues: u64,
    /// Events by the hour in which they happened, oldest first, hours without events left out.
    /// Events of issues that have been deleted since are among them.
    pub hours: Vec<HourCount>,
}

impl ProjectActivity {
    /// All events of the hours asked for.
    pub fn events(&self) -> u64 {
        self.hours.iter().map(|hour| hour.events).sum()
    }
}

/// Projects and their client keys. [`Access`](crate::access::Access) opens them.
#[async_trait]
pub trait Projects: Send + Sync {
    /// Makes a project and its first key in one transaction. Ids are handed out in order from 1
    /// and never used again.
    ///
    /// # Errors
    /// [`LimitReached`](crate::Error::LimitReached) when the organization has too many,
    /// [`NotFound`](crate::Error::NotFound) `organization` when it has just been deleted.
    async fn create_project(&self, scope: &OrgScope, project: NewProject) -> Result<Project>;

    /// The organization's projects, by name.
    async fn list_projects(&self, scope: &OrgScope) -> Result<Vec<Project>>;

    /// What goes on in each of the organization's projects, from the hour of `since` on; in the
    /// order of their ids, projects without events too.
    async fn list_project_activity(
        &self,
        scope: &OrgScope,
        since: Timestamp,
    ) -> Result<Vec<ProjectActivity>>;

    /// Environments that the organization's events came from, in alphabetical order.
    async fn list_environments(&self, scope: &OrgScope) -> Result<Vec<String>>;

    /// Changes a project; answers the new state.
    ///
    /// # Errors
    /// [`Conflict`](crate::Error::Conflict) `slug` when another project of the organization has it.
    async fn update_project(&self, scope: &ProjectScope, patch: ProjectPatch) -> Result<Project>;

    /// Deletes a project: its keys at once, its issues and events with it; dead payload frames by
    /// compaction later.
    async fn delete_project(&self, scope: &ProjectScope) -> Result<()>;

    /// The project's keys, oldest first.
    async fn list_keys(&self, scope: &ProjectScope) -> Result<Vec<ClientKey>>;

    /// Makes a key.
    ///
    /// # Errors
    /// [`LimitReached`](crate::Error::LimitReached) when the project has too many.
    async fn create_key(&self, scope: &ProjectScope, key: NewKey) -> Result<ClientKey>;

    /// Changes a key; answers the new state.
    ///
    /// # Errors
    /// [`NotFound`](crate::Error::NotFound) when the project has no such key.
    async fn update_key(
        &self,
        scope: &ProjectScope,
        key: KeyId,
        patch: KeyPatch,
    ) -> Result<ClientKey>;

    /// Deletes a key.
    ///
    /// # Errors
    /// [`NotFound`](crate::Error::NotFound) when the project has no such key.
    async fn delete_key(&self, scope: &ProjectScope, key: KeyId) -> Result<()>;
}

impl NewProject {
    /// The key that a project is made with.
    pub(crate) fn first_key(self) -> NewKey {
        NewKey {
            id: self.key_id,
            public_key: self.public_key,
            label: FIRST_KEY_LABEL.to_owned(),
            limit: None,
            now: self.now,
        }
    }
}

impl NewKey {
    /// The key once it is made.
    pub(crate) fn made_in(self, project: ProjectId) -> ClientKey {
        ClientKey {
            id: self.id,
            project_id: project,
            public_key: self.public_key,
            label: self.label,
            is_active: true,
            limit: self.limit,
            created_at: self.now,
        }
    }
}

/// Refuses another project in an organization that has so many.
pub(crate) fn require_project_room(projects: u64) -> Result<()> {
    if projects >= PROJECTS_PER_ORG_MAX.into() {
        return Err(Error::LimitReached {
            what: "projects in one organization",
            limit: PROJECTS_PER_ORG_MAX,
        });
    }
    Ok(())
}

/// Refuses another key in a project that has so many.
pub(crate) fn require_key_room(keys: u64) -> Result<()> {
    if keys >= KEYS_PER_PROJECT_MAX.into() {
        return Err(Error::LimitReached {
            what: "keys of one project",
            limit: KEYS_PER_PROJECT_MAX,
        });
    }
    Ok(())
}

/// The id that a new project was given.
pub(crate) fn made_id(number: i64) -> Result<ProjectId> {
    project_id(number).map_err(|_| Error::LimitReached {
        what: "projects ever made",
        limit: ProjectId::MAX,
    })
}

/// Narrows a stored number to a project id.
pub(crate) fn project_id(number: i64) -> std::result::Result<ProjectId, &'static str> {
    u32::try_from(number)
        .ok()
        .and_then(|number| ProjectId::new(number).ok())
        .ok_or("a project id is a small positive integer")
}

/// The limit of a key, as it is stored.
pub(crate) fn key_limit(
    events: Option<i64>,
    secs: Option<i64>,
) -> std::result::Result<Option<KeyLimit>, &'static str> {
    let (Some(events), Some(secs)) = (events, secs) else {
        return Ok(None);
    };
    let narrow = |number: i64| u32::try_from(number).unwrap_or(0);
    KeyLimit::new(narrow(events), narrow(secs))
        .map(Some)
        .map_err(|_| "a key has such a limit as can be set")
}

/// Days that a project's events are kept.
pub(crate) fn retention_days(chosen: Option<u16>, plan: u16) -> u16 {
    chosen.map_or(plan, |chosen| chosen.min(plan))
}
