//! `/api/v1/docs`: the REST API for people, from the route table and its OpenAPI descriptions.

use axum::extract::State;
use axum::response::Response;
use copal_ui::NavItem;
use copal_ui::pages::api_docs::{ApiDocs, ApiField, Operation, OperationGroup};
use copal_ui::urls::route;
use utoipa::openapi::{RefOr, Required};

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
    let page = ApiDocs {
        nav,
        base_url: app.settings.base_url.clone(),
        groups: groups(&routes::table()),
    };
    frame.show(&page)
}

/// Operations by the last noun of their path, in the order of the table.
fn groups(table: &[Route]) -> Vec<OperationGroup> {
    let mut groups: Vec<OperationGroup> = Vec::new();
    for route in table {
        let Some(described) = route.operation else {
            continue;
        };
        let title = subject(route.path);
        let operation = operation(route, &described());
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
    let mut letters = noun.chars();
    let first = letters.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(letters).collect()
}

fn operation(route: &Route, described: &utoipa::openapi::path::Operation) -> Operation {
    let scope = match route.access {
        RouteAccess::Org(action) => action.rule().scope.unwrap_or("session only"),
        _ => "",
    };
    Operation {
        method: route.method.to_string(),
        path: route.path.to_owned(),
        summary: route.summary.to_owned(),
        description: described.description.clone().unwrap_or_default(),
        scope: scope.to_owned(),
        parameters: parameters(described),
        body: Vec::new(),
        answers: described
            .responses
            .responses
            .keys()
            .map(|status| (status.clone(), String::new()))
            .collect(),
    }
}

fn parameters(described: &utoipa::openapi::path::Operation) -> Vec<ApiField> {
    let parameters = described.parameters.as_deref().unwrap_or(&[]);
    parameters
        .iter()
        .filter_map(|parameter| match parameter {
            RefOr::T(parameter) => Some(parameter),
            RefOr::Ref(_) => None,
        })
        .map(|parameter| ApiField {
            name: parameter.name.clone(),
            kind: String::new(),
            is_required: parameter.required == Required::True,
            description: parameter.description.clone().unwrap_or_default(),
        })
        .collect()
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
        let groups = groups(&table);
        let shown: usize = groups.iter().map(|group| group.operations.len()).sum();
        assert_eq!(shown, described);
        assert!(groups.iter().any(|group| group.title == "Issues"));
    }
}
