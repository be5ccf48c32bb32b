//! The ways to be turned away, each with what to do about it.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use copal_model::policy::Rule;
use copal_ui::form::denial;

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
    /// A member whose role does not allow it.
    #[error("role may not {}", rule.label)]
    RoleTooLow {
        /// The row of the policy.
        rule: &'static Rule,
        /// Names of members who may.
        helpers: Vec<String>,
    },
    /// The token was narrowed and does not reach that far.
    #[error("token lacks scope {0}")]
    ScopeMissing(&'static str),
    /// No token may do it, only a person in a session.
    #[error("needs a session")]
    SessionOnly,
    /// The person has to prove again who they are.
    #[error("needs a fresh session")]
    SessionTooOld,
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
            forbidden => forbidden_problem(&forbidden),
        }
    }
}

fn forbidden_problem(refusal: &Refusal) -> Problem {
    let detail = match refusal {
        Refusal::RoleTooLow { rule, helpers } => denial(rule.action, helpers),
        Refusal::ScopeMissing(scope) => format!(
            "This token does not have the scope {scope}. Make one that has it, or one without \
             scopes."
        ),
        Refusal::SessionOnly => {
            "No token may do this: do it in the browser, where you are logged in.".to_owned()
        }
        Refusal::SessionTooOld => {
            "This cannot be undone, so it needs a recent log-in: log out and in again, then repeat \
             it."
            .to_owned()
        }
        _ => "The form is too old or does not come from a page of this site. Go back, reload the \
              page and send it again."
            .to_owned(),
    };
    let (kind, title) = match refusal {
        Refusal::ForgedForm(why) => {
            tracing::warn!(why, "a form was refused");
            ("forged-form", "Form refused")
        }
        _ => ("forbidden", "Not allowed"),
    };
    Problem::new(StatusCode::FORBIDDEN, kind, title, detail)
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        Problem::from(self).into_response()
    }
}

#[cfg(test)]
mod tests {
    use copal_model::policy::Action;

    use super::*;

    #[test]
    fn a_role_too_low_says_which_would_do_and_whom_to_ask() {
        let problem = Problem::from(Refusal::RoleTooLow {
            rule: Action::CreateProject.rule(),
            helpers: vec!["Ana".to_owned()],
        });
        assert_eq!(problem.status, StatusCode::FORBIDDEN);
        assert_eq!(
            problem.detail,
            "Only OWNER or ADMIN can create projects. Ask Ana."
        );
    }

    #[test]
    fn foreign_and_missing_read_the_same() {
        let problem = Problem::from(Refusal::NotFound { what: "issue" });
        assert_eq!(problem, Problem::not_found("issue"));
    }
}
