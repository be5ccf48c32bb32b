//! Asks every case; what comes back is for the oracles to look at.

use std::collections::BTreeSet;
use std::sync::Arc;

use copal_server::middleware::audience::Audience;
use copal_server::routes::RouteAccess;

use copal_store::upkeep::Violation;

use crate::actors::{self, Actor};
use crate::canary::Tenant;
use crate::cases::{Case, Draft, Maker, Row};
use crate::database::{Change, Database};
use crate::expect::{Expected, expected};
use crate::ownership::Ownership;
use crate::place::Place;
use crate::policy::Policy;
use crate::request::{Forgery, neutral, request};
use crate::site::{Answer, Site};
use crate::variants;
use crate::world::World;

/// What all suites of a run share: the world, who asks, and the policy.
pub(crate) struct Plan {
    pub(crate) world: World,
    pub(crate) actors: Vec<Actor>,
    pub(crate) policy: Policy,
    pub(crate) depth: Depth,
}

/// How much is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Depth {
    Everything,
    /// Not in other ways of writing the same: what they are taken for is decided before any store is
    /// asked, so one engine is enough for them.
    Plain,
}

/// A server on a copy of the world, asked by everybody.
pub(crate) struct Suite {
    pub(crate) plan: Arc<Plan>,
    pub(crate) site: Site,
    pub(crate) database: Database,
    pub(crate) ownership: Ownership,
    pub(crate) tally: Tally,
}

/// What was done and found.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) requests: usize,
    pub(crate) routes: BTreeSet<String>,
    pub(crate) actors: BTreeSet<String>,
    pub(crate) variants: BTreeSet<String>,
    /// Tables that somebody has changed who may.
    pub(crate) touched: BTreeSet<String>,
    /// What went wrong, in sentences.
    pub(crate) leaks: Vec<String>,
}

impl Tally {
    pub(crate) fn add(&mut self, other: Self) {
        self.requests += other.requests;
        self.routes.extend(other.routes);
        self.actors.extend(other.actors);
        self.variants.extend(other.variants);
        self.touched.extend(other.touched);
        self.leaks.extend(other.leaks);
    }
}

impl Plan {
    /// Makes the world at an empty place, and everybody in it.
    pub(crate) async fn prepare(place: &Place, depth: Depth) -> Self {
        let policy = Policy::copy();
        let store = place.open_store().await;
        let database = Database::open(place).await;
        let site = Site::start(Arc::clone(&store), place.folder(), 1).await;
        let mut world = World::build(&site, &database).await;
        let actors = actors::everybody(&mut world, &*store, &policy).await;
        database.keep().await;
        site.stop().await;
        Self {
            world,
            actors,
            policy,
            depth,
        }
    }
}

impl Suite {
    /// Starts a server on the world at a place, which is this suite's own.
    pub(crate) async fn start(plan: &Arc<Plan>, place: &Place) -> Self {
        let database = Database::open(place).await;
        let site = Site::start(place.open_store().await, place.folder(), 2).await;
        Self {
            ownership: Ownership::of(&plan.world),
            plan: Arc::clone(plan),
            site,
            database,
            tally: Tally::default(),
        }
    }

    /// A route, asked by everybody in every way.
    pub(crate) async fn ask_all(&mut self, row: &Row) {
        let plan = Arc::clone(&self.plan);
        for actor in &plan.actors {
            for question in questions(&plan, row, actor) {
                self.ask(&question).await;
            }
        }
    }

    /// One question, whatever its kind.
    pub(crate) async fn ask(&mut self, question: &Question<'_>) {
        let Question {
            row,
            actor,
            case,
            kind,
        } = question;
        self.tally
            .routes
            .insert(format!("{} {}", row.method, row.path));
        self.tally.actors.insert(actor.name.clone());
        self.tally.variants.insert(case.variant.clone());
        match kind {
            Kind::Plain => self.ask_plainly(row, actor, case).await,
            Kind::Rewritten => self.ask_variant(row, actor, case).await,
        }
    }

    /// One request, and its twin where it has one.
    async fn ask_plainly(&mut self, row: &Row, actor: &Actor, case: &Case) {
        let expected = expected(row, actor, case, &self.plan.policy);
        let name = name_of(row, actor, &case.variant, &case.draft);
        let answer = self.send(&case.draft, actor).await;
        if !expected.is_met_by(row, &answer) {
            let text = answer.text();
            let start: String = text.chars().take(300).collect();
            self.leak(format!(
                "{name}: {expected:?} expected, {} came: {start}",
                answer.status
            ));
        }
        let said = neutral(&answer, &case.draft);
        self.check_words(case.draft.audience(), actor, &said, &name);
        let may_change = expected.may_change();
        let changes = self.changes_of(case).await;
        self.check_changes(actor, &changes, may_change, &name);
        if expected == Expected::Done {
            self.check_done(row, actor, case, (&said, &changes), &name);
        }
        if let Some(twin) = &case.twin {
            self.check_twin(actor, (case, twin), (&said, &changes), &name)
                .await;
        }
    }

