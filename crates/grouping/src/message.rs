//! Messages without what changes from event to event: `user 42 not found` → `user <int> not found`.
//!
//! One regular expression finds all kinds of values in one linear pass; the leftmost match wins, and
//! of two at the same place the earlier kind. What the expression cannot say (is this word of
//! hexadecimal digits a number, a hash or English?) is decided by code.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Captures, Regex};

/// Lines of a message that count. What follows is mostly dumps of data.
const LINES_MAX: usize = 2;

/// Kinds of values, in the order in which they are tried, and how each is written.
///
/// The expressions are in verbose mode: blanks do not count.
const KINDS: [(&str, &str); 14] = [
    (
        "email",
        r"[a-zA-Z0-9_.+%'-]+ @ [a-zA-Z0-9-]+ (?: \. [a-zA-Z0-9-]+ )+",
    ),
    (
        "url",
        r"\b (?: https? | wss? | ftps? | file | blob | jdbc:[a-z]+ | postgres(?:ql)? | mysql | redis | amqp | mongodb ) :// [^\s<>]+",
    ),
    (
        "traceparent",
        r"\b 00 - [0-9a-f]{32} - [0-9a-f]{16} - 0[01] \b",
    ),
    (
        "uuid",
        r"\b [0-9a-fA-F]{8} - [0-9a-fA-F]{4} - [0-9a-fA-F]{4} - [0-9a-fA-F]{4} - [0-9a-fA-F]{12} \b",
    ),
    // Before times and dates, whose beginnings look like groups of an address.
    ("mac", r"\b (?: [0-9a-fA-F]{2} [:-] ){5} [0-9a-fA-F]{2} \b"),
    (
        "ip",
        r"
          \b (?: [0-9a-fA-F]{1,4} : ){7} [0-9a-fA-F]{1,4} \b
        | \b (?: [0-9a-fA-F]{1,4} : ){1,7} (?: : [0-9a-fA-F]{1,4} ){1,6} \b
        | :: (?: [0-9a-fA-F]{1,4} : ){0,6} [0-9a-fA-F]{1,4} \b
        | \b (?: (?: 25[0-5] | 2[0-4][0-9] | 1[0-9][0-9] | [1-9]?[0-9] ) \. ){3}
             (?: 25[0-5] | 2[0-4][0-9] | 1[0-9][0-9] | [1-9]?[0-9] ) \b",
    ),
    // Hosts by their last label; labels that are also common words in code are left out.
    (
        "hostname",
        r"
        \b (?: [a-zA-Z0-9-]{1,63} \. )+
        (?: com | net | org | edu | gov | io | dev | cloud | local | internal | biz | info
          | eu | uk | de | fr | es | it | nl | pl | ru | cz | ch | se | dk | fi | pt | gr | tr | ua
          | us | ca | br | mx | ar | cl | au | nz | jp | cn | kr | tw | vn | th | sg | hk | za | il ) \b",
    ),
    (
        "date",
        r"
          \b [0-9]{4} - [0-9]{2} - [0-9]{2} [Tt\x20] [0-9]{2} : [0-9]{2} (?: : [0-9]{2} (?: [.,] [0-9]+ )? )?
             (?: \x20? (?: [Zz] \b | UTC | GMT | [+-] [0-9]{2} :? [0-9]{2} ) )?
        | \b (?: Mon | Tue | Wed | Thu | Fri | Sat | Sun )[a-z]* ,? \x20
             (?: [0-9]{1,2} [\x20-] (?: Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec ) (?: [\x20-] [0-9]{2,4} )?
               | (?: Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec ) \x20+ [0-9]{1,2} (?: \x20 [0-9]{4} )? )
             (?: \x20 [0-9]{1,2} : [0-9]{2} (?: : [0-9]{2} )? )?
             (?: \x20 [0-9]{4} )? (?: \x20 (?: GMT | UTC | [A-Z]{3,4} )? (?: [+-] [0-9]{4} )? )?
        | \b datetime\.(?: datetime | date | time ) \( (?: [^()] | \( [^()]* \) )* \)
        | \b [0-9]{4} [-/.] [0-9]{1,2} [-/.] [0-9]{1,2} \b
        | \b [0-9]{1,2} [-/] [0-9]{1,2} [-/] (?: [0-9]{4} | [0-9]{2} ) \b
        | \b [0-9]{1,2} : [0-9]{2} (?: : [0-9]{2} (?: [.,] [0-9]+ )? )? (?: \x20? [AaPp][Mm] )? \b",
    ),
    (
        "duration",
        r"\b [0-9]+ (?: \. [0-9]+ )? (?: ms | s | us | ns | µs ) \b",
    ),
    ("hex", r"\b 0[xX] [0-9a-fA-F]+ \b"),
    ("float", r"\b [0-9]+ \. [0-9]+ (?: [eE] [+-]? [0-9]+ )? \b"),
    // A number, a hash or a word, as `kind_of_word` says.
    ("word", r"\b [0-9a-fA-F]+ \b"),
    ("quoted_str", r#"= (?: ' [^']* ' | " [^"]* " )"#),
    ("bool", r"= (?: True | False | true | false ) \b"),
];

static VALUES: LazyLock<Regex> = LazyLock::new(|| {
    let kinds: Vec<String> = KINDS
        .iter()
        .map(|(name, pattern)| format!("(?P<{name}>{pattern})"))
        .collect();
    let ascii = format!(r"(?x){}", kinds.join("|")).replace(r"\b", r"(?-u:\b)");
    Regex::new(&ascii).expect("the kinds are written correctly, which every test checks")
});

/// The part of a message that groups, with values replaced by their kinds.
///
/// The first `LINES_MAX` lines that are not blank count; if anything is left out, `...` stands
/// for it.
pub fn parameterize(message: &str) -> Cow<'_, str> {
    match first_lines(message) {
        Cow::Borrowed(text) => replace_values(text),
        Cow::Owned(text) => Cow::Owned(replace_values(&text).into_owned()),
    }
}

