//! Exception groups: exceptions that only gather others, such as of tasks that failed together.
//!
//! The exceptions of an event are a tree then, of which each names its parent. A group counts by its
//! members that differ; if all are alike it is as if that one had happened alone.

use std::collections::HashSet;

use copal_protocol::event::{Event, Exception, Mechanism};

use super::exceptions::Component;

/// The exceptions that count, by place, in the order in which they are hashed.
///
/// `None` where there are no groups, or where the tree is broken: then all count.
pub(super) fn members(event: &Event<'_>, components: &[Component<'_>]) -> Option<Vec<usize>> {
    if !is_group(event) {
        return None;
    }
    let tree = Tree::of(event)?;
    let mut tops = tree.tops()?;
    tops.sort_by(|one, other| {
        event.exceptions[*other]
            .kind
            .cmp(&event.exceptions[*one].kind)
    });
    let mut seen: HashSet<Vec<&str>> = HashSet::new();
    tops.retain(|top| {
        let leaves = components[*top].system.iter().map(|leaf| &*leaf.value);
        seen.insert(leaves.collect())
    });
    match tops[..] {
        [] => None,
        [only] => Some(tree.first_path(only)),
        _ => {
            tops.push(tree.root);
            Some(tops)
        }
    }
}

/// Whether an event has exceptions that gather others.
///
/// Version 3 of the Python SDK numbers exceptions otherwise.
pub(super) fn is_group(event: &Event<'_>) -> bool {
    let is_gathering = |exception: &Exception<'_>| {
        let mechanism = exception.mechanism.as_ref();
        mechanism.and_then(|mechanism| mechanism.is_exception_group) == Some(true)
    };
    let is_exempt = event.sdk.as_ref().is_some_and(|sdk| {
        let name = sdk.name.as_deref().unwrap_or_default();
        let version = sdk.version.as_deref().unwrap_or_default();
        name.starts_with("sentry.python") && version.starts_with("3.")
    });
    event.exceptions.len() > 1 && !is_exempt && event.exceptions.iter().any(is_gathering)
}

/// Whether an exception is the root of the tree.
pub(super) fn is_root(event: &Event<'_>, exception: usize) -> bool {
    let mechanism = event.exceptions[exception].mechanism.as_ref();
    mechanism.is_some_and(|mechanism| mechanism.exception_id == Some(0))
}

/// Exceptions by place, each with those it holds, in the order in which they were raised.
struct Tree {
    root: usize,
    children: Vec<Vec<usize>>,
    is_group: Vec<bool>,
}

impl Tree {
    /// `None` where numbers are missing, double, or of no root.
    fn of(event: &Event<'_>) -> Option<Self> {
        let mechanisms: Option<Vec<&Mechanism<'_>>> = event
            .exceptions
            .iter()
            .map(|exception| exception.mechanism.as_ref())
            .collect();
        let mechanisms = mechanisms?;
        let ids: Option<Vec<u64>> = mechanisms
            .iter()
            .map(|mechanism| mechanism.exception_id)
            .collect();
        let ids = ids?;
        let distinct: HashSet<u64> = ids.iter().copied().collect();
        let is_own_parent =
            |mechanism: &&Mechanism<'_>| mechanism.parent_id == mechanism.exception_id;
        if distinct.len() != ids.len() || mechanisms.iter().any(is_own_parent) {
            return None;
        }
        let root = ids.iter().position(|id| *id == 0)?;
        let mut children = vec![Vec::new(); ids.len()];
        // The list ends with the root.
        for (place, mechanism) in mechanisms.iter().enumerate().rev() {
            let parent = mechanism
                .parent_id
                .and_then(|id| ids.iter().position(|known| *known == id));
            if let Some(parent) = parent {
                children[parent].push(place);
            }
        }
        let is_group = mechanisms
            .iter()
            .map(|mechanism| mechanism.is_exception_group == Some(true))
            .collect();
        Some(Self {
            root,
            children,
            is_group,
        })
    }

    /// The exceptions that groups hold, down to the first of each branch that is no group itself.
    ///
    /// `None` where groups hold each other in a circle.
    fn tops(&self) -> Option<Vec<usize>> {
        let mut tops = Vec::new();
        let mut open = vec![self.root];
        let mut visited = 0;
        while let Some(place) = open.pop() {
            visited += 1;
            if visited > self.children.len() {
                return None;
            }
            if self.is_group[place] {
                open.extend(self.children[place].iter().rev());
            } else {
                tops.push(place);
            }
        }
        (!tops.is_empty() && tops != [self.root]).then_some(tops)
    }

    /// An exception, what it holds first, and so on.
    fn first_path(&self, top: usize) -> Vec<usize> {
        let mut path = vec![top];
        while let Some(next) = path.last().and_then(|last| self.children[*last].first())
            && !path.contains(next)
        {
            path.push(*next);
        }
        path
    }
}
