//! Static files, compiled in; cached for ever, since their path changes when they do.

use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse as _, Redirect, Response};
use copal_ui::{assets, urls};

use crate::routes::{Route, RouteAccess};
use crate::web::Error;

pub(super) fn routes() -> Vec<Route> {
    use urls::route;
    vec![
        Route::get(route::STATIC, RouteAccess::Public, "a static file", show),
        Route::get(route::FAVICON, RouteAccess::Public, "the icon", favicon),
    ]
}

async fn show(Path((checksum, name)): Path<(String, String)>) -> Result<Response, Error> {
    let asset = assets::find(&checksum, &name).ok_or(Error::not_found("file"))?;
    let headers = [
        (header::CONTENT_TYPE, asset.content_type),
        (header::CACHE_CONTROL, assets::CACHE_CONTROL),
    ];
    Ok((headers, asset.bytes).into_response())
}

async fn favicon() -> Redirect {
    Redirect::to(&assets::path("icon.svg"))
}
