//! Invitations: who may be let in, by what, and once.

use copal_model::limits::ORG_GRACE_DAYS;
use copal_model::mail::SECRET_MARK;
use copal_model::{
    Email, Invitation, InvitationId, InvitationStatus, Letter, MailId, MailState, Member,
    Organization, Role, User, UserId,
};
use copal_store::access::{OrgRef, SecretHash};
use copal_store::invitations::{
    Acceptance, AddressProof, Answer, Decline, INVITATION_KEPT_DAYS, InvitationLimit, Joined,
    NewInvitation, NotAccepted, NotInvited,
};
use copal_store::{OrgScope, PageRequest};

use crate::world::{World, after, conflict, not_found, secret, start};

conformance!(
    an_invitation_is_made_with_its_mail,
    a_personal_organization_invites_nobody,
    a_member_is_not_invited,
    an_address_is_invited_once,
    whose_time_is_over_can_be_invited_again,
    only_who_may_invites,
    one_person_sends_so_many_within_an_hour,
    one_organization_sends_so_many_within_a_day,
    one_address_is_sent_so_many_within_a_day,
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

const DAY: i64 = 86_400;

/// A shared organization and its owner.
pub(crate) struct Team {
    pub(crate) organization: Organization,
    pub(crate) scope: OrgScope,
    pub(crate) owner: User,
}

/// The organization `Acme` of somebody who has just signed up.
pub(crate) async fn team(world: &World, owner: &str) -> Team {
    let owner = world.org(owner).await;
    let new = world.new_org(&owner, "Acme");
    let organization = world.store.create_organization(new).await.unwrap();
    let org = OrgRef::Id(organization.id);
    let access = world.store.open_org(owner.user.id, &org).await.unwrap();
    Team {
        scope: access.unwrap().scope,
        organization,
        owner: owner.user,
    }
}

/// An invitation by the owner to `name@example.org`, as MEMBER.
pub(crate) fn inviting(world: &World, team: &Team, name: &str) -> NewInvitation {
    NewInvitation {
        id: InvitationId::new(world.uuid()),
        email: Email::parse(&format!("{name}@example.org")).unwrap(),
        role: Role::Member,
        inviter: team.owner.id,
        mail_id: MailId::new(world.uuid()),
        letter: Letter {
            subject: "Join Acme".to_owned(),
            text: format!("http://copal/invite/{SECRET_MARK}"),
            html: format!("<a href=\"http://copal/invite/{SECRET_MARK}\">Join</a>"),
        },
        shown: None,
        expires_at: after(7 * DAY),
        now: start(),
    }
}

impl Team {
    pub(crate) async fn invite(
        &self,
        world: &World,
        new: NewInvitation,
    ) -> Answer<Invitation, NotInvited> {
        let made = world.store.create_invitation(&self.scope, new).await;
        made.unwrap()
    }

    /// Invites `name` with a link that is shown; answers the secret.
    pub(crate) async fn show_link(&self, world: &World, name: &str, role: Role) -> SecretHash {
        let shown = secret(&format!("link of {name}"));
        let new = NewInvitation {
            role,
            shown: Some(shown),
            ..inviting(world, self, name)
        };
        self.invite(world, new).await.unwrap();
        shown
    }

    /// Has somebody sign up and join; answers who it is.
    pub(crate) async fn join(&self, world: &World, name: &str, role: Role) -> User {
        let link = self.show_link(world, name, role).await;
        let new = world.new_user(name);
        let joined = world.store.sign_up_invited(new, &link).await.unwrap();
        joined.unwrap().0.user
    }

    pub(crate) async fn members(&self, world: &World) -> Vec<Member> {
        world.store.list_members(&self.scope).await.unwrap()
    }

    async fn status(&self, world: &World, id: InvitationId) -> InvitationStatus {
        let all = world.store.list_invitations(&self.scope, start()).await;
        let all = all.unwrap();
        all.into_iter().find(|one| one.id == id).unwrap().status
    }
}

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

/// Somebody wants to accept, where no mail can be sent.
pub(crate) fn acceptance(user: &User, secret: SecretHash) -> Acceptance {
    Acceptance {
        secret,
        user: user.id,
        proof: AddressProof::Waived,
        now: start(),
    }
}

async fn an_invitation_is_made_with_its_mail(world: World) {
    let acme = team(&world, "Ana").await;
    let new = inviting(&world, &acme, "bo");
    let made = acme.invite(&world, new.clone()).await.unwrap();
    assert_eq!(made.id, new.id);
    assert_eq!(made.org_id, acme.organization.id);
    assert_eq!(made.email.as_str(), "bo@example.org");
    assert_eq!(made.role, Role::Member);
    assert_eq!(made.status, InvitationStatus::Pending);
    assert_eq!((made.inviter, &*made.inviter_name), (acme.owner.id, "Ana"));
    assert_eq!(
        (made.created_at, made.expires_at),
        (start(), after(7 * DAY))
    );
    assert_eq!(made.mail, Some(MailState::Waiting));
    let listed = world.store.list_invitations(&acme.scope, start()).await;
    assert_eq!(listed.unwrap(), [made]);
    let mails = world.store.list_mails(None, &PageRequest::first(9)).await;
    let mails = mails.unwrap().rows;
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].id, new.mail_id);
    assert_eq!(mails[0].expires_at, new.expires_at);
    assert_eq!(acme.members(&world).await.len(), 1, "nobody has joined yet");
}

