//! How the program ends when it fails: one clear sentence on stderr, whatever the log filter, and an
//! exit code that tells a failing disk from everything else.

use std::io::ErrorKind;

use copal_journal::AppendError;

/// It failed.
const FAILED: u8 = 1;
/// Storage failed: a write or fsync error (interface of the program).
const STORAGE_FAILED: u8 = 3;
/// What a path is not good for; anything else is a disk that fails.
pub(crate) const WRONG_PATH: [ErrorKind; 5] = [
    ErrorKind::NotFound,
    ErrorKind::AlreadyExists,
    ErrorKind::NotADirectory,
    ErrorKind::PermissionDenied,
    ErrorKind::ReadOnlyFilesystem,
];

/// Says in one sentence why the program ends; answers its exit code.
#[expect(clippy::print_stderr, reason = "the complaint goes to stderr")]
pub(crate) fn tell(error: &anyhow::Error) -> u8 {
    eprintln!("copal: {}", sentence(error));
    if is_storage(error) {
        STORAGE_FAILED
    } else {
        FAILED
    }
}

/// Whether it is the disk that failed.
pub(crate) fn is_storage(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let of_store = matches!(cause.downcast_ref(), Some(copal_store::Error::Disk(_)));
        let of_append = matches!(cause.downcast_ref(), Some(AppendError::Failed));
        let of_journal = match cause.downcast_ref() {
            Some(copal_journal::Error::Io { source, .. }) => !WRONG_PATH.contains(&source.kind()),
            _ => false,
        };
        of_store || of_append || of_journal
    })
}

fn sentence(error: &anyhow::Error) -> String {
    let mut sentence = String::new();
    for cause in error.chain() {
        let text = cause.to_string().replace('\n', " ");
        // Some errors repeat their cause in their own text.
        if sentence.ends_with(&text) {
            continue;
        }
        if !sentence.is_empty() {
            sentence.push_str(": ");
        }
        sentence.push_str(&text);
    }
    sentence
}

#[cfg(test)]
mod tests {
    use std::io;

    use anyhow::Context as _;
    use copal_pipeline::driver;

    use super::*;

    #[test]
    fn a_cause_is_told_once_and_on_one_line() {
        let disk = copal_store::Error::Disk(io::Error::other("no\nspace"));
        let error = Err::<(), _>(disk).context("cannot open").unwrap_err();
        assert_eq!(
            sentence(&error),
            "cannot open: the store's disk failed: no space"
        );
    }

    #[test]
    fn only_a_disk_that_fails_ends_with_its_own_code() {
        let code = |error: anyhow::Error| tell(&error.context("while serving"));
        let journal = |kind| copal_journal::Error::Io {
            action: "reading",
            path: "segment".into(),
            source: io::Error::from(kind),
        };
        let full = || copal_store::Error::Disk(io::Error::from(ErrorKind::StorageFull));
        let away = || copal_store::Error::Unavailable("busy".to_owned());
        for storage in [
            full().into(),
            driver::Error::from(full()).into(),
            driver::Error::from(journal(ErrorKind::Other)).into(),
            AppendError::Failed.into(),
        ] {
            assert_eq!(code(storage), STORAGE_FAILED);
        }
        for other in [
            anyhow::anyhow!("x"),
            away().into(),
            driver::Error::from(away()).into(),
            driver::Error::from(copal_store::Error::Broken("x".into())).into(),
            journal(ErrorKind::PermissionDenied).into(),
            AppendError::Closed.into(),
        ] {
            assert_eq!(code(other), FAILED);
        }
    }
}
