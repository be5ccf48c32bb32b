//! The journal, from the outside.

mod basic;
mod damage;
mod disk;
mod faults;
mod faulty;
mod support;
