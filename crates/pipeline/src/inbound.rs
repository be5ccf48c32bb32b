//! What projects say of events on their way in, ready for use and remembered.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use copal_model::{InboundSettings, ProjectId};

use crate::filter::Filters;
use crate::scrub::Scrubbing;

/// Projects whose settings are remembered; with more, all are forgotten and made ready again.
const PROJECTS_MAX: usize = 10_000;

/// A project's settings, ready for use.
#[derive(Debug, Default)]
pub struct Inbound {
    /// What it does not want.
    pub filters: Filters,
    /// What is taken out.
    pub scrubbing: Scrubbing,
}

/// Settings that were made ready lately.
#[derive(Debug, Default)]
pub(crate) struct Ready(Mutex<HashMap<ProjectId, (InboundSettings, Arc<Inbound>)>>);

impl Inbound {
    /// Makes settings ready. Lines that cannot be used, which no page lets in, count as not there.
    pub fn of(settings: &InboundSettings) -> Self {
        let (filters, problems) = Filters::of(&settings.filters);
        for problem in problems {
            tracing::warn!(%problem, "an inbound filter cannot be used");
        }
        Self {
            filters,
            scrubbing: Scrubbing::of(&settings.scrubbing),
        }
    }
}

impl Ready {
    /// A project's settings, made ready once for as long as they stay the same.
    pub(crate) fn of(&self, project: ProjectId, settings: &InboundSettings) -> Arc<Inbound> {
        let mut ready = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, inbound)) = ready.get(&project)
            && known == settings
        {
            return inbound.clone();
        }
        if ready.len() >= PROJECTS_MAX {
            ready.clear();
        }
        let inbound = Arc::new(Inbound::of(settings));
        ready.insert(project, (settings.clone(), inbound.clone()));
        inbound
    }
}
