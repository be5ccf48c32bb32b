//! Projects: making one, the guide to its first event, its settings and client keys.

mod create;
mod delete;
mod guide;
mod inbound;
mod keys;
mod settings;
mod transfer;

pub(super) use guide::first_issue_path;

use copal_model::policy::Action;
use copal_ui::urls::route;

use crate::routes::{Route, RouteAccess};

pub(super) fn routes() -> Vec<Route> {
    let mut routes = own_routes();
    routes.extend(lifecycle_routes());
    routes
}

fn own_routes() -> Vec<Route> {
    let org = RouteAccess::Org;
    let create = org(Action::CreateProject);
    let write = org(Action::WriteProject);
    let keys = org(Action::WriteKeys);
    vec![
        Route::get(
            route::NEW_PROJECT,
            org(Action::ReadOrg),
            "the form to make a project",
            create::new,
        ),
        Route::post(route::NEW_PROJECT, create, "make a project", create::create),
        Route::get(
            route::GUIDE,
            org(Action::ReadOrg),
            "the way to the first event",
            guide::show,
        ),
        Route::get(
            route::PROJECT_SETTINGS,
            org(Action::ReadOrg),
            "settings of a project",
            settings::show,
        ),
        Route::post(
            route::PROJECT_SETTINGS,
            write,
            "change a project",
            settings::update,
        ),
        Route::post(
            route::PROJECT_SCRUBBING,
            write,
            "change what is scrubbed",
            inbound::scrub,
        ),
        Route::post(
            route::PROJECT_FILTERS,
            write,
            "change the inbound filters",
            inbound::filter,
        ),
        Route::post(route::KEYS, keys, "make a client key", keys::create),
        Route::post(route::KEY, keys, "change a client key", keys::update),
    ]
}

/// Going, coming back, and moving.
fn lifecycle_routes() -> Vec<Route> {
    let org = RouteAccess::Org;
    vec![
        Route::post(
            route::PROJECT_DELETE,
            org(Action::DeleteProject),
            "delete a project",
            delete::delete,
        ),
        Route::post(
            route::PROJECT_RESTORE,
            org(Action::DeleteProject),
            "take the deletion of a project back",
            delete::restore,
        ),
        Route::post(
            route::PROJECT_TRANSFER,
            org(Action::TransferProject),
            "move a project to another organization",
            transfer::transfer,
        ),
    ]
}
