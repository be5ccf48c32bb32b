//! Damaged files: always opens, loses no more than was hit, and counts it exactly.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot damage a file must fail"
)]

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use copal_journal::Entry;

use crate::{
    faulty::random,
    support::{drain, open, small},
};

const RECORDS: u64 = 40;
const HEADER_BYTES: usize = 40;
const RECORD_BYTES: usize = 16 + 100;
/// 1,024 bytes a segment.
const RECORDS_A_SEGMENT: usize = 8;
const FLIPS: u64 = 10_000;

async fn build(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let (journal, _) = open(folder, small(), 0);
    for number in 1..=RECORDS {
        journal
            .append(vec![u8::try_from(number).unwrap(); 100])
            .await
            .unwrap();
    }
    journal.close().await;
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "segment")
        })
        .map(|path| (path.clone(), std::fs::read(path).unwrap()))
        .collect();
    files.sort();
    assert_eq!(files.len(), 5);
    files
}

fn restore(folder: &Path, files: &[(PathBuf, Vec<u8>)]) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            std::fs::remove_dir_all(path).unwrap();
        } else if path.extension().is_some() {
            std::fs::remove_file(path).unwrap();
        }
    }
    for (path, bytes) in files {
        std::fs::write(path, bytes).unwrap();
    }
}

/// Opens, reads everything, and answers the sequences that are whole, and the count of corrupt.
async fn survivors(folder: &Path) -> (BTreeSet<u64>, u64) {
    let (journal, _) = open(folder, small(), 0);
    journal.close().await;
    let mut whole = BTreeSet::new();
    let mut gone = 0;
    for entry in drain(&mut journal.reader(0)).await {
        match entry {
            Entry::Record { sequence, record } => {
                assert_eq!(record, [u8::try_from(sequence).unwrap(); 100]);
                assert!(whole.insert(sequence));
            }
            Entry::Gap { from, to } => gone += to - from + 1,
        }
    }
    assert_eq!(journal.stats().corrupt_records, gone);
    (whole, gone)
}

#[tokio::test]
async fn a_torn_tail_at_every_byte_costs_only_the_torn() {
    let folder = tempfile::tempdir().unwrap();
    let files = build(folder.path()).await;
    let (path, bytes) = files.last().unwrap();
    for cut in bytes.len() - 3 * RECORD_BYTES..bytes.len() {
        restore(folder.path(), &files);
        std::fs::write(path, &bytes[..cut]).unwrap();
        let missing = (bytes.len() - cut).div_ceil(RECORD_BYTES) as u64;
        let (whole, gone) = survivors(folder.path()).await;
        assert_eq!(
            (whole, gone),
            ((1..=RECORDS - missing).collect(), 0),
            "cut at {cut}"
        );
    }
}

#[tokio::test]
async fn random_flips_cost_only_what_they_hit() {
    let folder = tempfile::tempdir().unwrap();
    let files = build(folder.path()).await;
    let rounds = if cfg!(debug_assertions) {
        FLIPS / 10
    } else {
        FLIPS
    };
    for round in 0..rounds {
        let mut seed = round;
        let mut damaged = files.clone();
        let mut hit = BTreeSet::new();
        for _ in 0..=random(&mut seed) % 3 {
            let segment = usize::try_from(random(&mut seed) % 5).unwrap();
            let bytes = &mut damaged[segment].1;
            let place = usize::try_from(random(&mut seed)).unwrap() % bytes.len();
            bytes[place] ^= 1 << (random(&mut seed) % 8);
            if let Some(place) = place.checked_sub(HEADER_BYTES) {
                let record = segment * RECORDS_A_SEGMENT + place / RECORD_BYTES + 1;
                hit.insert(record as u64);
            }
        }
        restore(folder.path(), &damaged);
        let (whole, gone) = survivors(folder.path()).await;
        // Damage at the very end cannot be told from a torn write.
        let torn = (1..=RECORDS)
            .rev()
            .take_while(|record| hit.contains(record))
            .count() as u64;
        let expected = (1..=RECORDS)
            .filter(|record| !hit.contains(record))
            .collect();
        assert_eq!(
            (whole, gone),
            (expected, hit.len() as u64 - torn),
            "round {round}"
        );
    }
}

#[tokio::test]
async fn missing_and_empty_segments_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let files = build(folder.path()).await;
    for segment in 0..4_usize {
        let lost = segment as u64 * 8 + 1..=segment as u64 * 8 + 8;
        let expected: BTreeSet<_> = (1..=RECORDS)
            .filter(|record| !lost.contains(record))
            .collect();
        restore(folder.path(), &files);
        std::fs::remove_file(&files[segment].0).unwrap();
        assert_eq!(survivors(folder.path()).await, (expected.clone(), 8));
        restore(folder.path(), &files);
        std::fs::write(&files[segment].0, []).unwrap();
        assert_eq!(survivors(folder.path()).await, (expected, 8));
    }
}
