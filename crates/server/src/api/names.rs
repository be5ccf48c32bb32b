//! Enumerations as callers see them: in capitals.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

macro_rules! names {
    ($(#[$doc:meta])* $name:ident { $($variant:ident),+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
        #[serde(rename_all = "UPPERCASE")]
        pub enum $name {
            $(#[doc = stringify!($variant)] $variant),+
        }

        impl From<copal_model::$name> for $name {
            fn from(value: copal_model::$name) -> Self {
                match value { $(copal_model::$name::$variant => Self::$variant),+ }
            }
        }

        impl From<$name> for copal_model::$name {
            fn from(value: $name) -> Self {
                match value { $($name::$variant => Self::$variant),+ }
            }
        }
    };
}

names!(
    /// What a member may do.
    Role { Owner, Admin, Member, Viewer }
);
names!(
    /// What an organization may use.
    Plan { Free, Pro, Enterprise }
);
names!(
    /// Where people have got to with an issue.
    IssueStatus { Open, Resolved, Ignored }
);
names!(
    /// Severity.
    Level { Debug, Info, Warning, Error, Fatal }
);
