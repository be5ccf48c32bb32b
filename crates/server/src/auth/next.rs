//! Where to go after logging in: a path on this site, never elsewhere (ASVS 3.7.2).

/// Bytes of a path that is followed.
const NEXT_BYTES_MAX: usize = 2_000;

/// The path if it stays on this site; `None` for anything a browser could read otherwise.
///
/// Browsers read `\` as `/`, drop tabs and line breaks, and servers in between decode `%2f`: so
/// none of these may stand where a second slash would make a host out of the path.
pub fn safe(path: &str) -> Option<&str> {
    let after_slash = path.strip_prefix('/')?;
    let plain = path.bytes().all(|byte| byte.is_ascii_graphic()) && !path.contains('\\');
    let first_segment = after_slash
        .split(['/', '?', '#'])
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let hides_host = after_slash.starts_with('/')
        || ["%2f", "%5c", "%09", "%0a", "%0d", "%00", "%25"]
            .iter()
            .any(|escape| first_segment.contains(escape));
    (plain && !hides_host && path.len() <= NEXT_BYTES_MAX).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_on_this_site_are_followed() {
        for path in [
            "/",
            "/o/shop/issues?query=is%3Aopen%20a%2Fb",
            "/o/shop/issues/SHOP-12#stack",
        ] {
            assert_eq!(safe(path), Some(path));
        }
    }

    #[test]
    fn nothing_that_leads_elsewhere_is() {
        for path in [
            "",
            "o/shop",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil",
            "https://evil.example",
            "https:evil.example",
            "javascript:alert(1)",
            "/\t/evil.example",
            "/%2fevil.example",
            "/%2Fevil.example",
            "/%5cevil.example",
            "/%09/evil.example",
            "/%0d%0aset-cookie:x",
            "/%252fevil.example",
            "/ /evil",
            "/\u{2215}evil",
            " /o",
            "/\r\nx",
        ] {
            assert_eq!(safe(path), None, "{path:?}");
        }
        assert!(safe(&format!("/{}", "a".repeat(NEXT_BYTES_MAX - 1))).is_some());
        assert!(safe(&format!("/{}", "a".repeat(NEXT_BYTES_MAX))).is_none());
    }
}
