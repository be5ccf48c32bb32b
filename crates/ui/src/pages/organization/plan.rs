//! `/o/{org}/settings/plan`: what the plan allows, and how much of it is used.

use askama::Template;
use copal_model::{Organization, Usage, UsageLevel};

use crate::format::Day;
use crate::icon::Icon;
use crate::nav::{CSRF_FIELD, Nav, NavItem};
use crate::{filters, urls};

/// `/o/{org}/settings/plan`.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/organization/plan.html")]
pub struct PlanAndUse {
    /// What is around the page.
    pub nav: Nav,
    /// The organization.
    pub org: Organization,
    /// What it uses.
    pub usage: Usage,
}

/// One thing that the plan limits.
struct Line {
    name: &'static str,
    used: u64,
    limit: Option<Limit>,
}

struct Limit {
    most: u64,
    left: u64,
    /// How much a bar shows: never more than all.
    shown: u64,
}

impl Line {
    fn new(name: &'static str, used: u64, limit: Option<u64>) -> Self {
        let limit = limit.map(|most| Limit {
            most,
            left: most.saturating_sub(used),
            shown: used.min(most),
        });
        Self { name, used, limit }
    }
}

impl PlanAndUse {
    fn lines(&self) -> [Line; 3] {
        let (used, limits) = (&self.usage, &self.usage.limits);
        let (projects, members) = (limits.projects, limits.members);
        [
            Line::new("Events this month", used.events, limits.events_per_month),
            Line::new("Projects", used.projects.into(), projects.map(u64::from)),
            Line::new("Members", used.members.into(), members.map(u64::from)),
        ]
    }

    fn renews_on(&self) -> Day {
        Day(self.usage.renews_at())
    }

    fn warning(&self) -> Option<&'static str> {
        match self.usage.level() {
            UsageLevel::Fine => None,
            UsageLevel::Near => Some("Most of this month's events are used."),
            UsageLevel::Full => Some(
                "All of this month's events are used: new ones are refused until the count begins \
                 again.",
            ),
        }
    }
}
