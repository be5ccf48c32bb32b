//! The two tenants: members, projects, keys and events.

use copal_model::{
    InboundSettings, IssueId, KeyId, OrgId, Plan, Project, Role, Slug, TokenId, UserId, policy,
};
use copal_protocol::EventId;
use copal_server::auth::secret::Secret;
use copal_store::access::{OrgRef, ProjectRef};
use copal_store::org_tokens::NewOrgToken;
use copal_store::organizations::{NewOrganization, OrganizationPatch};
use copal_store::projects::{KeyPatch, NewKey, NewProject, ProjectPatch};
use copal_store::{OrgScope, ProjectScope, Store};
use jiff::SignedDuration;

use super::{InIssue, InProject, OfOrg, Things, Who, World, secret, uuid};
use crate::canary::{Owner, Tenant, mark};
use crate::database::Database;
use crate::events::ToSend;
use crate::site::{Site, now};

impl World {
    pub(super) async fn add_tenant(&mut self, site: &Site, database: &Database, tenant: Tenant) {
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
                database.join(org.id, person.id, *role).await;
            }
        }
        if tenant == Tenant::A {
            let removed = self.person(Who::Removed).id;
            database.join(org.id, removed, Role::Admin).await;
            database.leave(org.id, removed).await;
        }
        let access = store.open_org(owner, &OrgRef::Id(org.id)).await.unwrap();
        let scope = access.unwrap().scope;
        let old_slug = format!("{word}-before");
        for slug in [&old_slug, org.slug.as_str()] {
            let patch = OrganizationPatch {
                slug: Some(Slug::parse(slug).unwrap()),
                ..OrganizationPatch::default()
            };
            store.update_organization(&scope, patch).await.unwrap();
        }
        let mut projects = Vec::new();
        for number in 1..=2 {
            projects.push(self.add_project(site, &scope, tenant, number).await);
        }
        let things = Things {
            id: org.id,
            slug: org.slug.to_string(),
            old_slug,
            projects,
            org_tokens: self.add_org_tokens(store, &scope, (tenant, owner)).await,
        };
        self.tenants.insert(tenant, things);
    }

    /// Two tokens of the organization.
    async fn add_org_tokens(
        &mut self,
        store: &dyn Store,
        scope: &OrgScope,
        (tenant, owner): (Tenant, UserId),
    ) -> Vec<OfOrg> {
        let word = mark(Owner::Token(tenant));
        let wide = policy::org_token_scopes();
        let mut tokens = Vec::new();
        for (number, scopes) in [&wide[..], &["event:read"]].into_iter().enumerate() {
            let shown = format!("copal_org_{}", secret(&format!("{word} {number}")));
            let token = OfOrg {
                id: TokenId::new(uuid(&format!("{word} {number}"))),
                secret: shown,
                scopes: scopes.iter().map(|&scope| scope.to_owned()).collect(),
            };
            let hidden = Secret::shown(&token.secret);
            let new = NewOrgToken {
                id: token.id,
                name: format!("{word} {number}"),
                prefix: hidden.token_shown(),
                secret: hidden.hash(),
                scopes: token.scopes.clone(),
                creator: owner,
                now: now(),
                expires_at: now() + SignedDuration::from_hours(24),
            };
            store.create_org_token(scope, new).await.unwrap().unwrap();
            self.canaries.add(&token.secret, Owner::Secret);
            self.canaries
                .add(&token.id.to_string(), Owner::Token(tenant));
            tokens.push(token);
        }
        tokens
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
        add_inbound(store, &scope, &word).await;
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
                limit: None,
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
                ..KeyPatch::default()
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
}

/// Filters and fields that no event has to do with.
async fn add_inbound(store: &dyn Store, scope: &ProjectScope, word: &str) {
    let mut settings = InboundSettings::default();
    settings.filters.releases = vec![format!("{word}-unwanted")];
    settings.filters.error_messages = vec![format!("{word} unwanted")];
    settings.scrubbing.fields = vec![format!("{word}_secret")];
    settings.scrubbing.safe_fields = vec![format!("{word}_safe")];
    store.update_inbound(scope, settings, now()).await.unwrap();
}
