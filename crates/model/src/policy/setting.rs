//! Where an organization may decide otherwise than the table does.

use std::fmt;
use std::str::FromStr;

/// Something an organization may allow or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OrgSetting {
    /// Viewers see events as JSON (row 4).
    ViewersSeeRaw,
    /// Members delete issues (row 7).
    MembersDeleteIssues,
    /// Members create projects (row 12).
    MembersCreateProjects,
    /// Members invite people (row 23).
    MembersInvite,
}

/// What an organization allows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct OrgSettings(u8);

/// A text that names no setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is no such setting of an organization")]
pub struct InvalidSetting;

impl OrgSetting {
    /// All settings.
    pub const ALL: [Self; 4] = [
        Self::ViewersSeeRaw,
        Self::MembersDeleteIssues,
        Self::MembersCreateProjects,
        Self::MembersInvite,
    ];

    /// The name in storage, in forms and in the documentation.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ViewersSeeRaw => "viewers_see_raw",
            Self::MembersDeleteIssues => "members_delete_issues",
            Self::MembersCreateProjects => "members_create_projects",
            Self::MembersInvite => "members_invite",
        }
    }

    /// What it allows, as a sentence.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::ViewersSeeRaw => "Viewers see events as JSON.",
            Self::MembersDeleteIssues => "Members delete issues.",
            Self::MembersCreateProjects => "Members create projects.",
            Self::MembersInvite => "Members invite people as MEMBER or VIEWER.",
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl fmt::Display for OrgSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for OrgSetting {
    type Err = InvalidSetting;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|setting| setting.as_str() == text)
            .ok_or(InvalidSetting)
    }
}

impl OrgSettings {
    /// Nothing is allowed.
    pub const NONE: Self = Self(0);

    /// What can be undone is allowed, what cannot is not.
    pub const STANDARD: Self = Self::NONE.with(OrgSetting::ViewersSeeRaw);

    /// Whether it is allowed.
    pub const fn has(self, setting: OrgSetting) -> bool {
        self.0 & setting.bit() != 0
    }

    /// The same, and this is allowed.
    #[must_use]
    pub const fn with(self, setting: OrgSetting) -> Self {
        Self(self.0 | setting.bit())
    }

    /// The same, but this is not allowed.
    #[must_use]
    pub const fn without(self, setting: OrgSetting) -> Self {
        Self(self.0 & !setting.bit())
    }

    /// What is allowed.
    pub fn list(self) -> impl Iterator<Item = OrgSetting> {
        OrgSetting::ALL
            .into_iter()
            .filter(move |setting| self.has(*setting))
    }

    /// Every combination.
    pub fn every() -> impl Iterator<Item = Self> {
        (0..1 << OrgSetting::ALL.len()).map(Self)
    }
}

impl Default for OrgSettings {
    fn default() -> Self {
        Self::STANDARD
    }
}

impl FromIterator<OrgSetting> for OrgSettings {
    fn from_iter<I: IntoIterator<Item = OrgSetting>>(settings: I) -> Self {
        settings.into_iter().fold(Self::NONE, Self::with)
    }
}

impl fmt::Debug for OrgSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.list()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_independent_and_survive_being_listed() {
        let mut seen = Vec::new();
        for settings in OrgSettings::every() {
            assert_eq!(settings.list().collect::<OrgSettings>(), settings);
            assert!(!seen.contains(&settings));
            seen.push(settings);
        }
        assert_eq!(seen.len(), 16);
    }

    #[test]
    fn names_are_read_back() {
        for setting in OrgSetting::ALL {
            assert_eq!(setting.as_str().parse(), Ok(setting));
        }
        assert_eq!("".parse::<OrgSetting>(), Err(InvalidSetting));
    }
}
