//! What goes on in the projects of an organization.

use copal_model::{OrgId, Timestamp};
use rusqlite::{Connection, params};

use super::Columns;
use crate::Result;
use crate::issues::HourCount;
use crate::projects::{ProjectActivity, project_id};
use crate::record::plan::hour_of;

/// Each project's, in the order of their ids.
pub(super) fn of_projects(
    db: &Connection,
    org: OrgId,
    since: Timestamp,
) -> Result<Vec<ProjectActivity>> {
    let mut list = db.prepare_cached(
        "select p.id, (
            select count(*)
            from issues i
            where i.project_id = p.id and i.status = 'OPEN'
        ) as open_issues
        from projects p
        where p.org_id = $1 and p.deleted_at is null
        order by p.id",
    )?;
    let mut activity = list
        .query_and_then([org.as_uuid().as_bytes()], |row| {
            let columns = Columns::new("projects", row);
            Ok(ProjectActivity {
                project: columns.read("id", project_id)?,
                open_issues: columns.count("open_issues")?,
                hours: Vec::new(),
            })
        })?
        .collect::<Result<Vec<_>>>()?;
    let mut hours = db.prepare_cached(
        "select p.id, h.hour, h.events
        from projects p
        join project_hours h on h.project_id = p.id
        where p.org_id = $1 and p.deleted_at is null and h.hour >= $2
        order by p.id, h.hour",
    )?;
    let mut rows = hours.query(params![org.as_uuid().as_bytes(), hour_of(since)])?;
    let mut at = 0;
    while let Some(row) = rows.next()? {
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
pub(super) fn environments(db: &Connection, org: OrgId) -> Result<Vec<String>> {
    let mut list = db.prepare_cached(
        "select distinct e.environment
        from projects p
        join project_environments e on e.project_id = p.id
        where p.org_id = $1 and p.deleted_at is null
        order by e.environment",
    )?;
    let rows = list.query_map([org.as_uuid().as_bytes()], |row| row.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
