//! What becomes of an invitation: it opens, is answered, ends.

use copal_model::{InvitationStatus, MailId, MailState, Role, User};
use copal_store::access::{OrgRef, SecretHash};
use copal_store::invitations::{
    Acceptance, AddressProof, Answer, Decline, INVITATION_KEPT_DAYS, Joined, NewInvitation,
    NotAccepted, NotInvited,
};

use super::{DAY, acceptance, inviting, team};
use crate::world::{World, after, conflict, not_found, secret, start};

conformance!(
    an_invitation_opens_by_every_secret_of_its_mail,
    sending_again_ends_what_opened_it_before,
    what_has_ended_is_not_sent_again,
    an_invitation_of_another_organization_is_not_there,
    who_accepts_becomes_a_member,
    another_account_cannot_accept,
    an_address_has_to_be_proved,
    a_member_who_accepts_stays_what_they_are,
    an_invitation_ends_with_the_inviters_role,
    nothing_opens_what_has_ended,
    who_is_invited_can_decline,
    who_does_not_want_to_be_asked_is_not,
    signing_up_by_an_invitation_joins,
    signing_up_by_an_invitation_is_of_its_address,
    an_invitation_without_backing_makes_no_account,
    a_deleted_organization_takes_its_invitations_along,
    invitations_are_forgotten_in_the_end,
);

async fn accept(world: &World, user: &User, secret: SecretHash) -> Answer<Joined, NotAccepted> {
    accept_proving(world, user, secret, AddressProof::Waived).await
}

async fn accept_proving(
    world: &World,
    user: &User,
    secret: SecretHash,
    proof: AddressProof,
) -> Answer<Joined, NotAccepted> {
    let acceptance = Acceptance {
        proof,
        ..acceptance(user, secret)
    };
    world.store.accept_invitation(acceptance).await.unwrap()
}

async fn an_invitation_opens_by_every_secret_of_its_mail(world: World) {
    let acme = team(&world, "Ana").await;
    let shown = acme.show_link(&world, "bo", Role::Viewer).await;
    let (first, second) = (secret("first"), secret("second"));
    for (mailed, seconds) in [(first, 0), (second, 60)] {
        let (now, until) = (after(seconds), after(seconds + 60));
        let taken = world.store.take_mail(&mailed, now, until).await.unwrap();
        assert!(taken.is_some());
    }
    for (link, is_mailed) in [(shown, false), (first, true), (second, true)] {
        let open = world.store.open_invitation(&link, start()).await.unwrap();
        let open = open.expect("it opens");
        assert_eq!(open.is_mailed, is_mailed);
        assert_eq!(open.invitation.role, Role::Viewer);
        assert_eq!(open.invitation.inviter_name, "Ana");
        assert_eq!(open.organization, acme.organization);
        assert_eq!((open.account, open.is_member), (None, false));
        assert!(open.is_backed);
    }
    let unknown = world.store.open_invitation(&secret("no"), start()).await;
    assert_eq!(unknown.unwrap(), None);
    let over = world.store.open_invitation(&first, after(7 * DAY)).await;
    assert_eq!(over.unwrap(), None);
    let bo = world.org("Bo").await.user;
    let open = world.store.open_invitation(&first, start()).await.unwrap();
    assert_eq!(open.unwrap().account, Some(bo.id));
}

async fn sending_again_ends_what_opened_it_before(world: World) {
    let acme = team(&world, "Ana").await;
    let first = secret("first");
    let new = NewInvitation {
        shown: Some(first),
        ..inviting(&world, &acme, "bo")
    };
    acme.invite(&world, new.clone()).await.unwrap();
    let cy = acme.join(&world, "cy", Role::Admin).await;
    let second = secret("second");
    let again = NewInvitation {
        mail_id: MailId::new(world.uuid()),
        inviter: cy.id,
        shown: Some(second),
        now: after(8 * DAY),
        expires_at: after(15 * DAY),
        ..new.clone()
    };
    let sent = world.store.resend_invitation(&acme.scope, again.clone());
    let sent = sent.await.unwrap().unwrap();
    assert_eq!(sent.id, new.id);
    assert_eq!(sent.status, InvitationStatus::Pending);
    assert_eq!((sent.inviter, sent.expires_at), (cy.id, after(15 * DAY)));
    assert_eq!(sent.created_at, start());
    let now = after(9 * DAY);
    let old = world.store.open_invitation(&first, now).await.unwrap();
    assert_eq!(old, None);
    let new_one = world.store.open_invitation(&second, now).await.unwrap();
    assert_eq!(new_one.unwrap().invitation.id, new.id);
    let mail = world.store.find_mail(new.mail_id).await.unwrap().unwrap();
    assert_eq!(mail.0.state, MailState::Cancelled);
    assert_eq!(mail.1, None);
}

