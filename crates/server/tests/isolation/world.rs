//! Two tenants with two of everything, the people in and around them, and what each may see.

mod people;
mod tenants;

use std::collections::BTreeMap;

use copal_model::{IssueId, IssueStatus, KeyId, OrgId, ProjectId, Role, TokenId, UserId};
use copal_protocol::EventId;
use copal_server::auth::secret::Secret;
use copal_store::Store;
use copal_store::access::{IssueRef, OrgRef, ProjectRef};
use copal_store::sessions::SessionId;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::canary::{Canaries, Owner, Tenant};
use crate::database::Database;
use crate::site::{Site, now};

/// What everybody logs in with.
pub(crate) const PASSWORD: &str = "a long walk to the sea";

/// All ids that requests are made of, and whose they are.
#[derive(Debug, Clone, Default)]
pub(crate) struct World {
    pub(crate) people: Vec<Person>,
    pub(crate) tenants: BTreeMap<Tenant, Things>,
    pub(crate) canaries: Canaries,
}

/// Somebody with an account.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    /// What they are in the tests.
    pub(crate) who: Who,
    pub(crate) id: UserId,
    pub(crate) email: String,
    pub(crate) roles: BTreeMap<Tenant, Role>,
    /// The secret of a session that lives.
    pub(crate) session: String,
    /// The secret of a token with all rights.
    pub(crate) token: String,
    /// A token that nobody uses.
    pub(crate) spare_token: TokenId,
    /// A session that nobody uses.
    pub(crate) spare_session: SessionId,
}

/// What people are in the tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    /// Administers the instance, and is in no tenant.
    Administrator,
    /// In tenant A.
    A(Role),
    /// In tenant B.
    B(Role),
    /// Owns tenant A and views tenant B.
    Dual,
    /// Was an administrator of tenant A.
    Removed,
    /// Has an account and nothing to do with the tenants.
    Stranger,
    /// Views a tenant, and asks for nothing: the member whom others change.
    Target(Tenant),
    /// Owns tenant B too, and asks for nothing: its other owner may go.
    SecondOwner,
}

/// How many people there are.
pub(crate) const PEOPLE: usize = Who::ALL.len();

impl Who {
    const ALL: [Self; 14] = [
        Self::Administrator,
        Self::A(Role::Viewer),
        Self::A(Role::Member),
        Self::A(Role::Admin),
        Self::A(Role::Owner),
        Self::B(Role::Owner),
        Self::B(Role::Admin),
        Self::B(Role::Viewer),
        Self::Dual,
        Self::Removed,
        Self::Stranger,
        Self::Target(Tenant::A),
        Self::Target(Tenant::B),
        Self::SecondOwner,
    ];

    /// Whether they ask for anything.
    pub(crate) const fn asks(self) -> bool {
        !matches!(self, Self::Target(_) | Self::SecondOwner)
    }

    fn roles(self) -> BTreeMap<Tenant, Role> {
        match self {
            Self::A(role) => BTreeMap::from([(Tenant::A, role)]),
            Self::B(role) => BTreeMap::from([(Tenant::B, role)]),
            Self::Dual => BTreeMap::from([(Tenant::A, Role::Owner), (Tenant::B, Role::Viewer)]),
            Self::Target(tenant) => BTreeMap::from([(tenant, Role::Viewer)]),
            Self::SecondOwner => BTreeMap::from([(Tenant::B, Role::Owner)]),
            Self::Administrator | Self::Removed | Self::Stranger => BTreeMap::new(),
        }
    }
}

/// What a tenant has.
#[derive(Debug, Clone)]
pub(crate) struct Things {
    pub(crate) id: OrgId,
    pub(crate) slug: String,
    /// What its slug was before.
    pub(crate) old_slug: String,
    /// The first is called the same in both tenants, the second is not.
    pub(crate) projects: Vec<InProject>,
    /// The first has every scope that it can, the second one.
    pub(crate) org_tokens: Vec<OfOrg>,
}

/// A token of an organization.
#[derive(Debug, Clone)]
pub(crate) struct OfOrg {
    pub(crate) id: TokenId,
    pub(crate) secret: String,
    pub(crate) scopes: Vec<String>,
}

