//! What a request must come to, by the route's access rule, the policy and whose ids it names.

use axum::http::{Method, StatusCode};
use copal_model::policy::Action;
use copal_server::middleware::audience::Audience;
use copal_server::routes::RouteAccess;

use crate::actors::Actor;
use crate::canary::Tenant;
use crate::cases::{Case, Row};
use crate::parts::{Part, Source};
use crate::policy::Policy;
use crate::recipes::Effect;
use crate::site::Answer;

/// Routes after which one must log in again.
const LOGS_OUT: &[&str] = &["/logout", "/account/delete"];

/// Actions that a route asks for where the member in its path is somebody else, as all are here.
const TO_OTHERS: &[(&str, Action)] = &[(
    "/api/v1/organizations/{org}/members/{member}",
    Action::RemoveMembers,
)];

/// Routes that tell an organization of itself.
const LISTS_ORGS: &[&str] = &["/api/v1/organizations"];

/// What routes begin with that take no token: tokens do not manage tokens (S-14).
const OF_SESSIONS: &str = "/api/v1/me/tokens";

/// What a request must come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expected {
    /// It is done.
    Done,
    /// Who asks must log in first, or show a token.
    LogIn,
    /// Nothing is there.
    NotFound,
    /// It is there, and not allowed.
    Forbidden,
    /// It is there and allowed, but a rule is in the way.
    Conflict,
    /// Nothing is there, or it is not allowed: which, the order of checks decides.
    NotFoundOrForbidden,
    /// Done, or not allowed to a token that was narrowed.
    DoneOrForbidden,
    /// Refused, for want of a client key.
    Refused,
    /// Whatever is said, it is said of foreign and missing things alike, and nothing breaks.
    Alike,
}

impl Expected {
    /// Whether an answer of a route is that.
    pub(crate) fn is_met_by(self, row: &Row, answer: &Answer) -> bool {
        let status = answer.status;
        let goes_on = status.is_success() || status.is_redirection();
        let is_done = goes_on && (!answer.leads_to_login() || LOGS_OUT.contains(&row.path));
        let is_not_found = status == StatusCode::NOT_FOUND;
        // Who reads a page by a slug that the organization had before is led to the one that it has,
        // if they are a member; there they are told.
        let is_led_on = status == StatusCode::PERMANENT_REDIRECT
            && row.method == Method::GET
            && row.path.starts_with("/o/{org}")
            && answer.header("location").starts_with("/o/");
        let is_forbidden = status == StatusCode::FORBIDDEN || is_led_on;
        match self {
            Self::Done => is_done,
            Self::LogIn => answer.leads_to_login() || status == StatusCode::UNAUTHORIZED,
            Self::NotFound => is_not_found,
            Self::Forbidden => is_forbidden,
            Self::Conflict => status == StatusCode::CONFLICT,
            Self::NotFoundOrForbidden => is_not_found || is_forbidden,
            Self::DoneOrForbidden => is_done || is_forbidden,
            Self::Refused => status.is_client_error(),
            Self::Alike => !status.is_server_error(),
        }
    }

    /// Whether the database may change.
    pub(crate) const fn may_change(self) -> bool {
        matches!(self, Self::Done | Self::DoneOrForbidden | Self::Alike)
    }
}

/// What a case must come to.
pub(crate) fn expected(row: &Row, actor: &Actor, case: &Case, policy: &Policy) -> Expected {
    let audience = Audience::of(row.path);
    match row.access {
        RouteAccess::Public => Expected::Alike,
        RouteAccess::ClientKey => Expected::Refused,
        // The same as where nothing is: strangers need not know.
        RouteAccess::Operator => Expected::NotFound,
        _ if !actor.is_known(audience) => Expected::LogIn,
        // It is told of itself there; all else about oneself is for people.
        RouteAccess::Principal if actor.is_org && !LISTS_ORGS.contains(&row.path) => {
            Expected::Forbidden
        }
        RouteAccess::Principal if actor.is_org && row.method != Method::GET => Expected::Forbidden,
        RouteAccess::Principal if actor.is_token() && row.path.starts_with(OF_SESSIONS) => {
            Expected::Forbidden
        }
        RouteAccess::Principal => of_person(actor, case),
        RouteAccess::Org(Action::LeaveOrg) => {
            let to_others = TO_OTHERS.iter().find(|(path, _)| *path == row.path);
            let action = to_others.map_or(Action::LeaveOrg, |(_, action)| *action);
            of_member(actor, case, action, policy)
        }
        RouteAccess::Org(action) => of_member(actor, case, action, policy),
    }
}

fn of_person(actor: &Actor, case: &Case) -> Expected {
    let home = Source::First(actor.home());
    let is_own = case.in_path.iter().all(|(_, source)| *source == home);
    match () {
        () if !is_own => Expected::NotFound,
        () if case.has_strange_body => Expected::Alike,
        // A body may name an organization that the actor is in none of.
        () if actor.roles.is_empty() && !case.draft.texts.is_empty() => Expected::Alike,
        () if actor.scopes.is_some() => Expected::DoneOrForbidden,
        () => Expected::Done,
    }
}

fn of_member(actor: &Actor, case: &Case, action: Action, policy: &Policy) -> Expected {
    let Some(tenant) = open_org(actor, case) else {
        return Expected::NotFound;
    };
    let allowed = policy.permits(actor, tenant, action);
    match (belongs_together(&case.in_path, tenant), allowed) {
        (true, true) if case.has_strange_body => Expected::Alike,
        (true, true) if case.effect == Effect::AgainstRules => Expected::Conflict,
        (true, true) => Expected::Done,
        (true, false) => Expected::Forbidden,
        // Both may call things the same, and who is in both gets to the other ones.
        (false, _) if actor.roles.len() > 1 => Expected::Alike,
        (false, true) => Expected::NotFound,
        (false, false) => Expected::NotFoundOrForbidden,
    }
}

/// The organization that the path names, if the actor is in it.
fn open_org(actor: &Actor, case: &Case) -> Option<Tenant> {
    let named = case.in_path.iter().find(|(part, _)| part.name == "org");
    let (_, source) = named.expect("a route of an organization has it in its path");
    let exists = !matches!(source, Source::Missing(_));
    let tenant = source.tenant();
    (exists && actor.roles.contains_key(&tenant)).then_some(tenant)
}

/// Whether the things that a path names are below each other.
fn belongs_together(in_path: &[(Part, Source)], tenant: Tenant) -> bool {
    let below_org = in_path.iter().filter(|(part, _)| part.name != "org");
    below_org
        .map(|(_, source)| *source)
        .all(|source| source == Source::First(tenant))
}
