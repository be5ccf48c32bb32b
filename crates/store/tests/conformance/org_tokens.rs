//! Tokens of organizations, and members' tokens that they do not take.

use copal_model::limits::{ORG_GRACE_DAYS, TOKENS_PER_ORG_MAX};
use copal_model::policy::{Action, Refused};
use copal_model::{Role, Timestamp, TokenId, User, UserId};
use copal_store::access::{Bearer, Credential, OrgBearer, OrgRef, SecretHash};
use copal_store::org_tokens::NewOrgToken;
use copal_store::organizations::OrganizationPatch;

use crate::invitations::{Team, team};
use crate::tokens::{person, token_of};
use crate::world::{World, after, limit, not_found, secret, slug, start};

conformance!(
    a_token_speaks_for_its_organization,
    a_token_opens_its_organization_only,
    a_token_ends_on_time,
    use_is_noted_to_the_minute,
    a_revoked_token_is_dead_everywhere,
    nobody_revokes_a_token_of_another_organization,
    only_who_may_makes_one,
    an_organization_has_so_many_and_no_more,
    races_do_not_make_one_too_many,
    a_token_outlives_the_membership_of_its_maker,
    a_deleted_organization_takes_its_tokens_along,
    members_tokens_are_listed,
    a_token_is_kept_out_of_one_organization_only,
    an_admin_does_not_keep_an_owner_out,
    what_is_no_members_is_not_there,
);

const DAY: i64 = 86_400;

fn new_token(world: &World, creator: UserId, name: &str) -> NewOrgToken {
    NewOrgToken {
        id: TokenId::new(world.uuid()),
        name: name.to_owned(),
        prefix: "copal_abcdef".to_owned(),
        secret: secret(name),
        scopes: vec!["event:read".to_owned(), "org:read".to_owned()],
        creator,
        now: start(),
        expires_at: after(365 * DAY),
    }
}

async fn make(world: &World, team: &Team, name: &str) -> TokenId {
    let new = new_token(world, team.owner.id, name);
    let id = new.id;
    let made = world.store.create_org_token(&team.scope, new).await;
    made.unwrap().unwrap();
    id
}

async fn bearer(world: &World, secret: SecretHash, now: Timestamp) -> Option<OrgBearer> {
    let found = world.store.find_token(&secret, now).await.unwrap();
    found.map(|found| match found {
        Bearer::Organization(bearer) => bearer,
        Bearer::Person(principal) => panic!("{principal:?} is a person"),
    })
}

/// Gives a member another role, around the trait.
fn change_role(world: &World, team: &Team, user: &User, role: Role) {
    let changed = world.backdoor.execute(&format!(
        "update members set role = '{role}' where org_id = {} and user_id = {}",
        world.backdoor.uuid(team.organization.id.as_uuid()),
        world.backdoor.uuid(user.id.as_uuid()),
    ));
    assert_eq!(changed, Ok(1));
}

/// Ends a membership, around the trait.
fn remove(world: &World, team: &Team, user: &User) {
    let (org, user) = (
        world.backdoor.uuid(team.organization.id.as_uuid()),
        world.backdoor.uuid(user.id.as_uuid()),
    );
    world
        .backdoor
        .execute(&format!(
            "update users set default_org_id =
                (select id from organizations where personal_user_id = users.id)
            where id = {user}"
        ))
        .unwrap();
    let removed = world.backdoor.execute(&format!(
        "delete from members where org_id = {org} and user_id = {user}"
    ));
    assert_eq!(removed, Ok(1));
}

async fn a_token_speaks_for_its_organization(world: World) {
    let acme = team(&world, "Ana").await;
    let token = make(&world, &acme, "deploy").await;
    let found = bearer(&world, secret("deploy"), after(1)).await;
    let scopes = vec!["event:read".to_owned(), "org:read".to_owned()];
    let expected = OrgBearer {
        token,
        org: acme.organization.id,
        scopes: scopes.clone(),
    };
    assert_eq!(found, Some(expected));
    assert_eq!(bearer(&world, secret("other"), after(1)).await, None);

    let listed = world.store.list_org_tokens(&acme.scope, after(1)).await;
    let listed = &listed.unwrap()[0];
    assert_eq!((listed.id, &*listed.name), (token, "deploy"));
    assert_eq!(listed.scopes, scopes);
    let creator = listed.creator.as_ref().unwrap();
    assert_eq!((creator.user, &*creator.name), (acme.owner.id, "Ana"));
    assert_eq!(creator.role, Some(Role::Owner));
}

