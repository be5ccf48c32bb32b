//! Every path of the pages, for links and for the route table.
//!
//! [`route`] holds the paths in axum's notation; the functions fill them in, so that a link cannot
//! differ from its route. Parts are percent-encoded.

use std::fmt::Write as _;

/// Paths in axum's notation, with `{names}` for the parts that vary.
pub mod route {
    /// Where everybody starts: leads to the dashboard or to the log-in page.
    pub const HOME: &str = "/";
    /// Sign up. GET, POST `name`, `email`, `password`.
    pub const SIGN_UP: &str = "/signup";
    /// Log in. GET, POST `email`, `password`, `next`.
    pub const LOG_IN: &str = "/login";
    /// Log out. POST.
    pub const LOG_OUT: &str = "/logout";
    /// Remember the theme. POST `theme`, `next`.
    pub const THEME: &str = "/theme";
    /// The user's account. GET, POST `name`.
    pub const ACCOUNT: &str = "/account";
    /// Prove again who is asking. GET `?next=`, POST `password`, `next`.
    pub const CONFIRM: &str = "/account/confirm";
    /// Where the user lands. POST `org` = an id.
    pub const LANDING: &str = "/account/landing";
    /// Delete the account. POST `confirm` = the user's address.
    pub const ACCOUNT_DELETE: &str = "/account/delete";
    /// Make an API token. POST `name`, `reach` = `all` or `some`, `scope` (repeated), `expires`.
    pub const TOKENS: &str = "/account/tokens";
    /// Revoke an API token. POST.
    pub const TOKEN_DELETE: &str = "/account/tokens/{token}/delete";
    /// End a session. POST.
    pub const SESSION_END: &str = "/account/sessions/{session}/end";
    /// End all sessions but this one. POST.
    pub const SESSIONS_END: &str = "/account/sessions/end";
    /// Make an organization. GET, POST `name`.
    pub const NEW_ORG: &str = "/o/new";
    /// Dashboard of an organization. GET.
    pub const DASHBOARD: &str = "/o/{org}";
    /// Members of an organization. GET.
    pub const MEMBERS: &str = "/o/{org}/members";
    /// Tokens of an organization. GET, POST `name`, `scope` (repeated), `expires`.
    pub const ORG_TOKENS: &str = "/o/{org}/settings/tokens";
    /// Revoke a token of an organization. POST.
    pub const ORG_TOKEN_DELETE: &str = "/o/{org}/settings/tokens/{org_token}/delete";
    /// Keep a member's own token out of an organization. POST.
    pub const MEMBER_TOKEN_REVOKE: &str = "/o/{org}/settings/tokens/members/{member_token}/revoke";
    /// Give a member another role. POST `role`.
    pub const MEMBER_ROLE: &str = "/o/{org}/members/{member}/role";
    /// Remove a member. POST.
    pub const MEMBER_REMOVE: &str = "/o/{org}/members/{member}/remove";
    /// Leave an organization. POST.
    pub const LEAVE: &str = "/o/{org}/leave";
    /// Settings of an organization. GET, POST `name`, `slug`, `allow` (repeated settings).
    pub const ORG_SETTINGS: &str = "/o/{org}/settings";
    /// Plan of an organization and what it uses. GET.
    pub const ORG_PLAN: &str = "/o/{org}/settings/plan";
    /// Hand an organization over. POST `member`, `afterwards` = `OWNER` or `ADMIN`.
    pub const ORG_HAND_OVER: &str = "/o/{org}/handover";
    /// Turn a personal organization into a team. POST.
    pub const ORG_CONVERT: &str = "/o/{org}/convert";
    /// Delete an organization. POST `confirm` = its slug.
    pub const ORG_DELETE: &str = "/o/{org}/delete";
    /// Take the deletion of an organization back. POST.
    pub const ORG_RESTORE: &str = "/o/{org}/restore";
    /// Make a project. GET, POST `name`, `platform`.
    pub const NEW_PROJECT: &str = "/o/{org}/projects/new";
    /// How to send the first event. GET `?platform=`.
    pub const GUIDE: &str = "/o/{org}/projects/{project}/guide";
    /// Server-sent events: `first-event` with the new issue's path as data.
    pub const GUIDE_STREAM: &str = "/o/{org}/projects/{project}/guide/stream";
    /// Settings of a project. GET, POST any of `name`, `slug`, `platform`, `allowed_origins`,
    /// `retention_days`: what is not sent stays as it is.
    pub const PROJECT_SETTINGS: &str = "/o/{org}/projects/{project}/settings";
    /// What is taken out of a project's events. POST `secrets`, `scrubAddresses`, `fields`,
    /// `safeFields`.
    pub const PROJECT_SCRUBBING: &str = "/o/{org}/projects/{project}/scrubbing";
    /// Which events a project does not want. POST `browserExtensions`, `webCrawlers`,
    /// `legacyBrowsers`, `localhost`, `releases`, `errorMessages`, `addresses`.
    pub const PROJECT_FILTERS: &str = "/o/{org}/projects/{project}/filters";
    /// Make a client key. POST `label`.
    pub const KEYS: &str = "/o/{org}/projects/{project}/keys";
    /// Change a client key. POST `action` = `activate`, `deactivate`, `change`, `rotate` or
    /// `delete`; `change` takes `label`, `limit` and `seconds`.
    pub const KEY: &str = "/o/{org}/projects/{project}/keys/{key}";
    /// Delete a project. POST `confirm` = its name.
    pub const PROJECT_DELETE: &str = "/o/{org}/projects/{project}/delete";
    /// Take the deletion of a project back. POST.
    pub const PROJECT_RESTORE: &str = "/o/{org}/projects/{project}/restore";
    /// Move a project. POST `to` = the id of an organization.
    pub const PROJECT_TRANSFER: &str = "/o/{org}/projects/{project}/transfer";
    /// The issue list. GET, see [`IssueFilter`](crate::filter::IssueFilter).
    pub const ISSUES: &str = "/o/{org}/issues";
    /// Change many issues. POST `issue` (repeated short ids), `status` = `OPEN`, `RESOLVED` or
    /// `IGNORED`, `next` = path to come back to.
    pub const ISSUES_STATUS: &str = "/o/{org}/issues/status";
    /// Take back what was just done to issues. POST `undo` = what the notice carries, `next`.
    pub const ISSUES_UNDO: &str = "/o/{org}/issues/undo";
    /// Server-sent events: `issues` with the number of issues that are new since the page as data.
    pub const ISSUES_STREAM: &str = "/o/{org}/issues/stream";
    /// An issue with its latest event. GET `?period=&stack=`.
    pub const ISSUE: &str = "/o/{org}/issues/{issue}";
    /// Change an issue. POST `status`, `next`.
    pub const ISSUE_STATUS: &str = "/o/{org}/issues/{issue}/status";
    /// Delete an issue. POST `confirm` = its short id.
    pub const ISSUE_DELETE: &str = "/o/{org}/issues/{issue}/delete";
    /// An issue with one of its events; `{event}` is an event id or `oldest` or `latest`. GET.
    pub const ISSUE_EVENT: &str = "/o/{org}/issues/{issue}/events/{event}";
    /// The event as JSON. GET.
    pub const EVENT_JSON: &str = "/o/{org}/issues/{issue}/events/{event}/json";
    /// The issue with the event as Markdown. GET.
    pub const EVENT_MARKDOWN: &str = "/o/{org}/issues/{issue}/events/{event}/markdown";
    /// Documentation of the REST API. GET.
    pub const API_DOCS: &str = "/api/v1/docs";
    /// The REST API as an OpenAPI document. GET.
    pub const OPENAPI: &str = "/api/v1/openapi.json";
    /// A static file. GET; see [`find`](crate::assets::find).
    pub const STATIC: &str = "/static/{checksum}/{name}";
    /// Browsers ask for it unasked. GET; answer with the icon of [`assets`](crate::assets).
    pub const FAVICON: &str = "/favicon.ico";
}

