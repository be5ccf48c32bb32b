//! A sample of the page that shows plan and use.

use copal_model::{Month, Plan, Plans, Usage};

use super::{nav, now, org};
use crate::nav::NavItem;
use crate::pages::organization::PlanAndUse;

impl PlanAndUse {
    /// Most of the month's events are used.
    pub fn sample() -> Self {
        Self {
            nav: nav(NavItem::Settings),
            org: org(),
            usage: Usage {
                plan: Plan::Free,
                limits: *Plans::default().of(Plan::Free),
                month: Month::of(now()),
                events: 861_203,
                events_refused: 0,
                projects: 7,
                members: 12,
            },
        }
    }
}
