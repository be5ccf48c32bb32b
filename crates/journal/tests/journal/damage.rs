//! Damaged files: always opens, loses no more than was hit, and counts it exactly.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot damage a file must fail"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
};

use copal_journal::{Entry, Folder, Inspection, Inspector, Problem, Recovery};

use crate::{
    faulty::{Fault, FaultyFs, Lie},
    support::{drain, open_on, random, small},
};

type Files = BTreeMap<PathBuf, Vec<u8>>;

const RECORDS: u64 = 40;
const HEADER_BYTES: usize = 40;
const RECORD_HEADER_BYTES: usize = 16;
const RECORD_BYTES: usize = RECORD_HEADER_BYTES + 100;
/// 1,024 bytes a segment.
const RECORDS_A_SEGMENT: usize = 8;
const FLIPS: u64 = 10_000;

fn folder() -> &'static Path {
    Path::new("/journal")
}

fn segment(first: u64) -> PathBuf {
    folder().join(format!("{first:020}.segment"))
}

/// The files of a journal with five full segments, the id's file among them.
async fn build_with_id(id: u8) -> Files {
    let fs = FaultyFs::new(Fault::Never, Lie::None);
    let claimed = Folder::claim(folder(), Arc::new(fs.clone()), &mut |bytes| bytes.fill(id));
    let (journal, _) = claimed.unwrap().open(small(), 0).unwrap();
    for number in 1..=RECORDS {
        let record = vec![u8::try_from(number).unwrap(); 100];
        journal.append(record).await.unwrap();
    }
    journal.close().await;
    let files = fs.files();
    assert_eq!(files.len(), 6, "{:?}", files.keys());
    files
}

async fn build() -> Files {
    build_with_id(7).await
}

/// What opening and reading everything came to.
#[derive(Debug, PartialEq, Eq)]
struct Survived {
    whole: BTreeSet<u64>,
    /// Records that are told to be gone.
    gone: u64,
    recovery: Recovery,
    /// Files that were put into quarantine.
    quarantined: usize,
}

async fn survived_at(files: &Files, at_least: u64) -> Survived {
    let fs = FaultyFs::holding(files);
    let (journal, recovery) = open_on(Arc::new(fs.clone()), folder(), small(), at_least).unwrap();
    journal.close().await;
    let mut whole = BTreeSet::new();
    let mut gone = 0;
    for entry in drain(&mut journal.reader(at_least)).await {
        match entry {
            Entry::Record { sequence, record } => {
                assert_eq!(record, [u8::try_from(sequence).unwrap(); 100]);
                assert!(whole.insert(sequence));
            }
            Entry::Gap { from, to } => gone += to - from + 1,
        }
    }
    assert_eq!(journal.stats().corrupt_records, gone);
    let quarantine = folder().join("quarantine");
    let files = fs.files();
    let quarantined = files.keys().filter(|path| path.starts_with(&quarantine));
    Survived {
        whole,
        gone,
        recovery,
        quarantined: quarantined.count(),
    }
}

/// The sequences that are whole, and the count of those that are gone.
async fn survivors(files: &Files) -> (BTreeSet<u64>, u64) {
    let survived = survived_at(files, 0).await;
    (survived.whole, survived.gone)
}

/// All sequences but these.
fn all_but(lost: impl IntoIterator<Item = u64>) -> BTreeSet<u64> {
    let mut all: BTreeSet<_> = (1..=RECORDS).collect();
    for sequence in lost {
        all.remove(&sequence);
    }
    all
}

#[tokio::test]
async fn a_torn_tail_at_every_byte_costs_only_the_torn() {
    let mut files = build().await;
    let bytes = files[&segment(33)].clone();
    for cut in bytes.len() - 3 * RECORD_BYTES..bytes.len() {
        files.insert(segment(33), bytes[..cut].to_vec());
        let missing = (bytes.len() - cut).div_ceil(RECORD_BYTES) as u64;
        let expected = (1..=RECORDS - missing).collect();
        assert_eq!(survivors(&files).await, (expected, 0), "cut at {cut}");
    }
}