/// What a project has.
#[derive(Debug, Clone)]
pub(crate) struct InProject {
    pub(crate) id: ProjectId,
    pub(crate) slug: String,
    pub(crate) name: String,
    pub(crate) public_key: String,
    pub(crate) inactive_key: String,
    pub(crate) keys: Vec<KeyId>,
    /// The second one is resolved.
    pub(crate) issues: Vec<InIssue>,
}

/// What an issue has.
#[derive(Debug, Clone)]
pub(crate) struct InIssue {
    pub(crate) id: IssueId,
    pub(crate) short: String,
    pub(crate) event: EventId,
}

impl World {
    /// Fills an empty store.
    pub(crate) async fn build(site: &Site, database: &Database) -> Self {
        let mut world = Self::default();
        let passwords = &site.app.auth.passwords;
        let entropy = site.app.entropy.clone();
        let hash = passwords.hash(PASSWORD, entropy).await.unwrap();
        for who in Who::ALL {
            world.add_person(site, who, &hash).await;
        }
        for tenant in Tenant::BOTH {
            world.add_tenant(site, database, tenant).await;
        }
        site.record_all().await;
        for tenant in Tenant::BOTH {
            world.find_issues(&*site.app.store, tenant).await;
        }
        world.warm_up(&*site.app.store).await;
        world
    }

    pub(crate) fn person(&self, who: Who) -> &Person {
        let found = self.people.iter().find(|person| person.who == who);
        found.unwrap_or_else(|| panic!("nobody is {who:?}"))
    }

    pub(crate) fn things(&self, tenant: Tenant) -> &Things {
        &self.tenants[&tenant]
    }

    /// The number of a person in their marks.
    pub(crate) fn number_of(&self, person: &Person) -> usize {
        let same = |other: &Person| other.id == person.id;
        self.people.iter().position(same).unwrap()
    }

    /// Looks up what the pipeline has made of the events, and resolves every second issue.
    async fn find_issues(&mut self, store: &dyn Store, tenant: Tenant) {
        let org = OrgRef::Id(self.tenants[&tenant].id);
        let (org, _) = store.open_org_as_operator(&org).await.unwrap().unwrap();
        for project in &mut self.tenants.get_mut(&tenant).unwrap().projects {
            let wanted = ProjectRef::Id(project.id);
            let (scope, _) = store.open_project(&org, &wanted).await.unwrap().unwrap();
            for (number, issue) in project.issues.iter_mut().enumerate() {
                let found = store.find_event(&scope, issue.event).await.unwrap();
                let found = found.expect("the event is recorded");
                issue.id = found.summary.issue_id;
                self.canaries
                    .add(&issue.id.to_string(), Owner::Event(tenant));
                let status = match number {
                    0 => IssueStatus::Open,
                    _ => IssueStatus::Resolved,
                };
                let one = [IssueRef::Id(issue.id)];
                store.set_issue_statuses(&org, &one, status).await.unwrap();
                let (_, found) = store.find_issue(&org, &one[0]).await.unwrap().unwrap();
                issue.short = found.short_id.to_string();
            }
        }
    }

    /// Uses every token once: the time of their last use is noted to the minute.
    async fn warm_up(&self, store: &dyn Store) {
        for person in &self.people {
            let secret = Secret::shown(&person.token).hash();
            assert!(store.find_token(&secret, now()).await.unwrap().is_some());
        }
        for token in self.tenants.values().flat_map(|things| &things.org_tokens) {
            let secret = Secret::shown(&token.secret).hash();
            assert!(store.find_token(&secret, now()).await.unwrap().is_some());
        }
    }
}

/// Bytes that nobody else has, from a text.
pub(crate) fn digest(seed: &str) -> [u8; 32] {
    Sha256::digest(seed.as_bytes()).into()
}

/// An id that nobody else has.
pub(crate) fn uuid(seed: &str) -> Uuid {
    let digest = digest(seed);
    let bytes = digest[..16].try_into().unwrap();
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

fn secret(seed: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(digest(seed))
}
