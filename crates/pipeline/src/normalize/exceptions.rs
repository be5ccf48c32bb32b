//! Exceptions, threads, and the frames of their stack traces.

use std::borrow::Cow;

use copal_grouping::function::trim_function;
use copal_protocol::Event;
use copal_protocol::event::{Exception, Frame, Stacktrace};

use super::attributes::trim_blank;
use super::limits::{
    ENUMERATION, FRAMES_NEWEST, FRAMES_OLDEST, FRAMES_WITH_DETAIL_MAX, FUNCTION, MESSAGE, PATH,
    SMALL_DATA, SOURCE_LINE, SYMBOL,
};
use super::notes::Notes;
use super::trim::{trim_object, trim_stacktrace_data, trim_text, trim_text_value};

pub(super) fn normalize(event: &mut Event<'_>, notes: &mut Notes) {
    if let [exception] = &mut event.exceptions[..]
        && exception.stacktrace.is_none()
    {
        exception.stacktrace = event.stacktrace.take();
    }
    let platform = event.platform.as_deref().unwrap_or("other").to_owned();
    for (index, exception) in event.exceptions.iter_mut().enumerate() {
        let is_cut = normalize_exception(exception, &platform);
        notes.cut_if(is_cut, || format!("exception.{index}"));
    }
    event.exceptions.retain(|exception| {
        let has_frames = exception
            .stacktrace
            .as_ref()
            .is_some_and(|s| !s.frames.is_empty());
        has_frames || exception.kind.is_some() || exception.value.is_some()
    });
    for (index, thread) in event.threads.iter_mut().enumerate() {
        let is_cut = trim_object(&mut thread.held_locks, SMALL_DATA)
            | trim_text(&mut thread.name, SYMBOL)
            | normalize_stacktraces(
                [&mut thread.stacktrace, &mut thread.raw_stacktrace],
                &platform,
            );
        notes.cut_if(is_cut, || format!("threads.{index}"));
    }
    let stacks = [&mut event.stacktrace, &mut None];
    notes.cut_if(normalize_stacktraces(stacks, &platform), || {
        "stacktrace".to_owned()
    });
}

/// Normalises an exception, and tells whether anything was cut.
fn normalize_exception(exception: &mut Exception<'_>, platform: &str) -> bool {
    trim_blank(&mut exception.kind);
    exception.value.take_if(|value| value.trim().is_empty());
    if exception.kind.is_none()
        && let Some((kind, value)) = exception.value.as_deref().and_then(split_type)
    {
        let (kind, value) = (kind.to_owned(), value.to_owned());
        exception.kind = Some(Cow::Owned(kind));
        exception.value = (!value.is_empty()).then_some(Cow::Owned(value));
    }
    let mut is_cut = trim_text(&mut exception.kind, SYMBOL)
        | trim_text(&mut exception.value, MESSAGE)
        | trim_text(&mut exception.module, SYMBOL);
    if let Some(mechanism) = &mut exception.mechanism {
        trim_blank(&mut mechanism.kind);
        mechanism.kind.get_or_insert(Cow::Borrowed("generic"));
        is_cut |= trim_text(&mut mechanism.kind, ENUMERATION)
            | trim_text(&mut mechanism.description, MESSAGE)
            | trim_object(&mut mechanism.data, SMALL_DATA)
            | trim_object(&mut mechanism.meta, SMALL_DATA);
    }
    let stacks = [&mut exception.stacktrace, &mut exception.raw_stacktrace];
    is_cut | normalize_stacktraces(stacks, platform)
}

/// `TypeError: x is not a function` without a type has one in its value.
fn split_type(value: &str) -> Option<(&str, &str)> {
    let (kind, rest) = value.split_once(':')?;
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let is_split = !kind.is_empty() && kind.chars().all(is_word) && !rest.contains('\n');
    is_split.then(|| (kind, rest.trim()))
}

