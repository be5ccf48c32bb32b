//! Projects and their client keys.

use axum::http::Method;

use super::Sent::{Form, Json, Nothing};
use super::{Recipe, against_rules, changes, get, post};

/// The recipes.
pub(super) fn recipes() -> Vec<Recipe> {
    let mut recipes = pages();
    recipes.extend(api());
    recipes
}

fn pages() -> Vec<Recipe> {
    vec![
        post(
            "/o/{org}/projects/new",
            &[Form(&[("name", "Made"), ("platform", "python")])],
        ),
        get("/o/{org}/projects/{project}/guide", &["platform=python"]),
        post(
            "/o/{org}/projects/{project}/settings",
            &[
                Form(&[("name", "Renamed"), ("platform", "python")]),
                Form(&[("retention_days", "7"), ("allowed_origins", "a.example")]),
            ],
        ),
        post(
            "/o/{org}/projects/{project}/scrubbing",
            &[Form(&[("scrubAddresses", "on"), ("fields", "made")])],
        ),
        post(
            "/o/{org}/projects/{project}/filters",
            &[Form(&[("localhost", "on"), ("releases", "made-*")])],
        ),
        post(
            "/o/{org}/projects/{project}/keys",
            &[Form(&[("label", "made")])],
        ),
        post(
            "/o/{org}/projects/{project}/keys/{key}",
            &[
                Form(&[("action", "deactivate")]),
                Form(&[
                    ("action", "change"),
                    ("label", "made"),
                    ("limit", "7"),
                    ("seconds", "60"),
                ]),
                Form(&[("action", "rotate")]),
                Form(&[("action", "delete")]),
            ],
        ),
        post(
            "/o/{org}/projects/{project}/delete",
            &[Form(&[("confirm", "{project:name}")])],
        ),
        against_rules("/o/{org}/projects/{project}/restore", &[Form(&[])]),
        against_rules(
            "/o/{org}/projects/{project}/transfer",
            &[Form(&[("to", "{org:id}")])],
        ),
    ]
}

fn api() -> Vec<Recipe> {
    vec![
        get(
            "/api/v1/organizations/{org}/projects",
            &["limit=1", "limit=100&cursor=1"],
        ),
        get(
            "/api/v1/organizations/{org}/projects/{project}/keys",
            &["limit=1", "limit=100&cursor={other.key}"],
        ),
        post(
            "/api/v1/organizations/{org}/projects",
            &[Json("{\"name\":\"Made\",\"platform\":\"python\"}")],
        ),
        changes(
            Method::PATCH,
            "/api/v1/organizations/{org}/projects/{project}",
            &[
                Json("{\"name\":\"Renamed\"}"),
                Json("{\"slug\":\"renamed\",\"platform\":\"python\"}"),
            ],
        ),
        changes(
            Method::DELETE,
            "/api/v1/organizations/{org}/projects/{project}",
            &[Nothing],
        ),
        changes(
            Method::PATCH,
            "/api/v1/organizations/{org}/projects/{project}/inbound",
            &[Json(
                "{\"filters\":{\"localhost\":true},\"scrubbing\":{\"fields\":[\"made\"]}}",
            )],
        ),
        against_rules(
            "/api/v1/organizations/{org}/projects/{project}/restore",
            &[Nothing],
        ),
        post(
            "/api/v1/organizations/{org}/projects/{project}/keys",
            &[Json("{\"label\":\"made\"}")],
        ),
        changes(
            Method::PATCH,
            "/api/v1/organizations/{org}/projects/{project}/keys/{key}",
            &[Json("{\"label\":\"renamed\",\"isActive\":false}")],
        ),
        changes(
            Method::DELETE,
            "/api/v1/organizations/{org}/projects/{project}/keys/{key}",
            &[Nothing],
        ),
    ]
}
