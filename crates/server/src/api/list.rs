//! Lists: a bare JSON array, and in the header `Link` the address of the next page.

use std::fmt::Display;
use std::str::FromStr;

use axum::Json;
use axum::http::{HeaderValue, Uri, header};
use axum::response::{IntoResponse, Response};
use copal_store::{Error, Page, PageRequest};
use serde::Serialize;

use crate::app::Settings;
use crate::problem::Problem;

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

/// A page of a list that is short enough to be held in memory whole.
///
/// Rows come in the order of their ids, which is that in which they were made. A page begins after
/// the id that the cursor names, whether its row is still there or not.
///
/// # Errors
/// When the cursor is no id.
pub fn page_of<T, Id: Ord + Display + FromStr>(
    mut rows: Vec<T>,
    request: &PageRequest,
    id: impl Fn(&T) -> Id,
) -> Result<Page<T>, Problem> {
    rows.sort_by_key(&id);
    let start = match &request.cursor {
        None => 0,
        Some(cursor) => {
            let after: Id = cursor.parse().map_err(|_| Error::BadCursor)?;
            rows.partition_point(|row| id(row) <= after)
        }
    };
    let more = rows.len() > start + request.limit;
    let rows: Vec<T> = rows.into_iter().skip(start).take(request.limit).collect();
    let next = rows.last().filter(|_| more).map(|row| id(row).to_string());
    Ok(Page { rows, next })
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
    use axum::http::StatusCode;

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
            let page = page_of(vec![4, 2, 3, 1], &request, |row| *row).unwrap();
            seen.push(page.rows);
            match page.next {
                Some(next) => request.cursor = Some(next),
                None => break,
            }
        }
        assert_eq!(seen, [vec![1, 2], vec![3, 4]]);
        request.cursor = Some("2".to_owned());
        let after_a_deleted_row = page_of(vec![1, 3], &request, |row| *row).unwrap();
        assert_eq!(after_a_deleted_row.rows, [3]);
        request.cursor = Some("no number".to_owned());
        let refused = page_of(vec![1, 2], &request, |row| *row).unwrap_err();
        assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    }
}
