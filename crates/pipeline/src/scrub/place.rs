//! Where in an event we are: a chain of names on the stack, written only where something is noted.

use std::fmt;

/// A place, known by its way from the top.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'p> {
    above: Option<&'p Place<'p>>,
    step: Step<'p>,
}

#[derive(Debug, Clone, Copy)]
enum Step<'p> {
    Key(&'p str),
    Index(usize),
}

impl<'p> Place<'p> {
    /// An attribute of the event.
    pub(crate) const fn top(name: &'p str) -> Self {
        Self {
            above: None,
            step: Step::Key(name),
        }
    }

    /// What stands under a name here.
    pub(crate) const fn key(&'p self, name: &'p str) -> Self {
        Self {
            above: Some(self),
            step: Step::Key(name),
        }
    }

    /// What stands at an index here.
    pub(crate) const fn index(&'p self, index: usize) -> Self {
        Self {
            above: Some(self),
            step: Step::Index(index),
        }
    }
}

/// `request.headers.Authorization`
impl fmt::Display for Place<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(above) = self.above {
            write!(out, "{above}.")?;
        }
        match self.step {
            Step::Key(name) => out.write_str(name),
            Step::Index(index) => write!(out, "{index}"),
        }
    }
}
