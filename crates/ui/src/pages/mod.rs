//! A struct for every page, in the file of its subject.
//!
//! Each derives [`Template`](crate::Template) and has a `sample()` with made-up values, which the
//! gallery and the snapshot tests render.

pub mod account;
pub mod api_docs;
pub mod event;
pub mod failure;
pub(crate) mod frames;
pub mod issue;
pub mod organization;
pub mod project;
pub mod tokens;