async fn a_personal_organization_invites_nobody(world: World) {
    let ana = world.org("Ana").await;
    let own = Team {
        organization: ana.organization,
        scope: ana.scope,
        owner: ana.user,
    };
    let new = inviting(&world, &own, "bo");
    let refused = own.invite(&world, new).await;
    assert_eq!(refused, Err(NotInvited::PersonalOrganization));
    let mails = world.store.list_mails(None, &PageRequest::first(9)).await;
    assert_eq!(mails.unwrap().rows, []);
}

async fn a_member_is_not_invited(world: World) {
    let acme = team(&world, "Ana").await;
    let refused = acme.invite(&world, inviting(&world, &acme, "ana")).await;
    assert_eq!(refused, Err(NotInvited::AlreadyMember));
}

async fn an_address_is_invited_once(world: World) {
    let acme = team(&world, "Ana").await;
    let first = inviting(&world, &acme, "bo");
    acme.invite(&world, first.clone()).await.unwrap();
    let second = acme.invite(&world, inviting(&world, &acme, "bo")).await;
    assert_eq!(second, Err(NotInvited::AlreadyInvited(first.id)));
    // Another organization may.
    let beta = team(&world, "Cy").await;
    beta.invite(&world, inviting(&world, &beta, "bo"))
        .await
        .unwrap();
    // Also of many at once, one is made.
    let made = world
        .at_once(|store, _| {
            let (scope, new) = (acme.scope, inviting(&world, &acme, "di"));
            async move { store.create_invitation(&scope, new).await }
        })
        .await;
    let made = made
        .into_iter()
        .filter(|made| made.as_ref().unwrap().is_ok());
    assert_eq!(made.count(), 1);
}

async fn whose_time_is_over_can_be_invited_again(world: World) {
    let acme = team(&world, "Ana").await;
    let first = inviting(&world, &acme, "bo");
    acme.invite(&world, first.clone()).await.unwrap();
    let mut second = inviting(&world, &acme, "bo");
    second.now = first.expires_at;
    second.expires_at = after(14 * DAY);
    acme.invite(&world, second.clone()).await.unwrap();
    assert_eq!(
        acme.status(&world, first.id).await,
        InvitationStatus::Expired
    );
    assert_eq!(
        acme.status(&world, second.id).await,
        InvitationStatus::Pending
    );
}

