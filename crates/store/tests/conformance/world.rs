//! Worlds to test in: builders whose defaults mean something.
//!
//! `world.org("Ana").await` signs Ana up and answers her personal organization;
//! `.project("shop").await` makes a project in it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use copal_model::policy::POLICY;
use copal_model::{
    Email, KeyId, Member, OrgId, Organization, Plan, Plans, Project, Role, Slug, Timestamp, User,
    UserId,
};
use copal_store::access::{OrgRef, ProjectRef, SecretHash};
use copal_store::invitations::AddressProof;
use copal_store::members::Actor;
use copal_store::organizations::{NewOrganization, OrganizationPatch};
use copal_store::projects::NewProject;
use copal_store::users::NewUser;
use copal_store::{Error, OrgScope, ProjectScope, Store};
use futures_util::future::join_all;
use uuid::Uuid;

use crate::engines::{Backdoor, Engine, patiently};
use crate::schema::Version;

/// How often [`World::at_once`] does something.
pub(crate) const AT_ONCE: usize = 16;

/// A store with nothing in it, and what tests need beside it.
#[derive(Clone)]
pub(crate) struct World {
    /// The engine under test.
    pub(crate) store: Arc<dyn Store>,
    /// Reaches around the trait, where only that can show what a case is about.
    pub(crate) backdoor: Backdoor,
    /// The engine with all that it is kept in.
    pub(crate) engine: Engine,
    next: Arc<AtomicU64>,
    position: Arc<AtomicU64>,
}

/// An organization and its only member so far.
pub(crate) struct Org {
    world: World,
    pub(crate) user: User,
    pub(crate) organization: Organization,
    pub(crate) member: Member,
    pub(crate) scope: OrgScope,
}

/// A project and its first key.
pub(crate) struct InProject {
    pub(crate) project: Project,
    pub(crate) scope: ProjectScope,
    pub(crate) public_key: String,
}

/// The time at which worlds begin: 2026-11-24 08:00:30 UTC, in the middle of a minute.
pub(crate) fn start() -> Timestamp {
    "2026-11-24T08:00:30Z".parse().unwrap()
}

/// `start()` and some seconds.
pub(crate) fn after(seconds: i64) -> Timestamp {
    Timestamp::from_second(start().as_second() + seconds).unwrap()
}

/// A secret's hash; equal names have equal ones.
pub(crate) fn secret(name: &str) -> SecretHash {
    let mut hash = [0; 32];
    hash[..name.len()].copy_from_slice(name.as_bytes());
    hash
}

/// What is in the way, of an error that says so.
pub(crate) fn conflict<T: std::fmt::Debug>(result: Result<T, Error>) -> &'static str {
    match result {
        Err(Error::Conflict { what }) => what,
        other => panic!("a conflict was expected: {other:?}"),
    }
}

/// What is missing, of an error that says so.
pub(crate) fn not_found<T: std::fmt::Debug>(result: Result<T, Error>) -> &'static str {
    match result {
        Err(Error::NotFound { what }) => what,
        other => panic!("nothing should be found: {other:?}"),
    }
}

/// The limit that was reached, of an error that says so.
pub(crate) fn limit<T: std::fmt::Debug>(result: Result<T, Error>) -> u32 {
    match result {
        Err(Error::LimitReached { limit, .. }) => limit,
        other => panic!("a limit should be reached: {other:?}"),
    }
}

impl World {
    /// A world on SQLite.
    pub(crate) async fn sqlite() -> Option<Self> {
        Some(Self::on(Engine::sqlite().await))
    }

    /// A world on the oldest PostgreSQL; `None` where there is none.
    pub(crate) async fn postgres_oldest() -> Option<Self> {
        Engine::postgres(Version::Oldest).await.map(Self::on)
    }

    /// A world on the newest PostgreSQL; `None` where there is none.
    pub(crate) async fn postgres_newest() -> Option<Self> {
        Engine::postgres(Version::Newest).await.map(Self::on)
    }

    fn on(engine: Engine) -> Self {
        Self {
            store: Arc::clone(&engine.store),
            backdoor: engine.backdoor.clone(),
            engine,
            next: Arc::new(AtomicU64::new(1)),
            position: Arc::new(AtomicU64::new(1)),
        }
    }

    /// The same world with other plans.
    pub(crate) async fn with_plans(self, plans: Plans) -> Self {
        let engine = self.engine.with_plans(plans).await;
        Self {
            store: Arc::clone(&engine.store),
            engine,
            ..self
        }
    }

