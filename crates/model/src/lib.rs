//! Copal's nouns: what an error tracker talks about, and the rules that hold for them.
//!
//! Values only. Nothing here does I/O, asks the time, makes randomness or serialises itself: each
//! surface (API, pages, store) converts to its own shapes.
//!
//! # Layout
//! - [`id`]: identifiers, and how they read as text
//! - [`user`], [`organization`], [`member`], [`invitation`]: who
//! - [`mail`]: what they are told by mail
//! - [`quota`]: what plans allow, and how much of it is used
//! - [`gate`]: what stands between a key and its project
//! - [`project`]: where events come from, and the keys that let them in
//! - [`issue`], [`event`]: what went wrong
//! - [`inbound`]: what a project wants done with events on their way in
//! - [`search`]: the query language over issues
//! - [`audit`]: who did what
//! - [`policy`]: which role may do what
//! - [`outcome`]: how every received item ended
//! - [`limits`]: every limit of the data model, named once
//! - [`email`], [`slug`], [`name`]: normal forms of text that identifies or names
//! - [`totp`]: one-time passwords by time
//! - [`ambient`]: time and randomness as parameters

#![warn(missing_docs)]

pub mod ambient;
pub mod audit;
pub mod email;
pub mod event;
pub mod gate;
pub mod id;
pub mod inbound;
pub mod invitation;
pub mod issue;
pub mod limits;
pub mod mail;
pub mod member;
pub mod name;
pub mod organization;
pub mod outcome;
pub mod policy;
pub mod project;
pub mod quota;
pub mod search;
pub mod slug;
pub mod totp;
pub mod user;

pub use ambient::{Clock, Entropy};
pub use audit::{AuditEntry, AuditResult};
pub use email::Email;
pub use event::{EventSummary, UserIdentity, UserIdentityKind};
pub use gate::{KeyLimit, LimitWindow, Origins};
pub use id::{AuditId, InvitationId, IssueId, KeyId, MailId, OrgId, ProjectId, TokenId, UserId};
pub use inbound::{FilterSettings, InboundSettings, ScrubSettings, Switch};
pub use invitation::{Invitation, InvitationStatus};
pub use issue::{Issue, IssueStatus, Level, ShortId};
pub use mail::{Letter, Mail, MailKind, MailState};
pub use member::{Member, Role};
pub use organization::{Organization, Plan};
pub use outcome::{Category, Outcome};
pub use project::{ClientKey, Project};
pub use quota::{Month, PlanLimits, Plans, Usage, UsageLevel};
pub use slug::Slug;
pub use user::User;

/// A point in time. Copal keeps microseconds and shows UTC.
pub type Timestamp = jiff::Timestamp;
