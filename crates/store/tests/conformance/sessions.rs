//! Browser sessions.

use copal_model::{Timestamp, UserId};
use copal_store::access::{Credential, SecretHash};
use copal_store::sessions::NewSession;

use crate::world::{Org, World, after, secret, start};

conformance!(
    a_session_speaks_for_its_user,
    an_unknown_secret_speaks_for_nobody,
    a_session_ends_on_time,
    logging_out_ends_the_session_and_no_other,
    rotation_ends_the_old_session,
    a_rotation_that_fails_keeps_the_old_session,
);

const HOUR: i64 = 3600;

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
