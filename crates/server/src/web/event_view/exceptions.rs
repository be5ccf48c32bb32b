//! The exception chain, the crash first, and threads with stacks of their own.

use copal_protocol::Json;
use copal_ui::pages::event::{ExceptionView, Relation, ThreadView};

use super::frames::frames;
use super::tree::{list, number, text, text_at, truth};

/// Exceptions of one chain that are shown.
const EXCEPTIONS_MAX: usize = 50;
/// Threads that are shown.
const THREADS_MAX: usize = 50;

/// SDKs send the cause first and the crash last; people read the other way round.
pub(super) fn exceptions(event: &Json<'_>) -> Vec<ExceptionView> {
    let chain = list(event, "exception");
    let mut shown: Vec<_> = chain
        .iter()
        .rev()
        .take(EXCEPTIONS_MAX)
        .enumerate()
        .map(|(index, exception)| view(exception, relation(index, exception)))
        .collect();
    // Older SDKs send a message's stack at the top of the event.
    if let [only] = shown.as_mut_slice()
        && only.frames.is_empty()
    {
        only.frames = frames(event);
    }
    shown
}

/// Threads with a stack, the crashed or current one first.
pub(super) fn threads(event: &Json<'_>) -> Vec<ThreadView> {
    let mut threads: Vec<_> = list(event, "threads")
        .iter()
        .map(|thread| ThreadView {
            name: text(thread, "name")
                .or_else(|| text(thread, "id"))
                .unwrap_or_default(),
            is_crashed: truth(thread, "crashed")
                .or_else(|| truth(thread, "current"))
                .unwrap_or(false),
            frames: frames(thread),
        })
        .filter(|thread| !thread.frames.is_empty())
        .collect();
    threads.sort_by_key(|thread| !thread.is_crashed);
    threads.truncate(THREADS_MAX);
    threads
}

fn view(exception: &Json<'_>, relation: Relation) -> ExceptionView {
    let mechanism = exception.get("mechanism");
    ExceptionView {
        kind: text(exception, "type").unwrap_or_default(),
        value: text(exception, "value").unwrap_or_default(),
        module: text(exception, "module"),
        mechanism: text_at(exception, &["mechanism", "type"]),
        is_handled: mechanism.and_then(|mechanism| truth(mechanism, "handled")),
        relation,
        frames: frames(exception),
    }
}

fn relation(index: usize, exception: &Json<'_>) -> Relation {
    let source = text_at(exception, &["mechanism", "source"]).unwrap_or_default();
    let is_child = exception
        .get("mechanism")
        .is_some_and(|mechanism| number(mechanism, "parent_id").is_some());
    match source.as_str() {
        _ if index == 0 => Relation::Crash,
        "__context__" => Relation::WhileHandling,
        source
            if is_child && (source.starts_with("exceptions[") || source.starts_with("errors[")) =>
        {
            Relation::PartOf
        }
        _ => Relation::CausedBy,
    }
}