async fn a_token_opens_its_organization_only(world: World) {
    let (acme, other) = (team(&world, "Ana").await, world.org("Bob").await);
    make(&world, &acme, "deploy").await;
    let bearer = bearer(&world, secret("deploy"), start()).await.unwrap();
    for own in [
        OrgRef::Id(acme.organization.id),
        OrgRef::Slug(acme.organization.slug.clone()),
    ] {
        let opened = world.store.open_own_org(&bearer, &own).await.unwrap();
        let (scope, organization) = opened.unwrap();
        assert_eq!(scope, acme.scope);
        assert_eq!(organization, acme.organization);
    }
    // By what it was called before, too.
    let patch = OrganizationPatch {
        slug: Some(slug("acme-two")),
        ..OrganizationPatch::default()
    };
    let renamed = world.store.update_organization(&acme.scope, patch).await;
    renamed.unwrap();
    for name in [acme.organization.slug.clone(), slug("acme-two")] {
        let opened = world.store.open_own_org(&bearer, &OrgRef::Slug(name)).await;
        assert_eq!(opened.unwrap().unwrap().0, acme.scope);
    }
    for strange in [OrgRef::Id(other.organization.id), other.by_slug()] {
        let opened = world.store.open_own_org(&bearer, &strange).await;
        assert_eq!(opened.unwrap(), None);
    }
}

async fn a_token_ends_on_time(world: World) {
    let acme = team(&world, "Ana").await;
    let mut new = new_token(&world, acme.owner.id, "t");
    new.expires_at = after(60);
    let made = world.store.create_org_token(&acme.scope, new).await;
    made.unwrap().unwrap();
    assert!(bearer(&world, secret("t"), after(59)).await.is_some());
    assert!(bearer(&world, secret("t"), after(60)).await.is_none());
    for (now, listed) in [(59, 1), (60, 0)] {
        let tokens = world.store.list_org_tokens(&acme.scope, after(now)).await;
        assert_eq!(tokens.unwrap().len(), listed);
    }
    world.store.forget_expired(after(60)).await.unwrap();
    let left = world.backdoor.count("select count(*) from org_tokens");
    assert_eq!(left, 0);
}

async fn use_is_noted_to_the_minute(world: World) {
    let acme = team(&world, "Ana").await;
    make(&world, &acme, "t").await;
    let last_used = async || {
        let tokens = world.store.list_org_tokens(&acme.scope, start()).await;
        tokens.unwrap()[0].last_used_at
    };
    assert_eq!(last_used().await, None);
    // The world begins 30 seconds into a minute.
    for (now, used) in [(29, -30), (30, 30)] {
        assert!(bearer(&world, secret("t"), after(now)).await.is_some());
        assert_eq!(last_used().await, Some(after(used)));
    }
}

async fn a_revoked_token_is_dead_everywhere(world: World) {
    let acme = team(&world, "Ana").await;
    let token = make(&world, &acme, "t").await;
    let alive = bearer(&world, secret("t"), start()).await.unwrap();
    let (beside, _folder) = world.engine.beside().await.unwrap();
    beside.delete_org_token(&acme.scope, token).await.unwrap();
    assert!(bearer(&world, secret("t"), start()).await.is_none());
    // Nor does it open what it was let in for a moment ago.
    let own = OrgRef::Id(acme.organization.id);
    let opened = world.store.open_own_org(&alive, &own).await.unwrap();
    assert_eq!(opened, None);
    let again = world.store.delete_org_token(&acme.scope, token).await;
    assert_eq!(not_found(again), "token");
}

async fn nobody_revokes_a_token_of_another_organization(world: World) {
    let (acme, other) = (team(&world, "Ana").await, world.org("Bob").await);
    let token = make(&world, &acme, "t").await;
    let refused = world.store.delete_org_token(&other.scope, token).await;
    assert_eq!(not_found(refused), "token");
    let listed = world.store.list_org_tokens(&other.scope, start()).await;
    assert_eq!(listed.unwrap(), []);
    assert!(bearer(&world, secret("t"), start()).await.is_some());
}

