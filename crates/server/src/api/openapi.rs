//! The OpenAPI document, made from the route table: what is routed is documented, and the other
//! way round.

use axum::extract::State;
use axum::http::{Method, header};
use axum::response::IntoResponse;
use utoipa::openapi::path::{HttpMethod, Operation, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ComponentsBuilder, ObjectBuilder, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::server::ServerBuilder;
use utoipa::openapi::{
    InfoBuilder, OpenApi, OpenApiBuilder, PathsBuilder, RefOr, Required, Schema,
};
use utoipa::{PartialSchema, ToSchema};

use super::describe::{Call, problem, problem_schema, text};
use super::{
    events, inbound, issues, keys, me, members, names, organizations, projects, tokens, usage,
};
use crate::app::App;
use crate::problem::Problem;
use crate::routes::{self, Route, RouteAccess};

/// What the security scheme is called in the document.
const BEARER: &str = "bearer";

/// An OpenAPI document.
#[derive(Debug, ToSchema)]
struct Document;

/// The routes.
pub fn routes() -> Vec<Route> {
    vec![
        Route::get(
            "/api/v1/openapi.json",
            RouteAccess::Public,
            "Show this document",
            show,
        )
        .with_operation(|| Call::answers::<Document>().operation()),
    ]
}

async fn show(State(app): State<App>) -> super::Result<impl IntoResponse> {
    let document = document(&routes::table(), &app.settings.base_url);
    let json = document
        .to_json()
        .map_err(|error| Problem::from(copal_store::Error::Broken(Box::new(error))))?;
    Ok(([(header::CONTENT_TYPE, "application/json")], json))
}

/// The document of a route table, on a server that is reached at `base_url`.
pub fn document(table: &[Route], base_url: &str) -> OpenApi {
    let mut paths = PathsBuilder::new().build();
    for route in table {
        if let (Some(operation), Some(method)) = (route.operation, method_of(&route.method)) {
            let operation = completed(operation(), route);
            paths.add_path_operation(route.path, vec![method], operation);
        }
    }
    let info = InfoBuilder::new()
        .title("Copal")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "Ids are strings, enumerations stand in capitals, times are RFC 3339 in UTC. Errors \
             are problems (RFC 9457). `{org}` is an id or slug, `{project}` an id or slug, \
             `{issue}` an id or short id.",
        ))
        .build();
    OpenApiBuilder::new()
        .info(info)
        .servers(Some([ServerBuilder::new().url(base_url).build()]))
        .paths(paths)
        .components(Some(components()))
        .build()
}

fn method_of(method: &Method) -> Option<HttpMethod> {
    match method.as_str() {
        "GET" => Some(HttpMethod::Get),
        "POST" => Some(HttpMethod::Post),
        "PATCH" => Some(HttpMethod::Patch),
        "DELETE" => Some(HttpMethod::Delete),
        _ => None,
    }
}

/// Adds what the route itself says: name, subject, parts of the path, who gets in.
fn completed(mut operation: Operation, route: &Route) -> Operation {
    operation.summary = Some(route.summary.to_owned());
    operation.operation_id = Some(operation_id(route));
    operation.tags = Some(vec![subject(route.path).to_owned()]);
    let parts = path_names(route.path).map(|name| {
        let parameter = ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Path)
            .required(Required::True)
            .schema(Some(text()))
            .build();
        RefOr::T(parameter)
    });
    let queries = operation.parameters.take().unwrap_or_default();
    operation.parameters = Some(parts.chain(queries).collect());
    let mut add = |status: &str, what: &str| {
        let answer = RefOr::T(problem(what));
        operation
            .responses
            .responses
            .insert(status.to_owned(), answer);
    };
    if route.access != RouteAccess::Public {
        add("400", "What was sent cannot be used.");
        add("401", "No valid token or session.");
        add("403", "The role or the token's scopes do not reach so far.");
        let scope = match route.access {
            RouteAccess::Org(action) => action.rule().reach.scope(),
            _ => None,
        };
        operation.security = Some(vec![SecurityRequirement::new(BEARER, scope)]);
    }
    if let RouteAccess::Org(_) = route.access {
        let missing = RefOr::T(problem(
            "It is not there, or not for the caller to know of.",
        ));
        operation
            .responses
            .responses
            .insert("404".to_owned(), missing);
    }
    operation
}

/// `GET /api/v1/organizations/{org}/issues` → `get_organizations_org_issues`.
fn operation_id(route: &Route) -> String {
    let path = route.path.trim_start_matches("/api/v1/");
    let words: Vec<_> = path
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    format!(
        "{}_{}",
        route.method.as_str().to_ascii_lowercase(),
        words.join("_")
    )
}

/// The last noun of a path: what the call is about.
fn subject(path: &str) -> &str {
    path.rsplit('/')
        .find(|part| !part.starts_with('{'))
        .unwrap_or_default()
}

