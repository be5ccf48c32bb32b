//! The driver with a real journal and real leave to record; the store's writes can be made to fail.

use std::collections::VecDeque;
use std::sync::Mutex;

use copal_journal::fs::RealFs;
use copal_journal::{Config, Folder};
use copal_model::{Email, KeyId, OrgId, Plan, ProjectId, Timestamp, UserId};
use copal_protocol::EventId;
use copal_store::access::{Access, OrgRef, RecordAccess};
use copal_store::projects::{NewProject, Projects as _};
use copal_store::record::{Disposition, RecordedEvent};
use copal_store::sqlite::{Options, SqliteStore};
use copal_store::users::{NewUser, Users as _};

use super::*;
use crate::prepare::Steps;
use crate::received::{BodyEncoding, BodyKind, Received, ReceivedError};

/// A message that makes [`Touchy`] panic.
const POISON: &str = "panic, please";
/// A message that the store refuses.
const REFUSED: &str = "refuse, please";

/// The real steps, but for one message.
struct Touchy;

impl Prepare for Touchy {
    fn prepare(
        &self,
        received: &Received<'_>,
        access: &RecordAccess,
    ) -> Result<Prepared, ReceivedError> {
        let prepared = Steps::default().prepare(received, access)?;
        let title = prepared
            .event
            .as_ref()
            .map(|event| event.issue.title.as_str());
        assert!(title != Some(POISON), "told to");
        Ok(prepared)
    }
}

/// Gives real leave to record; keeps what is recorded, and fails when told to.
struct Sink {
    access: RecordAccess,
    batches: Mutex<Vec<Batch>>,
    failures: Mutex<VecDeque<copal_store::Error>>,
}

impl Destination for Sink {
    async fn record(&self, batch: Batch) -> copal_store::Result<Recorded> {
        if let Some(error) = self.failures.lock().unwrap().pop_front() {
            return Err(error);
        }
        if batch
            .events
            .iter()
            .any(|event| event.issue.title == REFUSED)
        {
            return Err(copal_store::Error::Broken("a constraint".into()));
        }
        let events = batch.events.iter().map(|event| RecordedEvent {
            project: event.scope.project(),
            event_id: event.event_id,
            issue: None,
            disposition: Disposition::Joined,
        });
        let recorded = Recorded {
            events: events.collect(),
        };
        self.batches.lock().unwrap().push(batch);
        Ok(recorded)
    }

    async fn journal_position(&self, _: JournalId) -> copal_store::Result<Option<u64>> {
        Ok(self
            .batches
            .lock()
            .unwrap()
            .last()
            .map(|batch| batch.position))
    }

    async fn open_recording(
        &self,
        project: ProjectId,
    ) -> copal_store::Result<Option<RecordAccess>> {
        Ok((project == self.access.scope.project()).then(|| self.access.clone()))
    }
}

struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        "2026-11-24T08:00:01Z".parse().unwrap()
    }
}

struct World {
    journal: Journal,
    sink: Arc<Sink>,
    _folder: tempfile::TempDir,
}

async fn access(folder: &std::path::Path) -> RecordAccess {
    let store = SqliteStore::open(folder, Options::default()).unwrap();
    let now = Fixed.now();
    let user = NewUser {
        id: UserId::new(Uuid::from_u128(1)),
        email: Email::parse("ana@example.org").unwrap(),
        name: "Ana".to_owned(),
        password_hash: "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$aGFzaA".to_owned(),
        org_id: OrgId::new(Uuid::from_u128(2)),
        plan: Plan::Free,
        is_verified: true,
        now,
    };
    let signed_up = store.sign_up(user).await.unwrap();
    let org = OrgRef::Id(signed_up.organization.id);
    let org = store
        .open_org(signed_up.user.id, &org)
        .await
        .unwrap()
        .unwrap();
    let project = NewProject {
        name: "shop".to_owned(),
        platform: None,
        key_id: KeyId::new(Uuid::from_u128(3)),
        public_key: "0".repeat(32),
        now,
    };
    let project = store.create_project(&org.scope, project).await.unwrap();
    Access::open_recording(&store, project.id)
        .await
        .unwrap()
        .unwrap()
}

impl World {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let access = access(folder.path()).await;
        let path = folder.path().join("journal");
        let claimed = Folder::claim(&path, Arc::new(RealFs), &mut |id| id.fill(7)).unwrap();
        let (journal, _) = claimed.open(Config::default(), 0).unwrap();
        let sink = Sink {
            access,
            batches: Mutex::default(),
            failures: Mutex::default(),
        };
        Self {
            journal,
            sink: Arc::new(sink),
            _folder: folder,
        }
    }

    async fn send(&self, message: &str) {
        let body = format!(
            "{{}}\n{{\"type\":\"event\"}}\n{{\"message\":\"{message}\"}}\n{{\"type\":\"session\"}}\n{{}}"
        );
        let record = Received {
            project: self.sink.access.scope.project(),
            received_at: "2026-11-24T08:00:00Z".parse().unwrap(),
            fallback_event_id: EventId::new(Uuid::from_u128(5)),
            client_ip: None,
            user_agent: "",
            sdk: "",
            kind: BodyKind::Envelope,
            encoding: BodyEncoding::Identity,
            decoded_bytes: body.len() as u64,
            body: body.as_bytes(),
        };
        self.journal.append(record.encode()).await.unwrap();
    }

    fn pipeline(&self) -> Pipeline<Sink, Touchy> {
        Pipeline {
            journal: self.journal.clone(),
            store: self.sink.clone(),
            clock: Arc::new(Fixed),
            steps: Arc::new(Touchy),
        }
    }

    /// Runs until everything sent so far is recorded; answers how many commits were told of.
    async fn drain(&self) -> Result<usize, Error> {
        let (stop, stopped) = watch::channel(false);
        let last = self.journal.stats().last_sequence;
        let commits = Mutex::new(0);
        let tell = |_: &Recorded| {
            *commits.lock().unwrap() += 1;
            let position = self.sink.batches.lock().unwrap().last().unwrap().position;
            if position >= last {
                stop.send_replace(true);
            }
        };
        tokio::time::timeout(Duration::from_mins(1), run(self.pipeline(), stopped, tell))
            .await
            .expect("the pipeline ends when told to")?;
        Ok(*commits.lock().unwrap())
    }

    fn titles(&self) -> Vec<String> {
        let batches = self.sink.batches.lock().unwrap();
        batches
            .iter()
            .flat_map(|batch| &batch.events)
            .map(|event| event.issue.title.clone())
            .collect()
    }

    /// Outcomes by name, and the errors of what was quarantined.
    fn ended(&self) -> (Vec<(&'static str, u64)>, Vec<String>) {
        let batches = self.sink.batches.lock().unwrap();
        let mut counts = std::collections::BTreeMap::new();
        for one in batches.iter().flat_map(|batch| &batch.outcomes) {
            *counts.entry(one.outcome.as_str()).or_insert(0) += one.quantity;
        }
        let quarantined = batches.iter().flat_map(|batch| &batch.quarantined);
        (
            counts.into_iter().collect(),
            quarantined.map(|one| one.error.clone()).collect(),
        )
    }
}

