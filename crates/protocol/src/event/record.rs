//! How attributes are read from JSON and written back, and the macro that makes records of them.

use std::borrow::Cow;
use std::ops::{Deref, DerefMut};

use jiff::Timestamp;
use serde::{Serialize, Serializer};

use super::Text;
use super::reader::Reader;
use crate::EventId;
use crate::json::{Json, Object};
use crate::timestamp::parse_timestamp;

/// A value that is there or not.
pub(super) trait Value<'a>: Sized {
    /// Reads it; notes and drops what it is not.
    fn read(json: Json<'a>, reader: &mut Reader<'a>) -> Option<Self>;
    /// Writes it.
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error>;
}

/// A field of a record.
pub(super) trait Attribute<'a>: Sized {
    /// Reads it; notes and drops what it is not.
    fn read(json: Json<'a>, reader: &mut Reader<'a>) -> Option<Self>;
    /// Whether it is not there, and so not written.
    fn is_absent(&self) -> bool;
    /// Writes it.
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error>;
}

/// Lets a field be written by serde.
pub(super) struct WriteAttribute<'x, T>(pub(super) &'x T);

impl<'a, T: Attribute<'a>> Serialize for WriteAttribute<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.write(serializer)
    }
}

struct WriteValue<'x, T>(&'x T);

impl<'a, T: Value<'a>> Serialize for WriteValue<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.write(serializer)
    }
}

/// Picks the reader that a field names, or the one of its type.
macro_rules! read_field {
    ($value:expr, $reader:expr) => {
        $crate::event::record::Attribute::read($value, $reader)
    };
    ($value:expr, $reader:expr, $read:path) => {
        Some($read($value, $reader))
    };
}

/// Makes a struct of attributes: `field: Type = "key" | "alias" [own_reader]`.
macro_rules! record {
    (
        $(#[$doc:meta])*
        pub struct $name:ident {
            $(
                $(#[$field_doc:meta])*
                $field:ident: $type:ty = $key:literal $(| $alias:literal)* $([$read:path])?,
            )*
        }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Default)]
        pub struct $name<'a> {
            $($(#[$field_doc])* pub $field: $type,)*
        }

        impl<'a> $crate::event::record::Value<'a> for $name<'a> {
            fn read(
                json: $crate::json::Json<'a>,
                reader: &mut $crate::event::reader::Reader<'a>,
            ) -> Option<Self> {
                let $crate::json::Json::Object(object) = json else {
                    reader.note_wrong(&json);
                    return None;
                };
                let mut record = Self::default();
                for (key, value) in object {
                    if value.is_null() {
                        continue;
                    }
                    match &*key {
                        $($key $(| $alias)* => {
                            let field: Option<$type> = reader.at($key, |reader| {
                                $crate::event::record::read_field!(value, reader $(, $read)?)
                            });
                            if let Some(field) = field {
                                record.$field = field;
                            }
                        })*
                        _ => reader.note_unknown(&key, &value),
                    }
                }
                Some(record)
            }

            fn write<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serde::Serialize::serialize(self, serializer)
            }
        }

        impl serde::Serialize for $name<'_> {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                use serde::ser::SerializeMap as _;
                use $crate::event::record::{Attribute as _, WriteAttribute};
                let mut map = serializer.serialize_map(None)?;
                $(
                    if !self.$field.is_absent() {
                        map.serialize_entry($key, &WriteAttribute(&self.$field))?;
                    }
                )*
                map.end()
            }
        }
    };
}

pub(super) use {read_field, record};

impl<'a, T: Value<'a>> Attribute<'a> for Option<T> {
    fn read(json: Json<'a>, reader: &mut Reader<'a>) -> Option<Self> {
        T::read(json, reader).map(Some)
    }

    fn is_absent(&self) -> bool {
        self.is_none()
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Some(value) => value.write(serializer),
            None => serializer.serialize_unit(),
        }
    }
}

/// Reads a list, leaving out nulls and what is of a wrong type; one object stands for a list of it.
impl<'a, T: Value<'a>> Attribute<'a> for Vec<T> {
    fn read(json: Json<'a>, reader: &mut Reader<'a>) -> Option<Self> {
        match json {
            Json::Array(values) => Some(read_all(values, reader)),
            Json::Object(_) => Some(T::read(json, reader).into_iter().collect()),
            other => {
                reader.note_wrong(&other);
                None
            }
        }
    }

    fn is_absent(&self) -> bool {
        self.is_empty()
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter().map(WriteValue))
    }
}

