//! The ways to be turned away, each with what to do about it.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use copal_model::Role;
use copal_model::policy::{Denied, OrgSettings, Refused, TooNarrow};

use crate::problem::{NextStep, Problem};

/// Why somebody was turned away.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// Nobody is logged in, or the token is not known.
    #[error("not logged in")]
    SignInFirst,
    /// The thing is foreign or missing, which is the same (rule D-6).
    #[error("{what} not found")]
    NotFound {
        /// The noun.
        what: &'static str,
    },
    /// A page that has another address now; only members of where it belongs are told.
    #[error("moved to {to}")]
    Moved {
        /// Path and query.
        to: String,
    },
    /// A member whose role does not allow it.
    #[error("role may not {}", .0.action.rule().label)]
    RoleTooLow(Box<Denied>),
    /// The credential does not reach that far, whatever the role.
    #[error(transparent)]
    TooNarrow(#[from] TooNarrow),
    /// A token of an organization speaks for no person, and here one is needed.
    #[error("needs a person")]
    PersonNeeded,
    /// The organization does not take this token of its member.
    #[error("the organization does not take this token")]
    TokenShutOut,
    /// There is no deletion to take back.
    #[error("not deleted")]
    NotDeleted,
    /// A rule that holds whatever the role.
    #[error(transparent)]
    AgainstRules(#[from] Refused),
    /// The form does not come from one of our pages as that person saw it.
    #[error("form not from our pages: {0}")]
    ForgedForm(&'static str),
    /// The form is not one, or lacks a field.
    #[error("form not understood: {0}")]
    BadForm(String),
    /// Too many tries.
    #[error("too many tries")]
    TooManyTries {
        /// When the next may be made.
        retry_after_secs: u64,
    },
    /// All password workers are busy.
    #[error("password workers are busy")]
    Busy,
    /// The store could not say.
    #[error(transparent)]
    Store(#[from] copal_store::Error),
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Store(error) => error.into(),
            Refusal::NotFound { what } => Self::not_found(what),
            Refusal::Moved { .. } => Self::not_found("page"),
            Refusal::SignInFirst => Self::new(
                StatusCode::UNAUTHORIZED,
                "unauthorized",
                "Log in first",
                "Show a valid API token as `Authorization: Bearer TOKEN`.",
            )
            .with_next_step(NextStep::LogIn),
            Refusal::TooManyTries { retry_after_secs } => Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "too-many-tries",
                "Too many tries",
                format!("Too many tries in a short time. Wait {retry_after_secs} seconds."),
            )
            .with_retry_after_secs(retry_after_secs),
            Refusal::Busy => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "busy",
                "Busy",
                "Many people are logging in at this moment. Try again in a few seconds.",
            )
            .with_retry_after_secs(5),
            Refusal::BadForm(why) => {
                Self::new(StatusCode::BAD_REQUEST, "bad-form", "Not understood", why)
            }
            Refusal::RoleTooLow(denied) => Self::denied(*denied),
            Refusal::TooNarrow(why) => too_narrow(why),
            Refusal::NotDeleted => not_deleted(),
            Refusal::PersonNeeded => Self::new(
                StatusCode::FORBIDDEN,
                "person-needed",
                "Needs a person",
                "This is a token of an organization: it speaks for no person, and opens \
                 `/api/v1/organizations/{org}` of its own organization only.",
            ),
            Refusal::TokenShutOut => Self::new(
                StatusCode::FORBIDDEN,
                "token-shut-out",
                "Token not taken",
                "This organization does not take this token any more: an OWNER or ADMIN has \
                 revoked it here. Ask them, or make another one.",
            ),
            Refusal::AgainstRules(refused) => refused.into(),
            Refusal::ForgedForm(why) => {
                tracing::warn!(why, "a form was refused");
                Self::new(
                    StatusCode::FORBIDDEN,
                    "forged-form",
                    "Form refused",
                    "The form is too old or does not come from a page of this site. Go back, \
                     reload the page and send it again.",
                )
            }
        }
    }
}

