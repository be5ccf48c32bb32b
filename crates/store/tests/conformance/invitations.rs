//! Invitations: who may be let in, and how often.

mod answers;

use copal_model::limits::ORG_GRACE_DAYS;
use copal_model::mail::SECRET_MARK;
use copal_model::policy::OrgSetting;
use copal_model::{
    Email, Invitation, InvitationId, InvitationStatus, Letter, MailId, MailState, Member,
    Organization, Role, User, UserId,
};
use copal_store::access::{OrgRef, SecretHash};
use copal_store::invitations::{
    Acceptance, AddressProof, Answer, InvitationLimit, NewInvitation, NotInvited,
};
use copal_store::organizations::OrganizationPatch;
use copal_store::{OrgScope, PageRequest};

use crate::world::{World, after, secret, start};

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
    let patch = OrganizationPatch {
        settings: vec![(OrgSetting::MembersInvite, true)],
        ..OrganizationPatch::default()
    };
    let opened = world.store.update_organization(&acme.scope, patch).await;
    opened.unwrap();
    let members = acme.members(&world).await;
    let cy = members.iter().find(|one| one.role == Role::Member).unwrap();
    for (role, may) in [(Role::Viewer, true), (Role::Admin, false)] {
        let new = NewInvitation {
            inviter: cy.user_id,
            role,
            ..inviting(&world, &acme, &format!("friend-{role}").to_lowercase())
        };
        let made = acme.invite(&world, new).await;
        assert_eq!(made.is_ok(), may, "members may invite {role}: {made:?}");
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
