//! Organizations: making one, the dashboard, the members.

mod create;
mod dashboard;
mod members;
mod tokens;

use copal_model::policy::Action;
use copal_ui::urls::route;

use crate::routes::{Route, RouteAccess};

pub(super) fn routes() -> Vec<Route> {
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
    ]
}
