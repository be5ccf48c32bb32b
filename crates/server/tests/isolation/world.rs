//! Two tenants with two of everything, the people in and around them, and what each may see.

use std::collections::BTreeMap;

use copal_model::{
    Email, IssueId, IssueStatus, KeyId, OrgId, Plan, Project, ProjectId, Role, Slug, TokenId,
    UserId,
};
use copal_protocol::EventId;
use copal_server::auth::secret::Secret;
use copal_store::access::{IssueRef, OrgRef, ProjectRef};
use copal_store::organizations::{NewOrganization, OrganizationPatch};
use copal_store::projects::{KeyPatch, NewKey, NewProject, ProjectPatch};
use copal_store::sessions::NewSession;
use copal_store::tokens::Token;
use copal_store::users::NewUser;
use copal_store::{OrgScope, ProjectScope, Store};
use jiff::SignedDuration;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::canary::{Canaries, Owner, Tenant, mark};
use crate::database::Database;
use crate::events::ToSend;
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
}

/// How many people there are.
pub(crate) const PEOPLE: usize = Who::ALL.len();

impl Who {
    const ALL: [Self; 11] = [
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
    ];

    fn roles(self) -> BTreeMap<Tenant, Role> {
        match self {
            Self::A(role) => BTreeMap::from([(Tenant::A, role)]),
            Self::B(role) => BTreeMap::from([(Tenant::B, role)]),
            Self::Dual => BTreeMap::from([(Tenant::A, Role::Owner), (Tenant::B, Role::Viewer)]),
            Self::Administrator | Self::Removed | Self::Stranger => BTreeMap::new(),
        }
    }
}

/// What a tenant has.
#[derive(Debug, Clone)]
pub(crate) struct Things {
    pub(crate) id: OrgId,
    pub(crate) slug: String,
    /// The first is called the same in both tenants, the second is not.
    pub(crate) projects: Vec<InProject>,
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

    async fn add_person(&mut self, site: &Site, who: Who, hash: &str) {
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
            .add(&token.id.to_string(), Owner::Private(number));
        let id = token.id;
        store.create_token(token, shown.hash()).await.unwrap();
        (id, secret)
    }

    async fn add_tenant(&mut self, site: &Site, database: &Database, tenant: Tenant) {
        let store = &*site.app.store;
        let word = mark(Owner::Org(tenant));
        let owner = match tenant {
            Tenant::A => self.person(Who::A(Role::Owner)).id,
            Tenant::B => self.person(Who::B(Role::Owner)).id,
        };
        let new = NewOrganization {
            id: OrgId::new(uuid(&word)),
            name: format!("{word} Shops"),
            plan: Plan::Free,
            owner,
            now: now(),
        };
        let org = store.create_organization(new).await.unwrap();
        self.canaries.add(&org.id.to_string(), Owner::Org(tenant));
        for person in &self.people {
            if let Some(role) = person.roles.get(&tenant).filter(|_| person.id != owner) {
                database.join(org.id, person.id, *role);
            }
        }
        if tenant == Tenant::A {
            let removed = self.person(Who::Removed).id;
            database.join(org.id, removed, Role::Admin);
            database.leave(org.id, removed);
        }
        let access = store.open_org(owner, &OrgRef::Id(org.id)).await.unwrap();
        let scope = access.unwrap().scope;
        let mut projects = Vec::new();
        for number in 1..=2 {
            projects.push(self.add_project(site, &scope, tenant, number).await);
        }
        let things = Things {
            id: org.id,
            slug: org.slug.to_string(),
            projects,
        };
        self.tenants.insert(tenant, things);
    }

    async fn add_project(
        &mut self,
        site: &Site,
        scope: &OrgScope,
        tenant: Tenant,
        number: usize,
    ) -> InProject {
        let store = &*site.app.store;
        let word = mark(Owner::Org(tenant));
        let new = NewProject {
            name: format!("{word} Project {number}"),
            platform: Some(format!("{word}-platform")),
            key_id: KeyId::new(uuid(&format!("{word} key {number}"))),
            public_key: uuid(&format!("{word} public {number}"))
                .simple()
                .to_string(),
            now: now(),
        };
        let project = store.create_project(scope, new).await.unwrap();
        let (scope, _) = store
            .open_project(scope, &ProjectRef::Id(project.id))
            .await
            .unwrap()
            .unwrap();
        if number == 1 {
            let patch = ProjectPatch {
                slug: Some(Slug::parse("shop").unwrap()),
                ..ProjectPatch::default()
            };
            store.update_project(&scope, patch).await.unwrap();
        }
        let keys = self.add_keys(store, &scope, (tenant, &project)).await;
        let events = self.send_events(site, tenant, number, &project).await;
        let slug = if number == 1 {
            "shop"
        } else {
            project.slug.as_str()
        };
        InProject {
            id: project.id,
            slug: slug.to_owned(),
            name: project.name,
            public_key: project.public_key.unwrap(),
            inactive_key: keys[1].1.clone(),
            keys: keys.into_iter().map(|(id, _)| id).collect(),
            issues: events,
        }
    }

    /// Three keys, the second one switched off.
    async fn add_keys(
        &mut self,
        store: &dyn Store,
        scope: &ProjectScope,
        (tenant, project): (Tenant, &Project),
    ) -> Vec<(KeyId, String)> {
        let word = mark(Owner::Key(tenant));
        for number in 2..=3 {
            let seed = format!("{word} {} {number}", scope.project());
            let key = NewKey {
                id: KeyId::new(uuid(&seed)),
                public_key: uuid(&format!("public {seed}")).simple().to_string(),
                label: String::new(),
                now: now(),
            };
            store.create_key(scope, key).await.unwrap();
        }
        let mut listed = store.list_keys(scope).await.unwrap();
        // The one that events are sent with comes first.
        listed.sort_by_key(|key| project.public_key.as_ref() != Some(&key.public_key));
        let mut keys = Vec::new();
        for (number, key) in listed.iter().enumerate() {
            let patch = KeyPatch {
                label: Some(format!("{word} {number}")),
                is_active: Some(number != 1),
            };
            store.update_key(scope, key.id, patch).await.unwrap();
            self.canaries.add(&key.public_key, Owner::Key(tenant));
            self.canaries.add(&key.id.to_string(), Owner::Key(tenant));
            keys.push((key.id, key.public_key.clone()));
        }
        keys
    }

    /// Two kinds of events, two of each; the same ids and hashes in the first project of both
    /// tenants.
    async fn send_events(
        &mut self,
        site: &Site,
        tenant: Tenant,
        number: usize,
        project: &Project,
    ) -> Vec<InIssue> {
        let mut issues = Vec::new();
        for kind in ["Pay", "Ship"] {
            let mut last = None;
            for count in 1..=2 {
                let seed = match number {
                    1 => format!("event {kind} {count}"),
                    _ => format!("event {tenant:?} {number} {kind} {count}"),
                };
                let id = EventId::new(uuid(&seed));
                if number != 1 {
                    self.canaries.add(&id.to_string(), Owner::Event(tenant));
                }
                site.send_event(&ToSend {
                    tenant,
                    project: project.id.get(),
                    key: project.public_key.as_deref().unwrap(),
                    id,
                    kind,
                })
                .await;
                last = Some(id);
            }
            issues.push(InIssue {
                id: IssueId::new(project.id, 0),
                short: String::new(),
                event: last.unwrap(),
            });
        }
        issues
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
