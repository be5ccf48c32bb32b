//! A call's description for OpenAPI, said in a line or two beside its route.

use copal_model::limits::PAGE_ROWS_DEFAULT;
use serde_json::json;
use utoipa::ToSchema;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Operation, OperationBuilder, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Type};
use utoipa::openapi::{Ref, RefOr, Required, Schema};

/// A description in the making. What the route table knows (method, path, access) is added by
/// [`super::openapi`].
pub struct Call(OperationBuilder);

impl Call {
    /// A call that answers 200 with a `T`.
    pub fn answers<T: ToSchema>() -> Self {
        Self::with_body("200", "What was asked for.", reference::<T>())
    }

    /// A call that answers 201 with the `T` that was made.
    pub fn creates<T: ToSchema>() -> Self {
        Self::with_body("201", "What was made.", reference::<T>())
    }

    /// A call that answers 200 with one page of `T`s.
    pub fn lists<T: ToSchema>() -> Self {
        let rows = ArrayBuilder::new().items(reference::<T>()).build();
        let link = HeaderBuilder::new()
            .schema(Some(text()))
            .description(Some("The address of the next page, as `rel=\"next\"`."))
            .build();
        let response = ResponseBuilder::new()
            .description("One page of the list.")
            .content("application/json", content(Schema::from(rows)))
            .header("Link", link)
            .build();
        Self(OperationBuilder::new().response("200", response))
            .query("cursor", "Where the page before ended, from its `Link`.")
            .parameter(
                "limit",
                "Rows wanted; more than 100 are cut down to 100.",
                &limit_schema(),
            )
    }

    /// A call that answers 204 and nothing.
    pub fn deletes() -> Self {
        let response = ResponseBuilder::new().description("It is gone.").build();
        Self(OperationBuilder::new().response("204", response))
    }

    fn with_body(status: &str, description: &str, schema: impl Into<RefOr<Schema>>) -> Self {
        let response = ResponseBuilder::new()
            .description(description)
            .content("application/json", content(schema))
            .build();
        Self(OperationBuilder::new().response(status, response))
    }

    /// The call takes a `B` as its body.
    #[must_use]
    pub fn takes<B: ToSchema>(self) -> Self {
        let body = RequestBodyBuilder::new()
            .content("application/json", content(reference::<B>()))
            .required(Some(Required::True))
            .build();
        let call = self.0.request_body(Some(body));
        Self(
            call.response("413", problem("The body is too large."))
                .response("415", problem("The body is not JSON.")),
        )
    }

    /// The call knows a parameter in the query string.
    #[must_use]
    pub fn query(self, name: &str, description: &str) -> Self {
        self.parameter(name, description, &text())
    }

    /// The call knows a parameter in the query string that is one of a few words.
    #[must_use]
    pub fn choice(self, name: &str, description: &str, words: &[&str]) -> Self {
        let schema = ObjectBuilder::new()
            .schema_type(Type::String)
            .enum_values(Some(words.iter().copied()))
            .build();
        self.parameter(name, description, &Schema::from(schema))
    }

    fn parameter(self, name: &str, description: &str, schema: &Schema) -> Self {
        let parameter = ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Query)
            .required(Required::False)
            .description(Some(description))
            .schema(Some(schema.clone()))
            .build();
        Self(self.0.parameter(parameter))
    }

    /// The call can be in the way of something: 409.
    #[must_use]
    pub fn may_conflict(self) -> Self {
        let response = problem("A name is taken, or a limit is reached.");
        Self(self.0.response("409", response))
    }

    /// What the body names may be missing: 404.
    #[must_use]
    pub fn may_miss(self) -> Self {
        let response =
            problem("What the body names is not there, or not for the caller to know of.");
        Self(self.0.response("404", response))
    }

    /// More about the call.
    #[must_use]
    pub fn about(self, text: &str) -> Self {
        Self(self.0.description(Some(text)))
    }

    /// The description.
    pub fn operation(self) -> Operation {
        self.0.build()
    }
}

/// An answer that is a problem (RFC 9457).
pub fn problem(description: &str) -> utoipa::openapi::Response {
    ResponseBuilder::new()
        .description(description)
        .content(
            "application/problem+json",
            content(Ref::from_schema_name("Problem")),
        )
        .build()
}

fn limit_schema() -> Schema {
    let rows = ObjectBuilder::new()
        .schema_type(Type::Integer)
        .minimum(Some(1))
        .default(Some(json!(PAGE_ROWS_DEFAULT)));
    Schema::from(rows.build())
}

/// A text.
pub fn text() -> Schema {
    Schema::from(ObjectBuilder::new().schema_type(Type::String).build())
}

fn content(schema: impl Into<RefOr<Schema>>) -> utoipa::openapi::Content {
    ContentBuilder::new().schema(Some(schema)).build()
}

fn reference<T: ToSchema>() -> Ref {
    Ref::from_schema_name(T::name())
}

/// The schema of a problem.
pub fn problem_schema() -> Schema {
    let status = ObjectBuilder::new().schema_type(Type::Integer).build();
    Schema::from(
        ObjectBuilder::new()
            .description(Some("Why a call was not answered (RFC 9457)."))
            .property("type", text())
            .property("title", text())
            .property("status", status)
            .property("detail", text())
            .property("requestId", text())
            .property("neededRole", text())
            .property("grantedBy", ArrayBuilder::new().items(RefOr::T(text())).build())
            .examples([json!({
                "type": "urn:copal:problem:not-found",
                "title": "Not found",
                "status": 404,
                "detail": "There is no such project here, or you are not a member of where it belongs.",
                "requestId": "0198f3a200007000800000000000000a"
            })])
            .build(),
    )
}
