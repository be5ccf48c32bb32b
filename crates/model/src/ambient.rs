//! Time and randomness, as parameters: whoever needs them is handed them.

use crate::Timestamp;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Now, in whole microseconds: what is kept of it, so that what is answered at once and what
    /// is read later are equal.
    fn now(&self) -> Timestamp;
}

/// Makes randomness fit for secrets.
pub trait Entropy: Send + Sync {
    /// Fills `bytes` with random ones.
    fn fill(&self, bytes: &mut [u8]);
}
