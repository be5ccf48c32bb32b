//! `/o/{org}/members`: who is in, and forms for those who may change that.

use axum::extract::State;
use axum::response::Response;
use copal_model::policy::{Action, Case};
use copal_model::{Member, Role};
use copal_ui::form::Permission;
use copal_ui::pages::organization::{MemberRow, Members};
use copal_ui::{NavItem, urls};

use crate::app::App;
use crate::auth::actor::MemberInPath;
use crate::auth::permit::{ChangeRoles, LeaveOrg, Permit, ReadMembers, RemoveMembers};
use crate::auth::{Form, OrgMember, Refusal};
use crate::problem::Problem;
use crate::web::Error;
use crate::web::frame::Frame;
use crate::web::{home, notice};

pub(super) async fn list(
    State(app): State<App>,
    frame: Frame,
    member: OrgMember<ReadMembers>,
) -> Result<Response, Error> {
    let page = page(&frame, &member, &app).await?;
    frame.show(&page)
}

pub(super) async fn change_role(
    State(app): State<App>,
    member: OrgMember<ChangeRoles>,
    MemberInPath(other): MemberInPath,
    form: Form,
) -> Result<Response, Error> {
    let role: Role = form
        .text("role")?
        .parse()
        .map_err(|_| Refusal::BadForm("Choose a role.".to_owned()))?;
    let actor = member.signed_in.actor(&app);
    let answer = app.store.change_role(&member.scope, actor, other, role);
    let changed = member.changed(answer.await?, &app).await?;
    let text = format!("{} is {} now.", changed.name, changed.role);
    Ok(notice::redirect(&path_of(&member), &text, &app))
}

pub(super) async fn remove(
    State(app): State<App>,
    member: OrgMember<RemoveMembers>,
    MemberInPath(other): MemberInPath,
    _form: Form,
) -> Result<Response, Error> {
    let actor = member.signed_in.actor(&app);
    let answer = app.store.remove_member(&member.scope, actor, other);
    member.changed(answer.await?, &app).await?;
    let text = "Removed the member: they are out at once.";
    Ok(notice::redirect(&path_of(&member), text, &app))
}

pub(super) async fn leave(
    State(app): State<App>,
    member: OrgMember<LeaveOrg>,
    _form: Form,
) -> Result<Response, Error> {
    let user = member.signed_in.user.id;
    let actor = member.signed_in.actor(&app);
    let answer = app.store.remove_member(&member.scope, actor, user);
    member.changed(answer.await?, &app).await?;
    let text = format!("You have left {}.", member.organization.name);
    let home = home::path_of(&app, &member.signed_in.user).await?;
    Ok(notice::redirect(&home, &text, &app))
}

fn path_of<A>(member: &OrgMember<A>) -> String {
    urls::members(member.organization.slug.as_str())
}

/// The page with nothing typed yet.
pub(super) async fn page<A: Permit>(
    frame: &Frame,
    member: &OrgMember<A>,
    app: &App,
) -> Result<Members, Error> {
    let members = app.store.list_members(&member.scope).await?;
    let own = case(member, &member.member, &members);
    let row = |one: &Member| row(member, one, &members);
    Ok(Members {
        nav: frame.in_org(member, NavItem::Members, app).await?,
        org: member.organization.clone(),
        may_read_emails: member.permission(Action::ReadMemberEmails, app).await?,
        may_leave: match own.remove() {
            Ok(_) => Permission::Granted,
            Err(refused) => Permission::Denied(Problem::from(refused).detail),
        },
        members: members.iter().map(row).collect(),
    })
}

/// A member with what the caller may do, by the rules that decide it when it is asked for.
fn row<A>(caller: &OrgMember<A>, member: &Member, members: &[Member]) -> MemberRow {
    let case = case(caller, member, members);
    let may_give = |role: &Role| *role == member.role || case.change_role(*role).is_ok();
    MemberRow {
        roles: Role::ALL.into_iter().filter(may_give).collect(),
        may_remove: !case.is_self && case.remove().is_ok(),
        is_self: case.is_self,
        member: member.clone(),
    }
}

/// What the page knows; whether the accounts can act is asked when something is changed.
fn case<A>(caller: &OrgMember<A>, member: &Member, members: &[Member]) -> Case {
    let is_other_owner =
        |other: &&Member| other.role == Role::Owner && other.user_id != member.user_id;
    Case {
        actor: caller.member.role,
        target: member.role,
        is_self: caller.member.user_id == member.user_id,
        is_personal: caller.organization.is_personal,
        target_can_act: true,
        other_owners: members.iter().filter(is_other_owner).count() as u64,
    }
}
