//! What handlers share: one value, cheap to clone, made once in `src`.

use std::sync::Arc;

use copal_model::{Clock, Entropy, Plan};
use copal_store::Store;

use crate::news::Newsroom;

/// What handlers share.
#[derive(Clone)]
pub struct App {
    /// Everything Copal remembers.
    pub store: Arc<dyn Store>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Makes randomness for ids and secrets.
    pub entropy: Arc<dyn Entropy>,
    /// What the operator has set.
    pub settings: Arc<Settings>,
    /// News of recorded events, for pages that update by themselves.
    pub news: Newsroom,
}

/// What the operator has set, as far as handlers care.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The address users see, without a slash at the end: `http://127.0.0.1:8000`.
    pub base_url: String,
    /// Who may sign up.
    pub signup: SignupMode,
    /// Plan of new organizations.
    pub default_plan: Plan,
}

/// Who may sign up. The first user always may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignupMode {
    /// Everybody.
    Open,
    /// Who has been invited.
    Invite,
    /// Nobody.
    Closed,
}
