//! Paths as routes know them: without the prefix of the base URL and without duplicate slashes.
//!
//! SDKs join the path of their DSN and `/api/` in many ways; `//api///1//envelope/` must work.

use axum::body::Body;
use http::uri::PathAndQuery;
use http::{Request, Uri};

/// The path within the base URL, without a slash at the end; empty for most.
pub fn base_path(base_url: &str) -> &str {
    let after_scheme = base_url
        .split_once("://")
        .map_or(base_url, |(_, rest)| rest);
    let path = after_scheme.find('/').map_or("", |at| &after_scheme[at..]);
    path.trim_end_matches('/')
}

/// Mends the path of a request.
pub(super) fn mend(request: &mut Request<Body>, base_path: &str) {
    let Some(mended) = mended(request.uri().path(), base_path) else {
        return;
    };
    let target = match request.uri().query() {
        Some(query) => format!("{mended}?{query}"),
        None => mended,
    };
    // Removing bytes from a valid path cannot make it invalid; if it did, the path stays as it is.
    if let Ok(target) = PathAndQuery::try_from(target) {
        *request.uri_mut() = Uri::from(target);
    }
}

/// The mended path; `None` when it needs no mending, as almost always.
fn mended(path: &str, base_path: &str) -> Option<String> {
    let folded = path.contains("//").then(|| fold(path));
    let path = folded.as_deref().unwrap_or(path);
    let below = path
        .strip_prefix(base_path)
        .filter(|rest| !base_path.is_empty() && (rest.is_empty() || rest.starts_with('/')));
    match below {
        Some("") => Some("/".to_owned()),
        Some(rest) => Some(rest.to_owned()),
        None => folded,
    }
}

fn fold(path: &str) -> String {
    let mut folded = String::with_capacity(path.len());
    for character in path.chars() {
        if character != '/' || !folded.ends_with('/') {
            folded.push(character);
        }
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_path_is_what_follows_the_host() {
        assert_eq!(base_path("http://localhost:8000"), "");
        assert_eq!(base_path("http://localhost:8000/"), "");
        assert_eq!(base_path("https://example.com/a/b/"), "/a/b");
    }

    #[test]
    fn prefixes_and_duplicate_slashes_go() {
        let cases = [
            ("/api/1/envelope/", "", None),
            ("//api///1//envelope/", "", Some("/api/1/envelope/")),
            ("/a/b/api/1/envelope/", "/a/b", Some("/api/1/envelope/")),
            ("/a//b//api/1/envelope/", "/a/b", Some("/api/1/envelope/")),
            ("/api/1/envelope/", "/a/b", None),
            ("/a/bc/api/1/envelope/", "/a/b", None),
            ("/a/b", "/a/b", Some("/")),
        ];
        for (path, base, expected) in cases {
            assert_eq!(
                mended(path, base).as_deref(),
                expected,
                "{path} below {base}"
            );
        }
    }

    #[test]
    fn the_query_is_kept() {
        let mut request = Request::get("//api//1/store/?sentry_key=a//b")
            .body(Body::empty())
            .unwrap();
        mend(&mut request, "");
        assert_eq!(request.uri(), "/api/1/store/?sentry_key=a//b");
    }
}
