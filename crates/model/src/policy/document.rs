//! `docs/roles.md`, made from the policy: what stands there is what holds.

use std::fmt::Write as _;

use super::reach::Reach;
use super::setting::{OrgSetting, OrgSettings};
use super::table::{Grant, PLANNED, POLICY, Rule};
use crate::Role;

const BEGINNING: &str = "\
<!-- Made from crates/model/src/policy: COPAL_WRITE_DOCS=1 cargo test -p copal-model --test roles -->
# Roles

A member of an organization has one of four roles: `OWNER`, `ADMIN`, `MEMBER`, `VIEWER`, from the highest to the lowest. Pages,
REST API and this page ask the same table.

| may | OWNER | ADMIN | MEMBER | VIEWER | token | |
| --- | --- | --- | --- | --- | --- | --- |
";

const SETTINGS: &str = "
`setting`: where the organization allows it, which an OWNER or ADMIN decides in its settings.

| setting | allows | at first |
| --- | --- | --- |
";

const TOKENS: &str = "
## Tokens

A token acts for its user: it never reaches further than the user's role does at that moment. The column *token* says what else
it needs.

- A scope, such as `event:read`: a token that is not narrowed will do, and a narrowed one that has the scope.
- `not narrowed`: a narrowed token will not do.
- `session`: no token does it, only a person in the browser.
- `fresh session`: only a person who has logged in within the last 15 minutes.

A token of an organization acts for nobody: it opens that organization and no other, may there what its scopes say and an ADMIN
may, and never has `member:admin` or `org:write`. It goes on when whoever made it leaves. A member's own token can be kept out of
one organization by an OWNER or ADMIN of it.

";

const RULES: &str = "
## Rules beyond the table

- Who is not a member of an organization cannot tell it from one that does not exist: both are 404. A member who may not gets
  403, with the role that is needed and the names of members who can give it.
- An organization has an OWNER at any time. A personal organization is its person's alone: nobody joins, leaves or deletes it.
- What is decided is decided by the roles at the moment of the change, whatever the page showed before.

Members cannot be invited yet.
";

/// The text of the page.
pub fn roles_page() -> String {
    let mut page = BEGINNING.to_owned();
    let built = POLICY.iter().filter(|rule| !PLANNED.contains(&rule.action));
    for rule in built {
        let grants = rule.grants.map(grant);
        let token = reach(rule.reach);
        line(
            &mut page,
            &format!(
                "| {} | {} | {token} | {} |",
                rule.label,
                grants.join(" | "),
                rule.note
            ),
        );
    }
    page.push_str(SETTINGS);
    for setting in OrgSetting::ALL {
        let standard = if OrgSettings::default().has(setting) {
            "yes"
        } else {
            "no"
        };
        line(
            &mut page,
            &format!("| `{setting}` | {} | {standard} |", setting.sentence()),
        );
    }
    page.push_str(TOKENS);
    page.push_str("| scope | reaches |\n| --- | --- |\n");
    for scope in super::scopes() {
        let reached = POLICY
            .iter()
            .filter(|rule| rule.reach.scope() == Some(scope))
            .filter(|rule| !PLANNED.contains(&rule.action));
        let labels: Vec<_> = reached.map(|rule| rule.label).collect();
        line(&mut page, &format!("| `{scope}` | {} |", labels.join("; ")));
    }
    page.push_str(RULES);
    page
}

/// What each role may beyond the roles below it, the lowest first, by the settings.
pub fn by_role(settings: OrgSettings) -> Vec<(Role, Vec<&'static Rule>)> {
    let built = || POLICY.iter().filter(|rule| !PLANNED.contains(&rule.action));
    let lowest_is = move |rule: &&Rule, role| rule.roles(settings).last() == Some(role);
    let rows = move |role| built().filter(|rule| lowest_is(rule, role)).collect();
    Role::ALL
        .into_iter()
        .rev()
        .map(|role| (role, rows(role)))
        .collect()
}

fn grant(grant: Grant) -> String {
    match grant {
        Grant::Yes => "yes".to_owned(),
        Grant::When(_) => "setting".to_owned(),
        Grant::Own => "own".to_owned(),
        Grant::No => "–".to_owned(),
    }
}

fn reach(reach: Reach) -> String {
    match reach {
        Reach::Scope(scope) => format!("`{scope}`"),
        Reach::Unscoped => "not narrowed".to_owned(),
        Reach::Session => "session".to_owned(),
        Reach::Fresh => "fresh session".to_owned(),
    }
}

fn line(page: &mut String, text: &str) {
    writeln!(page, "{text}").expect("a string takes all that is written");
}
