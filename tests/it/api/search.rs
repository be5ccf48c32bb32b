//! The search language of the issue list: every key, and what is said of queries that make no sense.

use reqwest::{Method, Url};
use serde_json::{Value, json};

use super::hours_ago;
use crate::support::{Engine, TestApp, on_each_engine, text};

/// Three issues: `SHOP-1` (three events, three users, five hours old), `SHOP-2` (two events of one
/// user, two hours old, resolved) and `WEB-1` (one event, just now).
async fn world(engine: Engine) -> TestApp {
    let app = TestApp::start(engine);
    let web = app.project("web");
    for user in ["41", "42", "43"] {
        app.send(&app.shop(), &discount(user)).await;
    }
    for _ in 0..2 {
        app.send(&app.shop(), &import()).await;
    }
    let script = json!({
        "level": "fatal",
        "platform": "node",
        "transaction": "/checkout",
        "exception": {"values": [{"type": "TypeError", "value": "x is 100% null\nsecond line"}]},
        "tags": {"browser": "Firefox 141", "odd key": "v"},
    });
    app.send(&web, &script).await;
    app.issues_of(6).await;
    let resolved = Some(json!({"status": "RESOLVED"}));
    app.ask(Method::PATCH, "/issues/SHOP-2", resolved)
        .await
        .json(200);
    app
}

fn discount(user: &str) -> Value {
    json!({
        "level": "error",
        "platform": "python",
        "environment": "production",
        "release": "shop@1.0",
        "timestamp": hours_ago(5).to_string(),
        "user": {"id": user},
        "request": {"url": "https://shop.example/cart"},
        "tags": {"warehouse": "north"},
        "exception": {"values": [
            {"type": "KeyError", "value": "'discount'"},
            {"type": "ValueError", "value": "bad discount: \"half\"", "stacktrace": {"frames": [
                {"function": "dispatch", "filename": "flask/app.py", "module": "flask.app",
                 "in_app": false},
                {"function": "total", "filename": "shop/pricing.py", "module": "shop.pricing",
                 "in_app": true},
            ]}},
        ]},
    })
}

fn import() -> Value {
    json!({
        "level": "warning",
        "platform": "python",
        "environment": "staging",
        "release": "shop@1.1",
        "timestamp": hours_ago(2).to_string(),
        "user": {"email": "ana@example.com"},
        "transaction": "import",
        "message": "nightly import took long",
    })
}

/// Short ids of the issues found, in order.
async fn found(app: &TestApp, parameters: &[(&str, &str)]) -> Vec<String> {
    let issues = app.get(&issues_with(parameters)).await;
    let issues = issues.as_array().unwrap().iter();
    issues
        .map(|issue| text(&issue["shortId"]).to_owned())
        .collect()
}

/// The path of the list of issues with these parameters.
fn issues_with(parameters: &[(&str, &str)]) -> String {
    let url = Url::parse_with_params("http://x/", parameters).unwrap();
    format!("issues?{}", url.query().unwrap_or_default())
}

async fn every_key_finds_what_it_names(engine: Engine) {
    let app = world(engine).await;
    let yesterday = hours_ago(24).to_string();
    let before = format!("firstSeen:<{yesterday}");
    let after = format!("firstSeen:>{yesterday}");
    for (query, expected) in [
        ("", "SHOP-1 SHOP-2 WEB-1"),
        ("is:open", "SHOP-1 WEB-1"),
        ("is:resolved", "SHOP-2"),
        ("is:ignored", ""),
        ("is:regressed", ""),
        ("is:assigned", ""),
        ("!is:assigned", "SHOP-1 SHOP-2 WEB-1"),
        ("level:error", "SHOP-1"),
        ("level:WARNING", "SHOP-2"),
        ("project:web", "WEB-1"),
        ("!project:web", "SHOP-1 SHOP-2"),
        ("environment:production", "SHOP-1"),
        ("environment:prod", ""),
        ("environment:prod*", "SHOP-1"),
        ("release:shop@1.1", "SHOP-2"),
        ("release:shop@*", "SHOP-1 SHOP-2"),
        ("!release:*", "WEB-1"),
        ("user:id:42", "SHOP-1"),
        ("user:id:4", ""),
        ("user:email:ana@example.com", "SHOP-2"),
        ("error.type:ValueError", "SHOP-1"),
        ("error.type:KeyError", "SHOP-1"),
        ("error.type:*Error", "SHOP-1 WEB-1"),
        ("message:\"nightly import took long\"", "SHOP-2"),
        ("message:nightly", ""),
        ("message:nightly*", "SHOP-2"),
        ("message:\"bad discount: \\\"half\\\"\"", "SHOP-1"),
        ("message:*second*", "WEB-1"),
        ("title:\"TypeError: x is 100% null\"", "WEB-1"),
        ("title:*100%*", "WEB-1"),
        ("title:*1_0*", ""),
        ("culprit:import", "SHOP-2"),
        ("culprit:*total", "SHOP-1"),
        ("stack.function:total", "SHOP-1"),
        ("stack.function:dispatch", ""),
        ("stack.filename:shop/*.py", "SHOP-1"),
        ("stack.module:shop.pricing", "SHOP-1"),
        ("url:https://shop.example/cart", "SHOP-1"),
        ("url:*shop.example*", "SHOP-1"),
        ("transaction:/checkout", "WEB-1"),
        ("warehouse:north", "SHOP-1"),
        ("warehouse:NORTH", "SHOP-1"),
        ("browser:\"Firefox 141\"", "WEB-1"),
        ("odd-key:v", "WEB-1"),
        ("firstSeen:-3h", "SHOP-2 WEB-1"),
        ("lastSeen:-1h", "WEB-1"),
        ("!lastSeen:-1h", "SHOP-1 SHOP-2"),
        (&after, "SHOP-1 SHOP-2 WEB-1"),
        (&before, ""),
        ("firstSeen:>2020-01-01", "SHOP-1 SHOP-2 WEB-1"),
        ("events:3", "SHOP-1"),
        ("events:>1", "SHOP-1 SHOP-2"),
        ("events:<=2", "SHOP-2 WEB-1"),
        ("users:0", "WEB-1"),
        ("users:>=1", "SHOP-1 SHOP-2"),
        ("discount", "SHOP-1"),
        ("DISCOUNT", "SHOP-1"),
        ("second", "WEB-1"),
        ("\"took long\"", "SHOP-2"),
        ("!import", "SHOP-1 WEB-1"),
        ("100%", "WEB-1"),
        ("is:open level:fatal !environment:production null", "WEB-1"),
        ("is:open is:resolved", ""),
    ] {
        let mut ids = found(&app, &[("query", query)]).await;
        ids.sort();
        assert_eq!(ids.join(" "), expected, "{query}");
    }
}

