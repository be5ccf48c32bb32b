//! Lines of stack traces, the one that crashed first.

use copal_protocol::Json;
use copal_ui::pages::event::{FrameView, SourceLine};

use super::tree::{entries, list, number, scalar, text, truth};

/// Frames of one stack that are shown; normalisation keeps as many.
const FRAMES_MAX: usize = 250;
/// Lines of source before or after the one of a frame.
const SOURCE_LINES_MAX: usize = 20;

/// The frames of the stack trace under `stacktrace`, the innermost first.
pub(super) fn frames(holder: &Json<'_>) -> Vec<FrameView> {
    let Some(stack) = holder.get("stacktrace") else {
        return Vec::new();
    };
    list(stack, "frames")
        .iter()
        .rev()
        .take(FRAMES_MAX)
        .map(frame)
        .collect()
}

fn frame(frame: &Json<'_>) -> FrameView {
    let line = number(frame, "lineno");
    let path = text(frame, "abs_path");
    let filename = text(frame, "filename").or_else(|| path.clone());
    FrameView {
        function: text(frame, "function").unwrap_or_default(),
        module: text(frame, "module"),
        path: path.filter(|path| Some(path) != filename.as_ref()),
        filename,
        line,
        column: number(frame, "colno"),
        in_app: truth(frame, "in_app").unwrap_or(false),
        source: source(frame, line),
        vars: entries(frame.get("vars")),
        package: text(frame, "package"),
        address: text(frame, "instruction_addr"),
    }
}

fn source(frame: &Json<'_>, line: Option<u64>) -> Vec<SourceLine> {
    let Some(current) = text(frame, "context_line") else {
        return Vec::new();
    };
    let lines = |key| {
        list(frame, key)
            .iter()
            .map(|line| scalar(line).unwrap_or_default())
    };
    let before: Vec<String> = lines("pre_context").collect();
    let before = &before[before.len().saturating_sub(SOURCE_LINES_MAX)..];
    let after: Vec<String> = lines("post_context").take(SOURCE_LINES_MAX).collect();
    let first = line.and_then(|line| line.checked_sub(before.len() as u64));
    let mut source = Vec::with_capacity(before.len() + 1 + after.len());
    let mut push = |text: String, is_current| {
        source.push(SourceLine {
            number: first.map(|first| first.saturating_add(source.len() as u64)),
            text,
            is_current,
        });
    };
    for text in before {
        push(text.clone(), false);
    }
    push(current, true);
    for text in after {
        push(text, false);
    }
    source
}
