//! The OpenAPI document as clients read it: what it names is there, and the other way round.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::call::{Answer, client};
use crate::support::{Engine, TestApp, on_each_engine};

/// A path of the document with things that are there, as far as they can be.
fn filled(app: &TestApp, path: &str) -> String {
    let path = path.trim_start_matches("/api/v1");
    let parts = path.split('/').map(|part| match part {
        "{org}" => &*app.org,
        "{project}" => "shop",
        "{issue}" => "SHOP-1",
        "{event}" => "00000000000000000000000000000001",
        "{key}" | "{member}" | "{token}" | "{member_token}" | "{org_token}" => {
            "00000000-0000-0000-0000-000000000000"
        }
        part => {
            assert!(!part.starts_with('{'), "{path}: what is {part}?");
            part
        }
    });
    parts.collect::<Vec<_>>().join("/")
}

/// The least body that a call takes: what it requires, as short as can be.
fn least_body(document: &Value, operation: &Value) -> Option<Value> {
    let content = &operation.get("requestBody")?["content"]["application/json"];
    let reference = content["schema"]["$ref"].as_str().unwrap();
    let schema = document.pointer(reference.trim_start_matches('#')).unwrap();
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    let fields = required
        .iter()
        .map(|name| (name.as_str().unwrap().to_owned(), json!("a")));
    Some(Value::Object(fields.collect()))
}

async fn document(app: &TestApp) -> Value {
    let answer = Answer::to(client().get(app.url("/openapi.json"))).await;
    assert_eq!(answer.header("content-type"), "application/json");
    answer.json(200)
}

/// Method, path and description of every call.
fn operations(document: &Value) -> Vec<(Method, &str, &Value)> {
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let method = method.to_uppercase().parse().unwrap();
            operations.push((method, path.as_str(), operation));
        }
    }
    operations
}

async fn every_documented_call_is_answered_as_documented(engine: Engine) {
    let app = TestApp::start(engine);
    let document = document(&app).await;
    assert!(text_starts(&document["openapi"], "3.1"));
    let server = format!("{}/", document["servers"][0]["url"].as_str().unwrap());
    assert_eq!(server.trim_end_matches('/'), app.base_url);
    let operations = operations(&document);
    assert!(operations.len() >= 20, "{}", operations.len());
    for (method, path, operation) in operations {
        let documented = operation["responses"].as_object().unwrap();
        let body = least_body(&document, operation);
        let address = filled(&app, path);
        let mine = app.call(&app.token, method.clone(), &address, body.clone());
        let mine = mine.await;
        assert_ne!(mine.status, 405, "{method} {path}");
        assert!(
            documented.contains_key(&mine.status.to_string()),
            "{method} {path} answers {}, which is not documented: {}",
            mine.status,
            mine.body
        );
        let nobody = app.call("copal_nobody", method.clone(), &address, body);
        let is_public = operation.get("security").is_none();
        assert_eq!(nobody.await.status == 401, !is_public, "{method} {path}");
    }
}

fn text_starts(value: &Value, start: &str) -> bool {
    value.as_str().is_some_and(|text| text.starts_with(start))
}

async fn operations_and_parameters_are_told_apart(engine: Engine) {
    let app = TestApp::start(engine);
    let document = document(&app).await;
    let operations = operations(&document);
    let ids = operations.iter().map(|one| one.2["operationId"].as_str());
    let ids: BTreeSet<_> = ids.map(Option::unwrap).collect();
    assert_eq!(ids.len(), operations.len());
    for (method, path, operation) in &operations {
        let parameters = operation["parameters"].as_array().unwrap();
        let names: BTreeSet<_> = parameters
            .iter()
            .map(|one| (one["in"].as_str(), one["name"].as_str()))
            .collect();
        assert_eq!(names.len(), parameters.len(), "{method} {path}");
        for part in path.split('/').filter(|part| part.starts_with('{')) {
            let name = part.trim_matches(['{', '}']);
            assert!(
                names.contains(&(Some("path"), Some(name))),
                "{method} {path}: {name}"
            );
        }
        let summary = operation["summary"].as_str().unwrap_or_default();
        assert!(!summary.is_empty(), "{method} {path}");
    }
}

async fn the_readable_page_lists_every_call(engine: Engine) {
    let app = TestApp::start(engine);
    let document = document(&app).await;
    let page = client().get(app.url("/docs")).send().await.unwrap();
    assert_eq!(page.status(), 200);
    let page = page.text().await.unwrap();
    for (method, path, _) in operations(&document) {
        let path = path.trim_start_matches("/api/v1");
        let shown = format!(">{method}</span> <span class=\"operation-path\"><code>{path}</code>");
        assert!(page.contains(&shown), "{shown} is not in {page}");
    }
}

on_each_engine!(
    async every_documented_call_is_answered_as_documented,
    async operations_and_parameters_are_told_apart,
    async the_readable_page_lists_every_call,
);
