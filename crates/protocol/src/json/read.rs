//! Text to tree.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::repair::repair;
use super::{Json, JsonError, Number, Object};
use crate::limits::JSON_DEPTH_MAX;

/// Reads JSON, strictly if it is strict and leniently if it is not.
///
/// What has to be mended is mended in `scratch`, which the tree then borrows from.
///
/// # Errors
/// When `bytes` are no JSON even after mending.
pub fn parse_lenient<'a>(bytes: &'a [u8], scratch: &'a mut Vec<u8>) -> Result<Json<'a>, JsonError> {
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(json) = parse_strict(text)
    {
        return Ok(json);
    }
    repair(bytes, scratch);
    let scratch: &'a [u8] = scratch;
    let text = std::str::from_utf8(scratch).expect("the repair writes valid UTF-8");
    parse_strict(text).map_err(|error| JsonError(error.to_string()))
}

pub(super) fn parse_strict(text: &str) -> Result<Json<'_>, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let json = JsonSeed::TOP.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(json)
}

/// Reads one value, given how many levels may still follow below it.
#[derive(Clone, Copy)]
pub(crate) struct JsonSeed {
    levels_left: usize,
}

impl JsonSeed {
    /// For a value that stands by itself.
    pub(crate) const TOP: Self = Self {
        levels_left: JSON_DEPTH_MAX,
    };

    const fn below(self) -> Option<Self> {
        match self.levels_left.checked_sub(1) {
            Some(levels_left) => Some(Self { levels_left }),
            None => None,
        }
    }
}

impl<'de> DeserializeSeed<'de> for JsonSeed {
    type Value = Json<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for JsonSeed {
    type Value = Json<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json<'de>, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json<'de>, E> {
        Ok(Json::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json<'de>, E> {
        Ok(Json::Number(Number::Unsigned(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json<'de>, E> {
        Ok(Json::Number(match u64::try_from(value) {
            Ok(value) => Number::Unsigned(value),
            Err(_) => Number::Signed(value),
        }))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json<'de>, E> {
        Ok(if value.is_finite() {
            Json::Number(Number::Float(value))
        } else {
            Json::Null
        })
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Json<'de>, E> {
        Ok(Json::Str(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Json<'de>, E> {
        Ok(Json::Str(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Json<'de>, A::Error> {
        let Some(below) = self.below() else {
            while seq.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(Json::Null);
        };
        let mut values = Vec::new();
        while let Some(value) = seq.next_element_seed(below)? {
            values.push(value);
        }
        Ok(Json::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json<'de>, A::Error> {
        let Some(below) = self.below() else {
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return Ok(Json::Null);
        };
        let mut pairs = Vec::new();
        while let Some(key) = map.next_key_seed(KeySeed)? {
            pairs.push((key, map.next_value_seed(below)?));
        }
        Ok(Json::Object(Object::from_pairs(pairs)))
    }
}

/// Reads a key, borrowed where it has no escapes.
pub(crate) struct KeySeed;

impl<'de> DeserializeSeed<'de> for KeySeed {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for KeySeed {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}
