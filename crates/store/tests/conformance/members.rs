//! Memberships that change: who may, and what it means for those who leave.

use copal_model::policy::{Action, Refused};
use copal_model::{InvitationStatus, Role, UserId};
use copal_store::Error;
use copal_store::access::OrgRef;
use copal_store::invitations::{AddressProof, NewInvitation};
use copal_store::members::{Actor, Afterwards, NotChanged};
use copal_store::users::UserPatch;

use crate::invitations::{Team, inviting, team};
use crate::world::{World, acting, not_found, start};

conformance!(
    a_role_is_changed_as_rule_d_1_says,
    a_member_is_removed_as_rule_d_2_says,
    nobody_changes_their_own_role,
    the_last_owner_stays,
    an_owner_who_cannot_act_does_not_count,
    a_personal_organization_has_one_member,
    a_credential_has_to_reach_what_is_decided,
    who_is_no_member_any_more_changes_nothing,
    who_is_removed_is_out_at_once,
    an_organization_is_handed_over_in_one_step,
);

/// A team whose owner is Ana, and Bo and Cy in it.
pub(crate) struct Three {
    pub(crate) team: Team,
    pub(crate) ana: UserId,
    pub(crate) bo: UserId,
    pub(crate) cy: UserId,
}

pub(crate) async fn three(world: &World, bo: Role, cy: Role) -> Three {
    let team = team(world, "Ana").await;
    let three = Three {
        ana: team.owner.id,
        bo: world.org("Bo").await.user.id,
        cy: world.org("Cy").await.user.id,
        team,
    };
    world.join(&three.team.scope, three.bo, bo);
    world.join(&three.team.scope, three.cy, cy);
    three
}

impl Three {
    /// Puts a role into the database as it is.
    pub(crate) fn put(&self, world: &World, user: UserId, role: Role) {
        let put = world.backdoor.execute(&format!(
            "update members set role = '{role}' where org_id = {} and user_id = {}",
            world.backdoor.uuid(self.team.scope.org().as_uuid()),
            world.backdoor.uuid(user.as_uuid()),
        ));
        assert_eq!(put, Ok(1));
    }

    /// The role that a user has; `None` for who is no member.
    pub(crate) async fn role(&self, world: &World, user: UserId) -> Option<Role> {
        let members = world.store.list_members(&self.team.scope).await.unwrap();
        let found = members.iter().find(|member| member.user_id == user);
        found.map(|member| member.role)
    }

    async fn change(
        &self,
        world: &World,
        actor: UserId,
        member: UserId,
        role: Role,
    ) -> Result<Role, NotChanged> {
        let store = &world.store;
        let changed = store.change_role(&self.team.scope, acting(actor), member, role);
        changed.await.unwrap().map(|member| member.role)
    }

    async fn remove(&self, world: &World, actor: UserId, member: UserId) -> Result<(), NotChanged> {
        let store = &world.store;
        let removed = store.remove_member(&self.team.scope, acting(actor), member);
        removed.await.unwrap()
    }
}

/// Rule D-1: "Actor may set role `new` on target iff `actor >= ADMIN` and `target.current <= actor`
/// and `new <= actor`; anything touching OWNER (from or to) needs an OWNER actor."
fn rule_d_1(actor: Role, current: Role, new: Role) -> bool {
    let touches_owner = current == Role::Owner || new == Role::Owner;
    actor >= Role::Admin
        && current <= actor
        && new <= actor
        && (!touches_owner || actor == Role::Owner)
}

async fn a_role_is_changed_as_rule_d_1_says(world: World) {
    let three = three(&world, Role::Member, Role::Member).await;
    for actor in Role::ALL {
        for current in Role::ALL {
            for new in Role::ALL {
                three.put(&world, three.bo, actor);
                three.put(&world, three.cy, current);
                let changed = three.change(&world, three.bo, three.cy, new).await;
                let what = format!("{actor} makes {current} {new}");
                let left = three.role(&world, three.cy).await;
                if rule_d_1(actor, current, new) {
                    assert_eq!(changed, Ok(new), "{what}");
                    assert_eq!(left, Some(new), "{what}");
                } else {
                    let refused =
                        matches!(changed, Err(NotChanged::Refused(Refused::RoleTooLow(_))));
                    assert!(refused, "{what}: {changed:?}");
                    assert_eq!(left, Some(current), "{what}");
                }
            }
        }
    }
}

