//! The REST API over HTTP with real tokens: what `docs/api.md` promises.

mod examples;
mod lists;
mod nouns;
mod openapi;
mod refusals;
mod search;
mod triage;

use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::call::Answer;
use crate::support::{Project, TestApp, text};

impl TestApp {
    /// Sends an event as old SDKs do, and answers its id.
    async fn send(&self, project: &Project, event: &Value) -> String {
        let url = format!(
            "{}/api/{}/store/?sentry_key={}",
            self.base_url, project.id, project.key
        );
        let request = crate::support::call::client().post(url).json(event);
        let taken = Answer::to(request).await.json(200);
        text(&taken["id"]).to_owned()
    }

    /// The project that the server starts with.
    fn shop(&self) -> Project {
        Project {
            id: self.project_id.clone(),
            key: self.key.clone(),
        }
    }

    /// A call of Ana about her organization.
    async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let path = format!("/organizations/{}{path}", self.org);
        self.call(&self.token, method, &path, body).await
    }
}

/// An event with an exception and nothing else.
fn exception(kind: &str, value: &str) -> Value {
    json!({"exception": {"values": [{"type": kind, "value": value}]}})
}

/// A moment that many hours ago.
#[expect(
    clippy::disallowed_methods,
    reason = "the real program has the real clock"
)]
fn hours_ago(hours: i64) -> Timestamp {
    Timestamp::now() - SignedDuration::from_hours(hours)
}

/// The names of an object's fields, sorted.
fn fields(value: &Value) -> Vec<&str> {
    let object = value.as_object().unwrap();
    let mut names: Vec<_> = object.keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

/// Asserts that a field is a moment in RFC 3339, in UTC with `Z`.
fn assert_moment(value: &Value) {
    let moment = text(value);
    assert!(moment.ends_with('Z'), "{moment}");
    assert!(moment.parse::<Timestamp>().is_ok(), "{moment}");
}
