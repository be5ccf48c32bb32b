//! Fingerprint rules: which events get which fingerprint, whatever the client asked for.
//!
//! The first rule that matches decides; a project's rules come before the built-in ones. All matchers
//! about frames must hold for one and the same frame, all about exceptions for one exception.

use std::sync::LazyLock;

use copal_protocol::event::{Event, Exception, Frame};

use super::fingerprint_syntax::parse;
use super::pattern::Pattern;
use super::{Families, Origin, RuleError, RuleRef};
use crate::family::Family;
use crate::judge::Judged;

/// The rules of a project, then the built-in ones.
#[derive(Debug, Default)]
pub struct FingerprintRules {
    project: Vec<Rule>,
}

/// What a rule sets.
#[derive(Debug, Clone, Copy)]
pub struct Setting<'r> {
    /// The rule.
    pub rule: RuleRef<'r>,
    /// Texts and variables.
    pub fingerprint: &'r [String],
    /// The title of the issue, with variables.
    pub title: Option<&'r str>,
}

#[derive(Debug)]
pub(super) struct Rule {
    pub(super) line: usize,
    pub(super) text: String,
    /// Sorted by kind.
    pub(super) matchers: Vec<Matcher>,
    pub(super) values: Vec<String>,
    pub(super) title: Option<String>,
}

#[derive(Debug)]
pub(super) struct Matcher {
    pub(super) is_negated: bool,
    pub(super) key: Key,
}

/// What of an event a matcher looks at.
#[derive(Debug)]
pub(super) enum Key {
    Family(Families),
    Sdk(Vec<String>),
    Release(Pattern),
    Logger(Pattern),
    Level(Pattern),
    Tag(String, Pattern),
    Message(Pattern),
    Type(Pattern),
    Value(Pattern),
    App(Option<bool>),
    Module(Pattern),
    Path(Pattern),
    Package(Pattern),
    Function(Pattern),
}

/// Matchers of one kind must hold together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Event,
    Exception,
    Frame,
}

static BUILTIN: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    parse(include_str!("fingerprint_builtin.txt")).expect("every test reads the built-in rules")
});

impl Key {
    pub(super) const fn kind(&self) -> Kind {
        match self {
            Self::Type(_) | Self::Value(_) => Kind::Exception,
            Self::App(_)
            | Self::Module(_)
            | Self::Path(_)
            | Self::Package(_)
            | Self::Function(_) => Kind::Frame,
            _ => Kind::Event,
        }
    }

    /// Whether its pattern cannot be read.
    pub(super) const fn is_never(&self) -> bool {
        match self {
            Self::Release(pattern)
            | Self::Logger(pattern)
            | Self::Level(pattern)
            | Self::Tag(_, pattern)
            | Self::Message(pattern)
            | Self::Type(pattern)
            | Self::Value(pattern)
            | Self::Module(pattern)
            | Self::Path(pattern)
            | Self::Package(pattern)
            | Self::Function(pattern) => pattern.is_never(),
            Self::App(value) => value.is_none(),
            Self::Family(_) | Self::Sdk(_) => false,
        }
    }
}

impl FingerprintRules {
    /// The rules of `text`, then the built-in ones.
    ///
    /// # Errors
    /// What is wrong with `text`, line by line.
    pub fn parse(text: &str) -> Result<Self, Vec<RuleError>> {
        Ok(Self {
            project: parse(text)?,
        })
    }

    /// What the first rule that matches sets.
    pub(crate) fn find(&self, event: &Event<'_>, judged: &Judged) -> Option<Setting<'_>> {
        let project = self.project.iter().map(|rule| (Origin::Project, rule));
        let builtin = BUILTIN.iter().map(|rule| (Origin::BuiltIn, rule));
        let (origin, rule) = project
            .chain(builtin)
            .find(|(_, rule)| rule.matches(event, judged))?;
        Some(Setting {
            rule: RuleRef {
                origin,
                line: rule.line,
                text: &rule.text,
            },
            fingerprint: &rule.values,
            title: rule.title.as_deref(),
        })
    }
}

impl Rule {
    fn matches(&self, event: &Event<'_>, judged: &Judged) -> bool {
        self.matchers
            .chunk_by(|one, other| one.key.kind() == other.key.kind())
            .all(|matchers| match matchers[0].key.kind() {
                Kind::Event => matchers
                    .iter()
                    .all(|matcher| matcher.holds_for_event(event)),
                Kind::Exception => event.exceptions.iter().any(|exception| {
                    matchers
                        .iter()
                        .all(|matcher| matcher.holds_for_exception(exception))
                }),
                Kind::Frame => judged.frames(event).any(|(frame, in_app)| {
                    matchers
                        .iter()
                        .all(|matcher| matcher.holds_for_frame(frame, in_app))
                }),
            })
    }
}

impl Matcher {
    fn holds_for_event(&self, event: &Event<'_>) -> bool {
        let is = |pattern: &Pattern, text: Option<&str>| {
            text.is_some_and(|text| pattern.matches(text)) != self.is_negated
        };
        match &self.key {
            Key::Family(families) => {
                let family = Family::of(event.platform.as_deref().unwrap_or("other"));
                families.contains(family) != self.is_negated
            }
            Key::Sdk(names) => {
                let sdk = event.sdk.as_ref().and_then(|sdk| sdk.name.as_deref());
                let is_sdk = |name: &String| name == "all" || Some(&**name) == sdk;
                names.iter().any(is_sdk) != self.is_negated
            }
            Key::Release(pattern) => is(pattern, event.release.as_deref()),
            Key::Logger(pattern) => is(pattern, event.logger.as_deref()),
            Key::Level(pattern) => is(pattern, event.level.as_deref()),
            Key::Tag(tag, pattern) => is(pattern, event.tags.get(tag)),
            Key::Message(pattern) => messages(event).any(|text| is(pattern, Some(text))),
            _ => false,
        }
    }

    fn holds_for_exception(&self, exception: &Exception<'_>) -> bool {
        let (pattern, text) = match &self.key {
            Key::Type(pattern) => (pattern, &exception.kind),
            Key::Value(pattern) => (pattern, &exception.value),
            _ => return false,
        };
        text.as_deref().is_some_and(|text| pattern.matches(text)) != self.is_negated
    }

    fn holds_for_frame(&self, frame: &Frame<'_>, in_app: bool) -> bool {
        let (pattern, text) = match &self.key {
            Key::App(app) => return (*app == Some(in_app)) != self.is_negated,
            Key::Module(pattern) => (pattern, frame.module.as_deref()),
            Key::Package(pattern) => (pattern, frame.package.as_deref()),
            Key::Path(pattern) => (
                pattern,
                frame.abs_path.as_deref().or(frame.filename.as_deref()),
            ),
            Key::Function(pattern) => (
                pattern,
                Some(frame.function.as_deref().unwrap_or("<unknown>")),
            ),
            _ => return false,
        };
        text.is_some_and(|text| pattern.matches(text)) != self.is_negated
    }
}

/// What `message` is tried on: the message, and the value of each exception.
fn messages<'e>(event: &'e Event<'_>) -> impl Iterator<Item = &'e str> {
    let message = event
        .logentry
        .iter()
        .filter_map(|entry| entry.formatted.as_deref().or(entry.message.as_deref()));
    message.chain(
        event
            .exceptions
            .iter()
            .filter_map(|exception| exception.value.as_deref()),
    )
}
