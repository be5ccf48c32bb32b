//! What other steps need to know of an event: title, culprit, who, where, when.

use std::collections::HashSet;

use copal_grouping::Grouping;
use copal_model::limits::TITLE_CHARS_MAX;
use copal_model::{Level, Timestamp, UserIdentity, UserIdentityKind};
use copal_protocol::event::{Exception, Frame, Stacktrace, Text};
use copal_protocol::{Event, EventId};

use crate::normalize::limits::{
    CULPRIT, SEARCH_MESSAGE_CHARS_MAX, SEARCH_TERMS_MAX, TITLE_TYPE_CHARS_MAX,
};
use crate::normalize::parse_level;

/// What recording needs to know of an event that is grouped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Its id.
    pub event_id: EventId,
    /// When it happened, drift corrected.
    pub occurred_at: Timestamp,
    /// What happened, in one line.
    pub title: String,
    /// The type of the exception that the title shows.
    pub error_type: Option<String>,
    /// The place blamed; may be empty.
    pub culprit: String,
    /// Severity.
    pub level: Level,
    /// The SDK platform.
    pub platform: String,
    /// Who was affected.
    pub user: Option<UserIdentity>,
    /// The version that ran.
    pub release: Option<String>,
    /// Where it ran.
    pub environment: Option<String>,
    /// Tags, unique by key.
    pub tags: Vec<(String, String)>,
    /// What else to search by: the message, types of exceptions, names in the stack.
    pub search_terms: Vec<(&'static str, String)>,
}

impl Summary {
    /// Sums up an event, with the title that a rule sets and the exception that the issue is named
    /// after.
    pub(crate) fn of(event: &Event<'_>, grouping: &Grouping<'_>) -> Self {
        let own = |text: &Option<Text<'_>>| text.as_deref().map(str::to_owned);
        let main = grouping
            .main_exception
            .and_then(|place| event.exceptions.get(place));
        let (title, error_type) = title(event, main);
        let title = grouping
            .title
            .as_deref()
            .map_or(title, |title| cut(first_line(title), TITLE_CHARS_MAX));
        let tags = event.tags.0.iter();
        Self {
            event_id: event.event_id.unwrap_or(EventId::new(uuid::Uuid::nil())),
            occurred_at: event
                .timestamp
                .or(event.received)
                .unwrap_or(Timestamp::UNIX_EPOCH),
            title,
            error_type,
            culprit: culprit(event),
            level: event
                .level
                .as_deref()
                .and_then(parse_level)
                .unwrap_or(Level::Error),
            platform: own(&event.platform).unwrap_or_else(|| "other".to_owned()),
            user: identify(event),
            release: own(&event.release),
            environment: own(&event.environment),
            tags: tags
                .map(|(key, value)| (key.to_string(), value.to_string()))
                .collect(),
            search_terms: search_terms(event),
        }
    }
}

/// The first of id, user name, e-mail and address that is given.
pub(crate) fn identify(event: &Event<'_>) -> Option<UserIdentity> {
    let user = event.user.as_ref()?;
    let kinds = [
        (UserIdentityKind::Id, &user.id),
        (UserIdentityKind::Username, &user.username),
        (UserIdentityKind::Email, &user.email),
        (UserIdentityKind::Ip, &user.ip_address),
    ];
    let mut given = kinds.into_iter().filter_map(|(kind, value)| {
        let value = value
            .as_deref()
            .filter(|value| !value.is_empty())?
            .to_owned();
        Some(UserIdentity { kind, value })
    });
    given.next()
}

/// The title, and the exception's type where the title has one.
fn title(event: &Event<'_>, main: Option<&Exception<'_>>) -> (String, Option<String>) {
    if let Some(exception) = main.or(event.exceptions.last()) {
        return exception_title(event, exception);
    }
    let line = first_line(logged(event).unwrap_or_default());
    if !line.is_empty() {
        return (cut(line, TITLE_CHARS_MAX), None);
    }
    let title = match event
        .csp
        .get("effective_directive")
        .and_then(|value| value.as_str())
    {
        Some(directive) => cut(&format!("Blocked by '{directive}'"), TITLE_CHARS_MAX),
        None => "<unlabeled event>".to_owned(),
    };
    (title, None)
}

fn logged<'e>(event: &'e Event<'_>) -> Option<&'e str> {
    let entry = event.logentry.as_ref()?;
    entry.formatted.as_deref().or(entry.message.as_deref())
}

/// What the exception that was caught says, else what was logged.
fn message<'e>(event: &'e Event<'_>) -> Option<&'e str> {
    match event.exceptions.last() {
        Some(exception) => exception.value.as_deref(),
        None => logged(event),
    }
}

fn exception_title(event: &Event<'_>, exception: &Exception<'_>) -> (String, Option<String>) {
    let mechanism = exception.mechanism.as_ref();
    let is_synthetic = mechanism.is_some_and(|mechanism| mechanism.synthetic == Some(true));
    let value = first_line(exception.value.as_deref().unwrap_or_default());
    let kind = match exception.kind.as_deref() {
        // Its type was made up by the client, or says nothing.
        _ if is_synthetic => None,
        None if value.is_empty() => None,
        None => Some("Error".to_owned()),
        Some(kind) => Some(cut(first_line(kind), TITLE_TYPE_CHARS_MAX)),
    };
    let title = match &kind {
        Some(kind) if value.is_empty() => kind.clone(),
        Some(kind) => format!("{kind}: {value}"),
        // A message that was sent with its stack says more than the function that sent it.
        None => logged(event)
            .map(first_line)
            .filter(|line| !line.is_empty())
            .or_else(|| crash_function(event))
            .or(Some(value).filter(|value| !value.is_empty()))
            .unwrap_or("<unknown>")
            .to_owned(),
    };
    (cut(&title, TITLE_CHARS_MAX), kind)
}

