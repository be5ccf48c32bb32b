//! What signing up asks for, checked; the same on the page and on the command line.

use copal_model::limits::USER_NAME_CHARS_MAX;
use copal_model::{Clock, Email, Entropy, OrgId, Plan, UserId, name};
use copal_store::users::NewUser;

use crate::auth::password;
use crate::fresh;

/// Name, address and password that may make an account.
#[derive(Clone)]
pub struct NewAccount {
    name: String,
    email: Email,
    password: String,
}

/// What is wrong with each field; `None` where nothing is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WrongFields {
    /// With the name.
    pub name: Option<String>,
    /// With the address.
    pub email: Option<String>,
    /// With the password.
    pub password: Option<String>,
}

impl NewAccount {
    /// Checks what was typed.
    ///
    /// # Errors
    /// What is wrong with each field, as sentences.
    pub fn check(name: &str, email: &str, password: &str) -> Result<Self, WrongFields> {
        let mut wrong = WrongFields {
            name: name_error(name, USER_NAME_CHARS_MAX),
            ..WrongFields::default()
        };
        let email = match Email::parse(email) {
            Ok(email) => email,
            Err(error) => {
                wrong.email = Some(sentence(&error.to_string()));
                return Err(wrong);
            }
        };
        wrong.password = password::check_new(password, &email)
            .err()
            .map(|weak| weak.to_string());
        if wrong != WrongFields::default() {
            return Err(wrong);
        }
        Ok(Self {
            name: name.trim().to_owned(),
            email,
            password: password.to_owned(),
        })
    }

    /// The password, to be hashed.
    pub fn password(&self) -> &str {
        &self.password
    }

    /// What the store makes the account of.
    pub fn into_new_user(
        self,
        password_hash: String,
        plan: Plan,
        clock: &dyn Clock,
        entropy: &dyn Entropy,
    ) -> NewUser {
        NewUser {
            id: UserId::new(fresh::uuid_v7(clock, entropy)),
            email: self.email,
            name: self.name,
            password_hash,
            org_id: OrgId::new(fresh::uuid_v7(clock, entropy)),
            plan,
            is_verified: false,
            now: clock.now(),
        }
    }
}

/// What is wrong with the name of a person or a thing, as a sentence; `None` if nothing is.
pub fn name_error(text: &str, chars_max: usize) -> Option<String> {
    name::parse(text, chars_max)
        .err()
        .map(|invalid| sentence(&invalid.to_string()))
}

/// An error message of the model as a sentence for people.
pub fn sentence(message: &str) -> String {
    let mut chars = message.chars();
    let first = chars.next().map(char::to_uppercase);
    first
        .into_iter()
        .flatten()
        .chain(chars)
        .chain(['.'])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_is_wrong_with_each_field() {
        let wrong = NewAccount::check(" ", "ana@x.io", "short").err().unwrap();
        assert_eq!(wrong.name.as_deref(), Some("A name is needed."));
        assert!(wrong.email.is_none());
        assert_eq!(
            wrong.password.as_deref(),
            Some("A password has at least 8 characters.")
        );
        let wrong = NewAccount::check("Ana", "nobody", "xkcd-936-horse")
            .err()
            .unwrap();
        assert!(wrong.email.unwrap().starts_with("An e-mail address has"));
    }
}