async fn only_who_may_invites(world: World) {
    let acme = team(&world, "Ana").await;
    for (name, role, may) in [("bo", Role::Admin, true), ("cy", Role::Member, false)] {
        let inviter = acme.join(&world, name, role).await.id;
        let new = NewInvitation {
            inviter,
            role: Role::Viewer,
            ..inviting(&world, &acme, &format!("{name}-friend"))
        };
        let made = acme.invite(&world, new).await;
        assert_eq!(made.is_ok(), may, "{role}: {made:?}");
    }
    let stranger = world.org("Di").await.user.id;
    for (inviter, role) in [(stranger, Role::Viewer), (acme.owner.id, Role::Owner)] {
        let new = NewInvitation {
            inviter,
            role,
            ..inviting(&world, &acme, "nobody")
        };
        let refused = acme.invite(&world, new).await;
        assert_eq!(refused, Err(NotInvited::RoleTooLow), "{role}");
    }
}

/// Invites `count` people, the first at the start and each other a second later.
async fn invite_many(world: &World, team: &Team, inviter: UserId, range: std::ops::Range<u32>) {
    for number in range {
        let new = NewInvitation {
            inviter,
            now: after(number.into()),
            ..inviting(world, team, &format!("b{number}"))
        };
        team.invite(world, new).await.unwrap();
    }
}

async fn one_person_sends_so_many_within_an_hour(world: World) {
    let acme = team(&world, "Ana").await;
    invite_many(&world, &acme, acme.owner.id, 0..20).await;
    let new = |seconds| NewInvitation {
        now: after(seconds),
        ..inviting(&world, &acme, "bo")
    };
    let (limit, until) = (InvitationLimit::Inviter, after(3_600));
    let refused = acme.invite(&world, new(3_599)).await;
    assert_eq!(refused, Err(NotInvited::TooMany { limit, until }));
    acme.invite(&world, new(3_600)).await.unwrap();
}

async fn one_organization_sends_so_many_within_a_day(world: World) {
    let acme = team(&world, "Ana").await;
    let mut inviters = vec![acme.owner.id];
    for name in ["a1", "a2", "a3", "a4"] {
        inviters.push(acme.join(&world, name, Role::Admin).await.id);
    }
    // Four administrators were invited already.
    for (number, inviter) in (0..).zip(&inviters) {
        let count = if number == 0 { 16 } else { 20 };
        let first = number * 20;
        invite_many(&world, &acme, *inviter, first..first + count).await;
    }
    let new = |seconds| NewInvitation {
        inviter: inviters[4],
        now: after(seconds),
        ..inviting(&world, &acme, "bo")
    };
    let (limit, until) = (InvitationLimit::Organization, after(DAY));
    let refused = acme.invite(&world, new(DAY - 1)).await;
    assert_eq!(refused, Err(NotInvited::TooMany { limit, until }));
    acme.invite(&world, new(DAY)).await.unwrap();
}

async fn one_address_is_sent_so_many_within_a_day(world: World) {
    let mut teams = Vec::new();
    for owner in ["Ana", "Cy", "Di", "Ed"] {
        teams.push(team(&world, owner).await);
    }
    for (seconds, team) in (0..).zip(&teams[..3]) {
        let new = NewInvitation {
            now: after(seconds),
            ..inviting(&world, team, "bo")
        };
        team.invite(&world, new).await.unwrap();
    }
    // That an organization is gone does not make room.
    world.delete(&teams[2].scope, teams[2].owner.id).await;
    let long_after = after(ORG_GRACE_DAYS * DAY);
    let purged = world.store.purge_organizations(long_after).await;
    assert_eq!(purged.unwrap(), 1);
    let new = |seconds| NewInvitation {
        now: after(seconds),
        ..inviting(&world, &teams[3], "bo")
    };
    let (limit, until) = (InvitationLimit::Address, after(DAY));
    let refused = teams[3].invite(&world, new(DAY - 1)).await;
    assert_eq!(refused, Err(NotInvited::TooMany { limit, until }));
    teams[3].invite(&world, new(DAY)).await.unwrap();
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
