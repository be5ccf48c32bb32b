//! The form that makes a token, of a person or of an organization: as it is shown and as it is read.

use copal_model::limits::{ORG_TOKEN_DAYS, TOKEN_NAME_CHARS_MAX};
use copal_model::{Timestamp, policy};
use copal_ui::form::Field;
use copal_ui::pages::tokens::{ExpiryChoice, ScopeChoice, TokenForm};
use jiff::SignedDuration;

use crate::auth::Refusal;
use crate::auth::form::Fields;
use crate::auth::new_account::name_error;

/// Hours in a day.
const DAY_HOURS: i64 = 24;
/// Days that a personal token lives unless its maker says otherwise.
const PERSONAL_DAYS: i64 = 90;
/// What is offered: days, what the form sends, what people read.
const EXPIRIES: [(i64, &str, &str); 4] = [
    (7, "7", "in 7 days"),
    (30, "30", "in 30 days"),
    (90, "90", "in 90 days"),
    (365, "365", "in a year"),
];
/// What the form sends for a token that does not end.
const NEVER: &str = "never";

/// Whose token is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Maker {
    /// A person's own: it may be as wide as they are, and live for ever.
    Person,
    /// The organization's: always narrowed, and it ends.
    Organization,
}

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) name: String,
    /// Narrowed to these; `None` = not narrowed.
    pub(super) scopes: Option<Vec<String>>,
    /// When it ends; `None` = never.
    pub(super) expires_at: Option<Timestamp>,
}

impl Maker {
    fn scopes(self) -> Vec<&'static str> {
        match self {
            Self::Person => policy::scopes(),
            Self::Organization => policy::org_token_scopes(),
        }
    }

    const fn days(self) -> i64 {
        match self {
            Self::Person => PERSONAL_DAYS,
            Self::Organization => ORG_TOKEN_DAYS,
        }
    }

    /// The form with nothing typed yet.
    pub(super) fn empty(self) -> TokenForm {
        let days = self.days();
        let standard = EXPIRIES.iter().find(|(offered, ..)| *offered == days);
        self.form(
            "",
            false,
            &[],
            standard.map_or(NEVER, |(_, value, _)| value),
        )
    }

    /// What the form asks for.
    ///
    /// # Errors
    /// The form as it was typed, with what is wrong, to be shown again.
    pub(super) fn read(
        self,
        fields: &Fields,
        now: Timestamp,
    ) -> Result<Result<Wanted, TokenForm>, Refusal> {
        let name = fields.text("name")?;
        let ticked: Vec<&str> = fields.all("scope").collect();
        let is_narrowed = self == Self::Organization || fields.text("reach")? == "some";
        let chosen = match fields.text("expires")? {
            "" => return self.read_as(name, &ticked, is_narrowed, None, now),
            chosen => chosen,
        };
        self.read_as(name, &ticked, is_narrowed, Some(chosen), now)
    }

    fn read_as(
        self,
        name: &str,
        ticked: &[&str],
        is_narrowed: bool,
        chosen: Option<&str>,
        now: Timestamp,
    ) -> Result<Result<Wanted, TokenForm>, Refusal> {
        let known = self.scopes();
        if ticked.iter().any(|scope| !known.contains(scope)) {
            return Err(Refusal::BadForm("There is no such scope.".to_owned()));
        }
        let expires_at = self.expires_at(chosen, now)?;
        let name_error = name_error(name, TOKEN_NAME_CHARS_MAX);
        let scopes_error = (is_narrowed && ticked.is_empty())
            .then(|| "Tick what it may do: a token without any scope is of no use.".to_owned());
        if name_error.is_some() || scopes_error.is_some() {
            let mut form = self.form(name, is_narrowed, ticked, chosen.unwrap_or_default());
            form.name.error = name_error;
            form.scopes_error = scopes_error;
            return Ok(Err(form));
        }
        let scopes = is_narrowed.then(|| ticked.iter().map(|&scope| scope.to_owned()).collect());
        Ok(Ok(Wanted {
            name: name.trim().to_owned(),
            scopes,
            expires_at,
        }))
    }

    fn expires_at(
        self,
        chosen: Option<&str>,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, Refusal> {
        let days = match chosen {
            None => Some(self.days()),
            Some(NEVER) if self == Self::Person => None,
            Some(chosen) => {
                let found = EXPIRIES.iter().find(|(_, value, _)| *value == chosen);
                let (days, ..) = found.ok_or_else(|| {
                    Refusal::BadForm("There is no such choice of end.".to_owned())
                })?;
                Some(*days)
            }
        };
        Ok(days.map(|days| now + SignedDuration::from_hours(days * DAY_HOURS)))
    }

    fn form(self, name: &str, is_narrowed: bool, ticked: &[&str], chosen: &str) -> TokenForm {
        let scope = |name: &'static str| ScopeChoice::new(name, ticked.contains(&name));
        let expiry = |value: &'static str, label| ExpiryChoice {
            value,
            label,
            is_chosen: value == chosen,
        };
        let mut expiries: Vec<_> = EXPIRIES
            .iter()
            .map(|(_, value, label)| expiry(value, label))
            .collect();
        if self == Self::Person {
            expiries.push(expiry(NEVER, "never"));
        }
        TokenForm {
            name: Field::filled(name),
            is_narrowed,
            scopes: self.scopes().into_iter().map(scope).collect(),
            scopes_error: None,
            expiries,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        Timestamp::from_second(1_800_000_000).unwrap()
    }

    fn days_of(wanted: &Wanted) -> Option<i64> {
        let end = wanted.expires_at?;
        Some(end.duration_since(now()).as_hours() / DAY_HOURS)
    }

    fn read(
        maker: Maker,
        ticked: &[&str],
        chosen: Option<&str>,
    ) -> Result<Result<Wanted, TokenForm>, Refusal> {
        let is_narrowed = maker == Maker::Organization || !ticked.is_empty();
        maker.read_as(" ci ", ticked, is_narrowed, chosen, now())
    }

    #[test]
    fn a_person_chooses_an_end_or_none() {
        for (chosen, days) in [
            (None, Some(90)),
            (Some("7"), Some(7)),
            (Some("365"), Some(365)),
            (Some("never"), None),
        ] {
            let wanted = read(Maker::Person, &[], chosen).unwrap().unwrap();
            assert_eq!(days_of(&wanted), days);
            assert_eq!((&*wanted.name, wanted.scopes), ("ci", None));
        }
        assert!(read(Maker::Person, &[], Some("8")).is_err());
    }

    #[test]
    fn a_token_of_an_organization_ends_and_is_narrowed() {
        let wanted = read(Maker::Organization, &["event:read"], None);
        let wanted = wanted.unwrap().unwrap();
        assert_eq!(days_of(&wanted), Some(365));
        assert_eq!(wanted.scopes, Some(vec!["event:read".to_owned()]));
        assert!(read(Maker::Organization, &["event:read"], Some("never")).is_err());
        for scope in ["member:admin", "org:write", "nonsense"] {
            let refused = read(Maker::Organization, &[scope], None);
            assert!(refused.is_err(), "{scope}");
        }
        let form = read(Maker::Organization, &[], None).unwrap().unwrap_err();
        assert!(form.scopes_error.is_some());
        assert!(form.expiries.iter().all(|choice| choice.value != NEVER));
    }

    #[test]
    fn the_standard_is_chosen_at_first() {
        for (maker, value) in [(Maker::Person, "90"), (Maker::Organization, "365")] {
            let form = maker.empty();
            let chosen = form.expiries.iter().find(|choice| choice.is_chosen);
            assert_eq!(chosen.unwrap().value, value);
        }
    }
}
