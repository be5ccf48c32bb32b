//! Names that people give: to themselves, to organizations, projects, keys and tokens.

/// A text that cannot be a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    /// Nothing but blanks.
    #[error("a name is needed")]
    Empty,
    /// Too long.
    #[error("at most {chars_max} characters are allowed")]
    TooLong {
        /// How many there may be.
        chars_max: usize,
    },
    /// A line break or another control character, which would forge lines in mails and logs.
    #[error("line breaks and control characters are not allowed")]
    Control,
}

/// Takes `text` as a name of at most `chars_max` characters, without the blanks around it.
///
/// # Errors
/// When it cannot be one; the message says why.
pub fn parse(text: &str, chars_max: usize) -> Result<String, InvalidName> {
    let name = text.trim();
    if name.is_empty() {
        return Err(InvalidName::Empty);
    }
    if name.chars().any(char::is_control) {
        return Err(InvalidName::Control);
    }
    if name.chars().count() > chars_max {
        return Err(InvalidName::TooLong { chars_max });
    }
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_around_are_not_part_of_it() {
        assert_eq!(parse("  Ana Lima ", 8).unwrap(), "Ana Lima");
    }

    #[test]
    fn length_has_an_edge_and_counts_characters() {
        assert_eq!(parse("日本語", 3).unwrap(), "日本語");
        let refused = parse("日本語", 2).unwrap_err();
        assert_eq!(refused, InvalidName::TooLong { chars_max: 2 });
    }

    #[test]
    fn nothing_and_control_characters_are_refused() {
        assert_eq!(parse(" \t", 9), Err(InvalidName::Empty));
        assert_eq!(parse("a\r\nBcc: b", 99), Err(InvalidName::Control));
        assert_eq!(parse("a\0", 9), Err(InvalidName::Control));
    }
}
