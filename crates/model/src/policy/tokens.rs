//! Who may make and end tokens that are not their own: what the table cannot say.
//!
//! Asked inside the transaction that makes or ends one, with the roles that hold there.

use super::membership::Refused;
use super::setting::OrgSettings;
use super::table::Action;
use crate::Role;

/// Whether a member may make or revoke a token of the organization (row 39).
///
/// # Errors
/// When not.
pub fn change_org_tokens(actor: Role) -> Result<Action, Refused> {
    require(actor, Action::WriteOrgTokens)
}

/// Whether a member may keep a token of another member out of the organization (row 41): nobody
/// does that to somebody above them.
///
/// # Errors
/// When not.
pub fn shut_out(actor: Role, holder: Role) -> Result<Action, Refused> {
    let action = require(actor, Action::RevokeMemberTokens)?;
    if actor >= holder {
        Ok(action)
    } else {
        Err(Refused::HigherRole)
    }
}

fn require(actor: Role, action: Action) -> Result<Action, Refused> {
    // No setting of an organization touches these rows (tested).
    if actor.may(action, OrgSettings::default()) {
        Ok(action)
    } else {
        Err(Refused::RoleTooLow(action))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_and_admins_change_tokens_of_the_organization() {
        let may = Role::ALL.map(|role| change_org_tokens(role).is_ok());
        assert_eq!(may, [true, true, false, false]);
    }

    #[test]
    fn nobody_shuts_out_a_token_of_somebody_above_them() {
        let action = Action::RevokeMemberTokens;
        let (low, high) = (Refused::RoleTooLow(action), Refused::HigherRole);
        for (actor, expected) in [
            (Role::Owner, [Ok(action); 4]),
            (Role::Admin, [Err(high), Ok(action), Ok(action), Ok(action)]),
            (Role::Member, [Err(low); 4]),
            (Role::Viewer, [Err(low); 4]),
        ] {
            assert_eq!(Role::ALL.map(|holder| shut_out(actor, holder)), expected);
        }
    }

    #[test]
    fn no_setting_decides_about_tokens() {
        for action in [Action::WriteOrgTokens, Action::RevokeMemberTokens] {
            for role in Role::ALL {
                let mut may = OrgSettings::every().map(|settings| role.may(action, settings));
                let first = may.next();
                assert!(may.all(|may| Some(may) == first));
            }
        }
    }
}
