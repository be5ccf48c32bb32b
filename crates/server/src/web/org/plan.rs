//! `/o/{org}/settings/plan`: what the plan allows, and how much of it is used.

use axum::extract::State;
use axum::response::Response;
use copal_ui::NavItem;
use copal_ui::pages::organization::PlanAndUse;

use crate::app::App;
use crate::auth::OrgMember;
use crate::auth::permit::ReadUsage;
use crate::web::Error;
use crate::web::frame::Frame;

pub(super) async fn show(
    State(app): State<App>,
    frame: Frame,
    member: OrgMember<ReadUsage>,
) -> Result<Response, Error> {
    let page = PlanAndUse {
        nav: frame.in_org(&member, NavItem::Settings, &app).await?,
        org: member.organization.clone(),
        usage: app.store.find_usage(&member.scope, frame.now()).await?,
    };
    frame.show(&page)
}