fn first_lines(message: &str) -> Cow<'_, str> {
    if !message.contains(['\n', '\r']) {
        return Cow::Borrowed(message);
    }
    let lines: Vec<&str> = message
        .lines()
        .filter(|line| !line.trim().is_empty())
        .take(LINES_MAX)
        .collect();
    let joined = lines.join("\n");
    if joined == message {
        Cow::Borrowed(message)
    } else {
        Cow::Owned(joined + "...")
    }
}

fn replace_values(text: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let mut copied = 0;
    for captures in VALUES.captures_iter(text) {
        let whole = captures.get_match();
        let Some(kind) = kind_of(&captures, text) else {
            continue;
        };
        let mut start = whole.start();
        if matches!(kind, "quoted_str" | "bool") {
            start += "=".len();
        } else if matches!(kind, "int" | "float") && is_signed(text, start) {
            start -= "-".len();
        }
        if out.capacity() == 0 {
            out.reserve(text.len() + 32);
        }
        out.push_str(&text[copied..start]);
        out.push('<');
        out.push_str(kind);
        out.push('>');
        copied = whole.end();
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[copied..]);
    Cow::Owned(out)
}

/// What was found; `None` for something that only looked like a value.
fn kind_of(captures: &Captures<'_>, text: &str) -> Option<&'static str> {
    let (index, (name, _)) = KINDS
        .iter()
        .enumerate()
        .find(|(index, _)| captures.get(index + 1).is_some())?;
    let found = captures.get(index + 1)?;
    match *name {
        "word" => kind_of_word(found.as_str()),
        // `java.net.SocketException` is a class, not a host.
        "hostname" if continues_as_name(&text[found.end()..]) => None,
        name => Some(name),
    }
}

/// What a word of hexadecimal digits is.
fn kind_of_word(word: &str) -> Option<&'static str> {
    let has_digit = word.bytes().any(|byte| byte.is_ascii_digit());
    let has_letter = word.bytes().any(|byte| byte.is_ascii_alphabetic());
    let one_case = !(word.bytes().any(|byte| byte.is_ascii_lowercase())
        && word.bytes().any(|byte| byte.is_ascii_uppercase()));
    match (word.len(), has_digit, has_letter) {
        (40, _, true) => Some("sha1"),
        (32, _, true) => Some("md5"),
        (_, true, false) => Some("int"),
        (7, true, true) if word.bytes().all(|byte| !byte.is_ascii_uppercase()) => Some("git_sha"),
        // Sixteen letters from a to f are an id; eight may be a word.
        (4..=6 | 8..=128, true, true) | (16..=128, false, true) if one_case => Some("hex"),
        _ => None,
    }
}

