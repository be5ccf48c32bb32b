//! Reports that browsers send by themselves: what was forbidden, and whose it was.

use std::borrow::Cow;

use copal_protocol::event::Event;
use copal_protocol::json::{Json, Object};

use super::{Leaves, leaf, plain};

/// What stands for the site itself.
const LOCAL: &str = "'self'";

/// The report that an event holds.
pub(super) fn find<'a>(event: &'a Event<'_>) -> Option<(&'static str, Leaves<'a>)> {
    if let Some(leaves) = policy(&event.csp) {
        return Some(("csp", leaves));
    }
    [
        ("hpkp", &event.hpkp),
        ("expect-ct", &event.expect_ct),
        ("expect-staple", &event.expect_staple),
    ]
    .into_iter()
    .find_map(|(kind, report)| {
        let host = text(report, "hostname")?;
        Some((
            kind,
            plain(vec![leaf("salt", kind), leaf("hostname", host)])?,
        ))
    })
}

fn text<'a>(report: &'a Object<'_>, key: &str) -> Option<&'a str> {
    report.get(key).and_then(Json::as_str)
}

/// A content security policy: the directive, and the origin of what was blocked.
fn policy<'a>(report: &'a Object<'_>) -> Option<Leaves<'a>> {
    let directive = text(report, "effective_directive")?;
    let blocked = match text(report, "blocked_uri").unwrap_or_default() {
        "" | "self" | LOCAL => Cow::Borrowed(LOCAL),
        uri => origin(uri),
    };
    let violated = text(report, "violated_directive").unwrap_or_default();
    let violation = ["'unsafe-inline'", "'unsafe-eval'"]
        .into_iter()
        .find(|source| blocked == LOCAL && directive == "script-src" && violated.contains(source));
    plain(vec![
        leaf("salt", directive),
        violation.map_or_else(|| leaf("uri", blocked), |source| leaf("violation", source)),
    ])
}

/// The host; with its scheme where that is none of the web.
fn origin(uri: &str) -> Cow<'_, str> {
    let Some((scheme, rest)) = uri.split_once(':') else {
        return Cow::Owned(format!("{uri}:"));
    };
    let Some(rest) = rest.strip_prefix("//") else {
        return Cow::Owned(format!("{scheme}:"));
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    match scheme {
        "http" | "https" => Cow::Borrowed(host.split(':').next().unwrap_or(host)),
        _ => Cow::Owned(format!("{scheme}://{host}")),
    }
}