fn path_names(path: &str) -> impl Iterator<Item = &str> {
    path.split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

fn components() -> utoipa::openapi::Components {
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("A personal API token."))
        .build();
    let document = ObjectBuilder::new().schema_type(Type::Object).build();
    let builder = ComponentsBuilder::new()
        .security_scheme(BEARER, SecurityScheme::Http(bearer))
        .schema("Problem", problem_schema())
        .schema("Document", Schema::from(document));
    let builder = with::<names::Role>(with::<names::Plan>(builder));
    let builder = with::<names::IssueStatus>(with::<names::Level>(builder));
    let builder = with::<me::Me>(with::<me::MePatch>(builder));
    let builder = with::<organizations::Organization>(builder);
    let builder = with::<organizations::OrganizationSettings>(builder);
    let builder = with::<organizations::OrganizationSettingsChange>(builder);
    let builder = with::<organizations::OrganizationNew>(builder);
    let builder = with::<members::MemberChange>(builder);
    let builder = with::<tokens::Token>(builder);
    let builder = with::<tokens::OrganizationToken>(builder);
    let builder = with::<tokens::MemberToken>(builder);
    let builder = with::<organizations::OrganizationChange>(builder);
    let builder = with::<usage::Usage>(with::<members::Member>(builder));
    let builder = with::<projects::Project>(with::<projects::ProjectCredential>(builder));
    let builder = with::<projects::ProjectNew>(with::<projects::ProjectChange>(builder));
    let builder = with::<keys::RateLimit>(with::<keys::Key>(with::<keys::KeyNew>(with::<
        keys::KeyChange,
    >(builder))));
    let builder = with::<inbound::Inbound>(with::<inbound::InboundFilters>(builder));
    let builder = with::<inbound::Scrubbing>(with::<inbound::InboundChange>(builder));
    let builder = with::<inbound::FiltersChange>(with::<inbound::ScrubbingChange>(builder));
    let builder = with::<issues::Issue>(with::<issues::IssueChange>(builder));
    with::<events::Event>(with::<events::EventDetail>(builder)).build()
}

fn with<T: ToSchema>(builder: ComponentsBuilder) -> ComponentsBuilder {
    builder.schema(T::name(), <T as PartialSchema>::schema())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn references(value: &serde_json::Value, found: &mut Vec<String>) {
        match value {
            serde_json::Value::Object(fields) => {
                for (name, value) in fields {
                    match value.as_str() {
                        Some(text) if name == "$ref" => found.push(text.to_owned()),
                        _ => references(value, found),
                    }
                }
            }
            serde_json::Value::Array(items) => {
                for item in items {
                    references(item, found);
                }
            }
            _ => {}
        }
    }

    fn json() -> serde_json::Value {
        let document = document(&super::super::routes(), "http://localhost:8000");
        serde_json::to_value(document).unwrap()
    }

    #[test]
    fn every_route_of_the_api_is_documented() {
        let json = json();
        assert_eq!(json["openapi"], "3.1.0");
        for route in super::super::routes() {
            let method = route.method.as_str().to_ascii_lowercase();
            let operation = &json["paths"][route.path][&method];
            assert_eq!(
                operation["summary"], route.summary,
                "{method} {}",
                route.path
            );
            let names = path_names(route.path).count();
            let in_path = operation["parameters"].as_array().unwrap().iter();
            let in_path = in_path.filter(|parameter| parameter["in"] == "path");
            assert_eq!(in_path.count(), names, "{method} {}", route.path);
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let json = json();
        let mut found = Vec::new();
        references(&json, &mut found);
        assert!(found.len() > 20, "{found:?}");
        for reference in found {
            let pointer = reference.trim_start_matches('#');
            assert!(json.pointer(pointer).is_some(), "{reference}");
        }
    }

    #[test]
    fn documented_lengths_are_those_that_are_enforced() {
        use copal_model::limits;
        let json = json();
        for (schema, field, chars) in [
            ("MePatch", "name", limits::USER_NAME_CHARS_MAX),
            ("OrganizationNew", "name", limits::ORG_NAME_CHARS_MAX),
            ("OrganizationChange", "name", limits::ORG_NAME_CHARS_MAX),
            ("OrganizationChange", "slug", limits::SLUG_BYTES_MAX),
            ("ProjectNew", "name", limits::PROJECT_NAME_CHARS_MAX),
            ("ProjectNew", "platform", limits::PLATFORM_CHARS_MAX),
            ("ProjectChange", "name", limits::PROJECT_NAME_CHARS_MAX),
            ("ProjectChange", "slug", limits::SLUG_BYTES_MAX),
            ("ProjectChange", "platform", limits::PLATFORM_CHARS_MAX),
            ("KeyNew", "label", limits::KEY_LABEL_CHARS_MAX),
            ("KeyChange", "label", limits::KEY_LABEL_CHARS_MAX),
        ] {
            let field = &json["components"]["schemas"][schema]["properties"][field];
            assert_eq!(field["maxLength"], chars, "{schema}: {field}");
        }
    }

    #[test]
    fn operations_have_names_of_their_own() {
        let mut ids: Vec<_> = super::super::routes().iter().map(operation_id).collect();
        let count = ids.len();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), count);
    }
}
