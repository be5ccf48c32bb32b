//! The REST API for people: a list of operations, handed in as plain values.

use askama::Template;

use crate::filters;
use crate::icon::Icon;
use crate::nav::{CSRF_FIELD, Nav, NavItem};
use crate::urls;

/// `/api/v1/docs`.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/api_docs.html")]
pub struct ApiDocs {
    /// What is around the page.
    pub nav: Nav,
    /// The address that the paths come after: `http://127.0.0.1:8000`.
    pub base_url: String,
    /// Operations by subject.
    pub groups: Vec<OperationGroup>,
}

/// Operations on one subject.
#[derive(Debug, Clone)]
pub struct OperationGroup {
    /// The subject: `Issues`.
    pub title: String,
    /// What can be done.
    pub operations: Vec<Operation>,
}

/// One call.
#[derive(Debug, Clone)]
pub struct Operation {
    /// `GET`
    pub method: String,
    /// `/api/v1/organizations/{org}/issues`
    pub path: String,
    /// What it does, in a few words.
    pub summary: String,
    /// More about it; may be empty.
    pub description: String,
    /// The scope that a narrowed token needs; empty where any token does.
    pub scope: String,
    /// Parts of the path and of the query string.
    pub parameters: Vec<ApiField>,
    /// Fields of the body to send.
    pub body: Vec<ApiField>,
    /// Fields of what is answered when all goes well; of a list, of each of its rows.
    pub answer: Vec<ApiField>,
    /// Statuses and what they mean.
    pub statuses: Vec<(String, String)>,
}

/// A parameter, or a field of a body.
#[derive(Debug, Clone)]
pub struct ApiField {
    /// Its name.
    pub name: String,
    /// `string`, `integer` …
    pub kind: String,
    /// Whether the call fails without it.
    pub is_required: bool,
    /// What it means; may be empty.
    pub description: String,
}

impl Operation {
    /// Where in the page it stands.
    pub fn anchor(&self) -> String {
        let path: String = self
            .path
            .chars()
            .filter(|c| !matches!(c, '{' | '}'))
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
            .collect();
        format!("{}{path}", self.method.to_ascii_lowercase())
    }

    /// The path without what all of them begin with.
    fn short_path(&self) -> &str {
        self.path.strip_prefix("/api/v1").unwrap_or(&self.path)
    }

    fn method_class(&self) -> String {
        format!("method-{}", self.method.to_ascii_lowercase())
    }
}

impl OperationGroup {
    fn anchor(&self) -> String {
        self.title.to_lowercase().replace(' ', "-")
    }
}
