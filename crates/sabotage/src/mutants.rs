//! What can be broken, what is broken now, and what has been passed by.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// One protection that can be taken away.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mutant {
    /// A condition of a statement that always holds.
    Condition {
        /// The file that has the statement, below `src/`.
        file: String,
        /// How the statement begins.
        statement: String,
        /// The condition.
        condition: String,
        /// Which of those that read the same in the statement.
        number: usize,
    },
    /// A cell of the policy that says the opposite.
    Cell {
        /// What is asked for.
        action: String,
        /// The role that asks.
        role: String,
    },
    /// What a credential reaches, the opposite.
    Reach {
        /// What an action asks of the credential.
        asked: String,
        /// What was shown.
        shown: String,
    },
}

impl fmt::Display for Mutant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Condition {
                file,
                statement,
                condition,
                number,
            } => {
                write!(f, "{file}: {statement} … {condition}")?;
                if *number > 0 {
                    write!(f, " (number {})", number + 1)?;
                }
                Ok(())
            }
            Self::Cell { action, role } => write!(f, "policy: {action} as {role}"),
            Self::Reach { asked, shown } => write!(f, "reach: {asked} with {shown}"),
        }
    }
}

/// What this process does.
struct State {
    broken: Option<Mutant>,
    passed: BTreeSet<Mutant>,
}

static STATE: Mutex<State> = Mutex::new(State {
    broken: None,
    passed: BTreeSet::new(),
});

fn state() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Breaks this, and nothing else, from now on.
pub fn break_only(mutant: Option<Mutant>) {
    state().broken = mutant;
}

/// The protections that have been passed by since this was last asked.
pub fn take_passed() -> BTreeSet<Mutant> {
    std::mem::take(&mut state().passed)
}

/// Passes by a protection; whether it is broken.
pub fn pass_by(mutant: Mutant) -> bool {
    let mut state = state();
    let is_broken = state.broken.as_ref() == Some(&mutant);
    if state.broken.is_none() {
        state.passed.insert(mutant);
    }
    is_broken
}
