//! Fields that keep what was typed, and permissions that say their reason.

/// One field of a form: what was typed, and what is wrong with it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Field {
    /// What was typed; always empty for a password.
    pub value: String,
    /// What is wrong and how to mend it, as a sentence.
    pub error: Option<String>,
}

impl Field {
    /// A field as it was typed, nothing wrong with it.
    pub fn filled(value: impl Into<String>) -> Self {
        Self {
            value: value.into(),
            error: None,
        }
    }

    /// A field with what was typed and what is wrong with it.
    pub fn wrong(value: impl Into<String>, error: impl Into<String>) -> Self {
        Self {
            value: value.into(),
            error: Some(error.into()),
        }
    }

    /// Whether something is wrong with it.
    pub fn is_wrong(&self) -> bool {
        self.error.is_some()
    }
}

/// Whether the viewer may do something and, if not, why and who can help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Permission {
    /// They may.
    Granted,
    /// They may not; the text says why and whom to ask.
    Denied(String),
}

impl Permission {
    /// Whether they may.
    pub fn is_granted(&self) -> bool {
        *self == Self::Granted
    }

    /// Why not; empty if they may.
    pub fn reason(&self) -> &str {
        match self {
            Self::Granted => "",
            Self::Denied(reason) => reason,
        }
    }
}