/// Whether a minus right before `start` is a sign, rather than a hyphen in a word.
fn is_signed(text: &str, start: usize) -> bool {
    let mut before = text[..start].chars().rev();
    before.next() == Some('-')
        && before
            .next()
            .is_none_or(|character| !character.is_alphanumeric() && character != '>')
}

fn continues_as_name(rest: &str) -> bool {
    let mut rest = rest.bytes();
    matches!(rest.next(), Some(b'.' | b'_' | b'('))
        && rest
            .next()
            .is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(message: &str, expected: &str) {
        assert_eq!(parameterize(message), expected);
    }

    #[test]
    fn leaves_words_alone() {
        for text in [
            "",
            "connection refused",
            "java.net.SocketException: Broken pipe",
            "a face in the cafe, decade added",
            "TypeError: Cannot read properties of undefined (reading 'id')",
            "self.user.id is None",
            "value_12 of thread_7",
            "Bad Gateway",
        ] {
            check(text, text);
        }
    }

    #[test]
    fn numbers() {
        check("user 42 not found", "user <int> not found");
        check("at -5 and 7-8", "at <int> and <int>-<int>");
        check("worker-12", "worker-<int>");
        check("took 1.5 of -2.25", "took <float> of <float>");
        check("id 12345678901234567890", "id <int>");
        check(
            "timeout after 30s, 12ms, 1.5s",
            "timeout after <duration>, <duration>, <duration>",
        );
    }

    #[test]
    fn identifiers() {
        check("6b7fa2d4-0d9e-4c10-bd36-4d6c9b6b0c55 gone", "<uuid> gone");
        check("at 0x7fff5fbff8a0", "at <hex>");
        check(
            "commit d670460b4b4aece5915caf5c68d12f560a9fe3e4",
            "commit <sha1>",
        );
        check("hash d41d8cd98f00b204e9800998ecf8427e", "hash <md5>");
        check("object 5f3e and 5f3e9a2b", "object <hex> and <hex>");
        check("at a1b2c3d", "at <git_sha>");
        check(
            "trace 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "trace <traceparent>",
        );
    }

    #[test]
    fn places() {
        check(
            "mail to ana.lopez@example.co.uk failed",
            "mail to <email> failed",
        );
        check("GET https://example.com/a?b=1 failed", "GET <url> failed");
        check(
            "cannot reach db-1.internal:5432",
            "cannot reach <hostname>:<int>",
        );
        check(
            "connect 10.0.0.12:80 and fe80::1",
            "connect <ip>:<int> and <ip>",
        );
        check("from 2001:db8:0:0:0:0:2:1", "from <ip>");
        check("Foo::bar failed", "Foo::bar failed");
    }

    #[test]
    fn times() {
        for text in [
            "2026-11-24T08:12:33.123456Z",
            "2026-11-24 08:12:33",
            "2026-11-24T08:12:33+02:00",
            "2026-11-24",
            "24/11/2026",
            "08:12:33",
            "8:12 PM",
            "Tue, 24 Nov 2026 08:12:33 GMT",
            "Tuesday, 24-Nov-26 08:12:33 UTC",
            "Tue Nov 24 08:12:33 2026",
            "Tue Nov 24 2026 08:12:33 GMT+0100",
            "datetime.datetime(2026, 11, 24, tzinfo=zone(utc))",
        ] {
            check(&format!("at {text}!"), "at <date>!");
        }
    }

    #[test]
    fn values_of_keys() {
        check(
            "a='x y' b=\"z\" c=True d=12",
            "a=<quoted_str> b=<quoted_str> c=<bool> d=<int>",
        );
        check("'x' is True", "'x' is True");
    }

    #[test]
    fn only_the_first_lines_count() {
        check("one\n\n  two\nthree", "one\n  two...");
        check("one\ntwo", "one\ntwo");
        check("one\n", "one...");
    }

    proptest! {
        #[test]
        fn never_panics_and_is_stable(text in "(?s).{0,200}") {
            let once = parameterize(&text).into_owned();
            prop_assert_eq!(parameterize(&text), once);
        }

        #[test]
        fn numbers_do_not_matter(a: u32, b: u32) {
            let text = |number| format!("order {number} of customer {number}: timeout");
            let (one, other) = (text(a), text(b));
            prop_assert_eq!(parameterize(&one), parameterize(&other));
        }
    }
}
