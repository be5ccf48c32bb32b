//! Which credential reaches how far. The role decides first; no credential adds to it (rule D-8).

/// What an action asks of the credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// A session, a token that is not narrowed, or one that is narrowed to this scope among others.
    Scope(&'static str),
    /// A session, or a token that is not narrowed.
    Unscoped,
    /// A session: no token does it.
    Session,
    /// A session whose person has just proved who they are (rule D-9).
    Fresh,
}

/// What was shown to get in, as far as reach is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof<'a> {
    /// A session whose person has just proved who they are.
    FreshSession,
    /// A session that is older than that.
    Session,
    /// A token that is not narrowed.
    Token,
    /// A token that is narrowed to these scopes.
    NarrowToken(&'a [String]),
    /// A token of an organization, which has these scopes and speaks for no person.
    OrgToken(&'a [String]),
}

/// Why a credential does not reach so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TooNarrow {
    /// The token is narrowed to other scopes.
    #[error("token lacks scope {0}")]
    ScopeMissing(&'static str),
    /// The token is narrowed, and no scope reaches so far.
    #[error("needs a token that is not narrowed")]
    Narrowed,
    /// No token does it.
    #[error("needs a session")]
    SessionOnly,
    /// The person has to prove again who they are.
    #[error("needs a fresh session")]
    SessionTooOld,
    /// No token of an organization does it, whatever its scopes.
    #[error("needs a person")]
    PersonOnly,
}

/// Scopes that no token of an organization has: who is in it, and what it is, people decide.
const PERSONAL_SCOPES: [&str; 2] = ["member:admin", "org:write"];

/// Whether a token of an organization can have the scope (row 39).
pub fn fits_org_tokens(scope: &str) -> bool {
    !PERSONAL_SCOPES.contains(&scope)
}

impl Reach {
    /// The scope that a narrowed token needs, if one reaches so far.
    pub const fn scope(self) -> Option<&'static str> {
        match self {
            Self::Scope(scope) => Some(scope),
            Self::Unscoped | Self::Session | Self::Fresh => None,
        }
    }

    /// Whether a token that is not narrowed reaches so far.
    pub const fn takes_tokens(self) -> bool {
        matches!(self, Self::Scope(_) | Self::Unscoped)
    }

    /// Whether the credential reaches so far.
    ///
    /// # Errors
    /// When it does not; says what would.
    pub fn check(self, proof: Proof<'_>) -> Result<(), TooNarrow> {
        let checked = self.compare(proof);
        #[cfg(feature = "sabotage")]
        let checked = {
            let mutant = copal_sabotage::mutants::Mutant::Reach {
                asked: format!("{self:?}"),
                shown: format!("{proof:?}"),
            };
            match (checked, copal_sabotage::mutants::pass_by(mutant)) {
                (checked, false) => checked,
                (Ok(()), true) => Err(TooNarrow::Narrowed),
                (Err(_), true) => Ok(()),
            }
        };
        checked
    }

    fn compare(self, proof: Proof<'_>) -> Result<(), TooNarrow> {
        match (self, proof) {
            (_, Proof::FreshSession)
            | (Self::Scope(_) | Self::Unscoped | Self::Session, Proof::Session)
            | (Self::Scope(_) | Self::Unscoped, Proof::Token) => Ok(()),
            (Self::Fresh, Proof::Session) => Err(TooNarrow::SessionTooOld),
            (
                Self::Session | Self::Fresh,
                Proof::Token | Proof::NarrowToken(_) | Proof::OrgToken(_),
            ) => Err(TooNarrow::SessionOnly),
            (Self::Unscoped, Proof::NarrowToken(_)) => Err(TooNarrow::Narrowed),
            (Self::Unscoped, Proof::OrgToken(_)) => Err(TooNarrow::PersonOnly),
            (Self::Scope(scope), Proof::OrgToken(_)) if !fits_org_tokens(scope) => {
                Err(TooNarrow::PersonOnly)
            }
            (Self::Scope(scope), Proof::NarrowToken(scopes) | Proof::OrgToken(scopes)) => {
                if scopes.iter().any(|had| had == scope) {
                    Ok(())
                } else {
                    Err(TooNarrow::ScopeMissing(scope))
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_credential_reaches_just_so_far() {
        let own = ["org:read".to_owned()];
        let others = ["org:write".to_owned(), "org:readable".to_owned()];
        let none: [String; 0] = [];
        let personal = PERSONAL_SCOPES.map(str::to_owned);
        let proofs = [
            Proof::FreshSession,
            Proof::Session,
            Proof::Token,
            Proof::NarrowToken(&own),
            Proof::NarrowToken(&others),
            Proof::NarrowToken(&none),
            Proof::OrgToken(&own),
            // Nobody can make such a one; had somebody written it into the database, it is no use.
            Proof::OrgToken(&personal),
        ];
        let word = |answer| match answer {
            Ok(()) => "yes",
            Err(TooNarrow::ScopeMissing(_)) => "scope",
            Err(TooNarrow::Narrowed) => "narrow",
            Err(TooNarrow::SessionOnly) => "session",
            Err(TooNarrow::SessionTooOld) => "old",
            Err(TooNarrow::PersonOnly) => "person",
        };
        for (reach, expected) in [
            (
                Reach::Scope("org:read"),
                "yes yes yes yes scope scope yes scope",
            ),
            (
                Reach::Scope("org:write"),
                "yes yes yes scope yes scope person person",
            ),
            (
                Reach::Unscoped,
                "yes yes yes narrow narrow narrow person person",
            ),
            (
                Reach::Session,
                "yes yes session session session session session session",
            ),
            (
                Reach::Fresh,
                "yes old session session session session session session",
            ),
        ] {
            let words = proofs.map(|proof| word(reach.check(proof)));
            assert_eq!(words.join(" "), expected, "{reach:?}");
        }
    }
}
