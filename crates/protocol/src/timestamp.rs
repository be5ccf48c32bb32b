//! Points in time, in the forms SDKs write them.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

use crate::json::{Json, Number};

/// Microseconds in a second.
const MICROS_PER_SEC: f64 = 1_000_000.0;

/// Reads seconds since 1970 (integer or float) or a text; `None` where it is neither, or before 1970.
///
/// A text without an offset is in UTC. Milliseconds are not told from seconds: as seconds they lie
/// beyond the year 9999 and are refused. Everything is rounded to microseconds.
pub fn parse_timestamp(value: &Json<'_>) -> Option<Timestamp> {
    let timestamp = match value {
        Json::Number(number) => from_seconds(*number)?,
        Json::Str(text) => from_text(text.trim())?,
        _ => return None,
    };
    (timestamp >= Timestamp::UNIX_EPOCH).then_some(timestamp)
}

fn from_seconds(number: Number) -> Option<Timestamp> {
    if let Number::Float(seconds) = number {
        let micros = (seconds * MICROS_PER_SEC).round();
        if !(0.0..1e18).contains(&micros) {
            return None;
        }
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a whole number within 0..10^18, checked above"
        )]
        return Timestamp::from_microsecond(micros as i64).ok();
    }
    Timestamp::from_second(number.as_i64()?).ok()
}

fn from_text(text: &str) -> Option<Timestamp> {
    if let Ok(timestamp) = text.parse::<Timestamp>() {
        return round(timestamp);
    }
    if let Ok(datetime) = text.parse::<DateTime>() {
        return round(Offset::UTC.to_timestamp(datetime).ok()?);
    }
    let seconds: f64 = text.parse().ok()?;
    from_seconds(Number::Float(seconds))
}

fn round(timestamp: Timestamp) -> Option<Timestamp> {
    let micros = timestamp.as_nanosecond().div_euclid(1_000);
    let rest = timestamp.as_nanosecond().rem_euclid(1_000);
    let micros = i64::try_from(micros).ok()? + i64::from(rest >= 500);
    Timestamp::from_microsecond(micros).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Option<String> {
        let mut scratch = Vec::new();
        let json = crate::json::parse_lenient(json.as_bytes(), &mut scratch).unwrap();
        parse_timestamp(&json).map(|timestamp| timestamp.to_string())
    }

    fn reads_as(json: &str, expected: &str) {
        assert_eq!(read(json).as_deref(), Some(expected), "{json}");
    }

    #[test]
    fn every_form_of_the_spec_is_read() {
        reads_as("1", "1970-01-01T00:00:01Z");
        reads_as("1767225600.1234567", "2026-01-01T00:00:00.123457Z");
        reads_as("\"2026-01-01T00:00:00\"", "2026-01-01T00:00:00Z");
        reads_as("\"2026-01-01T00:00:00.5\"", "2026-01-01T00:00:00.5Z");
        reads_as("\"2026-01-01 00:00:00\"", "2026-01-01T00:00:00Z");
        reads_as("\"2026-01-01T02:00:00+02:00\"", "2026-01-01T00:00:00Z");
        reads_as(
            "\"2026-01-01T00:00:00.123456499Z\"",
            "2026-01-01T00:00:00.123456Z",
        );
        reads_as(
            "\"2026-01-01T00:00:00.1234565Z\"",
            "2026-01-01T00:00:00.123457Z",
        );
        reads_as("\"1767225600.5\"", "2026-01-01T00:00:00.5Z");
        reads_as("\" 2026-01-01T00:00:00Z \"", "2026-01-01T00:00:00Z");
    }

    #[test]
    fn what_is_no_time_is_none() {
        for json in [
            "1767225600000",
            "-1",
            "-0.5",
            "1e300",
            "\"1969-12-31T23:59:59Z\"",
            "\"yesterday\"",
            "\"\"",
            "\"NaN\"",
            "true",
            "null",
            "[]",
            "18446744073709551615",
        ] {
            assert_eq!(read(json), None, "{json}");
        }
    }
}
