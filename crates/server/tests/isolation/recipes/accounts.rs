//! Logging in, one's own account and its tokens.

use axum::http::Method;

use super::Sent::{Form, Json};
use super::{Recipe, changes, get, post, says};

/// The recipes.
pub(super) fn recipes() -> Vec<Recipe> {
    vec![
        get("/login", &["next=%2Fo%2F{org:slug}"]),
        says(
            "/login",
            &[Form(&[
                ("email", "{person:email}"),
                ("password", "not the password"),
                ("next", "/o/{org:slug}"),
            ])],
        ),
        says(
            "/signup",
            &[Form(&[
                ("name", "Zoe"),
                ("email", "{person:email}"),
                ("password", "short"),
            ])],
        ),
        post("/logout", &[Form(&[])]),
        says(
            "/theme",
            &[Form(&[("theme", "dark"), ("next", "/o/{org:slug}")])],
        ),
        post("/account", &[Form(&[("name", "Renamed")])]),
        post("/account/tokens", &[Form(&[("name", "made")])]),
        post("/account/tokens/{token}/delete", &[Form(&[])]),
        post("/o/new", &[Form(&[("name", "Made")])]),
        changes(
            Method::PATCH,
            "/api/v1/me",
            &[
                Json("{\"name\":\"Renamed\"}"),
                Json("{\"defaultOrgId\":\"{org:id}\"}"),
            ],
        ),
    ]
}
