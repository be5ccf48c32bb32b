//! Rules of the code base that the compiler cannot check.
//!
//! Each rule is in `ARCHITECTURE.md`; the message of a failure says where and how to mend it.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot read the tree must fail"
)]

mod arrows;
mod invariants;
mod licences;
mod links;
mod tree;
