//! The journal, from the outside.

mod basic;
mod damage;
mod faults;
mod faulty;
mod support;
