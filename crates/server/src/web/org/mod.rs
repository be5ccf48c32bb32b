//! Organizations: making one, the dashboard, the members, settings, and the ways out.

mod create;
mod dashboard;
mod lifecycle;
mod members;
mod plan;
mod settings;
mod tokens;

use copal_model::policy::Action;
use copal_ui::urls::route;

use crate::routes::{Route, RouteAccess};

pub(super) fn routes() -> Vec<Route> {
    let mut routes = own_routes();
    routes.extend(member_routes());
    routes.extend(settings_routes());
    routes
}

fn own_routes() -> Vec<Route> {
    use RouteAccess::{Org, Principal};
    vec![
        Route::get(
            route::NEW_ORG,
            Principal,
            "the form to make an organization",
            create::new,
        ),
        Route::post(
            route::NEW_ORG,
            Principal,
            "make an organization",
            create::create,
        ),
        Route::get(
            route::DASHBOARD,
            Org(Action::ReadOrg),
            "the dashboard",
            dashboard::dashboard,
        ),
    ]
}

fn member_routes() -> Vec<Route> {
    use RouteAccess::Org;
    vec![
        Route::get(
            route::MEMBERS,
            Org(Action::ReadMembers),
            "the members",
            members::list,
        ),
        Route::get(
            route::ORG_TOKENS,
            Org(Action::ReadOrgTokens),
            "tokens of the organization and of its members",
            tokens::show,
        ),
        Route::post(
            route::ORG_TOKENS,
            Org(Action::WriteOrgTokens),
            "make a token of the organization",
            tokens::create,
        ),
        Route::post(
            route::ORG_TOKEN_DELETE,
            Org(Action::WriteOrgTokens),
            "revoke a token of the organization",
            tokens::delete,
        ),
        Route::post(
            route::MEMBER_TOKEN_REVOKE,
            Org(Action::RevokeMemberTokens),
            "keep a member's own token out of the organization",
            tokens::revoke_members,
        ),
        Route::post(
            route::MEMBER_ROLE,
            Org(Action::ChangeRoles),
            "give a member another role",
            members::change_role,
        ),
        Route::post(
            route::MEMBER_REMOVE,
            Org(Action::RemoveMembers),
            "remove a member",
            members::remove,
        ),
        Route::post(
            route::LEAVE,
            Org(Action::LeaveOrg),
            "leave the organization",
            members::leave,
        ),
    ]
}

fn settings_routes() -> Vec<Route> {
    use RouteAccess::Org;
    vec![
        Route::get(
            route::ORG_SETTINGS,
            Org(Action::ReadOrg),
            "settings of the organization",
            settings::show,
        ),
        Route::post(
            route::ORG_SETTINGS,
            Org(Action::WriteOrg),
            "change the organization",
            settings::update,
        ),
        Route::get(
            route::ORG_PLAN,
            Org(Action::ReadUsage),
            "the plan and what is used of it",
            plan::show,
        ),
        Route::post(
            route::ORG_HAND_OVER,
            Org(Action::TransferOwnership),
            "hand the organization over",
            lifecycle::hand_over,
        ),
        Route::post(
            route::ORG_CONVERT,
            Org(Action::ConvertOrg),
            "turn a personal organization into a team",
            lifecycle::convert,
        ),
        Route::post(
            route::ORG_DELETE,
            Org(Action::DeleteOrg),
            "delete the organization",
            lifecycle::delete,
        ),
        Route::post(
            route::ORG_RESTORE,
            Org(Action::DeleteOrg),
            "take the deletion back",
            lifecycle::restore,
        ),
    ]
}
