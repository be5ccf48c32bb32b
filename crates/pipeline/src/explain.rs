//! How an event was grouped, as JSON for people: stored with the event and shown on its page.
//!
//! Only the deciding variant lists what was hashed; the others show their hash. The list would
//! otherwise be larger than the event.

use copal_grouping::{Grouping, Hash, Leaf, Variant};
use serde::Serialize;

#[derive(Serialize)]
struct Explanation<'a> {
    fingerprint: String,
    version: &'static str,
    deciding: &'static str,
    variants: Vec<VariantJson<'a>>,
    reasons: &'a [&'static str],
}

#[derive(Serialize)]
struct VariantJson<'a> {
    name: &'static str,
    hash: Option<String>,
    contributes: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'static str>,
    leaves: Vec<LeafJson<'a>>,
}

#[derive(Serialize)]
struct LeafJson<'a> {
    part: &'static str,
    value: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    frame: Option<usize>,
}

/// The explanation as JSON text.
pub fn explain(grouping: &Grouping<'_>) -> Vec<u8> {
    let variants = grouping
        .variants
        .iter()
        .enumerate()
        .map(|(index, variant)| {
            let leaves = if index == 0 {
                variant.leaves.iter().map(leaf_json).collect()
            } else {
                vec![]
            };
            variant_json(variant, leaves)
        });
    let explanation = Explanation {
        fingerprint: grouping.hashes.first().map(hexadecimal).unwrap_or_default(),
        version: grouping.version,
        deciding: grouping.deciding,
        variants: variants.collect(),
        reasons: &grouping.reasons,
    };
    serde_json::to_vec(&explanation).expect("texts and numbers are always writable")
}

fn variant_json<'a>(variant: &Variant<'_>, leaves: Vec<LeafJson<'a>>) -> VariantJson<'a> {
    VariantJson {
        name: variant.name,
        hash: variant.hash.as_ref().map(hexadecimal),
        contributes: variant.contributes,
        hint: variant.hint,
        leaves,
    }
}

fn leaf_json<'a>(leaf: &'a Leaf<'_>) -> LeafJson<'a> {
    LeafJson {
        part: leaf.part,
        value: &leaf.value,
        frame: leaf.frame,
    }
}

/// A hash as people see it: 32 hexadecimal digits.
pub fn hexadecimal(hash: &Hash) -> String {
    format!("{:032x}", u128::from_be_bytes(*hash))
}

#[cfg(test)]
mod tests {
    use copal_protocol::event::Event;
    use copal_protocol::parse_lenient;

    use super::*;

    #[test]
    fn says_what_was_hashed() {
        let mut scratch = Vec::new();
        let json = parse_lenient(br#"{"message":"user 7 is gone"}"#, &mut scratch).unwrap();
        let event = Event::from_json(json).unwrap();
        let text = explain(&copal_grouping::group(&event));
        let json: serde_json::Value = serde_json::from_slice(&text).unwrap();
        assert_eq!(
            json["variants"][0]["leaves"][0]["value"],
            "user <int> is gone"
        );
        assert_eq!(json["fingerprint"], json["variants"][0]["hash"]);
        assert_eq!(
            (&json["deciding"], &json["version"]),
            (&"message".into(), &"copal-1".into())
        );
    }
}
