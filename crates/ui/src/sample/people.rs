//! Samples of the pages about people and failures.

use copal_model::policy::OrgSettings;
use copal_model::{Member, Organization, Role};

use super::tokens::token_form;
use super::{anonymous, minutes_ago, nav, org, org_id, project, user, user_id};
use crate::form::{Field, Permission};
use crate::nav::{Nav, NavItem};
use crate::pages::account::{
    Account, Confirm, Deleted, Landing, LogIn, NewOrganization, OwnOrganizations, SessionRow,
    SignUp, TokenRow,
};
use crate::pages::failure::{Failure, FailureKind};
use crate::pages::organization::{
    DeletedProject, MemberRow, Members, Settings as OrganizationSettings,
};

impl SignUp {
    /// Signing up, with one field wrong.
    pub fn sample() -> Self {
        Self {
            nav: anonymous(),
            name: Field::filled("Ana Lima"),
            email: Field::filled("ana@acme.example"),
            password: Field::wrong("", "A password has at least 8 characters."),
            problem: None,
            is_first_user: true,
        }
    }
}

impl LogIn {
    /// Logging in after a wrong password.
    pub fn sample() -> Self {
        Self {
            nav: anonymous(),
            email: Field::filled("ana@acme.example"),
            password: Field::default(),
            problem: Some("E-mail and password do not go together.".to_owned()),
            next: "/o/acme/issues".to_owned(),
            may_sign_up: true,
        }
    }
}

impl Account {
    /// An account with two tokens, one of them just made.
    pub fn sample() -> Self {
        Self {
            nav: Nav {
                org: None,
                ..nav(NavItem::Account)
            },
            user: user(),
            name: Field::filled("Ana Lima"),
            organizations: own_organizations(),
            tokens: vec![
                TokenRow {
                    id: "0199a1b2-0000-7000-8000-0000000000c1".to_owned(),
                    name: "Deploy script".to_owned(),
                    prefix: "copal_7Qx2".to_owned(),
                    scopes: Some(vec!["event:read".to_owned(), "project:read".to_owned()]),
                    created_at: minutes_ago(1),
                    last_used_at: None,
                    expires_at: Some(minutes_ago(-60 * 24 * 90)),
                },
                TokenRow {
                    id: "0199a1b2-0000-7000-8000-0000000000c2".to_owned(),
                    name: "Laptop".to_owned(),
                    prefix: "copal_b81M".to_owned(),
                    scopes: None,
                    created_at: minutes_ago(60 * 24 * 40),
                    last_used_at: Some(minutes_ago(35)),
                    expires_at: None,
                },
            ],
            token_form: token_form(&copal_model::policy::scopes()),
            new_token: Some("copal_7Qx2aVnD3kYp0sWm8RtU5hLcZ1eG4bJf".to_owned()),
            sessions: vec![
                SessionRow {
                    id: "0102030405060708090a0b0c0d0e0f10".to_owned(),
                    device: "Firefox on Linux".to_owned(),
                    created_at: minutes_ago(60 * 24 * 2),
                    last_seen_at: minutes_ago(20),
                    is_this: true,
                },
                SessionRow {
                    id: "1102030405060708090a0b0c0d0e0f10".to_owned(),
                    device: "Chrome on Android".to_owned(),
                    created_at: minutes_ago(60 * 24 * 12),
                    last_seen_at: minutes_ago(60 * 26),
                    is_this: false,
                },
            ],
        }
    }
}

impl Account {
    /// Some time after logging in, free to go.
    pub fn sample_stale() -> Self {
        let sample = Self::sample();
        Self {
            organizations: OwnOrganizations {
                deleted: Vec::new(),
                held_by: Vec::new(),
                is_fresh: false,
                ..sample.organizations
            },
            new_token: None,
            tokens: Vec::new(),
            ..sample
        }
    }
}

impl NewOrganization {
    /// An empty form.
    pub fn sample() -> Self {
        Self {
            nav: nav(NavItem::Nothing),
            name: Field::default(),
        }
    }
}

