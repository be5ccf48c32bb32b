//! What goes on in the projects of an organization.

use copal_model::{OrgId, Timestamp};

use super::{Columns, Tx, list};
use crate::Result;
use crate::issues::HourCount;
use crate::projects::{ProjectActivity, project_id};
use crate::record::plan::hour_of;

/// Each project's, in the order of their ids.
pub(super) async fn of_projects(
    tx: &Tx<'_>,
    org: OrgId,
    since: Timestamp,
) -> Result<Vec<ProjectActivity>> {
    let rows = list(
        tx,
        "select p.id, (
            select count(*)
            from issues i
            where i.project_id = p.id and i.status = 'OPEN'
        ) as open_issues
        from projects p
        where p.org_id = $1 and p.deleted_at is null
        order by p.id",
        &[&org.as_uuid()],
    )
    .await?;
    let mut activity = rows
        .iter()
        .map(|row| {
            let columns = Columns::new("projects", row);
            Ok(ProjectActivity {
                project: columns.read("id", project_id)?,
                open_issues: columns.count("open_issues")?,
                hours: Vec::new(),
            })
        })
        .collect::<Result<Vec<_>>>()?;
    let rows = list(
        tx,
        "select p.id, h.hour, h.events
        from projects p
        join project_hours h on h.project_id = p.id
        where p.org_id = $1 and p.deleted_at is null and h.hour >= $2
        order by p.id, h.hour",
        &[&org.as_uuid(), &hour_of(since)],
    )
    .await?;
    let mut at = 0;
    for row in &rows {
        let columns = Columns::new("project_hours", row);
        let project = columns.read("id", project_id)?;
        // Both lists are in the order of ids, and one snapshot.
        while activity[at].project != project {
            at += 1;
        }
        activity[at].hours.push(HourCount {
            hour: columns.time("hour")?,
            events: columns.count("events")?,
        });
    }
    Ok(activity)
}

/// Environments of all projects.
pub(super) async fn environments(tx: &Tx<'_>, org: OrgId) -> Result<Vec<String>> {
    let rows = list(
        tx,
        "select distinct e.environment
        from projects p
        join project_environments e on e.project_id = p.id
        where p.org_id = $1 and p.deleted_at is null
        order by e.environment",
        &[&org.as_uuid()],
    )
    .await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}