async fn what_has_ended_is_not_sent_again(world: World) {
    let acme = team(&world, "Ana").await;
    let new = inviting(&world, &acme, "bo");
    acme.invite(&world, new.clone()).await.unwrap();
    let revoked = world.store.revoke_invitation(&acme.scope, new.id, start());
    assert_eq!(revoked.await.unwrap(), InvitationStatus::Revoked);
    let again = NewInvitation {
        mail_id: MailId::new(world.uuid()),
        ..new
    };
    let refused = world.store.resend_invitation(&acme.scope, again).await;
    assert_eq!(not_found(refused), "invitation");
}

async fn an_invitation_of_another_organization_is_not_there(world: World) {
    let (acme, beta) = (team(&world, "Ana").await, team(&world, "Cy").await);
    let new = inviting(&world, &acme, "bo");
    acme.invite(&world, new.clone()).await.unwrap();
    let foreign = world.store.revoke_invitation(&beta.scope, new.id, start());
    assert_eq!(not_found(foreign.await), "invitation");
    let again = NewInvitation {
        mail_id: MailId::new(world.uuid()),
        inviter: beta.owner.id,
        ..new.clone()
    };
    let foreign = world.store.resend_invitation(&beta.scope, again).await;
    assert_eq!(not_found(foreign), "invitation");
    let listed = world.store.list_invitations(&beta.scope, start()).await;
    assert_eq!(listed.unwrap(), []);
    assert_eq!(acme.status(&world, new.id).await, InvitationStatus::Pending);
}

async fn who_accepts_becomes_a_member(world: World) {
    let acme = team(&world, "Ana").await;
    let bo = world.org("Bo").await.user;
    let link = acme.show_link(&world, "bo", Role::Admin).await;
    let joined = accept(&world, &bo, link).await.unwrap();
    assert_eq!(joined.organization, acme.organization);
    assert_eq!(joined.member.user_id, bo.id);
    assert_eq!(joined.member.role, Role::Admin);
    assert_eq!(joined.member.joined_at, start());
    assert!(acme.members(&world).await.contains(&joined.member));
    let org = OrgRef::Id(acme.organization.id);
    let access = world.store.open_org(bo.id, &org).await.unwrap();
    assert_eq!(access.unwrap().scope, acme.scope);
    let again = accept(&world, &bo, link).await;
    assert_eq!(again, Err(NotAccepted::Gone));
    let listed = world.store.list_invitations(&acme.scope, start()).await;
    assert_eq!(listed.unwrap()[0].status, InvitationStatus::Accepted);
}

async fn another_account_cannot_accept(world: World) {
    let acme = team(&world, "Ana").await;
    let eve = world.org("Eve").await.user;
    let link = acme.show_link(&world, "bo", Role::Member).await;
    let refused = accept(&world, &eve, link).await;
    assert_eq!(refused, Err(NotAccepted::WrongAccount));
    assert_eq!(acme.members(&world).await.len(), 1);
    let bo = world.org("Bo").await.user;
    assert!(accept(&world, &bo, link).await.is_ok(), "it is still open");
}

async fn an_address_has_to_be_proved(world: World) {
    let acme = team(&world, "Ana").await;
    let bo = world.org("Bo").await.user;
    assert!(!bo.is_verified);
    let shown = acme.show_link(&world, "bo", Role::Member).await;
    let refused = accept_proving(&world, &bo, shown, AddressProof::Needed).await;
    assert_eq!(refused, Err(NotAccepted::Unproven));
    // Who has the secret of the mail reads mail sent to the address.
    let mailed = secret("mailed");
    let taken = world.store.take_mail(&mailed, start(), after(60)).await;
    assert!(taken.unwrap().is_some());
    let joined = accept_proving(&world, &bo, mailed, AddressProof::Needed).await;
    assert!(joined.is_ok());
    let login = world.store.find_login(&bo.email).await.unwrap().unwrap();
    assert!(login.user.is_verified);
    // A secret that was shown proves nothing.
    let cy = world.org("Cy").await.user;
    let shown = acme.show_link(&world, "cy", Role::Member).await;
    assert!(accept(&world, &cy, shown).await.is_ok());
    let login = world.store.find_login(&cy.email).await.unwrap().unwrap();
    assert!(!login.user.is_verified);
}

