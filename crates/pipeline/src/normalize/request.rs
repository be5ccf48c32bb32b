//! The request, and the address of the user behind it.

use std::borrow::Cow;
use std::net::IpAddr;

use copal_protocol::event::{Pairs, Request, User};
use copal_protocol::{Event, Json, parse_lenient};

use super::Facts;
use super::attributes::trim_blank;
use super::limits::{
    EMAIL, ENUMERATION, HEADERS_BYTES_MAX, PATH, QUERY_BYTES_MAX, REQUEST_DATA, REQUEST_ENV,
};
use super::notes::Notes;
use super::trim::{trim_data, trim_object, trim_text};

/// What SDKs write where the server is to fill in the address.
const AUTO: &str = "{{auto}}";
/// Platforms of which older SDKs expect the address to be filled in without saying so.
const LEGACY_INFER: &[&str] = &["javascript", "cocoa", "objc"];

pub(super) fn normalize(event: &mut Event<'_>, facts: &Facts<'_>, notes: &mut Notes) {
    if let Some(request) = &mut event.request {
        normalize_request(request, notes);
        trim_request(request, notes);
    }
    normalize_user(event, facts, notes);
}

fn normalize_request(request: &mut Request<'_>, notes: &mut Notes) {
    split_url(request);
    if let Some(method) = &mut request.method {
        method.to_mut().make_ascii_uppercase();
    }
    let is_method = |method: &str| {
        (3..=32).contains(&method.len())
            && method
                .bytes()
                .all(|b| b.is_ascii_uppercase() || b == b'-' || b == b'_')
    };
    if let Some(method) = request.method.take_if(|method| !is_method(method)) {
        notes.dropped("request.method", &method);
    }
    for (name, _) in &mut request.headers.0 {
        capitalise(name);
    }
    let cookie = request
        .headers
        .0
        .iter()
        .position(|(name, _)| name == "Cookie");
    if let Some(place) = cookie {
        let (_, value) = request.headers.0.remove(place);
        if request.cookies.0.is_empty() {
            request.cookies = Pairs::from_cookies(&value);
        }
    }
    read_body(request);
}

fn trim_request(request: &mut Request<'_>, notes: &mut Notes) {
    for (is_cut, name) in [
        (trim_text(&mut request.url, PATH), "url"),
        (trim_text(&mut request.fragment, PATH), "fragment"),
        (trim_data(&mut request.data, REQUEST_DATA), "data"),
        (trim_object(&mut request.env, REQUEST_ENV), "env"),
        (
            trim_pairs(&mut request.query_string, QUERY_BYTES_MAX),
            "query_string",
        ),
        (
            trim_pairs(&mut request.headers, HEADERS_BYTES_MAX),
            "headers",
        ),
        (
            trim_pairs(&mut request.cookies, HEADERS_BYTES_MAX),
            "cookies",
        ),
    ] {
        notes.cut_if(is_cut, || format!("request.{name}"));
    }
}

/// Drops the pairs that do not fit, and tells whether it did.
fn trim_pairs(pairs: &mut Pairs<'_>, bytes_max: usize) -> bool {
    let mut bytes_left = bytes_max;
    let before = pairs.0.len();
    pairs.0.retain(|(key, value)| {
        let fits = bytes_left.checked_sub(key.len() + value.len());
        bytes_left = fits.unwrap_or(bytes_left);
        fits.is_some()
    });
    pairs.0.len() < before
}

fn split_url(request: &mut Request<'_>) {
    let Some(url) = request.url.take() else {
        return;
    };
    let (rest, fragment) = url
        .split_once('#')
        .map_or((&*url, None), |(a, b)| (a, Some(b)));
    let (base, query) = rest
        .split_once('?')
        .map_or((rest, None), |(a, b)| (a, Some(b)));
    if request.query_string.0.is_empty()
        && let Some(query) = query
    {
        request.query_string = Pairs::from_query(query);
    }
    if request.fragment.is_none()
        && let Some(fragment) = fragment.filter(|text| !text.is_empty())
    {
        request.fragment = Some(Cow::Owned(fragment.to_owned()));
    }
    let base = match base.strip_suffix('…') {
        Some(cut) => format!("{cut}..."),
        None => base.to_owned(),
    };
    request.url = Some(Cow::Owned(base));
    trim_blank(&mut request.url);
}

