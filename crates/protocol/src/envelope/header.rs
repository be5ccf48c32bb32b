//! The header lines of envelopes and items.
//!
//! Only what we use is kept. A key of a wrong type counts as absent, unknown keys are skipped without
//! building them, and of several values of a key the last counts.

use std::borrow::Cow;
use std::fmt;

use jiff::Timestamp;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::{EnvelopeError, Part};
use crate::EventId;
use crate::json::{Json, JsonSeed};
use crate::timestamp::parse_timestamp;

/// The first line of an envelope.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EnvelopeHeader<'a> {
    /// The id of the event in it; it beats the one in the payload.
    pub event_id: Option<EventId>,
    /// Where it was meant for; identifies the project when nothing else does.
    pub dsn: Option<Cow<'a, str>>,
    /// Who made it.
    pub sdk: Option<SdkInfo<'a>>,
    /// When the client sent it, by the client's clock.
    pub sent_at: Option<Timestamp>,
    /// The origin of the page that sent it.
    pub origin: Option<Cow<'a, str>>,
}

/// Name and version of an SDK.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SdkInfo<'a> {
    /// Such as `sentry.python`.
    pub name: Option<Cow<'a, str>>,
    /// Such as `2.0.1`.
    pub version: Option<Cow<'a, str>>,
}

/// The header line of an item.
#[derive(Debug, Clone, PartialEq)]
pub struct ItemHeader<'a> {
    /// What the payload is.
    pub item_type: ItemType<'a>,
    /// Bytes of the payload; without it the payload is the next line.
    pub length: Option<usize>,
    /// Media type of the payload.
    pub content_type: Option<Cow<'a, str>>,
    /// Name of an attachment.
    pub filename: Option<Cow<'a, str>>,
    /// Kind of an attachment, such as `event.attachment`.
    pub attachment_type: Option<Cow<'a, str>>,
    /// Entries of a container.
    pub item_count: Option<u64>,
}

macro_rules! item_types {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// What an item is.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum ItemType<'a> {
            $($(#[$doc])* $variant,)*
            /// A type that we do not know: accepted and dropped, since SDKs add types every year.
            Unknown(Cow<'a, str>),
        }

        impl<'a> ItemType<'a> {
            /// The name on the wire.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $name,)*
                    Self::Unknown(name) => name,
                }
            }

            /// The same, borrowing from nothing.
            pub fn into_owned(self) -> ItemType<'static> {
                match self {
                    $(Self::$variant => ItemType::$variant,)*
                    Self::Unknown(name) => ItemType::Unknown(Cow::Owned(name.into_owned())),
                }
            }

            fn from_name(name: Cow<'a, str>) -> Self {
                match &*name {
                    $($name => Self::$variant,)*
                    "profile_chunk_ui" => Self::ProfileChunk,
                    _ => Self::Unknown(name),
                }
            }
        }
    };
}

item_types! {
    /// An event: an error or a message.
    Event = "event",
    /// A transaction with its spans.
    Transaction = "transaction",
    /// Feedback of a user, as an event.
    Feedback = "feedback",
    /// Feedback of a user, the older form.
    UserReport = "user_report",
    /// A file that belongs to an event.
    Attachment = "attachment",
    /// One session.
    Session = "session",
    /// Sessions counted by the client.
    Sessions = "sessions",
    /// A sign of life of a scheduled job.
    CheckIn = "check_in",
    /// What the client dropped, and why.
    ClientReport = "client_report",
    /// Log entries.
    Log = "log",
    /// Spans.
    Span = "span",
    /// Metrics attached to traces.
    TraceMetric = "trace_metric",
    /// A profile of a transaction.
    Profile = "profile",
    /// A piece of a continuous profile.
    ProfileChunk = "profile_chunk",
    /// What a session replay is about.
    ReplayEvent = "replay_event",
    /// A session replay of a browser.
    ReplayRecording = "replay_recording",
    /// A session replay of a mobile device.
    ReplayVideo = "replay_video",
    /// A report of a browser, such as a violation of a content security policy.
    RawSecurity = "raw_security",
    /// Metrics, as older SDKs sent them.
    Statsd = "statsd",
    /// Metadata of metrics, as older SDKs sent them.
    MetricMeta = "metric_meta",
}

