//! Second factors: codes that count once, few guesses, recovery codes, log-ins that wait.

use copal_model::totp::{STEP_SECS, TotpSecret, step_at};
use copal_store::second_factors::{NewLogInStep, NotProven, Shown, TRIES, TRY_SECS};

use crate::world::{Org, World, after, conflict, not_found, secret, start};

conformance!(
    it_is_asked_for_once_it_is_confirmed,
    another_one_takes_its_place_until_it_is_confirmed,
    a_code_counts_once,
    one_code_at_once_counts_once,
    guesses_end,
    guesses_at_once_end_too,
    a_recovery_code_counts_once,
    other_recovery_codes_end_the_old_ones,
    without_it_nothing_is_left,
    a_log_in_waits_for_a_while,
);

const SECRET: TotpSecret = TotpSecret::from_bytes([7; 20]);

fn code(seconds: i64) -> Shown {
    Shown::Code(SECRET.code(step_at(after(seconds))))
}

/// Somebody with a second factor since the beginning of the world.
async fn ana(world: &World) -> Org {
    let ana = world.org("Ana").await;
    let (store, user) = (&world.store, ana.user.id);
    let begun = store.begin_second_factor(user, SECRET, start()).await;
    begun.unwrap();
    let codes = ["one", "two"].map(secret).to_vec();
    let typed = SECRET.code(step_at(start()));
    let confirmed = store.confirm_second_factor(user, typed, codes, start());
    confirmed.await.unwrap().unwrap();
    ana
}

async fn it_is_asked_for_once_it_is_confirmed(world: World) {
    let ana = world.org("Ana").await;
    let (store, user) = (&world.store, ana.user.id);
    assert_eq!(store.find_second_factor(user).await.unwrap(), None);
    store
        .begin_second_factor(user, SECRET, start())
        .await
        .unwrap();
    let found = store.find_second_factor(user).await.unwrap().unwrap();
    assert_eq!((found.secret, found.confirmed_at), (SECRET, None));
    let proven = store.prove_second_factor(user, code(0), start()).await;
    assert_eq!(not_found(proven), "second factor");
    let wrong = store.confirm_second_factor(user, "000000".to_owned(), Vec::new(), start());
    assert_eq!(wrong.await.unwrap(), Err(NotProven::Wrong));
    let found = store.find_second_factor(user).await.unwrap().unwrap();
    assert_eq!(found.confirmed_at, None);
    let typed = SECRET.code(step_at(start()));
    let codes = vec![secret("one")];
    let confirmed = store.confirm_second_factor(user, typed, codes, start());
    assert_eq!(confirmed.await.unwrap(), Ok(()));
    let found = store.find_second_factor(user).await.unwrap().unwrap();
    assert_eq!(found.confirmed_at, Some(start()));
    assert_eq!(found.recovery_codes_left, 1);
}

async fn another_one_takes_its_place_until_it_is_confirmed(world: World) {
    let other = TotpSecret::from_bytes([8; 20]);
    let bob = world.org("Bob").await;
    for secret in [SECRET, other] {
        let begun = world
            .store
            .begin_second_factor(bob.user.id, secret, start())
            .await;
        begun.unwrap();
        let found = world.store.find_second_factor(bob.user.id).await.unwrap();
        assert_eq!(found.unwrap().secret, secret);
    }
    let ana = ana(&world).await;
    let refused = world
        .store
        .begin_second_factor(ana.user.id, other, start())
        .await;
    assert_eq!(conflict(refused), "second factor");
    let found = world.store.find_second_factor(ana.user.id).await.unwrap();
    assert_eq!(found.unwrap().secret, SECRET);
}

async fn a_code_counts_once(world: World) {
    let ana = ana(&world).await;
    let (store, user) = (&world.store, ana.user.id);
    // The one that confirmed it has counted.
    let again = store.prove_second_factor(user, code(0), start()).await;
    assert_eq!(again.unwrap(), Err(NotProven::Wrong));
    let next = after(STEP_SECS);
    let proven = store.prove_second_factor(user, code(STEP_SECS), next).await;
    assert_eq!(proven.unwrap(), Ok(()));
    for replayed in [0, STEP_SECS] {
        let again = store.prove_second_factor(user, code(replayed), next).await;
        assert_eq!(again.unwrap(), Err(NotProven::Wrong));
    }
}

async fn one_code_at_once_counts_once(world: World) {
    let ana = ana(&world).await;
    let user = ana.user.id;
    let now = after(STEP_SECS);
    let answers = world
        .at_once(
            |store, _| async move { store.prove_second_factor(user, code(STEP_SECS), now).await },
        )
        .await;
    let counted = answers.iter().filter(|answer| matches!(answer, Ok(Ok(()))));
    assert_eq!(counted.count(), 1);
}

