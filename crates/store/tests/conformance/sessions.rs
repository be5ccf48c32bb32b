//! Browser sessions.

use copal_model::{Timestamp, UserId};
use copal_store::access::{Credential, SecretHash};
use copal_store::sessions::{NewSession, SessionId};

use crate::world::{Org, World, after, not_found, secret, start};

conformance!(
    a_session_speaks_for_its_user,
    an_unknown_secret_speaks_for_nobody,
    a_session_ends_on_time,
    logging_out_ends_the_session_and_no_other,
    rotation_ends_the_old_session,
    a_rotation_that_fails_keeps_the_old_session,
    own_sessions_that_live_are_listed,
    being_seen_is_noted_to_the_hour,
    a_person_ends_a_session_of_theirs,
    all_sessions_but_one_end,
    a_session_ended_elsewhere_is_dead_at_once,
);

const HOUR: i64 = 3600;
/// From the beginning of the hour to that of the world.
const INTO_THE_HOUR: i64 = 30;

fn session(org: &Org, name: &str, now: Timestamp) -> NewSession {
    NewSession {
        secret: secret(name),
        user: org.user.id,
        user_agent: "Firefox".to_owned(),
        now,
        expires_at: after(HOUR),
    }
}

async fn user_of(world: &World, secret: SecretHash, now: Timestamp) -> Option<UserId> {
    let found = world.store.find_session(&secret, now).await.unwrap();
    found.map(|principal| principal.user.id)
}

async fn a_session_speaks_for_its_user(world: World) {
    let ana = world.org("Ana").await;
    world.org("Bob").await;
    let new = session(&ana, "a", after(5));
    world.store.create_session(new, None).await.unwrap();

    let found = world.store.find_session(&secret("a"), after(9)).await;
    let found = found.unwrap().expect("the session lives");
    assert_eq!(found.user, ana.user);
    assert_eq!(
        found.credential,
        Credential::Session {
            hash: secret("a"),
            authenticated_at: after(5),
            expires_at: after(HOUR),
        }
    );
}

async fn an_unknown_secret_speaks_for_nobody(world: World) {
    let ana = world.org("Ana").await;
    let new = session(&ana, "a", start());
    world.store.create_session(new, None).await.unwrap();
    assert_eq!(user_of(&world, secret("b"), start()).await, None);
    // A session's secret is no token.
    let token = world.store.find_token(&secret("a"), start()).await.unwrap();
    assert_eq!(token, None);
}

async fn a_session_ends_on_time(world: World) {
    let ana = world.org("Ana").await;
    let new = session(&ana, "a", start());
    world.store.create_session(new, None).await.unwrap();
    let last_moment = Timestamp::from_microsecond(after(HOUR).as_microsecond() - 1).unwrap();
    assert_eq!(
        user_of(&world, secret("a"), last_moment).await,
        Some(ana.user.id)
    );
    assert_eq!(user_of(&world, secret("a"), after(HOUR)).await, None);
}

async fn logging_out_ends_the_session_and_no_other(world: World) {
    let ana = world.org("Ana").await;
    for name in ["phone", "laptop"] {
        let new = session(&ana, name, start());
        world.store.create_session(new, None).await.unwrap();
    }
    let ended = secret("phone");
    world.store.delete_session(&ended).await.unwrap();
    world.store.delete_session(&ended).await.unwrap();
    assert_eq!(user_of(&world, ended, start()).await, None);
    assert_eq!(
        user_of(&world, secret("laptop"), start()).await,
        Some(ana.user.id)
    );
}

async fn rotation_ends_the_old_session(world: World) {
    let ana = world.org("Ana").await;
    let old = session(&ana, "old", start());
    world.store.create_session(old, None).await.unwrap();
    let new = session(&ana, "new", after(1));
    world
        .store
        .create_session(new, Some(secret("old")))
        .await
        .unwrap();
    assert_eq!(user_of(&world, secret("old"), after(2)).await, None);
    assert_eq!(
        user_of(&world, secret("new"), after(2)).await,
        Some(ana.user.id)
    );
}

async fn a_rotation_that_fails_keeps_the_old_session(world: World) {
    let ana = world.org("Ana").await;
    let old = session(&ana, "old", start());
    world.store.create_session(old, None).await.unwrap();
    let mut nobodys = session(&ana, "new", after(1));
    nobodys.user = UserId::new(world.uuid());
    let failed = world
        .store
        .create_session(nobodys, Some(secret("old")))
        .await;
    assert!(failed.is_err());
    assert_eq!(
        user_of(&world, secret("old"), after(2)).await,
        Some(ana.user.id)
    );
}

