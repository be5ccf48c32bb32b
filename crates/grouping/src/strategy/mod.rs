//! The ways to group, best first: exceptions, threads, stack, template, reports of browsers, message.
//! The first that has something to say decides.

mod exceptions;
mod groups;
mod reports;

use std::borrow::Cow;

use copal_protocol::event::{Event, Thread};

use crate::judge::Judged;
use crate::message::parameterize;
use crate::stack::{Stack, Verdict};
use crate::{Leaf, StackVerdicts, Whose};

pub(crate) use exceptions::main_exception;

/// What a strategy found: leaves by variant.
#[derive(Debug)]
pub(crate) struct Found<'a> {
    pub(crate) strategy: &'static str,
    pub(crate) leaves: Leaves<'a>,
    /// The verdicts on the frames of all stacks that were looked at.
    pub(crate) verdicts: Vec<StackVerdicts>,
}

/// Leaves by variant.
#[derive(Debug)]
pub(crate) enum Leaves<'a> {
    /// Of the application's frames and of all frames; the former may be empty.
    Stacks {
        app: Vec<Leaf<'a>>,
        system: Vec<Leaf<'a>>,
    },
    /// Without a stack.
    Plain {
        variant: &'static str,
        leaves: Vec<Leaf<'a>>,
    },
}

/// The first strategy that has something to say, and what it says.
pub(crate) fn find<'a>(
    event: &'a Event<'_>,
    platform: &'a str,
    judged: &Judged,
) -> Result<Found<'a>, Vec<StackVerdicts>> {
    let mut verdicts = Vec::new();
    let leaves = exceptions::find(event, platform, judged, &mut verdicts)
        .map(|leaves| ("exception", leaves))
        .or_else(|| Some(("threads", threads(event, platform, judged, &mut verdicts)?)))
        .or_else(|| {
            Some((
                "stacktrace",
                top_stack(event, platform, judged, &mut verdicts)?,
            ))
        })
        .or_else(|| Some(("template", template(event)?)))
        .or_else(|| reports::find(event))
        .or_else(|| Some(("message", message(event)?)));
    match leaves {
        Some((strategy, leaves)) => Ok(Found {
            strategy,
            leaves,
            verdicts,
        }),
        None => Err(verdicts),
    }
}

fn leaf<'a>(part: &'static str, value: impl Into<Cow<'a, str>>) -> Leaf<'a> {
    Leaf {
        part,
        value: value.into(),
        exception: None,
        frame: None,
    }
}

fn not_empty<'a>(text: Option<&'a Cow<'_, str>>) -> Option<&'a str> {
    text.map(|text| &**text)
        .filter(|text| !text.trim().is_empty())
}

fn threads<'a>(
    event: &'a Event<'_>,
    platform: &'a str,
    judged: &Judged,
    verdicts: &mut Vec<StackVerdicts>,
) -> Option<Leaves<'a>> {
    let threads = || event.threads.iter().enumerate();
    let (index, thread) = single(threads().filter(|(_, thread)| thread.crashed == Some(true)))
        .or_else(|| single(threads().filter(|(_, thread)| thread.current == Some(true))))
        .or_else(|| single(threads()))?;
    let stack = Stack::of(
        thread.stacktrace.as_ref()?,
        platform,
        judged.thread(index)?,
        None,
    );
    stacks(stack, Whose::Thread(index), verdicts)
}

fn single<'a, 'b: 'a>(
    mut threads: impl Iterator<Item = (usize, &'a Thread<'b>)>,
) -> Option<(usize, &'a Thread<'b>)> {
    let first = threads.next()?;
    threads.next().is_none().then_some(first)
}

fn top_stack<'a>(
    event: &'a Event<'_>,
    platform: &'a str,
    judged: &Judged,
    verdicts: &mut Vec<StackVerdicts>,
) -> Option<Leaves<'a>> {
    let stack = Stack::of(
        event.stacktrace.as_ref()?,
        platform,
        judged.stacktrace()?,
        None,
    );
    stacks(stack, Whose::Event, verdicts)
}

fn stacks<'a>(
    stack: Stack<'a>,
    whose: Whose,
    verdicts: &mut Vec<StackVerdicts>,
) -> Option<Leaves<'a>> {
    let Stack {
        app,
        system,
        verdicts: frames,
    } = stack;
    keep(verdicts, whose, frames);
    (!app.is_empty() || !system.is_empty()).then_some(Leaves::Stacks { app, system })
}

fn keep(verdicts: &mut Vec<StackVerdicts>, whose: Whose, frames: Vec<Verdict>) {
    verdicts.push(StackVerdicts { whose, frames });
}

fn template<'a>(event: &'a Event<'_>) -> Option<Leaves<'a>> {
    let template = event.template.as_ref()?;
    let leaves: Vec<_> = [
        ("filename", &template.filename),
        ("context_line", &template.context_line),
    ]
    .into_iter()
    .filter_map(|(part, value)| not_empty(value.as_ref()).map(|value| leaf(part, value)))
    .collect();
    plain(leaves)
}

fn plain(leaves: Vec<Leaf<'_>>) -> Option<Leaves<'_>> {
    (!leaves.is_empty()).then_some(Leaves::Plain {
        variant: "default",
        leaves,
    })
}

fn message<'a>(event: &'a Event<'_>) -> Option<Leaves<'a>> {
    let entry = event.logentry.as_ref()?;
    let text = not_empty(entry.message.as_ref()).or_else(|| not_empty(entry.formatted.as_ref()))?;
    plain(vec![leaf("message", parameterize(text))])
}
