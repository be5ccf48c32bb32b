//! How much of its plan an organization uses.

use async_trait::async_trait;
use copal_model::{Month, OrgId, Plan, Plans, Timestamp, Usage};
use rusqlite::{Connection, Transaction, params};

use super::record::{assign, outcomes, quota};
use super::{Columns, SqliteStore};
use crate::organizations::GONE;
use crate::record::OutcomeCount;
use crate::record::outcomes::{named, refused_batch};
use crate::record::quota::tally_refused;
use crate::usage::{UsageCounts, narrow, require_plan_member};
use crate::{OrgScope, Result};

#[async_trait]
impl UsageCounts for SqliteStore {
    async fn find_usage(&self, scope: &OrgScope, now: Timestamp) -> Result<Usage> {
        let (org, plans) = (scope.org(), self.plans);
        self.engine
            .read(move |db| find_usage(db, org, &plans, now))
            .await
    }

    async fn list_full(&self, now: Timestamp) -> Result<Vec<OrgId>> {
        let plans = self.plans;
        self.engine.read(move |db| list_full(db, &plans, now)).await
    }

    async fn count_refused(&self, refused: Vec<OutcomeCount>) -> Result<()> {
        self.in_transaction(move |tx| count_refused(tx, refused))
            .await
    }
}

fn find_usage(db: &Connection, org: OrgId, plans: &Plans, now: Timestamp) -> Result<Usage> {
    let month = Month::of(now);
    let mut find = db.prepare_cached(
        "select o.id, o.plan, coalesce(u.events, 0) as events,
            coalesce(u.events_refused, 0) as events_refused,
            (select count(*) from projects p where p.org_id = o.id and p.deleted_at is null)
                as projects,
            (select count(*) from members m where m.org_id = o.id) as members
        from organizations o
        left join usage u on u.month = $1 and u.org_id = o.id
        where o.id = $2",
    )?;
    let mut found =
        find.query_and_then(params![month.number(), org.as_uuid().as_bytes()], |row| {
            let columns = Columns::new("organizations", row);
            let plan = columns.parse("plan")?;
            Ok(Usage {
                plan,
                limits: *plans.of(plan),
                month,
                events: columns.count("events")?,
                events_refused: columns.count("events_refused")?,
                projects: columns.count("projects").map(narrow)?,
                members: columns.count("members").map(narrow)?,
            })
        })?;
    found.next().unwrap_or(Err(GONE))
}

fn list_full(db: &Connection, plans: &Plans, now: Timestamp) -> Result<Vec<OrgId>> {
    let mut full = Vec::new();
    for plan in Plan::ALL {
        let Some(limit) = plans.of(plan).events_per_month else {
            continue;
        };
        let mut list = db.prepare_cached(
            "select u.org_id
            from usage u
            join organizations o on o.id = u.org_id
            where u.month = $1
              and u.events >= $2
              and o.plan = $3",
        )?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = list.query_and_then(
            params![Month::of(now).number(), limit, plan.as_str()],
            |row| Columns::new("usage", row).uuid("org_id").map(OrgId::new),
        )?;
        for org in rows {
            full.push(org?);
        }
    }
    full.sort_unstable();
    Ok(full)
}

fn count_refused(tx: &Transaction<'_>, refused: Vec<OutcomeCount>) -> Result<()> {
    let projects = assign::living_projects(tx, &named(&refused))?;
    quota::add(tx, &tally_refused(&refused, &projects))?;
    let batch = refused_batch(refused);
    outcomes::count_received(tx, &batch, &projects)?;
    outcomes::count(tx, &batch, &[], &projects)
}

/// The plan of an organization.
pub(super) fn plan(db: &Connection, org: OrgId) -> Result<Plan> {
    let mut find = db.prepare_cached("select plan from organizations where id = $1")?;
    let mut found = find.query_and_then([org.as_uuid().as_bytes()], |row| {
        Columns::new("organizations", row).parse("plan")
    })?;
    found.next().unwrap_or(Err(GONE))
}

/// Refuses another member where the plan of the organization allows no more.
pub(super) fn require_member_room(db: &Connection, org: OrgId, plans: &Plans) -> Result<()> {
    let plan = plan(db, org)?;
    let members: u64 = db
        .prepare_cached("select count(*) from members where org_id = $1")?
        .query_row([org.as_uuid().as_bytes()], |row| row.get(0))?;
    require_plan_member(plan, plans.of(plan), members)
}
