//! Debug images: which binaries and source maps the frames lie in.

use std::borrow::Cow;

use copal_protocol::{Event, Json, Object};

use super::notes::Notes;

/// Kinds of images that can be used; others are dropped.
const KINDS: &[&str] = &[
    "elf",
    "jvm",
    "macho",
    "pe",
    "pe_dotnet",
    "proguard",
    "sourcemap",
    "symbolic",
    "wasm",
];

pub(super) fn normalize(event: &mut Event<'_>, notes: &mut Notes) {
    let Some(Json::Array(images)) = event.debug_meta.get_mut("images") else {
        return;
    };
    let mut index = 0;
    images.retain_mut(|image| {
        let kind = normalize_image(image);
        let is_kept = kind.as_deref().is_ok_and(|kind| KINDS.contains(&kind));
        if let (false, Ok(kind) | Err(kind)) = (is_kept, &kind) {
            notes.add("invalid_data", format!("debug_meta.images.{index}"), kind);
        }
        index += 1;
        is_kept
    });
}

/// Brings an image into today's form, and tells its kind; what it is where it is no image.
fn normalize_image(image: &mut Json<'_>) -> Result<String, String> {
    let Json::Object(image) = image else {
        return Err("no object".to_owned());
    };
    rename(image, "name", "code_file");
    rename(image, "id", "debug_id");
    let kind = image.get("type").and_then(Json::as_str).unwrap_or_default();
    if kind == "apple" {
        image.insert("type", Json::Str(Cow::Borrowed("macho")));
        return Ok("macho".to_owned());
    }
    Ok(kind.to_owned())
}

/// Moves an attribute that older SDKs name otherwise.
fn rename(image: &mut Object<'_>, old: &str, new: &'static str) {
    if let Some(value) = image.remove(old)
        && image.get(new).is_none()
    {
        image.insert(new, value);
    }
}
