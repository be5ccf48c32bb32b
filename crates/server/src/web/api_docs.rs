//! `/api/v1/docs`: the REST API for people, read from the OpenAPI document of the route table, so
//! that the two cannot differ.

use axum::extract::State;
use axum::response::Response;
use copal_ui::NavItem;
use copal_ui::pages::api_docs::{ApiDocs, ApiField, Operation, OperationGroup};
use copal_ui::urls::route;
use serde_json::Value;

use crate::api::openapi;
use crate::app::App;
use crate::auth::SignedIn;
use crate::routes::{self, Route, RouteAccess};
use crate::web::Error;
use crate::web::frame::Frame;

pub(super) fn routes() -> Vec<Route> {
    vec![Route::get(
        route::API_DOCS,
        RouteAccess::Public,
        "documentation of the REST API",
        show,
    )]
}

async fn show(
    State(app): State<App>,
    mut frame: Frame,
    signed_in: Option<SignedIn>,
) -> Result<Response, Error> {
    let nav = match signed_in {
        Some(signed_in) => frame.of_person(&signed_in, NavItem::Api, &app).await?,
        None => frame.for_everybody(&app),
    };
    let base_url = app.settings.base_url.clone();
    let page = ApiDocs {
        nav,
        groups: groups(&routes::table(), &base_url),
        base_url,
    };
    frame.show(&page)
}

/// Operations by the last noun of their path, in the order of the table.
fn groups(table: &[Route], base_url: &str) -> Vec<OperationGroup> {
    // A document that serde cannot write would fail the tests of `openapi` first.
    let document = serde_json::to_value(openapi::document(table, base_url)).unwrap_or_default();
    let mut groups: Vec<OperationGroup> = Vec::new();
    for route in table {
        if route.operation.is_none() {
            continue;
        }
        let title = subject(route.path);
        let operation = operation(route, &document);
        match groups.iter_mut().find(|group| group.title == title) {
            Some(group) => group.operations.push(operation),
            None => groups.push(OperationGroup {
                title,
                operations: vec![operation],
            }),
        }
    }
    groups
}

fn subject(path: &str) -> String {
    let noun = path
        .rsplit('/')
        .find(|part| !part.starts_with('{'))
        .unwrap_or_default();
    if noun == "openapi.json" {
        return "This document".to_owned();
    }
    let mut letters = noun.chars();
    let first = letters.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(letters).collect()
}

fn operation(route: &Route, document: &Value) -> Operation {
    let scope = match route.access {
        RouteAccess::Org(action) => action.rule().reach.scope().unwrap_or("session only"),
        _ => "",
    };
    let method = route.method.as_str().to_ascii_lowercase();
    let described = &document["paths"][route.path][&method];
    let body = &described["requestBody"]["content"]["application/json"]["schema"];
    Operation {
        method: route.method.to_string(),
        path: route.path.to_owned(),
        summary: route.summary.to_owned(),
        description: text(&described["description"]),
        scope: scope.to_owned(),
        parameters: list(&described["parameters"]).map(parameter).collect(),
        body: fields(body, document),
        answer: answer(&described["responses"], document),
        statuses: statuses(&described["responses"]),
    }
}

fn parameter(described: &Value) -> ApiField {
    ApiField {
        name: text(&described["name"]),
        kind: text(&described["in"]),
        is_required: described["required"] == true,
        description: text(&described["description"]),
    }
}

/// What a call answers when all goes well, field by field; of a list, the fields of a row.
fn answer(responses: &Value, document: &Value) -> Vec<ApiField> {
    let schema = |status: &str| &responses[status]["content"]["application/json"]["schema"];
    let good = ["200", "201"].into_iter().map(schema);
    let schema = good.into_iter().find(|schema| !schema.is_null());
    schema.map_or_else(Vec::new, |schema| match &schema["items"] {
        Value::Null => fields(schema, document),
        items => fields(items, document),
    })
}

fn statuses(responses: &Value) -> Vec<(String, String)> {
    let responses = responses.as_object().into_iter().flatten();
    responses
        .map(|(status, response)| (status.clone(), text(&response["description"])))
        .collect()
}

