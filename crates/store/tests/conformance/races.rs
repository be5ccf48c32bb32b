//! Use cases that check something and then act on it, many times at once from two processes.

use std::collections::BTreeSet;

use copal_model::limits::{
    KEYS_PER_PROJECT_MAX, ORG_GRACE_DAYS, PROJECTS_PER_ORG_MAX, TOKENS_PER_USER_MAX,
};
use copal_model::{Email, InvitationStatus, KeyId, Role, TokenId};
use copal_store::Error;
use copal_store::access::OrgRef;
use copal_store::invitations::NotAccepted;
use copal_store::organizations::OrganizationPatch;
use copal_store::projects::{NewKey, ProjectPatch};
use copal_store::tokens::Token;
use copal_store::users::UserPatch;

use crate::invitations;
use crate::world::{AT_ONCE, World, acting, after, conflict, not_found, secret, slug};

conformance!(
    one_of_many_is_instance_administrator,
    an_address_has_one_account,
    people_of_one_name_get_slugs_of_their_own,
    organizations_of_one_name_get_slugs_of_their_own,
    one_organization_gets_the_slug_that_many_want,
    projects_of_one_name_get_slugs_of_their_own,
    one_project_gets_the_slug_that_many_want,
    an_organization_has_so_many_projects_and_no_more,
    a_project_has_so_many_keys_and_no_more,
    a_user_has_so_many_tokens_and_no_more,
    a_deleted_organization_has_no_projects,
    a_deleted_organization_is_nobodys_default,
    a_deleted_project_has_no_keys,
    an_invitation_is_accepted_once,
    an_invitation_makes_one_account,
    an_invitation_is_taken_back_or_accepted,
);

/// How many more there may be before 16 want one each.
const ROOM: u32 = 5;

/// How many got what they wanted; all others were refused for the limit's sake.
fn those_within<T: std::fmt::Debug>(limit: u32, answers: &[Result<T, Error>]) -> u32 {
    let mut within = 0;
    for answer in answers {
        match answer {
            Ok(_) => within += 1,
            Err(Error::LimitReached { limit: reached, .. }) => assert_eq!(*reached, limit),
            Err(other) => panic!("not a limit: {other:?}"),
        }
    }
    within
}

