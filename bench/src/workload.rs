//! Envelopes as real SDKs sent them, with placeholders that each sending fills anew.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use memchr::memmem;

/// Runs of this letter stand for an event id.
const EVENT_ID: &[u8] = b"EEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEE";
/// Runs of this letter stand for a trace id.
const TRACE_ID: &[u8] = b"TTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTT";
/// A user.
const USER: &[u8] = b"UUUUUUUU";
/// A release.
const RELEASE: &[u8] = b"RRRRRRRRRRRR";
/// An environment.
const ENVIRONMENT: &[u8] = b"EEEENVI";
/// A number in a message.
const NUMBER: &[u8] = b"77777777";

/// All envelopes of a workload.
#[derive(Debug, Clone)]
pub(crate) struct Workload {
    envelopes: Vec<Template>,
}

/// One envelope and where its placeholders are.
#[derive(Debug, Clone)]
struct Template {
    bytes: Vec<u8>,
    gaps: Vec<Gap>,
}

#[derive(Debug, Clone, Copy)]
struct Gap {
    start: usize,
    length: usize,
    what: What,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    EventId,
    TraceId,
    Time,
    Seconds,
    User,
    Release,
    Environment,
    Number,
}

impl Workload {
    /// Reads a folder of `.env` files, or one `.jsonl.zst` with a JSON string a line.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let mut envelopes = Vec::new();
        if path.is_dir() {
            let mut files: Vec<_> = std::fs::read_dir(path)?
                .map(|file| file.map(|file| file.path()))
                .collect::<Result<_, _>>()?;
            files.retain(|file| file.extension().is_some_and(|extension| extension == "env"));
            files.sort();
            for file in files {
                envelopes.push(Template::new(std::fs::read(file)?));
            }
        } else {
            let packed =
                std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
            for line in zstd::decode_all(&packed[..])?.split(|byte| *byte == b'\n') {
                if !line.is_empty() {
                    let text: String = serde_json::from_slice(line)?;
                    envelopes.push(Template::new(text.into_bytes()));
                }
            }
        }
        ensure!(!envelopes.is_empty(), "no envelope in {}", path.display());
        Ok(Self { envelopes })
    }

    pub(crate) fn len(&self) -> usize {
        self.envelopes.len()
    }

    pub(crate) fn average_bytes(&self) -> usize {
        self.envelopes
            .iter()
            .map(|one| one.bytes.len())
            .sum::<usize>()
            / self.len()
    }

    /// Writes the `number`-th envelope of a run into `body`, its placeholders filled.
    pub(crate) fn write(&self, number: u64, body: &mut Vec<u8>) {
        let at = usize::try_from(number).unwrap_or(0) % self.len();
        self.envelopes[at].write(number, body);
    }
}

impl Template {
    fn new(bytes: Vec<u8>) -> Self {
        let mut gaps = Vec::new();
        for (pattern, what) in [
            (EVENT_ID, What::EventId),
            (TRACE_ID, What::TraceId),
            (USER, What::User),
            (RELEASE, What::Release),
            (ENVIRONMENT, What::Environment),
            (NUMBER, What::Number),
        ] {
            let found = memmem::find_iter(&bytes, pattern)
                .filter(|start| what != What::Number || !is_in_source_code(&bytes[..*start]));
            gaps.extend(found.map(|start| Gap {
                start,
                length: pattern.len(),
                what,
            }));
        }
        gaps.extend(runs(&bytes, b'@', 24, What::Time));
        gaps.extend(runs(&bytes, b'#', 10, What::Seconds));
        Self { bytes, gaps }
    }

