//! Why an event is in its issue: the explanation that grouping left, for people.

use copal_protocol::{Json, parse_lenient};
use copal_ui::pages::event::{GroupingVariant, GroupingView};

use super::SHOWN_MAX;
use super::tree::{list, scalar, text, truth};

/// The explanation; empty where it cannot be read.
pub(super) fn grouping(explanation: &[u8]) -> GroupingView {
    let mut scratch = Vec::new();
    let Ok(explanation) = parse_lenient(explanation, &mut scratch) else {
        return GroupingView::default();
    };
    let hash = text(&explanation, "fingerprint").unwrap_or_default();
    let variants: Vec<_> = list(&explanation, "variants")
        .iter()
        .take(SHOWN_MAX)
        .map(|variant| view(variant, &hash))
        .collect();
    let deciding = variants.iter().find(|variant| variant.is_deciding);
    GroupingView {
        version: text(&explanation, "version").unwrap_or_default(),
        deciding: text(&explanation, "deciding")
            .or_else(|| deciding.map(|variant| variant.name.clone()))
            .unwrap_or_default(),
        hash,
        reasons: list(&explanation, "reasons")
            .iter()
            .filter_map(scalar)
            .take(SHOWN_MAX)
            .collect(),
        variants,
    }
}

fn view(variant: &Json<'_>, deciding_hash: &str) -> GroupingVariant {
    let contributes = truth(variant, "contributes").unwrap_or(false);
    let hash = text(variant, "hash").filter(|hash| !hash.is_empty());
    GroupingVariant {
        name: text(variant, "name").unwrap_or_default(),
        is_deciding: contributes && hash.as_deref() == Some(deciding_hash),
        note: text(variant, "hint").unwrap_or_else(|| note(variant, contributes)),
        hash,
    }
}

/// Only the deciding variant lists what was hashed.
fn note(variant: &Json<'_>, contributes: bool) -> String {
    match list(variant, "leaves").len() {
        0 if contributes => "its hash finds the issue too".to_owned(),
        0 => "it does not apply".to_owned(),
        leaves => format!("{leaves} values contribute"),
    }
}
