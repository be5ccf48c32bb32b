//! Client keys that change while the server runs.

use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::support::{Engine, TestApp, text};

/// Asks until the answer has this status: other processes' changes take effect within a second.
async fn assert_soon(client: &Client, url: &str, status: u16) {
    let began = std::time::Instant::now();
    loop {
        let answer = client.post(url).body("{}").send().await.unwrap();
        if answer.status() == status {
            return;
        }
        let waited = began.elapsed();
        assert!(
            waited.as_millis() < 1_000,
            "{} after {waited:?}",
            answer.status()
        );
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_key_that_another_process_changes_is_noticed_within_a_second() {
    let app = TestApp::start(Engine::Sqlite);
    let client = Client::new();
    let url = format!("{}?sentry_key={}", app.envelope_url(), app.key);
    assert_soon(&client, &url, 200).await;
    let key = &app.key;
    for (is_active, status) in [(0, 403), (1, 200), (0, 403)] {
        app.database.execute(&format!(
            "update client_keys set is_active = {is_active} where public_key = '{key}'"
        ));
        assert_soon(&client, &url, status).await;
    }
    // A key that was asked for before it existed.
    let early = "e".repeat(32);
    let url = format!("{}?sentry_key={early}", app.envelope_url());
    assert_soon(&client, &url, 403).await;
    app.database.execute(&format!(
        "insert into client_keys select randomblob(16), org_id, project_id, '{early}', label, 1, \
         created_at, limit_events, limit_secs from client_keys where public_key = '{key}'"
    ));
    assert_soon(&client, &url, 200).await;
}

#[tokio::test]
async fn a_key_that_another_server_changes_is_noticed_within_a_second() {
    let name = "a_key_that_another_server_changes_is_noticed_within_a_second";
    let Some(engine) = Engine::postgres(name) else {
        return;
    };
    let app = TestApp::start(engine);
    let client = Client::new();
    let other = app.second_server();
    let keys = format!(
        "{}/api/v1/organizations/{}/projects/shop/keys",
        other.base_url, app.org
    );
    let call = async |method: Method, url: &str, body: Value| {
        let request = client.request(method, url).bearer_auth(&app.token);
        let answer = request.json(&body).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.status());
        answer.json::<Value>().await.unwrap()
    };
    let made = call(Method::POST, &keys, json!({"label": "second"})).await;
    let key = text(&made["publicKey"]);
    let url = format!("{}?sentry_key={key}", app.envelope_url());
    assert_soon(&client, &url, 200).await;
    let key = format!("{keys}/{}", text(&made["id"]));
    for (is_active, status) in [(false, 403), (true, 200), (false, 403)] {
        call(Method::PATCH, &key, json!({"isActive": is_active})).await;
        assert_soon(&client, &url, status).await;
    }
}
