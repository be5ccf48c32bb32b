//! The ways to group, best first: checksum, exceptions, threads, stack, template, policy report,
//! message. The first that has something to say decides.

use std::borrow::Cow;
use std::collections::HashSet;

use copal_protocol::event::{Event, Exception, Thread};
use copal_protocol::json::{Json, Object};

use crate::Leaf;
use crate::message::parameterize;
use crate::rules::{ExceptionFacts, Rules};
use crate::stack::Stack;

/// What a strategy found: leaves by variant.
#[derive(Debug)]
pub(crate) enum Found<'a> {
    /// Of the application's frames and of all frames; either may be empty.
    Stacks {
        strategy: &'static str,
        app: Vec<Leaf<'a>>,
        system: Vec<Leaf<'a>>,
    },
    /// Without a stack.
    Plain {
        strategy: &'static str,
        variant: &'static str,
        leaves: Vec<Leaf<'a>>,
    },
}

/// The first strategy that has something to say.
pub(crate) fn find<'a>(
    event: &'a Event<'_>,
    platform: &'a str,
    rules: &Rules,
) -> Option<Found<'a>> {
    exceptions(event, platform, rules)
        .or_else(|| threads(event, platform, rules))
        .or_else(|| top_stack(event, platform, rules))
        .or_else(|| template(event))
        .or_else(|| policy_report(&event.csp))
        .or_else(|| message(event))
}

fn leaf<'a>(part: &'static str, value: impl Into<Cow<'a, str>>) -> Leaf<'a> {
    Leaf {
        part,
        value: value.into(),
        frame: None,
    }
}

fn not_empty<'a>(text: Option<&'a Cow<'_, str>>) -> Option<&'a str> {
    text.map(|text| &**text)
        .filter(|text| !text.trim().is_empty())
}

fn exceptions<'a>(event: &'a Event<'_>, platform: &'a str, rules: &Rules) -> Option<Found<'a>> {
    let mut app = Vec::new();
    let mut system = Vec::new();
    let (mut has_app_stack, mut has_system_stack) = (false, false);
    for exception in of_groups(&event.exceptions.0) {
        let facts = exception_facts(exception);
        let stack = exception
            .stacktrace
            .as_ref()
            .map(|stack| Stack::of(stack, platform, &facts, rules))
            .unwrap_or_default();
        has_app_stack |= !stack.app.is_empty();
        has_system_stack |= !stack.system.is_empty();
        add_exception(exception, stack.app, &mut app);
        add_exception(exception, stack.system, &mut system);
    }
    let strategy = "exception";
    match (has_app_stack, has_system_stack) {
        (true, _) => Some(Found::Stacks {
            strategy,
            app,
            system,
        }),
        (false, true) => Some(Found::Stacks {
            strategy,
            app: Vec::new(),
            system,
        }),
        (false, false) if app.is_empty() => None,
        (false, false) => Some(Found::Plain {
            strategy,
            variant: "app",
            leaves: app,
        }),
    }
}

pub(crate) fn exception_facts<'a>(exception: &'a Exception<'_>) -> ExceptionFacts<'a> {
    ExceptionFacts {
        kind: exception.kind.as_deref(),
        value: exception.value.as_deref(),
        mechanism: exception
            .mechanism
            .as_ref()
            .and_then(|mechanism| mechanism.kind.as_deref()),
    }
}

/// Type, value where nothing better is there, error codes, stack.
fn add_exception<'a>(
    exception: &'a Exception<'_>,
    stack: Vec<Leaf<'a>>,
    leaves: &mut Vec<Leaf<'a>>,
) {
    let mechanism = exception.mechanism.as_ref();
    let is_synthetic = mechanism
        .and_then(|mechanism| mechanism.synthetic)
        .unwrap_or(false);
    if !is_synthetic && let Some(kind) = not_empty(exception.kind.as_ref()) {
        leaves.push(leaf("type", kind));
    }
    let codes = mechanism
        .and_then(|mechanism| mechanism.meta.get("ns_error"))
        .and_then(Json::as_object)
        .filter(|codes| !codes.is_empty());
    match codes {
        Some(codes) => {
            for key in ["domain", "code"] {
                leaves.extend(
                    codes
                        .get(key)
                        .and_then(json_text)
                        .map(|text| leaf("ns_error", text)),
                );
            }
        }
        None if stack.is_empty() => {
            let value = not_empty(exception.value.as_ref()).map(parameterize);
            leaves.extend(value.map(|value| leaf("value", value)));
        }
        None => {}
    }
    leaves.extend(stack);
}

fn json_text<'a>(json: &'a Json<'_>) -> Option<Cow<'a, str>> {
    match json {
        Json::Str(text) => Some(Cow::Borrowed(&**text)),
        Json::Number(number) => Some(Cow::Owned(number.to_string())),
        _ => None,
    }
}

/// The exceptions that count. Of a tree of exception groups: its members that differ in type, and
/// the root; of any other list, or a broken tree: all.
fn of_groups<'a, 'b>(exceptions: &'a [Exception<'b>]) -> Vec<&'a Exception<'b>> {
    group_members(exceptions).unwrap_or_else(|| exceptions.iter().collect())
}

