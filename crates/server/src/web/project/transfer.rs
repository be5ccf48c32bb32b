//! Moving a project to another organization of which the caller is OWNER too.

use axum::extract::State;
use axum::response::Response;
use copal_model::Role;
use copal_model::policy::Action;
use copal_ui::pages::project::TransferForm;
use copal_ui::urls;

use crate::app::App;
use crate::auth::permit::TransferProject;
use crate::auth::{Form, OrgMember, ProjectMember, Trail, path};
use crate::web::Error;
use crate::web::notice;

pub(super) async fn transfer(
    State(app): State<App>,
    member: ProjectMember<TransferProject>,
    trail: Trail,
    form: Form,
) -> Result<Response, Error> {
    let missing = || Error::not_found("organization");
    let wanted = path::parse_org(form.text("to")?).ok_or_else(missing)?;
    let user = member.org.signed_in.user.id;
    let to = app.store.open_org(user, &wanted).await?;
    let to = to.ok_or_else(missing)?;
    let actor = member.org.signed_in.actor(&app);
    let answer = app
        .store
        .transfer_project(&member.scope, actor, to.organization.id);
    let moved = member.org.changed(answer.await?, &app).await?;
    let place = |org: &str, project: &str| Some(format!("{org}/{project}"));
    let from = member.org.organization.slug.as_str();
    let org = to.organization.slug.as_str();
    trail.changed(
        place(from, member.project.slug.as_str()),
        place(org, moved.slug.as_str()),
    );
    trail.concerns(to.scope);
    let back = urls::project_settings(org, moved.slug.as_str());
    let text = format!("{} is in {} now.", moved.name, to.organization.name);
    Ok(notice::redirect(&back, &text, &app))
}

/// The form with the organizations that the caller could move a project to.
pub(super) async fn form<A>(member: &OrgMember<A>, app: &App) -> Result<TransferForm, Error> {
    let may = member.permission(Action::TransferProject, app).await?;
    let mut targets = Vec::new();
    if may.is_granted() {
        targets = app
            .store
            .list_organizations(member.signed_in.user.id)
            .await?;
        targets.retain(|(org, role)| *role == Role::Owner && org.id != member.organization.id);
    }
    Ok(TransferForm {
        targets: targets.into_iter().map(|(org, _)| org).collect(),
        may,
        is_fresh: member
            .signed_in
            .reaches(Action::TransferProject, app)
            .is_ok(),
    })
}
