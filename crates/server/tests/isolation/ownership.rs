//! Whose a row of the database is, by the columns that name a tenant or a person.

use std::collections::{BTreeSet, HashMap};

use crate::actors::Actor;
use crate::canary::Tenant;
use crate::database::Change;
use crate::world::World;

/// Columns that name a project by its number.
const PROJECT: &[&str] = &["project_id"];
/// Columns that name an issue, whose high half is its project.
const ISSUE: &[&str] = &["issue_id"];

/// Whose a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Holder {
    Tenant(Tenant),
    Person(usize),
}

/// Ids as the database has them, and whose they are.
pub(crate) struct Ownership {
    uuids: HashMap<String, Holder>,
    projects: HashMap<i64, Tenant>,
}

impl Ownership {
    pub(crate) fn of(world: &World) -> Self {
        let mut uuids = HashMap::new();
        let mut projects = HashMap::new();
        for (tenant, things) in &world.tenants {
            let id = things.id.as_uuid().simple().to_string();
            uuids.insert(id, Holder::Tenant(*tenant));
            for project in &things.projects {
                projects.insert(i64::from(project.id.get()), *tenant);
            }
        }
        for (number, person) in world.people.iter().enumerate() {
            let id = person.id.as_uuid().simple().to_string();
            uuids.insert(id, Holder::Person(number));
        }
        Self { uuids, projects }
    }

    /// Everybody whose the row is; nobody's rows are of the store as a whole.
    pub(crate) fn holders(&self, change: &Change) -> BTreeSet<Holder> {
        let mut holders = BTreeSet::new();
        for (column, value) in &change.row {
            let Some(value) = value else { continue };
            let number = || value.parse::<i64>().ok();
            let project = match (&*change.table, &**column) {
                (_, column) if PROJECT.contains(&column) => number(),
                ("projects", "id") => number(),
                (_, column) if ISSUE.contains(&column) => number().map(|issue| issue >> 32),
                ("issues", "id") => number().map(|issue| issue >> 32),
                _ => None,
            };
            let tenant = project.and_then(|project| self.projects.get(&project));
            holders.extend(tenant.map(|tenant| Holder::Tenant(*tenant)));
            // Where a person lands is a setting of the person, not a thing of the organization.
            if column != "default_org_id" {
                holders.extend(self.uuids.get(&value.replace('-', "")));
            }
        }
        holders
    }

    /// Whether an actor may be the cause of a change in somebody's rows: their own, those of the
    /// organizations they are in, and those of people who are in one with them.
    pub(crate) fn may_touch(actor: &Actor, holder: Holder, world: &World) -> bool {
        match holder {
            Holder::Tenant(tenant) => actor.roles.contains_key(&tenant),
            Holder::Person(number) => {
                let is_with = |tenant| world.people[number].roles.contains_key(tenant);
                actor.person == Some(number) || actor.roles.keys().any(is_with)
            }
        }
    }
}
