//! The extractors that let members in. Each names the action it opens for: a handler with
//! `OrgMember<ReadIssues>` in its signature cannot run for anybody whom the policy refuses.
//!
//! Order: who asks (401) → is it theirs (404) → may they (403). A foreign thing and one that does
//! not exist read the same (rule D-6).

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::uri::PathAndQuery;
use copal_model::policy::{Action, Denied, OrgSettings};
use copal_model::{Issue, Member, Organization, Project, Role, UserId};
use copal_store::access::{OrgAccess, OrgRef};
use copal_store::{OrgScope, ProjectScope};
use copal_ui::form::Permission;
use copal_ui::urls;
use std::marker::PhantomData;

use crate::app::App;
use crate::auth::caller::changes_something;
use crate::auth::path::{parse_issue, parse_org, parse_project, path_param};
use crate::auth::permit::Permit;
use crate::auth::{Caller, Refusal, SignedIn, Trail};
use crate::middleware::audience::Audience;

/// A member let into the organization `{org}` for the action `A`; no token of an organization is one.
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

/// A member, or the organization itself by a token of its own, let into `{org}` for the action `A`.
#[derive(Debug, Clone)]
pub struct OrgCaller<A> {
    /// Who is asking.
    pub caller: Caller,
    /// Leave to touch the organization's data.
    pub scope: OrgScope,
    /// The organization.
    pub organization: Organization,
    /// The caller's role; of a token of the organization [`TOKEN_ROLE`].
    pub role: Role,
    member: Option<Member>,
    action: PhantomData<fn() -> A>,
}

/// What a token of an organization may at most, whatever its scopes (row 39).
pub const TOKEN_ROLE: Role = Role::Admin;

/// A caller let into the project `{project}` of `{org}`.
#[derive(Debug, Clone)]
pub struct InProject<O> {
    /// The caller in the organization.
    pub org: O,
    /// Leave to touch the project's data.
    pub scope: ProjectScope,
    /// The project.
    pub project: Project,
}

/// A caller let to the issue `{issue}` of `{org}`.
#[derive(Debug, Clone)]
pub struct InIssue<O> {
    /// The caller in the organization.
    pub org: O,
    /// Leave to touch the data of the issue's project.
    pub scope: ProjectScope,
    /// The issue.
    pub issue: Issue,
}

/// A member let into a project for the action `A`.
pub type ProjectMember<A> = InProject<OrgMember<A>>;
/// A member or a token of the organization, let into a project for the action `A`.
pub type ProjectCaller<A> = InProject<OrgCaller<A>>;
/// A member let to an issue for the action `A`.
pub type IssueMember<A> = InIssue<OrgMember<A>>;
/// A member or a token of the organization, let to an issue for the action `A`.
pub type IssueCaller<A> = InIssue<OrgCaller<A>>;

/// Somebody who may be let into an organization, in two steps: what is below it is looked up in
/// between, so that nobody is told of a role what they should be told is not there.
pub trait Entering: Sized + Send + Sync {
    /// Finds the organization, if it is theirs.
    fn open(parts: &mut Parts, app: &App) -> impl Future<Output = Result<Self, Refusal>> + Send;

    /// Whether they may do there what they came for.
    fn check(&self, app: &App) -> impl Future<Output = Result<(), Refusal>> + Send;

    /// Leave to touch the organization's data.
    fn scope(&self) -> &OrgScope;
}

impl<A: Permit> Entering for OrgCaller<A> {
    async fn open(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        let caller = Caller::from_request_parts(parts, app).await?;
        let missing = Refusal::NotFound {
            what: "organization",
        };
        let Some(wanted) = parse_org(&path_param(parts, "org").await?) else {
            return Err(missing);
        };
        match &caller {
            Caller::Person(signed_in) => {
                let user = signed_in.user.id;
                let access = match app.store.open_org(user, &wanted).await? {
                    Some(access) => access,
                    None => open_renamed(parts, app, user, &wanted)
                        .await?
                        .ok_or(missing)?,
                };
                Trail::enter(parts, &caller, access.scope);
                signed_in.require_taken_by(access.organization.id)?;
                Ok(Self {
                    caller,
                    scope: access.scope,
                    organization: access.organization,
                    role: access.member.role,
                    member: Some(access.member),
                    action: PhantomData,
                })
            }
            Caller::Organization(bearer) => {
                let found = app.store.open_own_org(bearer, &wanted).await?;
                let (scope, organization) = found.ok_or(missing)?;
                Trail::enter(parts, &caller, scope);
                Ok(Self {
                    caller,
                    scope,
                    organization,
                    role: TOKEN_ROLE,
                    member: None,
                    action: PhantomData,
                })
            }
        }
    }

