//! The REST API: JSON in and out, a file per noun, each with its body structs and its routes.
//!
//! Field names are the data model's in camelCase, ids are strings, enumerations stand in capitals,
//! times are RFC 3339 in UTC. Errors are problems (RFC 9457), told by [`crate::problem`].
//!
//! # Layout
//! - [`me`], [`organizations`], [`members`], [`tokens`], [`usage`], [`projects`], [`keys`], [`issues`], [`events`]: calls
//! - [`body`], [`query`]: what callers send, with errors that say how to mend it
//! - [`list`]: lists and the link to their next page
//! - [`names`]: enumerations as callers see them
//! - [`describe`], [`openapi`]: the calls as an OpenAPI document, made from the route table

pub mod body;
pub mod describe;
pub mod events;
pub mod inbound;
pub mod issues;
pub mod keys;
pub mod list;
pub mod me;
pub mod members;
pub mod names;
pub mod openapi;
pub mod organizations;
pub mod projects;
pub mod query;
pub mod tokens;
pub mod usage;

use crate::problem::Problem;
use crate::routes::Route;

/// What a call answers: a body, or why there is none.
pub type Result<T, E = Problem> = std::result::Result<T, E>;

/// The routes of the REST API.
pub fn routes() -> Vec<Route> {
    let mut routes = me::routes();
    routes.extend(organizations::routes());
    routes.extend(members::routes());
    routes.extend(usage::routes());
    routes.extend(tokens::routes());
    routes.extend(projects::routes());
    routes.extend(keys::routes());
    routes.extend(inbound::routes());
    routes.extend(issues::routes());
    routes.extend(events::routes());
    routes.extend(openapi::routes());
    routes
}
