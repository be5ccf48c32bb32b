//! Stack traces as lists of leaves, once with the application's frames only and once with all.

use copal_protocol::event::{Frame, Stacktrace};

use crate::Leaf;
use crate::family::Family;
use crate::frame::{FrameParts, facts, is_url};
use crate::rules::{ExceptionFacts, FrameRuling, Rules};

/// The contributing leaves of a stack in both variants; empty where it does not contribute.
#[derive(Debug, Default)]
pub(crate) struct Stack<'a> {
    pub(crate) app: Vec<Leaf<'a>>,
    pub(crate) system: Vec<Leaf<'a>>,
}

impl<'a> Stack<'a> {
    pub(crate) fn of(
        stacktrace: &'a Stacktrace<'_>,
        platform: &'a str,
        exception: &ExceptionFacts<'_>,
        rules: &Rules,
    ) -> Self {
        let frames = &stacktrace.frames;
        let parts: Vec<FrameParts<'_>> = frames
            .iter()
            .map(|frame| FrameParts::of(frame, platform_of(frame, platform)))
            .collect();
        if is_lone_script(frames, platform) {
            return Self::default();
        }
        let facts: Vec<_> = frames
            .iter()
            .zip(&parts)
            .map(|(frame, parts)| facts(frame, platform_of(frame, platform), parts))
            .collect();
        let ruling = rules.apply(&facts, exception);
        let counts: Vec<bool> = (0..frames.len())
            .map(|index| {
                let is_repeated = index > 0 && is_recursion(&frames[index - 1], &frames[index]);
                let is_silent = parts[index].is_worthless || parts[index].is_empty();
                !is_silent && !is_repeated && !ruling.frames[index].is_ignored
            })
            .collect();
        let choose = |is_chosen: &dyn Fn(&FrameRuling) -> bool| -> Vec<Leaf<'a>> {
            let mut chosen: Vec<usize> = (0..frames.len())
                .filter(|index| counts[*index] && is_chosen(&ruling.frames[*index]))
                .collect();
            if ruling.min_frames.is_some_and(|least| chosen.len() < least) {
                return Vec::new();
            }
            if let Some(most) = ruling.max_frames {
                chosen.drain(..chosen.len().saturating_sub(most));
            }
            if ruling.is_inverted {
                chosen.reverse();
            }
            let leaves = chosen.into_iter().flat_map(|index| {
                parts[index].leaves().map(move |(part, value)| Leaf {
                    part,
                    value: value.clone(),
                    frame: Some(index),
                })
            });
            leaves.collect()
        };
        Self {
            app: choose(&|ruling| ruling.in_app),
            system: choose(&|_| true),
        }
    }
}

pub(crate) fn platform_of<'a>(frame: &'a Frame<'_>, platform: &'a str) -> &'a str {
    frame.platform.as_deref().unwrap_or(platform)
}

/// The same call again: how deep a recursion went does not matter.
fn is_recursion(before: &Frame<'_>, frame: &Frame<'_>) -> bool {
    before.abs_path == frame.abs_path
        && before.package == frame.package
        && before.module == frame.module
        && before.filename == frame.filename
        && before.function == frame.function
        && before.lineno == frame.lineno
        && before.colno == frame.colno
}

/// One frame of a script without a function, from no address: says nothing.
fn is_lone_script(frames: &[Frame<'_>], platform: &str) -> bool {
    let [frame] = frames else { return false };
    Family::of(platform_of(frame, platform)) == Family::JavaScript
        && frame.function.as_deref().is_none_or(str::is_empty)
        && !frame.abs_path.as_deref().is_some_and(is_url)
}