    /// Does something 16 times at once, every other time from another process; answers in order.
    /// Who is told that the store is not available tries again, as on a machine that is busy.
    pub(crate) async fn at_once<T, F>(
        &self,
        work: impl Fn(Arc<dyn Store>, usize) -> F,
    ) -> Vec<Result<T, Error>>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let (beside, _folder) = self.engine.beside().await.unwrap();
        let stores = [Arc::clone(&self.store), beside];
        let tries = (0..AT_ONCE).map(|number| {
            let (store, work) = (&stores[number % 2], &work);
            patiently(move || work(Arc::clone(store), number))
        });
        join_all(tries).await
    }

    /// An id that this world has not seen; later ones sort after earlier ones.
    pub(crate) fn uuid(&self) -> Uuid {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let millis = u64::try_from(start().as_millisecond()).unwrap() + number;
        let mut random = [0; 10];
        random[2..].copy_from_slice(&number.to_be_bytes());
        uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
    }

    /// The next position of the journal that this world records from.
    pub(crate) fn next_position(&self) -> u64 {
        self.position.fetch_add(1, Ordering::Relaxed)
    }

    /// A public key that this world has not seen.
    pub(crate) fn public_key(&self) -> String {
        self.uuid().simple().to_string()
    }

    /// A person called `name` who is about to sign up as `name@example.org`.
    pub(crate) fn new_user(&self, name: &str) -> NewUser {
        let address = format!("{}@example.org", name.to_ascii_lowercase());
        NewUser {
            id: UserId::new(self.uuid()),
            email: Email::parse(&address).unwrap(),
            name: name.to_owned(),
            password_hash: "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$aGFzaA".to_owned(),
            org_id: OrgId::new(self.uuid()),
            plan: Plan::Free,
            is_verified: false,
            now: start(),
        }
    }

    /// Signs up `name` and answers the personal organization.
    pub(crate) async fn org(&self, name: &str) -> Org {
        let signed_up = self.store.sign_up(self.new_user(name)).await.unwrap();
        let access = self
            .store
            .open_org(signed_up.user.id, &OrgRef::Id(signed_up.organization.id))
            .await
            .unwrap()
            .expect("who signs up is in the own organization");
        Org {
            world: self.clone(),
            user: signed_up.user,
            organization: access.organization,
            member: access.member,
            scope: access.scope,
        }
    }

    /// An organization of that name that `owner` is about to make.
    pub(crate) fn new_org(&self, owner: &Org, name: &str) -> NewOrganization {
        NewOrganization {
            id: OrgId::new(self.uuid()),
            name: name.to_owned(),
            plan: Plan::Free,
            owner: owner.user.id,
            now: start(),
        }
    }

    /// What fsck finds; nothing, if the store is in order.
    pub(crate) async fn violations(&self) -> Vec<String> {
        let report = self.store.fsck().await.unwrap();
        let details = report.violations.into_iter();
        details.map(|violation| violation.detail).collect()
    }

    /// Makes a user a member, around the trait.
    pub(crate) fn join(&self, scope: &OrgScope, user: UserId, role: Role) {
        let joined = self.backdoor.execute(&format!(
            "insert into members (org_id, user_id, role, joined_at)
            values ({}, {}, '{role}', 0)",
            self.backdoor.uuid(scope.org().as_uuid()),
            self.backdoor.uuid(user.as_uuid()),
        ));
        assert_eq!(joined, Ok(1));
    }

    /// Deletes an organization for an owner of it.
    pub(crate) async fn delete(&self, scope: &OrgScope, owner: UserId) {
        let actor = acting(owner);
        let deleted = self.store.delete_organization(scope, actor, Vec::new());
        deleted.await.unwrap().unwrap();
    }

    /// A project of that name that is about to be made.
    pub(crate) fn new_project(&self, name: &str) -> NewProject {
        NewProject {
            name: name.to_owned(),
            platform: Some("python".to_owned()),
            key_id: KeyId::new(self.uuid()),
            public_key: self.public_key(),
            now: start(),
        }
    }
}

impl Org {
    /// Makes a project called `name`.
    pub(crate) async fn project(&self, name: &str) -> InProject {
        let store = &self.world.store;
        let new = self.world.new_project(name);
        let public_key = new.public_key.clone();
        let made = store.create_project(&self.scope, new).await.unwrap();
        let (scope, project) = store
            .open_project(&self.scope, &ProjectRef::Id(made.id))
            .await
            .unwrap()
            .expect("a project that was just made is there");
        InProject {
            project,
            scope,
            public_key,
        }
    }

    /// Gives the organization the plan that has no limits of its own.
    pub(crate) async fn lift_limits_of_plan(&self) {
        let plan = OrganizationPatch {
            plan: Some(Plan::Enterprise),
            ..OrganizationPatch::default()
        };
        let store = &self.world.store;
        store.update_organization(&self.scope, plan).await.unwrap();
    }

    /// Makes so many projects at once, around the trait.
    pub(crate) fn fill_with_projects(&self, projects: u32) {
        let filled = self.world.backdoor.execute(&format!(
            "with recursive numbers (n) as (
                select 1 union all select n + 1 from numbers where n < {projects}
            )
            insert into projects (org_id, name, slug, created_at)
            select {}, 'filler', 'filler-' || n, 0 from numbers",
            self.world.backdoor.uuid(self.organization.id.as_uuid()),
        ));
        assert_eq!(filled, Ok(projects.into()));
    }

    /// Makes a shared organization called `name`.
    pub(crate) async fn shared(&self, name: &str) -> OrgScope {
        let store = &self.world.store;
        let new = self.world.new_org(self, name);
        let made = store.create_organization(new).await.unwrap();
        let access = store.open_org(self.user.id, &OrgRef::Id(made.id)).await;
        access.unwrap().expect("its owner is in it").scope
    }

    /// Its slug as a URL names it.
    pub(crate) fn by_slug(&self) -> OrgRef {
        OrgRef::Slug(self.organization.slug.clone())
    }
}

/// Somebody who may do whatever their role allows.
pub(crate) fn acting(user: UserId) -> Actor {
    Actor {
        user,
        reaches: POLICY.iter().map(|rule| rule.action).collect(),
        proof: AddressProof::Waived,
        now: start(),
    }
}

/// A slug.
pub(crate) fn slug(text: &str) -> Slug {
    Slug::parse(text).unwrap()
}
