//! Event to hashes, with the reasons. Pure and versioned: the same event always groups alike.
//!
//! An event gets up to two hashes: of its application's frames (`app`) and of all frames
//! (`system`). It joins the issue of the first hash that has one. Hashes are MD5 over the text of
//! all contributing leaves in order, so that they equal those of Sentry where the rules agree.
//!
//! # Layout
//! - [`group`]: the entry; [`Grouping`]: what comes out
//! - [`Judged`]: what stack-trace rules say of an event, asked once and written into it
//! - `strategy`: the ways to group, best first
//! - `stack`, `frame`, [`function`], [`family`]: what of a stack trace counts
//! - [`rules`]: both languages of rules, and the built-in ones
//! - [`message`]: messages without what changes from event to event
//! - `fingerprint`: what clients and rules ask for

#![warn(missing_docs)]

pub mod family;
mod fingerprint;
mod frame;
pub mod function;
mod grouping;
mod judge;
pub mod message;
pub mod rules;
mod stack;
mod strategy;

pub use frame::CONTEXT_LINE_CHARS_MAX;
pub use grouping::{Grouping, Hash, Leaf, StackVerdicts, VERSION, Variant, Whose};
pub use judge::Judged;
pub use rules::Rules;
pub use stack::{Ignored, Verdict};

use copal_protocol::event::Event;

/// Groups an event by the built-in rules.
pub fn group<'a>(event: &'a Event<'_>) -> Grouping<'a> {
    group_by(event, Rules::builtin())
}

/// Groups an event by a project's rules.
pub fn group_by<'a>(event: &'a Event<'_>, rules: &'a Rules) -> Grouping<'a> {
    group_judged(event, &Judged::of(event, &rules.stack), rules)
}

/// Groups an event that has been judged by the stack-trace rules among `rules`.
pub fn group_judged<'a>(event: &'a Event<'_>, judged: &Judged, rules: &'a Rules) -> Grouping<'a> {
    grouping::decide(event, judged, rules)
}