async fn a_member_who_accepts_stays_what_they_are(world: World) {
    let acme = team(&world, "Ana").await;
    let link = acme.show_link(&world, "bo", Role::Viewer).await;
    let bo = world.org("Bo").await.user;
    // Joins in another way meanwhile.
    let joined = world.backdoor.execute(&format!(
        "insert into members (org_id, user_id, role, joined_at) values ({}, {}, 'ADMIN', 0)",
        world.backdoor.uuid(acme.organization.id.as_uuid()),
        world.backdoor.uuid(bo.id.as_uuid()),
    ));
    assert_eq!(joined, Ok(1));
    let open = world.store.open_invitation(&link, start()).await.unwrap();
    assert!(open.unwrap().is_member);
    let kept = accept(&world, &bo, link).await.unwrap();
    assert_eq!(kept.member.role, Role::Admin);
    let listed = world.store.list_invitations(&acme.scope, start()).await;
    assert_eq!(listed.unwrap()[0].status, InvitationStatus::Superseded);
}

async fn an_invitation_ends_with_the_inviters_role(world: World) {
    let acme = team(&world, "Ana").await;
    let bo = acme.join(&world, "bo", Role::Admin).await;
    let cy = world.org("Cy").await.user;
    let link = secret("link");
    let new = NewInvitation {
        inviter: bo.id,
        role: Role::Admin,
        shown: Some(link),
        ..inviting(&world, &acme, "cy")
    };
    acme.invite(&world, new.clone()).await.unwrap();
    let demoted = world.backdoor.execute(&format!(
        "update members set role = 'MEMBER' where user_id = {}",
        world.backdoor.uuid(bo.id.as_uuid()),
    ));
    assert!(demoted.is_ok());
    let open = world.store.open_invitation(&link, start()).await.unwrap();
    assert!(!open.unwrap().is_backed);
    let refused = accept(&world, &cy, link).await;
    assert_eq!(refused, Err(NotAccepted::Superseded));
    assert_eq!(
        acme.status(&world, new.id).await,
        InvitationStatus::Superseded
    );
    assert_eq!(acme.members(&world).await.len(), 2);
    assert_eq!(accept(&world, &cy, link).await, Err(NotAccepted::Gone));
}

async fn nothing_opens_what_has_ended(world: World) {
    let acme = team(&world, "Ana").await;
    let bo = world.org("Bo").await.user;
    let link = acme.show_link(&world, "bo", Role::Member).await;
    let id = world.store.open_invitation(&link, start()).await.unwrap();
    let id = id.unwrap().invitation.id;
    for _ in 0..2 {
        let revoked = world.store.revoke_invitation(&acme.scope, id, start());
        assert_eq!(revoked.await.unwrap(), InvitationStatus::Revoked);
    }
    assert_eq!(accept(&world, &bo, link).await, Err(NotAccepted::Gone));
    let declined = world
        .store
        .decline_invitation(&link, Decline::Once, start());
    assert!(!declined.await.unwrap());
    let mailed = secret("mailed");
    let due = world.store.take_mail(&mailed, start(), after(60)).await;
    assert_eq!(due.unwrap(), None, "the mail is not sent any more");
    // What was accepted cannot be taken back.
    let joined = acme.show_link(&world, "bo", Role::Member).await;
    accept(&world, &bo, joined).await.unwrap();
    let listed = world.store.list_invitations(&acme.scope, start()).await;
    let accepted = listed.unwrap()[1].id;
    let kept = world
        .store
        .revoke_invitation(&acme.scope, accepted, start());
    assert_eq!(kept.await.unwrap(), InvitationStatus::Accepted);
}

async fn who_is_invited_can_decline(world: World) {
    let acme = team(&world, "Ana").await;
    let link = acme.show_link(&world, "bo", Role::Member).await;
    let declined = world
        .store
        .decline_invitation(&link, Decline::Once, start());
    assert!(declined.await.unwrap());
    let listed = world.store.list_invitations(&acme.scope, start()).await;
    assert_eq!(listed.unwrap()[0].status, InvitationStatus::Declined);
    // They can be asked again.
    acme.invite(&world, inviting(&world, &acme, "bo"))
        .await
        .unwrap();
}

async fn who_does_not_want_to_be_asked_is_not(world: World) {
    let (acme, beta) = (team(&world, "Ana").await, team(&world, "Cy").await);
    let link = acme.show_link(&world, "bo", Role::Member).await;
    let declined = world
        .store
        .decline_invitation(&link, Decline::ForEver, start());
    assert!(declined.await.unwrap());
    for team in [&acme, &beta] {
        let refused = team.invite(&world, inviting(&world, team, "bo")).await;
        assert_eq!(refused, Err(NotInvited::Blocked));
    }
}

