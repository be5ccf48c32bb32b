//! The OpenAPI document as a page: read from the very document that programs get.

use axum::extract::State;
use axum::response::Response;
use copal_ui::NavItem;
use copal_ui::pages::api_docs::{ApiDocs, ApiField, Operation, OperationGroup};
use serde_json::Value;

use super::describe::Call;
use super::openapi;
use crate::app::App;
use crate::auth::SignedIn;
use crate::routes::{self, Route, RouteAccess};
use crate::web::Error;
use crate::web::frame::Frame;

/// The routes.
pub fn routes() -> Vec<Route> {
    vec![
        Route::get(
            "/api/v1/docs",
            RouteAccess::Public,
            "Show this document as a page",
            show,
        )
        .with_operation(|| Call::answers_page().operation()),
    ]
}

async fn show(
    mut frame: Frame,
    signed_in: Option<SignedIn>,
    State(app): State<App>,
) -> Result<Response, Error> {
    let nav = match &signed_in {
        Some(signed_in) => frame.of_person(signed_in, NavItem::Api, &app).await?,
        None => frame.for_everybody(&app),
    };
    let base_url = app.settings.base_url.clone();
    let document = openapi::document(&routes::table(), &base_url);
    let document = serde_json::to_value(&document)
        .map_err(|error| copal_store::Error::Broken(Box::new(error)))?;
    frame.show(&ApiDocs {
        nav,
        base_url,
        groups: groups(&document),
    })
}

/// Operations by subject, in the order of their paths.
fn groups(document: &Value) -> Vec<OperationGroup> {
    let mut groups: Vec<OperationGroup> = Vec::new();
    for (path, item) in fields(&document["paths"]) {
        for (method, operation) in fields(item) {
            let title = capitalised(text(&operation["tags"][0]));
            let operation = operation_of(method, path, operation, document);
            match groups.iter_mut().find(|group| group.title == title) {
                Some(group) => group.operations.push(operation),
                None => groups.push(OperationGroup {
                    title,
                    operations: vec![operation],
                }),
            }
        }
    }
    groups
}

fn operation_of(method: &str, path: &str, operation: &Value, document: &Value) -> Operation {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let answers = fields(&operation["responses"]);
    Operation {
        method: method.to_ascii_uppercase(),
        path: path.to_owned(),
        summary: text(&operation["summary"]).to_owned(),
        description: text(&operation["description"]).to_owned(),
        scope: text(&operation["security"][0]["bearer"][0]).to_owned(),
        parameters: parameters.map(parameter).collect(),
        body: body(
            &operation["requestBody"]["content"]["application/json"]["schema"],
            document,
        ),
        answers: answers
            .map(|(status, answer)| (status.clone(), text(&answer["description"]).to_owned()))
            .collect(),
    }
}

fn parameter(parameter: &Value) -> ApiField {
    ApiField {
        name: text(&parameter["name"]).to_owned(),
        kind: kind(&parameter["schema"]),
        is_required: parameter["required"] == Value::Bool(true),
        description: text(&parameter["description"]).to_owned(),
    }
}

/// The fields of a body, looked up where its schema is kept.
fn body(schema: &Value, document: &Value) -> Vec<ApiField> {
    let reference = text(&schema["$ref"]).trim_start_matches('#');
    let Some(schema) = document
        .pointer(reference)
        .filter(|_| !reference.is_empty())
    else {
        return Vec::new();
    };
    let required = schema["required"].as_array();
    let is_required = |name: &str| {
        required.is_some_and(|required| required.iter().any(|known| text(known) == name))
    };
    fields(&schema["properties"])
        .map(|(name, field)| ApiField {
            name: name.clone(),
            kind: kind(field),
            is_required: is_required(name),
            description: text(&field["description"]).to_owned(),
        })
        .collect()
}

/// The type in a word. A field that may be left out lists `null` beside its own type.
fn kind(schema: &Value) -> String {
    let own = match &schema["type"] {
        Value::Array(types) => types.iter().map(text).find(|name| *name != "null"),
        name => name.as_str(),
    };
    own.unwrap_or("string").to_owned()
}

fn fields(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_is_on_the_page_with_its_fields() {
        let document = openapi::document(&super::super::routes(), "http://localhost:8000");
        let groups = groups(&serde_json::to_value(&document).unwrap());
        let operations = || groups.iter().flat_map(|group| &group.operations);
        assert_eq!(operations().count(), super::super::routes().len());

        let create = operations()
            .find(|call| call.method == "POST" && call.path.ends_with("/projects"))
            .unwrap();
        assert_eq!(create.scope, "project:write");
        assert_eq!(create.parameters[0].name, "org");
        assert!(create.parameters[0].is_required);
        let name = create.body.iter().find(|field| field.name == "name");
        assert!(name.unwrap().is_required);
        let platform = create.body.iter().find(|field| field.name == "platform");
        let platform = platform.unwrap();
        assert_eq!(
            (platform.kind.as_str(), platform.is_required),
            ("string", false)
        );
        assert!(create.answers.iter().any(|(status, _)| status == "201"));
    }
}
