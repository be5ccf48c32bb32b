//! Compression dictionaries that are trained from stored events.

use super::{Columns, Tx, find, list};
use crate::payload::Codec;
use crate::{Error, Result};

/// Loads all dictionaries, also those that another process has trained.
pub(super) async fn load_dictionaries(tx: &Tx<'_>, codec: &Codec) -> Result<()> {
    let rows = list(tx, "select id, bytes from dictionaries order by id", &[]).await?;
    for row in &rows {
        let columns = Columns::new("dictionaries", row);
        let id = columns.read("id", |id: i64| u32::try_from(id))?;
        codec.add_dictionary(id, columns.get::<&[u8]>("bytes")?);
    }
    Ok(())
}

/// Makes sure that a dictionary, which frames are about to be recorded with, is still there.
///
/// # Errors
/// [`Unavailable`](Error::Unavailable) when another process has retired it: encode again.
pub(super) async fn refresh(tx: &Tx<'_>, codec: &Codec, dictionary: u32) -> Result<()> {
    let id = i64::from(dictionary);
    if dictionary == 0
        || find(tx, "select 1 from dictionaries where id = $1", &[&id])
            .await?
            .is_some()
    {
        return Ok(());
    }
    load_dictionaries(tx, codec).await?;
    Err(Error::Unavailable("a dictionary was retired".to_owned()))
}