/// Upper-cases the first letter of each part of a header's name: `content-type`, `Content-Type`.
fn capitalise(name: &mut Cow<'_, str>) {
    let is_start = |place: usize, bytes: &[u8]| place == 0 || bytes[place - 1] == b'-';
    let bytes = name.as_bytes();
    let is_done =
        (0..bytes.len()).all(|place| !is_start(place, bytes) || !bytes[place].is_ascii_lowercase());
    if is_done {
        return;
    }
    let mut after_dash = true;
    let capitalised = name.chars().map(|c| {
        let c = if after_dash {
            c.to_ascii_uppercase()
        } else {
            c
        };
        after_dash = c == '-';
        c
    });
    *name = Cow::Owned(capitalised.collect());
}

/// Takes a body that is text apart, so that what is secret in it can be found by its keys.
fn read_body(request: &mut Request<'_>) {
    let Json::Str(text) = &request.data else {
        return;
    };
    let is_form = match request.headers.get("Content-Type") {
        Some(kind) => kind.starts_with("application/x-www-form-urlencoded"),
        None => is_like_form(text),
    };
    if text.trim_start().starts_with(['{', '[']) {
        let mut scratch = Vec::new();
        if let Ok(json) = parse_lenient(text.as_bytes(), &mut scratch) {
            let json = json.into_owned();
            request.data = json;
            request.inferred_content_type = Some(Cow::Borrowed("application/json"));
        }
    } else if is_form {
        let pairs = Pairs::from_query(text).0.into_iter();
        let pairs = pairs.map(|(key, value)| {
            let value = Json::Str(Cow::Owned(value.into_owned()));
            (Cow::Owned(key.into_owned()), value)
        });
        request.data = Json::Object(copal_protocol::Object::from_pairs(pairs.collect()));
        let kind = "application/x-www-form-urlencoded";
        request.inferred_content_type = Some(Cow::Borrowed(kind));
    }
}

/// `name=value&name=value`
fn is_like_form(text: &str) -> bool {
    let is_pair = |pair: &str| pair.split_once('=').is_some_and(|(key, _)| !key.is_empty());
    !text.is_empty() && !text.contains(char::is_whitespace) && text.split('&').all(is_pair)
}

fn normalize_user(event: &mut Event<'_>, facts: &Facts<'_>, notes: &mut Notes) {
    let address = resolve_address(event, facts);
    if let Some(user) = &mut event.user {
        user.ip_address = address.map(Cow::Owned);
    } else if address.is_some() {
        event.user = Some(User {
            ip_address: address.map(Cow::Owned),
            ..User::default()
        });
    }
    let Some(user) = &mut event.user else {
        return;
    };
    for (name, attribute, limit) in [
        ("id", &mut user.id, ENUMERATION),
        ("username", &mut user.username, ENUMERATION),
        ("email", &mut user.email, EMAIL),
        ("name", &mut user.name, ENUMERATION),
        ("segment", &mut user.segment, ENUMERATION),
    ] {
        trim_blank(attribute);
        notes.cut_if(trim_text(attribute, limit), || format!("user.{name}"));
    }
}

/// The user's address: as given, or the client's where the SDK asks for it.
fn resolve_address(event: &Event<'_>, facts: &Facts<'_>) -> Option<String> {
    let given = event
        .user
        .as_ref()
        .and_then(|user| user.ip_address.as_deref());
    let setting = event
        .sdk
        .as_ref()
        .and_then(|sdk| sdk.settings.get("infer_ip"));
    let setting = setting.and_then(Json::as_str);
    let platform = event.platform.as_deref().unwrap_or_default();
    let is_inferred = match (given.map(str::trim), setting) {
        (Some(AUTO), Some("never")) => return None,
        (Some(AUTO), _) => true,
        (Some(given), _) if !given.is_empty() => {
            return given
                .parse::<IpAddr>()
                .ok()
                .map(|address| address.to_string());
        }
        (_, Some("auto")) => true,
        (_, Some(_)) => false,
        (_, None) => LEGACY_INFER.contains(&platform),
    };
    let env = event
        .request
        .as_ref()
        .and_then(|request| request.env.get("REMOTE_ADDR"));
    let remote = env
        .and_then(Json::as_str)
        .and_then(|text| text.parse::<IpAddr>().ok());
    let address = remote.or(facts.client_ip).filter(|_| is_inferred);
    address.map(|address| address.to_string())
}
