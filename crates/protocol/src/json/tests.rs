use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::limits::JSON_DEPTH_MAX;

/// Reads leniently and writes back.
fn reads_as(text: impl AsRef<[u8]>, expected: &str) {
    let mut scratch = Vec::new();
    let json = parse_lenient(text.as_ref(), &mut scratch).unwrap();
    assert_eq!(json.to_json_text(), expected);
}

fn fails(text: impl AsRef<[u8]>) {
    assert!(parse_lenient(text.as_ref(), &mut Vec::new()).is_err());
}

#[test]
fn strict_json_reads_back_in_order() {
    reads_as(
        r#" {"b":[1,-2,3.5,true,null],"a":{"x":"\u00e9\n"}} "#,
        "{\"b\":[1,-2,3.5,true,null],\"a\":{\"x\":\"é\\n\"}}",
    );
    reads_as("18446744073709551615", "18446744073709551615");
    reads_as("-9223372036854775808", "-9223372036854775808");
}

#[test]
fn the_last_of_several_values_of_a_key_wins() {
    reads_as(r#"{"a":1,"b":2,"a":3}"#, r#"{"a":3,"b":2}"#);
    let many: Vec<String> = (0..100).map(|i| format!("\"k{}\":{i}", i % 50)).collect();
    let mut scratch = Vec::new();
    let text = format!("{{{}}}", many.join(","));
    let json = parse_lenient(text.as_bytes(), &mut scratch).unwrap();
    assert_eq!(json.as_object().unwrap().len(), 50);
    assert_eq!(json.get("k7"), Some(&Json::Number(Number::Unsigned(57))));
}

#[test]
fn what_python_and_javascript_write_is_mended() {
    reads_as(
        r#"{"a":NaN,"b":[Infinity,-Infinity],"c":"NaN, Infinity"}"#,
        r#"{"a":null,"b":[null,null],"c":"NaN, Infinity"}"#,
    );
    reads_as(
        r#"["\ud800","\udc00x","\ud83d\ude00"]"#,
        "[\"\u{fffd}\",\"\u{fffd}x\",\"😀\"]",
    );
    reads_as(
        r#"["\ud800\ud83d\ude00", "\\ud800", NaN]"#,
        "[\"\u{fffd}😀\",\"\\\\ud800\",null]",
    );
    reads_as(b"[\"a\xffb\"]", "[\"a\u{fffd}b\"]");
    reads_as("[\"a\tb\nc\"]", r#"["a\tb\nc"]"#);
    reads_as("[1e400,-1e400,1e-400]", "[null,null,0.0]");
    reads_as("\u{feff}{}", "{}");
}

#[test]
fn what_is_no_json_is_an_error() {
    for text in [
        "", " ", "{", "[1,]", "{\"a\"}", "nul", "[NaN", "\"\\", "\"\\ud8", "1 2", "-",
    ] {
        fails(text);
    }
}

#[test]
fn deep_values_are_cut_without_recursion() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    reads_as(nested(JSON_DEPTH_MAX), &nested(JSON_DEPTH_MAX));
    let cut = nested(JSON_DEPTH_MAX).replace("[]", "[null]");
    reads_as(nested(JSON_DEPTH_MAX + 1), &cut);
    reads_as(nested(200_000), &cut);
    reads_as(nested(200_000).replace("[]", "[NaN]"), &cut);
    let objects = "{\"a\":".repeat(200_000) + "1" + &"}".repeat(200_000);
    let cut = "{\"a\":".repeat(JSON_DEPTH_MAX) + "null" + &"}".repeat(JSON_DEPTH_MAX);
    reads_as(objects, &cut);
    fails("[".repeat(200_000));
    fails("{\"a\":".repeat(200_000));
    fails("[NaN,".repeat(200_000));
}

#[test]
fn trees_can_be_cut_at_a_depth() {
    let mut json = parse_lenient_owned(r#"{"a":[1,{"b":2}],"c":3}"#);
    json.cut_at_depth(2);
    assert_eq!(json.to_json_text(), r#"{"a":[1,null],"c":3}"#);
    json.cut_at_depth(0);
    assert_eq!(json, Json::Null);
}

#[test]
fn integers_are_told_from_other_numbers() {
    assert_eq!(Number::Float(3.0).as_u64(), Some(3));
    assert_eq!(Number::Float(-3.0).as_i64(), Some(-3));
    assert_eq!(Number::Float(3.5).as_u64(), None);
    assert_eq!(Number::Float(1e300).as_i64(), None);
    assert_eq!(Number::Unsigned(u64::MAX).as_i64(), None);
}

fn parse_lenient_owned(text: &str) -> Json<'static> {
    let mut scratch = Vec::new();
    parse_lenient(text.as_bytes(), &mut scratch)
        .unwrap()
        .into_owned()
}

/// Any tree, of any shape that fits in a test.
pub(crate) fn any_json() -> impl Strategy<Value = Json<'static>> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::Bool),
        any::<u64>().prop_map(|n| Json::Number(Number::Unsigned(n))),
        (i64::MIN..0).prop_map(|n| Json::Number(Number::Signed(n))),
        any::<f64>()
            .prop_filter("finite", |n| n.is_finite())
            .prop_map(|n| Json::Number(Number::Float(n))),
        "\\PC{0,12}".prop_map(|text| Json::Str(text.into())),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Json::Array),
            vec(("[a-z]{0,4}", inner), 0..5).prop_map(|pairs| {
                let pairs = pairs.into_iter().map(|(key, value)| (key.into(), value));
                Json::Object(Object::from_pairs(pairs.collect()))
            }),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_written_reads_back_the_same(json in any_json()) {
        prop_assert_eq!(parse_lenient_owned(&json.to_json_text()), json);
    }

    #[test]
    fn no_bytes_panic(bytes in vec(any::<u8>(), 0..200)) {
        let _ = parse_lenient(&bytes, &mut Vec::new());
    }

    #[test]
    fn nothing_like_json_panics(text in r#"([\[\]{}:,"\\ud8NaInfty\-0-9.eE]|\PC){0,60}"#) {
        let _ = parse_lenient(text.as_bytes(), &mut Vec::new());
    }
}
