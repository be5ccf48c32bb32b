//! Rules of the code base that the compiler cannot check.
//!
//! Each rule is in `ARCHITECTURE.md`; the message of a failure says where and how to mend it.

mod arrows;
mod invariants;
mod licences;
mod tree;