/// The event part that stands for the stored event received last.
pub const LATEST: &str = "latest";
/// The event part that stands for the oldest stored event.
pub const OLDEST: &str = "oldest";

/// Revoke an API token.
pub fn token_delete(token: &str) -> String {
    fill(route::TOKEN_DELETE, &[token])
}

/// End a session.
pub fn session_end(session: &str) -> String {
    fill(route::SESSION_END, &[session])
}

/// Tokens of an organization.
pub fn org_tokens(org: &str) -> String {
    fill(route::ORG_TOKENS, &[org])
}

/// Revoke a token of an organization.
pub fn org_token_delete(org: &str, token: &str) -> String {
    fill(route::ORG_TOKEN_DELETE, &[org, token])
}

/// Keep a member's own token out of an organization.
pub fn member_token_revoke(org: &str, token: &str) -> String {
    fill(route::MEMBER_TOKEN_REVOKE, &[org, token])
}

/// Dashboard of an organization.
pub fn dashboard(org: &str) -> String {
    fill(route::DASHBOARD, &[org])
}

/// The same page of another organization: `path` with its slug in the place of the old one.
pub fn with_org(path: &str, org: &str) -> String {
    let below = path.strip_prefix("/o/").unwrap_or_default();
    let end = below.find(['/', '?']).unwrap_or(below.len());
    format!("{}{}", dashboard(org), &below[end..])
}