async fn guesses_end(world: World) {
    let ana = ana(&world).await;
    let (store, user) = (&world.store, ana.user.id);
    let now = after(3600);
    for _ in 0..TRIES {
        let wrong = Shown::Code("000000".to_owned());
        let answer = store.prove_second_factor(user, wrong, now).await;
        assert_eq!(answer.unwrap(), Err(NotProven::Wrong));
    }
    let until = after(3600 + TRY_SECS);
    for shown in [code(3600), Shown::Recovery(secret("one"))] {
        let refused = store.prove_second_factor(user, shown, now).await;
        assert_eq!(refused.unwrap(), Err(NotProven::TooManyTries { until }));
    }
    let found = store.find_second_factor(user).await.unwrap().unwrap();
    assert_eq!(found.recovery_codes_left, 2);
    let later = store.prove_second_factor(user, code(3600 + TRY_SECS), until);
    assert_eq!(later.await.unwrap(), Ok(()));
}

async fn guesses_at_once_end_too(world: World) {
    let ana = ana(&world).await;
    let user = ana.user.id;
    let answers = world
        .at_once(|store, _| async move {
            let wrong = Shown::Code("000000".to_owned());
            store.prove_second_factor(user, wrong, after(3600)).await
        })
        .await;
    let wrong = answers
        .iter()
        .filter(|answer| matches!(answer, Ok(Err(NotProven::Wrong))));
    assert_eq!(i64::try_from(wrong.count()).unwrap(), TRIES);
}

async fn a_recovery_code_counts_once(world: World) {
    let (ana, bob) = (ana(&world).await, world.org("Bob").await);
    let (store, user) = (&world.store, ana.user.id);
    let shown = || Shown::Recovery(secret("one"));
    let strange = store
        .prove_second_factor(bob.user.id, shown(), start())
        .await;
    assert_eq!(not_found(strange), "second factor");
    for answer in [Ok(()), Err(NotProven::Wrong)] {
        let proven = store.prove_second_factor(user, shown(), start()).await;
        assert_eq!(proven.unwrap(), answer);
        let found = store.find_second_factor(user).await.unwrap().unwrap();
        assert_eq!(found.recovery_codes_left, 1);
    }
}

async fn other_recovery_codes_end_the_old_ones(world: World) {
    let ana = ana(&world).await;
    let (store, user) = (&world.store, ana.user.id);
    let codes = ["a", "b", "c"].map(secret).to_vec();
    store.replace_recovery_codes(user, codes).await.unwrap();
    let found = store.find_second_factor(user).await.unwrap().unwrap();
    assert_eq!(found.recovery_codes_left, 3);
    for (name, answer) in [("one", Err(NotProven::Wrong)), ("b", Ok(()))] {
        let shown = Shown::Recovery(secret(name));
        let proven = store.prove_second_factor(user, shown, start()).await;
        assert_eq!(proven.unwrap(), answer);
    }
    let bob = world.org("Bob").await;
    let refused = store.replace_recovery_codes(bob.user.id, Vec::new()).await;
    assert_eq!(not_found(refused), "second factor");
}

async fn without_it_nothing_is_left(world: World) {
    let ana = ana(&world).await;
    let (store, user) = (&world.store, ana.user.id);
    for _ in 0..2 {
        store.remove_second_factor(user).await.unwrap();
        assert_eq!(store.find_second_factor(user).await.unwrap(), None);
    }
    let left = "select count(*) from recovery_codes";
    assert_eq!(world.backdoor.count(left), 0);
}

async fn a_log_in_waits_for_a_while(world: World) {
    let ana = world.org("Ana").await;
    let store = &world.store;
    let step = NewLogInStep {
        secret: secret("step"),
        user: ana.user.id,
        expires_at: after(600),
    };
    store.create_log_in_step(step).await.unwrap();
    for (name, seconds, is_found) in [
        ("step", 599, true),
        ("step", 600, false),
        ("other", 0, false),
    ] {
        let found = store.find_log_in_step(&secret(name), after(seconds)).await;
        let expected = is_found.then(|| ana.user.clone());
        assert_eq!(found.unwrap(), expected);
    }
    // It is no session.
    let session = store.find_session(&secret("step"), start()).await;
    assert_eq!(session.unwrap(), None);
    store.forget_expired(after(599)).await.unwrap();
    let waiting = "select count(*) from log_in_steps";
    assert_eq!(world.backdoor.count(waiting), 1);
    store.delete_log_in_step(&secret("step")).await.unwrap();
    let found = store.find_log_in_step(&secret("step"), start()).await;
    assert_eq!(found.unwrap(), None);
}
