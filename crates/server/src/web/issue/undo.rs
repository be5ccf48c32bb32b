//! Takes back what was just done to issues: the form of the notice.

use std::fmt;
use std::str::FromStr;

use axum::extract::State;
use axum::response::Response;
use copal_model::limits::PAGE_ROWS_MAX;
use copal_model::{IssueId, IssueStatus};
use copal_store::triage::StatusChange;
use copal_ui::format::plural;
use copal_ui::urls;

use crate::app::App;
use crate::auth::permit::TriageIssues;
use crate::auth::{Form, OrgMember, Refusal, next};
use crate::web::{Error, notice};

/// Changes as a form carries them: `RESOLVED o4294967297 g4294967299`. The word is the status that
/// they were given, the letter before each number the state that the issue had.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Undo(pub(super) Vec<StatusChange>);

/// The letters for what an issue was.
const STATES: [(char, IssueStatus, bool); 6] = [
    ('o', IssueStatus::Open, false),
    ('g', IssueStatus::Open, true),
    ('r', IssueStatus::Resolved, false),
    ('s', IssueStatus::Resolved, true),
    ('i', IssueStatus::Ignored, false),
    ('j', IssueStatus::Ignored, true),
];

pub(super) async fn undo(
    State(app): State<App>,
    member: OrgMember<TriageIssues>,
    form: Form,
) -> Result<Response, Error> {
    let changes: Undo = form.text("undo")?.parse()?;
    let (scope, wanted) = (&member.scope, changes.0.len());
    let undone = app.store.undo_issue_statuses(scope, &changes.0).await?;
    let list = urls::issues(member.organization.slug.as_str());
    let path = next::safe(form.text("next")?).unwrap_or(&list);
    Ok(notice::redirect(path, &summary(undone, wanted), &app))
}

fn summary(undone: usize, wanted: usize) -> String {
    let noun = |count: usize| plural(count as u64, "issue", "issues");
    let done = match undone {
        0 => "Nothing was undone.".to_owned(),
        count => format!("Undone: {count} {} as before.", noun(count)),
    };
    match wanted - undone {
        0 => done,
        count => format!("{done} {count} {} changed since.", noun(count)),
    }
}

impl fmt::Display for Undo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(first) = self.0.first() else {
            return Ok(());
        };
        f.write_str(first.after.as_str())?;
        for change in &self.0 {
            let (letter, ..) = STATES
                .into_iter()
                .find(|state| (state.1, state.2) == (change.before, change.was_regressed))
                .expect("each status has both letters");
            write!(f, " {letter}{}", change.issue)?;
        }
        Ok(())
    }
}

impl FromStr for Undo {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        let why = || Refusal::BadForm("This is nothing that can be undone.".to_owned());
        let mut words = text.split(' ');
        let after: IssueStatus = words
            .next()
            .unwrap_or_default()
            .parse()
            .map_err(|_| why())?;
        let changes: Vec<_> = words
            .take(PAGE_ROWS_MAX + 1)
            .map(|word| change(word, after))
            .collect::<Option<_>>()
            .ok_or_else(why)?;
        if changes.is_empty() || changes.len() > PAGE_ROWS_MAX {
            return Err(why());
        }
        Ok(Self(changes))
    }
}

fn change(word: &str, after: IssueStatus) -> Option<StatusChange> {
    let letter = word.chars().next()?;
    let (_, before, was_regressed) = STATES.into_iter().find(|state| state.0 == letter)?;
    let issue: IssueId = word[letter.len_utf8()..].parse().ok()?;
    Some(StatusChange {
        issue,
        before,
        was_regressed,
        after,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_page_of_changes_fits_and_reads_back() {
        let largest = IssueId::from_i64(i64::MAX).unwrap();
        let changes: Vec<_> = (0..PAGE_ROWS_MAX)
            .map(|number| {
                let (_, before, was_regressed) = STATES[number % STATES.len()];
                StatusChange {
                    issue: largest,
                    before,
                    was_regressed,
                    after: IssueStatus::Resolved,
                }
            })
            .collect();
        let undo = Undo(changes);
        let text = undo.to_string();
        assert!(text.len() <= notice::UNDO_BYTES_MAX, "{}", text.len());
        assert_eq!(text.parse::<Undo>().unwrap(), undo);
        let more = format!("{text} o4294967297");
        assert!(more.parse::<Undo>().is_err(), "one more than a page has");
    }

    #[test]
    fn only_what_we_wrote_is_undone() {
        for text in [
            "",
            "RESOLVED",
            "LOST o4294967297",
            "OPEN x1",
            "OPEN o",
            "OPEN é1",
        ] {
            assert!(text.parse::<Undo>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn says_what_was_undone_and_what_was_not() {
        assert_eq!(summary(1, 1), "Undone: 1 issue as before.");
        assert_eq!(
            summary(2, 3),
            "Undone: 2 issues as before. 1 issue changed since."
        );
        assert_eq!(summary(0, 2), "Nothing was undone. 2 issues changed since.");
    }
}
