//! Everything that listens or ticks.
//!
//! # Layout
//! - [`app`]: what handlers share
//! - [`routes`]: the route table; the only way to register a route
//! - [`fresh`]: new ids and secrets
//! - [`news`]: what the pipeline has just recorded
//! - [`listen`]: the accept loop, timeouts, graceful stop
//! - [`middleware`]: request id, log, security headers, in one ordered list
//! - [`ingest`]: what SDKs call
//! - [`auth`]: passwords, sessions, access extractors, CSRF, throttling
//! - [`web`]: the pages people open
//! - [`problem`]: what an answer says when it is not what was asked for
//! - [`api`]: the REST API and its OpenAPI document
//! - [`operate`]: health and metrics
//! - [`jobs`]: what ticks

pub mod api;
pub mod app;
pub mod auth;
pub mod fresh;
pub mod ingest;
pub mod jobs;
pub mod listen;
pub mod middleware;
pub mod news;
pub mod operate;
pub mod problem;
pub mod routes;
pub mod web;
