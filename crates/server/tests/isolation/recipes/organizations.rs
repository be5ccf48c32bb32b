//! Organizations, their members and settings.

use axum::http::Method;

use super::Sent::{Form, Json, Nothing};
use super::{Recipe, changes, get, post};

/// The recipes.
pub(super) fn recipes() -> Vec<Recipe> {
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
