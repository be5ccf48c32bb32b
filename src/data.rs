//! The data folder, opened for the server and for commands.

use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use copal_store::Error;
use copal_store::sqlite::{FILE_NAME, Options, SqliteStore};

use crate::failure::WRONG_PATH;

/// Opens the store in the data folder; makes both where they are not there yet.
pub(crate) fn open(folder: &Path, options: Options) -> Result<SqliteStore> {
    let path = folder.display();
    ensure!(
        folder.is_dir() || !folder.exists(),
        "cannot open the data folder {path}: it is a file; choose another with --data"
    );
    match SqliteStore::open(folder, options) {
        Err(Error::Disk(error)) if WRONG_PATH.contains(&error.kind()) => {
            bail!("cannot open the data folder {path}: {error}; choose another with --data")
        }
        opened => opened.with_context(|| format!("cannot open the data folder {path}")),
    }
}

/// Refuses a folder without data, which a wrong path is.
pub(crate) fn ensure_some(folder: &Path) -> Result<()> {
    ensure!(
        folder.join(FILE_NAME).exists(),
        "there is no data in {}: name the data folder with --data",
        folder.display()
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_cannot_be_a_data_folder_is_told_from_a_disk_that_fails() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        let refusal = |path: &Path| match open(path, Options::default()) {
            Ok(_) => panic!("{} was opened", path.display()),
            Err(error) => error,
        };
        assert!(refusal(&file).to_string().contains("it is a file"));
        let below_a_file = refusal(&file.join("data"));
        assert!(below_a_file.to_string().contains("choose another"));
        assert!(below_a_file.downcast_ref::<Error>().is_none());
        assert!(ensure_some(folder.path()).is_err());
        open(folder.path(), Options::default()).unwrap();
        assert!(ensure_some(folder.path()).is_ok());
    }
}