async fn a_member_is_removed_as_rule_d_2_says(world: World) {
    for actor in Role::ALL {
        for current in Role::ALL {
            let three = three_of(&world, actor, current).await;
            let removed = three.remove(&world, three.bo, three.cy).await;
            let may = actor >= Role::Admin
                && current <= actor
                && (current != Role::Owner || actor == Role::Owner);
            assert_eq!(removed.is_ok(), may, "{actor} removes {current}");
            let left = three.role(&world, three.cy).await;
            assert_eq!(left.is_none(), may, "{actor} removes {current}");
        }
    }
}

/// A team of its own for each pair of roles.
async fn three_of(world: &World, bo: Role, cy: Role) -> Three {
    let named = |name: &str| format!("{name}{bo}{cy}");
    let team = team(world, &named("ana")).await;
    let three = Three {
        ana: team.owner.id,
        bo: world.org(&named("bo")).await.user.id,
        cy: world.org(&named("cy")).await.user.id,
        team,
    };
    world.join(&three.team.scope, three.bo, bo);
    world.join(&three.team.scope, three.cy, cy);
    three
}

async fn nobody_changes_their_own_role(world: World) {
    let three = three(&world, Role::Owner, Role::Member).await;
    for own in Role::ALL {
        three.put(&world, three.bo, own);
        for new in Role::ALL {
            let changed = three.change(&world, three.bo, three.bo, new).await;
            assert_eq!(
                changed,
                Err(NotChanged::Refused(Refused::OwnRole)),
                "{own} {new}"
            );
        }
        assert_eq!(three.role(&world, three.bo).await, Some(own));
    }
}

async fn the_last_owner_stays(world: World) {
    let three = three(&world, Role::Admin, Role::Member).await;
    let last = Err(NotChanged::Refused(Refused::LastOwner));
    assert_eq!(three.remove(&world, three.ana, three.ana).await, last);
    let lower = three
        .change(&world, three.ana, three.ana, Role::Admin)
        .await;
    assert_eq!(lower, Err(NotChanged::Refused(Refused::LastOwner)));
    assert_eq!(three.role(&world, three.ana).await, Some(Role::Owner));
    three.put(&world, three.bo, Role::Owner);
    assert_eq!(three.remove(&world, three.ana, three.ana).await, Ok(()));
    assert_eq!(three.remove(&world, three.bo, three.bo).await, last);
}

async fn an_owner_who_cannot_act_does_not_count(world: World) {
    let three = three(&world, Role::Owner, Role::Admin).await;
    let proving = |user| Actor {
        proof: AddressProof::Needed,
        ..acting(user)
    };
    let (store, scope) = (&world.store, &three.team.scope);
    let leaves = || store.remove_member(scope, proving(three.ana), three.ana);
    let last = Err(NotChanged::Refused(Refused::LastOwner));
    assert_eq!(leaves().await.unwrap(), last);
    let unproven = Some(NotChanged::Refused(Refused::Unproven));
    let granted = store.change_role(scope, proving(three.ana), three.cy, Role::Owner);
    assert_eq!(granted.await.unwrap().err(), unproven);
    let handed = store.hand_over(scope, proving(three.ana), three.cy, Afterwards::Owner);
    assert_eq!(handed.await.unwrap().err(), unproven);
    world
        .backdoor
        .execute("update users set email_verified_at = 1")
        .unwrap();
    let granted = store.change_role(scope, proving(three.ana), three.cy, Role::Owner);
    assert_eq!(granted.await.unwrap().unwrap().role, Role::Owner);
    assert_eq!(leaves().await.unwrap(), Ok(()));
}

async fn a_personal_organization_has_one_member(world: World) {
    let ana = world.org("Ana").await;
    let (store, user) = (&world.store, ana.user.id);
    let personal = Some(NotChanged::Refused(Refused::Personal));
    let left = store.remove_member(&ana.scope, acting(user), user);
    assert_eq!(left.await.unwrap().err(), personal);
    let changed = store.change_role(&ana.scope, acting(user), user, Role::Viewer);
    assert_eq!(changed.await.unwrap().err(), personal);
    let handed = store.hand_over(&ana.scope, acting(user), user, Afterwards::Admin);
    assert_eq!(handed.await.unwrap().err(), personal);
}

