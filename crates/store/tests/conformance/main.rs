//! What every engine must do, written against the `Store` trait alone.
//!
//! A case is a function that takes a [`World`](world::World). `conformance!` runs it on each
//! engine, as `users::sqlite::<case>` and so on; another engine is one more line in that macro and
//! a maker of worlds. Where a PostgreSQL server is missing, its cases say `SKIPPED`, and fail where
//! `CI` is set.

#![expect(clippy::unwrap_used, reason = "a case that cannot go on has failed")]

/// Runs each named case of this module on every engine.
macro_rules! conformance {
    ($($case:ident),+ $(,)?) => {
        conformance! { @engine sqlite, $($case),+ }
        conformance! { @engine postgres_oldest, $($case),+ }
        conformance! { @engine postgres_newest, $($case),+ }
    };
    (@engine $engine:ident, $($case:ident),+) => {
        mod $engine {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    if let Some(world) = crate::world::World::$engine().await {
                        super::$case(world).await;
                    }
                }
            )+
        }
    };
}

mod access;
mod activity;
mod audit;
mod dictionaries;
mod engines;
mod events;
mod fsck;
mod gates;
mod inbound;
mod invitations;
mod issues;
mod lifecycle;
mod mails;
mod members;
mod nodes;
mod org_tokens;
mod organizations;
mod owners;
mod project_life;
mod projects;
mod races;
mod recording;
mod schema;
mod second_factors;
mod sessions;
mod telemetry;
mod tokens;
mod triage;
mod upkeep;
mod usage;
mod users;
mod world;
mod writers;
