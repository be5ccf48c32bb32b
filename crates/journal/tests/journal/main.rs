//! The journal, from the outside.

mod basic;
mod faults;
mod faulty;
mod support;