async fn signing_up_by_an_invitation_joins(world: World) {
    let acme = team(&world, "Ana").await;
    acme.invite(&world, inviting(&world, &acme, "bo"))
        .await
        .unwrap();
    let mailed = secret("mailed");
    world
        .store
        .take_mail(&mailed, start(), after(60))
        .await
        .unwrap();
    let new = world.new_user("Bo");
    let made = world.store.sign_up_invited(new.clone(), &mailed).await;
    let (signed_up, joined) = made.unwrap().unwrap();
    assert_eq!(signed_up.user.id, new.id);
    assert!(signed_up.user.is_verified, "the mail was read");
    assert!(signed_up.organization.is_personal);
    assert_eq!(signed_up.user.default_org, acme.organization.id);
    assert_eq!(joined.organization, acme.organization);
    assert_eq!(joined.member.role, Role::Member);
    let orgs = world.store.list_organizations(new.id).await.unwrap();
    assert_eq!(orgs.len(), 2);
    let again = world.new_user("Bo");
    let again = world.store.sign_up_invited(again, &mailed).await.unwrap();
    assert_eq!(again.err(), Some(NotAccepted::Gone));
}

async fn signing_up_by_an_invitation_is_of_its_address(world: World) {
    let acme = team(&world, "Ana").await;
    let link = acme.show_link(&world, "bo", Role::Member).await;
    let eve = world.store.sign_up_invited(world.new_user("Eve"), &link);
    assert_eq!(eve.await.unwrap().err(), Some(NotAccepted::WrongAccount));
    assert_eq!(world.store.count_users().await.unwrap(), 1);
    world.org("Bo").await;
    let taken = world.store.sign_up_invited(world.new_user("Bo"), &link);
    assert_eq!(conflict(taken.await), "email");
    assert_eq!(acme.members(&world).await.len(), 1);
}

async fn an_invitation_without_backing_makes_no_account(world: World) {
    let acme = team(&world, "Ana").await;
    let link = acme.show_link(&world, "bo", Role::Admin).await;
    world
        .backdoor
        .execute("update members set role = 'VIEWER'")
        .unwrap();
    let refused = world.store.sign_up_invited(world.new_user("Bo"), &link);
    assert_eq!(refused.await.unwrap().err(), Some(NotAccepted::Superseded));
    assert_eq!(world.store.count_users().await.unwrap(), 1);
    let listed = world.store.list_invitations(&acme.scope, start()).await;
    assert_eq!(listed.unwrap()[0].status, InvitationStatus::Superseded);
}

async fn a_deleted_organization_takes_its_invitations_along(world: World) {
    let acme = team(&world, "Ana").await;
    let link = acme.show_link(&world, "bo", Role::Member).await;
    world.delete(&acme.scope, acme.owner.id).await;
    let open = world.store.open_invitation(&link, start()).await.unwrap();
    assert_eq!(open, None);
    let mailed = secret("mailed");
    let due = world.store.take_mail(&mailed, start(), after(60)).await;
    assert_eq!(due.unwrap(), None);
}

async fn invitations_are_forgotten_in_the_end(world: World) {
    let acme = team(&world, "Ana").await;
    let new = inviting(&world, &acme, "bo");
    acme.invite(&world, new.clone()).await.unwrap();
    let over = 7 * DAY + INVITATION_KEPT_DAYS * DAY;
    for (seconds, listed) in [(7 * DAY, 1), (over - 1, 1), (over, 0)] {
        world
            .store
            .forget_invitations(after(seconds))
            .await
            .unwrap();
        let now = after(seconds);
        let all = world
            .store
            .list_invitations(&acme.scope, now)
            .await
            .unwrap();
        assert_eq!(all.len(), listed, "{seconds}");
        assert!(
            all.iter()
                .all(|one| one.status == InvitationStatus::Expired)
        );
    }
    // As long as it is listed it can be sent again.
    let new = inviting(&world, &acme, "cy");
    acme.invite(&world, new.clone()).await.unwrap();
    world
        .store
        .forget_invitations(after(7 * DAY))
        .await
        .unwrap();
    let again = NewInvitation {
        mail_id: MailId::new(world.uuid()),
        now: after(8 * DAY),
        expires_at: after(15 * DAY),
        ..new
    };
    let sent = world.store.resend_invitation(&acme.scope, again).await;
    let sent = sent.unwrap().unwrap();
    assert_eq!(sent.status, InvitationStatus::Pending);
}
