//! Samples of forms and pages about tokens.

use super::{minutes_ago, nav, org};
use crate::form::{Field, Permission};
use crate::nav::NavItem;
use crate::pages::tokens::{
    ExpiryChoice, MemberTokenRow, OrgTokenRow, OrgTokens, ScopeChoice, TokenForm,
};

/// A form in which one scope is ticked.
pub(super) fn token_form(scopes: &[&'static str]) -> TokenForm {
    let choice = |value, label, is_chosen| ExpiryChoice {
        value,
        label,
        is_chosen,
    };
    TokenForm {
        name: Field::default(),
        is_narrowed: true,
        scopes: scopes
            .iter()
            .map(|name| ScopeChoice::new(name, *name == "event:read"))
            .collect(),
        scopes_error: None,
        expiries: vec![
            choice("90", "in 90 days", true),
            choice("365", "in a year", false),
        ],
    }
}

impl OrgTokens {
    /// Two tokens of the organization, one of somebody who has left, and two of members.
    pub fn sample() -> Self {
        let token = |number: u8, name: &str, creator: &str| OrgTokenRow {
            id: format!("0199a1b2-0000-7000-8000-0000000000d{number}"),
            name: name.to_owned(),
            prefix: format!("copal_org_9f{number}Kx2"),
            scopes: vec!["event:read".to_owned(), "project:read".to_owned()],
            creator: creator.to_owned(),
            is_orphaned: creator.contains("left"),
            created_at: minutes_ago(60 * 24 * 40),
            last_used_at: Some(minutes_ago(12)),
            expires_at: minutes_ago(-60 * 24 * 325),
        };
        let of_member = |number: u8, member: &str, role, is_shut_out| MemberTokenRow {
            id: format!("0199a1b2-0000-7000-8000-0000000000e{number}"),
            member: member.to_owned(),
            role,
            prefix: format!("copal_b81M{number}s"),
            scopes: None,
            created_at: minutes_ago(60 * 24 * 9),
            expires_at: None,
            is_shut_out,
            may_shut_out: !is_shut_out,
        };
        Self {
            nav: nav(NavItem::Nothing),
            org: org(),
            tokens: vec![
                token(1, "Build server", "Ana Lima"),
                token(2, "Release script", "Bo Sandström, who has left"),
            ],
            form: token_form(&copal_model::policy::org_token_scopes()),
            may_write: Permission::Granted,
            new_token: None,
            member_tokens: vec![
                of_member(1, "Ana Lima", "OWNER", false),
                of_member(2, "Cy Young", "MEMBER", true),
            ],
        }
    }
}
