//! What a project says of secrets, ready to be asked key by key.

use copal_model::ScrubSettings;

use super::reason::Reason;
use super::rules::is_secret_key;

/// What a project wants taken out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scrubbing {
    settings: ScrubSettings,
}

impl Scrubbing {
    /// Scrubbing as a project says. Names are compared without regard to their case.
    pub fn of(settings: &ScrubSettings) -> Self {
        let lower = |fields: &[String]| -> Vec<String> {
            let fields = fields.iter().map(|field| field.trim().to_ascii_lowercase());
            fields.filter(|field| !field.is_empty()).collect()
        };
        Self {
            settings: ScrubSettings {
                fields: lower(&settings.fields),
                safe_fields: lower(&settings.safe_fields),
                ..settings.clone()
            },
        }
    }

    /// Whether secrets are left alone, except in the project's own fields.
    pub(super) const fn keeps_secrets(&self) -> bool {
        !self.settings.secrets.is_on()
    }

    /// Whether users' addresses are left alone.
    pub(super) const fn keeps_addresses(&self) -> bool {
        !self.settings.addresses.is_on()
    }

    /// Why what stands under a key is taken out, where it is.
    pub(super) fn reason_of_key(&self, key: &str) -> Option<Reason> {
        if !self.settings.fields.is_empty() {
            let lower = key.to_ascii_lowercase();
            let mut fields = self.settings.fields.iter();
            if fields.any(|field| lower.contains(field)) {
                return Some(Reason::OwnField);
            }
        }
        (!self.keeps_secrets() && is_secret_key(key)).then_some(Reason::SecretName)
    }

    /// Whether what stands under a key is left alone.
    pub(super) fn is_safe(&self, key: &str) -> bool {
        let mut fields = self.settings.safe_fields.iter();
        fields.any(|field| field.eq_ignore_ascii_case(key))
    }
}

/// Secrets go, addresses stay.
impl Default for Scrubbing {
    fn default() -> Self {
        Self::of(&ScrubSettings::default())
    }
}