    fn write(&self, number: u64, body: &mut Vec<u8>) {
        body.clear();
        body.extend_from_slice(&self.bytes);
        let mut random = [0; 16];
        getrandom::fill(&mut random).expect("the system gives randomness");
        let id = format!("{:032x}", u128::from_be_bytes(random));
        #[expect(clippy::disallowed_methods, reason = "a benchmark sends the real time")]
        let now = jiff::Timestamp::now();
        for gap in &self.gaps {
            let text = match gap.what {
                What::EventId => id.clone(),
                What::TraceId => id.chars().rev().collect(),
                What::Time => time(now, gap.length),
                What::Seconds => seconds(now, gap.length),
                What::User => format!("u{:07}", number % 5_000),
                What::Release => format!("shop@2.{:05}", number % 7),
                What::Environment => if number.is_multiple_of(4) {
                    "staging"
                } else {
                    "product"
                }
                .to_owned(),
                // As JSON a number has no leading zero.
                What::Number => format!("{}", 10_000_000 + number % 90_000_000),
            };
            debug_assert_eq!(text.len(), gap.length);
            body[gap.start..gap.start + gap.length].copy_from_slice(text.as_bytes());
        }
    }
}

/// Whether what follows `before` stands in a line of source code, which is the same in all events
/// of a fault: the last key before it says so.
fn is_in_source_code(before: &[u8]) -> bool {
    // A quote within a string has a backslash before it.
    let key = memmem::rfind_iter(before, b"\":").find(|at| !before[..*at].ends_with(b"\\"));
    key.is_some_and(|at| {
        [&b"context_line"[..], b"pre_context", b"post_context"]
            .iter()
            .any(|name| before[..at].ends_with(name))
    })
}

/// Runs of at least `least` times `byte`.
fn runs(bytes: &[u8], byte: u8, least: usize, what: What) -> Vec<Gap> {
    let mut gaps = Vec::new();
    let mut start = 0;
    while let Some(found) = memchr::memchr(byte, &bytes[start..]) {
        let from = start + found;
        let length = bytes[from..].iter().take_while(|one| **one == byte).count();
        if length >= least {
            gaps.push(Gap {
                start: from,
                length,
                what,
            });
        }
        start = from + length;
    }
    gaps
}

/// RFC 3339 in exactly `length` characters, `2026-11-24T10:00:00.000000Z` and longer.
fn time(now: jiff::Timestamp, length: usize) -> String {
    let digits = length - "2026-11-24T10:00:00.Z".len();
    format!("{now:.digits$}")
}

/// Unix seconds in exactly `length` characters.
fn seconds(now: jiff::Timestamp, length: usize) -> String {
    match length.checked_sub(11) {
        None | Some(0) => format!("{:0length$}", now.as_second()),
        Some(digits) => {
            let fraction = format!("{:09}{:018}", now.subsec_nanosecond(), 0);
            format!("{}.{}", now.as_second(), &fraction[..digits])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_filled_in_place() {
        let text = "{\"event_id\":\"EEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEE\",\"sent_at\":\"@@@@@@@@@@@@@@@@@@@@@@@@\",\
                    \"timestamp\":##############,\"user\":\"UUUUUUUU\",\"environment\":\"EEEENVI\"}";
        let template = Template::new(text.as_bytes().to_vec());
        let mut body = Vec::new();
        template.write(7, &mut body);
        assert_eq!(body.len(), text.len());
        let value: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert!(
            value["sent_at"]
                .as_str()
                .unwrap()
                .parse::<jiff::Timestamp>()
                .is_ok()
        );
        assert!(value["timestamp"].is_f64());
        assert_eq!(value["user"], "u0000007");
    }

    #[test]
    fn numbers_change_in_messages_but_not_in_source_code() {
        let text = r#"{"value":"order 77777777","frames":[{"context_line":"f({\"id\": 77777777})","pre_context":["a","b 77777777"],"vars":{"id":77777777}}]}"#;
        let mut body = Vec::new();
        Template::new(text.as_bytes().to_vec()).write(5, &mut body);
        let value: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(value["value"], "order 10000005");
        let frame = &value["frames"][0];
        assert_eq!(frame["context_line"], r#"f({"id": 77777777})"#);
        assert_eq!(frame["pre_context"][1], "b 77777777");
        assert_eq!(frame["vars"]["id"], 10_000_005);
    }
}