/// The fields of a schema: named elsewhere, put together of several, or an object itself.
fn fields(schema: &Value, document: &Value) -> Vec<ApiField> {
    if let Some(named) = referred(schema, document) {
        return fields(named, document);
    }
    let parts = list(&schema["allOf"]).flat_map(|part| fields(part, document));
    let perhaps = list(&schema["oneOf"]).flat_map(|part| fields(part, document));
    let perhaps = perhaps.map(|field| ApiField {
        is_required: false,
        ..field
    });
    let required: Vec<_> = list(&schema["required"])
        .filter_map(Value::as_str)
        .collect();
    let own = schema["properties"].as_object().into_iter().flatten();
    let own = own.map(|(name, property)| ApiField {
        name: name.clone(),
        kind: kind(property, document),
        is_required: required.contains(&name.as_str()),
        description: text(&property["description"]),
    });
    parts.chain(perhaps).chain(own).collect()
}

/// What a field holds, in words: `string or null`, `OPEN, RESOLVED or IGNORED`.
fn kind(property: &Value, document: &Value) -> String {
    if let Some(named) = referred(property, document) {
        return kind(named, document);
    }
    let words = |values: &Value| list(values).map(text).collect::<Vec<_>>();
    if !property["enum"].is_null() {
        return either(&words(&property["enum"]));
    }
    if !property["oneOf"].is_null() {
        let kinds: Vec<_> = list(&property["oneOf"])
            .map(|one| kind(one, document))
            .collect();
        return either(&kinds);
    }
    match &property["type"] {
        Value::String(name) if name == "array" => {
            format!("list of {}", kind(&property["items"], document))
        }
        Value::String(name) => name.clone(),
        kinds => either(&words(kinds)),
    }
}

fn either(words: &[String]) -> String {
    match words {
        [] => "anything".to_owned(),
        [one] => one.clone(),
        [rest @ .., last] => format!("{} or {last}", rest.join(", ")),
    }
}

fn referred<'a>(schema: &Value, document: &'a Value) -> Option<&'a Value> {
    let reference = schema["$ref"].as_str()?;
    document.pointer(reference.strip_prefix('#')?)
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_has_its_place() {
        let table = routes::table();
        let described = table
            .iter()
            .filter(|route| route.operation.is_some())
            .count();
        let groups = groups(&table, "http://localhost:8000");
        let shown: usize = groups.iter().map(|group| group.operations.len()).sum();
        assert_eq!(shown, described);
        assert!(groups.iter().any(|group| group.title == "Issues"));
    }

    fn find(method: &str, path: &str) -> Operation {
        let groups = groups(&routes::table(), "http://localhost:8000");
        let mut operations = groups.into_iter().flat_map(|group| group.operations);
        operations
            .find(|one| one.method == method && one.path == path)
            .expect("it is in the table")
    }

    #[test]
    fn bodies_and_answers_are_told_field_by_field() {
        let issue = find("PATCH", "/api/v1/organizations/{org}/issues/{issue}");
        let status = issue.body.iter().find(|field| field.name == "status");
        let kind = &status.expect("the status can be changed").kind;
        assert!(kind.contains("OPEN") && kind.contains("IGNORED"), "{kind}");
        assert!(issue.answer.iter().any(|field| field.name == "eventsCount"));
        assert!(
            issue
                .statuses
                .iter()
                .any(|(status, why)| status == "404" && !why.is_empty())
        );
        let projects = find("GET", "/api/v1/organizations/{org}/projects");
        let dsn = projects.answer.iter().any(|field| field.name == "dsn");
        assert!(dsn, "what is flattened is a field too");
    }

    #[test]
    fn no_field_is_of_no_kind() {
        for group in groups(&routes::table(), "http://localhost:8000") {
            for one in group.operations {
                for field in one.body.iter().chain(&one.answer) {
                    assert!(
                        !field.kind.is_empty(),
                        "{} {}: {}",
                        one.method,
                        one.path,
                        field.name
                    );
                }
            }
        }
    }
}
