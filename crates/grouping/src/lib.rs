//! copal-grouping
