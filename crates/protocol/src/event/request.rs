//! The HTTP request that was being served or sent.

use super::reader::Reader;
use super::record::record;
use super::{Pairs, Text};
use crate::json::{Json, Object};

record! {
    /// An HTTP request.
    pub struct Request {
        /// Without query and fragment.
        url: Option<Text<'a>> = "url",
        /// In capitals.
        method: Option<Text<'a>> = "method",
        /// The body.
        data: Json<'a> = "data",
        /// The query, taken apart.
        query_string: Pairs<'a> = "query_string" [read_query],
        /// What follows `#` in the URL.
        fragment: Option<Text<'a>> = "fragment",
        /// Cookies.
        cookies: Pairs<'a> = "cookies" [read_cookies],
        /// Headers.
        headers: Pairs<'a> = "headers",
        /// The server's environment.
        env: Object<'a> = "env",
        /// The media type that the body seems to have.
        inferred_content_type: Option<Text<'a>> = "inferred_content_type",
        /// The kind of API.
        api_target: Option<Text<'a>> = "api_target",
        /// Bytes of the body.
        body_size: Option<u64> = "body_size",
        /// The protocol.
        protocol: Option<Text<'a>> = "protocol",
    }
}

/// A query is a text, an object or pairs.
fn read_query<'a>(json: Json<'a>, reader: &mut Reader<'a>) -> Pairs<'a> {
    match json {
        Json::Str(text) => Pairs::from_query(&text),
        other => Pairs::from_json(other, reader).unwrap_or_default(),
    }
}

/// Cookies are a text as in the header, an object or pairs.
fn read_cookies<'a>(json: Json<'a>, reader: &mut Reader<'a>) -> Pairs<'a> {
    match json {
        Json::Str(text) => Pairs::from_cookies(&text),
        other => Pairs::from_json(other, reader).unwrap_or_default(),
    }
}

impl Pairs<'_> {
    /// Takes a query string apart, with or without its question mark.
    pub fn from_query(text: &str) -> Self {
        let text = text.strip_prefix('?').unwrap_or(text);
        let pairs = form_urlencoded::parse(text.as_bytes());
        let owned = pairs.map(|(key, value)| (key.into_owned().into(), value.into_owned().into()));
        Self(owned.collect())
    }

    /// Takes the header `Cookie` apart.
    pub fn from_cookies(text: &str) -> Self {
        let cookies = text.split(';').filter_map(|cookie| {
            let cookie = cookie.trim();
            let (name, value) = cookie.split_once('=').unwrap_or((cookie, ""));
            (!name.is_empty()).then(|| (name.to_owned().into(), value.to_owned().into()))
        });
        Self(cookies.collect())
    }
}
