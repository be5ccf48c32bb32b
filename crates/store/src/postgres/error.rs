//! What PostgreSQL reports, as what the caller can do about it.

use std::error::Error as _;
use std::io;

use deadpool_postgres::{HookError, PoolError};
use tokio_postgres::error::{DbError, SqlState};

use crate::Error;

impl From<tokio_postgres::Error> for Error {
    fn from(error: tokio_postgres::Error) -> Self {
        if let Some(refusal) = error.as_db_error() {
            return match kind_of(refusal.code()) {
                Kind::Constraint => Self::Conflict {
                    what: constraint(refusal),
                },
                Kind::Away => Self::Unavailable(refusal.message().to_owned()),
                // The engine looks for collisions before anybody else does.
                Kind::Collision | Kind::Broken => Self::Broken(Box::new(error)),
            };
        }
        let is_io = error
            .source()
            .is_some_and(<dyn std::error::Error>::is::<io::Error>);
        if error.is_closed() || is_io || is_connecting(&error) {
            Self::Unavailable(sentence(&error))
        } else {
            Self::Broken(Box::new(error))
        }
    }
}

impl From<PoolError> for Error {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Backend(error) | PoolError::PostCreateHook(HookError::Backend(error)) => {
                error.into()
            }
            other => Self::Unavailable(other.to_string()),
        }
    }
}

/// Whether the transaction could not go on only because of another one: it may be tried again.
///
/// So is what hides the reason: of statements that were sent together another one failed first.
pub(super) fn is_collision(error: &Error) -> bool {
    is_aftermath(error)
        || code_of(error).is_some_and(|code| matches!(kind_of(code), Kind::Collision))
}

/// Whether a statement was refused only because an earlier one of its transaction had failed.
pub(super) fn is_aftermath(error: &Error) -> bool {
    code_of(error) == Some(&SqlState::IN_FAILED_SQL_TRANSACTION)
}

fn code_of(error: &Error) -> Option<&SqlState> {
    let Error::Broken(cause) = error else {
        return None;
    };
    cause.downcast_ref::<tokio_postgres::Error>()?.code()
}

/// After the last try: others are in the way for longer.
pub(super) fn give_up(error: Error) -> Error {
    if is_collision(&error) {
        Error::Unavailable("other transactions are in the way".to_owned())
    } else {
        error
    }
}

/// An error and its causes in one line. Display of the error itself leaves the causes out.
pub(super) fn sentence(error: &tokio_postgres::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

/// What a refusal of the server means for the caller.
enum Kind {
    /// Another transaction was in the way: try again.
    Collision,
    /// A rule of the schema.
    Constraint,
    /// The server cannot now, or does not want to: nothing that was sent to it is to blame.
    Away,
    Broken,
}

fn kind_of(code: &SqlState) -> Kind {
    let collisions = [
        SqlState::T_R_SERIALIZATION_FAILURE,
        SqlState::T_R_DEADLOCK_DETECTED,
        // A partition that retention has dropped since its name was looked up.
        SqlState::UNDEFINED_TABLE,
    ];
    if collisions.contains(code) {
        return Kind::Collision;
    }
    // A server that has become a standby, or whose rights were changed.
    let refuses = [
        SqlState::READ_ONLY_SQL_TRANSACTION,
        SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
        SqlState::INSUFFICIENT_PRIVILEGE,
        SqlState::LOCK_NOT_AVAILABLE,
        SqlState::IO_ERROR,
    ];
    if refuses.contains(code) {
        return Kind::Away;
    }
    match code.code().get(..2) {
        Some("23") => Kind::Constraint,
        // Connections, log-in, database name, room, limits, an operator (timeouts are among them).
        Some("08" | "28" | "3D" | "53" | "57") => Kind::Away,
        _ => Kind::Broken,
    }
}

/// The handshake failed: no parameter and no row can be to blame.
fn is_connecting(error: &tokio_postgres::Error) -> bool {
    let text = error.to_string();
    text.starts_with("error connecting")
        || text.starts_with("error performing TLS")
        || text.starts_with("authentication error")
        || text.starts_with("timeout")
}

/// The rule that was broken: the last column of a unique key (its leading columns are the
/// tenant's), as PostgreSQL puts it into the name `projects_org_id_slug_key`.
fn constraint(refusal: &DbError) -> &'static str {
    if *refusal.code() == SqlState::FOREIGN_KEY_VIOLATION {
        return "reference";
    }
    let name = refusal.constraint().unwrap_or_default();
    if name.ends_with("_pkey") {
        return "id";
    }
    // The longer ones first: a public key is no key called public.
    ["email", "slug", "public_key", "name"]
        .into_iter()
        .find(|column| {
            name.strip_suffix("_key")
                .is_some_and(|name| name.ends_with(column))
        })
        .unwrap_or("constraint")
}
