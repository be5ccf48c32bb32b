//! Resolve, ignore and reopen: one issue or many.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::response::Response;
use copal_model::IssueStatus;
use copal_model::limits::PAGE_ROWS_MAX;
use copal_store::access::IssueRef;
use copal_ui::format::plural;
use copal_ui::urls;

use super::undo::Undo;
use crate::app::App;
use crate::auth::form::Fields;
use crate::auth::path::parse_issue;
use crate::auth::permit::TriageIssues;
use crate::auth::{Form, IssueMember, OrgMember, Refusal, next};
use crate::web::{Error, notice};

pub(super) async fn update(
    State(app): State<App>,
    member: IssueMember<TriageIssues>,
    form: Form,
) -> Result<Response, Error> {
    let status = status(&form)?;
    let (org, issue) = (&member.org, &member.issue);
    let wanted = [IssueRef::Id(issue.id)];
    let changes = app
        .store
        .set_issue_statuses(&org.scope, &wanted, status)
        .await?;
    let own = urls::issue(org.organization.slug.as_str(), &issue.short_id.to_string());
    let path = next::safe(form.text("next")?).unwrap_or(&own);
    let text = format!("{} {}.", verb(status), issue.short_id);
    let undo = Undo(changes).to_string();
    Ok(notice::redirect_with_undo(path, &text, &undo, &app))
}

/// Changes those of the named issues that are the organization's; others do not exist for it.
pub(super) async fn update_many(
    State(app): State<App>,
    member: OrgMember<TriageIssues>,
    form: Form,
) -> Result<Response, Error> {
    let status = status(&form)?;
    let named: BTreeSet<_> = form.all("issue").collect();
    if named.is_empty() || named.len() > PAGE_ROWS_MAX {
        let why = format!("Choose between 1 and {PAGE_ROWS_MAX} issues.");
        return Err(Refusal::BadForm(why).into());
    }
    let wanted: Vec<_> = named.iter().filter_map(|name| parse_issue(name)).collect();
    let changes = app
        .store
        .set_issue_statuses(&member.scope, &wanted, status)
        .await?;
    let list = urls::issues(member.organization.slug.as_str());
    let path = next::safe(form.text("next")?).unwrap_or(&list);
    let text = summary(status, changes.len(), named.len());
    let undo = Undo(changes).to_string();
    Ok(notice::redirect_with_undo(path, &text, &undo, &app))
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

fn summary(status: IssueStatus, changed: usize, named: usize) -> String {
    let noun = plural(changed as u64, "issue", "issues");
    let done = format!("{} {changed} {noun}.", verb(status));
    match named.saturating_sub(changed) {
        0 => done,
        1 => format!("{done} 1 no longer exists."),
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
            "Ignored 2 issues. 1 no longer exists."
        );
    }
}
