//! Issues: the list, one with its events, and what is done with them.

mod delete;
mod event_json;
mod list;
mod markdown;
mod show;
mod status;
mod undo;

use copal_model::policy::Action;
use copal_ui::urls::route;

use crate::routes::{Route, RouteAccess};

pub(super) fn routes() -> Vec<Route> {
    let read = RouteAccess::Org(Action::ReadIssues);
    let triage = RouteAccess::Org(Action::TriageIssues);
    let delete = RouteAccess::Org(Action::DeleteIssues);
    vec![
        Route::get(route::ISSUES, read, "the issue list", list::list),
        Route::post(
            route::ISSUES_STATUS,
            triage,
            "change many issues",
            status::update_many,
        ),
        Route::post(
            route::ISSUES_UNDO,
            triage,
            "take back what was just done to issues",
            undo::undo,
        ),
        Route::get(
            route::ISSUE,
            read,
            "an issue with its latest event",
            show::latest,
        ),
        Route::get(
            route::ISSUE_EVENT,
            read,
            "an issue with one of its events",
            show::event,
        ),
        Route::get(
            route::EVENT_JSON,
            RouteAccess::Org(Action::ReadRawEvents),
            "an event as JSON",
            event_json::show,
        ),
        Route::get(
            route::EVENT_MARKDOWN,
            read,
            "an issue with an event as Markdown",
            markdown::show,
        ),
        Route::post(
            route::ISSUE_STATUS,
            triage,
            "change an issue",
            status::update,
        ),
        Route::post(
            route::ISSUE_DELETE,
            delete,
            "delete an issue",
            delete::delete,
        ),
    ]
}
