//! Anything that can happen, in any order, against a model of what must hold.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use copal_journal::{Entry, Journal, Reader};
use proptest::{collection::vec, prelude::*};

use crate::{
    disk::Left,
    faulty::{Fault, FaultyFs, Lie},
    support::{open_on, small},
};

const CASES: u32 = 400;
const STEPS: usize = 60;

/// What can happen.
#[derive(Debug, Clone)]
enum Step {
    /// Records of these sizes, at once.
    Append(Vec<usize>),
    /// The store takes so many records in.
    Read(usize),
    /// The journal is told how far the store is.
    Forget,
    /// The process ends in good order, and another one starts.
    Reopen,
    /// So many operations from now all is over.
    CrashIn(u64, Left),
    /// So many operations from now one of them fails.
    ErrorIn(u64, Left),
    /// All is over now.
    Crash(Left),
}

fn left() -> impl Strategy<Value = Left> {
    prop_oneof![
        Just(Left::All),
        Just(Left::Nothing),
        any::<u64>().prop_map(Left::Part)
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => vec(0..400_usize, 1..5).prop_map(Step::Append),
        4 => (1..12_usize).prop_map(Step::Read),
        3 => Just(Step::Forget),
        1 => Just(Step::Reopen),
        2 => (1..40_u64, left()).prop_map(|(after, left)| Step::CrashIn(after, left)),
        1 => (1..40_u64, left()).prop_map(|(after, left)| Step::ErrorIn(after, left)),
        1 => left().prop_map(Step::Crash),
    ]
}

/// The journal, and what must hold of it.
struct World {
    fs: FaultyFs,
    journal: Option<(Journal, Reader)>,
    /// What the next crash, if it is on its way, leaves.
    left: Left,
    /// Records that were sent, by the number they begin with; true once acknowledged or stored.
    sent: BTreeMap<u64, bool>,
    acknowledged: BTreeMap<u64, Vec<u8>>,
    store: BTreeMap<u64, Vec<u8>>,
    position: u64,
    /// Whether a sync has ever failed.
    sync_failed: bool,
}

impl World {
    fn new() -> Self {
        Self {
            fs: FaultyFs::new(Fault::Never, Lie::None),
            journal: None,
            left: Left::All,
            sent: BTreeMap::new(),
            acknowledged: BTreeMap::new(),
            store: BTreeMap::new(),
            position: 0,
            sync_failed: false,
        }
    }

    async fn take(&mut self, step: &Step) {
        if self.journal.is_none() {
            self.open();
        }
        match step {
            Step::Append(sizes) => self.append(sizes).await,
            Step::Read(count) => self.read(*count).await,
            Step::Forget => {
                if let Some((journal, _)) = &self.journal {
                    journal.forget(self.position);
                }
            }
            Step::Reopen => {
                if let Some((journal, _)) = self.journal.take() {
                    journal.close().await;
                }
            }
            Step::CrashIn(after, left) => self.arm(Fault::CrashAfter, *after, *left),
            Step::ErrorIn(after, left) => self.arm(Fault::ErrorOnce, *after, *left),
            Step::Crash(left) => self.restart(*left),
        }
        if self.fs.is_dead() {
            self.restart(self.left);
        }
    }

    fn arm(&mut self, fault: impl Fn(u64) -> Fault, after: u64, left: Left) {
        self.fs.set_fault(fault, after);
        self.left = left;
    }

    fn restart(&mut self, left: Left) {
        self.sync_failed |= self.fs.sync_has_failed();
        self.fs = self.fs.restart(left, Fault::Never);
        self.journal = None;
    }

    fn open(&mut self) {
        let fs = Arc::new(self.fs.clone());
        let Ok((journal, recovery)) = open_on(fs, Path::new("/journal"), small(), self.position)
        else {
            // A fault hit it: as a service manager does, the next step tries again.
            self.restart(self.left);
            return;
        };
        let last = self.acknowledged.keys().next_back().copied();
        let last = last.unwrap_or(0).max(self.position);
        assert!(recovery.last_sequence >= last, "{recovery:?}, but {last}");
        assert_eq!(recovery.damaged_headers, 0, "nothing was damaged");
        let leftover = recovery.last_sequence - self.position;
        assert_eq!(recovery.leftover_records, leftover);
        let reader = journal.reader(self.position);
        self.journal = Some((journal, reader));
    }

    async fn append(&mut self, sizes: &[usize]) {
        let Some((journal, _)) = &self.journal else {
            return;
        };
        let mut answers = Vec::new();
        for size in sizes {
            let number = self.sent.len() as u64;
            self.sent.insert(number, false);
            let mut record = number.to_le_bytes().to_vec();
            record.resize(8 + size, 0xA5);
            let journal = journal.clone();
            answers.push(tokio::spawn(async move {
                (journal.append(record.clone()).await, record)
            }));
        }
        for answer in answers {
            let (answer, record) = answer.await.expect("does not panic");
            // What was refused may or may not be there.
            let Ok(sequence) = answer else { continue };
            assert!(sequence > self.position, "{sequence} is used again");
            let before = self.acknowledged.insert(sequence, record);
            assert_eq!(before, None, "{sequence} is used again");
        }
    }

    /// The store records what it reads, and never forgets.
    async fn read(&mut self, count: usize) {
        let Some((journal, reader)) = &mut self.journal else {
            return;
        };
        if journal.stats().last_sequence <= self.position {
            return;
        }
        let Ok(entries) = reader.next(count, 1000).await else {
            self.restart(self.left);
            return;
        };
        for entry in entries {
            self.store(entry);
        }
    }

    fn store(&mut self, entry: Entry) {
        let expected = self.position + 1;
        self.position = entry.sequence();
        match entry {
            Entry::Record { sequence, record } => {
                assert_eq!(sequence, expected, "in order, and none left out");
                if let Some(acknowledged) = self.acknowledged.get(&sequence) {
                    assert_eq!(*acknowledged, record, "{sequence} is another one");
                }
                let number = record[..8].try_into().expect("eight bytes");
                let stored = self.sent.insert(u64::from_le_bytes(number), true);
                assert_eq!(
                    stored,
                    Some(false),
                    "{sequence} was not sent, or came before"
                );
                self.store.insert(sequence, record);
            }
            Entry::Gap { from, to } => {
                assert_eq!(from, expected);
                assert!(
                    self.sync_failed,
                    "{from} to {to} are gone, and nothing was damaged"
                );
                let lost: Vec<_> = self.acknowledged.range(from..=to).collect();
                assert!(lost.is_empty(), "acknowledged and gone: {lost:?}");
            }
        }
    }

    async fn finish(mut self) {
        self.restart(Left::Part(7));
        self.open();
        let (journal, mut reader) = self.journal.take().expect("opens");
        journal.close().await;
        let stats = journal.stats();
        loop {
            let entries = reader.next(100, 10_000).await.expect("reads");
            if entries.is_empty() {
                break;
            }
            for entry in entries {
                self.store(entry);
            }
        }
        assert_eq!(stats.last_sequence, self.position);
        for (sequence, record) in &self.acknowledged {
            assert_eq!(self.store.get(sequence), Some(record), "{sequence} is lost");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

    #[test]
    fn whatever_happens_what_is_acknowledged_is_read_once(steps in vec(step(), 1..STEPS)) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let mut world = World::new();
            for step in &steps {
                world.take(step).await;
            }
            world.finish().await;
        });
    }
}
