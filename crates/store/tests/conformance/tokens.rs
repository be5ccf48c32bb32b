//! Personal API tokens.

use copal_model::limits::TOKENS_PER_USER_MAX;
use copal_model::{Timestamp, TokenId, UserId};
use copal_store::access::{Bearer, Credential, Principal};
use copal_store::tokens::Token;

use crate::world::{Org, World, after, limit, not_found, secret, start};

conformance!(
    a_token_speaks_for_its_user,
    a_token_narrowed_to_nothing_is_not_a_full_one,
    an_unknown_secret_speaks_for_nobody,
    a_token_ends_on_time,
    a_token_without_end_lives_on,
    use_is_noted_to_the_minute,
    a_clock_that_goes_back_does_not_take_use_back,
    tokens_are_listed_newest_first_and_own_ones_only,
    a_revoked_token_is_dead,
    a_token_revoked_elsewhere_is_dead_at_once,
    nobody_revokes_anothers_token,
    a_user_has_so_many_tokens_and_no_more,
);

fn token(world: &World, org: &Org, name: &str) -> Token {
    token_of(world, org.user.id, name)
}

/// A token of a person that is about to be made.
pub(crate) fn token_of(world: &World, user: UserId, name: &str) -> Token {
    Token {
        id: TokenId::new(world.uuid()),
        user,
        name: name.to_owned(),
        prefix: "cop_abcd".to_owned(),
        scopes: None,
        created_at: start(),
        last_used_at: None,
        expires_at: None,
    }
}

/// The person that a token speaks for.
pub(crate) fn person(found: Option<Bearer>) -> Principal {
    match found.expect("the token lives") {
        Bearer::Person(principal) => principal,
        Bearer::Organization(bearer) => panic!("{bearer:?} is no person's"),
    }
}

async fn is_alive(world: &World, name: &str, now: Timestamp) -> bool {
    let found = world.store.find_token(&secret(name), now).await.unwrap();
    found.is_some()
}

async fn last_used(world: &World, org: &Org) -> Option<Timestamp> {
    let tokens = world.store.list_tokens(org.user.id).await.unwrap();
    tokens[0].last_used_at
}

async fn a_token_speaks_for_its_user(world: World) {
    let ana = world.org("Ana").await;
    let mut new = token(&world, &ana, "deploy");
    new.scopes = Some(vec!["event:read".to_owned(), "org:read".to_owned()]);
    let (id, scopes) = (new.id, new.scopes.clone());
    world.store.create_token(new, secret("t")).await.unwrap();

    let found = world.store.find_token(&secret("t"), after(1)).await;
    let found = person(found.unwrap());
    assert_eq!(found.user, ana.user);
    let shut_out = Vec::new();
    assert_eq!(
        found.credential,
        Credential::Token {
            id,
            scopes,
            shut_out
        }
    );
}

async fn a_token_narrowed_to_nothing_is_not_a_full_one(world: World) {
    let ana = world.org("Ana").await;
    let mut new = token(&world, &ana, "nothing");
    new.scopes = Some(Vec::new());
    world.store.create_token(new, secret("t")).await.unwrap();
    let found = world.store.find_token(&secret("t"), start()).await;
    let Credential::Token { scopes, .. } = person(found.unwrap()).credential else {
        panic!("a token is no session");
    };
    assert_eq!(scopes, Some(Vec::new()));
}

async fn an_unknown_secret_speaks_for_nobody(world: World) {
    let ana = world.org("Ana").await;
    let new = token(&world, &ana, "deploy");
    world.store.create_token(new, secret("t")).await.unwrap();
    assert!(!is_alive(&world, "u", start()).await);
    // A token's secret is no session.
    let session = world.store.find_session(&secret("t"), start()).await;
    assert_eq!(session.unwrap(), None);
}

async fn a_token_ends_on_time(world: World) {
    let ana = world.org("Ana").await;
    let mut new = token(&world, &ana, "deploy");
    new.expires_at = Some(after(60));
    world.store.create_token(new, secret("t")).await.unwrap();
    assert!(is_alive(&world, "t", after(59)).await);
    assert!(!is_alive(&world, "t", after(60)).await);
}

async fn a_token_without_end_lives_on(world: World) {
    let ana = world.org("Ana").await;
    let new = token(&world, &ana, "deploy");
    world.store.create_token(new, secret("t")).await.unwrap();
    assert!(is_alive(&world, "t", after(100 * 365 * 86_400)).await);
}

