//! Static files, compiled in.
//!
//! All are served below one checksum over all of them, `/static/{checksum}/{name}`, so that they
//! may be cached for ever and scripts can import their neighbours by relative paths.

use std::fmt::Write as _;
use std::sync::LazyLock;

use sha2::{Digest, Sha256};

/// The header to send with a static file: its path changes when it does.
pub const CACHE_CONTROL: &str = "public, max-age=31536000, immutable";

/// Hexadecimal digits of the checksum in paths.
const CHECKSUM_DIGITS: usize = 12;

/// A static file.
#[derive(Debug, Clone, Copy)]
pub struct Asset {
    /// Its name, the last part of its path.
    pub name: &'static str,
    /// What it is.
    pub content_type: &'static str,
    /// The file itself.
    pub bytes: &'static [u8],
}

macro_rules! assets {
    ($($name:literal from $file:literal as $content_type:literal;)*) => {
        /// All static files.
        pub const ASSETS: &[Asset] = &[$(Asset {
            name: $name,
            content_type: $content_type,
            bytes: include_bytes!(concat!("../static/", $file)),
        }),*];
    };
}

assets! {
    "app.css" from "css/app.css" as "text/css; charset=utf-8";
    "app.js" from "js/app.js" as "text/javascript; charset=utf-8";
    "copy.js" from "js/copy.js" as "text/javascript; charset=utf-8";
    "keys.js" from "js/keys.js" as "text/javascript; charset=utf-8";
    "live.js" from "js/live.js" as "text/javascript; charset=utf-8";
    "menu.js" from "js/menu.js" as "text/javascript; charset=utf-8";
    "search.js" from "js/search.js" as "text/javascript; charset=utf-8";
    "select.js" from "js/select.js" as "text/javascript; charset=utf-8";
    "theme.js" from "js/theme.js" as "text/javascript; charset=utf-8";
    "time.js" from "js/time.js" as "text/javascript; charset=utf-8";
    "icon.svg" from "icon.svg" as "image/svg+xml";
}

static CHECKSUM: LazyLock<String> = LazyLock::new(|| {
    let mut hash = Sha256::new();
    for asset in ASSETS {
        hash.update(asset.name);
        hash.update(asset.bytes);
    }
    let mut digits = String::new();
    for byte in hash.finalize() {
        write!(digits, "{byte:02x}").expect("a string takes all that is written");
    }
    digits.truncate(CHECKSUM_DIGITS);
    digits
});

/// The checksum in the paths of static files.
pub fn checksum() -> &'static str {
    &CHECKSUM
}

/// The path of a static file.
pub fn path(name: &str) -> String {
    format!("/static/{}/{name}", checksum())
}

/// The static file that `/static/{checksum}/{name}` asks for.
///
/// A checksum of another version answers nothing: what is there now would be cached under it.
pub fn find(path_checksum: &str, name: &str) -> Option<&'static Asset> {
    ASSETS
        .iter()
        .find(|asset| asset.name == name)
        .filter(|_| path_checksum == checksum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_found_under_its_checksum_only() {
        assert_eq!(path("app.css"), format!("/static/{}/app.css", checksum()));
        assert!(find(checksum(), "app.css").is_some());
        assert!(find("000000000000", "app.css").is_none());
        assert!(find(checksum(), "nothing.css").is_none());
        assert_eq!(checksum().len(), CHECKSUM_DIGITS);
    }

    #[test]
    fn every_script_that_is_imported_is_there() {
        let app = find(checksum(), "app.js").expect("the first script").bytes;
        let app = std::str::from_utf8(app).expect("scripts are text");
        let imported = app.split("import \"./").skip(1);
        let names: Vec<_> = imported.filter_map(|rest| rest.split('"').next()).collect();
        assert!(names.len() > 5, "{names:?}");
        for name in names {
            assert!(find(checksum(), name).is_some(), "{name}");
        }
    }
}
