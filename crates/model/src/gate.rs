//! What stands between a client key and its project: from where events may come, and how many.

use std::fmt;
use std::sync::Arc;

/// Lines in a project's list of origins.
pub const ORIGINS_MAX: usize = 100;
/// Bytes in one line of it.
pub const ORIGIN_BYTES_MAX: usize = 300;
/// Events that a key's limit can allow in its window.
pub const KEY_LIMIT_EVENTS_MAX: u32 = 1_000_000;
/// Days that a project can choose to keep its events, up to what its plan says. A few only: events
/// of each number are kept apart.
pub const RETENTION_CHOICES: [u16; 8] = [7, 14, 30, 60, 90, 180, 365, 730];

/// How many events a key lets in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyLimit {
    /// Events within one window.
    pub events: u32,
    /// How long a window is.
    pub window: LimitWindow,
}

/// How long events are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitWindow {
    /// A minute of the clock.
    Minute,
    /// An hour of the clock.
    Hour,
}

/// What is no limit of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a limit is 1 to {KEY_LIMIT_EVENTS_MAX} events in 60 or 3600 seconds")]
pub struct InvalidKeyLimit;

impl LimitWindow {
    /// Its length.
    pub const fn secs(self) -> u32 {
        match self {
            Self::Minute => 60,
            Self::Hour => 3_600,
        }
    }
}

impl KeyLimit {
    /// A limit of so many events in so many seconds.
    ///
    /// # Errors
    /// When there is no such limit.
    pub fn new(events: u32, secs: u32) -> Result<Self, InvalidKeyLimit> {
        let window = match secs {
            60 => LimitWindow::Minute,
            3_600 => LimitWindow::Hour,
            _ => return Err(InvalidKeyLimit),
        };
        if !(1..=KEY_LIMIT_EVENTS_MAX).contains(&events) {
            return Err(InvalidKeyLimit);
        }
        Ok(Self { events, window })
    }
}

/// Whether a project can choose to keep its events so long.
///
/// The plan stands above it, whatever was chosen.
pub fn is_retention_choice(days: u16) -> bool {
    RETENTION_CHOICES.contains(&days)
}

/// Where browsers may send events from. Programs that name no origin may always.
///
/// A line is `*` for everywhere, a host (`example.com`, with a port if it matters), a host with all
/// below it (`*.example.com`), or an origin (`https://example.com`, `app://shop`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origins(Arc<[String]>);

/// What is no list of origins.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidOrigins {
    /// Too many lines.
    #[error("there are at most {ORIGINS_MAX} origins")]
    TooMany,
    /// A line that is none.
    #[error("`{0}` is no origin: write *, example.com, *.example.com or https://example.com")]
    Line(String),
}

impl Default for Origins {
    fn default() -> Self {
        Self(Arc::from(["*".to_owned()]))
    }
}

impl fmt::Display for Origins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl Origins {
    /// A list as people write it, one to a line. No line at all lets no browser send.
    ///
    /// # Errors
    /// When a line is no origin, or there are too many.
    pub fn parse(text: &str) -> Result<Self, InvalidOrigins> {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let lines: Vec<String> = lines.map(str::to_ascii_lowercase).collect();
        if lines.len() > ORIGINS_MAX {
            return Err(InvalidOrigins::TooMany);
        }
        for line in &lines {
            if !is_origin(line) {
                return Err(InvalidOrigins::Line(line.clone()));
            }
        }
        Ok(Self(lines.into()))
    }

    /// The lines.
    pub fn lines(&self) -> &[String] {
        &self.0
    }

    /// Whether a page of this origin may send. `null`, the origin of what is nobody's, may only
    /// where everybody may.
    pub fn allow(&self, origin: &str) -> bool {
        let origin = origin.trim().to_ascii_lowercase();
        self.0.iter().any(|line| is_allowed_by(line, &origin))
    }
}

/// The origin in an address such as a `Referer`; `None` where it is no web address.
pub fn origin_of(address: &str) -> Option<&str> {
    let (scheme, rest) = address.split_once("://")?;
    if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
        return None;
    }
    let authority = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    Some(&address[..scheme.len() + "://".len() + authority])
}

fn is_origin(line: &str) -> bool {
    let host = line.split_once("://").map_or(line, |(_, host)| host);
    let host = host.strip_prefix("*.").unwrap_or(host);
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
    let has_host = !host.is_empty() && host.bytes().all(is_plain);
    let has_pattern = line.contains("*.");
    line == "*"
        || (line.len() <= ORIGIN_BYTES_MAX && has_host && !(has_pattern && line.contains("://")))
}

