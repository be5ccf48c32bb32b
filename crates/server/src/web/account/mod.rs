//! Signing up, logging in and out, and the account itself.

mod confirm;
mod log_in;
mod log_out;
mod organizations;
mod sessions;
mod show;
mod sign_up;
mod tokens;

use copal_ui::urls::route;

use crate::routes::{Route, RouteAccess};

pub(super) fn routes() -> Vec<Route> {
    let mut routes = own_routes();
    routes.extend(ending_routes());
    routes
}

fn own_routes() -> Vec<Route> {
    use RouteAccess::{Principal, Public};
    vec![
        Route::get(route::SIGN_UP, Public, "the form to sign up", sign_up::new),
        Route::post(route::SIGN_UP, Public, "sign up", sign_up::create),
        Route::get(route::LOG_IN, Public, "the form to log in", log_in::new),
        Route::post(route::LOG_IN, Public, "log in", log_in::create),
        Route::post(route::LOG_OUT, Principal, "log out", log_out::delete),
        Route::get(route::ACCOUNT, Principal, "the account", show::show),
        Route::post(
            route::ACCOUNT,
            Principal,
            "change the account",
            show::update,
        ),
        Route::post(
            route::TOKENS,
            Principal,
            "make an API token",
            tokens::create,
        ),
        Route::post(
            route::TOKEN_DELETE,
            Principal,
            "revoke an API token",
            tokens::delete,
        ),
        Route::post(
            route::SESSION_END,
            Principal,
            "end a session",
            sessions::end,
        ),
        Route::post(
            route::SESSIONS_END,
            Principal,
            "end all other sessions",
            sessions::end_others,
        ),
    ]
}

/// Where the user lands, and what ends or comes back.
fn ending_routes() -> Vec<Route> {
    use RouteAccess::Principal;
    vec![
        Route::get(
            route::CONFIRM,
            Principal,
            "the form to prove again who one is",
            confirm::new,
        ),
        Route::post(
            route::CONFIRM,
            Principal,
            "prove again who one is",
            confirm::create,
        ),
        Route::post(
            route::LANDING,
            Principal,
            "change the default organization",
            organizations::land,
        ),
        Route::post(
            route::ACCOUNT_DELETE,
            Principal,
            "delete the account",
            organizations::delete,
        ),
    ]
}
