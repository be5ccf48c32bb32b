//! Calls to the REST API.

use reqwest::header::HeaderMap;
use reqwest::{Client, Method, RequestBuilder, Url};
use serde_json::Value;

use super::{TestApp, text};

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) async fn to(request: RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        Self {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: response.text().await.unwrap(),
        }
    }

    /// The body of an answer with this status.
    #[track_caller]
    pub(crate) fn json(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        serde_json::from_str(&self.body).unwrap()
    }

    /// A header's text, or nothing.
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().unwrap())
    }

    /// The address of the next page.
    pub(crate) fn next(&self) -> Option<&str> {
        let link = self.header("link").strip_prefix('<')?;
        link.strip_suffix(">; rel=\"next\"")
    }
}

/// A client that asks the server itself, whatever proxy the machine has.
pub(crate) fn client() -> Client {
    Client::builder().no_proxy().build().unwrap()
}

impl TestApp {
    /// The address of a path of the API, or the address itself.
    pub(crate) fn url(&self, path: &str) -> Url {
        let address = if path.starts_with("http") {
            path.to_owned()
        } else {
            format!("{}/api/v1{path}", self.base_url)
        };
        Url::parse(&address).unwrap()
    }

    /// A call with a token and, where it has one, a body.
    pub(crate) async fn call(
        &self,
        token: &str,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Answer {
        let request = self.client.request(method, self.url(path));
        let request = request.bearer_auth(token);
        let request = match body {
            Some(body) => request.json(&body),
            None => request,
        };
        Answer::to(request).await
    }

    /// What Ana reads of her organization.
    pub(crate) async fn get(&self, path: &str) -> Value {
        let path = format!("/organizations/{}/{path}", self.org);
        let answer = self.call(&self.token, Method::GET, &path, None).await;
        answer.json(200)
    }

    /// All issues, the oldest first, once all events are recorded; they must be this many.
    pub(crate) async fn issues_of(&self, events: u64) -> Vec<Value> {
        self.settle().await;
        let issues = self.get("issues?limit=100&sort=firstSeen").await;
        let issues: Vec<_> = issues.as_array().unwrap().iter().rev().cloned().collect();
        let counts = issues.iter().map(|issue| issue["eventsCount"].as_u64());
        let counted: u64 = counts.map(Option::unwrap).sum();
        assert_eq!(counted, events, "{issues:#?}");
        issues
    }

    /// The titles of all issues.
    pub(crate) async fn titles(&self) -> Vec<String> {
        let issues = self.get("issues?limit=100").await;
        let issues = issues.as_array().unwrap().iter();
        issues
            .map(|issue| text(&issue["title"]).to_owned())
            .collect()
    }

    /// The stored events of an issue, the latest first.
    pub(crate) async fn events(&self, issue: &Value) -> Vec<Value> {
        let path = format!("issues/{}/events?limit=100", text(&issue["id"]));
        self.get(&path).await.as_array().unwrap().clone()
    }

    /// A stored event as it is in a list of events, with payload and grouping.
    pub(crate) async fn event(&self, listed: &Value) -> Value {
        let (project, id) = (text(&listed["projectId"]), text(&listed["eventId"]));
        self.get(&format!("projects/{project}/events/{id}")).await
    }

    /// The latest event of an issue.
    pub(crate) async fn latest_event(&self, issue: &Value) -> Value {
        self.event(&self.events(issue).await[0]).await
    }
}

/// The one issue with this title.
pub(crate) fn titled<'i>(issues: &'i [Value], title: &str) -> &'i Value {
    let mut found = issues.iter().filter(|issue| issue["title"] == title);
    match (found.next(), found.next()) {
        (Some(issue), None) => issue,
        _ => panic!("not one issue is titled {title}: {issues:#?}"),
    }
}
