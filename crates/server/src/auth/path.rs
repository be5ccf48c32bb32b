//! Organizations, projects, issues and tokens as paths name them.

use std::str::FromStr;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use copal_model::{IssueId, OrgId, ProjectId, ShortId, Slug, TokenId};
use copal_store::access::{IssueRef, OrgRef, ProjectRef};

use crate::app::App;
use crate::auth::Refusal;

/// An organization as a URL names it.
pub fn parse_org(text: &str) -> Option<OrgRef> {
    OrgId::from_str(text)
        .map(OrgRef::Id)
        .ok()
        .or_else(|| Slug::parse(text).map(OrgRef::Slug).ok())
}

/// A project as a URL names it.
pub fn parse_project(text: &str) -> Option<ProjectRef> {
    ProjectId::from_str(text)
        .map(ProjectRef::Id)
        .ok()
        .or_else(|| Slug::parse(text).map(ProjectRef::Slug).ok())
}

/// An issue as a URL names it.
pub fn parse_issue(text: &str) -> Option<IssueRef> {
    IssueId::from_str(text)
        .map(IssueRef::Id)
        .ok()
        .or_else(|| ShortId::from_str(text).map(IssueRef::Short).ok())
}

/// The token that a path names: a person's own, an organization's or a member's. After who asks is
/// known to be let in, in a handler's signature.
#[derive(Debug, Clone, Copy)]
pub struct TokenInPath(pub TokenId);

impl FromRequestParts<App> for TokenInPath {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _app: &App) -> Result<Self, Refusal> {
        for name in ["token", "org_token", "member_token"] {
            if let Ok(text) = path_param(parts, name).await {
                let id = text.parse().map(Self);
                return id.map_err(|_| Refusal::NotFound { what: "token" });
            }
        }
        Err(Refusal::NotFound { what: "token" })
    }
}

/// A parameter of the path, decoded.
///
/// # Errors
/// Not found when the path does not have it or it is not UTF-8.
pub async fn path_param(parts: &mut Parts, name: &'static str) -> Result<String, Refusal> {
    let missing = Refusal::NotFound { what: name };
    let Ok(params) = RawPathParams::from_request_parts(parts, &()).await else {
        return Err(missing);
    };
    params
        .iter()
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value.to_owned())
        .ok_or(missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_slugs_never_collide() {
        assert!(matches!(
            parse_org("0198f3a2-0000-7000-8000-000000000000"),
            Some(OrgRef::Id(_))
        ));
        assert!(matches!(parse_org("shop"), Some(OrgRef::Slug(_))));
        assert!(matches!(parse_project("12"), Some(ProjectRef::Id(_))));
        assert!(matches!(parse_project("shop-2"), Some(ProjectRef::Slug(_))));
        assert!(matches!(parse_issue("4294967297"), Some(IssueRef::Id(_))));
        assert!(matches!(parse_issue("SHOP-12"), Some(IssueRef::Short(_))));
        assert_eq!(parse_project("0"), None);
        assert_eq!(parse_issue("SHOP"), None);
        assert_eq!(parse_org("Shop"), None);
    }
}
