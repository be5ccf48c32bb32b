//! Issues and their events.

use axum::http::Method;

use super::Sent::{Form, Json, Nothing};
use super::{Recipe, changes, get, post};

/// The recipes.
pub(super) fn recipes() -> Vec<Recipe> {
    let mut recipes = pages();
    recipes.extend(api());
    recipes
}

fn pages() -> Vec<Recipe> {
    vec![
        get(
            "/o/{org}/issues",
            &[
                "status=all&period=all&project={project:slug}",
                "status=all&period=all&environment={environment}",
                "status=all&period=all&query=project:{project:slug}",
                "status=all&period=all&query=environment:{environment}",
                "status=all&period=all&query=Errorpay&sort=events",
                "status=all&period=all&sort=users&cursor=9.{issue:id}",
                "status=all&period=all&cursor=1900000000000000.{issue:id}",
            ],
        ),
        post(
            "/o/{org}/issues/status",
            &[
                Form(&[("issue", "{issue}"), ("status", "RESOLVED")]),
                Form(&[
                    ("issue", "{issue:short}"),
                    ("issue", "{other.issue:id}"),
                    ("issue", "{other.issue:short}"),
                    ("status", "RESOLVED"),
                ]),
            ],
        ),
        post(
            "/o/{org}/issues/undo",
            &[
                Form(&[("undo", "RESOLVED o{resolved}")]),
                Form(&[("undo", "RESOLVED o{resolved} o{other.resolved}")]),
            ],
        ),
        get("/o/{org}/issues/{issue}", &["period=24h&stack=text"]),
        post(
            "/o/{org}/issues/{issue}/status",
            &[Form(&[("status", "IGNORED")])],
        ),
        post(
            "/o/{org}/issues/{issue}/delete",
            &[Form(&[("confirm", "{issue:short}")])],
        ),
    ]
}

fn api() -> Vec<Recipe> {
    vec![
        get(
            "/api/v1/organizations/{org}/issues",
            &[
                "limit=1&sort=firstSeen",
                "project={project}",
                "environment={environment}&period=all",
                "query=project:{project:slug}",
                "query=environment:{environment}",
                "query=Errorpay&sort=users",
                "sort=events&cursor=9.{issue:id}",
                "cursor=1900000000000000.{other.issue:id}",
            ],
        ),
        get(
            "/api/v1/organizations/{org}/issues/{issue}/events",
            &["limit=1", "cursor=1900000000000000.{other.event}"],
        ),
        changes(
            Method::PATCH,
            "/api/v1/organizations/{org}/issues/{issue}",
            &[Json("{\"status\":\"IGNORED\"}")],
        ),
        changes(
            Method::DELETE,
            "/api/v1/organizations/{org}/issues/{issue}",
            &[Nothing],
        ),
    ]
}