fn first_line(text: &str) -> &str {
    text.trim().lines().next().unwrap_or_default().trim_end()
}

fn cut(text: &str, chars: usize) -> String {
    if text.chars().nth(chars).is_none() {
        return text.to_owned();
    }
    text.chars().take(chars - 3).chain("...".chars()).collect()
}

/// The stack that failed: the last exception's, the event's own, or that of the only thread.
fn stack<'e, 'a>(event: &'e Event<'a>) -> Option<&'e Stacktrace<'a>> {
    let of_exception = event
        .exceptions
        .last()
        .and_then(|last| last.stacktrace.as_ref());
    let of_thread = match &event.threads[..] {
        [thread] => thread.stacktrace.as_ref(),
        threads => threads
            .iter()
            .find(|thread| thread.crashed == Some(true))
            .and_then(|thread| thread.stacktrace.as_ref()),
    };
    of_exception.or(event.stacktrace.as_ref()).or(of_thread)
}

fn crash_function<'e>(event: &'e Event<'_>) -> Option<&'e str> {
    let frames = &stack(event)?.frames;
    let is_named = |frame: &&Frame<'_>| {
        let function = frame.function.as_deref().unwrap_or("<unknown>");
        !matches!(function, "<redacted>" | "<unknown>")
    };
    let own = frames
        .iter()
        .rev()
        .filter(is_named)
        .find(|frame| frame.in_app == Some(true));
    own.or_else(|| frames.iter().rev().find(is_named))?
        .function
        .as_deref()
}

fn culprit(event: &Event<'_>) -> String {
    let given = event.transaction.as_deref().or(event.culprit.as_deref());
    if let Some(given) = given {
        return given.to_owned();
    }
    let is_synthetic = event.exceptions.last().is_some_and(|last| {
        last.mechanism
            .as_ref()
            .is_some_and(|mechanism| mechanism.synthetic == Some(true))
    });
    let with_frames = event.exceptions.iter().rev().find_map(|exception| {
        exception
            .stacktrace
            .as_ref()
            .filter(|stack| !stack.frames.is_empty())
    });
    let computed = match with_frames.or_else(|| stack(event)) {
        Some(stack) if !is_synthetic => culprit_of(event, stack),
        _ => String::new(),
    };
    if !computed.is_empty() {
        return cut(&computed, CULPRIT.chars);
    }
    let url = event
        .request
        .as_ref()
        .and_then(|request| request.url.as_deref());
    cut(url.unwrap_or_default(), CULPRIT.chars)
}

fn culprit_of(event: &Event<'_>, stack: &Stacktrace<'_>) -> String {
    let own = stack
        .frames
        .iter()
        .rfind(|frame| frame.in_app == Some(true));
    let Some(frame) = own.or(stack.frames.last()) else {
        return String::new();
    };
    let platform = frame.platform.as_deref().or(event.platform.as_deref());
    let function = frame.function.as_deref().unwrap_or("?");
    let place = frame
        .module
        .as_deref()
        .or(frame.filename.as_deref())
        .unwrap_or_default();
    match platform.unwrap_or_default() {
        "native" | "objc" | "cocoa" => function.to_owned(),
        _ if place.is_empty() => String::new(),
        "javascript" | "node" => format!("{function}({place})"),
        _ => format!("{place} in {function}"),
    }
}

/// The message, types of exceptions and names in the application's own frames, nearest to the
/// failure first.
fn search_terms(event: &Event<'_>) -> Vec<(&'static str, String)> {
    let mut seen = HashSet::new();
    let mut terms = Vec::new();
    if let Some(message) = message(event).filter(|message| !message.is_empty()) {
        terms.push(("message", cut(message, SEARCH_MESSAGE_CHARS_MAX)));
    }
    let kinds = event
        .exceptions
        .iter()
        .rev()
        .map(|e| ("error.type", e.kind.as_deref()));
    let stacks = event
        .exceptions
        .iter()
        .rev()
        .filter_map(|e| e.stacktrace.as_ref());
    let frames = stacks
        .chain(event.stacktrace.as_ref())
        .flat_map(|s| s.frames.iter().rev());
    let named = frames
        .filter(|frame| frame.in_app == Some(true))
        .flat_map(|frame| {
            [
                ("stack.function", frame.function.as_deref()),
                ("stack.filename", frame.filename.as_deref()),
                ("stack.module", frame.module.as_deref()),
            ]
        });
    for (key, value) in kinds.chain(named) {
        if let Some(value) = value.filter(|value| !value.is_empty())
            && seen.insert((key, value))
        {
            terms.push((key, value.to_owned()));
            if terms.len() == SEARCH_TERMS_MAX {
                break;
            }
        }
    }
    terms
}
