//! Appending, reading, forgetting, closing: nothing goes wrong here.

use std::{os::unix::fs::PermissionsExt, sync::Arc, time::Duration};

use copal_journal::{
    AppendError, Condition, Config, Entry, Error, Folder, Journal, RECORD_BYTES_MAX, Recovery,
    fs::RealFs,
};

use crate::support::{drain, open, open_on, read_to, record, small};

#[tokio::test]
async fn what_is_appended_is_read_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, recovery) = open(&folder.path().join("journal"), Config::default(), 0);
    assert_eq!(recovery, Recovery::default());
    assert_eq!(journal.id(), [7; 16]);

    let mut reader = journal.reader(0);
    assert_eq!(journal.append(b"one".to_vec()).await, Ok(1));
    assert_eq!(journal.append(Vec::new()).await, Ok(2));
    assert_eq!(
        reader.next(10, 1000).await.unwrap(),
        [record(1, b"one"), record(2, b"")]
    );

    let appender = journal.clone();
    let sequence = tokio::spawn(async move { appender.append(b"three".to_vec()).await });
    assert_eq!(reader.next(10, 1000).await.unwrap(), [record(3, b"three")]);
    assert_eq!(sequence.await.unwrap(), Ok(3));
}

#[tokio::test]
async fn a_reader_stops_at_its_limits() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, _) = open(folder.path(), small(), 0);
    for _ in 0..20 {
        journal.append(vec![1; 100]).await.unwrap();
    }
    let mut reader = journal.reader(0);
    assert_eq!(reader.next(3, usize::MAX).await.unwrap().len(), 3);
    assert_eq!(reader.next(usize::MAX, 101).await.unwrap().len(), 2);
    assert_eq!(reader.next(usize::MAX, 0).await.unwrap().len(), 1);
    assert_eq!(reader.next(usize::MAX, usize::MAX).await.unwrap().len(), 14);
    assert_eq!(
        journal.reader(18).next(9, 900).await.unwrap(),
        [record(19, &[1; 100]), record(20, &[1; 100])]
    );
}

#[tokio::test]
async fn many_appenders_share_a_sync() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, _) = open(folder.path(), Config::default(), 0);
    let appends = (0..200_u32).map(|number| {
        let journal = journal.clone();
        tokio::spawn(async move {
            let record = number.to_le_bytes().to_vec();
            (journal.append(record.clone()).await.unwrap(), record)
        })
    });
    let mut expected = Vec::new();
    for append in appends.collect::<Vec<_>>() {
        let (sequence, bytes) = append.await.unwrap();
        expected.push(record(sequence, &bytes));
    }
    expected.sort_by_key(copal_journal::Entry::sequence);
    assert_eq!(read_to(&mut journal.reader(0), 200).await, expected);
    let stats = journal.stats();
    assert_eq!((stats.appended_records, stats.last_sequence), (200, 200));
    assert!(stats.syncs < 150, "{} syncs for 200 records", stats.syncs);
}

#[tokio::test]
async fn a_leftover_is_read_after_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, _) = open(folder.path(), small(), 0);
    for number in 1..=30_u8 {
        journal.append(vec![number; 90]).await.unwrap();
    }
    journal.close().await;
    assert_eq!(journal.append(Vec::new()).await, Err(AppendError::Closed));

    let (journal, recovery) = open(folder.path(), small(), 12);
    assert_eq!(
        (recovery.last_sequence, recovery.leftover_records),
        (30, 18)
    );
    let expected: Vec<_> = (13..=30_u8)
        .map(|n| record(u64::from(n), &[n; 90]))
        .collect();
    assert_eq!(read_to(&mut journal.reader(12), 30).await, expected);
    assert_eq!(journal.append(Vec::new()).await, Ok(31));
    journal.close().await;
    assert_eq!(drain(&mut journal.reader(30)).await, [record(31, b"")]);
}

#[tokio::test]
async fn what_is_forgotten_is_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let segments = || {
        let names = std::fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap());
        names
            .filter(|entry| entry.path().extension().is_some_and(|ext| ext == "segment"))
            .count()
    };
    let (journal, _) = open(folder.path(), small(), 0);
    for _ in 0..30 {
        journal.append(vec![0; 90]).await.unwrap();
    }
    assert_eq!(segments(), 4);
    journal.forget(13);
    journal.append(vec![0; 90]).await.unwrap();
    assert_eq!(segments(), 3);
    assert_eq!(journal.stats().backlog_records, 18);
    journal.forget(31);
    journal.append(vec![0; 90]).await.unwrap();
    assert_eq!(segments(), 1);
    assert_eq!(
        read_to(&mut journal.reader(31), 32).await,
        [record(32, &[0; 90])]
    );
    journal.close().await;

    // The store has everything: nothing of it stays, and no sequence comes again.
    let (journal, recovery) = open(folder.path(), small(), 32);
    assert_eq!((recovery.last_sequence, recovery.leftover_records), (32, 0));
    assert_eq!((journal.stats().backlog_bytes, segments()), (40, 1));
    assert_eq!(journal.append(Vec::new()).await, Ok(33));
    journal.close().await;
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        std::fs::remove_file(entry.unwrap().path()).unwrap();
    }
    let (journal, _) = open(folder.path(), small(), 33);
    assert_eq!(journal.append(Vec::new()).await, Ok(34));
}

