//! Every page with its samples, by name.

use copal_ui::Template;
use copal_ui::pages::failure::FailureKind;
use copal_ui::pages::issue::Emptiness;
use copal_ui::pages::{account, api_docs, failure, issue, organization, project, tokens};

/// Renders every sample.
pub(crate) fn all() -> Vec<(&'static str, String)> {
    let nothing = Emptiness::NothingMatches;
    vec![
        page("sign_up", account::SignUp::sample()),
        page("log_in", account::LogIn::sample()),
        page("account", account::Account::sample()),
        page("organization_tokens", tokens::OrgTokens::sample()),
        page("new_organization", account::NewOrganization::sample()),
        page("dashboard", organization::Dashboard::sample()),
        page("dashboard_empty", organization::Dashboard::sample_empty()),
        page("members", organization::Members::sample()),
        page("org_settings", organization::Settings::sample()),
        page(
            "org_settings_as_viewer",
            organization::Settings::sample_as_viewer(),
        ),
        page(
            "org_settings_personal",
            organization::Settings::sample_personal(),
        ),
        page("organization_plan", organization::PlanAndUse::sample()),
        page("confirm", account::Confirm::sample()),
        page("account_stale", account::Account::sample_stale()),
        page("project_new", project::New::sample()),
        page("guide", project::Guide::sample()),
        page("settings", project::Settings::sample()),
        page("issues", issue::List::sample()),
        page("issues_empty", issue::List::sample_empty(nothing)),
        page(
            "issues_no_project",
            issue::List::sample_empty(Emptiness::NoProject),
        ),
        page("issues_query_error", issue::List::sample_query_error()),
        page("issue", issue::Show::sample()),
        page("issue_without_event", issue::Show::sample_without_event()),
        page("issues_as_viewer", issue::List::sample_as_viewer()),
        page("settings_as_viewer", project::Settings::sample_as_viewer()),
        page("settings_wrong", project::Settings::sample_wrong()),
        page("failure", failure::Failure::sample()),
        failed("failure_not_found", FailureKind::NotFound),
        failed("failure_too_many", FailureKind::TooMany(60)),
        failed("failure_broken", FailureKind::Broken),
        failed("failure_unavailable", FailureKind::Unavailable),
        page("api_docs", api_docs::ApiDocs::sample()),
    ]
}

fn failed(name: &'static str, kind: FailureKind) -> (&'static str, String) {
    page(name, failure::Failure::sample_of(kind))
}

fn page(name: &'static str, page: impl Template) -> (&'static str, String) {
    (name, page.render().expect("a sample renders"))
}
