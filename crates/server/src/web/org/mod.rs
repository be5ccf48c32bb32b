//! Organizations: making one, the dashboard, the members.

mod create;
mod dashboard;
mod members;

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
    ]
}
