//! Mends what SDKs write and strict JSON does not allow.
//!
//! One linear pass over the bytes, without any stack: `NaN`, `Infinity`, `-Infinity` and numbers
//! too large for a float become null, lone surrogate escapes become U+FFFD, raw control characters
//! within strings are escaped, and invalid UTF-8 becomes U+FFFD.

const REPLACEMENT_ESCAPE: &[u8] = br"\ufffd";

/// Writes the mended text to `scratch`, always valid UTF-8.
pub(super) fn repair(bytes: &[u8], scratch: &mut Vec<u8>) {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_start_matches('\u{feff}').as_bytes();
    scratch.clear();
    scratch.reserve(text.len());
    let mut rest = text;
    while let Some(&byte) = rest.first() {
        rest = match byte {
            b'"' => copy_string(rest, scratch),
            b'N' | b'I' | b'-' | b'0'..=b'9' => copy_number(rest, scratch),
            _ => copy(rest, 1, scratch),
        };
    }
}

fn copy<'t>(text: &'t [u8], len: usize, scratch: &mut Vec<u8>) -> &'t [u8] {
    let (head, rest) = text.split_at(len);
    scratch.extend_from_slice(head);
    rest
}

/// Copies a number, or null in the place of one that JSON does not have.
fn copy_number<'t>(text: &'t [u8], scratch: &mut Vec<u8>) -> &'t [u8] {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
    let len = text.iter().take_while(|byte| is_part(byte)).count();
    let (token, rest) = text.split_at(len);
    let is_out_of_range = || {
        let token = std::str::from_utf8(token).unwrap_or_default();
        token.parse::<f64>().is_ok_and(f64::is_infinite)
    };
    match token {
        b"NaN" | b"-NaN" | b"Infinity" | b"-Infinity" => scratch.extend_from_slice(b"null"),
        _ if is_out_of_range() => scratch.extend_from_slice(b"null"),
        _ => scratch.extend_from_slice(token),
    }
    rest
}

/// Copies a string, from its quote to the quote that ends it.
fn copy_string<'t>(text: &'t [u8], scratch: &mut Vec<u8>) -> &'t [u8] {
    let mut rest = copy(text, 1, scratch);
    while let Some(&byte) = rest.first() {
        rest = match byte {
            b'"' => return copy(rest, 1, scratch),
            b'\\' => copy_escape(rest, scratch),
            0x00..=0x1f => {
                scratch.extend_from_slice(format!("\\u{byte:04x}").as_bytes());
                &rest[1..]
            }
            _ => {
                let is_plain = |byte: &u8| !matches!(byte, b'"' | b'\\' | 0x00..=0x1f);
                let len = rest.iter().take_while(|byte| is_plain(byte)).count();
                copy(rest, len, scratch)
            }
        };
    }
    rest
}

fn copy_escape<'t>(text: &'t [u8], scratch: &mut Vec<u8>) -> &'t [u8] {
    match surrogate(text) {
        None => copy(text, text.len().min(2), scratch),
        Some(0xd800..=0xdbff) if matches!(surrogate(&text[6..]), Some(0xdc00..=0xdfff)) => {
            copy(text, 12, scratch)
        }
        Some(_) => {
            scratch.extend_from_slice(REPLACEMENT_ESCAPE);
            &text[6..]
        }
    }
}

/// The surrogate that the text begins with an escape of.
fn surrogate(text: &[u8]) -> Option<u16> {
    let digits = text.strip_prefix(br"\u")?.get(..4)?;
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let unit = u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    matches!(unit, 0xd800..=0xdfff).then_some(unit)
}
