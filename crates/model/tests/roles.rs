//! The policy against tables written by hand from the role matrix and its rules, and the page that
//! documents it.

use std::path::Path;

use copal_model::Role;
use copal_model::policy::{
    Action, Case, Grant, OrgSettings, POLICY, Proof, Reach, Refused, document, scopes,
};

/// What rule D-1 allows: one block per actor, a row per role that the member has, a column per
/// role that they are to get. Everything is in the order OWNER, ADMIN, MEMBER, VIEWER.
const CUBE: [[&str; 4]; 4] = [
    ["YYYY", "YYYY", "YYYY", "YYYY"],
    ["----", "-YYY", "-YYY", "-YYY"],
    ["----", "----", "----", "----"],
    ["----", "----", "----", "----"],
];

/// Whom an actor may remove: a row per actor, a column per role of the member.
const REMOVALS: [&str; 4] = ["YYYY", "-YYY", "----", "----"];

/// The matrix: OWNER, ADMIN, MEMBER, VIEWER; `S` = a setting decides, `o` = to own things.
const MATRIX: [(Action, &str); POLICY.len()] = [
    (Action::ReadOrg, "YYYY"),
    (Action::ReadIssues, "YYYY"),
    (Action::ReadRawEvents, "YYYS"),
    (Action::TriageIssues, "YYY-"),
    (Action::DeleteIssues, "YYS-"),
    (Action::WriteProject, "YY--"),
    (Action::ReadKeys, "YYY-"),
    (Action::WriteKeys, "YY--"),
    (Action::CreateProject, "YYS-"),
    (Action::DeleteProject, "YY--"),
    (Action::TransferProject, "Y---"),
    (Action::ReadMembers, "YYYY"),
    (Action::ReadMemberEmails, "YYY-"),
    (Action::InviteMembers, "YYS-"),
    (Action::InviteAdmins, "YY--"),
    (Action::InviteOwners, "----"),
    (Action::WriteInvitations, "YYo-"),
    (Action::ChangeRoles, "YY--"),
    (Action::GrantOwner, "Y---"),
    (Action::DemoteOwner, "Y---"),
    (Action::RemoveMembers, "YY--"),
    (Action::RemoveOwner, "Y---"),
    (Action::LeaveOrg, "YYYY"),
    (Action::TransferOwnership, "Y---"),
    (Action::WriteOrg, "YY--"),
    (Action::WriteSecurity, "Y---"),
    (Action::ReadUsage, "YY--"),
    (Action::RequestPlan, "Y---"),
    (Action::ConvertOrg, "Y---"),
    (Action::DeleteOrg, "Y---"),
    (Action::ReadOrgTokens, "YY--"),
    (Action::WriteOrgTokens, "YY--"),
    (Action::WriteOwnTokens, "YYYY"),
    (Action::RevokeMemberTokens, "YY--"),
    (Action::ReadAudit, "YY--"),
    (Action::ExportAudit, "Y---"),
    (Action::WriteAccount, "YYYY"),
    (Action::DeleteAccount, "YYYY"),
];

/// What a token that is not narrowed never does: what the interface marks as needing to prove again
/// who one is, what nobody does, and what makes tokens.
const NOT_BY_TOKEN: [Action; 15] = [
    Action::TransferProject,
    Action::InviteOwners,
    Action::GrantOwner,
    Action::DemoteOwner,
    Action::RemoveOwner,
    Action::TransferOwnership,
    Action::WriteSecurity,
    Action::ConvertOrg,
    Action::DeleteOrg,
    Action::ReadOrgTokens,
    Action::WriteOrgTokens,
    Action::WriteOwnTokens,
    Action::RevokeMemberTokens,
    Action::ExportAudit,
    Action::DeleteAccount,
];

/// Another member's membership of a team that has owners enough.
fn case(actor: Role, target: Role) -> Case {
    Case {
        actor,
        target,
        is_self: false,
        is_personal: false,
        target_can_act: true,
        other_owners: 2,
    }
}

