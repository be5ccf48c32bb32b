//! Rules: how projects and Copal itself say what groups.
//!
//! Two languages, both one rule a line, both plain text: stack-trace rules say whose code a frame is
//! and which frames count; fingerprint rules set an event's fingerprint. Reading a text compiles it;
//! what is wrong with it is told by line and column.
//!
//! # Layout
//! - [`Rules`]: all that decides how a project's events group
//! - `syntax`: words, and what can be wrong; `stack_syntax`, `fingerprint_syntax`: the two languages
//! - `glob`: how patterns are read; `pattern`: one alone; `compiled`: many at once
//! - `stack`, `apply`: stack-trace rules and what they do (`stack_builtin.txt`)
//! - `fingerprint`: fingerprint rules and what they do (`fingerprint_builtin.txt`)

mod apply;
mod compiled;
mod fingerprint;
mod fingerprint_syntax;
mod glob;
mod pattern;
mod stack;
mod stack_syntax;
mod syntax;
#[cfg(test)]
mod tests;

use std::sync::LazyLock;

pub use apply::{FrameRuling, Ruling};
pub use fingerprint::{FingerprintRules, Setting};
pub use pattern::Pattern;
pub use stack::{ExceptionFacts, FrameFacts, RuleId, StackRules};
pub use syntax::{PATTERN_BYTES_MAX, PROBLEMS_MAX, Problem, RULES_BYTES_MAX, RULES_MAX, RuleError};

use crate::family::Family;

/// All that decides how a project's events group: the built-in rules and its own.
#[derive(Debug, Default)]
pub struct Rules {
    /// Whose code frames are, and which count.
    pub stack: StackRules,
    /// Which events get which fingerprint.
    pub fingerprint: FingerprintRules,
}

impl Rules {
    /// The rules of a project that has none of its own.
    pub fn builtin() -> &'static Self {
        static BUILTIN: LazyLock<Rules> = LazyLock::new(Rules::default);
        &BUILTIN
    }
}

/// A rule, for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuleRef<'r> {
    /// Whose it is.
    pub origin: Origin,
    /// Its line, from 1.
    pub line: usize,
    /// Its text.
    pub text: &'r str,
}

/// Whose rule it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// One that holds for every project.
    BuiltIn,
    /// The project's own.
    Project,
}

/// A set of families.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Families(u8);

impl Families {
    const NONE: Self = Self(0);
    const ALL: Self = Self((1 << Family::COUNT) - 1);

    const fn with(self, family: Family) -> Self {
        Self(self.0 | 1 << family as u8)
    }

    const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    const fn contains(self, family: Family) -> bool {
        self.0 & 1 << family as u8 != 0
    }

    fn iter(self) -> impl Iterator<Item = Family> {
        Family::ALL
            .into_iter()
            .filter(move |family| self.contains(*family))
    }
}
