//! Nested values of an event (local variables, contexts, extra data) as nested lists.

use std::fmt;

use askama::filters::{Escaper as _, Html, HtmlSafe};

use crate::filters::{CELL_CHARS_MAX, LINE_CHARS_MAX, write_visible};

/// Levels of nesting that are shown; the page of the JSON shows all.
pub const TREE_LEVELS_MAX: usize = 6;
/// Entries of one list or object that are shown.
pub const TREE_ENTRIES_MAX: usize = 100;

/// A nested value as JSON has it. Numbers keep the digits that were sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tree {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// A number, digits as sent.
    Number(String),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Tree>),
    /// An object, in the order sent.
    Map(Vec<(String, Tree)>),
}

impl Tree {
    /// Whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Text(text) => text.is_empty(),
            Self::List(items) => items.is_empty(),
            Self::Map(entries) => entries.is_empty(),
            Self::Bool(_) | Self::Number(_) => false,
        }
    }

    /// Entries of an object; of anything else none.
    pub fn entries(&self) -> &[(String, Tree)] {
        match self {
            Self::Map(entries) => entries,
            _ => &[],
        }
    }

    /// A plain value as text; of lists and objects nothing.
    pub(crate) fn scalar(&self) -> Option<String> {
        match self {
            Self::Null => Some("null".to_owned()),
            Self::Bool(value) => Some(value.to_string()),
            Self::Number(text) | Self::Text(text) => Some(text.clone()),
            Self::List(_) | Self::Map(_) => None,
        }
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, level: usize) -> fmt::Result {
        match self {
            Self::Null => f.write_str(r#"<span class="v-word">null</span>"#),
            Self::Bool(value) => write!(f, r#"<span class="v-word">{value}</span>"#),
            Self::Number(digits) => {
                f.write_str(r#"<span class="v-num">"#)?;
                write_visible(f, digits, LINE_CHARS_MAX)?;
                f.write_str("</span>")
            }
            Self::Text(text) => {
                f.write_str(r#"<bdi class="v-text">"#)?;
                write_visible(f, text, CELL_CHARS_MAX)?;
                f.write_str("</bdi>")
            }
            Self::List(items) if items.is_empty() => f.write_str("[]"),
            Self::Map(entries) if entries.is_empty() => f.write_str("{}"),
            Self::List(_) | Self::Map(_) if level == TREE_LEVELS_MAX => {
                f.write_str(r#"<span class="v-more">… deeper: see the JSON</span>"#)
            }
            Self::List(items) => {
                let items = items.iter().map(|item| (None, item));
                write_entries(f, items, level)
            }
            Self::Map(entries) => {
                let entries = entries
                    .iter()
                    .map(|(key, value)| (Some(key.as_str()), value));
                write_entries(f, entries, level)
            }
        }
    }
}

fn write_entries<'a>(
    f: &mut fmt::Formatter<'_>,
    entries: impl ExactSizeIterator<Item = (Option<&'a str>, &'a Tree)>,
    level: usize,
) -> fmt::Result {
    let more = entries.len().saturating_sub(TREE_ENTRIES_MAX);
    f.write_str(r#"<ul class="tree">"#)?;
    for (index, (key, value)) in entries.take(TREE_ENTRIES_MAX).enumerate() {
        match key {
            Some(key) => {
                f.write_str(r#"<li><bdi class="v-key">"#)?;
                write_visible(f, key, LINE_CHARS_MAX)?;
                f.write_str("</bdi> ")?;
            }
            None => write!(f, r#"<li><span class="v-key">{index}</span> "#)?,
        }
        value.write(f, level + 1)?;
        f.write_str("</li>")?;
    }
    if more > 0 {
        write!(f, r#"<li class="v-more">… {more} more: see the JSON</li>"#)?;
    }
    f.write_str("</ul>")
}

impl HtmlSafe for Tree {}

impl fmt::Display for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, 0)
    }
}

/// A text that is a link where it is an `http` or `https` URL, and plain otherwise.
#[derive(Debug, Clone)]
pub struct MaybeLink(pub String);

impl HtmlSafe for MaybeLink {}

impl fmt::Display for MaybeLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_link = ["http://", "https://"]
            .iter()
            .any(|scheme| self.0.starts_with(scheme))
            && self.0.len() <= CELL_CHARS_MAX
            && !self.0.chars().any(|c| c.is_whitespace() || c.is_control());
        if is_link {
            f.write_str(
                r#"<a rel="noopener noreferrer nofollow" referrerpolicy="no-referrer" href=""#,
            )?;
            Html.write_escaped_str(&mut *f, &self.0)?;
            f.write_str(r#"">"#)?;
        }
        f.write_str("<bdi>")?;
        write_visible(f, &self.0, CELL_CHARS_MAX)?;
        f.write_str("</bdi>")?;
        if is_link {
            f.write_str("</a>")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nests_and_escapes() {
        let tree = Tree::Map(vec![
            ("<k>".into(), Tree::Text("<v>".into())),
            (
                "n".into(),
                Tree::List(vec![Tree::Number("1e9".into()), Tree::Null]),
            ),
        ]);
        let html = tree.to_string();
        assert!(html.contains("&#60;k&#62;"), "{html}");
        assert!(html.contains("&#60;v&#62;"), "{html}");
        assert!(html.contains(r#"<span class="v-num">1e9</span>"#), "{html}");
    }

    #[test]
    fn depth_and_breadth_have_edges() {
        let nested = |levels| (0..levels).fold(Tree::Null, |inner, _| Tree::List(vec![inner]));
        assert!(!nested(TREE_LEVELS_MAX).to_string().contains("deeper"));
        assert!(nested(TREE_LEVELS_MAX + 1).to_string().contains("deeper"));
        let wide = |entries| Tree::List(vec![Tree::Null; entries]).to_string();
        assert!(!wide(TREE_ENTRIES_MAX).contains("more"));
        assert!(wide(TREE_ENTRIES_MAX + 1).contains("… 1 more"));
    }

    #[test]
    fn only_web_addresses_become_links() {
        assert!(
            MaybeLink("https://x.io/?a=\"b".into())
                .to_string()
                .contains(r#"href="https://x.io/?a=&#34;b""#)
        );
        for text in [
            "javascript:alert(1)",
            "//x.io",
            "data:text/html,x",
            "HTTPS//x",
            "https://x y",
        ] {
            assert!(!MaybeLink(text.into()).to_string().contains("<a"), "{text}");
        }
    }
}