async fn only_who_may_makes_one(world: World) {
    let acme = team(&world, "Ana").await;
    let bob = acme.join(&world, "Bob", Role::Admin).await;
    let stranger = world.org("Eve").await;
    let make = async |user: &User, name: &str| {
        let new = new_token(&world, user.id, name);
        world.store.create_org_token(&acme.scope, new).await
    };
    assert_eq!(make(&bob, "as admin").await.unwrap(), Ok(()));
    for role in [Role::Member, Role::Viewer] {
        change_role(&world, &acme, &bob, role);
        let refused = Err(Refused::RoleTooLow(Action::WriteOrgTokens));
        assert_eq!(make(&bob, role.as_str()).await.unwrap(), refused);
    }
    assert_eq!(not_found(make(&stranger.user, "strange").await), "member");
    let listed = world.store.list_org_tokens(&acme.scope, start()).await;
    let names: Vec<_> = listed
        .unwrap()
        .into_iter()
        .map(|token| token.name)
        .collect();
    assert_eq!(names, ["as admin"]);
}

/// Gives the organization so many tokens, around the trait.
fn fill(world: &World, team: &Team, tokens: u32) {
    for number in 0..tokens {
        let hash = format!("{number:064x}");
        let hash = match &world.backdoor {
            crate::engines::Backdoor::Sqlite(_) => format!("x'{hash}'"),
            crate::engines::Backdoor::Postgres(_) => format!("'\\x{hash}'"),
        };
        let filled = world.backdoor.execute(&format!(
            "insert into org_tokens
                (id, org_id, name, prefix, secret_hash, scopes, created_at, expires_at)
            values ({}, {}, 'filler', 'copal_', {hash}, '', 0, {})",
            world.backdoor.uuid(world.uuid()),
            world.backdoor.uuid(team.organization.id.as_uuid()),
            after(DAY).as_microsecond(),
        ));
        assert_eq!(filled, Ok(1));
    }
}

async fn an_organization_has_so_many_and_no_more(world: World) {
    let acme = team(&world, "Ana").await;
    fill(&world, &acme, TOKENS_PER_ORG_MAX - 1);
    make(&world, &acme, "last").await;
    let new = new_token(&world, acme.owner.id, "one too many");
    let refused = world.store.create_org_token(&acme.scope, new).await;
    assert_eq!(limit(refused), TOKENS_PER_ORG_MAX);
}

async fn races_do_not_make_one_too_many(world: World) {
    let acme = team(&world, "Ana").await;
    fill(&world, &acme, TOKENS_PER_ORG_MAX - 3);
    let made = world
        .at_once(|store, number| {
            let new = new_token(&world, acme.owner.id, &format!("token {number}"));
            let scope = acme.scope;
            async move { store.create_org_token(&scope, new).await }
        })
        .await;
    assert_eq!(made.iter().filter(|made| made.is_ok()).count(), 3);
}

async fn a_token_outlives_the_membership_of_its_maker(world: World) {
    let acme = team(&world, "Ana").await;
    let bob = acme.join(&world, "Bob", Role::Admin).await;
    let new = new_token(&world, bob.id, "t");
    let made = world.store.create_org_token(&acme.scope, new).await;
    made.unwrap().unwrap();
    remove(&world, &acme, &bob);
    let found = bearer(&world, secret("t"), start()).await.unwrap();
    let own = OrgRef::Id(acme.organization.id);
    let opened = world.store.open_own_org(&found, &own).await.unwrap();
    assert!(opened.is_some());
    let listed = world.store.list_org_tokens(&acme.scope, start()).await;
    let creator = listed.unwrap().remove(0).creator.unwrap();
    assert_eq!((&*creator.name, creator.role), ("Bob", None));
}

async fn a_deleted_organization_takes_its_tokens_along(world: World) {
    let acme = team(&world, "Ana").await;
    make(&world, &acme, "t").await;
    let token = token_of(&world, acme.owner.id, "own");
    let id = token.id;
    let (store, now) = (&world.store, start());
    store.create_token(token, secret("own")).await.unwrap();
    let kept_out = store.shut_out_token(&acme.scope, acme.owner.id, id, now);
    kept_out.await.unwrap().unwrap();
    world.delete(&acme.scope, acme.owner.id).await;
    assert!(bearer(&world, secret("t"), start()).await.is_none());
    let long_after = after(ORG_GRACE_DAYS * 24 * 60 * 60);
    assert_eq!(store.purge_organizations(long_after).await.unwrap(), 1);
    let left = "select count(*) from shut_out_tokens";
    assert_eq!(world.backdoor.count(left), 0);
}

