//! A look at an event for its id, without building it.

use copal_protocol::{EventId, Json, parse_lenient};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::rejection::Rejection;

/// What is read of an event; everything else is skipped.
#[derive(Deserialize)]
struct Shallow<'a> {
    #[serde(borrow)]
    event_id: Option<&'a RawValue>,
}

/// The id of an event; `None` where it has none that can be read.
///
/// # Errors
/// When the bytes are no JSON object, not even leniently.
pub(super) fn event_id(event: &[u8]) -> Result<Option<EventId>, Rejection> {
    // serde reads a struct from an array too.
    let is_object = event.trim_ascii_start().starts_with(b"{");
    if is_object && let Ok(shallow) = serde_json::from_slice::<Shallow<'_>>(event) {
        let text = shallow.event_id.map(RawValue::get);
        return Ok(text.and_then(|text| text.trim_matches('"').parse().ok()));
    }
    // NaN, invalid UTF-8 or an id given twice: rare enough to build the tree.
    let mut scratch = Vec::new();
    match parse_lenient(event, &mut scratch) {
        Ok(Json::Object(mut object)) => Ok(match object.remove("event_id") {
            Some(Json::Str(text)) => text.parse().ok(),
            _ => None,
        }),
        Ok(_) => Err(Rejection::Event("it is no JSON object".to_owned())),
        Err(error) => Err(Rejection::Event(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_is_found_in_whatever_sdks_send() {
        let id = "0123456789abcdef0123456789abcdef";
        let found = |event: &[u8]| event_id(event).unwrap().map(|id| id.to_string());
        for event in [
            format!(r#"{{"event_id":"{id}","extra":{{"a":[1,2]}}}}"#),
            format!(r#"{{"extra":NaN,"event_id":"{id}"}}"#),
            format!(r#"{{"message":"\ud800","event_id":"{id}"}}"#),
        ] {
            assert_eq!(found(event.as_bytes()).as_deref(), Some(id), "{event}");
        }
        let mut invalid_utf8 = format!(r#"{{"event_id":"{id}","message":""#).into_bytes();
        invalid_utf8.extend(b"\xff\"}");
        assert_eq!(found(&invalid_utf8).as_deref(), Some(id));
        for event in [
            "{}",
            r#"{"event_id":7}"#,
            r#"{"event_id":"x"}"#,
            r#"{"event_id":null}"#,
        ] {
            assert_eq!(found(event.as_bytes()), None, "{event}");
        }
    }

    #[test]
    fn what_is_no_event_is_refused() {
        let deep = "[".repeat(200_000);
        for event in ["", "[]", "[1]", "{", "nonsense", deep.as_str()] {
            let error = event_id(event.as_bytes()).unwrap_err();
            assert!(matches!(error, Rejection::Event(_)), "{error}");
        }
    }
}
