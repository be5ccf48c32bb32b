//! What is looked at in every answer: no canary of others, nothing of others moved, the control that
//! who may does see and change, and foreign things answered like missing ones. What the policy says
//! is in [`crate::expect`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::http::{HeaderMap, Method};
use copal_server::middleware::audience::Audience;
use copal_server::routes::RouteAccess;

use crate::actors::Actor;
use crate::canary::{Owner, Tenant};
use crate::cases::{Case, Draft, Row};
use crate::database::Change;
use crate::ownership::{Holder, Ownership};
use crate::recipes::Effect;
use crate::request::neutral;
use crate::run::Suite;
use crate::site::Answer;

/// Pages that show their owner nothing of the organization.
const QUIET: &[&str] = &[
    // They say something only when there is news.
    "/o/{org}/issues/stream",
];

/// Where a refused member's try is written down, for those whose organization it is.
const AUDIT: &str = "audit";

impl Suite {
    /// No text of somebody whom the actor may not read.
    pub(crate) fn check_words(
        &mut self,
        audience: Audience,
        actor: &Actor,
        said: &Answer,
        name: &str,
    ) {
        let plan = Arc::clone(&self.plan);
        for owner in plan.world.canaries.owners_in(said) {
            if !actor.may_read(owner, audience, &plan.world, &plan.policy) {
                self.leak(format!("{name}: the answer tells {owner:?}"));
            }
        }
    }

    /// No row of somebody with whom the actor has nothing to do; none at all where nothing may be
    /// changed.
    pub(crate) fn check_changes(
        &mut self,
        actor: &Actor,
        changes: &[Change],
        may_change: bool,
        name: &str,
    ) {
        let plan = Arc::clone(&self.plan);
        for change in changes {
            let holders = self.ownership.holders(change);
            let is_foreign = |holder: &&Holder| !Ownership::may_touch(actor, **holder, &plan.world);
            if let Some(holder) = holders.iter().find(is_foreign) {
                self.leak(format!("{name}: a row of {holder:?} moved: {change:?}"));
            } else if !may_change && change.table != AUDIT {
                self.leak(format!(
                    "{name}: a row moved although it was refused: {change:?}"
                ));
            }
        }
    }

    /// The control: who may, sees their own canary, and what they change is changed.
    pub(crate) fn check_done(
        &mut self,
        row: &Row,
        actor: &Actor,
        case: &Case,
        (said, changes): (&Answer, &[Change]),
        name: &str,
    ) {
        self.tally
            .touched
            .extend(changes.iter().map(|change| change.table.clone()));
        let moved = changes.iter().any(|change| change.table != AUDIT);
        if case.effect == Effect::Changes && !moved {
            self.leak(format!("{name}: it was done, and nothing moved"));
        }
        // A list may go on after a place where there is nothing more.
        let goes_on = case.draft.target.contains("cursor=");
        let reads = row.method == Method::GET && case.variant == "own" && !goes_on;
        let RouteAccess::Org(_) = row.access else {
            return;
        };
        if reads && said.status.is_success() && !QUIET.contains(&row.path) {
            let people = &self.plan.world.people;
            let is_own = |owner: &Owner| match owner {
                Owner::Person(number) => people[*number].roles.contains_key(&actor.home()),
                owner => tenant_of(*owner) == Some(actor.home()),
            };
            let is_stream = said.header("content-type") == "text/event-stream";
            if !is_stream && !self.plan.world.canaries.owners_in(said).iter().any(is_own) {
                self.leak(format!("{name}: the owner sees nothing of their own"));
            }
        }
    }

    /// Foreign and missing things are answered alike: status, headers and body.
    pub(crate) async fn check_twin(
        &mut self,
        actor: &Actor,
        (case, twin): (&Case, &Draft),
        (said, changes): (&Answer, &[Change]),
        name: &str,
    ) {
        // Who is in both organizations knows that both are there.
        if actor.roles.len() == Tenant::BOTH.len() {
            return;
        }
        let answer = self.send(twin, actor).await;
        let missing = neutral(&answer, twin);
        self.check_words(twin.audience(), actor, &missing, name);
        let moved = self.changes_of(case).await;
        if tables(&moved) != tables(changes) {
            self.leak(format!(
                "{name}: foreign and missing change different tables"
            ));
        }
        if missing.status != said.status {
            let (foreign, missing) = (said.status, missing.status);
            self.leak(format!(
                "{name}: {foreign} for foreign, {missing} for missing"
            ));
        } else if lines(&missing.headers) != lines(&said.headers) {
            let (foreign, missing) = (lines(&said.headers), lines(&missing.headers));
            self.leak(format!(
                "{name}: headers {foreign:?} for foreign, {missing:?} for missing"
            ));
        } else if missing.body != said.body {
            let (foreign, missing) = (said.text(), missing.text());
            let differs = foreign.lines().zip(missing.lines()).find(|(a, b)| a != b);
            self.leak(format!(
                "{name}: foreign and missing read differently: {differs:?}"
            ));
        }
    }
}

fn tenant_of(owner: Owner) -> Option<Tenant> {
    match owner {
        Owner::Org(tenant) | Owner::Event(tenant) | Owner::Key(tenant) | Owner::Token(tenant) => {
            Some(tenant)
        }
        Owner::Person(_) | Owner::Private(_) | Owner::Credential(_) | Owner::Secret => None,
    }
}

fn lines(headers: &HeaderMap) -> BTreeMap<String, Vec<String>> {
    let mut lines: BTreeMap<_, Vec<String>> = BTreeMap::new();
    for (name, value) in headers {
        let value = value.to_str().unwrap_or("?").to_owned();
        lines.entry(name.to_string()).or_default().push(value);
    }
    lines
}

fn tables(changes: &[Change]) -> BTreeSet<&str> {
    changes.iter().map(|change| &*change.table).collect()
}
