//! The route table: the only way to register a route.
//!
//! Router, OpenAPI document and (later) the isolation suite are derived from it, so a route cannot
//! exist without its access rule.

use axum::Router;
use axum::http::Method;
use axum::routing::MethodRouter;
use copal_model::policy::Action;

use crate::app::App;

/// One route.
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path in axum's notation, `/api/v1/organizations/{org}`.
    pub path: &'static str,
    /// Who gets in. The handler's extractor enforces it; the table says it.
    pub access: RouteAccess,
    /// What it does, in a few words.
    pub summary: &'static str,
    /// Its description for OpenAPI; `None` outside the REST API.
    pub operation: Option<fn() -> utoipa::openapi::path::Operation>,
    /// Answers.
    pub handler: MethodRouter<App>,
}

/// Who gets in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RouteAccess {
    /// Everybody.
    Public,
    /// Who shows a client key.
    ClientKey,
    /// Who is logged in or shows a token, about themselves.
    Principal,
    /// A member whose role (and token's scope) allows the action.
    Org(Action),
    /// The operator: from loopback, or with the operator's token.
    Operator,
}

/// Builds the router out of the table.
pub fn router(table: Vec<Route>) -> Router<App> {
    table.into_iter().fold(Router::new(), |router, route| {
        router.route(route.path, route.handler)
    })
}
