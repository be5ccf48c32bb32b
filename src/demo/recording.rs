//! The recorded envelopes, and how their times are moved to today.

use anyhow::{Context as _, Result};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

/// What script/capture recorded: one JSON object a line.
const RECORDING: &[u8] = include_bytes!("envelopes.jsonl.zst");

/// An envelope as a real SDK sent it.
#[derive(Debug, Deserialize)]
pub(crate) struct Recorded {
    /// Who sent it, `sentry.python/2.75.0`; browsers send their own name.
    pub(crate) sdk: String,
    /// The envelope, decoded.
    pub(crate) envelope: String,
}

/// Unpacks the recording.
pub(crate) fn read() -> Result<Vec<Recorded>> {
    let text = zstd::decode_all(RECORDING).context("unpacking the recorded envelopes")?;
    text.split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).context("reading a recorded envelope"))
        .collect()
}

/// Moves an envelope's event to `occurred_at`, breadcrumbs along with it, as if sent at `sent_at`.
///
/// Every time is replaced by one of the same length, so that item lengths stay right.
pub(crate) fn retime(envelope: &str, occurred_at: Timestamp, sent_at: Timestamp) -> Result<String> {
    // Not every SDK says when it sent; then the event's own time stands for it.
    let recorded = time_after(envelope, "\"sent_at\"")
        .or_else(|| time_after(envelope, "\"timestamp\""))
        .context("an envelope has a time")?;
    let moved = occurred_at.duration_since(recorded.at);
    let mut text = String::with_capacity(envelope.len());
    let mut rest = envelope;
    while let Some(time) = next_time(rest) {
        let shift = if time.is_sent_at {
            sent_at.duration_since(recorded.at)
        } else {
            moved
        };
        text.push_str(&rest[..time.start]);
        text.push_str(&time.shifted(shift)?);
        rest = &rest[time.end..];
    }
    text.push_str(rest);
    Ok(text)
}

/// A time in an envelope: whole seconds since 1970, or the part of RFC 3339 up to the seconds.
struct Found {
    start: usize,
    end: usize,
    at: Timestamp,
    is_text: bool,
    is_sent_at: bool,
}

impl Found {
    fn shifted(&self, by: SignedDuration) -> Result<String> {
        let at = self.at.checked_add(by).context("moving a time")?;
        Ok(if self.is_text {
            at.strftime("%Y-%m-%dT%H:%M:%S").to_string()
        } else {
            at.as_second().to_string()
        })
    }
}

/// The first time in `text`.
fn next_time(text: &str) -> Option<Found> {
    let found = [
        time_after(text, "\"sent_at\""),
        time_after(text, "\"timestamp\""),
    ];
    found.into_iter().flatten().min_by_key(|time| time.start)
}

/// The first time that follows `key` in `text`.
fn time_after(text: &str, key: &str) -> Option<Found> {
    let mut from = 0;
    loop {
        let after = from + text.get(from..)?.find(key)? + key.len();
        let value = text[after..].trim_start_matches([':', ' ']);
        let start = text.len() - value.len();
        if let Some(found) = read_time(value, start, key == "\"sent_at\"") {
            return Some(found);
        }
        from = after;
    }
}

fn read_time(value: &str, start: usize, is_sent_at: bool) -> Option<Found> {
    if let Some(quoted) = value.strip_prefix('"') {
        let text = quoted.get(..19)?;
        let at = format!("{text}Z").parse().ok()?;
        return Some(Found {
            start: start + 1,
            end: start + 20,
            at,
            is_text: true,
            is_sent_at,
        });
    }
    let seconds: i64 = value.get(..10)?.parse().ok()?;
    let at = Timestamp::from_second(seconds).ok()?;
    Some(Found {
        start,
        end: start + 10,
        at,
        is_text: false,
        is_sent_at,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_move_and_lengths_stay() {
        let envelope = "{\"sent_at\":\"2026-11-24T08:13:27.250Z\"}\n{\"type\":\"event\"}\n\
                        {\"timestamp\": 1795508007.25,\"breadcrumbs\":[{\"timestamp\":\"2026-11-24T08:13:20.000000Z\"}],\
                        \"timestamp\":null}";
        let sent_at: Timestamp = "2027-01-10T12:00:00Z".parse().unwrap();
        let occurred_at: Timestamp = "2027-01-08T12:00:00Z".parse().unwrap();
        let moved = retime(envelope, occurred_at, sent_at).unwrap();
        assert_eq!(moved.len(), envelope.len());
        assert!(
            moved.contains("\"sent_at\":\"2027-01-10T12:00:00.250Z\""),
            "{moved}"
        );
        assert!(
            moved.contains(&format!("\"timestamp\": {}.25", occurred_at.as_second())),
            "{moved}"
        );
        assert!(moved.contains("2027-01-08T11:59:53.000000Z"), "{moved}");
    }

    #[test]
    fn the_recording_is_of_real_sdks() {
        let recorded = read().unwrap();
        assert!(recorded.len() >= 300, "{}", recorded.len());
        for sdk in ["sentry.python/", "sentry.javascript.node/", "Mozilla/"] {
            assert!(recorded.iter().any(|one| one.sdk.starts_with(sdk)), "{sdk}");
        }
        let now: Timestamp = "2027-01-10T12:00:00Z".parse().unwrap();
        for one in &recorded {
            assert_eq!(
                retime(&one.envelope, now, now).unwrap().len(),
                one.envelope.len()
            );
        }
    }
}
