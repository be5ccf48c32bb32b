//! The pages. A folder per noun, a file per verb, at most a screenful per handler: parse, one or
//! two store calls, build a page struct.
//!
//! # Layout
//! - [`frame`]: what every page has around it, and how pages become answers
//! - `notice`: what was just done, told once on the next page
//! - [`error`]: what a page says when it cannot say what was asked for
//! - `account`, `org`, `project`, `issue`: the pages by noun
//! - `token_form`: the form that makes a token, of a person or of an organization
//! - [`event_view`]: a stored event's JSON as the issue page shows it
//! - `stream`: server-sent events, for pages that update by themselves
//! - `home`, `files`, `api_docs`: the start page, theme, static files, the API for people

mod account;
mod api_docs;
pub mod error;
pub mod event_view;
mod files;
pub mod frame;
mod home;
mod issue;
mod notice;
mod org;
mod project;
mod stream;
mod token_form;

pub use error::Error;
pub use stream::StreamSlots;

use crate::routes::Route;

/// The routes of all pages.
pub fn routes() -> Vec<Route> {
    [
        home::routes(),
        files::routes(),
        account::routes(),
        org::routes(),
        project::routes(),
        issue::routes(),
        stream::routes(),
        api_docs::routes(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
