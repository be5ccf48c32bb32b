//! Client keys that change while the server runs.

use reqwest::Client;

use crate::support::TestApp;

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
    let app = TestApp::start();
    let client = Client::new();
    let url = format!("{}?sentry_key={}", app.envelope_url(), app.key);
    assert_soon(&client, &url, 200).await;
    let other = rusqlite::Connection::open(app.data().join("copal.db")).unwrap();
    for (is_active, status) in [(0, 403), (1, 200), (0, 403)] {
        let statement = "update client_keys set is_active = ?1 where public_key = ?2";
        other.execute(statement, (is_active, &app.key)).unwrap();
        assert_soon(&client, &url, status).await;
    }
    // A key that was asked for before it existed.
    let early = "e".repeat(32);
    let url = format!("{}?sentry_key={early}", app.envelope_url());
    assert_soon(&client, &url, 403).await;
    let copy = "insert into client_keys select randomblob(16), org_id, project_id, ?1, label, 1, \
                created_at from client_keys where public_key = ?2";
    other.execute(copy, (&early, &app.key)).unwrap();
    assert_soon(&client, &url, 200).await;
}
