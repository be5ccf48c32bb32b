//! Exceptions, threads, and the frames of their stack traces.

use std::borrow::Cow;

use copal_protocol::Event;
use copal_protocol::event::{Exception, Frame, Stacktrace};

use super::attributes::trim_blank;
use super::limits::{
    ENUMERATION, FRAMES_NEWEST, FRAMES_OLDEST, FRAMES_WITH_DETAIL_MAX, FUNCTION, MESSAGE, PATH,
    SMALL_DATA, SOURCE_LINE, SYMBOL,
};
use super::trim::{trim_object, trim_stacktrace_data, trim_text, trim_text_value};

pub(super) fn normalize(event: &mut Event<'_>) {
    if let [exception] = &mut event.exceptions[..]
        && exception.stacktrace.is_none()
    {
        exception.stacktrace = event.stacktrace.take();
    }
    event.exceptions.iter_mut().for_each(normalize_exception);
    event.exceptions.retain(|exception| {
        let has_frames = exception
            .stacktrace
            .as_ref()
            .is_some_and(|s| !s.frames.is_empty());
        has_frames || exception.kind.is_some() || exception.value.is_some()
    });
    for thread in event.threads.iter_mut() {
        trim_object(&mut thread.held_locks, SMALL_DATA);
        let stacks = [&mut thread.stacktrace, &mut thread.raw_stacktrace];
        stacks.into_iter().flatten().for_each(normalize_stacktrace);
    }
    event.stacktrace.iter_mut().for_each(normalize_stacktrace);
}

fn normalize_exception(exception: &mut Exception<'_>) {
    trim_blank(&mut exception.kind);
    exception.value.take_if(|value| value.trim().is_empty());
    if exception.kind.is_none()
        && let Some((kind, value)) = exception.value.as_deref().and_then(split_type)
    {
        let (kind, value) = (kind.to_owned(), value.to_owned());
        exception.kind = Some(Cow::Owned(kind));
        exception.value = (!value.is_empty()).then_some(Cow::Owned(value));
    }
    trim_text(&mut exception.kind, SYMBOL);
    trim_text(&mut exception.value, MESSAGE);
    trim_text(&mut exception.module, SYMBOL);
    if let Some(mechanism) = &mut exception.mechanism {
        trim_blank(&mut mechanism.kind);
        trim_text(&mut mechanism.kind, ENUMERATION);
        mechanism.kind.get_or_insert(Cow::Borrowed("generic"));
        trim_text(&mut mechanism.description, MESSAGE);
        trim_object(&mut mechanism.data, SMALL_DATA);
        trim_object(&mut mechanism.meta, SMALL_DATA);
    }
    let stacks = [&mut exception.stacktrace, &mut exception.raw_stacktrace];
    stacks.into_iter().flatten().for_each(normalize_stacktrace);
}

/// `TypeError: x is not a function` without a type has one in its value.
fn split_type(value: &str) -> Option<(&str, &str)> {
    let (kind, rest) = value.split_once(':')?;
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let is_split = !kind.is_empty() && kind.chars().all(is_word) && !rest.contains('\n');
    is_split.then(|| (kind, rest.trim()))
}

fn normalize_stacktrace(stacktrace: &mut Stacktrace<'_>) {
    let frames = &mut stacktrace.frames;
    if frames.len() > FRAMES_OLDEST + FRAMES_NEWEST {
        frames.drain(FRAMES_OLDEST..frames.len() - FRAMES_NEWEST);
    }
    frames.iter_mut().for_each(normalize_frame);
    drop_detail(frames);
    trim_stacktrace_data(stacktrace);
}

fn normalize_frame(frame: &mut Frame<'_>) {
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
    trim_text(&mut frame.function, FUNCTION);
    trim_text(&mut frame.raw_function, FUNCTION);
    trim_text(&mut frame.module, SYMBOL);
    trim_text(&mut frame.package, SYMBOL);
    trim_text(&mut frame.filename, PATH);
    trim_text(&mut frame.abs_path, PATH);
    trim_text(&mut frame.context_line, SOURCE_LINE);
    for line in frame.pre_context.iter_mut().chain(&mut frame.post_context) {
        trim_text_value(line, SOURCE_LINE);
    }
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
