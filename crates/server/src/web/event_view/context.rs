//! What was around the crash: breadcrumbs and the HTTP request.

use copal_protocol::Json;
use copal_protocol::timestamp::parse_timestamp;
use copal_ui::pages::event::{BreadcrumbView, RequestView};

use super::SHOWN_MAX;
use super::tree::{entries, list, pairs, text, tree};

/// Breadcrumbs, oldest first; of too many the last.
pub(super) fn breadcrumbs(event: &Json<'_>) -> Vec<BreadcrumbView> {
    let all = list(event, "breadcrumbs");
    all[all.len().saturating_sub(SHOWN_MAX)..]
        .iter()
        .filter(|crumb| crumb.as_object().is_some())
        .map(breadcrumb)
        .collect()
}

/// The request, where there is one.
pub(super) fn request(event: &Json<'_>) -> Option<RequestView> {
    let request = event.get("request")?;
    request.as_object()?;
    let url = text(request, "url").unwrap_or_default();
    let end = url.find(['?', '#']).unwrap_or(url.len());
    let query = match request.get("query_string") {
        Some(Json::Str(query)) => parse_query(query),
        Some(other) => pairs(Some(other)),
        None => url[end..]
            .strip_prefix('?')
            .map(parse_query)
            .unwrap_or_default(),
    };
    Some(RequestView {
        method: text(request, "method"),
        url: url[..end].to_owned(),
        query,
        headers: pairs(request.get("headers")),
        cookies: pairs(request.get("cookies")),
        body: request.get("data").filter(|data| !data.is_null()).map(tree),
        env: entries(request.get("env")),
    })
}

fn breadcrumb(crumb: &Json<'_>) -> BreadcrumbView {
    BreadcrumbView {
        at: crumb.get("timestamp").and_then(parse_timestamp),
        category: text(crumb, "category")
            .or_else(|| text(crumb, "type"))
            .unwrap_or_default(),
        level: text(crumb, "level").unwrap_or_default(),
        message: text(crumb, "message").unwrap_or_default(),
        data: entries(crumb.get("data")),
    }
}

fn parse_query(query: &str) -> Vec<(String, String)> {
    let query = query.split('#').next().unwrap_or_default();
    form_urlencoded::parse(query.trim_start_matches('?').as_bytes())
        .take(SHOWN_MAX)
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect()
}
