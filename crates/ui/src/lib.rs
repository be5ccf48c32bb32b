//! copal-ui