impl fmt::Display for ItemType<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl<'a> EnvelopeHeader<'a> {
    /// Reads the line alone.
    pub fn parse(line: &'a [u8]) -> Result<Self, EnvelopeError> {
        let mut header = Self::default();
        read_object(line, Part::Header, |key, value| match key {
            Known::EventId => header.event_id = text(value).and_then(|text| text.parse().ok()),
            Known::Dsn => header.dsn = text(value),
            Known::Sdk => header.sdk = sdk(value),
            Known::SentAt => header.sent_at = parse_timestamp(&value),
            Known::Origin => header.origin = text(value),
            _ => {}
        })?;
        Ok(header)
    }
}

impl<'a> ItemHeader<'a> {
    pub(super) fn parse(line: &'a [u8], part: Part) -> Result<Self, EnvelopeError> {
        let mut item_type = None;
        let mut bad_length = false;
        let mut header = Self {
            item_type: ItemType::Unknown(Cow::Borrowed("")),
            length: None,
            content_type: None,
            filename: None,
            attachment_type: None,
            item_count: None,
        };
        read_object(line, part, |key, value| match key {
            Known::Type => item_type = text(value),
            Known::Length => {
                header.length = integer(&value).and_then(|length| usize::try_from(length).ok());
                bad_length = header.length.is_none() && !value.is_null();
            }
            Known::ContentType => header.content_type = text(value),
            Known::Filename => header.filename = text(value),
            Known::AttachmentType => header.attachment_type = text(value),
            Known::ItemCount => header.item_count = integer(&value),
            _ => {}
        })?;
        let bad = |problem: &str| EnvelopeError::BadHeader {
            part,
            problem: problem.to_owned(),
        };
        // A length that is not understood must not be ignored: we would cut at the wrong place.
        if bad_length {
            return Err(bad("its length is not a whole number of bytes"));
        }
        let item_type = item_type.ok_or_else(|| bad("it has no type"))?;
        header.item_type = ItemType::from_name(item_type);
        Ok(header)
    }
}

fn text(value: Json<'_>) -> Option<Cow<'_, str>> {
    match value {
        Json::Str(text) => Some(text),
        _ => None,
    }
}

fn integer(value: &Json<'_>) -> Option<u64> {
    match value {
        Json::Number(number) => number.as_u64(),
        _ => None,
    }
}

fn sdk(value: Json<'_>) -> Option<SdkInfo<'_>> {
    let Json::Object(mut object) = value else {
        return None;
    };
    Some(SdkInfo {
        name: object.remove("name").and_then(text),
        version: object.remove("version").and_then(text),
    })
}

/// A key that one of the two headers has.
#[derive(Clone, Copy)]
enum Known {
    EventId,
    Dsn,
    Sdk,
    SentAt,
    Origin,
    Type,
    Length,
    ContentType,
    Filename,
    AttachmentType,
    ItemCount,
    /// Anything else; its value is skipped.
    Other,
}

impl Known {
    fn from_name(name: &str) -> Self {
        match name {
            "event_id" => Self::EventId,
            "dsn" => Self::Dsn,
            "sdk" => Self::Sdk,
            "sent_at" => Self::SentAt,
            "origin" => Self::Origin,
            "type" => Self::Type,
            "length" => Self::Length,
            "content_type" => Self::ContentType,
            "filename" => Self::Filename,
            "attachment_type" => Self::AttachmentType,
            "item_count" => Self::ItemCount,
            _ => Self::Other,
        }
    }
}

fn read_object<'a>(
    line: &'a [u8],
    part: Part,
    set: impl FnMut(Known, Json<'a>),
) -> Result<(), EnvelopeError> {
    let mut deserializer = serde_json::Deserializer::from_slice(line);
    deserializer
        .deserialize_map(HeaderVisitor { set })
        .and_then(|()| deserializer.end())
        .map_err(|error| EnvelopeError::BadHeader {
            part,
            problem: error.to_string(),
        })
}

struct HeaderVisitor<F> {
    set: F,
}

impl<'de, F: FnMut(Known, Json<'de>)> Visitor<'de> for HeaderVisitor<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object on one line")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key_seed(KnownSeed)? {
            match key {
                Known::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
                known => (self.set)(known, map.next_value_seed(JsonSeed::TOP)?),
            }
        }
        Ok(())
    }
}

struct KnownSeed;

impl<'de> DeserializeSeed<'de> for KnownSeed {
    type Value = Known;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Known, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for KnownSeed {
    type Value = Known;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, name: &str) -> Result<Known, E> {
        Ok(Known::from_name(name))
    }
}
