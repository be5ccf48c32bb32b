//! What a project wants done with events on their way in: which it does not want, and what is taken
//! out of the others before anything is kept.

/// Lines in one list of a project's settings: patterns, ranges, names of fields.
pub const INBOUND_LINES_MAX: u32 = 200;
/// Bytes in one line of such a list.
pub const INBOUND_LINE_BYTES_MAX: u32 = 500;

/// Whether something is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Switch {
    /// It is not.
    #[default]
    Off,
    /// It is.
    On,
}

/// All that a project says of events on their way in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct InboundSettings {
    /// Which events it does not want.
    pub filters: FilterSettings,
    /// What is taken out of the others.
    pub scrubbing: ScrubSettings,
}

/// Which events a project does not want. Nothing is filtered unless it asks for it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FilterSettings {
    /// Errors of browser extensions.
    pub browser_extensions: Switch,
    /// What programs see that visit by themselves.
    pub web_crawlers: Switch,
    /// Errors of browsers that their makers gave up.
    pub legacy_browsers: Switch,
    /// Errors of developers' own machines.
    pub localhost: Switch,
    /// Patterns of releases; `*` is anything.
    pub releases: Vec<String>,
    /// Patterns of messages, types, values, or types and values as titles write them.
    pub error_messages: Vec<String>,
    /// Addresses, or ranges of them, that events come from or users have.
    pub addresses: Vec<String>,
}

/// What is taken out of a project's events before they are stored or grouped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScrubSettings {
    /// Secrets, by their names and by what they look like.
    pub secrets: Switch,
    /// Network addresses of users; with it none is inferred either.
    pub addresses: Switch,
    /// Fields of the project's own: any whose name contains one of these loses its value.
    pub fields: Vec<String>,
    /// Fields whose own value is left alone, by their whole name.
    pub safe_fields: Vec<String>,
}

impl InboundSettings {
    /// All lists that people write.
    pub fn lists(&self) -> [&[String]; 5] {
        let Self { filters, scrubbing } = self;
        [
            &filters.releases,
            &filters.error_messages,
            &filters.addresses,
            &scrubbing.fields,
            &scrubbing.safe_fields,
        ]
    }
}

impl Switch {
    /// `On` where true.
    pub const fn of(is_on: bool) -> Self {
        if is_on { Self::On } else { Self::Off }
    }

    /// Whether it is done.
    pub const fn is_on(self) -> bool {
        matches!(self, Self::On)
    }
}

/// Secrets go, addresses stay.
impl Default for ScrubSettings {
    fn default() -> Self {
        Self {
            secrets: Switch::On,
            addresses: Switch::Off,
            fields: Vec::new(),
            safe_fields: Vec::new(),
        }
    }
}

/// The lines of a list as people write it: without blanks around them, blank lines left out.
pub fn lines_of(text: &str) -> Vec<String> {
    let lines = text.lines().map(str::trim);
    lines
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect()
}
