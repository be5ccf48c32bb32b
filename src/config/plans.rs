//! What plans allow: `[plans.free]` and so on in the file, `COPAL_PLAN_FREE_EVENTS_PER_MONTH` and so
//! on in the environment.

use std::ops::RangeInclusive;

use anyhow::{Result, bail};
use copal_model::limits::PROJECTS_PER_ORG_MAX;
use copal_model::{Plan, PlanLimits, Plans};
use serde::Deserialize;

/// What says that there is no limit.
const UNLIMITED: &str = "unlimited";
/// Events a month that can be set; fits in the store's numbers.
const EVENTS: RangeInclusive<u64> = 0..=1_000_000_000_000;
/// Days of retention that can be set.
const RETENTION_DAYS: RangeInclusive<u64> = 1..=3_650;
/// Projects that can be set.
const PROJECTS: RangeInclusive<u64> = 1..=PROJECTS_PER_ORG_MAX as u64;
/// Members that can be set.
const MEMBERS: RangeInclusive<u64> = 1..=1_000_000;

/// The section `[plans]` of the settings file.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct PlansFile {
    free: PlanFile,
    pro: PlanFile,
    enterprise: PlanFile,
}

/// One plan in the settings file.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct PlanFile {
    events_per_month: Option<Setting>,
    retention_days: Option<Setting>,
    projects: Option<Setting>,
    members: Option<Setting>,
}

/// A number, or `"unlimited"`.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Setting {
    Number(i64),
    Text(String),
}

/// Composes the limits of all plans.
pub(super) fn compose(
    file: &PlansFile,
    variable: &impl Fn(&str) -> Option<String>,
) -> Result<Plans> {
    let mut plans = Plans::default();
    for (plan, file) in [
        (Plan::Free, &file.free),
        (Plan::Pro, &file.pro),
        (Plan::Enterprise, &file.enterprise),
    ] {
        let read = |key: &str, in_file: &Option<Setting>, range| {
            let name = format!("COPAL_PLAN_{plan}_{}", key.to_ascii_uppercase());
            let set = variable(&name).map(Setting::Text).or(in_file.clone());
            let key = format!("plans.{}.{key}", plan.as_str().to_ascii_lowercase());
            set.map(|set| parse(&key, &set, range)).transpose()
        };
        apply(plans.of_mut(plan), file, read)?;
    }
    Ok(plans)
}

fn apply(
    limits: &mut PlanLimits,
    file: &PlanFile,
    read: impl Fn(&str, &Option<Setting>, RangeInclusive<u64>) -> Result<Option<Option<u64>>>,
) -> Result<()> {
    let narrow = |limit: Option<u64>| limit.and_then(|limit| u32::try_from(limit).ok());
    if let Some(limit) = read("events_per_month", &file.events_per_month, EVENTS)? {
        limits.events_per_month = limit;
    }
    match read("retention_days", &file.retention_days, RETENTION_DAYS)? {
        Some(Some(days)) => limits.retention_days = u16::try_from(days)?,
        Some(None) => bail!("`retention_days` of a plan cannot be {UNLIMITED}: 3650 is the most"),
        None => {}
    }
    if let Some(limit) = read("projects", &file.projects, PROJECTS)? {
        limits.projects = narrow(limit);
    }
    if let Some(limit) = read("members", &file.members, MEMBERS)? {
        limits.members = narrow(limit);
    }
    Ok(())
}

fn parse(key: &str, set: &Setting, range: RangeInclusive<u64>) -> Result<Option<u64>> {
    let number = match set {
        Setting::Text(text) if text == UNLIMITED => return Ok(None),
        Setting::Text(text) => text.parse().ok(),
        Setting::Number(number) => u64::try_from(*number).ok(),
    };
    match number {
        Some(number) if range.contains(&number) => Ok(Some(number)),
        _ => {
            let (low, high) = range.into_inner();
            let shown = match set {
                Setting::Text(text) => text.clone(),
                Setting::Number(number) => number.to_string(),
            };
            bail!("`{key}` is `{shown}`: a number from {low} to {high} or {UNLIMITED} is needed")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn composed(file: &str, variables: &[(&str, &str)]) -> Result<Plans> {
        let file: PlansFile = toml::from_str(file)?;
        compose(&file, &|name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn what_is_not_set_has_its_default() {
        assert_eq!(composed("", &[]).unwrap(), Plans::default());
    }

    #[test]
    fn variables_stand_above_the_file() {
        let file = "free = { events_per_month = 10, members = \"unlimited\", retention_days = 7 }
            enterprise.projects = 3";
        let variables = [
            ("COPAL_PLAN_FREE_EVENTS_PER_MONTH", "20"),
            ("COPAL_PLAN_PRO_EVENTS_PER_MONTH", "unlimited"),
        ];
        let plans = composed(file, &variables).unwrap();
        assert_eq!(plans.free.events_per_month, Some(20));
        assert_eq!((plans.free.members, plans.free.retention_days), (None, 7));
        assert_eq!(plans.free.projects, Plans::default().free.projects);
        assert_eq!(plans.pro.events_per_month, None);
        assert_eq!(plans.enterprise.projects, Some(3));
    }

    #[test]
    fn a_limit_that_is_none_is_refused_by_name_and_range() {
        for (file, expected) in [
            (
                "free.events_per_month = -1",
                "`plans.free.events_per_month` is `-1`",
            ),
            ("pro.retention_days = 3651", "a number from 1 to 3650"),
            ("pro.retention_days = \"unlimited\"", "cannot be unlimited"),
            ("free.members = \"many\"", "or unlimited is needed"),
            ("free.projects = 10001", "from 1 to 10000"),
            ("free.seats = 1", "unknown field"),
        ] {
            let refusal = composed(file, &[]).unwrap_err().to_string();
            assert!(refusal.contains(expected), "{refusal}");
        }
        let plans = composed("free.projects = 10000", &[]).unwrap();
        assert_eq!(plans.free.projects, Some(PROJECTS_PER_ORG_MAX));
    }
}
