//! What handlers share: one value, cheap to clone, made once in `src`.

use std::sync::Arc;

use axum::extract::FromRef;
use copal_journal::Journal;
use copal_model::{Clock, Entropy, Plan, Plans};
use copal_store::Store;
use metrics_exporter_prometheus::PrometheusHandle;

use crate::auth::Auth;
use crate::auth::secret::Secret;
use crate::auth::throttle::LoginLimits;
use crate::ingest::{self, Ingest};
use crate::news::Newsroom;
use crate::operate::Operate;
use crate::web::StreamSlots;

/// What an [`App`] is made of.
pub struct Parts {
    /// Everything Copal remembers.
    pub store: Arc<dyn Store>,
    /// What has been received and not yet recorded.
    pub journal: Journal,
    /// What has been counted.
    pub metrics: PrometheusHandle,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Makes randomness for ids and secrets.
    pub entropy: Arc<dyn Entropy>,
    /// What the operator has set.
    pub settings: Settings,
}

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
    /// What letting people in keeps in memory: password workers, throttles.
    pub auth: Arc<Auth>,
    /// Pages that wait for news now.
    pub streams: StreamSlots,
    /// Takes in what SDKs send.
    pub ingest: Arc<Ingest>,
    /// Tells operators how it is going.
    pub operate: Arc<Operate>,
}

impl App {
    /// Puts together what handlers share.
    pub fn new(parts: Parts) -> Self {
        let ingest = Ingest::new(
            Arc::clone(&parts.store),
            parts.journal.clone(),
            Arc::clone(&parts.clock),
            Arc::clone(&parts.entropy),
            ingest::Config::default(),
        );
        let operate = Operate {
            journal: parts.journal,
            metrics: parts.metrics,
            token: parts.settings.operator_token.clone(),
            started_at: parts.clock.now(),
        };
        Self {
            store: parts.store,
            clock: parts.clock,
            entropy: parts.entropy,
            auth: Arc::new(Auth::new(&parts.settings.login_limits)),
            settings: Arc::new(parts.settings),
            news: Newsroom::default(),
            streams: StreamSlots::default(),
            ingest: Arc::new(ingest),
            operate: Arc::new(operate),
        }
    }
}

impl FromRef<App> for Arc<Ingest> {
    fn from_ref(app: &App) -> Self {
        Self::clone(&app.ingest)
    }
}

impl FromRef<App> for Arc<Operate> {
    fn from_ref(app: &App) -> Self {
        Self::clone(&app.operate)
    }
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
    /// What the organizations of each plan may use.
    pub plans: Plans,
    /// Where owners buy another plan; `None` = they ask the administrators here.
    pub billing_url: Option<String>,
    /// How often logging in may be tried.
    pub login_limits: LoginLimits,
    /// Lets an operator read the metrics from elsewhere; without it only from this machine.
    pub operator_token: Option<Secret>,
}

impl Settings {
    /// Whether browsers reach Copal by TLS only, so that cookies can be bound to it.
    pub fn is_https(&self) -> bool {
        self.base_url.starts_with("https://")
    }

    /// Scheme, host and port of the base URL, as browsers name them in `Origin`.
    pub fn origin(&self) -> &str {
        let path = crate::middleware::paths::base_path(&self.base_url);
        let base = self.base_url.trim_end_matches('/');
        base.strip_suffix(path).unwrap_or(base)
    }
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
