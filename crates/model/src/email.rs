//! E-mail addresses in one normal form, so that an address names one account (rule D-I2).

use std::fmt;

use crate::limits::EMAIL_BYTES_MAX;

/// An e-mail address in normal form: trimmed, ASCII, lower case.
///
/// Only ASCII is folded. Unicode case folding would make `mıke@` or the Kelvin sign equal to an
/// ASCII address, which is how accounts were taken over elsewhere (CVE-2019-19844).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Email(String);

/// Why a text is not an e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidEmail {
    /// Nothing before or after the one `@`, or not exactly one `@`.
    #[error("an e-mail address has one @ with something before and after it")]
    Shape,
    /// A character outside printable ASCII, or a blank.
    #[error("an e-mail address holds only ASCII letters, digits and punctuation, and no blanks")]
    Character,
    /// Longer than any mail server takes.
    #[error("an e-mail address has at most {EMAIL_BYTES_MAX} characters")]
    TooLong,
}

impl Email {
    /// Brings `text` into normal form.
    ///
    /// # Errors
    /// When it cannot be an address; the message says how to mend it.
    pub fn parse(text: &str) -> Result<Self, InvalidEmail> {
        let text = text.trim();
        if text.len() > EMAIL_BYTES_MAX {
            return Err(InvalidEmail::TooLong);
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(InvalidEmail::Character);
        }
        if text.contains([',', ';', '<', '>', '"', '(', ')', '[', ']', '\\']) {
            return Err(InvalidEmail::Character);
        }
        match text.split_once('@') {
            Some((local, domain))
                if !local.is_empty() && !domain.is_empty() && !domain.contains('@') =>
            {
                Ok(Self(text.to_ascii_lowercase()))
            }
            _ => Err(InvalidEmail::Shape),
        }
    }

    /// The normal form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_ascii_case_and_blanks_around() {
        assert_eq!(Email::parse("  Bob@X.io ").unwrap().as_str(), "bob@x.io");
    }

    #[test]
    fn refuses_what_two_accounts_could_share() {
        for text in [
            "m\u{131}ke@x.io",
            "bob@x.io,eve@x.io",
            "a@b@c",
            "@x",
            "x@",
            "a b@x.io",
            "",
        ] {
            assert!(Email::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn length_has_an_edge() {
        let domain = "@x.io";
        let longest = "a".repeat(EMAIL_BYTES_MAX - domain.len()) + domain;
        assert!(Email::parse(&longest).is_ok());
        assert_eq!(
            Email::parse(&format!("a{longest}")),
            Err(InvalidEmail::TooLong)
        );
    }
}
