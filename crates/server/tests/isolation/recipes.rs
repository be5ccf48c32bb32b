//! What routes need besides their path, so that the owner may do what they ask: bodies and queries.
//!
//! A route that only reads, and knows no query, needs nothing here: it is covered as soon as it is in
//! the route table. Names in braces stand for ids, see [`crate::parts`]; each of them is put in the
//! place of somebody else's, one after the other.

use axum::http::Method;

/// What a route needs.
pub(crate) struct Recipe {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    /// Queries to ask with, besides none.
    pub(crate) queries: &'static [&'static str],
    /// Bodies to send, one request each; a route that takes none has one that is [`Sent::Nothing`].
    pub(crate) bodies: &'static [Sent],
    pub(crate) effect: Effect,
}

/// A body.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Sent {
    Nothing,
    /// Fields of a form; the token that makes it ours is added.
    Form(&'static [(&'static str, &'static str)]),
    Json(&'static str),
    /// An envelope or an event, without a client key.
    Raw(&'static str),
}

/// What a request that is allowed does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It changes the database.
    Changes,
    /// It changes nothing there.
    Nothing,
}

fn get(path: &'static str, queries: &'static [&'static str]) -> Recipe {
    Recipe {
        method: Method::GET,
        path,
        queries,
        bodies: &[Sent::Nothing],
        effect: Effect::Nothing,
    }
}

fn changes(method: Method, path: &'static str, bodies: &'static [Sent]) -> Recipe {
    Recipe {
        method,
        path,
        queries: &[],
        bodies,
        effect: Effect::Changes,
    }
}

fn post(path: &'static str, bodies: &'static [Sent]) -> Recipe {
    changes(Method::POST, path, bodies)
}

fn says(path: &'static str, bodies: &'static [Sent]) -> Recipe {
    Recipe {
        effect: Effect::Nothing,
        ..post(path, bodies)
    }
}

const ENVELOPE: &str = "{}\n{\"type\":\"event\"}\n{\"message\":\"x\"}\n";
const EVENT: &str = "{\"message\":\"x\"}";

/// The recipes.
pub(crate) fn all() -> Vec<Recipe> {
    let mut all = Vec::new();
    all.extend(accounts());
    all.extend(projects());
    all.extend(issues());
    all.extend(api_lists());
    all.extend(api());
    all.extend(api_projects());
    all.extend(sdks());
    all
}

fn accounts() -> Vec<Recipe> {
    use Sent::Form;
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
    ]
}

fn projects() -> Vec<Recipe> {
    use Sent::Form;
    vec![
        post(
            "/o/{org}/projects/new",
            &[Form(&[("name", "Made"), ("platform", "python")])],
        ),
        get("/o/{org}/projects/{project}/guide", &["platform=python"]),
        post(
            "/o/{org}/projects/{project}/settings",
            &[Form(&[("name", "Renamed"), ("platform", "python")])],
        ),
        post(
            "/o/{org}/projects/{project}/keys",
            &[Form(&[("label", "made")])],
        ),
        post(
            "/o/{org}/projects/{project}/keys/{key}",
            &[
                Form(&[("action", "deactivate")]),
                Form(&[("action", "delete")]),
            ],
        ),
        post(
            "/o/{org}/projects/{project}/delete",
            &[Form(&[("confirm", "{project:name}")])],
        ),
    ]
}

fn issues() -> Vec<Recipe> {
    use Sent::Form;
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
    use Sent::{Json, Nothing};
    let (patch, delete) = (Method::PATCH, Method::DELETE);
    vec![
        changes(
            patch.clone(),
            "/api/v1/me",
            &[
                Json("{\"name\":\"Renamed\"}"),
                Json("{\"defaultOrgId\":\"{org:id}\"}"),
            ],
        ),
        post("/api/v1/organizations", &[Json("{\"name\":\"Made\"}")]),
        changes(
            patch.clone(),
            "/api/v1/organizations/{org}",
            &[
                Json("{\"name\":\"Renamed\"}"),
                Json("{\"slug\":\"renamed\"}"),
            ],
        ),
        changes(delete.clone(), "/api/v1/organizations/{org}", &[Nothing]),
        changes(
            patch,
            "/api/v1/organizations/{org}/issues/{issue}",
            &[Json("{\"status\":\"IGNORED\"}")],
        ),
        changes(
            delete,
            "/api/v1/organizations/{org}/issues/{issue}",
            &[Nothing],
        ),
    ]
}

fn api_projects() -> Vec<Recipe> {
    use Sent::{Json, Nothing};
    let (patch, delete) = (Method::PATCH, Method::DELETE);
    vec![
        post(
            "/api/v1/organizations/{org}/projects",
            &[Json("{\"name\":\"Made\",\"platform\":\"python\"}")],
        ),
        changes(
            patch.clone(),
            "/api/v1/organizations/{org}/projects/{project}",
            &[
                Json("{\"name\":\"Renamed\"}"),
                Json("{\"slug\":\"renamed\",\"platform\":\"python\"}"),
            ],
        ),
        changes(
            delete.clone(),
            "/api/v1/organizations/{org}/projects/{project}",
            &[Nothing],
        ),
        post(
            "/api/v1/organizations/{org}/projects/{project}/keys",
            &[Json("{\"label\":\"made\"}")],
        ),
        changes(
            patch,
            "/api/v1/organizations/{org}/projects/{project}/keys/{key}",
            &[Json("{\"label\":\"renamed\",\"isActive\":false}")],
        ),
        changes(
            delete,
            "/api/v1/organizations/{org}/projects/{project}/keys/{key}",
            &[Nothing],
        ),
    ]
}

fn api_lists() -> Vec<Recipe> {
    vec![
        get(
            "/api/v1/organizations",
            &["limit=1", "limit=100&cursor={org:id}"],
        ),
        get(
            "/api/v1/organizations/{org}/members",
            &["limit=1", "limit=100&cursor={person:id}"],
        ),
        get(
            "/api/v1/organizations/{org}/projects",
            &["limit=1", "limit=100&cursor=1"],
        ),
        get(
            "/api/v1/organizations/{org}/projects/{project}/keys",
            &["limit=1", "limit=100&cursor={other.key}"],
        ),
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
    ]
}

fn sdks() -> Vec<Recipe> {
    use Sent::Raw;
    let envelopes = [
        "/api/{project}/envelope/",
        "/api/{project}/envelope",
        "/tunnel",
        "/tunnel/",
    ];
    let events = [
        "/api/{project}/store/",
        "/api/{project}/store",
        "/api/store/",
        "/api/store",
    ];
    let envelopes = envelopes.map(|path| says(path, &[Raw(ENVELOPE)]));
    let events = events.map(|path| says(path, &[Raw(EVENT)]));
    envelopes.into_iter().chain(events).collect()
}

/// The recipe of a route: its own, or nothing for a route that only reads.
pub(crate) fn of(method: &Method, path: &'static str) -> Recipe {
    let found = all()
        .into_iter()
        .find(|recipe| recipe.method == *method && recipe.path == path);
    let reads = *method == Method::GET || *method == Method::OPTIONS;
    match found {
        Some(recipe) => recipe,
        None if reads => Recipe {
            method: method.clone(),
            ..get(path, &[])
        },
        None => panic!(
            "{method} {path} changes something and is not in the isolation suite: add a recipe to \
             crates/server/tests/isolation/recipes.rs, a body that its owner may send, with every id \
             in it named in braces"
        ),
    }
}
