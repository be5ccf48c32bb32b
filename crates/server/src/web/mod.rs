//! The pages. A folder per noun, a file per verb, at most a screenful per handler: parse, one or
//! two store calls, build a page struct.
//!
//! # Layout
//! - [`error`]: what a page says when it cannot say what was asked for

pub mod error;

use crate::routes::Route;

/// The routes of all pages.
pub fn routes() -> Vec<Route> {
    Vec::new()
}