async fn begin(world: &World, org: &Org, name: &str, now: Timestamp) {
    let new = session(org, name, now);
    world.store.create_session(new, None).await.unwrap();
}

async fn names(world: &World, org: &Org, now: Timestamp) -> Vec<SessionId> {
    let listed = world.store.list_sessions(org.user.id, now).await.unwrap();
    listed.into_iter().map(|session| session.id).collect()
}

async fn own_sessions_that_live_are_listed(world: World) {
    let (ana, bob) = (world.org("Ana").await, world.org("Bob").await);
    begin(&world, &ana, "old", start()).await;
    begin(&world, &ana, "new", after(1)).await;
    begin(&world, &bob, "bobs", start()).await;
    let mut over = session(&ana, "over", start());
    over.expires_at = after(2);
    world.store.create_session(over, None).await.unwrap();
    let listed = world.store.list_sessions(ana.user.id, after(2)).await;
    let listed = listed.unwrap();
    let ids: Vec<_> = listed.iter().map(|session| session.id).collect();
    assert_eq!(ids, ["new", "old"].map(|name| SessionId::of(&secret(name))));
    assert_eq!(listed[0].user_agent, "Firefox");
    assert_eq!(listed[0].created_at, after(1));
    assert_eq!(listed[0].last_seen_at, after(-INTO_THE_HOUR));
    assert_eq!(listed[0].expires_at, after(HOUR));
}

async fn being_seen_is_noted_to_the_hour(world: World) {
    let ana = world.org("Ana").await;
    let mut new = session(&ana, "a", start());
    new.expires_at = after(9 * HOUR);
    world.store.create_session(new, None).await.unwrap();
    let last_seen = async || {
        let listed = world.store.list_sessions(ana.user.id, start()).await;
        listed.unwrap()[0].last_seen_at
    };
    let hour = |number: i64| after(number * HOUR - INTO_THE_HOUR);
    let last_moment = after(HOUR - INTO_THE_HOUR - 1);
    for (now, seen) in [
        (last_moment, hour(0)),
        (hour(1), hour(1)),
        (hour(3), hour(3)),
        // A clock that goes back does not take it back.
        (hour(1), hour(3)),
    ] {
        assert!(user_of(&world, secret("a"), now).await.is_some());
        assert_eq!(last_seen().await, seen);
    }
}

async fn a_person_ends_a_session_of_theirs(world: World) {
    let (ana, bob) = (world.org("Ana").await, world.org("Bob").await);
    for name in ["phone", "laptop"] {
        begin(&world, &ana, name, start()).await;
    }
    let phone = SessionId::of(&secret("phone"));
    let refused = world.store.end_session(bob.user.id, phone).await;
    assert_eq!(not_found(refused), "session");
    assert_eq!(names(&world, &ana, start()).await.len(), 2);
    world.store.end_session(ana.user.id, phone).await.unwrap();
    let left = names(&world, &ana, start()).await;
    assert_eq!(left, [SessionId::of(&secret("laptop"))]);
    let again = world.store.end_session(ana.user.id, phone).await;
    assert_eq!(not_found(again), "session");
}

async fn all_sessions_but_one_end(world: World) {
    let (ana, bob) = (world.org("Ana").await, world.org("Bob").await);
    for name in ["phone", "laptop", "desk"] {
        begin(&world, &ana, name, start()).await;
    }
    begin(&world, &bob, "bobs", start()).await;
    let store = &world.store;
    let kept = Some(secret("desk"));
    let ended = store.end_other_sessions(ana.user.id, kept).await;
    assert_eq!(ended.unwrap(), 2);
    let left = names(&world, &ana, start()).await;
    assert_eq!(left, [SessionId::of(&secret("desk"))]);
    let ended = store.end_other_sessions(ana.user.id, None).await;
    assert_eq!(ended.unwrap(), 1);
    assert_eq!(names(&world, &bob, start()).await.len(), 1);
}

async fn a_session_ended_elsewhere_is_dead_at_once(world: World) {
    let ana = world.org("Ana").await;
    begin(&world, &ana, "a", start()).await;
    let (beside, _folder) = world.engine.beside().await.unwrap();
    let found = beside.find_session(&secret("a"), start()).await.unwrap();
    assert!(found.is_some());
    beside.end_other_sessions(ana.user.id, None).await.unwrap();
    assert_eq!(user_of(&world, secret("a"), start()).await, None);
}
