//! Made-up values for the gallery and the snapshot tests.

mod api_docs;
mod event;
mod lists;
mod people;
mod plan;
mod projects;
mod tokens;

use copal_model::policy::OrgSettings;
use copal_model::{
    Email, Issue, IssueId, IssueStatus, Level, OrgId, Organization, Plan, Project, ProjectId, Role,
    ShortId, Slug, Timestamp, User, UserId,
};
use jiff::SignedDuration;

use crate::nav::{Nav, NavItem, NavOrg, NavUser, Theme};
use crate::trend::Trend;

/// The moment at which all samples are looked at.
pub(crate) fn now() -> Timestamp {
    "2026-11-24T08:30:00Z".parse().expect("a time")
}

pub(crate) fn minutes_ago(minutes: i64) -> Timestamp {
    now() - SignedDuration::from_mins(minutes)
}

pub(crate) fn slug(text: &str) -> Slug {
    Slug::parse(text).expect("a slug")
}

pub(crate) fn nav(active: NavItem) -> Nav {
    Nav {
        user: Some(NavUser {
            name: "Ana Lima".to_owned(),
            email: "ana@acme.example".to_owned(),
        }),
        org: Some(nav_org("Acme", "acme", Role::Owner)),
        orgs: vec![
            nav_org("Ana's Workspace", "anas-workspace", Role::Owner),
            nav_org("Acme", "acme", Role::Owner),
        ],
        active,
        csrf: "b3duZWQgYnkgdGhlIHNlc3Npb24".to_owned(),
        theme: Theme::System,
        path: "/o/acme/issues".to_owned(),
        now: now(),
        notice: None,
    }
}

pub(crate) fn anonymous() -> Nav {
    Nav::anonymous(
        "b3duZWQgYnkgdGhlIHNlc3Npb24".to_owned(),
        Theme::System,
        "/login".to_owned(),
        now(),
    )
}

fn nav_org(name: &str, org_slug: &str, role: Role) -> NavOrg {
    NavOrg {
        name: name.to_owned(),
        slug: slug(org_slug),
        role,
        is_personal: name.ends_with("Workspace"),
    }
}

pub(crate) fn org_id() -> OrgId {
    "0199a1b2-0000-7000-8000-00000000000a"
        .parse()
        .expect("an id")
}

pub(crate) fn user_id() -> UserId {
    "0199a1b2-0000-7000-8000-00000000000b"
        .parse()
        .expect("an id")
}

pub(crate) fn org() -> Organization {
    Organization {
        id: org_id(),
        name: "Acme".to_owned(),
        slug: slug("acme"),
        plan: Plan::Free,
        is_personal: false,
        settings: OrgSettings::STANDARD,
        created_at: minutes_ago(60 * 24 * 200),
    }
}

pub(crate) fn user() -> User {
    User {
        id: user_id(),
        email: Email::parse("ana@acme.example").expect("an address"),
        name: "Ana Lima".to_owned(),
        default_org: org_id(),
        is_instance_admin: true,
        is_verified: true,
        created_at: minutes_ago(60 * 24 * 200),
    }
}

pub(crate) fn project(id: u32, name: &str, platform: &str) -> Project {
    Project {
        id: ProjectId::new(id).expect("an id"),
        org_id: org_id(),
        name: name.to_owned(),
        slug: Slug::from_name(name, "project"),
        platform: Some(platform.to_owned()),
        public_key: Some("5f3c9b0d1e2a4c6f8091a2b3c4d5e6f7".to_owned()),
        allowed_origins: copal_model::Origins::default(),
        retention_days: None,
        first_event_at: Some(minutes_ago(60 * 24 * 90)),
        created_at: minutes_ago(60 * 24 * 91),
    }
}

pub(crate) const DSN: &str = "http://5f3c9b0d1e2a4c6f8091a2b3c4d5e6f7@127.0.0.1:8000/1";

/// An issue; its title is `kind: value`.
pub(crate) fn issue(project: &Project, number: u32, kind: &str, value: &str) -> Issue {
    Issue {
        id: IssueId::new(project.id, number),
        short_id: ShortId::new(project.slug.clone(), number),
        fingerprint: "8a1f0c2b3d4e5f60718293a4b5c6d7e8".to_owned(),
        title: if kind.is_empty() {
            value.to_owned()
        } else {
            format!("{kind}: {value}")
        },
        error_type: (!kind.is_empty()).then(|| kind.to_owned()),
        culprit: "shop.checkout in apply_discount".to_owned(),
        level: Level::Error,
        platform: "python".to_owned(),
        status: IssueStatus::Open,
        is_regressed: false,
        events_count: 12_431,
        users_affected: 873,
        first_seen: minutes_ago(60 * 24 * 12),
        last_seen: minutes_ago(4),
        first_release: Some("shop@4.17.0".to_owned()),
        last_release: Some("shop@4.18.2".to_owned()),
    }
}

/// A trend that looks alive: `seed` decides its shape.
pub(crate) fn trend(seed: u64, bars: usize, hours: i64, scale: u64) -> Trend {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let counts = (0..bars).map(|index| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let wave = (index as u64 * 7 + seed * 3) % 17;
        if state.is_multiple_of(5) {
            0
        } else {
            state % (scale.max(1)) / 2 + scale * wave / 34
        }
    });
    Trend {
        since: now() - SignedDuration::from_hours(hours),
        until: now(),
        bars: counts.collect(),
    }
}