fn group_members<'a, 'b>(exceptions: &'a [Exception<'b>]) -> Option<Vec<&'a Exception<'b>>> {
    let id_of = |exception: &Exception<'_>| exception.mechanism.as_ref()?.exception_id;
    let parent_of = |exception: &Exception<'_>| exception.mechanism.as_ref()?.parent_id;
    let is_group = |exception: &Exception<'_>| {
        exception
            .mechanism
            .as_ref()
            .and_then(|mechanism| mechanism.is_exception_group)
            == Some(true)
    };
    if exceptions.len() < 2 || !exceptions.iter().any(is_group) {
        return None;
    }
    let mut seen = HashSet::new();
    for exception in exceptions {
        let id = id_of(exception)?;
        if !seen.insert(id) || parent_of(exception) == Some(id) {
            return None;
        }
    }
    let root = exceptions
        .iter()
        .find(|exception| parent_of(exception).is_none())?;
    let children = |id: u64| {
        exceptions
            .iter()
            .filter(move |child| parent_of(child) == Some(id))
    };
    let mut members = Vec::new();
    let mut open = vec![root];
    let mut visited = 0;
    while let Some(group) = open.pop() {
        visited += 1;
        if visited > exceptions.len() {
            return None;
        }
        for child in children(id_of(group)?) {
            if is_group(child) {
                open.push(child);
            } else {
                members.push(child);
            }
        }
    }
    if members.is_empty() {
        return None;
    }
    members.sort_by(|one, other| other.kind.cmp(&one.kind));
    let mut kinds = HashSet::new();
    let key = |member: &Exception<'_>| {
        let value = not_empty(member.value.as_ref()).map(|value| parameterize(value).into_owned());
        (member.kind.as_deref().map(str::to_owned), value)
    };
    members.retain(|member| kinds.insert(key(member)));
    if let [only] = members[..] {
        return Some(first_path(only, &children, &id_of, exceptions.len()));
    }
    members.push(root);
    Some(members)
}

/// An exception and its causes, the innermost first.
fn first_path<'a, 'b, I: Iterator<Item = &'a Exception<'b>>>(
    top: &'a Exception<'b>,
    children: &impl Fn(u64) -> I,
    id_of: &impl Fn(&Exception<'_>) -> Option<u64>,
    length_max: usize,
) -> Vec<&'a Exception<'b>> {
    let mut path = vec![top];
    while path.len() < length_max
        && let Some(next) = path.last().and_then(|last| children(id_of(last)?).next())
    {
        path.push(next);
    }
    path.reverse();
    path
}

fn threads<'a>(event: &'a Event<'_>, platform: &'a str, rules: &Rules) -> Option<Found<'a>> {
    let threads = &event.threads.0;
    let thread = single(threads.iter().filter(|thread| thread.crashed == Some(true)))
        .or_else(|| single(threads.iter().filter(|thread| thread.current == Some(true))))
        .or_else(|| single(threads.iter()))?;
    stacks("threads", thread.stacktrace.as_ref()?, platform, rules)
}

fn single<'a, 'b: 'a>(mut threads: impl Iterator<Item = &'a Thread<'b>>) -> Option<&'a Thread<'b>> {
    let first = threads.next()?;
    threads.next().is_none().then_some(first)
}

fn top_stack<'a>(event: &'a Event<'_>, platform: &'a str, rules: &Rules) -> Option<Found<'a>> {
    stacks("stacktrace", event.stacktrace.as_ref()?, platform, rules)
}

fn stacks<'a>(
    strategy: &'static str,
    stacktrace: &'a copal_protocol::event::Stacktrace<'_>,
    platform: &'a str,
    rules: &Rules,
) -> Option<Found<'a>> {
    let Stack { app, system } = Stack::of(stacktrace, platform, &ExceptionFacts::default(), rules);
    (!system.is_empty()).then_some(Found::Stacks {
        strategy,
        app,
        system,
    })
}

fn template<'a>(event: &'a Event<'_>) -> Option<Found<'a>> {
    let template = event.template.as_ref()?;
    let leaves: Vec<_> = [
        ("filename", &template.filename),
        ("context_line", &template.context_line),
    ]
    .into_iter()
    .filter_map(|(part, value)| not_empty(value.as_ref()).map(|value| leaf(part, value)))
    .collect();
    plain("template", leaves)
}

fn plain<'a>(strategy: &'static str, leaves: Vec<Leaf<'a>>) -> Option<Found<'a>> {
    (!leaves.is_empty()).then_some(Found::Plain {
        strategy,
        variant: "default",
        leaves,
    })
}

/// A content security policy: what was forbidden, and whose it was.
fn policy_report<'a>(report: &'a Object<'_>) -> Option<Found<'a>> {
    let directive = report.get("effective_directive").and_then(Json::as_str)?;
    let blocked = report
        .get("blocked_uri")
        .and_then(Json::as_str)
        .unwrap_or("");
    let uri = match blocked {
        "" | "self" | "'self'" => Cow::Borrowed("'self'"),
        other => normal_uri(other),
    };
    plain("csp", vec![leaf("salt", directive), leaf("uri", uri)])
}

fn normal_uri(uri: &str) -> Cow<'_, str> {
    match uri.split_once("://") {
        Some(("http" | "https", rest)) => {
            Cow::Borrowed(rest.split(['/', '?', '#']).next().unwrap_or(rest))
        }
        Some((scheme, rest)) => {
            let host = rest.split(['/', '?', '#']).next().unwrap_or(rest);
            Cow::Owned(format!("{scheme}://{host}"))
        }
        None => match uri.split_once(':') {
            Some((scheme, _)) => Cow::Owned(format!("{scheme}:")),
            None => Cow::Borrowed(uri),
        },
    }
}

fn message<'a>(event: &'a Event<'_>) -> Option<Found<'a>> {
    let entry = event.logentry.as_ref()?;
    let text = not_empty(entry.message.as_ref()).or_else(|| not_empty(entry.formatted.as_ref()))?;
    plain("message", vec![leaf("message", parameterize(text))])
}
