//! Why something is taken out of an event, in words that stand with it.

/// A reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    AccessKey,
    Account,
    Address,
    Card,
    Cookie,
    Credentials,
    NamedInText,
    OwnField,
    PrivateKey,
    SecretName,
    SocialSecurity,
    UrlPassword,
    UserPath,
}

const ALL: [Reason; 13] = [
    Reason::AccessKey,
    Reason::Account,
    Reason::Address,
    Reason::Card,
    Reason::Cookie,
    Reason::Credentials,
    Reason::NamedInText,
    Reason::OwnField,
    Reason::PrivateKey,
    Reason::SecretName,
    Reason::SocialSecurity,
    Reason::UrlPassword,
    Reason::UserPath,
];

impl Reason {
    /// The reason as people read it.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::AccessKey => "an access key or token",
            Self::Account => "a bank account (IBAN)",
            Self::Address => "an address of a user (project setting)",
            Self::Card => "a payment card",
            Self::Cookie => "a session cookie",
            Self::Credentials => "credentials of a request",
            Self::NamedInText => "text with the name of a secret and its value",
            Self::OwnField => "a field that the project keeps out",
            Self::PrivateKey => "a private key",
            Self::SecretName => "its name is that of a secret",
            Self::SocialSecurity => "a social security number",
            Self::UrlPassword => "a password in an address",
            Self::UserPath => "a person's name in a path",
        }
    }

    /// Whether a text is a reason of ours.
    pub(super) fn is_one(text: &str) -> bool {
        ALL.iter().any(|reason| reason.as_str() == text)
    }
}
