//! Everything Copal remembers: a trait per noun, and the engines that keep them.
//!
//! Methods are use cases, each one transaction. Nothing that reads or writes tenant data can be
//! called without a [`scope`] that only an access lookup makes.
//!
//! # Layout
//! - [`access`]: credentials to scopes; the only maker of scopes
//! - [`users`], [`sessions`], [`second_factors`], [`tokens`], [`org_tokens`], [`organizations`], [`projects`]: accounts and settings
//! - [`project_life`]: projects that go, come back, and move
//! - [`members`], [`lifecycle`]: memberships that change; what is deleted and taken back
//! - [`inbound`]: what projects want done with events on their way in
//! - [`invitations`], [`mails`]: how people join, and what they are told
//! - [`issues`], [`events`]: what pages and the API read
//! - [`usage`]: how much of its plan an organization uses
//! - [`audit`]: who did what in an organization
//! - [`triage`]: statuses of many issues at once, and taking that back
//! - [`record`]: the pipeline's one write, a batch and the journal position
//! - [`upkeep`]: migrations, retention, invariants, foreign changes
//! - [`sqlite`]: the engine inside the binary
//! - [`postgres`]: the engine that several processes share
//! - `payload`: event JSON in append-only segment files

#![warn(missing_docs)]

// So that every statement that stands here can be broken, whoever writes it: see its `lib.rs`.
#[cfg(feature = "sabotage")]
extern crate copal_sabotage as rusqlite;

pub mod access;
pub mod audit;
mod error;
pub mod events;
mod hex;
pub mod inbound;
pub mod invitations;
pub mod issues;
pub mod lifecycle;
pub mod mails;
pub mod members;
mod migrations;
mod open;
pub mod org_tokens;
pub mod organizations;
mod page;
mod partition;
mod payload;
pub mod postgres;
pub mod project_life;
pub mod projects;
pub mod record;
pub mod scope;
pub mod second_factors;
pub mod sessions;
pub mod sqlite;
mod telemetry;
pub mod tokens;
pub mod triage;
pub mod upkeep;
pub mod usage;
pub mod users;

pub use error::{Error, Result};
pub use open::{Options, describe_database, open};
pub use page::{Page, PageRequest};
pub use scope::{OrgScope, ProjectScope};

/// All that an engine must do. The conformance suite is written against this trait.
pub trait Store:
    access::Access
    + users::Users
    + sessions::Sessions
    + tokens::Tokens
    + second_factors::SecondFactors
    + org_tokens::OrgTokens
    + organizations::Organizations
    + projects::Projects
    + project_life::ProjectLife
    + members::Members
    + lifecycle::Lifecycle
    + inbound::Inbound
    + invitations::Invitations
    + mails::Mails
    + usage::UsageCounts
    + audit::Audit
    + issues::Issues
    + events::Events
    + triage::Triage
    + record::Recorder
    + upkeep::Upkeep
    + Send
    + Sync
{
}

impl<T> Store for T where
    T: access::Access
        + users::Users
        + sessions::Sessions
        + tokens::Tokens
        + second_factors::SecondFactors
        + org_tokens::OrgTokens
        + organizations::Organizations
        + projects::Projects
        + project_life::ProjectLife
        + members::Members
        + lifecycle::Lifecycle
        + inbound::Inbound
        + invitations::Invitations
        + mails::Mails
        + usage::UsageCounts
        + audit::Audit
        + issues::Issues
        + events::Events
        + triage::Triage
        + record::Recorder
        + upkeep::Upkeep
        + Send
        + Sync
{
}
