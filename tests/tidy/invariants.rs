//! Invariants of `ARCHITECTURE.md` that can be read off the text.

use std::fs;

use crate::tree::{self, Source};

/// Lines of code in a file, before its unit tests.
const FILE_LINES_MAX: usize = 400;

fn assert_none(rule: &str, files: &[Source], broken: impl Fn(&Source, &str) -> bool) {
    let mut places = Vec::new();
    for file in files {
        for (number, line) in file.code_lines().filter(|(_, line)| broken(file, line)) {
            places.push(format!("{}:{number}: {}", file.path, line.trim()));
        }
    }
    assert!(places.is_empty(), "{rule}\n{}", places.join("\n"));
}

fn sources() -> Vec<Source> {
    let mut files = tree::rust_files("src");
    for name in tree::crates() {
        files.extend(tree::rust_files(&format!("crates/{name}/src")));
    }
    files
}

#[test]
fn pure_crates_do_no_io_and_never_ask_the_time() {
    let impure = [
        "std::fs",
        "std::net::Tcp",
        "std::process",
        "std::env",
        "::now()",
        "std::thread",
    ];
    for name in ["protocol", "model", "grouping", "ui"] {
        let files = tree::rust_files(&format!("crates/{name}/src"));
        assert_none(&format!("crates/{name} is pure"), &files, |_, line| {
            impure.iter().any(|word| line.contains(word))
        });
    }
}

#[test]
fn sql_stands_only_in_the_engines() {
    let engines = [
        "crates/store/src/sqlite/",
        "crates/store/src/postgres/",
        // The one query builder: conditions that both engines ask.
        "crates/store/src/issues/filter.rs",
    ];
    let statements = [
        "select ",
        "insert into ",
        "update ",
        "delete from ",
        "create table ",
    ];
    let clauses = [" from ", " set ", " values", " (", "select 1"];
    assert_none(
        "SQL belongs in crates/store/src/{sqlite,postgres}",
        &sources(),
        |file, line| {
            let Some((_, text)) = line.split_once('"') else {
                return false;
            };
            !engines.iter().any(|engine| file.path.starts_with(engine))
                && statements
                    .iter()
                    .any(|statement| text.trim_start().starts_with(statement))
                && clauses.iter().any(|clause| text.contains(clause))
        },
    );
}

#[test]
fn scopes_are_made_only_by_access_lookups() {
    let makers = [
        "crates/store/src/scope.rs",
        "crates/store/src/sqlite/access.rs",
        "crates/store/src/postgres/access.rs",
    ];
    assert_none(
        "a scope is proof that an access lookup let the caller in",
        &sources(),
        |file, line| line.contains("OrgScope::granted") && !makers.contains(&file.path.as_str()),
    );
}

#[test]
fn migrations_are_numbered_and_titled_alike_in_both_engines() {
    let titles = |engine: &str| {
        let folder = tree::root().join("crates/store/migrations").join(engine);
        let files = std::fs::read_dir(folder).unwrap();
        let mut names: Vec<_> = files.map(|file| file.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let sqlite = titles("sqlite");
    assert_eq!(sqlite, titles("postgres"));
    // Both engines read this list: a file that is not in it would never be applied.
    let list = std::fs::read_to_string(tree::root().join("crates/store/src/migrations.rs"));
    let list = list.unwrap();
    for (at, name) in sqlite.iter().enumerate() {
        let title = name.to_str().unwrap().strip_suffix(".sql").unwrap();
        let number = at + 1;
        assert!(title.starts_with(&format!("{number:04}_")), "{title}");
        assert!(list.contains(&format!("{number} \"{title}\",")), "{title}");
    }
}

#[test]
fn the_methods_of_the_store_are_as_many_as_the_architecture_says() {
    let (mut traits, mut methods) = (0, 0);
    for file in std::fs::read_dir(tree::root().join("crates/store/src")).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap_or_default();
        let own = text
            .lines()
            .filter(|line| line.starts_with("    async fn "));
        let own = own.count();
        methods += own;
        traits += usize::from(own > 0);
    }
    let page = std::fs::read_to_string(tree::root().join("ARCHITECTURE.md")).unwrap();
    let sentence = format!("{methods} methods in {traits} traits");
    assert!(page.contains(&sentence), "ARCHITECTURE.md: {sentence}");
}

#[test]
fn routes_are_registered_only_through_the_table() {
    let table = "crates/server/src/routes.rs";
    assert_none(
        "register routes in the route table",
        &sources(),
        |file, line| {
            [".route(", ".route_service(", ".nest("]
                .iter()
                .any(|call| line.contains(call))
                && file.path != table
        },
    );
}

#[test]
fn files_stay_short() {
    let mut files = sources();
    files.extend(tree::rust_files("tests"));
    let long: Vec<_> = files
        .iter()
        .map(|file| (file.code().lines().count(), file.path.as_str()))
        .filter(|(lines, _)| *lines > FILE_LINES_MAX)
        .collect();
    assert!(
        long.is_empty(),
        "split these, at most {FILE_LINES_MAX} lines before tests: {long:?}"
    );
}

#[test]
fn modules_say_what_they_are_for() {
    let silent: Vec<_> = sources()
        .into_iter()
        .filter(|file| !file.text.starts_with("//!"))
        .map(|file| file.path)
        .collect();
    assert!(silent.is_empty(), "no module doc (//!) in {silent:?}");
}

#[test]
fn paths_named_in_the_architecture_exist() {
    let text = fs::read_to_string(tree::root().join("ARCHITECTURE.md")).unwrap();
    let folders = ["src/", "crates/", "tests/", "bench/", "docs/", "script/"];
    let missing: Vec<_> = text
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|name| folders.iter().any(|folder| name.starts_with(folder)))
        .filter(|name| !name.contains(['*', '{', '<']) && !tree::root().join(name).exists())
        .collect();
    assert!(
        missing.is_empty(),
        "ARCHITECTURE.md names what is not there: {missing:?}"
    );
}

#[test]
fn engines_have_the_same_migrations() {
    let folder = tree::root().join("crates/store/migrations");
    let mut engines = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.path().is_dir() {
            let files = fs::read_dir(entry.path()).unwrap();
            let mut names: Vec<_> = files.map(|file| file.unwrap().file_name()).collect();
            names.sort();
            engines.push((entry.file_name(), names));
        }
    }
    for pair in engines.windows(2) {
        assert_eq!(
            pair[0].1, pair[1].1,
            "{:?} and {:?} differ",
            pair[0].0, pair[1].0
        );
    }
}