fn read_all<'a, T: Value<'a>>(values: Vec<Json<'a>>, reader: &mut Reader<'a>) -> Vec<T> {
    let read = |(index, value)| reader.at_index(index, |reader| T::read(value, reader));
    values.into_iter().enumerate().filter_map(read).collect()
}

/// A list that is written `{"values": […]}`, and read as that, as a list, or as one object.
#[derive(Debug, Clone, PartialEq)]
pub struct Values<T>(pub Vec<T>);

impl<T> Default for Values<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Deref for Values<T> {
    type Target = Vec<T>;

    fn deref(&self) -> &Vec<T> {
        &self.0
    }
}

impl<T> DerefMut for Values<T> {
    fn deref_mut(&mut self) -> &mut Vec<T> {
        &mut self.0
    }
}

impl<'a, T: Value<'a>> Attribute<'a> for Values<T> {
    fn read(json: Json<'a>, reader: &mut Reader<'a>) -> Option<Self> {
        let values = match json {
            Json::Object(mut object) => match object.remove("values") {
                Some(values) => values,
                None => Json::Object(object),
            },
            other => other,
        };
        <Vec<T> as Attribute<'a>>::read(values, reader).map(Self)
    }

    fn is_absent(&self) -> bool {
        self.0.is_empty()
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map([("values", WriteAttribute(&self.0))])
    }
}

/// A text of a primitive.
pub(super) fn into_text(json: Json<'_>) -> Option<Text<'_>> {
    match json {
        Json::Str(text) => Some(text),
        Json::Number(number) => Some(Cow::Owned(number.to_string())),
        Json::Bool(true) => Some(Cow::Borrowed("true")),
        Json::Bool(false) => Some(Cow::Borrowed("false")),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}

impl<'a> Attribute<'a> for Object<'a> {
    fn read(json: Json<'a>, reader: &mut Reader<'a>) -> Option<Self> {
        match json {
            Json::Object(object) => Some(object),
            other => {
                reader.note_wrong(&other);
                None
            }
        }
    }

    fn is_absent(&self) -> bool {
        self.is_empty()
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.serialize(serializer)
    }
}

impl<'a> Attribute<'a> for Json<'a> {
    fn read(json: Json<'a>, _: &mut Reader<'a>) -> Option<Self> {
        Some(json)
    }

    fn is_absent(&self) -> bool {
        self.is_null()
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.serialize(serializer)
    }
}

impl<'a> Attribute<'a> for Text<'a> {
    fn read(json: Json<'a>, reader: &mut Reader<'a>) -> Option<Self> {
        <Self as Value<'a>>::read(json, reader)
    }

    fn is_absent(&self) -> bool {
        self.is_empty()
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }
}

impl<'a> Value<'a> for Text<'a> {
    fn read(json: Json<'a>, reader: &mut Reader<'a>) -> Option<Self> {
        match json {
            Json::Array(_) | Json::Object(_) => {
                reader.note_wrong(&json);
                None
            }
            other => into_text(other),
        }
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }
}

/// Makes a value of what `$read` finds in the JSON, and writes it by `$write`.
macro_rules! scalar {
    ($type:ty, $read:expr, $write:expr) => {
        impl<'a> Value<'a> for $type {
            fn read(json: Json<'a>, reader: &mut Reader<'a>) -> Option<Self> {
                let read: fn(&Json<'a>) -> Option<Self> = $read;
                let value = read(&json);
                if value.is_none() {
                    reader.note_wrong(&json);
                }
                value
            }

            fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                ($write)(self).serialize(serializer)
            }
        }
    };
}

scalar!(bool, read_bool, |value: &bool| *value);
scalar!(u64, read_u64, |value: &u64| *value);
scalar!(Timestamp, parse_timestamp, |value: &Timestamp| value
    .to_string());
scalar!(
    EventId,
    |json| json.as_str()?.parse().ok(),
    |value: &EventId| value.to_string()
);

fn read_bool(json: &Json<'_>) -> Option<bool> {
    match json {
        Json::Bool(value) => Some(*value),
        Json::Str(text) => match &**text {
            "true" | "True" => Some(true),
            "false" | "False" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

fn read_u64(json: &Json<'_>) -> Option<u64> {
    match json {
        Json::Number(number) => number.as_u64(),
        Json::Str(text) => text.parse().ok(),
        _ => None,
    }
}
