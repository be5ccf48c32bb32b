//! Resolve, ignore and reopen: one issue or many.

use axum::extract::State;
use axum::response::Response;
use copal_model::IssueStatus;
use copal_model::limits::PAGE_ROWS_MAX;
use copal_ui::urls;

use crate::app::App;
use crate::auth::form::Fields;
use crate::auth::member::parse_issue;
use crate::auth::permit::TriageIssues;
use crate::auth::{Form, IssueMember, OrgMember, Refusal, next};
use crate::web::Error;
use crate::web::frame::redirect_with_notice;

pub(super) async fn update(
    State(app): State<App>,
    member: IssueMember<TriageIssues>,
    form: Form,
) -> Result<Response, Error> {
    let status = status(&form)?;
    let issue = app
        .store
        .set_issue_status(&member.scope, member.issue.id, status, app.clock.now())
        .await?;
    let org = member.org.organization.slug.as_str();
    let own = urls::issue(org, &issue.short_id.to_string());
    let path = next::safe(form.text("next")?).unwrap_or(&own);
    let notice = format!("{} {}.", verb(status), issue.short_id);
    Ok(redirect_with_notice(path, &notice, &app))
}

/// Changes those of the named issues that are the organization's; others do not exist for it.
pub(super) async fn update_many(
    State(app): State<App>,
    member: OrgMember<TriageIssues>,
    form: Form,
) -> Result<Response, Error> {
    let status = status(&form)?;
    let wanted: Vec<_> = form.all("issue").collect();
    if wanted.is_empty() || wanted.len() > PAGE_ROWS_MAX {
        let why = format!("Choose between 1 and {PAGE_ROWS_MAX} issues.");
        return Err(Refusal::BadForm(why).into());
    }
    let mut changed = 0;
    for issue in &wanted {
        changed += change(&app, &member, issue, status).await?;
    }
    let list = urls::issues(member.organization.slug.as_str());
    let path = next::safe(form.text("next")?).unwrap_or(&list);
    Ok(redirect_with_notice(
        path,
        &summary(status, changed, wanted.len()),
        &app,
    ))
}

/// Answers how many were changed: one, or none where there is no such issue.
async fn change(
    app: &App,
    member: &OrgMember<TriageIssues>,
    issue: &str,
    status: IssueStatus,
) -> Result<usize, Error> {
    let Some(wanted) = parse_issue(issue) else {
        return Ok(0);
    };
    let Some((scope, issue)) = app.store.find_issue(&member.scope, &wanted).await? else {
        return Ok(0);
    };
    let now = app.clock.now();
    match app
        .store
        .set_issue_status(&scope, issue.id, status, now)
        .await
    {
        Ok(_) => Ok(1),
        Err(copal_store::Error::NotFound { .. }) => Ok(0),
        Err(other) => Err(other.into()),
    }
}

fn status(form: &Fields) -> Result<IssueStatus, Error> {
    let text = form.text("status")?;
    text.parse()
        .map_err(|_| Refusal::BadForm("The status is OPEN, RESOLVED or IGNORED.".to_owned()).into())
}

fn verb(status: IssueStatus) -> &'static str {
    match status {
        IssueStatus::Open => "Reopened",
        IssueStatus::Resolved => "Resolved",
        IssueStatus::Ignored => "Ignored",
    }
}

fn summary(status: IssueStatus, changed: usize, wanted: usize) -> String {
    let noun = if changed == 1 { "issue" } else { "issues" };
    let done = format!("{} {changed} {noun}.", verb(status));
    match wanted - changed {
        0 => done,
        gone => format!("{done} {gone} no longer exist."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_was_done_and_what_was_not() {
        assert_eq!(summary(IssueStatus::Resolved, 1, 1), "Resolved 1 issue.");
        assert_eq!(
            summary(IssueStatus::Ignored, 2, 3),
            "Ignored 2 issues. 1 no longer exist."
        );
    }
}
