//! The outbox: what waits is sent once, tried again later, kept for a while and then forgotten.

use copal_model::mail::SECRET_MARK;
use copal_model::{Mail, MailId, MailState};
use copal_store::mails::{Delivery, MAIL_KEPT_DAYS, Outgoing};
use copal_store::{Error, PageRequest};

use crate::invitations::{inviting, team};
use crate::world::{World, after, not_found, secret, start};

conformance!(
    a_mail_is_taken_by_one,
    of_many_who_take_each_gets_another_mail,
    a_mail_that_was_sent_is_not_sent_again,
    a_mail_is_tried_again_when_its_time_has_come,
    a_mail_that_was_refused_stays_to_be_tried_by_hand,
    who_took_a_mail_and_died_is_followed_by_another,
    an_attempt_that_somebody_else_has_repeated_says_nothing,
    a_mail_without_use_is_not_sent,
    mails_are_listed_newest_first,
    mails_are_forgotten_in_the_end,
    no_secret_is_stored,
);

/// How long a mail is somebody's who took it, in seconds.
const LEASE: i64 = 60;
const DAY: i64 = 86_400;

/// Takes a mail `seconds` after the start.
async fn take(world: &World, seconds: i64) -> Option<Outgoing> {
    let (now, until) = (after(seconds), after(seconds + LEASE));
    let fresh = secret(&format!("taken {seconds}"));
    world.store.take_mail(&fresh, now, until).await.unwrap()
}

async fn settle(world: &World, taken: &Outgoing, delivery: Delivery, seconds: i64) {
    let settled = world
        .store
        .settle_mail(taken.id, taken.attempt, delivery, after(seconds));
    settled.await.unwrap();
}

async fn mail(world: &World, id: MailId) -> Mail {
    world.store.find_mail(id).await.unwrap().unwrap().0
}

fn later(seconds: i64) -> Delivery {
    Delivery::Later {
        at: after(seconds),
        error: "451 try\r\nlater".to_owned(),
    }
}

fn refused() -> Delivery {
    Delivery::Refused {
        error: "550 no such user".to_owned(),
    }
}

async fn a_mail_is_taken_by_one(world: World) {
    let acme = team(&world, "Ana").await;
    assert_eq!(take(&world, 0).await, None, "nothing is there yet");
    let new = inviting(&world, &acme, "bo");
    let made = acme.invite(&world, new.clone()).await.unwrap();

    let taken = take(&world, 0).await.expect("the mail is due at once");
    assert_eq!(taken.id, new.mail_id);
    assert_eq!(taken.recipient, made.email);
    assert_eq!(taken.letter, new.letter);
    assert_eq!(taken.attempt, 1);
    assert_eq!(take(&world, 1).await, None, "it is somebody's");
    assert_eq!(world.store.count_waiting_mails().await.unwrap(), 1);
}

async fn of_many_who_take_each_gets_another_mail(world: World) {
    let acme = team(&world, "Ana").await;
    for number in 0..10 {
        let new = inviting(&world, &acme, &format!("bo{number}"));
        acme.invite(&world, new).await.unwrap();
    }
    let taken = world
        .at_once(|store, number| async move {
            let fresh = secret(&format!("taken {number}"));
            store.take_mail(&fresh, start(), after(LEASE)).await
        })
        .await;
    let mut ids: Vec<_> = taken
        .into_iter()
        .filter_map(Result::unwrap)
        .map(|taken| taken.id)
        .collect();
    assert!(
        ids.len() >= 8,
        "{}: who finds one locked takes the next",
        ids.len()
    );
    ids.sort_unstable();
    let all = ids.len();
    ids.dedup();
    assert_eq!(ids.len(), all);
}

async fn a_mail_that_was_sent_is_not_sent_again(world: World) {
    let acme = team(&world, "Ana").await;
    let new = inviting(&world, &acme, "bo");
    acme.invite(&world, new).await.unwrap();
    let taken = take(&world, 0).await.unwrap();
    settle(&world, &taken, Delivery::Sent, 2).await;

    let (mail, letter) = world.store.find_mail(taken.id).await.unwrap().unwrap();
    assert_eq!(mail.state, MailState::Sent);
    assert_eq!(mail.finished_at, Some(after(2)));
    assert_eq!(mail.last_error, None);
    assert_eq!(letter, None, "what it said is of no use any more");
    assert_eq!(take(&world, DAY).await, None);
    assert_eq!(world.store.count_waiting_mails().await.unwrap(), 0);
    let again = world.store.retry_mail(taken.id, after(DAY)).await;
    assert_eq!(not_found(again), "mail");
}

async fn a_mail_is_tried_again_when_its_time_has_come(world: World) {
    let acme = team(&world, "Ana").await;
    let new = inviting(&world, &acme, "bo");
    acme.invite(&world, new).await.unwrap();
    let taken = take(&world, 0).await.unwrap();
    settle(&world, &taken, later(300), 1).await;

    let waiting = mail(&world, taken.id).await;
    assert_eq!(waiting.state, MailState::Waiting);
    assert_eq!(waiting.last_error.as_deref(), Some("451 try  later"));
    assert_eq!(waiting.next_attempt_at, after(300));
    assert_eq!(take(&world, 299).await, None);
    assert_eq!(take(&world, 300).await.unwrap().attempt, 2);
}

