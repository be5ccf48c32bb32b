//! `/o/{org}/members`.

use axum::extract::State;
use axum::response::Response;
use copal_model::policy::Action;
use copal_ui::NavItem;
use copal_ui::pages::organization::Members;

use crate::app::App;
use crate::auth::OrgMember;
use crate::auth::permit::ReadMembers;
use crate::web::Error;
use crate::web::frame::Frame;

pub(super) async fn list(
    State(app): State<App>,
    frame: Frame,
    member: OrgMember<ReadMembers>,
) -> Result<Response, Error> {
    let page = Members {
        nav: frame.in_org(&member, NavItem::Members, &app).await?,
        org: member.organization.clone(),
        may_read_emails: member.permission(Action::ReadMemberEmails, &app).await?,
        members: app.store.list_members(&member.scope).await?,
    };
    frame.show(&page)
}
