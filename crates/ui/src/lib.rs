//! What people see: values in, HTML out.
//!
//! Each page is a struct in [`pages`] that a handler fills and renders:
//!
//! ```
//! use copal_ui::{Template, pages::account::LogIn};
//!
//! let html = LogIn::sample().render().expect("a page renders");
//! assert!(html.starts_with("<!doctype html>"));
//! ```
//!
//! Nothing here does I/O or asks the time: pages that show ages carry `now` in their [`Nav`]. What
//! comes from an event is hostile text; templates write it with the filters of `filters`, which
//! escape, shorten and isolate it. No page needs a script, and none has an inline script or style.
//!
//! # Layout
//! - [`pages`]: a struct for every page, in the file of its subject
//! - [`nav`]: what every page has around it
//! - [`form`]: fields that keep what was typed, and permissions with their reason
//! - [`filter`]: what an issue list is narrowed to, and its query string
//! - [`urls`]: every path, for links and for the route table
//! - [`mod@format`], [`trend`], [`tree`], [`icon`]: how times, counts, hours and values look
//! - [`search_help`]: what the search box takes, by example
//! - [`mod@markdown`]: an issue with an event as text, for trackers and assistants
//! - [`device`]: a browser in words
//! - [`platforms`]: SDKs and the lines to paste
//! - [`assets`]: static files, compiled in

#![warn(missing_docs)]

pub mod assets;
pub mod device;
pub mod filter;
pub(crate) mod filters;
pub mod form;
pub mod format;
pub mod icon;
pub mod markdown;
pub mod nav;
pub mod pages;
pub mod platforms;
mod sample;
pub mod search_help;
pub mod tree;
pub mod trend;
pub mod urls;

pub use askama::{self, Template};
pub use nav::{Nav, NavItem, NavOrg, NavUser, Theme};
