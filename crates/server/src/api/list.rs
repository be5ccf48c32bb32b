//! Lists: a bare JSON array, and in the header `Link` the address of the next page.

use axum::Json;
use axum::http::{HeaderValue, Uri, header};
use axum::response::{IntoResponse, Response};
use copal_store::{Page, PageRequest};
use serde::Serialize;

use crate::app::Settings;

/// One page of a list.
#[derive(Debug)]
pub struct Listed<T> {
    rows: Vec<T>,
    next: Option<HeaderValue>,
}

impl<T> Listed<T> {
    /// The page that was asked for at `uri`.
    pub fn new(page: Page<T>, uri: &Uri, settings: &Settings) -> Self {
        let next = page
            .next
            .and_then(|cursor| HeaderValue::from_str(&next_link(uri, &cursor, settings)).ok());
        Self {
            rows: page.rows,
            next,
        }
    }
}

impl<T: Serialize> IntoResponse for Listed<T> {
    fn into_response(self) -> Response {
        let mut response = Json(self.rows).into_response();
        if let Some(next) = self.next {
            response.headers_mut().insert(header::LINK, next);
        }
        response
    }
}

/// The part of a short list that is held in memory whole. `key` names a row; rows keep their order,
/// and a page begins after the row that the cursor names.
pub fn page_of<T>(rows: Vec<T>, request: &PageRequest, key: impl Fn(&T) -> String) -> Page<T> {
    let start = match &request.cursor {
        None => 0,
        Some(cursor) => rows
            .iter()
            .position(|row| key(row) == *cursor)
            .map_or(rows.len(), |at| at + 1),
    };
    let more = rows.len() > start + request.limit;
    let rows: Vec<T> = rows.into_iter().skip(start).take(request.limit).collect();
    let next = rows.last().filter(|_| more).map(key);
    Page { rows, next }
}

fn next_link(uri: &Uri, cursor: &str, settings: &Settings) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
        if name != "cursor" {
            query.append_pair(&name, &value);
        }
    }
    query.append_pair("cursor", cursor);
    format!(
        "<{}{}?{}>; rel=\"next\"",
        settings.base_url,
        uri.path(),
        query.finish()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::tests_support::settings;

    #[test]
    fn the_link_keeps_what_was_asked_and_replaces_the_cursor() {
        let uri: Uri = "/api/v1/organizations/a/issues?query=is%3Aopen+%26&cursor=old&limit=2"
            .parse()
            .unwrap();
        assert_eq!(
            next_link(&uri, "new/1", &settings("http://localhost:8000")),
            "<http://localhost:8000/api/v1/organizations/a/issues\
             ?query=is%3Aopen+%26&limit=2&cursor=new%2F1>; rel=\"next\""
        );
    }

    #[test]
    fn pages_of_a_short_list_follow_each_other() {
        let mut request = PageRequest::first(2);
        let mut seen = Vec::new();
        loop {
            let page = page_of(vec![1, 2, 3, 4], &request, i32::to_string);
            seen.push(page.rows);
            match page.next {
                Some(next) => request.cursor = Some(next),
                None => break,
            }
        }
        assert_eq!(seen, [vec![1, 2], vec![3, 4]]);
        request.cursor = Some("gone".to_owned());
        assert!(
            page_of(vec![1, 2], &request, i32::to_string)
                .rows
                .is_empty()
        );
    }
}
