//! Logging in, one's own account and its tokens.

use axum::http::Method;

use super::Sent::{Form, Json, Nothing};
use super::{Recipe, changes, get, post, says};
use crate::world::PASSWORD;

/// The recipes.
pub(super) fn recipes() -> Vec<Recipe> {
    let mut recipes = own();
    recipes.extend(ends());
    recipes
}

fn own() -> Vec<Recipe> {
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
        post(
            "/account/tokens",
            &[
                Form(&[("name", "made")]),
                Form(&[
                    ("name", "made"),
                    ("reach", "some"),
                    ("scope", "event:read"),
                    ("expires", "7"),
                ]),
            ],
        ),
        post("/account/tokens/{token}/delete", &[Form(&[])]),
        get(
            "/api/v1/me/tokens",
            &["limit=1", "limit=100&cursor={token}"],
        ),
        changes(Method::DELETE, "/api/v1/me/tokens/{token}", &[Nothing]),
        post("/account/sessions/{session}/end", &[Form(&[])]),
        post("/account/sessions/end", &[Form(&[])]),
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

/// Proving who one is, landing elsewhere, and the end of an account.
fn ends() -> Vec<Recipe> {
    vec![
        get("/account/confirm", &["next=%2Fo%2F{org:slug}"]),
        post(
            "/account/confirm",
            &[Form(&[("password", PASSWORD), ("next", "/account")])],
        ),
        post("/account/landing", &[Form(&[("org", "{org:id}")])]),
        post("/account/delete", &[Form(&[("confirm", "{person:email}")])]),
    ]
}
