//! Organizations.

use axum::extract::State;
use axum::http::{Method, StatusCode, Uri};
use copal_model::limits::ORG_NAME_CHARS_MAX;
use copal_model::policy::{Action, OrgSetting, OrgSettings};
use copal_model::{OrgId, Role};
use copal_store::access::OrgRef;
use copal_store::organizations::{NewOrganization, OrganizationPatch};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::{Json, name_in, slug_in};
use super::describe::Call;
use super::list::{Listed, page_of};
use super::query::{Paging, Query};
use super::{Result, names};
use crate::app::App;
use crate::auth::member::TOKEN_ROLE;
use crate::auth::permit::{DeleteOrg, ReadOrg, WriteOrg};
use crate::auth::{Caller, OrgCaller, OrgMember, SignedIn};
use crate::fresh;
use crate::problem::Problem;
use crate::routes::{Route, RouteAccess};

/// An organization, to one of its members.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Organization {
    id: String,
    name: String,
    slug: String,
    plan: names::Plan,
    is_personal: bool,
    /// The caller's.
    role: names::Role,
    settings: OrganizationSettings,
    #[schema(format = DateTime)]
    created_at: String,
}

/// What an organization allows its members.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a setting of its own"
)]
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrganizationSettings {
    /// Viewers see events as JSON.
    viewers_see_raw: bool,
    /// Members delete issues.
    members_delete_issues: bool,
    /// Members create projects.
    members_create_projects: bool,
    /// Members invite people as MEMBER or VIEWER.
    members_invite: bool,
}

/// A change to what an organization allows its members; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OrganizationSettingsChange {
    viewers_see_raw: Option<bool>,
    members_delete_issues: Option<bool>,
    members_create_projects: Option<bool>,
    members_invite: Option<bool>,
}

/// A shared organization to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OrganizationNew {
    #[schema(min_length = 1, max_length = 100)]
    name: String,
}

/// A change to an organization.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OrganizationChange {
    #[schema(min_length = 1, max_length = 100)]
    name: Option<String>,
    #[schema(min_length = 1, max_length = 50)]
    slug: Option<String>,
    /// Changed by instance administrators only.
    plan: Option<names::Plan>,
    settings: Option<OrganizationSettingsChange>,
}

const ALL: &str = "/api/v1/organizations";
const ONE: &str = "/api/v1/organizations/{org}";

/// The routes.
pub fn routes() -> Vec<Route> {
    vec![
        Route::get(ALL, RouteAccess::Principal, "List own organizations", list)
            .with_operation(|| Call::lists::<Organization>().operation()),
        Route::post(ALL, RouteAccess::Principal, "Make an organization", create).with_operation(
            || {
                Call::creates::<Organization>()
                    .takes::<OrganizationNew>()
                    .operation()
            },
        ),
        Route::get(
            ONE,
            RouteAccess::Org(Action::ReadOrg),
            "Show an organization",
            show,
        )
        .with_operation(|| Call::answers::<Organization>().operation()),
        Route::new(
            Method::PATCH,
            ONE,
            RouteAccess::Org(Action::WriteOrg),
            "Change an organization",
            update,
        )
        .with_operation(|| {
            Call::answers::<Organization>()
                .takes::<OrganizationChange>()
                .may_conflict()
                .operation()
        }),
        Route::new(
            Method::DELETE,
            ONE,
            RouteAccess::Org(Action::DeleteOrg),
            "Delete a shared organization; an OWNER can take that back for 30 days",
            delete,
        )
        .with_operation(|| {
            Call::deletes()
                .may_conflict()
                .about("Needs a session whose log-in is recent; no token may do it.")
                .operation()
        }),
    ]
}

async fn list(
    caller: Caller,
    State(app): State<App>,
    Query(paging): Query<Paging>,
    uri: Uri,
) -> Result<Listed<Organization>> {
    caller.reaches(Action::ReadOrg, &app)?;
    let request = paging.request()?;
    let all = all_of(&caller, &app).await?;
    let page = page_of(all, &request, |(organization, _)| organization.id)?;
    let page = page.map(|(organization, role)| Organization::of(organization, role));
    Ok(Listed::new(page, &uri, &app.settings))
}

