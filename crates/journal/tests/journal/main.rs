//! The journal, from the outside.

mod basic;
mod support;