async fn a_credential_has_to_reach_what_is_decided(world: World) {
    let three = three(&world, Role::Admin, Role::Viewer).await;
    let token = |user| Actor {
        reaches: vec![Action::ChangeRoles, Action::RemoveMembers],
        ..acting(user)
    };
    let (store, scope) = (&world.store, &three.team.scope);
    let change = |member, role| store.change_role(scope, token(three.ana), member, role);
    let changed = change(three.cy, Role::Member).await.unwrap();
    assert_eq!(changed.unwrap().role, Role::Member);
    let beyond = |action| Some(NotChanged::OutOfReach(action));
    let granted = change(three.cy, Role::Owner).await.unwrap();
    assert_eq!(granted.err(), beyond(Action::GrantOwner));
    let handed = store.hand_over(scope, token(three.ana), three.cy, Afterwards::Owner);
    assert_eq!(
        handed.await.unwrap().err(),
        beyond(Action::TransferOwnership)
    );
    let left = store.remove_member(scope, token(three.bo), three.bo).await;
    assert_eq!(left.unwrap().err(), beyond(Action::LeaveOrg));
    assert_eq!(three.role(&world, three.cy).await, Some(Role::Member));
    // The role decides first.
    let too_low = Some(NotChanged::Refused(Refused::RoleTooLow(Action::GrantOwner)));
    let granted = store.change_role(scope, token(three.bo), three.cy, Role::Owner);
    assert_eq!(granted.await.unwrap().err(), too_low);
}

async fn who_is_no_member_any_more_changes_nothing(world: World) {
    let three = three(&world, Role::Admin, Role::Member).await;
    let (store, scope) = (&world.store, &three.team.scope);
    let stranger = world.org("Di").await.user.id;
    let change = |actor, member| store.change_role(scope, acting(actor), member, Role::Viewer);
    assert_eq!(not_found(change(stranger, three.cy).await), "organization");
    assert_eq!(not_found(change(three.bo, stranger).await), "member");
    three.remove(&world, three.bo, three.bo).await.unwrap();
    assert_eq!(not_found(change(three.bo, three.cy).await), "organization");
    let again: Result<_, Error> = store
        .remove_member(scope, acting(three.ana), three.bo)
        .await;
    assert_eq!(not_found(again), "member");
    assert_eq!(three.role(&world, three.cy).await, Some(Role::Member));
}

async fn who_is_removed_is_out_at_once(world: World) {
    let three = three(&world, Role::Admin, Role::Admin).await;
    let (store, scope) = (&world.store, &three.team.scope);
    let mut sent = Vec::new();
    for (inviter, name) in [(three.bo, "di"), (three.cy, "ed")] {
        let new = NewInvitation {
            inviter,
            ..inviting(&world, &three.team, name)
        };
        sent.push(new.id);
        three.team.invite(&world, new).await.unwrap();
    }
    let lands_there = UserPatch {
        name: None,
        default_org: Some(scope.org()),
    };
    store.update_user(three.bo, lands_there).await.unwrap();
    three.remove(&world, three.ana, three.bo).await.unwrap();

    let org = OrgRef::Id(scope.org());
    assert_eq!(store.open_org(three.bo, &org).await.unwrap(), None);
    let orgs = store.list_organizations(three.bo).await.unwrap();
    let home = &orgs[0].0;
    assert_eq!((orgs.len(), home.is_personal), (1, true));
    let bo = copal_model::Email::parse("bo@example.org").unwrap();
    let bo = store.find_login(&bo).await.unwrap().unwrap();
    assert_eq!(bo.user.default_org, home.id, "they land at home");
    let listed = store.list_invitations(scope, start()).await.unwrap();
    let status = |id| {
        let mut all = listed.iter();
        all.find(|one| one.id == id).unwrap().status
    };
    assert_eq!(status(sent[0]), InvitationStatus::Revoked);
    assert_eq!(status(sent[1]), InvitationStatus::Pending);
    assert_eq!(world.violations().await, [""; 0]);
}

async fn an_organization_is_handed_over_in_one_step(world: World) {
    let three = three(&world, Role::Member, Role::Admin).await;
    let (store, scope) = (&world.store, &three.team.scope);
    let hand =
        |actor, member, afterwards| store.hand_over(scope, acting(actor), member, afterwards);
    let too_low = NotChanged::Refused(Refused::RoleTooLow(Action::TransferOwnership));
    let refused = hand(three.cy, three.bo, Afterwards::Owner).await.unwrap();
    assert_eq!(refused.err(), Some(too_low));
    let own = hand(three.ana, three.ana, Afterwards::Admin).await.unwrap();
    assert_eq!(own.err(), Some(NotChanged::Refused(Refused::OwnRole)));

    let made = hand(three.ana, three.bo, Afterwards::Owner).await.unwrap();
    assert_eq!(made.unwrap().role, Role::Owner);
    assert_eq!(three.role(&world, three.ana).await, Some(Role::Owner));
    let made = hand(three.ana, three.cy, Afterwards::Admin).await.unwrap();
    assert_eq!(made.unwrap().role, Role::Owner);
    assert_eq!(three.role(&world, three.ana).await, Some(Role::Admin));
}
