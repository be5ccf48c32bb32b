//! A crash, or an error, at every single operation of a fixed workload.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use copal_journal::{AppendError, Condition, Entry, Journal};

use crate::{
    disk::Left,
    faulty::{Fault, FaultyFs, Lie},
    support::{open_on, small},
};

/// Enough for several segments, and for some to be deleted.
const APPENDS: u64 = 50;
/// Enough for a second segment, and for the first to be deleted.
const APPENDS_FEW: u64 = 15;

/// What the world outside of the journal remembers: who was answered, and what the store has.
#[derive(Default, Clone)]
struct Ledger {
    sent: BTreeMap<Vec<u8>, Option<u64>>,
    store: BTreeMap<u64, Vec<u8>>,
    position: u64,
    acknowledged_after_failed_sync: bool,
}

impl Ledger {
    fn take(&mut self, entries: Vec<Entry>) -> Result<(), String> {
        for entry in entries {
            self.position = entry.sequence();
            if let Entry::Record { sequence, record } = entry {
                if !self.sent.contains_key(&record) {
                    return Err(format!("{sequence} was never sent"));
                }
                if self.store.insert(sequence, record).is_some() {
                    return Err(format!("{sequence} came twice"));
                }
            }
        }
        Ok(())
    }

    fn check(&self) -> Result<(), String> {
        if self.acknowledged_after_failed_sync {
            return Err("acknowledged after a failed sync".into());
        }
        for (record, sequence) in &self.sent {
            let times = self
                .store
                .values()
                .filter(|stored| *stored == record)
                .count();
            if times > 1 {
                return Err(format!("{record:?} is there {times} times"));
            }
            let Some(sequence) = sequence else { continue };
            if self.store.get(sequence) != Some(record) {
                return Err(format!("acknowledged {sequence} is lost"));
            }
        }
        Ok(())
    }
}

fn folder() -> &'static Path {
    Path::new("/journal")
}

async fn append(fs: &FaultyFs, journal: &Journal, ledger: &mut Ledger, number: u64) -> bool {
    let mut record = number.to_le_bytes().to_vec();
    record.resize(8 + usize::try_from(number * 7 % 150).expect("small"), 5);
    ledger.sent.insert(record.clone(), None);
    let failed_before = fs.sync_has_failed();
    match journal.append(record.clone()).await {
        Ok(sequence) => {
            ledger.acknowledged_after_failed_sync |= failed_before;
            ledger.sent.insert(record, Some(sequence));
            true
        }
        Err(error) => {
            let has_failed = journal.condition() == Condition::Failed;
            assert_eq!(error == AppendError::Failed, has_failed, "{error}");
            false
        }
    }
}

/// Appends, reads and forgets until it is done or something fails.
async fn work(fs: &FaultyFs, ledger: &mut Ledger, appends: u64) -> Result<(), String> {
    let Ok((journal, _)) = open_on(Arc::new(fs.clone()), folder(), small(), 0) else {
        return Ok(());
    };
    let mut reader = journal.reader(0);
    for number in 1..=appends {
        // After a failure the others are still tried: none may be acknowledged.
        let appended = append(fs, &journal, ledger, number).await;
        if appended && number % 10 == 0 {
            let Ok(entries) = reader.next(7, 4096).await else {
                continue;
            };
            ledger.take(entries)?;
            journal.forget(ledger.position);
        }
    }
    journal.close().await;
    Ok(())
}

/// Opens what is left, and appends more.
async fn append_more(fs: &FaultyFs, ledger: &mut Ledger, number: u64) -> Option<Journal> {
    let opened = open_on(Arc::new(fs.clone()), folder(), small(), ledger.position);
    let (journal, _) = opened.ok()?;
    for number in number..number + 3 {
        append(fs, &journal, ledger, number).await;
    }
    Some(journal)
}

/// Opens what is left, appends more, and reads all of it.
async fn recover(fs: &FaultyFs, ledger: &mut Ledger, number: u64) -> Result<bool, String> {
    let Some(journal) = append_more(fs, ledger, number).await else {
        return Ok(false);
    };
    let mut reader = journal.reader(ledger.position);
    journal.close().await;
    while !fs.is_dead() {
        match reader.next(100, 1 << 20).await {
            Ok(entries) if entries.is_empty() => return Ok(!fs.is_dead()),
            Ok(entries) => ledger.take(entries)?,
            Err(error) if fs.is_dead() => drop(error),
            Err(error) => return Err(error.to_string()),
        }
    }
    Ok(false)
}