/// The one that got it; all others were told what is in the way.
fn only_one<T: std::fmt::Debug>(what: &str, answers: Vec<Result<T, Error>>) -> T {
    let (mut got, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    for refusal in refused {
        assert_eq!(conflict(refusal), what);
    }
    assert_eq!(got.len(), 1);
    got.pop().unwrap().unwrap()
}

/// The slugs that 16 got who wanted the same one.
fn sixteen(wanted: &str) -> BTreeSet<String> {
    let numbered = (2..=AT_ONCE).map(|number| format!("{wanted}-{number}"));
    numbered.chain([wanted.to_owned()]).collect()
}

async fn one_of_many_is_instance_administrator(world: World) {
    let made = world
        .at_once(|store, number| {
            let new = world.new_user(&format!("u{number}"));
            async move { store.sign_up(new).await }
        })
        .await;
    let administrators = made
        .into_iter()
        .filter(|made| made.as_ref().unwrap().user.is_instance_admin);
    assert_eq!(administrators.count(), 1);
    assert_eq!(world.store.count_users().await.unwrap(), AT_ONCE as u64);
}

async fn an_address_has_one_account(world: World) {
    let made = world
        .at_once(|store, _| {
            let new = world.new_user("Ana");
            async move { store.sign_up(new).await }
        })
        .await;
    let ana = only_one("email", made);
    let found = world.store.find_login(&ana.user.email).await.unwrap();
    assert_eq!(found.unwrap().user, ana.user);
    assert_eq!(world.store.count_users().await.unwrap(), 1);
}

async fn people_of_one_name_get_slugs_of_their_own(world: World) {
    let made = world
        .at_once(|store, number| {
            let mut new = world.new_user("Ana");
            new.email = Email::parse(&format!("ana{number}@example.org")).unwrap();
            async move { store.sign_up(new).await }
        })
        .await;
    let slugs = made
        .into_iter()
        .map(|made| made.unwrap().organization.slug.to_string());
    assert_eq!(slugs.collect::<BTreeSet<_>>(), sixteen("anas-workspace"));
}

async fn organizations_of_one_name_get_slugs_of_their_own(world: World) {
    let ana = world.org("Ana").await;
    let made = world
        .at_once(|store, _| {
            let new = world.new_org(&ana, "Acme");
            async move { store.create_organization(new).await }
        })
        .await;
    let slugs = made.into_iter().map(|made| made.unwrap().slug.to_string());
    assert_eq!(slugs.collect::<BTreeSet<_>>(), sixteen("acme"));
}

async fn one_organization_gets_the_slug_that_many_want(world: World) {
    let mut scopes = Vec::new();
    for number in 0..AT_ONCE {
        scopes.push(world.org(&format!("u{number}")).await.scope);
    }
    let changed = world
        .at_once(|store, number| {
            let (scope, patch) = (
                scopes[number],
                OrganizationPatch {
                    slug: Some(slug("acme")),
                    ..OrganizationPatch::default()
                },
            );
            async move { store.update_organization(&scope, patch).await }
        })
        .await;
    let acme = only_one("slug", changed);
    let found = world
        .store
        .open_org_as_operator(&OrgRef::Slug(slug("acme")))
        .await;
    assert_eq!(found.unwrap().unwrap().1, acme);
}

async fn projects_of_one_name_get_slugs_of_their_own(world: World) {
    let scope = world.org("Ana").await.scope;
    let made = world
        .at_once(|store, _| {
            let new = world.new_project("Shop");
            async move { store.create_project(&scope, new).await }
        })
        .await;
    let slugs = made.into_iter().map(|made| made.unwrap().slug.to_string());
    assert_eq!(slugs.collect::<BTreeSet<_>>(), sixteen("shop"));
}

async fn one_project_gets_the_slug_that_many_want(world: World) {
    let ana = world.org("Ana").await;
    let mut scopes = Vec::new();
    for number in 0..AT_ONCE {
        scopes.push(ana.project(&format!("p{number}")).await.scope);
    }
    let changed = world
        .at_once(|store, number| {
            let (scope, patch) = (
                scopes[number],
                ProjectPatch {
                    slug: Some(slug("shop")),
                    ..ProjectPatch::default()
                },
            );
            async move { store.update_project(&scope, patch).await }
        })
        .await;
    assert_eq!(only_one("slug", changed).slug, slug("shop"));
}

async fn an_organization_has_so_many_projects_and_no_more(world: World) {
    let ana = world.org("Ana").await;
    ana.lift_limits_of_plan().await;
    ana.fill_with_projects(PROJECTS_PER_ORG_MAX - ROOM);
    let scope = ana.scope;
    let made = world
        .at_once(|store, _| {
            let new = world.new_project("Shop");
            async move { store.create_project(&scope, new).await }
        })
        .await;
    assert_eq!(those_within(PROJECTS_PER_ORG_MAX, &made), ROOM);
}

async fn a_project_has_so_many_keys_and_no_more(world: World) {
    let shop = world.org("Ana").await.project("Shop").await;
    for _ in 1..KEYS_PER_PROJECT_MAX - ROOM {
        let made = world.store.create_key(&shop.scope, new_key(&world)).await;
        made.unwrap();
    }
    let scope = shop.scope;
    let made = world
        .at_once(|store, _| {
            let new = new_key(&world);
            async move { store.create_key(&scope, new).await }
        })
        .await;
    assert_eq!(those_within(KEYS_PER_PROJECT_MAX, &made), ROOM);
}

fn new_key(world: &World) -> NewKey {
    NewKey {
        id: KeyId::new(world.uuid()),
        public_key: world.public_key(),
        label: "One of many".to_owned(),
        limit: None,
        now: after(1),
    }
}

async fn a_user_has_so_many_tokens_and_no_more(world: World) {
    let ana = world.org("Ana").await;
    let token = || Token {
        id: TokenId::new(world.uuid()),
        user: ana.user.id,
        name: "One of many".to_owned(),
        prefix: "cpl_0000".to_owned(),
        scopes: None,
        created_at: after(0),
        last_used_at: None,
        expires_at: None,
    };
    for number in 0..TOKENS_PER_USER_MAX - ROOM {
        let made = world
            .store
            .create_token(token(), secret(&format!("a{number}")));
        made.await.unwrap();
    }
    let made = world
        .at_once(|store, number| {
            let (token, secret) = (token(), secret(&format!("b{number}")));
            async move { store.create_token(token, secret).await }
        })
        .await;
    assert_eq!(those_within(TOKENS_PER_USER_MAX, &made), ROOM);
}

async fn a_deleted_organization_has_no_projects(world: World) {
    let ana = world.org("Ana").await;
    let acme = ana.shared("Acme").await;
    let made = world
        .at_once(|store, number| {
            let new = world.new_project("Shop");
            let actor = acting(ana.user.id);
            async move {
                if number == AT_ONCE / 2 {
                    let deleted = store.delete_organization(&acme, actor, Vec::new());
                    deleted.await.map(Result::unwrap)
                } else {
                    store.create_project(&acme, new).await.map(|_| ())
                }
            }
        })
        .await;
    for (number, answer) in made.into_iter().enumerate() {
        if number == AT_ONCE / 2 || answer.is_ok() {
            answer.unwrap();
        } else {
            assert_eq!(not_found(answer), "organization");
        }
    }
    let long_after = after(ORG_GRACE_DAYS * 24 * 60 * 60);
    assert_eq!(
        world.store.purge_organizations(long_after).await.unwrap(),
        1
    );
    let left = "select count(*) from projects";
    assert_eq!(world.backdoor.count(left), 0);
}

async fn a_deleted_organization_is_nobodys_default(world: World) {
    let ana = world.org("Ana").await;
    let acme = ana.shared("Acme").await;
    let (user, patch) = (
        ana.user.id,
        UserPatch {
            name: None,
            default_org: Some(acme.org()),
        },
    );
    let changed = world
        .at_once(|store, number| {
            let patch = patch.clone();
            let actor = acting(user);
            async move {
                if number == AT_ONCE / 2 {
                    let deleted = store.delete_organization(&acme, actor, Vec::new());
                    deleted.await.map(Result::unwrap)
                } else {
                    store.update_user(user, patch).await.map(|_| ())
                }
            }
        })
        .await;
    for (number, answer) in changed.into_iter().enumerate() {
        if number == AT_ONCE / 2 || answer.is_ok() {
            answer.unwrap();
        } else {
            assert_eq!(not_found(answer), "organization");
        }
    }
    let found = world.store.find_login(&ana.user.email).await.unwrap();
    assert_eq!(found.unwrap().user.default_org, ana.organization.id);
}

async fn a_deleted_project_has_no_keys(world: World) {
    let shop = world.org("Ana").await.project("Shop").await;
    let scope = shop.scope;
    let made = world
        .at_once(|store, number| {
            let new = new_key(&world);
            async move {
                if number == AT_ONCE / 2 {
                    store.delete_project(&scope).await
                } else {
                    store.create_key(&scope, new).await.map(|_| ())
                }
            }
        })
        .await;
    for (number, answer) in made.into_iter().enumerate() {
        if number == AT_ONCE / 2 || answer.is_ok() {
            answer.unwrap();
        } else {
            assert_eq!(not_found(answer), "project");
        }
    }
    let left = "select count(*) from client_keys";
    assert_eq!(world.backdoor.count(left), 0);
}

async fn an_invitation_is_accepted_once(world: World) {
    let acme = invitations::team(&world, "Ana").await;
    let bo = world.org("Bo").await.user;
    let link = acme.show_link(&world, "bo", Role::Member).await;
    let answers = world
        .at_once(|store, _| {
            let acceptance = invitations::acceptance(&bo, link);
            async move { store.accept_invitation(acceptance).await }
        })
        .await;
    let (joined, refused): (Vec<_>, Vec<_>) = answers
        .into_iter()
        .map(Result::unwrap)
        .partition(Result::is_ok);
    assert_eq!(joined.len(), 1);
    for refusal in refused {
        assert_eq!(refusal, Err(NotAccepted::Gone));
    }
    assert_eq!(acme.members(&world).await.len(), 2);
}

async fn an_invitation_makes_one_account(world: World) {
    let acme = invitations::team(&world, "Ana").await;
    let link = acme.show_link(&world, "bo", Role::Member).await;
    let answers = world
        .at_once(|store, _| {
            let new = world.new_user("Bo");
            async move { store.sign_up_invited(new, &link).await }
        })
        .await;
    let made = answers.into_iter().filter(|answer| match answer {
        Ok(answer) => answer.is_ok(),
        Err(other) => panic!("{other}"),
    });
    assert_eq!(made.count(), 1);
    assert_eq!(world.store.count_users().await.unwrap(), 2);
    assert_eq!(acme.members(&world).await.len(), 2);
}

async fn an_invitation_is_taken_back_or_accepted(world: World) {
    let acme = invitations::team(&world, "Ana").await;
    let (mut names, mut links) = (Vec::new(), Vec::new());
    for number in 0..AT_ONCE / 2 {
        let name = format!("u{number}");
        links.push(acme.show_link(&world, &name, Role::Member).await);
        names.push(world.org(&name).await.user);
    }
    let listed = world.store.list_invitations(&acme.scope, after(0)).await;
    let ids: Vec<_> = listed.unwrap().into_iter().map(|one| one.id).collect();
    let answers = world
        .at_once(|store, number| {
            let which = number / 2;
            let acceptance = invitations::acceptance(&names[which], links[which]);
            let (scope, id) = (acme.scope, ids[which]);
            async move {
                if number % 2 == 0 {
                    let joined = store.accept_invitation(acceptance).await?;
                    return Ok(joined.is_ok());
                }
                let status = store.revoke_invitation(&scope, id, after(0)).await?;
                Ok(status == InvitationStatus::Revoked)
            }
        })
        .await;
    let won: Vec<_> = answers.into_iter().map(Result::unwrap).collect();
    let members = acme.members(&world).await;
    for (which, user) in names.iter().enumerate() {
        let (joined, revoked) = (won[2 * which], won[2 * which + 1]);
        assert!(joined != revoked, "one of both");
        let is_member = members.iter().any(|member| member.user_id == user.id);
        assert_eq!(is_member, joined);
    }
}