#[tokio::test]
async fn a_cleared_journal_holds_nothing_that_is_in_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let holds = |record: &[u8]| {
        let mut files = std::fs::read_dir(folder.path()).unwrap();
        files.any(|file| {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            bytes.windows(record.len()).any(|window| window == record)
        })
    };
    let (journal, _) = open(folder.path(), Config::default(), 0);
    journal.append(b"a secret".to_vec()).await.unwrap();
    journal.append(b"another".to_vec()).await.unwrap();
    // Not everything is in the store: all must stay.
    journal.forget(1);
    journal.clear();
    journal.append(b"a third".to_vec()).await.unwrap();
    assert!(holds(b"a secret") && holds(b"another"));
    journal.forget(3);
    journal.clear();
    assert_eq!(journal.append(b"a fourth".to_vec()).await, Ok(4));
    assert!(!holds(b"a secret") && !holds(b"another") && holds(b"a fourth"));
    assert_eq!(drain_from(&journal, 3).await, [record(4, b"a fourth")]);
}

/// What a journal that goes on holds after a sequence.
async fn drain_from(journal: &Journal, after: u64) -> Vec<Entry> {
    read_to(&mut journal.reader(after), journal.stats().last_sequence).await
}

#[tokio::test]
async fn a_full_backlog_refuses_until_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    // Segments of 1,000 bytes: a header and eight records of 100 bytes and their headers of 16.
    let config = Config {
        backlog_bytes_max: 4000,
        ..Config::default()
    };
    let (journal, _) = open(folder.path(), config, 0);
    let mut accepted = 0;
    assert_eq!(journal.condition(), Condition::Ready);
    while journal.append(vec![0; 100]).await.is_ok() {
        accepted += 1;
    }
    assert_eq!(journal.condition(), Condition::Full);
    assert_eq!(
        accepted, 32,
        "four segments of 968 bytes; of the 128 left, a header and a record need 156"
    );
    assert_eq!(journal.append(vec![0; 100]).await, Err(AppendError::Full));
    assert!(journal.stats().backlog_bytes <= 4000);
    journal.forget(8);
    assert_eq!(journal.append(vec![0; 100]).await, Ok(33));
    assert_eq!(journal.condition(), Condition::Ready);
    journal.close().await;
    assert_eq!(journal.condition(), Condition::Closed);
}

#[tokio::test]
async fn the_largest_record_fits_and_a_larger_one_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, _) = open(folder.path(), Config::default(), 0);
    assert_eq!(journal.append(vec![9; RECORD_BYTES_MAX]).await, Ok(1));
    assert_eq!(
        journal.append(vec![9; RECORD_BYTES_MAX + 1]).await,
        Err(AppendError::TooLarge)
    );
    assert_eq!(journal.append(vec![9]).await, Ok(2));
    let mut reader = journal.reader(0);
    let large = reader.next(1, 1).await.unwrap();
    assert!(large == [record(1, &vec![9; RECORD_BYTES_MAX])]);
    assert_eq!(reader.next(1, 1).await.unwrap(), [record(2, &[9])]);
}

#[tokio::test]
async fn two_servers_cannot_share_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, _) = open(folder.path(), Config::default(), 0);
    let error = Folder::claim(folder.path(), Arc::new(RealFs), &mut |_| {}).unwrap_err();
    assert!(matches!(error, Error::Locked { .. }));
    assert!(
        error
            .to_string()
            .ends_with("is in use by another running server"),
        "{error}"
    );
    journal.close().await;
    open(folder.path(), Config::default(), 0);
}

#[tokio::test]
async fn nobody_else_may_look_inside() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/journal");
    let (journal, _) = open(&path, Config::default(), 0);
    journal.append(b"secret".to_vec()).await.unwrap();
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o700);
    let files: Vec<_> = std::fs::read_dir(&path)
        .unwrap()
        .map(|entry| entry.unwrap())
        .collect();
    assert_eq!(files.len(), 2, "{files:?}");
    for file in files {
        assert_eq!(mode(&file.path()), 0o600, "{file:?}");
    }
}

#[tokio::test]
async fn the_id_stays() {
    let folder = tempfile::tempdir().unwrap();
    let claim = |byte| {
        Folder::claim(folder.path(), Arc::new(RealFs), &mut |id| id.fill(byte))
            .unwrap()
            .id()
    };
    assert_eq!(claim(1), [1; 16]);
    assert_eq!(claim(2), [1; 16]);

    // Segments tell the id when its file is gone; their records stay readable.
    let (journal, _) = open(folder.path(), Config::default(), 0);
    journal.append(b"kept".to_vec()).await.unwrap();
    journal.close().await;
    std::fs::remove_file(folder.path().join("id")).unwrap();
    let (journal, _) = open_on(Arc::new(RealFs), folder.path(), Config::default(), 0).unwrap();
    assert_eq!(journal.id(), [1; 16]);
    assert_eq!(
        read_to(&mut journal.reader(0), 1).await,
        [record(1, b"kept")]
    );
}

#[tokio::test]
async fn readers_end_when_the_journal_is_closed() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, _) = open(folder.path(), Config::default(), 0);
    let mut reader = journal.reader(0);
    let waiting = tokio::spawn(async move { reader.next(1, 1).await.unwrap() });
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert!(!waiting.is_finished());
    journal.close().await;
    assert_eq!(waiting.await.unwrap(), []);
}
