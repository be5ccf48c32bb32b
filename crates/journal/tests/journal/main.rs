//! The journal, from the outside.

mod basic;
mod damage;
mod disk;
mod faults;
mod faulty;
mod model;
mod room;
mod support;
