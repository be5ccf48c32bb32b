//! The patterns of a set of rules, each kept once.

use super::{Field, glob};

/// Patterns by field, and the words that categories are.
#[derive(Debug, Default)]
pub(super) struct Patterns {
    pub(super) fields: [Vec<String>; Field::COUNT],
    pub(super) categories: Vec<String>,
}

impl Patterns {
    pub(super) fn add(
        &mut self,
        field: Field,
        pattern: &str,
        style: glob::Style,
    ) -> (Field, usize) {
        (
            field,
            place(
                &mut self.fields[field as usize],
                &glob::to_regex(pattern, style),
            ),
        )
    }

    pub(super) fn word(&mut self, category: &str) -> usize {
        place(&mut self.categories, category)
    }
}

fn place(list: &mut Vec<String>, text: &str) -> usize {
    list.iter()
        .position(|known| known == text)
        .unwrap_or_else(|| {
            list.push(text.to_owned());
            list.len() - 1
        })
}

/// Lower case, `/` between parts and in front.
pub(super) fn normal_path(text: &str, out: &mut Vec<u8>) {
    out.clear();
    if !text.starts_with(['/', '\\']) {
        out.push(b'/');
    }
    out.extend(text.bytes().map(|byte| match byte {
        b'\\' => b'/',
        other => other.to_ascii_lowercase(),
    }));
}
