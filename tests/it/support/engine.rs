//! Which engine a test's store is on, and a list of tests as one module for each.

use std::sync::LazyLock;

/// Addresses of PostgreSQL clusters, separated by spaces: `script/postgres with` sets it.
const CLUSTERS: &str = "COPAL_TEST_POSTGRES";

/// The clusters there are.
static ADDRESSES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let set = std::env::var(CLUSTERS).unwrap_or_default();
    set.split_whitespace().map(str::to_owned).collect()
});

/// What keeps the rows of a test's store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    /// A file in the data folder.
    Sqlite,
    /// A database of its own in the cluster at this address.
    Postgres(&'static str),
}

impl Engine {
    /// PostgreSQL for the test of this name: the names are spread over the versions. `None`, said
    /// loudly, where there is no cluster.
    pub(crate) fn postgres(test: &str) -> Option<Self> {
        if !has_postgres() {
            return None;
        }
        let sum: usize = test.bytes().map(usize::from).sum();
        Some(Self::Postgres(&ADDRESSES[sum % ADDRESSES.len()]))
    }
}

/// Whether there is PostgreSQL to test on; said loudly where there is not.
pub(crate) fn has_postgres() -> bool {
    if !ADDRESSES.is_empty() {
        return true;
    }
    assert!(
        std::env::var_os("CI").is_none(),
        "{CLUSTERS} is not set: run the tests by script/test, or by script/postgres with …"
    );
    eprintln!("SKIPPED: {CLUSTERS} is not set");
    false
}

/// Makes tests of functions that take an [`Engine`]: one on each, in modules named like them.
macro_rules! on_each_engine {
    ($(async $name:ident),+ $(,)?) => { on_each_engine!($(async $name),+;); };
    ($($blocking:ident),+ $(,)?) => { on_each_engine!(; $($blocking),+); };
    ($(async $name:ident),* ; $($blocking:ident),* $(,)?) => {
        mod sqlite {
            use crate::support::Engine;
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $name() {
                    super::$name(Engine::Sqlite).await;
                }
            )*
            $(
                #[test]
                fn $blocking() {
                    super::$blocking(Engine::Sqlite);
                }
            )*
        }
        mod postgres {
            use crate::support::Engine;
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $name() {
                    if let Some(engine) = Engine::postgres(stringify!($name)) {
                        super::$name(engine).await;
                    }
                }
            )*
            $(
                #[test]
                fn $blocking() {
                    if let Some(engine) = Engine::postgres(stringify!($blocking)) {
                        super::$blocking(engine);
                    }
                }
            )*
        }
    };
}
pub(crate) use on_each_engine;