    /// A request written in another way: whatever it is taken for, it is answered like its twin, and
    /// nothing of others is told or moved.
    async fn ask_variant(&mut self, row: &Row, actor: &Actor, case: &Case) {
        let name = name_of(row, actor, &case.variant, &case.draft);
        let answer = self.send(&case.draft, actor).await;
        if answer.status.is_server_error() {
            self.leak(format!("{name}: {} came", answer.status));
        }
        let said = neutral(&answer, &case.draft);
        self.check_words(case.draft.audience(), actor, &said, &name);
        let changes = self.changes_of(case).await;
        self.check_changes(actor, &changes, true, &name);
        if let Some(twin) = &case.twin {
            self.check_twin(actor, (case, twin), (&said, &changes), &name)
                .await;
        }
    }

    pub(crate) async fn send(&mut self, draft: &Draft, actor: &Actor) -> Answer {
        self.tally.requests += 1;
        self.site.send(request(draft, actor, Forgery::None)).await
    }

    /// `copal fsck` finds nothing.
    pub(crate) async fn check_invariants(&mut self, after: &str) {
        let report = self.site.app.store.fsck().await.unwrap();
        // The suite itself changes when PostgreSQL checks what tables say of each other.
        let own_doing = |violation: &Violation| violation.invariant == "I-13";
        let violations = report.violations.into_iter();
        for violation in violations.filter(|violation| !own_doing(violation)) {
            self.leak(format!("after {after}: {violation:?}"));
        }
    }

    /// What has moved in the database; it is put back.
    pub(crate) async fn changes(&mut self) -> Vec<Change> {
        let changes = self.database.changes().await;
        if !changes.is_empty() {
            self.database.restore(&changes).await;
        }
        changes
    }

    /// What a request has moved, besides what its route may cause of anybody.
    pub(crate) async fn changes_of(&mut self, case: &Case) -> Vec<Change> {
        let mut changes = self.changes().await;
        let touched = changes
            .iter()
            .filter(|change| case.may_reach(&change.table));
        self.tally
            .touched
            .extend(touched.map(|change| change.table.clone()));
        changes.retain(|change| !case.may_reach(&change.table));
        changes
    }

    pub(crate) fn leak(&mut self, what: String) {
        self.tally.leaks.push(what);
    }
}

/// One request to be made, and how it is looked at.
pub(crate) struct Question<'a> {
    pub(crate) row: &'a Row,
    pub(crate) actor: &'a Actor,
    pub(crate) case: Case,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// It is known what it must come to.
    Plain,
    /// What it is taken for is the server's business.
    Rewritten,
}

/// All questions of an actor to a route.
pub(crate) fn questions<'a>(plan: &'a Plan, row: &'a Row, actor: &'a Actor) -> Vec<Question<'a>> {
    let world = &plan.world;
    let question = |case, kind| Question {
        row,
        actor,
        case,
        kind,
    };
    let cases = Maker { world, actor, row }.cases();
    let mut questions = Vec::new();
    if plan.depth == Depth::Everything && asks_in_other_ways(row, actor) {
        let strange = world.things(actor.home().other());
        let rewritten = cases.iter().find(|case| case.variant == "foreign");
        let rewritten = rewritten.map(variants::of).unwrap_or_default();
        let own = cases.iter().find(|case| case.variant == "own");
        let smuggled = own
            .map(|case| variants::smuggled(case, strange))
            .unwrap_or_default();
        let ways = rewritten.into_iter().chain(smuggled);
        questions.extend(ways.map(|case| question(case, Kind::Rewritten)));
    }
    questions.extend(cases.into_iter().map(|case| question(case, Kind::Plain)));
    questions
}

/// Who is not known is answered before anything is looked at: one such asks for all.
fn asks_in_other_ways(row: &Row, actor: &Actor) -> bool {
    let knows_actors = matches!(row.access, RouteAccess::Principal | RouteAccess::Org(_));
    let is_known = actor.is_known(Audience::of(row.path));
    let is_in_both = actor.roles.len() == Tenant::BOTH.len();
    actor.name == "anonymous" || is_known && (knows_actors || is_in_both)
}

/// How a request is called when it leaks.
pub(crate) fn name_of(row: &Row, actor: &Actor, variant: &str, draft: &Draft) -> String {
    let (method, target) = (&draft.method, &draft.target);
    format!(
        "{method} {} as {} ({variant}, {target})",
        row.path, actor.name
    )
}
