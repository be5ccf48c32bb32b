use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// Shows an envelope, an item a line.
fn show(envelope: &Envelope<'_>) -> String {
    let items = envelope.items.iter().map(|item| {
        let payload = String::from_utf8_lossy(item.payload);
        format!("{:?}\n{payload:?}", item.header)
    });
    format!(
        "{:#?}\n{}",
        envelope.header,
        items.collect::<Vec<_>>().join("\n")
    )
}

fn check(body: impl AsRef<[u8]>, expected: &str) {
    let envelope = Envelope::parse(body.as_ref()).unwrap();
    let items: Vec<String> = envelope
        .items
        .iter()
        .map(|item| {
            let payload = String::from_utf8_lossy(item.payload);
            format!("{} {payload:?}", item.header.item_type)
        })
        .collect();
    assert_eq!(items.join("; "), expected);
}

fn fails(body: impl AsRef<[u8]>) -> String {
    Envelope::parse(body.as_ref()).unwrap_err().to_string()
}

#[test]
fn an_envelope_of_an_sdk_is_taken_apart() {
    let body = "{\"event_id\":\"9ec79c33-ec99-42ab-8353-589fcb2e04dc\",\
        \"dsn\":\"https://e12d836b15bb49d7bbf99e64295d995b@sentry.io/42\",\
        \"sdk\":{\"name\":\"sentry.python\",\"version\":\"2.0.1\",\"packages\":[]},\
        \"sent_at\":\"2026-03-01T10:00:00.123456789Z\",\"trace\":[\"malformed\",7],\"new\":{}}\n\
        {\"type\":\"attachment\",\"length\":10,\"content_type\":\"text/plain\",\"filename\":\"a\"}\n\
        \u{feff}Hello\r\n\n\
        {\"type\":\"event\",\"length\":41,\"content_type\":\"application/json\"}\n\
        {\"message\":\"hello world\",\"level\":\"error\"}\n\n";
    let envelope = Envelope::parse(body.as_bytes()).unwrap();
    insta::assert_snapshot!(show(&envelope));
}

#[test]
fn lengths_and_ends_of_lines_are_optional() {
    check("{}", "");
    check("{}\n", "");
    check("{}\r\n\n \n", "");
    check("{}\n{\"type\":\"event\"}\n{}", "event \"{}\"");
    check("{}\n{\"type\":\"event\"}\n{}\n", "event \"{}\"");
    check("{}\n{\"type\":\"event\"}", "event \"\"");
    check(
        "{}\n{\"type\":\"event\",\"length\":null}\n{}\r\n",
        "event \"{}\\r\"",
    );
    check("{}\n{\"type\":\"event\",\"length\":0}", "event \"\"");
    check(
        "{}  \r\n\r\n{\"type\":\"session\",\"length\":0} \r\n\n{\"type\":\"a\",\"length\":3}\na\nb",
        "session \"\"; a \"a\\nb\"",
    );
    check(
        "{}\n{\"type\":\"event\",\"length\":2}\r\n{}\r\n",
        "event \"{}\"",
    );
    check(
        "{}\n{\"type\":\"event\",\"length\":2.0,\"length\":2}\n{}",
        "event \"{}\"",
    );
}

#[test]
fn unknown_types_keep_their_name() {
    check(
        "{}\n{\"type\":\"hologram\",\"x\":[1]}\npayload",
        "hologram \"payload\"",
    );
    check(
        "{}\n{\"type\":\"profile_chunk_ui\"}\n{}",
        "profile_chunk \"{}\"",
    );
}

#[test]
fn wrong_types_in_headers_count_as_absent() {
    let body = "{\"event_id\":7,\"sdk\":\"x\",\"sent_at\":\"never\",\"dsn\":null}";
    let envelope = Envelope::parse(body.as_bytes()).unwrap();
    assert_eq!(envelope.header, EnvelopeHeader::default());
    let body = b"{}\n{\"type\":\"attachment\",\"filename\":[],\"item_count\":\"x\"}\n";
    let envelope = Envelope::parse(body).unwrap();
    assert_eq!(envelope.items[0].header.filename, None);
}

#[test]
fn bad_framing_says_where() {
    let answers = [
        fails(""),
        fails("\n \r\n"),
        fails("hello"),
        fails("[]"),
        fails("{} x"),
        fails("{}\n{\"type\":\"event\",\"length\":2}\n{}\n{}"),
        fails("{}\n{\"type\":7}\n{}"),
        fails("{}\n{\"type\":\"event\",\"length\":-1}\n{}"),
        fails("{}\n{\"type\":\"event\",\"length\":\"2\"}\n{}"),
        fails("{}\n{\"type\":\"event\",\"length\":18446744073709551615}\n{}"),
        fails("{}\n{\"type\":\"event\",\"length\":3}\n{}"),
        fails("{}\n{\"type\":\"event\",\"length\":1}\n{}"),
    ];
    insta::assert_snapshot!(answers.join("\n"));
}

#[test]
fn items_are_limited() {
    let item = "{\"type\":\"session\"}\n{}\n";
    let with = |count: usize| format!("{{}}\n{}", item.repeat(count));
    let envelope = with(ENVELOPE_ITEMS_MAX);
    let envelope = Envelope::parse(envelope.as_bytes()).unwrap();
    assert_eq!(envelope.items.len(), ENVELOPE_ITEMS_MAX);
    let error = Envelope::parse(with(ENVELOPE_ITEMS_MAX + 1).as_bytes()).map(|_| ());
    assert_eq!(error, Err(EnvelopeError::TooManyItems));
}

#[test]
fn header_lines_are_limited() {
    let header = |bytes: usize| format!("{{\"x\":\"{}\"}}", "y".repeat(bytes - 8));
    check(header(HEADER_LINE_BYTES_MAX), "");
    assert!(fails(header(HEADER_LINE_BYTES_MAX + 1)).contains("more than 8192 bytes"));
    let item = format!("{{}}\n{}", header(HEADER_LINE_BYTES_MAX + 1));
    assert!(fails(item).starts_with("item 1 has a header line of more"));
}

#[test]
fn deep_headers_do_not_overflow_the_stack() {
    check(
        format!("{{\"x\":{}{}}}", "[".repeat(4_000), "]".repeat(4_000)),
        "",
    );
    check(
        format!("{{\"sdk\":{}{}}}", "[".repeat(4_000), "]".repeat(4_000)),
        "",
    );
    fails(format!("{{\"sdk\":{}", "[".repeat(8_000)));
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in vec(any::<u8>(), 0..100)) {
        let _ = Envelope::parse(&bytes);
    }

    #[test]
    fn framed_items_come_back(payloads in vec(vec(any::<u8>(), 0..40), 0..8)) {
        let mut body = b"{}\n".to_vec();
        for payload in &payloads {
            let header = format!("{{\"type\":\"attachment\",\"length\":{}}}\n", payload.len());
            body.extend_from_slice(header.as_bytes());
            body.extend_from_slice(payload);
            body.push(b'\n');
        }
        let envelope = Envelope::parse(&body).unwrap();
        let found: Vec<&[u8]> = envelope.items.iter().map(|item| item.payload).collect();
        prop_assert_eq!(found, payloads);
    }

    #[test]
    fn nothing_like_an_envelope_panics(
        body in r#"(\{\}|\{"type":"event"|,"length":|[0-9]|\}|\n|\r|\PC){0,20}"#
    ) {
        let _ = Envelope::parse(body.as_bytes());
    }
}
