//! The policy as it was when the suite began: what the server does is compared with it, also while
//! cells of it are sabotaged.

use std::collections::{BTreeMap, BTreeSet};

use copal_model::Role;
use copal_model::policy::{Action, OrgSettings, POLICY, Proof, Reach};

use crate::actors::Actor;
use crate::canary::Tenant;

/// A copy of the policy.
#[derive(Debug, Clone)]
pub(crate) struct Policy {
    cells: BTreeMap<Action, Cells>,
}

#[derive(Debug, Clone)]
struct Cells {
    roles: BTreeSet<Role>,
    reach: Reach,
}

impl Policy {
    /// Copies the policy.
    pub(crate) fn copy() -> Self {
        let cells = |action: Action| Cells {
            roles: Role::ALL
                .into_iter()
                .filter(|role| role.may(action, OrgSettings::STANDARD))
                .collect(),
            reach: action.rule().reach,
        };
        let actions = POLICY.iter().map(|rule| rule.action);
        Self {
            cells: actions.map(|action| (action, cells(action))).collect(),
        }
    }

    /// Every scope that a token can be narrowed to.
    pub(crate) fn scopes(&self) -> BTreeSet<String> {
        let scopes = self.cells.values().filter_map(|cells| cells.reach.scope());
        scopes.map(str::to_owned).collect()
    }

    /// Whether the actor's role in a tenant allows an action.
    pub(crate) fn role_allows(&self, actor: &Actor, tenant: Tenant, action: Action) -> bool {
        let role = actor.roles.get(&tenant);
        role.is_some_and(|role| self.cells[&action].roles.contains(role))
    }

    /// Whether the actor's credential reaches as far as an action.
    pub(crate) fn reaches(&self, actor: &Actor, action: Action) -> bool {
        let proof = match &actor.scopes {
            Some(scopes) if actor.is_org => Proof::OrgToken(scopes),
            Some(scopes) => Proof::NarrowToken(scopes),
            None if actor.is_token() => Proof::Token,
            // Everybody here has just logged in.
            None => Proof::FreshSession,
        };
        self.cells[&action].reach.check(proof).is_ok()
    }

    /// Both.
    pub(crate) fn permits(&self, actor: &Actor, tenant: Tenant, action: Action) -> bool {
        self.role_allows(actor, tenant, action) && self.reaches(actor, action)
    }
}
