//! The ways in of events: a key opens them, which no actor of the suite shows.

use super::Sent::Raw;
use super::{Recipe, says};

const ENVELOPE: &str = "{}\n{\"type\":\"event\"}\n{\"message\":\"x\"}\n";
const EVENT: &str = "{\"message\":\"x\"}";

/// The recipes.
pub(super) fn recipes() -> Vec<Recipe> {
    let envelopes = [
        "/api/{project}/envelope/",
        "/api/{project}/envelope",
        "/tunnel",
        "/tunnel/",
    ];
    let events = [
        "/api/{project}/store/",
        "/api/{project}/store",
        "/api/store/",
        "/api/store",
    ];
    let envelopes = envelopes.map(|path| says(path, &[Raw(ENVELOPE)]));
    let events = events.map(|path| says(path, &[Raw(EVENT)]));
    envelopes.into_iter().chain(events).collect()
}
