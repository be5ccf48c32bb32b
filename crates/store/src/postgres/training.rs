//! Trains compression dictionaries from stored events, in the background.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::append::on_disk;
use super::event_rows::{self, PayloadReader};
use super::{Columns, Engine, PostgresStore, Tx, count, execute, find, list, partitions};
use crate::payload::dictionary::{self, Newest, Occasion, Samples};
use crate::payload::{Codec, Segments};
use crate::record::Recorded;
use crate::{Error, Result};

/// Loads all dictionaries. Answers how many events are stored.
pub(super) async fn load(tx: &Tx<'_>, codec: &Codec) -> Result<u64> {
    load_dictionaries(tx, codec).await?;
    count(
        tx,
        "select coalesce(sum(stored), 0)::bigint
         from issue_partitions",
        &[],
    )
    .await
}

/// Loads all dictionaries, also those that another process has trained.
pub(super) async fn load_dictionaries(tx: &Tx<'_>, codec: &Codec) -> Result<()> {
    let rows = list(
        tx,
        "select id, bytes
         from dictionaries
         order by id",
        &[],
    )
    .await?;
    for row in &rows {
        let columns = Columns::new("dictionaries", row);
        codec.add_dictionary(dictionary_id(&columns)?, columns.get("bytes")?);
    }
    Ok(())
}

/// Makes sure that a dictionary, which frames are about to be recorded with, is still there, and
/// stays until the end of the transaction.
///
/// # Errors
/// [`Unavailable`](Error::Unavailable) when another process has retired it: encode again.
pub(super) async fn refresh(tx: &Tx<'_>, codec: &Codec, dictionary: u32) -> Result<()> {
    let id = i64::from(dictionary);
    let kept = "select 1 from dictionaries where id = $1 for key share";
    if dictionary == 0 || find(tx, kept, &[&id]).await?.is_some() {
        return Ok(());
    }
    load_dictionaries(tx, codec).await?;
    Err(Error::Unavailable("a dictionary was retired".to_owned()))
}

/// Forgets dictionaries that no frame needs any more, nor will: only the newest one is used.
/// Those that a batch is about to be recorded with are left for the next time.
pub(super) async fn retire(tx: &Tx<'_>) -> Result<()> {
    let unused = list(
        tx,
        "select id
         from dictionaries
         where id < (select max(id) from dictionaries)
         order by id
         for update skip locked",
        &[],
    )
    .await?;
    let unused = unused
        .iter()
        .map(|row| Columns::new("dictionaries", row).get("id"))
        .collect::<Result<Vec<i64>>>()?;
    // In a statement of its own: it sees what those committed who had them before.
    execute(
        tx,
        "delete from dictionaries
         where id = any($1)
           and id not in (select dictionary_id from partition_dictionaries)",
        &[&unused],
    )
    .await?;
    Ok(())
}

impl PostgresStore {
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
        .read(move |tx| {
            let (segments, codec) = (segments.clone(), Arc::clone(&reading));
            Box::pin(async move {
                // What has been read before tells that another process was quicker.
                load_dictionaries(tx, &codec).await?;
                let newest = newest(tx).await?;
                if !occasion.holds(newest) {
                    return Ok(None);
                }
                let reader = PayloadReader::new(tx, segments.clone(), codec);
                Ok(Some((newest, samples(tx, &segments, reader).await?)))
            })
        })
        .await?;
    let Some((newest, samples)) = begun else {
        return Ok(());
    };
    // Outside the read: a snapshot held for seconds would keep dead rows alive.
    let Some(bytes) = on_disk(move || Ok(samples.train())).await? else {
        return Ok(());
    };
    let bytes = Arc::new(bytes);
    let trained = Arc::clone(&bytes);
    let id = engine
        .record(move |tx| {
            let bytes = Arc::clone(&trained);
            Box::pin(async move { insert(tx, newest, stored_events, &bytes).await })
        })
        .await?;
    let Some(id) = id else {
        let loading = Arc::clone(codec);
        return engine
            .read(move |tx| {
                let codec = Arc::clone(&loading);
                Box::pin(async move { load_dictionaries(tx, &codec).await })
            })
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

async fn newest(tx: &Tx<'_>) -> Result<Newest> {
    let row = find(
        tx,
        "select id, trained_at_events
         from dictionaries
         order by id desc
         limit 1",
        &[],
    )
    .await?;
    let newest = row.map(|row| {
        let columns = Columns::new("dictionaries", &row);
        Ok::<_, Error>(Newest {
            id: dictionary_id(&columns)?,
            trained_at_events: columns.count("trained_at_events")?,
        })
    });
    Ok(newest.transpose()?.unwrap_or_default())
}

/// Keeps a dictionary, unless another process has trained one meanwhile. Ids are given in the order
/// of the commits: whoever knows the one with the highest id has seen all before it.
async fn insert(
    tx: &Tx<'_>,
    newest: Newest,
    stored_events: u64,
    bytes: &[u8],
) -> Result<Option<u32>> {
    tx.batch_execute("lock table dictionaries in share row exclusive mode")
        .await?;
    let row = find(
        tx,
        "insert into dictionaries (trained_at_events, bytes)
         select $1, $2
         where $3 = (select coalesce(max(id), 0) from dictionaries)
         returning id",
        &[&stored_events.cast_signed(), &bytes, &i64::from(newest.id)],
    )
    .await?;
    row.map(|row| dictionary_id(&Columns::new("dictionaries", &row)))
        .transpose()
}

/// Events of different issues, from the newest partition on: later events of an issue are compressed
/// against one of their own. Those of other nodes cannot be read.
async fn samples(
    tx: &Tx<'_>,
    segments: &Segments,
    mut reader: PayloadReader<'_>,
) -> Result<Samples> {
    let segments = segments.clone();
    let journals = on_disk(move || segments.journals().map_err(Error::Disk)).await?;
    let mut samples = Samples::default();
    for partition in partitions::between(tx, i64::MIN, i64::MAX).await? {
        let wanted = samples.wanted();
        for row in event_rows::latest_of_issues(tx, partition, wanted).await? {
            if !journals.contains(&row.place.segment.journal) {
                continue;
            }
            let content = reader.read(&row).await?;
            samples.add(&[&content.payload, &content.grouping]);
            if samples.wanted() == 0 {
                return Ok(samples);
            }
        }
    }
    Ok(samples)
}

fn dictionary_id(columns: &Columns<'_>) -> Result<u32> {
    columns.read("id", |id: i64| u32::try_from(id))
}