async fn members_tokens_are_listed(world: World) {
    let acme = team(&world, "Ana").await;
    let bob = acme.join(&world, "Bob", Role::Member).await;
    let eve = world.org("Eve").await;
    for (user, name) in [(bob.id, "b"), (acme.owner.id, "a"), (eve.user.id, "e")] {
        let mut token = token_of(&world, user, name);
        token.expires_at = Some(after(60));
        token.scopes = Some(vec!["org:read".to_owned()]);
        let made = world.store.create_token(token, secret(name)).await;
        made.unwrap();
    }
    let listed = world.store.list_member_tokens(&acme.scope, after(59)).await;
    let listed = listed.unwrap();
    let seen: Vec<_> = listed
        .iter()
        .map(|token| (&*token.user_name, token.role, token.is_shut_out))
        .collect();
    assert_eq!(
        seen,
        [("Ana", Role::Owner, false), ("Bob", Role::Member, false)]
    );
    assert_eq!(listed[0].scopes, Some(vec!["org:read".to_owned()]));
    let listed = world.store.list_member_tokens(&acme.scope, after(60)).await;
    assert_eq!(listed.unwrap(), []);
}

async fn a_token_is_kept_out_of_one_organization_only(world: World) {
    let acme = team(&world, "Ana").await;
    let bob = acme.join(&world, "Bob", Role::Admin).await;
    let token = token_of(&world, bob.id, "t");
    let id = token.id;
    let store = &world.store;
    store.create_token(token, secret("t")).await.unwrap();
    let shut_out = async || {
        let found = store.find_token(&secret("t"), start()).await.unwrap();
        let Credential::Token { shut_out, .. } = person(found).credential else {
            panic!("a token is a token");
        };
        shut_out
    };
    assert_eq!(shut_out().await, []);
    for _ in 0..2 {
        let kept_out = store
            .shut_out_token(&acme.scope, acme.owner.id, id, start())
            .await;
        assert_eq!(kept_out.unwrap(), Ok(()));
        assert_eq!(shut_out().await, [acme.organization.id]);
    }
    let listed = store.list_member_tokens(&acme.scope, start()).await;
    assert!(listed.unwrap()[0].is_shut_out);
    // Whoever has it can end it for good.
    store.delete_token(bob.id, id).await.unwrap();
    let left = "select count(*) from shut_out_tokens";
    assert_eq!(world.backdoor.count(left), 0);
}

async fn an_admin_does_not_keep_an_owner_out(world: World) {
    let acme = team(&world, "Ana").await;
    let bob = acme.join(&world, "Bob", Role::Admin).await;
    let token = token_of(&world, acme.owner.id, "t");
    let id = token.id;
    let store = &world.store;
    store.create_token(token, secret("t")).await.unwrap();
    let refused = store.shut_out_token(&acme.scope, bob.id, id, start()).await;
    assert_eq!(refused.unwrap(), Err(Refused::HigherRole));
    change_role(&world, &acme, &bob, Role::Member);
    let refused = store.shut_out_token(&acme.scope, bob.id, id, start()).await;
    let low = Refused::RoleTooLow(Action::RevokeMemberTokens);
    assert_eq!(refused.unwrap(), Err(low));
    let left = "select count(*) from shut_out_tokens";
    assert_eq!(world.backdoor.count(left), 0);
}

async fn what_is_no_members_is_not_there(world: World) {
    let (acme, eve) = (team(&world, "Ana").await, world.org("Eve").await);
    let strange = token_of(&world, eve.user.id, "t");
    let id = strange.id;
    let store = &world.store;
    store.create_token(strange, secret("t")).await.unwrap();
    let owner = acme.owner.id;
    let missing = store.shut_out_token(&acme.scope, owner, id, start()).await;
    assert_eq!(not_found(missing), "token");
    let strange = store.shut_out_token(&acme.scope, eve.user.id, id, start());
    assert_eq!(not_found(strange.await), "member");
}