    async fn check(&self, app: &App) -> Result<(), Refusal> {
        let settings = self.organization.settings;
        check::<A>(self.role, settings, &self.caller, &self.scope, app).await
    }

    fn scope(&self) -> &OrgScope {
        &self.scope
    }
}

impl<A: Permit> Entering for OrgMember<A> {
    async fn open(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        let entered = OrgCaller::<A>::open(parts, app).await?;
        match (entered.caller, entered.member) {
            (Caller::Person(signed_in), Some(member)) => Ok(Self {
                signed_in,
                scope: entered.scope,
                organization: entered.organization,
                member,
                action: PhantomData,
            }),
            _ => Err(Refusal::PersonNeeded),
        }
    }

    async fn check(&self, app: &App) -> Result<(), Refusal> {
        let caller = Caller::Person(self.signed_in.clone());
        let (role, settings) = (self.member.role, self.organization.settings);
        check::<A>(role, settings, &caller, &self.scope, app).await
    }

    fn scope(&self) -> &OrgScope {
        &self.scope
    }
}

impl<A: Permit> FromRequestParts<App> for OrgMember<A> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        let member = Self::open(parts, app).await?;
        member.check(app).await?;
        Ok(member)
    }
}

impl<A: Permit> FromRequestParts<App> for OrgCaller<A> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        let caller = Self::open(parts, app).await?;
        caller.check(app).await?;
        Ok(caller)
    }
}

impl<O: Entering> FromRequestParts<App> for InProject<O> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        let org = O::open(parts, app).await?;
        let missing = Refusal::NotFound { what: "project" };
        let Some(wanted) = parse_project(&path_param(parts, "project").await?) else {
            return Err(missing);
        };
        let (scope, project) = app
            .store
            .open_project(org.scope(), &wanted)
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

impl<O: Entering> FromRequestParts<App> for InIssue<O> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        let org = O::open(parts, app).await?;
        let missing = Refusal::NotFound { what: "issue" };
        let Some(wanted) = parse_issue(&path_param(parts, "issue").await?) else {
            return Err(missing);
        };
        let (scope, issue) = app
            .store
            .find_issue(org.scope(), &wanted)
            .await?
            .ok_or(missing)?;
        org.check(app).await?;
        Ok(Self { org, scope, issue })
    }
}

impl<A> OrgCaller<A> {
    /// Whether the caller's role may do something else too.
    pub fn may(&self, action: Action) -> bool {
        self.role.may(action, self.organization.settings)
    }

    /// Whether the caller's role may, and the credential reaches so far.
    pub fn sees(&self, action: Action, app: &App) -> bool {
        self.may(action) && self.caller.reaches(action, app).is_ok()
    }
}

impl<A> OrgMember<A> {
    /// Whether the caller's role may do something else too.
    pub fn may(&self, action: Action) -> bool {
        let settings = self.organization.settings;
        self.member.role.may(action, settings)
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
        let settings = self.organization.settings;
        denied(action, self.member.role, settings, &self.scope, app).await
    }
}

async fn check<A: Permit>(
    role: Role,
    settings: OrgSettings,
    caller: &Caller,
    scope: &OrgScope,
    app: &App,
) -> Result<(), Refusal> {
    if role.may(A::ACTION, settings) {
        return caller.reaches(A::ACTION, app);
    }
    let denied = denied(A::ACTION, role, settings, scope, app).await?;
    Err(Refusal::RoleTooLow(Box::new(denied)))
}

async fn denied(
    action: Action,
    role: Role,
    settings: OrgSettings,
    scope: &OrgScope,
    app: &App,
) -> Result<Denied, Refusal> {
    let members = app.store.list_members(scope).await?;
    Ok(Denied::of(action, role, settings, &members))
}

/// The organization that had the slug before, for one of its members. Whoever reads a page is sent
/// to where it is now; forms and the REST API get what they ask for.
async fn open_renamed(
    parts: &Parts,
    app: &App,
    user: UserId,
    wanted: &OrgRef,
) -> Result<Option<OrgAccess>, Refusal> {
    let OrgRef::Slug(slug) = wanted else {
        return Ok(None);
    };
    let found = app.store.open_renamed_org(user, slug).await?;
    let path = parts.uri.path_and_query().map_or("", PathAndQuery::as_str);
    if let Some(access) = &found
        && Audience::of(parts.uri.path()) == Audience::Page
        && !changes_something(&parts.method)
    {
        return Err(Refusal::Moved {
            to: urls::with_org(path, access.organization.slug.as_str()),
        });
    }
    Ok(found)
}

/// Whether whom the store has let in may do something there.
pub fn may(access: &OrgAccess, action: Action) -> bool {
    let settings = access.organization.settings;
    access.member.role.may(action, settings)
}