/// Members of an organization.
pub fn members(org: &str) -> String {
    fill(route::MEMBERS, &[org])
}

/// Give a member another role.
pub fn member_role(org: &str, member: &str) -> String {
    fill(route::MEMBER_ROLE, &[org, member])
}

/// Remove a member.
pub fn member_remove(org: &str, member: &str) -> String {
    fill(route::MEMBER_REMOVE, &[org, member])
}

/// Leave an organization.
pub fn leave(org: &str) -> String {
    fill(route::LEAVE, &[org])
}

/// Settings of an organization.
pub fn org_settings(org: &str) -> String {
    fill(route::ORG_SETTINGS, &[org])
}

/// Plan of an organization and what it uses.
pub fn org_plan(org: &str) -> String {
    fill(route::ORG_PLAN, &[org])
}

/// Hand an organization over.
pub fn org_hand_over(org: &str) -> String {
    fill(route::ORG_HAND_OVER, &[org])
}

/// Turn a personal organization into a team.
pub fn org_convert(org: &str) -> String {
    fill(route::ORG_CONVERT, &[org])
}

/// Delete an organization.
pub fn org_delete(org: &str) -> String {
    fill(route::ORG_DELETE, &[org])
}

/// Take the deletion of an organization back.
pub fn org_restore(org: &str) -> String {
    fill(route::ORG_RESTORE, &[org])
}

/// Make a project.
pub fn new_project(org: &str) -> String {
    fill(route::NEW_PROJECT, &[org])
}

/// How to send the first event.
pub fn guide(org: &str, project: &str) -> String {
    fill(route::GUIDE, &[org, project])
}

/// How to send the first event from `platform`.
pub fn guide_for(org: &str, project: &str, platform: &str) -> String {
    format!("{}?platform={}", guide(org, project), encoded(platform))
}

/// Tells when the first event has come.
pub fn guide_stream(org: &str, project: &str) -> String {
    fill(route::GUIDE_STREAM, &[org, project])
}

/// Settings of a project.
pub fn project_settings(org: &str, project: &str) -> String {
    fill(route::PROJECT_SETTINGS, &[org, project])
}

/// What is taken out of a project's events.
pub fn project_scrubbing(org: &str, project: &str) -> String {
    fill(route::PROJECT_SCRUBBING, &[org, project])
}

/// Which events a project does not want.
pub fn project_filters(org: &str, project: &str) -> String {
    fill(route::PROJECT_FILTERS, &[org, project])
}

/// Make a client key.
pub fn keys(org: &str, project: &str) -> String {
    fill(route::KEYS, &[org, project])
}

/// Change a client key.
pub fn key(org: &str, project: &str, key: &str) -> String {
    fill(route::KEY, &[org, project, key])
}

/// Delete a project.
pub fn project_delete(org: &str, project: &str) -> String {
    fill(route::PROJECT_DELETE, &[org, project])
}

/// Take the deletion of a project back.
pub fn project_restore(org: &str, project: &str) -> String {
    fill(route::PROJECT_RESTORE, &[org, project])
}

/// Move a project to another organization.
pub fn project_transfer(org: &str, project: &str) -> String {
    fill(route::PROJECT_TRANSFER, &[org, project])
}