#[test]
fn the_cube_of_roles_is_rule_d1() {
    let mut allowed = 0;
    for (actor, block) in Role::ALL.into_iter().zip(CUBE) {
        for (target, row) in Role::ALL.into_iter().zip(block) {
            for (new, cell) in Role::ALL.into_iter().zip(row.chars()) {
                let name = format!("{actor} makes {target} {new}");
                let answer = case(actor, target).change_role(new);
                assert_eq!(answer.is_ok(), cell == 'Y', "{name}: {answer:?}");
                // The sentence of the rule, said once more as code.
                let touches_owner = target == Role::Owner || new == Role::Owner;
                let by_sentence = actor >= Role::Admin
                    && target <= actor
                    && new <= actor
                    && (!touches_owner || actor == Role::Owner);
                assert_eq!(by_sentence, cell == 'Y', "{name}");
                if let Ok(action) = answer {
                    allowed += 1;
                    let reach = action.rule().reach;
                    assert_eq!(reach == Reach::Fresh, touches_owner, "{name}: {reach:?}");
                } else {
                    assert!(matches!(answer, Err(Refused::RoleTooLow(_))), "{name}");
                }
            }
        }
    }
    assert_eq!(allowed, 25);
}

#[test]
fn nobody_changes_the_own_role() {
    for role in Role::ALL {
        for new in Role::ALL {
            let own = Case {
                is_self: true,
                ..case(role, role)
            };
            assert_eq!(own.change_role(new), Err(Refused::OwnRole), "{role} {new}");
        }
    }
}

#[test]
fn removing_follows_the_rank_and_everybody_leaves() {
    for (actor, row) in Role::ALL.into_iter().zip(REMOVALS) {
        for (target, cell) in Role::ALL.into_iter().zip(row.chars()) {
            let answer = case(actor, target).remove();
            assert_eq!(answer.is_ok(), cell == 'Y', "{actor} removes {target}");
        }
        let own = Case {
            is_self: true,
            ..case(actor, actor)
        };
        assert!(own.remove().is_ok(), "{actor} leaves");
    }
}

#[test]
fn the_table_is_the_matrix() {
    for (action, cells) in MATRIX {
        for (role, cell) in Role::ALL.into_iter().zip(cells.chars()) {
            let grant = match action.rule().grant(role) {
                Grant::Yes => 'Y',
                Grant::When(_) => 'S',
                Grant::Own => 'o',
                Grant::No => '-',
            };
            assert_eq!(grant, cell, "{action:?} {role}");
        }
    }
    let mut actions = MATRIX.map(|(action, _)| action);
    actions.sort_unstable();
    assert!(actions.is_sorted_by(|one, next| one < next), "one row each");
}

#[test]
fn no_credential_makes_a_role_and_tokens_stop_where_the_interface_says() {
    let all: Vec<String> = scopes().into_iter().map(str::to_owned).collect();
    for rule in &POLICY {
        let by_token = rule.reach.check(Proof::Token).is_ok();
        let expected = !NOT_BY_TOKEN.contains(&rule.action);
        assert_eq!(by_token, expected, "{:?}", rule.action);
        // All scopes together reach no further than no narrowing at all.
        let narrowed = rule.reach.check(Proof::NarrowToken(&all)).is_ok();
        assert!(by_token || !narrowed, "{:?}", rule.action);
        assert!(rule.reach.check(Proof::NarrowToken(&[])).is_err());
        assert!(rule.reach.check(Proof::FreshSession).is_ok());
    }
    for settings in OrgSettings::every() {
        assert!(!Role::Owner.may(Action::InviteOwners, settings));
    }
}

#[test]
fn the_documented_roles_are_those_of_the_policy() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/roles.md");
    let page = document::roles_page();
    if std::env::var_os("COPAL_WRITE_DOCS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        written, page,
        "docs/roles.md differs: COPAL_WRITE_DOCS=1 cargo test -p copal-model --test roles"
    );
}
