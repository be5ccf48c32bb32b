//! Pages, read as a browser without scripts does.

use reqwest::{Client, Method, Url};

use super::call::Answer;
use super::{PASSWORD, TestApp};

/// Somebody who is logged in.
pub(crate) struct Browser {
    base_url: String,
    client: Client,
}

impl TestApp {
    /// Logs Ana in with the form of the page.
    pub(crate) async fn log_in(&self) -> Browser {
        Browser::log_in(&self.base_url, "ana@example.com", PASSWORD).await
    }
}

impl Browser {
    /// Logs somebody in with the form of the page.
    pub(crate) async fn log_in(base_url: &str, email: &str, password: &str) -> Self {
        let builder = Client::builder().no_proxy().cookie_store(true);
        let browser = Self {
            base_url: base_url.to_owned(),
            client: builder.build().unwrap(),
        };
        let form = browser.page("/login").await;
        let fields = [
            ("email", email),
            ("password", password),
            ("csrf", csrf(&form)),
        ];
        let landed = browser.submit("/login", &fields).await;
        assert!(landed.contains("Log out"), "{landed}");
        browser
    }

    /// Whatever a page is answered.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        Answer::to(self.client.get(format!("{}{path}", self.base_url))).await
    }

    /// The HTML of a page, its entities decoded so that texts can be sought.
    pub(crate) async fn page(&self, path: &str) -> String {
        let url = format!("{}{path}", self.base_url);
        let response = self.client.get(url).send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        decoded(&response.text().await.unwrap())
    }

    /// Calls the API with the session and the token that scripts of our pages send.
    pub(crate) async fn call(&self, method: Method, path: &str) -> Answer {
        let account = self.page("/account").await;
        let request = self
            .client
            .request(method, format!("{}/api/v1{path}", self.base_url))
            .header("x-csrf-token", csrf(&account));
        Answer::to(request).await
    }

    /// Sends a form and follows where it leads.
    pub(crate) async fn submit(&self, path: &str, fields: &[(&str, &str)]) -> String {
        let encoded = Url::parse_with_params("http://form/", fields).unwrap();
        let request = self
            .client
            .post(format!("{}{path}", self.base_url))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(encoded.query().unwrap_or_default().to_owned());
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        decoded(&response.text().await.unwrap())
    }
}

fn csrf(page: &str) -> &str {
    let (_, rest) = page.split_once("name=\"csrf\" value=\"").unwrap();
    rest.split('"').next().unwrap()
}

fn decoded(html: &str) -> String {
    [
        ("&quot;", "\""),
        ("&#34;", "\""),
        ("&#39;", "'"),
        ("&#x27;", "'"),
        ("&lt;", "<"),
        ("&#60;", "<"),
        ("&gt;", ">"),
        ("&#62;", ">"),
        ("&amp;", "&"),
        ("&#38;", "&"),
    ]
    .iter()
    .fold(html.to_owned(), |html, (entity, text)| {
        html.replace(entity, text)
    })
}
