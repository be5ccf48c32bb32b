//! The pages, asked as browsers ask them: through the middleware, with the real store.

#![expect(clippy::unwrap_used, reason = "a case that cannot go on has failed")]

mod access;
mod accounts;
mod api;
mod forms;
mod issues;
mod operate;
mod projects;
mod roles;
mod sdks;
mod site;
mod streams;
mod tokens;
mod trail;