/// A rule that a change would break. Where only the role is too low, whoever knows the members says
/// more than this.
impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        let conflict =
            |kind, title, detail: &str| Self::new(StatusCode::CONFLICT, kind, title, detail);
        match refused {
            Refused::RoleTooLow(action) => {
                Self::denied(Denied::of(action, Role::Viewer, OrgSettings::default(), []))
            }
            Refused::Unproven => conflict(
                "unproven",
                "Address not proved",
                "This member has not proved yet that they read mail sent to their address. Nobody \
                 becomes OWNER before that.",
            ),
            Refused::OwnRole => forbidden(
                "Nobody changes their own role. An OWNER can hand the organization over to step \
                 down; everybody can leave."
                    .to_owned(),
            ),
            Refused::LastOwner => conflict(
                "last_owner",
                "Last owner",
                "An organization needs an OWNER, and this is the last one. Make somebody else \
                 OWNER first.",
            ),
            Refused::Personal => conflict(
                "personal_org",
                "Personal organization",
                "A personal organization is its person's alone and goes with them only. Its OWNER \
                 can turn it into a team.",
            ),
            Refused::HigherRole => forbidden(
                "This member has a higher role than you. Only an OWNER can do this to an OWNER."
                    .to_owned(),
            ),
            Refused::SameOrg => conflict(
                "same_org",
                "There already",
                "The project is in that organization already. Choose another one.",
            ),
            Refused::Team => conflict(
                "team",
                "Team already",
                "This organization is a team already.",
            ),
        }
    }
}

fn narrow_detail(why: TooNarrow) -> String {
    match why {
        TooNarrow::ScopeMissing(scope) => format!(
            "This token does not have the scope {scope}. Make one that has it, or one without \
             scopes."
        ),
        TooNarrow::Narrowed => {
            "A token with scopes cannot do this. Use one without scopes.".to_owned()
        }
        TooNarrow::SessionOnly => {
            "No token may do this: do it in the browser, where you are logged in.".to_owned()
        }
        TooNarrow::PersonOnly => {
            "A token of an organization cannot do this, whatever its scopes: use \
             a personal token."
                .to_owned()
        }
        TooNarrow::SessionTooOld => {
            "This needs a recent log-in: confirm your password, or log out and in again, then repeat it.".to_owned()
        }
    }
}

fn too_narrow(why: TooNarrow) -> Problem {
    let problem = forbidden(narrow_detail(why));
    match why {
        TooNarrow::SessionTooOld => problem.with_next_step(NextStep::Confirm),
        _ => problem,
    }
}

fn not_deleted() -> Problem {
    Problem::new(
        StatusCode::CONFLICT,
        "not_deleted",
        "Not deleted",
        "This was not deleted: there is nothing to take back.",
    )
}

fn forbidden(detail: String) -> Problem {
    Problem::new(StatusCode::FORBIDDEN, "forbidden", "Not allowed", detail)
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::Moved { to } => Redirect::permanent(&to).into_response(),
            other => Problem::from(other).into_response(),
        }
    }
}

#[cfg(test)]
mod tests {
    use copal_model::policy::Action;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_role_too_low_says_which_would_do_and_whom_to_ask() {
        let denied = Denied {
            action: Action::CreateProject,
            roles: vec![Role::Owner, Role::Admin],
            setting: None,
            granters: vec!["Ana".to_owned()],
        };
        let problem = Problem::from(Refusal::RoleTooLow(Box::new(denied)));
        assert_eq!(problem.status, StatusCode::FORBIDDEN);
        let json: serde_json::Value = serde_json::from_str(&problem.to_json("r")).unwrap();
        assert_eq!(
            json["detail"],
            "Only OWNER or ADMIN can create projects. Ask Ana."
        );
        assert_eq!(json["neededRole"], "ADMIN");
        assert_eq!(json["grantedBy"], json!(["Ana"]));
    }

    #[test]
    fn rules_that_no_role_gets_around_are_conflicts_with_names() {
        for (refused, kind) in [
            (Refused::LastOwner, "last_owner"),
            (Refused::Personal, "personal_org"),
            (Refused::Team, "team"),
        ] {
            let problem = Problem::from(refused);
            assert_eq!(problem.status, StatusCode::CONFLICT);
            assert_eq!(problem.kind, kind);
        }
        let own = Problem::from(Refused::OwnRole);
        assert_eq!(own.status, StatusCode::FORBIDDEN);
    }

    #[test]
    fn foreign_and_missing_read_the_same() {
        let problem = Problem::from(Refusal::NotFound { what: "issue" });
        assert_eq!(problem, Problem::not_found("issue"));
    }
}
