//! Lists of keys and values: tags, headers, cookies, queries.

use std::borrow::Cow;

use serde::Serializer;

use super::Text;
use super::reader::Reader;
use super::record::{Attribute, into_text};
use crate::json::Json;

/// Keys and values in order, read from an object or from a list of pairs, written as a list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pairs<'a>(pub Vec<(Text<'a>, Text<'a>)>);

impl<'a> Pairs<'a> {
    /// The first value under `key`, whatever its case.
    pub fn get(&self, key: &str) -> Option<&str> {
        let pair = self
            .0
            .iter()
            .find(|pair| pair.0.eq_ignore_ascii_case(key))?;
        Some(&pair.1)
    }

    /// Reads pairs; a value that is a list is joined by commas, null leaves the pair out.
    pub(super) fn from_json(json: Json<'a>, reader: &mut Reader<'a>) -> Option<Self> {
        let pairs: Vec<(Json<'a>, Json<'a>)> = match json {
            Json::Object(object) => object
                .into_iter()
                .map(|(key, value)| (Json::Str(key), value))
                .collect(),
            Json::Array(entries) => entries.into_iter().filter_map(into_pair).collect(),
            other => {
                reader.note_wrong(&other);
                return None;
            }
        };
        let as_texts = |(key, value)| Some((into_text(key)?, into_joined(value)?));
        Some(Self(pairs.into_iter().filter_map(as_texts).collect()))
    }
}

/// `["key", "value"]` or `{"key": …, "value": …}`.
fn into_pair(entry: Json<'_>) -> Option<(Json<'_>, Json<'_>)> {
    match entry {
        Json::Array(parts) => {
            let mut parts = parts.into_iter();
            Some((parts.next()?, parts.next()?))
        }
        Json::Object(mut object) => {
            let key = object.remove("key").or_else(|| object.remove("name"))?;
            Some((key, object.remove("value")?))
        }
        _ => None,
    }
}

fn into_joined<'a>(value: Json<'a>) -> Option<Text<'a>> {
    match value {
        Json::Array(values) => {
            let texts: Vec<Text<'a>> = values.into_iter().filter_map(into_text).collect();
            Some(Cow::Owned(texts.join(",")))
        }
        other => into_text(other),
    }
}

impl<'a> Attribute<'a> for Pairs<'a> {
    fn read(json: Json<'a>, reader: &mut Reader<'a>) -> Option<Self> {
        Self::from_json(json, reader)
    }

    fn is_absent(&self) -> bool {
        self.0.is_empty()
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|(key, value)| [key, value]))
    }
}
