//! A full disk: refused without harm, and taken in again as soon as there is room.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use copal_journal::{AppendError, Entry, Journal};

use crate::{
    disk::Left,
    faulty::{Fault, FaultyFs, Lie},
    support::{drain, open_on, small},
};

/// What opening takes: the id and its checksum, and a segment's header.
const OPENING_BYTES: u64 = 20 + 40;
const RECORDS: u8 = 24;

fn folder() -> &'static Path {
    Path::new("/journal")
}

fn open(fs: &FaultyFs, at_least: u64) -> Journal {
    let opened = open_on(Arc::new(fs.clone()), folder(), small(), at_least);
    opened.expect("there is room to open").0
}

/// Appends records, some of them at once; answers what was acknowledged.
async fn append(journal: &Journal) -> BTreeMap<u64, Vec<u8>> {
    let mut acknowledged = BTreeMap::new();
    for number in (0..RECORDS).step_by(3) {
        let record = |number: u8| vec![number; 40 + usize::from(number % 7) * 20];
        let (one, two, three) = (record(number), record(number + 1), record(number + 2));
        let answers = tokio::join!(
            journal.append(one.clone()),
            journal.append(two.clone()),
            journal.append(three.clone())
        );
        for (answer, record) in [(answers.0, one), (answers.1, two), (answers.2, three)] {
            match answer {
                Ok(sequence) => assert!(acknowledged.insert(sequence, record).is_none()),
                Err(error) => assert_eq!(error, AppendError::Full, "never a failure"),
            }
        }
    }
    acknowledged
}

fn records(entries: Vec<Entry>) -> BTreeMap<u64, Vec<u8>> {
    let records = entries.into_iter().map(|entry| match entry {
        Entry::Record { sequence, record } => (sequence, record),
        gap @ Entry::Gap { .. } => panic!("{gap:?}"),
    });
    records.collect()
}

#[tokio::test]
async fn a_disk_that_is_full_at_any_byte_refuses_and_recovers() {
    let whole = FaultyFs::new(Fault::Never, Lie::None);
    let all = append(&open(&whole, 0)).await;
    assert_eq!(all.len(), usize::from(RECORDS));
    let needed: u64 = whole.files().values().map(|bytes| bytes.len() as u64).sum();
    let mut refusals = 0;
    for room in OPENING_BYTES..=needed {
        let fs = FaultyFs::new(Fault::Never, Lie::None);
        fs.set_room(room);
        let journal = open(&fs, 0);
        let mut acknowledged = append(&journal).await;
        refusals += usize::from(RECORDS) - acknowledged.len();
        assert_eq!(acknowledged.len() == all.len(), room == needed, "{room}");
        // There is room again: the same process goes on.
        fs.set_room(u64::MAX);
        let more = journal.append(vec![RECORDS; 8]).await;
        let more = more.unwrap_or_else(|error| panic!("{room}: {error}"));
        acknowledged.insert(more, vec![RECORDS; 8]);
        journal.close().await;
        let read = records(drain(&mut journal.reader(0)).await);
        assert_eq!(read, acknowledged, "{room}: what was refused is not there");
        // Nor after a kill, nor is anything lost when the power is.
        for left in [Left::All, Left::Nothing] {
            let journal = open(&fs.restart(left, Fault::Never), 0);
            journal.close().await;
            let read = records(drain(&mut journal.reader(0)).await);
            assert_eq!(read, acknowledged, "{room}, {left:?}");
        }
    }
    println!(
        "full at {} places, {refusals} refusals",
        needed - OPENING_BYTES
    );
}

#[tokio::test]
async fn what_is_recorded_makes_room() {
    let fs = FaultyFs::new(Fault::Never, Lie::None);
    // Four segments and a bit.
    fs.set_room(OPENING_BYTES + 4 * 1024 + 100);
    let journal = open(&fs, 0);
    let mut reader = journal.reader(0);
    let mut position = 0;
    for round in 0..5 {
        let mut accepted = 0;
        while journal.append(vec![round; 100]).await.is_ok() {
            accepted += 1;
        }
        assert!(accepted > 8, "round {round}: {accepted}");
        while position < journal.stats().last_sequence {
            for entry in reader.next(10, 1024).await.expect("reads") {
                position = entry.sequence();
            }
        }
        journal.forget(position);
    }
}

#[tokio::test]
async fn a_cut_that_fails_on_a_full_disk_ends_it() {
    let fs = FaultyFs::new(Fault::Never, Lie::None);
    let journal = open(&fs, 0);
    assert_eq!(journal.append(vec![1; 100]).await, Ok(1));
    fs.set_room(OPENING_BYTES + 116 + 50);
    // Part of it is written, then there is no room, then it cannot be cut off.
    fs.set_fault(Fault::ErrorOnce, 3);
    assert_eq!(journal.append(vec![2; 100]).await, Err(AppendError::Failed));
    fs.set_room(u64::MAX);
    assert_eq!(journal.append(vec![3; 100]).await, Err(AppendError::Failed));
    journal.failed().await;
    let journal = open(&fs.restart(Left::All, Fault::Never), 0);
    assert_eq!(journal.append(vec![4; 100]).await, Ok(2));
}
