//! Grouping against events and groups recorded elsewhere; needs the folder in `COPAL_CORPUS`.
//!
//! The inputs are not ours to ship. Without the folder these tests say so and pass.

#![expect(clippy::unwrap_used, reason = "a case that cannot be read has failed")]

mod fingerprints;
mod partitions;

use std::path::{Path, PathBuf};

/// A folder of the corpus, where there is one.
fn folder(name: &str) -> Option<PathBuf> {
    let Some(corpus) = std::env::var_os("COPAL_CORPUS") else {
        eprintln!("SKIPPED: COPAL_CORPUS is not set");
        return None;
    };
    Some(Path::new(&corpus).join(name))
}

/// The JSON files of a folder with their names, sorted; dashes in names are underscores.
fn cases(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut cases: Vec<(String, Vec<u8>)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "json")
        })
        .map(|path| {
            let name = path
                .file_stem()
                .unwrap()
                .to_str()
                .unwrap()
                .replace('-', "_");
            (name, std::fs::read(path).unwrap())
        })
        .collect();
    cases.sort();
    cases
}
