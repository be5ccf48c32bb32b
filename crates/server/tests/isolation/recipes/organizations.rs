//! Organizations, their members and settings.

use axum::http::Method;

use super::Sent::{Form, Json, Nothing};
use super::{Recipe, against_rules, changes, get, post};

/// The recipes.
pub(super) fn recipes() -> Vec<Recipe> {
    let mut recipes = own();
    recipes.extend(tokens());
    recipes.extend(pages());
    recipes
}

/// Organizations and members.
fn own() -> Vec<Recipe> {
    vec![
        post("/o/new", &[Form(&[("name", "Made")])]),
        get(
            "/api/v1/organizations",
            &["limit=1", "limit=100&cursor={org:id}"],
        ),
        post("/api/v1/organizations", &[Json("{\"name\":\"Made\"}")]),
        changes(
            Method::PATCH,
            "/api/v1/organizations/{org}",
            &[
                Json("{\"name\":\"Renamed\"}"),
                Json("{\"slug\":\"renamed\"}"),
                Json("{\"settings\":{\"membersInvite\":true,\"viewersSeeRaw\":false}}"),
            ],
        ),
        changes(Method::DELETE, "/api/v1/organizations/{org}", &[Nothing]),
        get(
            "/api/v1/organizations/{org}/members",
            &["limit=1", "limit=100&cursor={person:id}"],
        ),
        changes(
            Method::PATCH,
            "/api/v1/organizations/{org}/members/{member}",
            &[Json("{\"role\":\"MEMBER\"}")],
        ),
        changes(
            Method::DELETE,
            "/api/v1/organizations/{org}/members/{member}",
            &[Nothing],
        ),
    ]
}

/// Tokens.
fn tokens() -> Vec<Recipe> {
    vec![
        post(
            "/o/{org}/settings/tokens",
            &[Form(&[("name", "made"), ("scope", "event:read")])],
        ),
        post("/o/{org}/settings/tokens/{org_token}/delete", &[Form(&[])]),
        post(
            "/o/{org}/settings/tokens/members/{member_token}/revoke",
            &[Form(&[])],
        ),
        get(
            "/api/v1/organizations/{org}/tokens",
            &["limit=1", "limit=100&cursor={org_token}"],
        ),
        changes(
            Method::DELETE,
            "/api/v1/organizations/{org}/tokens/{org_token}",
            &[Nothing],
        ),
        get(
            "/api/v1/organizations/{org}/member-tokens",
            &["limit=1", "limit=100&cursor={member_token}"],
        ),
        changes(
            Method::DELETE,
            "/api/v1/organizations/{org}/member-tokens/{member_token}",
            &[Nothing],
        ),
    ]
}

/// Pages that change an organization and who is in it.
fn pages() -> Vec<Recipe> {
    vec![
        post(
            "/o/{org}/members/{member}/role",
            &[Form(&[("role", "MEMBER")])],
        ),
        post("/o/{org}/members/{member}/remove", &[Form(&[])]),
        post("/o/{org}/leave", &[Form(&[])]),
        post(
            "/o/{org}/settings",
            &[Form(&[
                ("name", "Renamed"),
                ("slug", "renamed"),
                ("allow", "members_invite"),
            ])],
        ),
        post(
            "/o/{org}/handover",
            &[Form(&[("member", "{member:id}"), ("afterwards", "ADMIN")])],
        ),
        against_rules("/o/{org}/convert", &[Form(&[])]),
        post("/o/{org}/delete", &[Form(&[("confirm", "{org:slug}")])]),
        against_rules("/o/{org}/restore", &[Form(&[])]),
    ]
}
