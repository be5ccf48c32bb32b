//! Samples of the dashboard and the issue list.

use copal_model::{IssueStatus, Level};

use super::{issue, minutes_ago, nav, org, project, trend};
use crate::filter::IssueFilter;
use crate::form::Permission;
use crate::nav::NavItem;
use crate::pages::issue::{Emptiness, List, ProjectOption, Row, TabCounts};
use crate::pages::organization::{Attention, Dashboard, IssueLine, ProjectCard};

impl Dashboard {
    /// Three projects, one of them without events.
    pub fn sample() -> Self {
        let card = |id, name, platform, open_issues, events_day| ProjectCard {
            project: project(id, name, platform),
            open_issues,
            events_day,
            trend: trend(u64::from(id), 14, 14 * 24, events_day),
        };
        let mut fresh = card(3, "Mail relay", "go", 0, 0);
        fresh.project.first_event_at = None;
        fresh.trend.bars.fill(0);
        Self {
            nav: nav(NavItem::Projects),
            org: org(),
            attention: attention(),
            projects: vec![
                card(2, "Billing API", "java", 7, 312),
                fresh,
                card(1, "Shop", "python", 23, 18_240),
            ],
            may_create_project: Permission::Granted,
        }
    }

    /// The first run: no project yet.
    pub fn sample_empty() -> Self {
        Self {
            projects: Vec::new(),
            attention: Vec::new(),
            ..Self::sample()
        }
    }
}

impl List {
    /// A list with every level and status.
    pub fn sample() -> Self {
        Self {
            nav: nav(NavItem::Issues),
            filter: IssueFilter {
                query: "level:error".to_owned(),
                ..IssueFilter::default()
            },
            projects: vec![
                ProjectOption {
                    slug: "billing-api".to_owned(),
                    name: "Billing API".to_owned(),
                },
                ProjectOption {
                    slug: "shop".to_owned(),
                    name: "Shop".to_owned(),
                },
            ],
            environments: vec!["production".to_owned(), "staging".to_owned()],
            counts: TabCounts {
                open: 30,
                resolved: 112,
                ignored: 4,
            },
            rows: rows(),
            next_cursor: Some("eyJsIjoxfQ".to_owned()),
            query_error: None,
            emptiness: Emptiness::NothingMatches,
            may_triage: Permission::Granted,
            may_create_project: Permission::Granted,
        }
    }

    /// A list that shows nothing for the reason given.
    pub fn sample_empty(emptiness: Emptiness) -> Self {
        Self {
            rows: Vec::new(),
            next_cursor: None,
            emptiness,
            ..Self::sample()
        }
    }

    /// A list as somebody reads it who may not triage.
    pub fn sample_as_viewer() -> Self {
        let why = "Only OWNER, ADMIN or MEMBER can resolve and ignore issues. Ask Ana.";
        Self {
            may_triage: Permission::Denied(why.to_owned()),
            ..Self::sample()
        }
    }

    /// A list whose query cannot be understood.
    pub fn sample_query_error() -> Self {
        let mut list = Self::sample_empty(Emptiness::NothingMatches);
        "is:open level:loud".clone_into(&mut list.filter.query);
        list.query_error = copal_model::search::parse(&list.filter.query, list.nav.now).err();
        list
    }
}

/// One group with nothing in it and two with something.
fn attention() -> Vec<Attention> {
    let group = |title, lines| Attention {
        title,
        nothing: "Nothing that was resolved has come back.",
        filter: IssueFilter {
            query: "is:regressed".to_owned(),
            ..IssueFilter::default()
        },
        lines,
    };
    let issues = || rows().into_iter().map(|row| row.issue).take(3);
    let busy = issues().map(|issue| IssueLine::with_events(issue, 4_211));
    vec![
        group("Regressed", Vec::new()),
        group(
            "New in 24 hours",
            issues().map(IssueLine::new_since).collect(),
        ),
        group("Busiest in 24 hours", busy.collect()),
    ]
}

fn rows() -> Vec<Row> {
    let shop = project(1, "Shop", "python");
    let billing = project(2, "Billing API", "java");
    let row = |issue, name: &str, seed| Row {
        issue,
        project_name: name.to_owned(),
        trend: trend(seed, 28, 14 * 24, 40),
    };
    let mut regressed = issue(&shop, 12, "ZeroDivisionError", "division by zero");
    regressed.is_regressed = true;
    let mut fatal = issue(&billing, 4, "OutOfMemoryError", "Java heap space");
    fatal.level = Level::Fatal;
    "com.acme.billing.Ledger in rebuild".clone_into(&mut fatal.culprit);
    fatal.events_count = 17;
    fatal.users_affected = 0;
    fatal.last_seen = minutes_ago(52);
    let mut warning = issue(
        &shop,
        31,
        "",
        "Stock level of SKU-4711 below zero after refund",
    );
    warning.level = Level::Warning;
    warning.events_count = 1_204;
    warning.last_seen = minutes_ago(60 * 7);
    let mut long = issue(
        &shop,
        29,
        "requests.exceptions.ConnectionError",
        "HTTPSConnectionPool(host='payments.example', port=443): Max retries exceeded with url: \
         /v2/charges/ch_3PqX8s2eZvKYlo2C1gO0k5wR/capture (Caused by NewConnectionError)",
    );
    long.status = IssueStatus::Resolved;
    long.last_seen = minutes_ago(60 * 24 * 3);
    let mut info = issue(&billing, 9, "", "Invoice run finished with 3 retries");
    info.level = Level::Info;
    info.status = IssueStatus::Ignored;
    info.events_count = 2;
    info.users_affected = 1;
    let mut debug = issue(&shop, 40, "", "cart recalculated twice");
    debug.level = Level::Debug;
    debug.culprit.clear();
    vec![
        row(regressed, "Shop", 3),
        row(fatal, "Billing API", 5),
        row(warning, "Shop", 8),
        row(long, "Shop", 13),
        row(info, "Billing API", 21),
        row(debug, "Shop", 34),
    ]
}