#[tokio::test]
async fn records_what_the_journal_holds_and_forgets_it() {
    let world = World::new().await;
    for number in 0..100 {
        world.send(&format!("event {number}")).await;
    }
    assert!(world.drain().await.unwrap() >= 1);
    let expected: Vec<_> = (0..100).map(|number| format!("event {number}")).collect();
    assert_eq!(world.titles(), expected);
    assert_eq!(world.ended(), (vec![("filtered", 100)], vec![]));
    world.journal.close().await;
    assert_eq!(
        world.journal.stats().forgotten_sequence,
        world.journal.stats().last_sequence
    );
}

#[tokio::test]
async fn goes_on_where_the_store_is() {
    let world = World::new().await;
    world.send("one").await;
    world.drain().await.unwrap();
    world.send("two").await;
    world.drain().await.unwrap();
    assert_eq!(world.titles(), ["one", "two"]);
}

#[tokio::test]
async fn poison_is_quarantined_and_its_neighbours_go_on() {
    let world = World::new().await;
    for message in ["before", POISON, "after"] {
        world.send(message).await;
    }
    world.journal.append(vec![99]).await.unwrap();
    world.drain().await.unwrap();
    assert_eq!(world.titles(), ["before", "after"]);
    let (outcomes, errors) = world.ended();
    assert_eq!(outcomes, [("filtered", 2), ("internal", 2)]);
    assert_eq!(
        errors,
        ["panic: told to", "the record's form 99 is unknown"]
    );
}

#[tokio::test]
async fn what_the_store_refuses_is_found_and_quarantined() {
    let world = World::new().await;
    for message in ["a", "b", "c", REFUSED, "d"] {
        world.send(message).await;
    }
    world.drain().await.unwrap();
    assert_eq!(world.titles(), ["a", "b", "c", "d"]);
    let (outcomes, errors) = world.ended();
    assert_eq!(outcomes, [("filtered", 4), ("internal", 2)]);
    assert_eq!(errors, ["the store is broken: a constraint"]);
    let positions: Vec<u64> = world
        .sink
        .batches
        .lock()
        .unwrap()
        .iter()
        .map(|batch| batch.position)
        .collect();
    assert!(
        positions.is_sorted() && positions.last() == Some(&world.journal.stats().last_sequence)
    );
}

#[tokio::test]
async fn an_absent_store_is_waited_for() {
    let world = World::new().await;
    world.send("kept").await;
    let absent = || copal_store::Error::Unavailable("away".to_owned());
    world
        .sink
        .failures
        .lock()
        .unwrap()
        .extend([absent(), absent()]);
    world.drain().await.unwrap();
    assert_eq!(world.titles(), ["kept"]);
}

#[tokio::test]
async fn a_failed_disk_ends_the_pipeline_and_nothing_is_forgotten() {
    let world = World::new().await;
    world.send("kept").await;
    let disk = copal_store::Error::Disk(std::io::Error::other("EIO"));
    world.sink.failures.lock().unwrap().push_back(disk);
    let error = world.drain().await.unwrap_err();
    assert!(
        matches!(error, Error::Store(copal_store::Error::Disk(_))),
        "{error}"
    );
    assert_eq!(world.journal.stats().forgotten_sequence, 0);
    world.drain().await.unwrap();
    assert_eq!(world.titles(), ["kept"]);
}

#[tokio::test]
async fn stops_while_idle_and_while_the_store_is_away() {
    let world = World::new().await;
    let (stop, stopped) = watch::channel(false);
    let idle = tokio::spawn(run(world.pipeline(), stopped, |_: &Recorded| {}));
    tokio::task::yield_now().await;
    stop.send_replace(true);
    idle.await.unwrap().unwrap();

    world.send("kept").await;
    let absent = || copal_store::Error::Unavailable("away".to_owned());
    world
        .sink
        .failures
        .lock()
        .unwrap()
        .extend(std::iter::repeat_with(absent).take(100));
    let (stop, stopped) = watch::channel(false);
    let waiting = tokio::spawn(run(world.pipeline(), stopped, |_: &Recorded| {}));
    while world.sink.failures.lock().unwrap().len() == 100 {
        tokio::task::yield_now().await;
    }
    drop(stop);
    waiting.await.unwrap().unwrap();
    assert!(world.titles().is_empty());
}
