//! Query strings that callers send: nothing in them that the call does not know.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use copal_model::limits::PAGE_ROWS_DEFAULT;
use copal_store::PageRequest;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::body::invalid;
use crate::app::App;
use crate::problem::Problem;

/// The parameters of a query string.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned> FromRequestParts<App> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Problem> {
        axum::extract::Query::try_from_uri(&parts.uri)
            .map(|axum::extract::Query(parameters)| Self(parameters))
            .map_err(|error| {
                let text = error.body_text();
                let why = text.rsplit("query string: ").next().unwrap_or(&text);
                invalid(format!("The query string cannot be used: {why}."))
            })
    }
}

/// Which part of a list is wanted.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Paging {
    /// Where the page before ended.
    pub cursor: Option<String>,
    /// Rows wanted.
    pub limit: Option<usize>,
}

impl Paging {
    /// The page as the store takes it. More rows than a page holds are cut down to what it holds.
    ///
    /// # Errors
    /// When no rows are wanted.
    pub fn request(self) -> Result<PageRequest, Problem> {
        let limit = self.limit.unwrap_or(PAGE_ROWS_DEFAULT);
        if limit == 0 {
            return Err(invalid("`limit` is a number from 1 to 100."));
        }
        Ok(PageRequest {
            cursor: self.cursor,
            ..PageRequest::first(limit)
        })
    }
}
