//! What routes need besides their path, so that the owner may do what they ask: bodies and queries.
//!
//! # A new route
//! One that only reads and knows no query needs nothing here: it is covered as soon as it is in the
//! route table. Any other needs a line in the file of its subject below `recipes/`:
//!
//! - [`get`] for queries to ask with; every query parameter of the OpenAPI document needs one.
//! - [`post`] (or [`changes`] for other methods) where the owner's request changes the database; a
//!   body for each thing that it can do. Each is sent by everybody, and put back afterwards.
//! - [`says`] where it changes nothing, or where only a secret makes it change something.
//! - [`against_rules`] where a rule is in the way, whatever the role: 409.
//! - `Recipe { reaches: &["mails"], ..says(…) }` where anybody may cause rows of others, such as a
//!   mail to who forgot their password: in these tables, by this route.
//!
//! Write every id in a query or body as a name in braces, `{issue:id}` or `{other.key}`: each of them
//! is put in the place of somebody else's, one after the other. All names are in
//! [`crate::parts::forms`].
//!
//! # A new kind of thing, such as `{invitation}`
//! 1. `world/`: make two of them in each tenant (or for each person), with [`crate::canary::mark`]
//!    in every text, keep their ids in `InProject`, `Things` or `Person`, and tell ids that cannot
//!    carry a mark to `canaries.add`.
//! 2. `parts.rs`: its names in `forms`, the text of each in `found`; in `missing` only where the
//!    neighbour of its id is not of its shape. `Part::is_child` where it stands below a project.
//! 3. `actors.rs`, `may_read`: who may read its texts, where that is none of the marks that there
//!    are. `gates.rs` tells of columns that hold no mark, and of tables that nobody changes.
//!
//! A table that names its tenant by another column than `org_id`, `project_id`, `issue_id` or
//! `user_id` goes to `ownership.rs`. A new credential is an actor in `actors.rs`.
//!
//! # While you work on it
//! `COPAL_ISOLATION_ROUTES=invitations cargo nextest run -p copal-server --test isolation` asks only
//! routes with that text in their path, in seconds; gates that need all routes are not looked at.

mod accounts;
mod issues;
mod organizations;
mod projects;
mod sdks;

use axum::http::Method;

/// What a route needs.
pub(crate) struct Recipe {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    /// Queries to ask with, besides none.
    pub(crate) queries: &'static [&'static str],
    /// Bodies to send, one request each; a route that takes none has one that is [`Sent::Nothing`].
    pub(crate) bodies: &'static [Sent],
    pub(crate) effect: Effect,
    /// Tables in which anybody may cause rows of others, and where foreign and missing may differ.
    pub(crate) reaches: &'static [&'static str],
}

/// A body.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Sent {
    Nothing,
    /// Fields of a form; the token that makes it ours is added.
    Form(&'static [(&'static str, &'static str)]),
    Json(&'static str),
    /// An envelope or an event, without a client key.
    Raw(&'static str),
}

/// What a request that is allowed does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It changes the database.
    Changes,
    /// It changes nothing there.
    Nothing,
    /// Whoever may is refused, for what the thing is: 409.
    AgainstRules,
}

const fn get(path: &'static str, queries: &'static [&'static str]) -> Recipe {
    Recipe {
        method: Method::GET,
        path,
        queries,
        bodies: &[Sent::Nothing],
        effect: Effect::Nothing,
        reaches: &[],
    }
}

const fn changes(method: Method, path: &'static str, bodies: &'static [Sent]) -> Recipe {
    Recipe {
        method,
        path,
        queries: &[],
        bodies,
        effect: Effect::Changes,
        reaches: &[],
    }
}

const fn post(path: &'static str, bodies: &'static [Sent]) -> Recipe {
    changes(Method::POST, path, bodies)
}

const fn says(path: &'static str, bodies: &'static [Sent]) -> Recipe {
    let mut recipe = post(path, bodies);
    recipe.effect = Effect::Nothing;
    recipe
}

const fn against_rules(path: &'static str, bodies: &'static [Sent]) -> Recipe {
    let mut recipe = post(path, bodies);
    recipe.effect = Effect::AgainstRules;
    recipe
}

/// The recipes.
pub(crate) fn all() -> Vec<Recipe> {
    let mut all = accounts::recipes();
    all.extend(organizations::recipes());
    all.extend(projects::recipes());
    all.extend(issues::recipes());
    all.extend(sdks::recipes());
    all
}

/// The recipe of a route: its own, or nothing for a route that only reads.
pub(crate) fn of(method: &Method, path: &'static str) -> Recipe {
    let found = all()
        .into_iter()
        .find(|recipe| recipe.method == *method && recipe.path == path);
    let reads = *method == Method::GET || *method == Method::OPTIONS;
    match found {
        Some(recipe) => recipe,
        None if reads => Recipe {
            method: method.clone(),
            ..get(path, &[])
        },
        None => panic!(
            "{method} {path} changes something and is not in the isolation suite: add a recipe, see \
             the head of crates/server/tests/isolation/recipes.rs"
        ),
    }
}
