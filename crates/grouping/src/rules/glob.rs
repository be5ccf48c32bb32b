//! Patterns of rules as regular expressions over bytes.

/// What `*` and the case of letters mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// `*` stops at `/`, `**` does not; case does not matter and `\` is `/`.
    Path,
    /// `*` is anything; case matters.
    Text,
}

/// An expression that matches nothing, for patterns that cannot be read.
const NEVER: &str = r"[^\x00-\xff]";

/// The regular expression of a pattern.
pub(super) fn to_regex(pattern: &str, style: Style) -> String {
    let expression = match style {
        Style::Path => {
            let pattern = pattern.replace('\\', "/").to_ascii_lowercase();
            translate(&pattern, style).map(|inner| format!(r"\A/?(?:{inner})\z"))
        }
        Style::Text => translate(pattern, style).map(|inner| format!(r"\A(?:{inner})\z")),
    };
    expression
        .filter(|expression| compiles(expression))
        .unwrap_or_else(|| NEVER.to_owned())
}

/// A class can hold a range that runs backwards; nothing else can go wrong.
fn compiles(expression: &str) -> bool {
    !expression.contains('[')
        || regex::bytes::RegexBuilder::new(expression)
            .unicode(false)
            .build()
            .is_ok()
}

fn translate(pattern: &str, style: Style) -> Option<String> {
    let (one, many) = match style {
        Style::Path => ("[^/]", "[^/]*"),
        Style::Text => (".", ".*"),
    };
    let mut out = String::with_capacity(pattern.len() * 2);
    let mut open_braces = 0_usize;
    let mut rest = pattern;
    while let Some(character) = rest.chars().next() {
        let mut used = character.len_utf8();
        match character {
            '*' if rest.starts_with("**/") => {
                out.push_str("(?:.*/)?");
                used = "**/".len();
            }
            '*' if rest.starts_with("**") => {
                out.push_str(".*");
                used = "**".len();
            }
            '*' => out.push_str(many),
            '?' => out.push_str(one),
            '[' => used = class(rest, &mut out)?,
            '{' => {
                open_braces += 1;
                out.push_str("(?:");
            }
            ',' if open_braces > 0 => out.push('|'),
            '}' if open_braces > 0 => {
                open_braces -= 1;
                out.push(')');
            }
            '\\' => {
                let escaped = rest[1..].chars().next()?;
                used += escaped.len_utf8();
                out.push_str(&regex::escape(escaped.encode_utf8(&mut [0; 4])));
            }
            other => out.push_str(&regex::escape(other.encode_utf8(&mut [0; 4]))),
        }
        rest = &rest[used..];
    }
    (open_braces == 0).then_some(out)
}

/// `[abc]`, `[a-c]`, `[!a]`, `[[]`: the bytes used.
fn class(rest: &str, out: &mut String) -> Option<usize> {
    let inner = &rest[1..];
    let (negation, inner_start) = if inner.starts_with(['!', '^']) {
        ("^", 2)
    } else {
        ("", 1)
    };
    // A bracket that closes right away is a member.
    let end = inner_start + 1 + rest.get(inner_start + 1..)?.find(']')?;
    let members = &rest[inner_start..end];
    if !members.is_ascii() {
        return None;
    }
    out.push('[');
    out.push_str(negation);
    for member in members.chars() {
        if !member.is_ascii_alphanumeric() && member != '-' {
            out.push('\\');
        }
        out.push(member);
    }
    out.push(']');
    Some(end + 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use regex::bytes::{Regex, RegexBuilder};

    use super::*;

    fn compile(pattern: &str, style: Style) -> Regex {
        RegexBuilder::new(&to_regex(pattern, style))
            .unicode(false)
            .build()
            .unwrap()
    }

    fn paths(pattern: &str, subject: &str) -> bool {
        compile(pattern, Style::Path).is_match(subject.as_bytes())
    }

    fn texts(pattern: &str, subject: &str) -> bool {
        compile(pattern, Style::Text).is_match(subject.as_bytes())
    }

    #[test]
    fn stars() {
        assert!(paths("**/vendor/**", "/srv/vendor/a/b.php"));
        assert!(paths("**/vendor/**", "/vendor/a.php"));
        assert!(!paths("**/vendor/**", "/srv/myvendor/a.php"));
        assert!(paths("/usr/*/x", "/usr/lib/x"));
        assert!(!paths("/usr/*/x", "/usr/lib/a/x"));
        assert!(paths("app.py", "/app.py"));
        assert!(paths(r"**\SRC\**", "/c/src/a"));
        assert!(texts("std::*", "std::a::b"));
        assert!(!texts("std::*", "STD::a"));
    }

    #[test]
    fn classes_and_choices() {
        assert!(texts("-[[]NSException*", "-[NSException raise]"));
        assert!(texts("v[0-9]", "v7") && !texts("v[!0-9]", "v7"));
        assert!(texts("{a,b}c", "bc") && !texts("{a,b}c", "ab"));
        assert!(texts(r"a\*", "a*") && !texts(r"a\*", "ab"));
        assert!(texts("a?c", "abc"));
    }

    #[test]
    fn what_cannot_be_read_matches_nothing() {
        for pattern in ["[a", "{a", "a\\", "[é]", "[z-a]"] {
            assert!(!texts(pattern, pattern), "{pattern}");
            assert!(!texts(pattern, ""), "{pattern}");
        }
    }

    proptest! {
        #[test]
        fn always_compiles(pattern in r"[a-zé*?\[\]{},!^\\/.&~-]{0,12}") {
            compile(&pattern, Style::Path);
            compile(&pattern, Style::Text);
        }
    }
}
