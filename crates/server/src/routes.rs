//! The route table: the only way to register a route.
//!
//! Router, OpenAPI document and access test are derived from it, so a route cannot exist without
//! its access rule. Each surface contributes `routes()`; nobody else calls axum's `route`.

use axum::Router;
use axum::extract::Request;
use axum::handler::Handler;
use axum::http::{Method, StatusCode};
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodFilter, MethodRouter, on};
use copal_model::policy::Action;

use crate::app::App;
use crate::auth::trail;
use crate::problem::{self, Problem};

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

impl Route {
    /// A route of any method.
    pub fn new<H, T>(
        method: Method,
        path: &'static str,
        access: RouteAccess,
        summary: &'static str,
        handler: H,
    ) -> Self
    where
        H: Handler<T, App>,
        T: 'static,
    {
        let filter =
            MethodFilter::try_from(method.clone()).expect("only standard methods are registered");
        Self {
            method,
            path,
            access,
            summary,
            operation: None,
            handler: on(filter, handler),
        }
    }

    /// A `GET` route; it answers `HEAD` too.
    pub fn get<H, T>(
        path: &'static str,
        access: RouteAccess,
        summary: &'static str,
        handler: H,
    ) -> Self
    where
        H: Handler<T, App>,
        T: 'static,
    {
        Self::new(Method::GET, path, access, summary, handler)
    }

    /// A `POST` route.
    pub fn post<H, T>(
        path: &'static str,
        access: RouteAccess,
        summary: &'static str,
        handler: H,
    ) -> Self
    where
        H: Handler<T, App>,
        T: 'static,
    {
        Self::new(Method::POST, path, access, summary, handler)
    }

    /// The same route with its description for OpenAPI.
    #[must_use]
    pub fn with_operation(self, operation: fn() -> utoipa::openapi::path::Operation) -> Self {
        Self {
            operation: Some(operation),
            ..self
        }
    }
}

/// Every route of the server.
pub fn table() -> Vec<Route> {
    let mut routes = crate::web::routes();
    routes.extend(crate::api::routes());
    routes.extend(crate::ingest::routes());
    routes.extend(crate::operate::routes());
    routes
}

/// Builds the router out of the table. Routes of several methods on one path merge; problems are
/// told as whoever asks can read them.
///
/// # Panics
/// When two routes have the same method and path: a mistake in the table, found at start.
pub fn router(table: Vec<Route>, app: App) -> Router {
    table
        .into_iter()
        .fold(Router::new(), |router, route| {
            let handler = match trail::is_watched(&route.method, route.access) {
                Some(action) => route
                    .handler
                    .layer(from_fn_with_state((app.clone(), action), trail::watch)),
                None => route.handler,
            };
            router.route(route.path, handler)
        })
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(not_found)
        .layer(from_fn_with_state(app.clone(), problem::render))
        .with_state(app)
}

async fn not_found() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "not-found",
        "Not found",
        "There is nothing at this address.",
    )
}

async fn method_not_allowed(request: Request) -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method-not-allowed",
        "Method not allowed",
        format!("This address does not answer {}.", request.method()),
    )
}
