//! copal-grouping
pub mod family;
pub mod function;
pub mod message;
pub mod rules;
