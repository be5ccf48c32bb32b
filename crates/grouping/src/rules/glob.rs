//! Patterns of rules, read once into the cheapest form that tells the same.

/// What `*` and the case of letters mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// `*` stops at `/`, `**` does not; case does not matter and `\` is `/`.
    Path,
    /// `*` is anything; case matters.
    Text,
    /// `*` is anything; case does not matter.
    AnyCase,
}

/// A pattern as it is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shape {
    /// This text.
    Exact(String),
    /// Any text that begins so.
    Prefix(String),
    /// What this expression matches as a whole, over bytes.
    Regex(String),
    /// Nothing: it cannot be read.
    Never,
}

/// Reads a pattern.
pub(super) fn read(pattern: &str, style: Style) -> Shape {
    let lowered;
    let pattern = match style {
        Style::Path => {
            lowered = pattern.replace('\\', "/").to_lowercase();
            &lowered
        }
        _ => pattern,
    };
    let many = if style == Style::Path { "**" } else { "*" };
    let is_plain = |text: &str| !text.contains(['*', '?', '[', '{', '\\']);
    if style != Style::AnyCase {
        if is_plain(pattern) {
            return Shape::Exact(pattern.to_owned());
        }
        if let Some(prefix) = pattern.strip_suffix(many).filter(|prefix| is_plain(prefix))
            // Two stars in a path mean whole folders only behind a slash.
            && (style == Style::Text || prefix.ends_with('/'))
        {
            return Shape::Prefix(prefix.to_owned());
        }
    }
    translate(pattern, style).map_or(Shape::Never, |inner| {
        let case = if style == Style::AnyCase { "(?iu)" } else { "" };
        let expression = format!(r"{case}\A(?:{inner})\z");
        if compiles(&expression) {
            Shape::Regex(expression)
        } else {
            Shape::Never
        }
    })
}

/// A class can hold a range that runs backwards; nothing else can go wrong.
fn compiles(expression: &str) -> bool {
    !expression.contains('[') || super::compiled::regex(expression).is_ok()
}

fn translate(pattern: &str, style: Style) -> Option<String> {
    let (one, many) = match style {
        Style::Path => ("(?u:[^/])", "[^/]*"),
        Style::Text | Style::AnyCase => ("(?u:.)", ".*"),
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
    let first = rest.get(inner_start..)?.chars().next()?;
    let after_first = inner_start + first.len_utf8();
    let end = after_first + rest.get(after_first..)?.find(']')?;
    let members = &rest[inner_start..end];
    out.push_str("(?u:[");
    out.push_str(negation);
    for member in members.chars() {
        if !member.is_alphanumeric() && member != '-' {
            out.push('\\');
        }
        out.push(member);
    }
    out.push_str("])");
    Some(end + 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::compiled::regex;
    use super::*;

    /// Whether a text matches, where it begins with a slash if paths do.
    fn matches(pattern: &str, style: Style, subject: &str) -> bool {
        match read(pattern, style) {
            Shape::Exact(text) => subject == text,
            Shape::Prefix(prefix) => subject.starts_with(&prefix),
            Shape::Regex(expression) => regex(&expression).unwrap().is_match(subject.as_bytes()),
            Shape::Never => false,
        }
    }

    fn paths(pattern: &str, subject: &str) -> bool {
        matches(pattern, Style::Path, subject)
    }

    fn texts(pattern: &str, subject: &str) -> bool {
        matches(pattern, Style::Text, subject)
    }

    #[test]
    fn stars() {
        assert!(paths("**/vendor/**", "/srv/vendor/a/b.php"));
        assert!(paths("**/vendor/**", "/vendor/a.php"));
        assert!(!paths("**/vendor/**", "/srv/myvendor/a.php"));
        assert!(paths("/usr/lib/**", "/usr/lib/a/b"));
        assert!(paths("/usr/*/x", "/usr/lib/x"));
        assert!(!paths("/usr/*/x", "/usr/lib/a/x"));
        assert!(paths(r"**\SRC\**", "/c/src/a"));
        assert!(texts("std::*", "std::a::b"));
        assert!(!texts("std::*", "STD::a"));
        assert!(matches("std::*", Style::AnyCase, "STD::a"));
        assert!(!texts("*a*b", "a\nb"));
    }

    #[test]
    fn classes_and_choices() {
        assert!(texts("-[[]NSException*", "-[NSException raise]"));
        assert!(texts("v[0-9]", "v7") && !texts("v[!0-9]", "v7"));
        assert!(texts("[é]", "é") && texts("a?c", "aéc"));
        assert!(texts("{a,b}c", "bc") && !texts("{a,b}c", "ab"));
        assert!(texts(r"a\*", "a*") && !texts(r"a\*", "ab"));
        assert!(texts("a?c", "abc"));
    }

    #[test]
    fn most_patterns_need_no_expression() {
        assert_eq!(read("java.*", Style::Text), Shape::Prefix("java.".into()));
        assert_eq!(read("abort", Style::Text), Shape::Exact("abort".into()));
        assert_eq!(read("/Lib/**", Style::Path), Shape::Prefix("/lib/".into()));
        assert!(matches!(read("/lib**", Style::Path), Shape::Regex(_)));
        assert!(matches!(read("a/*", Style::Path), Shape::Regex(_)));
    }

    #[test]
    fn what_cannot_be_read_matches_nothing() {
        for pattern in ["[a", "{a", "a\\", "[z-a]", "[", "[!"] {
            assert_eq!(read(pattern, Style::Text), Shape::Never, "{pattern}");
        }
    }

    proptest! {
        #[test]
        fn always_compiles(pattern in r"[a-zé*?\[\]{},!^\\/.&~-]{0,12}") {
            for style in [Style::Path, Style::Text, Style::AnyCase] {
                if let Shape::Regex(expression) = read(&pattern, style) {
                    prop_assert!(regex(&expression).is_ok(), "{expression}");
                }
            }
        }

        #[test]
        fn plain_texts_match_themselves(text in "[a-z:/ .()]{0,12}") {
            prop_assert!(texts(&text, &text));
        }
    }
}
