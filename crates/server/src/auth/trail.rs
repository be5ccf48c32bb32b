//! The audit log: who did, or tried to do, what matters (rule D-10).
//!
//! Nobody needs to remember it: the route table puts [`watch`] around every route that changes
//! something and whose action is audited. Whoever let the caller in tells the request's [`Trail`]
//! who it is; how the answer reads says whether it was done. A handler that takes a [`Trail`] can add
//! what was before and what is now.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use copal_model::policy::Action;
use copal_model::{AuditEntry, AuditId, AuditResult, UserId};
use copal_store::{Error, OrgScope};

use crate::app::App;
use crate::auth::Caller;
use crate::fresh;
use crate::middleware::client_ip::ClientIp;
use crate::middleware::request_id::RequestId;
use crate::routes::RouteAccess;

/// What the actor of a token of an organization is called.
const ORG_TOKEN: &str = "a token of the organization";

/// What is known of a request that is audited; shared by all who deal with it.
#[derive(Debug, Clone, Default)]
pub struct Trail(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
struct Known {
    entered: Option<Entered>,
    also: Option<OrgScope>,
    before: Option<String>,
    after: Option<String>,
}

/// Who came into which organization.
#[derive(Debug, Clone)]
struct Entered {
    scope: OrgScope,
    actor: Option<UserId>,
    actor_name: String,
    credential: String,
}

impl Trail {
    /// Adds what was before, and what is now.
    pub fn changed(&self, before: Option<String>, after: Option<String>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (known.before, known.after) = (before, after);
    }

    /// The other organization that this concerns: it stands in its log too.
    pub fn concerns(&self, scope: OrgScope) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.also = Some(scope);
    }

    /// Notes who came in.
    pub(super) fn enter(parts: &Parts, caller: &Caller, scope: OrgScope) {
        let Some(trail) = parts.extensions.get::<Self>() else {
            return;
        };
        let (actor, actor_name) = match caller {
            Caller::Person(signed_in) => (Some(signed_in.user.id), signed_in.user.name.clone()),
            Caller::Organization(_) => (None, ORG_TOKEN.to_owned()),
        };
        let mut known = trail.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.entered = Some(Entered {
            scope,
            actor,
            actor_name,
            credential: caller.log_name(),
        });
    }

    fn take(&self) -> Known {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut known)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Trail {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get().cloned().unwrap_or_default())
    }
}

/// Whether what a route does stands in the audit log.
pub fn is_watched(method: &Method, access: RouteAccess) -> Option<Action> {
    let RouteAccess::Org(action) = access else {
        return None;
    };
    let changes = *method != Method::GET || action == Action::ExportAudit;
    (changes && action.is_audited()).then_some(action)
}

/// Writes a line of what a request did, or was not let do.
pub async fn watch(
    State((app, action)): State<(App, Action)>,
    mut request: Request,
    next: Next,
) -> Response {
    let trail = Trail::default();
    request.extensions_mut().insert(trail.clone());
    let asked = (
        format!("{} {}", request.method(), request.uri().path()),
        request
            .extensions()
            .get::<ClientIp>()
            .map(|client| client.0),
        request.extensions().get::<RequestId>().cloned(),
    );
    let answer = next.run(request).await;
    let result = match answer.status() {
        StatusCode::FORBIDDEN => AuditResult::Denied,
        status if status.is_success() || status.is_redirection() => AuditResult::Allowed,
        _ => return answer,
    };
    let known = trail.take();
    // Who was not let in at all has seen nothing of the organization, nor does it see them.
    let Some(entered) = known.entered else {
        return answer;
    };
    let (target, ip, request_id) = asked;
    let entry = AuditEntry {
        id: AuditId::new(fresh::uuid_v7(&*app.clock, &*app.entropy)),
        at: app.clock.now(),
        actor: entered.actor,
        actor_name: entered.actor_name,
        credential: entered.credential,
        ip,
        request_id: request_id.map_or_else(String::new, |id| id.as_str().to_owned()),
        action: action.name().to_owned(),
        target,
        result,
        before: known.before,
        after: known.after,
    };
    if let Some(other) = known.also {
        let id = AuditId::new(fresh::uuid_v7(&*app.clock, &*app.entropy));
        let entry = AuditEntry {
            id,
            ..entry.clone()
        };
        write(&app, &other, entry).await;
    }
    write(&app, &entered.scope, entry).await;
    answer
}

async fn write(app: &App, scope: &OrgScope, entry: AuditEntry) {
    let action = entry.action.clone();
    match app.store.add_audit(scope, entry).await {
        // It was deleted by this very request.
        Ok(()) | Err(Error::NotFound { .. }) => {}
        Err(error) => tracing::error!(%error, action, "cannot write the audit log"),
    }
}