#[tokio::test]
async fn a_torn_tail_is_cut_off_once() {
    let mut files = build().await;
    let torn = files[&segment(33)].len() - 1;
    files.get_mut(&segment(33)).unwrap().truncate(torn);
    let fs = FaultyFs::holding(&files);
    for torn_bytes in [RECORD_BYTES as u64 - 1, 0] {
        let (journal, recovery) = open_on(Arc::new(fs.clone()), folder(), small(), 0).unwrap();
        assert_eq!(recovery.torn_bytes, torn_bytes);
        journal.append(vec![0; 100]).await.unwrap();
        journal.close().await;
    }
    assert_eq!(fs.files()[&segment(33)].len(), torn + 1 - RECORD_BYTES);
}

#[tokio::test]
async fn a_flipped_bit_in_a_segments_header_costs_nothing() {
    let mut files = build().await;
    for first in [1, 17, 33] {
        for bit in 0..HEADER_BYTES * 8 {
            let bytes = files.get_mut(&segment(first)).unwrap();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let survived = survived_at(&files, 0).await;
            assert_eq!(survived.whole, all_but([]), "segment {first}, bit {bit}");
            assert_eq!((survived.gone, survived.recovery.damaged_headers), (0, 1));
            files.get_mut(&segment(first)).unwrap()[bit / 8] ^= 1 << (bit % 8);
        }
    }
}

#[tokio::test]
async fn a_flipped_bit_in_a_records_header_costs_that_record() {
    let mut files = build().await;
    // The first, one in the middle and the last of a segment; and of the last segment.
    for record in [9, 12, 16, 33, 36, 39] {
        let place = (record - 1) % RECORDS_A_SEGMENT;
        let path = segment((record - place) as u64);
        let at = HEADER_BYTES + place * RECORD_BYTES;
        for bit in 0..RECORD_HEADER_BYTES * 8 {
            files.get_mut(&path).unwrap()[at + bit / 8] ^= 1 << (bit % 8);
            let expected = (all_but([record as u64]), 1);
            assert_eq!(survivors(&files).await, expected, "{record}, bit {bit}");
            files.get_mut(&path).unwrap()[at + bit / 8] ^= 1 << (bit % 8);
        }
    }
}

#[tokio::test]
async fn random_flips_cost_only_what_they_hit() {
    let files = build().await;
    for round in 0..FLIPS {
        let mut seed = round;
        let mut damaged = files.clone();
        let mut hit = BTreeSet::new();
        for _ in 0..=random(&mut seed) % 3 {
            let number = usize::try_from(random(&mut seed) % 5).unwrap();
            let first = number * RECORDS_A_SEGMENT + 1;
            let bytes = damaged.get_mut(&segment(first as u64)).unwrap();
            let place = usize::try_from(random(&mut seed)).unwrap() % bytes.len();
            bytes[place] ^= 1 << (random(&mut seed) % 8);
            if let Some(place) = place.checked_sub(HEADER_BYTES) {
                hit.insert((first + place / RECORD_BYTES) as u64);
            }
        }
        // Damage at the very end cannot be told from a torn write.
        let torn = (1..=RECORDS)
            .rev()
            .take_while(|record| hit.contains(record))
            .count() as u64;
        let expected = (all_but(hit.iter().copied()), hit.len() as u64 - torn);
        assert_eq!(survivors(&damaged).await, expected, "round {round}");
    }
}

#[tokio::test]
async fn missing_and_empty_segments_are_counted() {
    let files = build().await;
    for first in [1, 9, 17, 25] {
        let lost = first..first + RECORDS_A_SEGMENT as u64;
        let mut damaged = files.clone();
        damaged.remove(&segment(first));
        let expected = (all_but(lost), 8);
        assert_eq!(survivors(&damaged).await, expected, "{first} is missing");
        damaged.insert(segment(first), Vec::new());
        assert_eq!(survivors(&damaged).await, expected, "{first} is empty");
    }
    // Of the last one nothing is known any more: that is a torn write, or the loss of a file.
    let mut damaged = files.clone();
    damaged.insert(segment(33), Vec::new());
    assert_eq!(survivors(&damaged).await, (all_but(33..=40), 0));
}