async fn a_mail_that_was_refused_stays_to_be_tried_by_hand(world: World) {
    let acme = team(&world, "Ana").await;
    let new = inviting(&world, &acme, "bo");
    acme.invite(&world, new).await.unwrap();
    let taken = take(&world, 0).await.unwrap();
    settle(&world, &taken, refused(), 1).await;
    let failed = mail(&world, taken.id).await;
    assert_eq!(failed.state, MailState::Failed);
    assert_eq!(failed.last_error.as_deref(), Some("550 no such user"));
    assert_eq!(take(&world, DAY).await, None);

    world.store.retry_mail(taken.id, after(DAY)).await.unwrap();
    let again = take(&world, DAY).await.unwrap();
    assert_eq!((again.id, again.attempt), (taken.id, 2));
    assert_eq!(again.letter, taken.letter);
}

async fn who_took_a_mail_and_died_is_followed_by_another(world: World) {
    let acme = team(&world, "Ana").await;
    let new = inviting(&world, &acme, "bo");
    acme.invite(&world, new).await.unwrap();
    let first = take(&world, 0).await.unwrap();
    assert_eq!(take(&world, LEASE - 1).await, None);
    let second = take(&world, LEASE).await.unwrap();
    assert_eq!((second.id, second.attempt), (first.id, 2));
}

async fn an_attempt_that_somebody_else_has_repeated_says_nothing(world: World) {
    let acme = team(&world, "Ana").await;
    let new = inviting(&world, &acme, "bo");
    acme.invite(&world, new).await.unwrap();
    let first = take(&world, 0).await.unwrap();
    let second = take(&world, LEASE).await.unwrap();
    settle(&world, &first, refused(), LEASE + 1).await;
    assert_eq!(mail(&world, first.id).await.state, MailState::Waiting);
    settle(&world, &second, Delivery::Sent, LEASE + 2).await;
    settle(&world, &second, refused(), LEASE + 3).await;
    assert_eq!(mail(&world, first.id).await.state, MailState::Sent);
}

async fn a_mail_without_use_is_not_sent(world: World) {
    let acme = team(&world, "Ana").await;
    let mut new = inviting(&world, &acme, "bo");
    new.expires_at = after(DAY);
    acme.invite(&world, new.clone()).await.unwrap();
    assert_eq!(take(&world, DAY).await, None);
    let again = world.store.retry_mail(new.mail_id, after(DAY)).await;
    assert_eq!(not_found(again), "mail");

    world.store.forget_mails(after(DAY)).await.unwrap();
    let (given_up, letter) = world.store.find_mail(new.mail_id).await.unwrap().unwrap();
    assert_eq!(given_up.state, MailState::Failed);
    let why = given_up.last_error.unwrap();
    assert_eq!(why, "there was no mail server while it was of use");
    assert_eq!(letter, None);
}

async fn mails_are_listed_newest_first(world: World) {
    let acme = team(&world, "Ana").await;
    let mut wanted = Vec::new();
    for number in 0..5 {
        let new = inviting(&world, &acme, &format!("bo{number}"));
        wanted.insert(0, new.mail_id);
        acme.invite(&world, new).await.unwrap();
    }
    let sent = take(&world, 0).await.unwrap();
    settle(&world, &sent, Delivery::Sent, 0).await;
    let mut page = PageRequest::first(2);
    let mut listed = Vec::new();
    loop {
        let found = world.store.list_mails(None, &page).await.unwrap();
        listed.extend(found.rows.into_iter().map(|mail| mail.id));
        page.cursor = found.next;
        if page.cursor.is_none() {
            break;
        }
    }
    assert_eq!(listed, wanted);
    let (all, waiting) = (PageRequest::first(9), Some(MailState::Waiting));
    let waiting = world.store.list_mails(waiting, &all).await.unwrap().rows;
    assert_eq!(waiting.len(), 4);
    assert!(waiting.iter().all(|mail| mail.id != sent.id));
    assert_eq!(waiting[0].org, Some(acme.scope.org()));
    let odd = PageRequest {
        cursor: Some("x".to_owned()),
        ..all
    };
    let odd = world.store.list_mails(None, &odd).await;
    assert!(matches!(odd, Err(Error::BadCursor)));
}

async fn mails_are_forgotten_in_the_end(world: World) {
    let acme = team(&world, "Ana").await;
    let mut new = inviting(&world, &acme, "bo");
    new.expires_at = after(DAY);
    acme.invite(&world, new.clone()).await.unwrap();
    let taken = take(&world, 0).await.unwrap();
    settle(&world, &taken, Delivery::Sent, 0).await;
    let over = DAY + MAIL_KEPT_DAYS * DAY;
    for (seconds, is_there) in [(over - 1, true), (over, false)] {
        world.store.forget_mails(after(seconds)).await.unwrap();
        let found = world.store.find_mail(taken.id).await.unwrap();
        assert_eq!(found.is_some(), is_there, "{seconds}");
    }
    let links = world.backdoor.count("select count(*) from mail_links");
    assert_eq!(links, 0);
}

async fn no_secret_is_stored(world: World) {
    let acme = team(&world, "Ana").await;
    let new = inviting(&world, &acme, "bo");
    acme.invite(&world, new.clone()).await.unwrap();
    take(&world, 0).await.unwrap();
    let (_, letter) = world.store.find_mail(new.mail_id).await.unwrap().unwrap();
    assert!(letter.unwrap().text.contains(SECRET_MARK));
}
