//! How much of its plan an organization uses.

use async_trait::async_trait;
use copal_model::{Month, OrgId, Plan, Plans, Timestamp, Usage};

use super::record::{assign, outcomes, quota};
use super::{Columns, PostgresStore, Tx, count, find, list};
use crate::organizations::GONE;
use crate::record::OutcomeCount;
use crate::record::outcomes::{named, refused_batch};
use crate::record::quota::tally_refused;
use crate::usage::{UsageCounts, narrow, require_plan_member};
use crate::{OrgScope, Result};

#[async_trait]
impl UsageCounts for PostgresStore {
    async fn find_usage(&self, scope: &OrgScope, now: Timestamp) -> Result<Usage> {
        let (org, plans) = (scope.org(), self.plans);
        self.engine
            .read(move |tx| Box::pin(find_usage(tx, org, plans, now)))
            .await
    }

    async fn list_full(&self, now: Timestamp) -> Result<Vec<OrgId>> {
        let plans = self.plans;
        self.engine
            .read(move |tx| Box::pin(list_full(tx, plans, now)))
            .await
    }

    async fn count_refused(&self, refused: Vec<OutcomeCount>) -> Result<()> {
        self.engine
            .record(move |tx| Box::pin(count_refused(tx, refused.clone())))
            .await
    }
}

async fn find_usage(tx: &Tx<'_>, org: OrgId, plans: Plans, now: Timestamp) -> Result<Usage> {
    let month = Month::of(now);
    let found = find(
        tx,
        "select o.id, o.plan, coalesce(u.events, 0) as events,
            coalesce(u.events_refused, 0) as events_refused,
            (select count(*) from projects p where p.org_id = o.id and p.deleted_at is null)
                as projects,
            (select count(*) from members m where m.org_id = o.id) as members
        from organizations o
        left join usage u on u.month = $1 and u.org_id = o.id
        where o.id = $2",
        &[&month.number(), &org.as_uuid()],
    )
    .await?;
    let Some(row) = found else {
        return Err(GONE);
    };
    let columns = Columns::new("organizations", &row);
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
}

async fn list_full(tx: &Tx<'_>, plans: Plans, now: Timestamp) -> Result<Vec<OrgId>> {
    let mut full = Vec::new();
    for plan in Plan::ALL {
        let Some(limit) = plans.of(plan).events_per_month else {
            continue;
        };
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = list(
            tx,
            "select u.org_id
            from usage u
            join organizations o on o.id = u.org_id
            where u.month = $1
              and u.events >= $2
              and o.plan = $3",
            &[&Month::of(now).number(), &limit, &plan.as_str()],
        )
        .await?;
        for row in &rows {
            full.push(OrgId::new(Columns::new("usage", row).uuid("org_id")?));
        }
    }
    full.sort_unstable();
    Ok(full)
}

async fn count_refused(tx: &Tx<'_>, refused: Vec<OutcomeCount>) -> Result<()> {
    let projects = assign::living_projects(tx, &named(&refused)).await?;
    quota::add(tx, &tally_refused(&refused, &projects)).await?;
    let batch = refused_batch(refused);
    outcomes::count_received(tx, &batch, &projects).await?;
    outcomes::count(tx, &batch, &[], &projects).await
}

/// The plan of an organization.
pub(super) async fn plan(tx: &Tx<'_>, org: OrgId) -> Result<Plan> {
    let found = find(
        tx,
        "select plan from organizations where id = $1",
        &[&org.as_uuid()],
    )
    .await?;
    let row = found.ok_or(GONE)?;
    Columns::new("organizations", &row).parse("plan")
}

/// Refuses another member where the plan of the organization, which the caller has locked, allows no
/// more.
pub(super) async fn require_member_room(tx: &Tx<'_>, org: OrgId, plans: &Plans) -> Result<()> {
    let plan = plan(tx, org).await?;
    let members = count(
        tx,
        "select count(*) from members where org_id = $1",
        &[&org.as_uuid()],
    )
    .await?;
    require_plan_member(plan, plans.of(plan), members)
}
