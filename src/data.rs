//! The store that the settings name, opened for the server and for commands.

use std::sync::Arc;

use anyhow::{Context as _, Result, bail, ensure};
use copal_server::auth::secret::Secret;
use copal_store::sqlite::FILE_NAME;
use copal_store::upkeep::Stake;
use copal_store::{Error, Options, Store};

use crate::config::{Config, Risk};
use crate::failure::WRONG_PATH;

/// Opens the store; makes it and the data folder where they are not there yet.
pub(crate) async fn open(config: &Config, options: Options) -> Result<Arc<dyn Store>> {
    let path = config.data.display();
    ensure!(
        config.data.is_dir() || !config.data.exists(),
        "cannot open the data folder {path}: it is a file; choose another with --data"
    );
    let options = Options {
        plans: config.plans,
        ..options
    };
    let url = config.database_url.as_ref().map(Secret::expose);
    match copal_store::open(&config.data, url, options).await {
        Err(Error::Disk(error)) if WRONG_PATH.contains(&error.kind()) => {
            bail!("cannot open the data folder {path}: {error}; choose another with --data")
        }
        Err(error @ Error::Disk(_)) => {
            Err(error).with_context(|| format!("cannot open the data folder {path}"))
        }
        opened => opened.with_context(|| format!("cannot open {}", place(config))),
    }
}

/// Refuses a store that could lose what is acknowledged, or says at each start that it could where
/// the operator has accepted that.
pub(crate) async fn require_durability(store: &dyn Store, risk: Risk) -> Result<()> {
    let guarantees = store.guarantees().await;
    let guarantees = guarantees.context("cannot ask what durability rests on")?;
    let broken = guarantees
        .into_iter()
        .filter(|guarantee| guarantee.stake == Stake::Acknowledged)
        .filter_map(|guarantee| guarantee.broken);
    for why in broken {
        match risk {
            Risk::Refused => bail!("what is acknowledged could be lost: {why}"),
            Risk::Accepted => tracing::warn!(why, "what is acknowledged could be lost"),
        }
    }
    Ok(())
}

/// Where the store's rows are, for people.
pub(crate) fn place(config: &Config) -> String {
    let database = config
        .database_url
        .as_ref()
        .and_then(|url| copal_store::describe_database(url.expose()).ok());
    database.unwrap_or_else(|| format!("the data folder {}", config.data.display()))
}

/// Refuses a folder without data, which a wrong path is.
pub(crate) fn ensure_some(config: &Config) -> Result<()> {
    ensure!(
        config.database_url.is_some() || config.data.join(FILE_NAME).exists(),
        "there is no data in {}: name the data folder with --data",
        config.data.display()
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Flags;

    fn config(data: &Path) -> Config {
        let flags = Flags {
            data: Some(data.to_owned()),
            ..Flags::default()
        };
        Config::load(&flags, None, |_| None).unwrap()
    }

    #[tokio::test]
    async fn a_path_that_cannot_be_a_data_folder_is_told_from_a_disk_that_fails() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        let refusal = async |path: &Path| match open(&config(path), Options::default()).await {
            Ok(_) => panic!("{} was opened", path.display()),
            Err(error) => error,
        };
        assert!(refusal(&file).await.to_string().contains("it is a file"));
        let below_a_file = refusal(&file.join("data")).await;
        assert!(below_a_file.to_string().contains("choose another"));
        assert!(below_a_file.downcast_ref::<Error>().is_none());
        let config = config(folder.path());
        assert!(ensure_some(&config).is_err());
        open(&config, Options::default()).await.unwrap();
        assert!(ensure_some(&config).is_ok());
    }
}