#[tokio::test]
async fn zeros_at_the_end_cost_nothing() {
    let mut files = build().await;
    let bytes = files[&segment(33)].clone();
    for zeros in [1, 15, 16, 17, 4096, 300_000] {
        let mut longer = bytes.clone();
        longer.resize(bytes.len() + zeros, 0);
        files.insert(segment(33), longer);
        let survived = survived_at(&files, 0).await;
        assert_eq!((survived.whole, survived.gone), (all_but([]), 0));
        assert_eq!(survived.recovery.torn_bytes, zeros as u64);
        assert_eq!(survived.quarantined, 0, "zeros are not worth keeping");
    }
    // The file had grown, and what was written never arrived.
    for records in 1..RECORDS_A_SEGMENT {
        let mut zeroed = bytes.clone();
        let from = bytes.len() - records * RECORD_BYTES;
        zeroed[from..].fill(0);
        files.insert(segment(33), zeroed);
        let expected = (1..=RECORDS - records as u64).collect();
        assert_eq!(survivors(&files).await, (expected, 0), "{records} zeroed");
    }
}

#[tokio::test]
async fn copies_are_put_aside_and_lost_names_are_found_again() {
    let files = build().await;
    for (of, named) in [(9, 3), (9, 100), (33, 100), (1, 41)] {
        let mut doubled = files.clone();
        doubled.insert(segment(named), files[&segment(of)].clone());
        let survived = survived_at(&doubled, 0).await;
        let what = format!("{of} also as {named}");
        assert_eq!((survived.whole, survived.gone), (all_but([]), 0), "{what}");
        let foreign = (survived.recovery.foreign_segments, survived.quarantined);
        assert_eq!(foreign, (1, 1), "{what}");
        doubled.remove(&segment(of));
        let survived = survived_at(&doubled, 0).await;
        assert_eq!((survived.whole, survived.gone), (all_but([]), 0), "{what}");
        assert_eq!(survived.quarantined, 0, "{what}, which is gone");
    }
}

#[tokio::test]
async fn what_another_journal_wrote_is_put_aside() {
    let files = build().await;
    let foreign = build_with_id(6).await;
    for first in [1, 17, 33] {
        // Between ours, and in the place of one of ours.
        for (named, lost) in [(first + 3, 0), (100, 0), (first, 8)] {
            let mut mixed = files.clone();
            mixed.insert(segment(named), foreign[&segment(first)].clone());
            let survived = survived_at(&mixed, 0).await;
            let what = format!("{first} of another as {named}");
            assert_eq!(survived.whole.len(), 40 - lost, "{what}");
            // Nothing tells of records beyond the last segment.
            let known = if named == 33 { 0 } else { lost as u64 };
            assert_eq!(survived.gone, known, "{what}");
            assert_eq!(survived.recovery.foreign_segments, 1, "{what}");
            assert_eq!(survived.quarantined, 1, "{what}");
        }
    }
}

#[tokio::test]
async fn records_of_another_journal_or_met_before_are_not_taken_for_new() {
    let files = build().await;
    let foreign = build_with_id(6).await;
    let tail = HEADER_BYTES + 2 * RECORD_BYTES;
    let mut mixed = files.clone();
    let bytes = mixed.get_mut(&segment(33)).unwrap();
    bytes.truncate(tail);
    bytes.extend_from_slice(&foreign[&segment(33)][tail..]);
    assert_eq!(survivors(&mixed).await, (all_but(35..=40), 0));

    let mut again = files.clone();
    let bytes = again.get_mut(&segment(33)).unwrap();
    bytes.extend_from_slice(&files[&segment(33)][tail..]);
    assert_eq!(survivors(&again).await, (all_but([]), 0));
}

