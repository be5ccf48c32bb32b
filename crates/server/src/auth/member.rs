//! The extractors that let members in. Each names the action it opens for: a handler with
//! `OrgMember<ReadIssues>` in its signature cannot run for anybody whom the policy refuses.
//!
//! Order: who asks (401) → is it theirs (404) → may they (403). A foreign thing and one that does
//! not exist read the same (rule D-6).

use std::marker::PhantomData;
use std::str::FromStr;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use copal_model::policy::{Action, Denied, OrgSettings};
use copal_model::{Issue, IssueId, Member, OrgId, Organization, Project, ProjectId, ShortId, Slug};
use copal_store::access::{IssueRef, OrgAccess, OrgRef, ProjectRef};
use copal_store::{OrgScope, ProjectScope};
use copal_ui::form::Permission;

use crate::app::App;
use crate::auth::permit::Permit;
use crate::auth::{Refusal, SignedIn};

/// A member let into the organization `{org}` for the action `A`.
#[derive(Debug, Clone)]
pub struct OrgMember<A> {
    /// Who is asking.
    pub signed_in: SignedIn,
    /// Leave to touch the organization's data.
    pub scope: OrgScope,
    /// The organization.
    pub organization: Organization,
    /// The caller's membership.
    pub member: Member,
    action: PhantomData<fn() -> A>,
}

/// A member let into the project `{project}` of `{org}` for the action `A`.
#[derive(Debug, Clone)]
pub struct ProjectMember<A> {
    /// The caller in the organization.
    pub org: OrgMember<A>,
    /// Leave to touch the project's data.
    pub scope: ProjectScope,
    /// The project.
    pub project: Project,
}

/// A member let to the issue `{issue}` of `{org}` for the action `A`.
#[derive(Debug, Clone)]
pub struct IssueMember<A> {
    /// The caller in the organization.
    pub org: OrgMember<A>,
    /// Leave to touch the data of the issue's project.
    pub scope: ProjectScope,
    /// The issue.
    pub issue: Issue,
}

impl<A: Permit> FromRequestParts<App> for OrgMember<A> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        let member = Self::open(parts, app).await?;
        member.check(app).await?;
        Ok(member)
    }
}

impl<A: Permit> FromRequestParts<App> for ProjectMember<A> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        let org = OrgMember::open(parts, app).await?;
        let missing = Refusal::NotFound { what: "project" };
        let Some(wanted) = parse_project(&path_param(parts, "project").await?) else {
            return Err(missing);
        };
        let (scope, project) = app
            .store
            .open_project(&org.scope, &wanted)
            .await?
            .ok_or(missing)?;
        org.check(app).await?;
        Ok(Self {
            org,
            scope,
            project,
        })
    }
}

impl<A: Permit> FromRequestParts<App> for IssueMember<A> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        let org = OrgMember::open(parts, app).await?;
        let missing = Refusal::NotFound { what: "issue" };
        let Some(wanted) = parse_issue(&path_param(parts, "issue").await?) else {
            return Err(missing);
        };
        let (scope, issue) = app
            .store
            .find_issue(&org.scope, &wanted)
            .await?
            .ok_or(missing)?;
        org.check(app).await?;
        Ok(Self { org, scope, issue })
    }
}

impl<A: Permit> OrgMember<A> {
    async fn open(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        let signed_in = <SignedIn as FromRequestParts<App>>::from_request_parts(parts, app).await?;
        let missing = Refusal::NotFound {
            what: "organization",
        };
        let Some(wanted) = parse_org(&path_param(parts, "org").await?) else {
            return Err(missing);
        };
        let access = app
            .store
            .open_org(signed_in.user.id, &wanted)
            .await?
            .ok_or(missing)?;
        Ok(Self {
            signed_in,
            scope: access.scope,
            organization: access.organization,
            member: access.member,
            action: PhantomData,
        })
    }

    async fn check(&self, app: &App) -> Result<(), Refusal> {
        if self.may(A::ACTION) {
            return self.signed_in.reaches(A::ACTION, app);
        }
        let denied = self.denied(A::ACTION, app).await?;
        Err(Refusal::RoleTooLow(Box::new(denied)))
    }
}

impl<A> OrgMember<A> {
    /// Whether the caller's role may do something else too.
    pub fn may(&self, action: Action) -> bool {
        self.member.role.may(action, OrgSettings::STANDARD)
    }

    /// Whether the caller's role may, and the credential reaches so far.
    pub fn sees(&self, action: Action, app: &App) -> bool {
        self.may(action) && self.signed_in.reaches(action, app).is_ok()
    }

    /// Whether the caller's role may do something else too and, if not, why and whom to ask.
    ///
    /// # Errors
    /// When the store cannot say.
    pub async fn permission(&self, action: Action, app: &App) -> Result<Permission, Refusal> {
        if self.may(action) {
            return Ok(Permission::Granted);
        }
        let denied = self.denied(action, app).await?;
        Ok(Permission::Denied(denied.to_string()))
    }

    /// Why the caller's role may not, and what would help.
    ///
    /// # Errors
    /// When the store cannot say.
    pub async fn denied(&self, action: Action, app: &App) -> Result<Denied, Refusal> {
        let members = app.store.list_members(&self.scope).await?;
        let role = self.member.role;
        Ok(Denied::of(action, role, OrgSettings::STANDARD, &members))
    }
}

/// Whether whom the store has let in may do something there.
pub fn may(access: &OrgAccess, action: Action) -> bool {
    access.member.role.may(action, OrgSettings::STANDARD)
}

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