async fn a_query_that_makes_no_sense_is_refused_at_its_place(engine: Engine) {
    let app = TestApp::start(engine);
    for (query, column, why) in [
        ("is:open is:lost", 9, "`is:lost` is unknown"),
        ("level:loud", 1, "level:loud"),
        ("environment:", 1, "`environment:` needs a value"),
        ("é \"open", 3, "closing"),
        ("events:many", 1, "no count"),
        ("users:-1", 1, "no count"),
        ("boom lastSeen:yesterday", 6, "no time"),
        ("!", 1, "missing"),
    ] {
        let path = format!("/{}", issues_with(&[("query", query)]));
        let problem = app.ask(Method::GET, &path, None).await.json(400);
        let detail = text(&problem["detail"]);
        let place = format!("(at character {column})");
        assert!(detail.contains(&place), "{query}: {detail}");
        assert!(detail.contains(why), "{query}: {detail}");
    }
    let terms = |count: usize| format!("/issues?query={}", ["a"; 51][..count].join("+"));
    assert_eq!(app.ask(Method::GET, &terms(50), None).await.status, 200);
    let many = app.ask(Method::GET, &terms(51), None).await;
    assert!(
        many.json(400)["detail"]
            .to_string()
            .contains("at most 50 terms")
    );
    let bytes = |count: usize| format!("/issues?query={}", "a".repeat(count));
    assert_eq!(app.ask(Method::GET, &bytes(2_000), None).await.status, 200);
    let long = app.ask(Method::GET, &bytes(2_001), None).await;
    assert!(
        long.json(400)["detail"]
            .to_string()
            .contains("at most 2000 bytes")
    );
}

async fn parameters_beside_the_query_narrow_and_order_the_list(engine: Engine) {
    let app = world(engine).await;
    for (parameters, expected) in [
        (&[][..], "WEB-1 SHOP-2 SHOP-1"),
        (&[("sort", "lastSeen")], "WEB-1 SHOP-2 SHOP-1"),
        (&[("sort", "firstSeen")], "WEB-1 SHOP-2 SHOP-1"),
        (&[("sort", "events")], "SHOP-1 SHOP-2 WEB-1"),
        (&[("sort", "users")], "SHOP-1 SHOP-2 WEB-1"),
        (&[("project", "web")], "WEB-1"),
        (&[("project", "1"), ("sort", "events")], "SHOP-1 SHOP-2"),
        (&[("environment", "staging")], "SHOP-2"),
        (&[("environment", "stag*")], ""),
        (&[("period", "90m")], "WEB-1"),
        (&[("period", "3h")], "WEB-1 SHOP-2"),
        (&[("period", "1d")], "WEB-1 SHOP-2 SHOP-1"),
        (&[("period", "all")], "WEB-1 SHOP-2 SHOP-1"),
        (&[("query", "is:open"), ("project", "shop")], "SHOP-1"),
    ] {
        let ids = found(&app, parameters).await;
        assert_eq!(ids.join(" "), expected, "{parameters:?}");
    }
    for (wrong, why) in [
        ("sort=title", "sort"),
        ("period=soon", "period"),
        ("period=-1h", "period"),
        ("color=red", "color"),
    ] {
        let answer = app
            .ask(Method::GET, &format!("/issues?{wrong}"), None)
            .await;
        let detail = answer.json(400)["detail"].to_string();
        assert!(detail.contains(why), "{wrong}: {detail}");
    }
    let missing = app.ask(Method::GET, "/issues?project=nowhere", None).await;
    assert_eq!(missing.status, 404);
}

on_each_engine!(
    async every_key_finds_what_it_names,
    async a_query_that_makes_no_sense_is_refused_at_its_place,
    async parameters_beside_the_query_narrow_and_order_the_list,
);