impl OrganizationSettings {
    /// A team, to an owner who has just proved who they are.
    pub fn sample() -> Self {
        Self {
            nav: nav(NavItem::Settings),
            org: org(),
            name: Field::filled("Acme"),
            slug: Field::wrong("Acme!", "A slug has letters, digits and hyphens."),
            allowed: OrgSettings::STANDARD,
            may_write: Permission::Granted,
            deleted_projects: vec![DeletedProject {
                project: project(3, "Old shop", "php"),
                deleted_at: minutes_ago(60 * 24 * 3),
                purged_at: minutes_ago(-60 * 24 * 27),
            }],
            heirs: Members::sample()
                .members
                .into_iter()
                .skip(1)
                .map(|row| row.member)
                .collect(),
            may_hand_over: Permission::Granted,
            may_convert: Permission::Granted,
            confirm: Field::default(),
            may_delete: Permission::Granted,
            is_fresh: true,
        }
    }

    /// The same to a viewer.
    pub fn sample_as_viewer() -> Self {
        let denied = |what| Permission::Denied(format!("Only OWNER can {what}. Ask Ana Lima."));
        Self {
            slug: Field::filled("acme"),
            deleted_projects: Vec::new(),
            may_write: denied("change the organization"),
            may_hand_over: denied("hand the organization over"),
            may_delete: denied("delete the organization"),
            ..Self::sample()
        }
    }

    /// A personal organization, some time after logging in.
    pub fn sample_personal() -> Self {
        let sample = Self::sample();
        Self {
            org: Organization {
                is_personal: true,
                ..sample.org
            },
            slug: Field::filled("acme"),
            is_fresh: false,
            ..sample
        }
    }
}

impl Confirm {
    /// After a wrong password.
    pub fn sample() -> Self {
        Self {
            nav: nav(NavItem::Account),
            password: Field::wrong("", "This is not your password."),
            next: "/o/acme/settings".to_owned(),
        }
    }
}

fn own_organizations() -> OwnOrganizations {
    let landing = |id, name: &str, is_default| Landing {
        id,
        name: name.to_owned(),
        is_default,
    };
    OwnOrganizations {
        all: vec![
            landing(org_id(), "Ana's Workspace", false),
            landing(org_id(), "Acme", true),
        ],
        deleted: vec![Deleted {
            name: "Old shop".to_owned(),
            slug: "old-shop".to_owned(),
            deleted_at: minutes_ago(60 * 24 * 3),
            purged_at: minutes_ago(-60 * 24 * 27),
        }],
        held_by: vec!["Acme".to_owned()],
        confirm: Field::default(),
        is_fresh: true,
    }
}

impl Members {
    /// Two members.
    pub fn sample() -> Self {
        let member = |role, name: &str, email: &str, days: i64| Member {
            org_id: org_id(),
            user_id: user_id(),
            role,
            name: name.to_owned(),
            email: copal_model::Email::parse(email).expect("an address"),
            joined_at: minutes_ago(60 * 24 * days),
        };
        Self {
            nav: nav(NavItem::Members),
            org: org(),
            members: vec![
                MemberRow {
                    member: member(Role::Owner, "Ana Lima", "ana@acme.example", 200),
                    roles: vec![Role::Owner],
                    may_remove: false,
                    is_self: true,
                },
                MemberRow {
                    member: member(Role::Member, "Bo Sandström", "bo@acme.example", 31),
                    roles: Role::ALL.to_vec(),
                    may_remove: true,
                    is_self: false,
                },
            ],
            may_read_emails: Permission::Granted,
            may_leave: Permission::Denied(
                "You are the last OWNER: make somebody else OWNER first.".to_owned(),
            ),
        }
    }
}

impl Failure {
    /// A page that may not be seen.
    pub fn sample() -> Self {
        Self::sample_of(FailureKind::Forbidden(
            "Only OWNER or ADMIN can create projects. Ask Ana.".to_owned(),
        ))
    }

    /// A page that something went wrong with.
    pub fn sample_of(kind: FailureKind) -> Self {
        Self {
            nav: nav(NavItem::Nothing),
            kind,
            request_id: Some("0199a1b2-77aa-7000-8000-0000000000e1".to_owned()),
        }
    }
}
