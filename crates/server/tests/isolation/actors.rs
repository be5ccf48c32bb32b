//! Who asks: everybody who could, with every credential that there is, live or dead.

use std::collections::BTreeMap;

use copal_model::Role;
use copal_model::policy::Action;
use copal_server::auth::secret::Secret;
use copal_server::middleware::audience::Audience;
use copal_store::Store;

use crate::canary::{Owner, Tenant};
use crate::policy::Policy;
use crate::world::{Person, Who, World};

/// Who asks.
#[derive(Debug, Clone)]
pub(crate) struct Actor {
    pub(crate) name: String,
    pub(crate) shows: Shows,
    /// Whom the credential speaks for, if it is good.
    pub(crate) person: Option<usize>,
    pub(crate) roles: BTreeMap<Tenant, Role>,
    /// What a token is narrowed to.
    pub(crate) scopes: Option<Vec<String>>,
    /// It is an organization, by a token of its own, and no person.
    pub(crate) is_org: bool,
}

/// What an actor shows to get in.
#[derive(Debug, Clone)]
pub(crate) enum Shows {
    Nothing,
    /// The secret of a session, in the cookie.
    Session(String),
    /// The secret of a token, as bearer.
    Bearer(String),
}

impl Actor {
    fn nobody(name: &str, shows: Shows) -> Self {
        Self {
            name: name.to_owned(),
            shows,
            person: None,
            roles: BTreeMap::new(),
            scopes: None,
            is_org: false,
        }
    }

    fn somebody(world: &World, person: &Person, kind: &str, shows: Shows) -> Self {
        Self {
            name: format!("{:?} by {kind}", person.who),
            shows,
            person: Some(world.number_of(person)),
            roles: person.roles.clone(),
            scopes: None,
            is_org: false,
        }
    }

    /// Whether the server knows who this is, on this kind of route.
    pub(crate) fn is_known(&self, audience: Audience) -> bool {
        let counts = match (&self.shows, audience) {
            (Shows::Session(_), _) | (Shows::Bearer(_), Audience::Api) => true,
            (Shows::Nothing | Shows::Bearer(_), _) => false,
        };
        counts && (self.person.is_some() || self.is_org) && audience != Audience::Sdk
    }

    pub(crate) const fn is_token(&self) -> bool {
        matches!(self.shows, Shows::Bearer(_))
    }

    /// The tenant whose things are this actor's own, where there is one.
    pub(crate) fn home(&self) -> Tenant {
        let only_b = self.roles.contains_key(&Tenant::B) && !self.roles.contains_key(&Tenant::A);
        if only_b { Tenant::B } else { Tenant::A }
    }

    /// Whether an answer to this actor may have somebody's text in it.
    pub(crate) fn may_read(
        &self,
        owner: Owner,
        audience: Audience,
        world: &World,
        policy: &Policy,
    ) -> bool {
        if !self.is_known(audience) {
            return false;
        }
        // Who may change a thing is told what it has become.
        let may = |tenant, actions: [Action; 2]| {
            let permits = |action| policy.permits(self, tenant, action);
            actions.into_iter().any(permits)
        };
        match owner {
            Owner::Org(tenant) => self.roles.contains_key(&tenant),
            Owner::Event(tenant) => may(tenant, [Action::ReadIssues, Action::TriageIssues]),
            Owner::Key(tenant) => may(tenant, [Action::ReadKeys, Action::WriteKeys]),
            Owner::Person(number) => {
                let is_with = |tenant| world.people[number].roles.contains_key(tenant);
                self.person == Some(number) || self.roles.keys().any(is_with)
            }
            Owner::Token(tenant) => policy.permits(self, tenant, Action::ReadOrgTokens),
            Owner::Credential(number) => {
                let is_held_by = |tenant: &Tenant| world.people[number].roles.contains_key(tenant);
                let may = |tenant| policy.permits(self, tenant, Action::RevokeMemberTokens);
                let mut tenants = self.roles.keys().copied();
                self.person == Some(number)
                    || tenants.any(|tenant| is_held_by(&tenant) && may(tenant))
            }
            Owner::Private(number) => self.person == Some(number),
            Owner::Secret => false,
        }
    }
}

/// Everybody who asks. Makes the credentials that only actors need.
pub(crate) async fn everybody(world: &mut World, store: &dyn Store, policy: &Policy) -> Vec<Actor> {
    let mut actors = dead_credentials(world, store).await;
    let asking = world.people.clone().into_iter();
    for person in asking.filter(|person| person.who.asks()) {
        let session = Shows::Session(person.session.clone());
        actors.push(Actor::somebody(world, &person, "session", session));
        let is_b = matches!(person.who, Who::B(role) if role != Role::Owner);
        if !is_b {
            let token = Shows::Bearer(person.token.clone());
            actors.push(Actor::somebody(world, &person, "token", token));
        }
    }
    actors.extend(organizations(world));
    let owner = world.person(Who::A(Role::Owner)).clone();
    for scope in policy.scopes() {
        let name = format!("for {scope}");
        let scopes = Some(vec![scope]);
        let token = world
            .add_token_of(store, &owner, &name, scopes.clone())
            .await;
        let token = Shows::Bearer(token);
        actors.push(Actor {
            scopes,
            ..Actor::somebody(world, &owner, &format!("token {name}"), token)
        });
    }
    actors
}

/// Organizations by tokens of their own, which may what an ADMIN may, as far as their scopes go.
fn organizations(world: &World) -> Vec<Actor> {
    let mut actors = Vec::new();
    for (tenant, things) in &world.tenants {
        for (token, what) in things.org_tokens.iter().zip(["wide", "narrow"]) {
            actors.push(Actor {
                name: format!("organization {tenant:?} by a {what} token"),
                shows: Shows::Bearer(token.secret.clone()),
                person: None,
                roles: BTreeMap::from([(*tenant, Role::Admin)]),
                scopes: Some(token.scopes.clone()),
                is_org: true,
            });
        }
    }
    actors
}

async fn dead_credentials(world: &mut World, store: &dyn Store) -> Vec<Actor> {
    let owner = world.person(Who::A(Role::Owner)).clone();
    let expired = world.add_session_of(store, &owner, -1).await;
    let logged_out = world.add_session_of(store, &owner, 2).await;
    let ended = Secret::shown(&logged_out).hash();
    store.delete_session(&ended).await.unwrap();
    let revoked = world.add_token_of(store, &owner, "revoked", None).await;
    let secret = Secret::shown(&revoked).hash();
    let found = store.find_token(&secret, crate::site::now()).await;
    let found = found.unwrap().unwrap();
    let copal_store::access::Bearer::Person(found) = found else {
        panic!("it is a person's");
    };
    let copal_store::access::Credential::Token { id, .. } = found.credential else {
        panic!("a token is a token");
    };
    store.delete_token(owner.id, id).await.unwrap();
    let key = world.things(Tenant::A).projects[0].public_key.clone();
    let garbage = "copal_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    vec![
        Actor::nobody("anonymous", Shows::Nothing),
        Actor::nobody("garbage token", Shows::Bearer(garbage.to_owned())),
        Actor::nobody("garbage session", Shows::Session(garbage.to_owned())),
        Actor::nobody("expired session", Shows::Session(expired)),
        Actor::nobody("ended session", Shows::Session(logged_out)),
        Actor::nobody("revoked token", Shows::Bearer(revoked)),
        Actor::nobody("client key as token", Shows::Bearer(key)),
    ]
}
