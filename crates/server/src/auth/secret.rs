//! Random secrets: 256 bits, shown once as text, stored only as SHA-256.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use copal_model::Entropy;
use copal_store::access::SecretHash;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// Bytes of randomness in a secret (ASVS 7.2.3 asks for 16 or more).
pub const SECRET_BYTES: usize = 32;
/// What every personal API token begins with, so that scanners for leaked secrets find it.
pub const TOKEN_PREFIX: &str = "copal_";
/// What every token of an organization begins with: after the prefix that all tokens have.
pub const ORG_TOKEN_PREFIX: &str = "copal_org_";
/// Characters of a token that lists show beyond its prefix, to tell tokens apart.
pub const TOKEN_SHOWN_CHARS: usize = 6;

/// A secret that its holder has and we do not keep. Prints as nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// A new secret.
    pub fn new(entropy: &dyn Entropy) -> Self {
        let mut bytes = [0; SECRET_BYTES];
        entropy.fill(&mut bytes);
        Self(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// A new personal API token.
    pub fn new_token(entropy: &dyn Entropy) -> Self {
        Self(format!("{TOKEN_PREFIX}{}", Self::new(entropy).0))
    }

    /// A new token of an organization.
    pub fn new_org_token(entropy: &dyn Entropy) -> Self {
        Self(format!("{ORG_TOKEN_PREFIX}{}", Self::new(entropy).0))
    }

    /// Takes what a caller has shown.
    pub fn shown(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The text, to be handed to its holder.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What is stored.
    pub fn hash(&self) -> SecretHash {
        Sha256::digest(self.0.as_bytes()).into()
    }

    /// Another secret that only who has this one can know: for `purpose` and nothing else.
    #[must_use]
    pub fn derive(&self, purpose: &str) -> Self {
        let digest = Sha256::new()
            .chain_update(purpose.as_bytes())
            .chain_update([0])
            .chain_update(self.0.as_bytes())
            .finalize();
        Self(URL_SAFE_NO_PAD.encode(digest))
    }

    /// The first characters of a token, as lists show them.
    pub fn token_shown(&self) -> String {
        let prefixes = [ORG_TOKEN_PREFIX, TOKEN_PREFIX];
        let prefix = prefixes.iter().find(|prefix| self.0.starts_with(**prefix));
        let shown = prefix.map_or(0, |prefix| prefix.len()) + TOKEN_SHOWN_CHARS;
        self.0.chars().take(shown).collect()
    }

    /// Whether `text` is this secret, in a time that does not tell how much of it is.
    pub fn is(&self, text: &str) -> bool {
        self.0.as_bytes().ct_eq(text.as_bytes()).into()
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counting;

    impl Entropy for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            for (value, byte) in (0..).zip(bytes) {
                *byte = value;
            }
        }
    }

    #[test]
    fn keeps_all_bits_and_prints_none() {
        let secret = Secret::new(&Counting);
        let bytes = URL_SAFE_NO_PAD.decode(secret.expose()).unwrap();
        assert_eq!(bytes, (0..32).collect::<Vec<u8>>());
        assert!(!format!("{secret:?}").contains(secret.expose()));
    }

    #[test]
    fn derived_secrets_differ_by_purpose_and_compare_whole() {
        let secret = Secret::new(&Counting);
        let form = secret.derive("form");
        assert_ne!(form, secret.derive("other"));
        assert!(form.is(form.expose()));
        assert!(!form.is(&form.expose()[1..]));
        assert!(!form.is(""));
    }

    #[test]
    fn tokens_show_a_few_characters() {
        let token = Secret::new_token(&Counting);
        assert_eq!(token.token_shown(), "copal_AAECAw");
        assert_eq!(token.expose().len(), TOKEN_PREFIX.len() + 43);
        let token = Secret::new_org_token(&Counting);
        assert_eq!(token.token_shown(), "copal_org_AAECAw");
    }
}
