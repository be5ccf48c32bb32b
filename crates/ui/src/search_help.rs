//! What the search box takes, by example: shown below it, and tried by a test.

/// One way to search, with what it finds.
#[derive(Debug, Clone, Copy)]
pub struct Example {
    /// A query.
    pub query: &'static str,
    /// What it finds.
    pub finds: &'static str,
}

const fn example(query: &'static str, finds: &'static str) -> Example {
    Example { query, finds }
}

/// Keys that are completed, by a space each. Any tag is a key too.
pub const KEYS: &str = "is level project environment release error.type title culprit message url user \
    stack.function stack.filename stack.module events users firstSeen lastSeen";
/// Values of `is`.
pub const IS: &str = "open resolved ignored regressed";
/// Values of `level`.
pub const LEVELS: &str = "fatal error warning info debug";

/// What the search box takes.
pub const EXAMPLES: &[Example] = &[
    example("timeout", "the word, in title or message"),
    example("\"connection reset\"", "the words as they stand"),
    example(
        "is:open",
        "also resolved, ignored, regressed; counts more than the tabs",
    ),
    example("level:error", "also fatal, warning, info, debug"),
    example("project:shop", "issues of a project, by its slug"),
    example("environment:production", "seen in an environment"),
    example(
        "release:shop@2.4.*",
        "seen in a release; * stands for anything",
    ),
    example("error.type:KeyError", "the type of the error"),
    example("title:*refused*", "the title"),
    example("culprit:checkout*", "the place blamed"),
    example("message:*refused*", "the message"),
    example("url:*/cart/*", "the address of the request"),
    example("user:id:42", "a user who was affected"),
    example(
        "stack.function:split",
        "a frame's function; also stack.filename, stack.module",
    ),
    example("browser:Firefox*", "any tag, by its key"),
    example("events:>100", "how often it happened; also <, >=, <="),
    example("users:>=10", "how many users it affected"),
    example("firstSeen:-24h", "new within a day; also m, d, w"),
    example("lastSeen:<2026-11-01", "not seen since a day"),
    example("!level:info", "everything but that"),
    example("level:error is:regressed", "both: all terms must hold"),
];

#[cfg(test)]
mod tests {
    use copal_model::{Timestamp, search};

    use super::*;

    #[test]
    fn what_is_completed_is_understood() {
        let values = |key: &'static str, values: &'static str| {
            values.split(' ').map(move |value| format!("{key}:{value}"))
        };
        let all = values("is", IS).chain(values("level", LEVELS));
        for query in all.chain(KEYS.split(' ').map(|key| format!("!{key}:open"))) {
            let parsed = search::parse(&query, Timestamp::UNIX_EPOCH);
            let known_key = ["level", "events", "users", "firstSeen", "lastSeen"];
            let needs_other_value = known_key
                .iter()
                .any(|key| query.starts_with(&format!("!{key}")));
            assert!(parsed.is_ok() || needs_other_value, "{query}");
        }
    }

    #[test]
    fn every_example_is_a_query() {
        for example in EXAMPLES {
            let parsed = search::parse(example.query, Timestamp::UNIX_EPOCH);
            let terms = parsed.map(|query| query.terms.len());
            assert!(terms.is_ok_and(|terms| terms > 0), "{}", example.query);
        }
    }
}
