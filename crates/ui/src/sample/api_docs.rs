//! A sample of the page about the REST API.

use super::nav;
use crate::nav::NavItem;
use crate::pages::api_docs::{ApiDocs, ApiField, Operation, OperationGroup};

impl ApiDocs {
    /// Two operations.
    pub fn sample() -> Self {
        let field = |name: &str, kind: &str, is_required, description: &str| ApiField {
            name: name.to_owned(),
            kind: kind.to_owned(),
            is_required,
            description: description.to_owned(),
        };
        let answer = |status: &str, meaning: &str| (status.to_owned(), meaning.to_owned());
        Self {
            nav: nav(NavItem::Api),
            base_url: "http://127.0.0.1:8000".to_owned(),
            groups: vec![OperationGroup {
                title: "Issues".to_owned(),
                operations: vec![
                    Operation {
                        method: "GET".to_owned(),
                        path: "/api/v1/organizations/{org}/issues".to_owned(),
                        summary: "List issues".to_owned(),
                        description: "No query means every status and all time.".to_owned(),
                        scope: "event:read".to_owned(),
                        parameters: vec![
                            field("org", "string", true, "Slug or id of the organization."),
                            field("query", "string", false, "is:open level:error and more."),
                        ],
                        body: Vec::new(),
                        answer: vec![field("shortId", "string", true, "SHOP-12")],
                        statuses: vec![answer("200", "The issues."), answer("400", "A bad query.")],
                    },
                    Operation {
                        method: "PATCH".to_owned(),
                        path: "/api/v1/organizations/{org}/issues/{issue}".to_owned(),
                        summary: "Change an issue".to_owned(),
                        description: String::new(),
                        scope: "event:write".to_owned(),
                        parameters: vec![field("org", "string", true, "")],
                        body: vec![field(
                            "status",
                            "string",
                            false,
                            "OPEN, RESOLVED or IGNORED.",
                        )],
                        answer: Vec::new(),
                        statuses: vec![answer("200", "The issue.")],
                    },
                ],
            }],
        }
    }
}
