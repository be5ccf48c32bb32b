//! Icons, drawn for Copal: 16 by 16, one colour, the colour of the text around them.

use std::fmt;

use askama::filters::HtmlSafe;

/// An icon. It says nothing to screen readers: the words beside it do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Icon {
    /// Fatal: an octagon, filled.
    Fatal,
    /// Error: a diamond, filled.
    Error,
    /// Warning: a triangle, filled.
    Warning,
    /// Info: a ring.
    Info,
    /// Debug: a small square.
    Debug,
    /// Resolve: a check mark.
    Check,
    /// Ignore: a bell struck through.
    Mute,
    /// Reopen: an arrow going round.
    Reopen,
    /// Undo: an arrow bent back.
    Undo,
    /// Back from resolved: an arrow turning up.
    Regressed,
    /// Copy: two sheets.
    Copy,
    /// Search: a lens.
    Search,
    /// To the first.
    First,
    /// To the one before.
    Previous,
    /// To the one after.
    Next,
    /// To the last.
    Last,
    /// Add: a plus.
    Plus,
    /// Theme by the system: half a disc.
    System,
    /// Light: a sun.
    Sun,
    /// Dark: a moon.
    Moon,
    /// Down: a chevron.
    Down,
    /// Settings: sliders.
    Sliders,
    /// A person.
    Person,
    /// Delete: a bin.
    Bin,
    /// Keyboard.
    Keyboard,
    /// A link: two links of a chain.
    Link,
    /// Another page or address.
    Out,
}

impl Icon {
    /// What it is drawn of.
    const fn drawing(self) -> &'static str {
        match self {
            Self::Fatal => r#"<path class="f" d="M5.1 1h5.8L15 5.1v5.8L10.9 15H5.1L1 10.9V5.1z"/>"#,
            Self::Error => r#"<path class="f" d="M8 1.2 14.8 8 8 14.8 1.2 8z"/>"#,
            Self::Warning => r#"<path class="f" d="M8 1.8 15 14H1z"/>"#,
            Self::Info => r#"<circle cx="8" cy="8" r="5.4" stroke-width="2"/>"#,
            Self::Debug => r#"<path d="M4 4h8v8H4z" stroke-width="2"/>"#,
            Self::Check => r#"<path d="m2.5 8.5 3.5 3.5 7.5-8"/>"#,
            Self::Mute => {
                r#"<path d="M4.5 10.5V7a3.5 3.5 0 0 1 5.9-2.5M11.5 8v2.5l1 1.5H5.5M7 14h2M2.5 13.5l11-11"/>"#
            }
            Self::Reopen => r#"<path d="M13 8a5 5 0 1 1-1.6-3.7M13.2 1.8v3h-3"/>"#,
            Self::Undo => r#"<path d="M5.5 3 2.500 6l3 3M3 6h6.500a3.500 3.500 0 0 1 0 7H6"/>"#,
            Self::Regressed => r#"<path d="M3 4v4.5A2.5 2.5 0 0 0 5.5 11H12M9.5 8l3 3-3 3"/>"#,
            Self::Copy => r#"<path d="M5.5 5.500h8v8h-8zM10.5 5.500v-3h-8v8h3"/>"#,
            Self::Search => r#"<circle cx="7" cy="7" r="4.5"/><path d="m10.5 10.5 3.5 3.5"/>"#,
            Self::First => r#"<path d="M3 3v10M13 3 7 8l6 5"/>"#,
            Self::Previous => r#"<path d="m10 3-5 5 5 5"/>"#,
            Self::Next => r#"<path d="m6 3 5 5-5 5"/>"#,
            Self::Last => r#"<path d="M13 3v10M3 3l6 5-6 5"/>"#,
            Self::Plus => r#"<path d="M8 3v10M3 8h10"/>"#,
            Self::System => {
                r#"<circle cx="8" cy="8" r="5.5"/><path class="f" d="M8 2.500a5.5 5.5 0 0 1 0 11z"/>"#
            }
            Self::Sun => {
                r#"<circle cx="8" cy="8" r="3"/><path d="M8 1v1.500M8 13.500V15M1 8h1.500M13.5 8H15M3 3l1 1M12 12l1 1M13 3l-1 1M4 12l-1 1"/>"#
            }
            Self::Moon => r#"<path d="M13.5 9.800A6 6 0 0 1 6.2 2.500a6 6 0 1 0 7.3 7.300z"/>"#,
            Self::Down => r#"<path d="m4 6 4 4 4-4"/>"#,
            Self::Sliders => {
                r#"<path d="M2 4.500h6M12 4.500h2M2 11.500h2M8 11.500h6"/><circle cx="10" cy="4.5" r="1.8"/><circle cx="6" cy="11.5" r="1.8"/>"#
            }
            Self::Person => {
                r#"<circle cx="8" cy="5" r="2.8"/><path d="M2.5 14c.5-3 2.7-4.5 5.5-4.500s5 1.5 5.5 4.5"/>"#
            }
            Self::Bin => r#"<path d="M2.5 4.500h11M6 4.500v-2h4v2M4 4.500l.7 9h6.600l.7-9"/>"#,
            Self::Keyboard => {
                r#"<path d="M1.5 4h13v8h-13zM4 6.800h.5M7 6.800h.5M10 6.800h.5M5 9.300h6"/>"#
            }
            Self::Link => {
                r#"<path d="M6.5 9.500 9.500 6.500M7 4.500l1.500-1.500a3.200 3.200 0 0 1 4.500 4.500L11.500 9M9 11.500 7.500 13A3.200 3.200 0 0 1 3 8.500L4.500 7"/>"#
            }
            Self::Out => r#"<path d="M9.5 2.500h4v4M13.5 2.500l-6 6M11.5 9v4.500h-9v-9H7"/>"#,
        }
    }
}

impl HtmlSafe for Icon {}

impl fmt::Display for Icon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            r#"<svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">{}</svg>"#,
            self.drawing()
        )
    }
}