/// The organizations that the caller's credential opens.
async fn all_of(caller: &Caller, app: &App) -> Result<Vec<(copal_model::Organization, Role)>> {
    match caller {
        Caller::Person(signed_in) => {
            let mut all = app.store.list_organizations(signed_in.user.id).await?;
            all.retain(|(organization, _)| signed_in.require_taken_by(organization.id).is_ok());
            Ok(all)
        }
        Caller::Organization(bearer) => {
            let own = OrgRef::Id(bearer.org);
            let found = app.store.open_own_org(bearer, &own).await?;
            let found = found.map(|(_, organization)| (organization, TOKEN_ROLE));
            Ok(found.into_iter().collect())
        }
    }
}

async fn create(
    signed_in: SignedIn,
    State(app): State<App>,
    Json(new): Json<OrganizationNew>,
) -> Result<(StatusCode, axum::Json<Organization>)> {
    signed_in.reaches(Action::WriteOrg, &app)?;
    let new = NewOrganization {
        id: OrgId::new(fresh::uuid_v7(&*app.clock, &*app.entropy)),
        name: name_in("name", &new.name, ORG_NAME_CHARS_MAX)?,
        plan: app.settings.default_plan,
        owner: signed_in.user.id,
        now: app.clock.now(),
    };
    let made = app.store.create_organization(new).await?;
    let made = Organization::of(made, Role::Owner);
    Ok((StatusCode::CREATED, axum::Json(made)))
}

async fn show(org: OrgCaller<ReadOrg>) -> axum::Json<Organization> {
    axum::Json(Organization::of(org.organization, org.role))
}

async fn update(
    org: OrgMember<WriteOrg>,
    State(app): State<App>,
    Json(change): Json<OrganizationChange>,
) -> Result<axum::Json<Organization>> {
    if change.plan.is_some() && !org.signed_in.user.is_instance_admin {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "forbidden",
            "Not allowed",
            "Only instance administrators can change `plan`.",
        ));
    }
    let patch = OrganizationPatch {
        name: change
            .name
            .map(|name| name_in("name", &name, ORG_NAME_CHARS_MAX))
            .transpose()?,
        slug: change.slug.map(|slug| slug_in(&slug)).transpose()?,
        plan: change.plan.map(Into::into),
        settings: change
            .settings
            .map(OrganizationSettingsChange::list)
            .unwrap_or_default(),
    };
    let changed = app.store.update_organization(&org.scope, patch).await?;
    Ok(axum::Json(Organization::of(changed, org.member.role)))
}

async fn delete(org: OrgMember<DeleteOrg>, State(app): State<App>) -> Result<StatusCode> {
    let actor = org.signed_in.actor(&app);
    let answer = app.store.delete_organization(&org.scope, actor, Vec::new());
    org.changed(answer.await?, &app).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl Organization {
    fn of(organization: copal_model::Organization, role: Role) -> Self {
        Self {
            id: organization.id.to_string(),
            name: organization.name,
            slug: organization.slug.to_string(),
            plan: organization.plan.into(),
            is_personal: organization.is_personal,
            role: role.into(),
            settings: OrganizationSettings::of(organization.settings),
            created_at: organization.created_at.to_string(),
        }
    }
}

impl OrganizationSettings {
    fn of(settings: OrgSettings) -> Self {
        Self {
            viewers_see_raw: settings.has(OrgSetting::ViewersSeeRaw),
            members_delete_issues: settings.has(OrgSetting::MembersDeleteIssues),
            members_create_projects: settings.has(OrgSetting::MembersCreateProjects),
            members_invite: settings.has(OrgSetting::MembersInvite),
        }
    }
}

impl OrganizationSettingsChange {
    fn list(self) -> Vec<(OrgSetting, bool)> {
        let named = [
            (OrgSetting::ViewersSeeRaw, self.viewers_see_raw),
            (OrgSetting::MembersDeleteIssues, self.members_delete_issues),
            (
                OrgSetting::MembersCreateProjects,
                self.members_create_projects,
            ),
            (OrgSetting::MembersInvite, self.members_invite),
        ];
        let wanted = named.into_iter();
        wanted
            .filter_map(|(setting, is_on)| Some((setting, is_on?)))
            .collect()
    }
}