async fn healthy(fs: &FaultyFs, mut ledger: Ledger, left: Left) -> Result<(), String> {
    let again = fs.restart(left, Fault::Never);
    if append_more(&again, &mut ledger, 1000).await.is_none() {
        return Err("does not open".into());
    }
    // What was acknowledged after the recovery, and has not been read, survives a power cut too.
    let again = again.restart(Left::Nothing, Fault::Never);
    if !recover(&again, &mut ledger, 2000).await? {
        return Err("does not open again".into());
    }
    ledger.check()
}

fn lefts(k: u64) -> [Left; 4] {
    [
        Left::All,
        Left::Nothing,
        Left::Part(k),
        Left::Part(k + 1_000_000),
    ]
}

/// Runs the workload with a fault at every k-th operation; answers K.
async fn every(fault: impl Fn(u64) -> Fault, lie: Lie) -> Result<u64, String> {
    for k in 1.. {
        let fs = FaultyFs::new(fault(k), lie);
        let mut ledger = Ledger::default();
        let at = |left: Left, what: String| format!("{:?}, {left:?}: {what}", fault(k));
        work(&fs, &mut ledger, APPENDS)
            .await
            .map_err(|what| at(Left::All, what))?;
        for left in lefts(k) {
            let result = healthy(&fs, ledger.clone(), left).await;
            result.map_err(|what| at(left, what))?;
        }
        if fs.operations() < k {
            return Ok(k - 1);
        }
    }
    unreachable!("the workload ends")
}

#[tokio::test]
async fn a_crash_at_every_operation_loses_nothing_acknowledged() {
    let before = every(Fault::CrashBefore, Lie::None).await.unwrap();
    let after = every(Fault::CrashAfter, Lie::None).await.unwrap();
    println!("K = {before} (crash before), {after} (crash after)");
    assert!(before > 100 && after > 100);
}

/// Opens what a crash has left with a fault at every j-th operation; answers J.
async fn every_recovery(
    fs: &FaultyFs,
    ledger: &Ledger,
    left: Left,
    fault: impl Fn(u64) -> Fault,
) -> Result<u64, String> {
    for j in 1.. {
        let again = fs.restart(left, fault(j));
        let mut ledger = ledger.clone();
        // With a fault it may or may not open; what it then says must hold.
        let _ = recover(&again, &mut ledger, 3000).await;
        let last = healthy(&again, ledger, Left::Part(j)).await;
        last.map_err(|what| format!("then {:?}: {what}", fault(j)))?;
        if again.operations() < j {
            return Ok(j - 1);
        }
    }
    unreachable!("a recovery ends")
}

#[tokio::test]
async fn a_crash_at_every_operation_of_the_recovery_of_every_crash_loses_nothing() {
    let mut recoveries = 0;
    for k in 1.. {
        let fs = FaultyFs::new(Fault::CrashAfter(k), Lie::None);
        let mut ledger = Ledger::default();
        work(&fs, &mut ledger, APPENDS_FEW).await.unwrap();
        for left in [Left::All, Left::Part(k)] {
            for fault in [Fault::CrashAfter, Fault::ErrorOnce] {
                let result = every_recovery(&fs, &ledger, left, fault).await;
                let at = |what| format!("a crash after {k}, {left:?}, {what}");
                recoveries += result.map_err(at).unwrap();
            }
        }
        if fs.operations() < k {
            println!("K = {}, {recoveries} recoveries with a fault", k - 1);
            assert!(k > 50 && recoveries > 2000);
            return;
        }
    }
}

#[tokio::test]
async fn an_error_at_every_operation_loses_nothing_acknowledged() {
    let once = every(Fault::ErrorOnce, Lie::None).await.unwrap();
    let ever = every(Fault::ErrorFrom, Lie::None).await.unwrap();
    let full = every(Fault::FullOnce, Lie::None).await.unwrap();
    println!("K = {once} (error once), {ever} (for ever), {full} (full once)");
    assert!(once > 100 && ever > 100 && full > 100);
}

/// The negative controls: were a sync left out, the loop would find it.
#[tokio::test]
async fn a_sync_that_lies_is_found_out() {
    for lie in [Lie::Data, Lie::Folder] {
        let found = every(Fault::CrashAfter, lie).await.unwrap_err();
        println!("{lie:?}: {found}");
        assert!(found.contains("is lost"), "{found}");
    }
}