/// The issue list.
pub fn issues(org: &str) -> String {
    fill(route::ISSUES, &[org])
}

/// The issue list of one project.
pub fn project_issues(org: &str, project: &str) -> String {
    format!("{}?project={}", issues(org), encoded(project))
}

/// Change many issues.
pub fn issues_status(org: &str) -> String {
    fill(route::ISSUES_STATUS, &[org])
}

/// Take back what was just done to issues.
pub fn issues_undo(org: &str) -> String {
    fill(route::ISSUES_UNDO, &[org])
}

/// Tells when there are new issues.
pub fn issues_stream(org: &str) -> String {
    fill(route::ISSUES_STREAM, &[org])
}

/// An issue with its latest event.
pub fn issue(org: &str, issue: &str) -> String {
    fill(route::ISSUE, &[org, issue])
}

/// Change an issue.
pub fn issue_status(org: &str, issue: &str) -> String {
    fill(route::ISSUE_STATUS, &[org, issue])
}

/// Delete an issue.
pub fn issue_delete(org: &str, issue: &str) -> String {
    fill(route::ISSUE_DELETE, &[org, issue])
}

/// An issue with one of its events: an id, [`OLDEST`] or [`LATEST`].
pub fn issue_event(org: &str, issue: &str, event: &str) -> String {
    fill(route::ISSUE_EVENT, &[org, issue, event])
}

/// An event as JSON.
pub fn event_json(org: &str, issue: &str, event: &str) -> String {
    fill(route::EVENT_JSON, &[org, issue, event])
}

/// An issue with an event as Markdown.
pub fn event_markdown(org: &str, issue: &str, event: &str) -> String {
    fill(route::EVENT_MARKDOWN, &[org, issue, event])
}

/// The log-in page that comes back to `next`.
pub fn log_in_then(next: &str) -> String {
    format!("{}?next={}", route::LOG_IN, encoded(next))
}

/// The page that asks for the password again and comes back to `next`.
pub fn confirm_then(next: &str) -> String {
    format!("{}?next={}", route::CONFIRM, encoded(next))
}

/// Whether `path` leads back into Copal, and so may be followed after a form.
///
/// Browsers read `//host` and `/\host` as other hosts, and skip tabs and line ends.
pub fn is_local(path: &str) -> bool {
    path.starts_with('/')
        && !path.starts_with("//")
        && !path.contains('\\')
        && !path.chars().any(char::is_control)
}

/// Percent-encodes everything but unreserved characters (RFC 3986 2.3).
pub fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            write!(encoded, "%{byte:02X}").expect("a string takes all that is written");
        }
    }
    encoded
}

/// Puts `parts` in the place of the `{names}`, in order.
fn fill(route: &str, parts: &[&str]) -> String {
    let mut path = String::with_capacity(route.len() + 32);
    let mut parts = parts.iter();
    for (index, segment) in route.split('/').enumerate() {
        if index > 0 {
            path.push('/');
        }
        if segment.starts_with('{') {
            path.push_str(&encoded(parts.next().expect("one part for each name")));
        } else {
            path.push_str(segment);
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fills_routes_in_order() {
        assert_eq!(dashboard("acme"), "/o/acme");
        assert_eq!(
            event_json("acme", "SHOP-12", "abc"),
            "/o/acme/issues/SHOP-12/events/abc/json"
        );
        assert_eq!(
            guide_for("a", "p", "c#/x"),
            "/o/a/projects/p/guide?platform=c%23%2Fx"
        );
    }

    #[test]
    fn changes_the_organization_of_a_path_and_nothing_else() {
        assert_eq!(with_org("/o/acme", "beta"), "/o/beta");
        assert_eq!(with_org("/o/acme?x=/o/acme", "beta"), "/o/beta?x=/o/acme");
        assert_eq!(
            with_org("/o/acme/issues/ACME-1?a=%2f", "beta"),
            "/o/beta/issues/ACME-1?a=%2f"
        );
    }

    #[test]
    fn follows_only_own_paths() {
        assert!(is_local("/o/acme?query=a:b"));
        for path in [
            "//evil.example",
            "/\\evil",
            "https://evil.example",
            "",
            "/\t/evil",
        ] {
            assert!(!is_local(path), "{path:?}");
        }
    }
}