/// Normalises a stack trace and its raw form, and tells whether anything was cut.
///
/// Raw frames are as the client sent them, but within bounds.
fn normalize_stacktraces(
    [stacktrace, raw]: [&mut Option<Stacktrace<'_>>; 2],
    platform: &str,
) -> bool {
    let mut is_cut = false;
    if let Some(stacktrace) = stacktrace {
        is_cut |= cut_frames(stacktrace);
        for frame in &mut stacktrace.frames {
            normalize_frame(frame, platform);
            is_cut |= trim_frame(frame);
        }
        drop_detail(&mut stacktrace.frames);
        is_cut |= trim_stacktrace_data(stacktrace);
    }
    if let Some(raw) = raw {
        is_cut |= cut_frames(raw);
        for frame in &mut raw.frames {
            is_cut |= trim_frame(frame);
        }
        drop_detail(&mut raw.frames);
        is_cut |= trim_stacktrace_data(raw);
    }
    is_cut
}

/// Leaves both ends of a stack that is too deep.
fn cut_frames(stacktrace: &mut Stacktrace<'_>) -> bool {
    let frames = &mut stacktrace.frames;
    let is_deep = frames.len() > FRAMES_OLDEST + FRAMES_NEWEST;
    if is_deep {
        frames.drain(FRAMES_OLDEST..frames.len() - FRAMES_NEWEST);
    }
    is_deep
}

fn normalize_frame(frame: &mut Frame<'_>, platform: &str) {
    frame.abs_path.take_if(|path| path.is_empty());
    frame.filename.take_if(|name| name.is_empty());
    frame
        .function
        .take_if(|name| name.is_empty() || name == "?");
    if frame.abs_path.is_none() {
        frame.abs_path = frame.filename.take();
    }
    if frame.filename.is_none()
        && let Some(path) = &frame.abs_path
    {
        frame.filename = Some(match url_path(path) {
            Some(path) => Cow::Owned(path.to_owned()),
            None => path.clone(),
        });
    }
    let has_lines = !frame.pre_context.is_empty() || !frame.post_context.is_empty();
    if frame.context_line.is_none() && has_lines {
        frame.context_line = Some(Cow::Borrowed(""));
    }
    shorten_function(frame, platform);
}

/// Takes from the function's name what compilers add, and keeps the whole as the raw one.
fn shorten_function(frame: &mut Frame<'_>, platform: &str) {
    if frame.raw_function.is_some() {
        return;
    }
    let platform = frame.platform.as_deref().unwrap_or(platform);
    let shortened = frame.function.as_deref().and_then(|function| {
        let shortened = trim_function(function, platform);
        (*shortened != *function).then(|| shortened.into_owned())
    });
    if let Some(shortened) = shortened {
        frame.raw_function = frame.function.replace(Cow::Owned(shortened));
    }
}

/// Brings a frame's texts within bounds, and tells whether anything was cut.
fn trim_frame(frame: &mut Frame<'_>) -> bool {
    let mut is_cut = trim_text(&mut frame.function, FUNCTION)
        | trim_text(&mut frame.raw_function, FUNCTION)
        | trim_text(&mut frame.symbol, FUNCTION)
        | trim_text(&mut frame.module, SYMBOL)
        | trim_text(&mut frame.package, SYMBOL)
        | trim_text(&mut frame.filename, PATH)
        | trim_text(&mut frame.abs_path, PATH)
        | trim_text(&mut frame.context_line, SOURCE_LINE);
    for line in frame.pre_context.iter_mut().chain(&mut frame.post_context) {
        is_cut |= trim_text_value(line, SOURCE_LINE);
    }
    is_cut
}

/// The path of a URL, where it has one beyond the root.
fn url_path(url: &str) -> Option<&str> {
    let (scheme, rest) = url.split_once("://")?;
    let is_scheme = !scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let path = &rest[rest.find('/')?..];
    let path = path.split(['?', '#']).next().unwrap_or(path);
    (is_scheme && path.len() > 1).then_some(path)
}

/// Leaves variables and source lines to the frames that tell most: the application's own first, and
/// of each kind those nearest to both ends.
fn drop_detail(frames: &mut [Frame<'_>]) {
    if frames.len() <= FRAMES_WITH_DETAIL_MAX {
        return;
    }
    let is_own = |frame: &Frame<'_>| frame.in_app == Some(true);
    let (own, system): (Vec<usize>, Vec<usize>) =
        (0..frames.len()).partition(|index| is_own(&frames[*index]));
    let own_left = own.len().min(FRAMES_WITH_DETAIL_MAX);
    let dropped = middle(&own, own_left)
        .iter()
        .chain(middle(&system, FRAMES_WITH_DETAIL_MAX - own_left));
    for &index in dropped {
        let frame = &mut frames[index];
        frame.vars = copal_protocol::Object::new();
        frame.pre_context.clear();
        frame.post_context.clear();
        frame.context_line = None;
    }
}

/// What lies between the first and last of `kept` indices.
fn middle(indices: &[usize], kept: usize) -> &[usize] {
    if indices.len() <= kept {
        return &[];
    }
    &indices[kept / 2..indices.len() - (kept - kept / 2)]
}
