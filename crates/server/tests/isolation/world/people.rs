//! People: accounts with an organization of their own, sessions and tokens.

use copal_model::{Email, OrgId, Plan, Slug, TokenId, UserId};
use copal_server::auth::secret::Secret;
use copal_store::Store;
use copal_store::access::OrgRef;
use copal_store::organizations::OrganizationPatch;
use copal_store::sessions::{NewSession, SessionId};
use copal_store::tokens::Token;
use copal_store::users::NewUser;
use jiff::SignedDuration;

use super::{Person, Who, World, secret, uuid};
use crate::canary::{Owner, mark};
use crate::site::{Site, now};

impl World {
    pub(super) async fn add_person(&mut self, site: &Site, who: Who, hash: &str) {
        let number = self.people.len();
        let store = &*site.app.store;
        let (name, private) = (mark(Owner::Person(number)), mark(Owner::Private(number)));
        let new = NewUser {
            id: UserId::new(uuid(&format!("user {number}"))),
            email: Email::parse(&format!("{name}@people.example")).unwrap(),
            name: format!("{name} {who:?}").replace(['(', ')'], " "),
            password_hash: hash.to_owned(),
            org_id: OrgId::new(uuid(&format!("home {number}"))),
            plan: Plan::Free,
            is_verified: true,
            now: now(),
        };
        let made = store.sign_up(new).await.unwrap();
        let own = OrgRef::Id(made.organization.id);
        let own = store.open_org(made.user.id, &own).await.unwrap().unwrap();
        let patch = OrganizationPatch {
            name: Some(format!("{private} home")),
            slug: Some(Slug::parse(&format!("{private}-home")).unwrap()),
            ..OrganizationPatch::default()
        };
        store.update_organization(&own.scope, patch).await.unwrap();
        let id = made.user.id;
        let session = self.add_session(store, (id, number), 1).await;
        let spare = self.add_session(store, (id, number), 3).await;
        let spare_session = SessionId::of(&Secret::shown(&spare).hash());
        let (_, token) = self.add_token(store, (id, number), "used", None).await;
        let (spare_token, _) = self.add_token(store, (id, number), "spare", None).await;
        self.canaries.add(&id.to_string(), Owner::Person(number));
        self.canaries
            .add(&own.organization.id.to_string(), Owner::Private(number));
        self.people.push(Person {
            who,
            id,
            email: made.user.email.to_string(),
            roles: who.roles(),
            session,
            token,
            spare_token,
            spare_session,
        });
    }

    /// A session of a person that ends in some hours, or has ended; its secret.
    pub(crate) async fn add_session_of(
        &mut self,
        store: &dyn Store,
        person: &Person,
        hours: i64,
    ) -> String {
        let number = self.number_of(person);
        self.add_session(store, (person.id, number), hours).await
    }

    /// A token of a person, narrowed to scopes or not; its secret.
    pub(crate) async fn add_token_of(
        &mut self,
        store: &dyn Store,
        person: &Person,
        name: &str,
        scopes: Option<Vec<String>>,
    ) -> String {
        let owner = (person.id, self.number_of(person));
        let (_, secret) = self.add_token(store, owner, name, scopes).await;
        let hash = Secret::shown(&secret).hash();
        assert!(store.find_token(&hash, now()).await.unwrap().is_some());
        secret
    }

    async fn add_session(
        &mut self,
        store: &dyn Store,
        (user, number): (UserId, usize),
        hours: i64,
    ) -> String {
        let secret = secret(&format!("session {number} {hours}"));
        self.canaries.add(&secret, Owner::Secret);
        let session = NewSession {
            secret: Secret::shown(&secret).hash(),
            user,
            user_agent: format!("{} browser", mark(Owner::Private(number))),
            now: now(),
            expires_at: now() + SignedDuration::from_hours(hours),
        };
        store.create_session(session, None).await.unwrap();
        secret
    }

    async fn add_token(
        &mut self,
        store: &dyn Store,
        (user, number): (UserId, usize),
        name: &str,
        scopes: Option<Vec<String>>,
    ) -> (TokenId, String) {
        let secret = format!("copal_{}", secret(&format!("token {number} {name}")));
        let shown = Secret::shown(&secret);
        let token = Token {
            id: TokenId::new(uuid(&format!("token {number} {name}"))),
            user,
            name: format!("{} {name}", mark(Owner::Private(number))),
            prefix: shown.token_shown(),
            scopes,
            created_at: now(),
            last_used_at: None,
            expires_at: None,
        };
        self.canaries.add(&secret, Owner::Secret);
        self.canaries
            .add(&token.id.to_string(), Owner::Credential(number));
        let id = token.id;
        store.create_token(token, shown.hash()).await.unwrap();
        (id, secret)
    }
}
