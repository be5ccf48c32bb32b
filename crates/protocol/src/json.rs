//! A JSON tree that borrows from the text it was read from.
//!
//! Reading is lenient where SDKs need it: `NaN` and infinities, lone surrogates and invalid UTF-8
//! are mended, later duplicates of a key win, and what is nested deeper than [`JSON_DEPTH_MAX`] is
//! null. It is never so deep that dropping or writing a tree could exhaust the stack.

mod object;
mod read;
mod repair;

use std::borrow::Cow;
use std::fmt;

use serde::{Serialize, Serializer};

pub use object::Object;
pub(crate) use read::JsonSeed;
pub use read::parse_lenient;

#[cfg(doc)]
use crate::limits::JSON_DEPTH_MAX;

/// A JSON value.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Json<'a> {
    /// `null`.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A string.
    Str(Cow<'a, str>),
    /// An array.
    Array(Vec<Json<'a>>),
    /// An object.
    Object(Object<'a>),
}

/// A JSON number, exact where it fits 64 bits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    /// An integer of at least 0.
    Unsigned(u64),
    /// An integer below 0.
    Signed(i64),
    /// Anything else; always finite.
    Float(f64),
}

/// A text that is no JSON, not even leniently.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not JSON: {0}")]
pub struct JsonError(String);

impl Number {
    /// The number as a float.
    pub fn as_f64(self) -> f64 {
        match self {
            Self::Unsigned(number) => number as f64,
            Self::Signed(number) => number as f64,
            Self::Float(number) => number,
        }
    }

    /// The number where it is an integer of at least 0; `3.0` is one.
    pub fn as_u64(self) -> Option<u64> {
        match self {
            Self::Unsigned(number) => Some(number),
            Self::Signed(_) => None,
            Self::Float(number) => float_to_u64(number),
        }
    }

    /// The number where it is an integer.
    pub fn as_i64(self) -> Option<i64> {
        match self {
            Self::Unsigned(number) => i64::try_from(number).ok(),
            Self::Signed(number) => Some(number),
            Self::Float(number) if number < 0.0 => {
                let magnitude = float_to_u64(-number)?;
                i64::try_from(magnitude).ok().map(|magnitude| -magnitude)
            }
            Self::Float(number) => i64::try_from(float_to_u64(number)?).ok(),
        }
    }
}

/// Exact integers of a float reach to 2^53; beyond it, the text is not what the client counted.
fn float_to_u64(number: f64) -> Option<u64> {
    const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
    if number.fract() != 0.0 || !(0.0..=EXACT_MAX).contains(&number) {
        return None;
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a whole number within 0..=2^53, checked above"
    )]
    Some(number as u64)
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsigned(number) => number.fmt(f),
            Self::Signed(number) => number.fmt(f),
            Self::Float(number) => number.fmt(f),
        }
    }
}

impl<'a> Json<'a> {
    /// Whether it is `null`.
    pub const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The object, where it is one.
    pub const fn as_object(&self) -> Option<&Object<'a>> {
        match self {
            Self::Object(object) => Some(object),
            _ => None,
        }
    }

    /// The array, where it is one.
    pub fn as_array(&self) -> Option<&[Json<'a>]> {
        match self {
            Self::Array(values) => Some(values),
            _ => None,
        }
    }

    /// The value under `key` of an object.
    pub fn get(&self, key: &str) -> Option<&Json<'a>> {
        self.as_object()?.get(key)
    }

    /// A copy that borrows nothing.
    pub fn into_owned(self) -> Json<'static> {
        match self {
            Self::Null => Json::Null,
            Self::Bool(value) => Json::Bool(value),
            Self::Number(number) => Json::Number(number),
            Self::Str(text) => Json::Str(Cow::Owned(text.into_owned())),
            Self::Array(values) => Json::Array(values.into_iter().map(Json::into_owned).collect()),
            Self::Object(object) => Json::Object(object.into_owned()),
        }
    }

    /// The value as JSON text.
    pub fn to_json_text(&self) -> String {
        serde_json::to_string(self)
            .expect("a tree of strings and finite numbers is always writable")
    }

    /// Replaces by null what is nested deeper than `depth` levels below this value.
    ///
    /// Tells whether anything was.
    pub fn cut_at_depth(&mut self, depth: usize) -> bool {
        match (self, depth.checked_sub(1)) {
            (Self::Array(values), Some(below)) => values
                .iter_mut()
                .fold(false, |is_cut, value| value.cut_at_depth(below) | is_cut),
            (Self::Object(object), Some(below)) => object
                .values_mut()
                .fold(false, |is_cut, value| value.cut_at_depth(below) | is_cut),
            (place @ (Self::Array(_) | Self::Object(_)), None) => {
                *place = Self::Null;
                true
            }
            _ => false,
        }
    }
}

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Number(number) => number.serialize(serializer),
            Self::Str(text) => serializer.serialize_str(text),
            Self::Array(values) => serializer.collect_seq(values),
            Self::Object(object) => object.serialize(serializer),
        }
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Unsigned(number) => serializer.serialize_u64(*number),
            Self::Signed(number) => serializer.serialize_i64(*number),
            Self::Float(number) => serializer.serialize_f64(*number),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
