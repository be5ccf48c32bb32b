//! Mutants that nobody can notice, since something else protects the same: each with what does.
//!
//! Checked: one that is listed here and killed is an error.

/// Names of mutants, and why they change nothing.
pub(crate) const EXCUSED: &[(&str, &str)] = &[];