#[tokio::test]
async fn a_position_that_is_behind_gives_what_there_still_is() {
    // The store was restored from a backup; what the journal had forgotten is gone.
    let mut files = build().await;
    for first in [1, 9] {
        files.remove(&segment(first));
    }
    let survived = survived_at(&files, 5).await;
    assert_eq!(survived.whole, (17..=40).collect());
    assert_eq!(survived.gone, 11, "6 to 16");
}

#[tokio::test]
async fn a_position_that_is_ahead_is_where_it_goes_on() {
    // The journal was restored from a backup, or its folder was emptied.
    for files in [build().await, Files::new()] {
        for ahead in [40, 41, 45, 1000] {
            let fs = Arc::new(FaultyFs::holding(&files));
            let (journal, recovery) = open_on(fs.clone(), folder(), small(), ahead).unwrap();
            assert_eq!(
                (recovery.last_sequence, recovery.leftover_records),
                (ahead, 0)
            );
            assert_eq!(journal.append(b"new".to_vec()).await, Ok(ahead + 1));
            journal.close().await;
            let entries = drain(&mut journal.reader(ahead)).await;
            let [Entry::Record { sequence, .. }] = entries[..] else {
                panic!("{entries:?}");
            };
            assert_eq!(sequence, ahead + 1);
            // The next start finds the same, though the store has not come further.
            let (journal, recovery) = open_on(fs, folder(), small(), ahead).unwrap();
            assert_eq!(recovery.leftover_records, 1);
            assert_eq!(journal.append(b"new".to_vec()).await, Ok(ahead + 2));
        }
    }
}

fn inspected(files: &Files, recorded: u64) -> Inspection {
    let fs = FaultyFs::holding(files);
    let inspector = Inspector::open(folder(), Arc::new(fs.clone())).unwrap();
    let inspection = inspector.unwrap().inspect(recorded).unwrap();
    assert_eq!(fs.files(), *files, "looking changes nothing");
    inspection
}

#[tokio::test]
async fn an_inspection_tells_what_is_wrong() {
    let files = build().await;
    let sound = |waiting_records| Inspection {
        waiting_records,
        problems: vec![],
    };
    for recorded in [0, 1, 7, 8, 9, 39, 40] {
        assert_eq!(inspected(&files, recorded), sound(40 - recorded));
    }
    // A write under way is no damage.
    let mut torn = files.clone();
    torn.get_mut(&segment(33)).unwrap().truncate(960);
    assert_eq!(inspected(&torn, 0), sound(39));

    let mut damaged = files.clone();
    damaged.get_mut(&segment(9)).unwrap()[200] ^= 1;
    damaged.get_mut(&segment(17)).unwrap()[3] ^= 1;
    damaged.remove(&segment(25));
    damaged.insert(segment(100), files[&segment(1)].clone());
    let found = Inspection {
        waiting_records: 31,
        problems: vec![
            Problem::DamagedHeader(17),
            Problem::Foreign(100),
            Problem::Gap { from: 10, to: 10 },
            Problem::Gap { from: 25, to: 32 },
        ],
    };
    assert_eq!(inspected(&damaged, 0), found);
    // What the store has need not be there.
    damaged.remove(&segment(100));
    let found = Inspection {
        waiting_records: 8,
        problems: vec![Problem::DamagedHeader(17)],
    };
    assert_eq!(inspected(&damaged, 32), found);
}

#[test]
fn where_no_journal_is_there_is_nothing_to_inspect() {
    let empty: Arc<FaultyFs> = Arc::new(FaultyFs::holding(&Files::new()));
    assert!(Inspector::open(folder(), empty).unwrap().is_none());
    let real = Arc::new(copal_journal::fs::RealFs);
    let missing = Path::new("/nowhere/journal");
    assert!(Inspector::open(missing, real).unwrap().is_none());
}