fn is_allowed_by(line: &str, origin: &str) -> bool {
    if line == "*" {
        return true;
    }
    let Some((scheme, authority)) = origin.split_once("://") else {
        return false;
    };
    // What stands before an at sign is no part of the host.
    let authority = authority.rsplit('@').next().unwrap_or_default();
    if let Some((wanted, host)) = line.split_once("://") {
        let port = default_port(scheme);
        return wanted == scheme && with_port(authority, port) == with_port(host, port);
    }
    let (host, _) = split_port(authority);
    match line.strip_prefix("*.") {
        Some(base) => {
            let below = host
                .strip_suffix(base)
                .and_then(|rest| rest.strip_suffix('.'));
            host == base || below.is_some_and(|below| !below.is_empty())
        }
        None if split_port(line).1.is_some() => {
            let port = default_port(scheme);
            with_port(authority, port) == with_port(line, port)
        }
        None => host == line,
    }
}

fn default_port(scheme: &str) -> Option<&'static str> {
    match scheme {
        "http" => Some("80"),
        "https" => Some("443"),
        _ => None,
    }
}

fn with_port<'a>(authority: &'a str, default: Option<&'a str>) -> (&'a str, Option<&'a str>) {
    let (host, port) = split_port(authority);
    (host, port.or(default))
}

fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_let_in_by_what_it_is_and_not_by_how_it_looks() {
        let check = |lines: &str, origin: &str| Origins::parse(lines).unwrap().allow(origin);
        for (lines, origin, expected) in [
            ("*", "https://anything.example", true),
            ("*", "null", true),
            ("", "https://anything.example", false),
            ("base.example", "https://base.example", true),
            ("base.example", "HTTP://BASE.example:8080", true),
            ("base.example", "https://evil-base.example", false),
            ("base.example", "https://base.example.evil", false),
            ("base.example", "https://a.base.example", false),
            ("base.example", "https://base.example@evil.example", false),
            ("base.example", "null", false),
            ("*.base.example", "https://a.b.base.example", true),
            ("*.base.example", "https://base.example", true),
            ("*.base.example", "https://evilbase.example", false),
            ("*.base.example", "https://.base.example", false),
            ("base.example:8080", "http://base.example:8080", true),
            ("base.example:8080", "http://base.example", false),
            ("base.example:443", "https://base.example", true),
            ("https://base.example", "https://base.example:443", true),
            ("https://base.example", "http://base.example", false),
            ("https://base.example", "https://base.example:8443", false),
            ("app://shop", "app://shop", true),
            ("[::1]:3000", "http://[::1]:3000", true),
            ("other.example\nbase.example", "https://base.example", true),
        ] {
            assert_eq!(check(lines, origin), expected, "{lines:?} {origin}");
        }
    }

    #[test]
    fn what_is_no_origin_is_refused_and_named() {
        for line in ["http://", "a b", "https://x/y", "*x", "https://*.x", "*."] {
            let refused = Origins::parse(line).unwrap_err();
            assert_eq!(refused, InvalidOrigins::Line(line.to_owned()));
        }
        let many = "a.example\n".repeat(ORIGINS_MAX + 1);
        assert_eq!(Origins::parse(&many), Err(InvalidOrigins::TooMany));
        assert!(Origins::parse(&"a.example\n".repeat(ORIGINS_MAX)).is_ok());
        let kept = Origins::parse(" A.example \n\n*\n").unwrap();
        assert_eq!(kept.to_string(), "a.example\n*");
    }

    #[test]
    fn a_referer_has_the_origin_of_its_page() {
        assert_eq!(
            origin_of("https://a.example:1/b?c#d"),
            Some("https://a.example:1")
        );
        assert_eq!(origin_of("http://a.example"), Some("http://a.example"));
        assert_eq!(
            origin_of("https://a.example\\@b"),
            Some("https://a.example")
        );
        for no_page in ["", "about:blank", "file:///x", "ftp://a.example/"] {
            assert_eq!(origin_of(no_page), None);
        }
    }

    #[test]
    fn a_limit_has_edges() {
        assert!(KeyLimit::new(1, 60).is_ok());
        assert!(KeyLimit::new(KEY_LIMIT_EVENTS_MAX, 3_600).is_ok());
        for (events, secs) in [(0, 60), (KEY_LIMIT_EVENTS_MAX + 1, 60), (1, 61)] {
            assert_eq!(KeyLimit::new(events, secs), Err(InvalidKeyLimit));
        }
    }
}