async fn use_is_noted_to_the_minute(world: World) {
    let ana = world.org("Ana").await;
    let new = token(&world, &ana, "deploy");
    world.store.create_token(new, secret("t")).await.unwrap();
    assert_eq!(last_used(&world, &ana).await, None);

    // The world begins 30 seconds into a minute.
    assert!(is_alive(&world, "t", after(10)).await);
    assert_eq!(last_used(&world, &ana).await, Some(after(-30)));
    assert!(is_alive(&world, "t", after(29)).await);
    assert_eq!(last_used(&world, &ana).await, Some(after(-30)));
    assert!(is_alive(&world, "t", after(30)).await);
    assert_eq!(last_used(&world, &ana).await, Some(after(30)));
}

async fn a_clock_that_goes_back_does_not_take_use_back(world: World) {
    let ana = world.org("Ana").await;
    let new = token(&world, &ana, "deploy");
    world.store.create_token(new, secret("t")).await.unwrap();
    assert!(is_alive(&world, "t", after(90)).await);
    assert!(is_alive(&world, "t", after(0)).await);
    assert_eq!(last_used(&world, &ana).await, Some(after(90)));
}

async fn tokens_are_listed_newest_first_and_own_ones_only(world: World) {
    let (ana, bob) = (world.org("Ana").await, world.org("Bob").await);
    for (number, name) in ["first", "second"].into_iter().enumerate() {
        let mut new = token(&world, &ana, name);
        new.created_at = after(i64::try_from(number).unwrap());
        world.store.create_token(new, secret(name)).await.unwrap();
    }
    let bobs = token(&world, &bob, "bobs");
    world
        .store
        .create_token(bobs, secret("bobs"))
        .await
        .unwrap();
    let tokens = world.store.list_tokens(ana.user.id).await.unwrap();
    let names: Vec<_> = tokens.iter().map(|token| token.name.as_str()).collect();
    assert_eq!(names, ["second", "first"]);
}

async fn a_revoked_token_is_dead(world: World) {
    let ana = world.org("Ana").await;
    let new = token(&world, &ana, "deploy");
    let id = new.id;
    world.store.create_token(new, secret("t")).await.unwrap();
    world.store.delete_token(ana.user.id, id).await.unwrap();
    assert!(!is_alive(&world, "t", start()).await);
    let again = world.store.delete_token(ana.user.id, id).await;
    assert_eq!(not_found(again), "token");
}

async fn a_token_revoked_elsewhere_is_dead_at_once(world: World) {
    let ana = world.org("Ana").await;
    let new = token(&world, &ana, "deploy");
    let id = new.id;
    world.store.create_token(new, secret("t")).await.unwrap();
    let (beside, _folder) = world.engine.beside().await.unwrap();
    let found = beside.find_token(&secret("t"), start()).await.unwrap();
    assert!(found.is_some());
    beside.delete_token(ana.user.id, id).await.unwrap();
    assert!(!is_alive(&world, "t", start()).await);
}

async fn nobody_revokes_anothers_token(world: World) {
    let (ana, bob) = (world.org("Ana").await, world.org("Bob").await);
    let new = token(&world, &ana, "deploy");
    let id = new.id;
    world.store.create_token(new, secret("t")).await.unwrap();
    let refused = world.store.delete_token(bob.user.id, id).await;
    assert_eq!(not_found(refused), "token");
    assert!(is_alive(&world, "t", start()).await);
}

async fn a_user_has_so_many_tokens_and_no_more(world: World) {
    let (ana, bob) = (world.org("Ana").await, world.org("Bob").await);
    for number in 0..TOKENS_PER_USER_MAX {
        let new = token(&world, &ana, "one of many");
        let hash = secret(&number.to_string());
        world.store.create_token(new, hash).await.unwrap();
    }
    let one_more = token(&world, &ana, "one more");
    let refused = world.store.create_token(one_more, secret("more")).await;
    assert_eq!(limit(refused), TOKENS_PER_USER_MAX);
    let bobs = token(&world, &bob, "bobs");
    let allowed = world.store.create_token(bobs, secret("bobs")).await;
    assert!(allowed.is_ok(), "the limit is each user's own");
}
