//! Trains compression dictionaries from stored events, in the background.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use rusqlite::{Connection, OptionalExtension};

use super::event_rows::{self, PayloadReader};
use super::{Columns, Engine, SqliteStore, partitions};
use crate::payload::dictionary::{self, Newest, Occasion, Samples};
use crate::payload::{Codec, FrameReader, Segments};
use crate::record::Recorded;
use crate::{Error, Result};

/// Loads all dictionaries. Answers how many events are stored.
pub(super) fn load(path: &Path, codec: &Codec) -> Result<u64> {
    let connection = Connection::open(path)?;
    load_dictionaries(&connection, codec)?;
    let stored: i64 = connection.query_one(
        "select coalesce(sum(stored), 0)
         from issue_partitions",
        (),
        |row| row.get(0),
    )?;
    Ok(stored.unsigned_abs())
}

/// Loads all dictionaries, also those that another process has trained.
pub(super) fn load_dictionaries(connection: &Connection, codec: &Codec) -> Result<()> {
    let mut statement = connection.prepare_cached(
        "select id, bytes
         from dictionaries
         order by id",
    )?;
    let mut rows = statement.query(())?;
    while let Some(row) = rows.next()? {
        let columns = Columns::new("dictionaries", row);
        codec.add_dictionary(columns.get("id")?, &columns.get::<Vec<u8>>("bytes")?);
    }
    Ok(())
}

/// Makes sure that a dictionary, which frames are about to be recorded with, is still there.
///
/// # Errors
/// [`Unavailable`](Error::Unavailable) when another process has retired it: encode again.
pub(super) fn refresh(connection: &Connection, codec: &Codec, dictionary: u32) -> Result<()> {
    let is_there = dictionary == 0
        || connection
            .prepare_cached("select 1 from dictionaries where id = ?1")?
            .exists((dictionary,))?;
    if is_there {
        return Ok(());
    }
    load_dictionaries(connection, codec)?;
    Err(Error::Unavailable("a dictionary was retired".to_owned()))
}

/// Forgets dictionaries that no frame needs any more, nor will: only the newest one is used.
pub(super) fn retire(connection: &Connection) -> Result<()> {
    connection.execute(
        "delete from dictionaries
         where id < (select max(id) from dictionaries)
           and id not in (select dictionary_id from partition_dictionaries)",
        (),
    )?;
    Ok(())
}

impl SqliteStore {
    /// Trains a dictionary from what is stored now.
    pub(super) async fn train_now(&self, occasion: Occasion) -> Result<()> {
        let stored = self.stored_events.load(Ordering::Relaxed);
        let segments = self.segments.clone();
        train(&self.engine, &self.codec, segments, (occasion, stored)).await
    }

    /// Counts what was stored and, when it is time, trains a dictionary beside the recording.
    pub(super) fn note_recorded(&self, recorded: &Recorded) {
        let stored = recorded.stored();
        let before = self.stored_events.fetch_add(stored, Ordering::Relaxed);
        let stored = before + stored;
        if dictionary::is_due(before, stored) {
            let (engine, codec) = (Arc::clone(&self.engine), Arc::clone(&self.codec));
            let segments = self.segments.clone();
            tokio::spawn(async move {
                let occasion = (Occasion::Stored(stored), stored);
                if let Err(error) = train(&engine, &codec, segments, occasion).await {
                    tracing::warn!(%error, "no dictionary could be trained; compression stays as it is");
                }
            });
        }
    }
}

async fn train(
    engine: &Engine,
    codec: &Arc<Codec>,
    segments: Segments,
    (occasion, stored_events): (Occasion, u64),
) -> Result<()> {
    let reading = Arc::clone(codec);
    let begun = engine
        .read(move |connection| {
            // What has been read before tells that another process was quicker.
            load_dictionaries(connection, &reading)?;
            let newest = newest(connection)?;
            if !occasion.holds(newest) {
                return Ok(None);
            }
            let frames = FrameReader::new(segments, reading);
            let samples = samples(connection, &mut PayloadReader::new(connection, frames))?;
            Ok(Some((newest, samples)))
        })
        .await?;
    let Some((newest, samples)) = begun else {
        return Ok(());
    };
    // Outside the read: a snapshot held for seconds would keep the WAL from being reset.
    let trained = tokio::task::spawn_blocking(move || samples.train())
        .await
        .map_err(|error| Error::Broken(Box::new(error)))?;
    let Some(bytes) = trained else {
        return Ok(());
    };
    let (id, bytes) = engine
        .on_writer(move |connection| {
            Ok((insert(connection, newest, stored_events, &bytes)?, bytes))
        })
        .await?;
    let Some(id) = id else {
        let loading = Arc::clone(codec);
        return engine
            .read(move |connection| load_dictionaries(connection, &loading))
            .await;
    };
    codec.add_dictionary(id, &bytes);
    tracing::info!(
        dictionary = id,
        stored_events,
        "trained a payload dictionary"
    );
    Ok(())
}

fn newest(connection: &Connection) -> Result<Newest> {
    let newest = connection
        .prepare_cached(
            "select id, trained_at_events
             from dictionaries
             order by id desc
             limit 1",
        )?
        .query_row((), |row| {
            Ok(Newest {
                id: row.get(0)?,
                trained_at_events: row.get(1)?,
            })
        })
        .optional()?;
    Ok(newest.unwrap_or_default())
}

/// Keeps a dictionary, unless another process has trained one meanwhile.
fn insert(
    connection: &Connection,
    newest: Newest,
    stored_events: u64,
    bytes: &[u8],
) -> Result<Option<u32>> {
    let id = connection
        .prepare_cached(
            "insert into dictionaries (trained_at_events, bytes)
             select ?1, ?2
             where ?3 = (select coalesce(max(id), 0) from dictionaries)
             returning id",
        )?
        .query_row((stored_events, bytes, newest.id), |row| row.get(0))
        .optional()?;
    Ok(id)
}

/// Events of different issues, from the newest partition on: later events of an issue are compressed
/// against one of their own.
fn samples(connection: &Connection, reader: &mut PayloadReader<'_>) -> Result<Samples> {
    let mut samples = Samples::default();
    for partition in partitions::between(connection, i64::MIN, i64::MAX)? {
        let wanted = samples.wanted();
        for row in event_rows::latest_of_issues(connection, partition, wanted)? {
            let content = reader.read(&row)?;
            samples.add(&[&content.payload, &content.grouping]);
            if samples.wanted() == 0 {
                return Ok(samples);
            }
        }
    }
    Ok(samples)
}
