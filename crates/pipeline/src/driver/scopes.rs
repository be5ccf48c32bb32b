//! Leave to record, remembered for a second: a deleted project or a changed plan is soon noticed.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use copal_model::ProjectId;
use copal_store::access::RecordAccess;

use super::Destination;

/// How long an answer is believed.
const FRESH: Duration = Duration::from_secs(1);
/// Projects remembered; with more, all are forgotten and asked for again.
const PROJECTS_MAX: usize = 10_000;

/// Projects, with leave to record where they exist.
pub(super) type Opened = HashMap<ProjectId, Option<RecordAccess>>;

/// What the store has answered lately.
#[derive(Debug, Default)]
pub(super) struct Scopes(Mutex<HashMap<ProjectId, (Instant, Option<RecordAccess>)>>);

/// A fresh answer: leave, or that there is no such project.
struct Known(Option<RecordAccess>);

impl Scopes {
    /// Leave to record in each of the projects.
    pub(super) async fn open<S: Destination>(
        &self,
        store: &S,
        projects: &[ProjectId],
    ) -> copal_store::Result<Opened> {
        let mut opened = Opened::with_capacity(projects.len());
        for project in projects {
            let access = if let Some(Known(access)) = self.known(*project) {
                access
            } else {
                let access = store.open_recording(*project).await?;
                self.remember(*project, access.clone());
                access
            };
            opened.insert(*project, access);
        }
        Ok(opened)
    }

    /// Forgets everything: something was not as remembered.
    pub(super) fn forget(&self) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    fn known(&self, project: ProjectId) -> Option<Known> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, access) = known.get(&project)?;
        (since.elapsed() < FRESH).then(|| Known(access.clone()))
    }

    fn remember(&self, project: ProjectId, access: Option<RecordAccess>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= PROJECTS_MAX {
            known.clear();
        }
        known.insert(project, (Instant::now(), access));
    }
}
