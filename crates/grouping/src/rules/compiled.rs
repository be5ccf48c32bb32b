//! The patterns of one field of frames, for one family, ready to be looked for.
//!
//! Most patterns are a whole text or a beginning of one. Those stand in a sorted list, in which one
//! binary search finds all that a text equals or begins with. The rest is one automaton.

use regex::bytes::{Regex, RegexBuilder, RegexSet, RegexSetBuilder};

use super::glob::Shape;

/// One bit for each pattern of a layer of rules.
pub(super) type PatternId = usize;

/// Patterns that a text is tried on all at once.
#[derive(Debug, Default)]
pub(super) struct Matchers {
    /// Sorted by text, each once.
    literals: Vec<Literal>,
    automaton: Option<(RegexSet, Vec<PatternId>)>,
}

#[derive(Debug)]
struct Literal {
    text: Box<[u8]>,
    /// The longest other literal that this one begins with.
    parent: Option<usize>,
    exact: Vec<PatternId>,
    prefix: Vec<PatternId>,
}

/// Compiles an expression of [`Shape::Regex`].
pub(super) fn regex(expression: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(expression).unicode(false).build()
}

impl Matchers {
    pub(super) fn new<'p>(patterns: impl Iterator<Item = (PatternId, &'p Shape)>) -> Self {
        let mut literals: Vec<Literal> = Vec::new();
        let mut expressions = Vec::new();
        let mut ids = Vec::new();
        for (id, shape) in patterns {
            let (text, is_exact) = match shape {
                Shape::Exact(text) => (text, true),
                Shape::Prefix(text) => (text, false),
                Shape::Regex(expression) => {
                    expressions.push(expression);
                    ids.push(id);
                    continue;
                }
                Shape::Never => continue,
            };
            let literal = find_or_insert(&mut literals, text.as_bytes());
            let list = if is_exact {
                &mut literal.exact
            } else {
                &mut literal.prefix
            };
            list.push(id);
        }
        link(&mut literals);
        let automaton = (!ids.is_empty()).then(|| {
            let set = RegexSetBuilder::new(expressions).unicode(false).build();
            (
                set.expect("every pattern compiles alone, and none is large"),
                ids,
            )
        });
        Self {
            literals,
            automaton,
        }
    }

    /// Calls `found` with each pattern that the text matches as a whole.
    pub(super) fn find(&self, text: &[u8], mut found: impl FnMut(PatternId)) {
        let end = self
            .literals
            .partition_point(|literal| &*literal.text <= text);
        let mut next = end.checked_sub(1);
        while let Some(index) = next {
            let literal = &self.literals[index];
            if text.starts_with(&literal.text) {
                let rest = &text[literal.text.len()..];
                if rest.is_empty() {
                    literal.exact.iter().copied().for_each(&mut found);
                }
                if !rest.contains(&b'\n') {
                    literal.prefix.iter().copied().for_each(&mut found);
                }
            }
            next = literal.parent;
        }
        if let Some((set, ids)) = &self.automaton {
            set.matches(text).iter().for_each(|index| found(ids[index]));
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.literals.is_empty() && self.automaton.is_none()
    }
}

fn find_or_insert<'l>(literals: &'l mut Vec<Literal>, text: &[u8]) -> &'l mut Literal {
    let place = match literals.binary_search_by(|literal| (*literal.text).cmp(text)) {
        Ok(place) => place,
        Err(place) => {
            let literal = Literal {
                text: text.into(),
                parent: None,
                exact: Vec::new(),
                prefix: Vec::new(),
            };
            literals.insert(place, literal);
            place
        }
    };
    &mut literals[place]
}

/// Names each literal's parent. In sorted order whatever a literal begins with stands before it.
fn link(literals: &mut [Literal]) {
    for index in 1..literals.len() {
        let mut parent = Some(index - 1);
        while let Some(place) = parent
            && !literals[index].text.starts_with(&literals[place].text)
        {
            parent = literals[place].parent;
        }
        literals[index].parent = parent;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::glob::{self, Style};
    use super::*;

    fn found(patterns: &[String], text: &str) -> Vec<usize> {
        let shapes: Vec<Shape> = patterns
            .iter()
            .map(|pattern| glob::read(pattern, Style::Text))
            .collect();
        let mut found = Vec::new();
        Matchers::new(shapes.iter().enumerate()).find(text.as_bytes(), |id| found.push(id));
        found.sort_unstable();
        found
    }

    proptest! {
        /// The list must tell what each pattern tells alone.
        #[test]
        fn all_at_once_is_one_by_one(
            patterns in prop::collection::vec("[ab]{0,3}[*]?", 0..12), text in "[ab]{0,5}",
        ) {
            let alone: Vec<usize> = (0..patterns.len())
                .filter(|index| {
                    let text_of = patterns[*index].trim_end_matches('*');
                    if patterns[*index].ends_with('*') { text.starts_with(text_of) } else { text == text_of }
                })
                .collect();
            prop_assert_eq!(found(&patterns, &text), alone);
        }
    }
}
