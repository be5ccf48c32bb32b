//! Stack traces as lists of leaves, once with the application's frames only and once with all.

use std::borrow::Cow;

use copal_protocol::event::{Frame, Stacktrace};

use crate::Leaf;
use crate::family::Family;
use crate::frame::{FrameParts, is_script_url};
use crate::judge::platform_of;
use crate::rules::{RuleId, Ruling};

/// The contributing leaves of a stack in both variants; empty where it does not contribute.
#[derive(Debug, Default)]
pub(crate) struct Stack<'a> {
    pub(crate) app: Vec<Leaf<'a>>,
    pub(crate) system: Vec<Leaf<'a>>,
    /// Why frames do not count, in both variants, in the order of the frames.
    pub(crate) verdicts: Vec<Verdict>,
}

/// Whether a frame counts, and why not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Why it does not count among the application's frames.
    pub app: Option<Ignored>,
    /// Why it does not count among all frames.
    pub system: Option<Ignored>,
    /// The rule that says whose code it is, if one does.
    pub app_rule: Option<RuleId>,
}

/// Why a frame does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ignored {
    /// It is not the application's own.
    NotInApp,
    /// It is the same call as the one before: how deep a recursion went does not matter.
    Recursion,
    /// Nothing of it could be compared.
    Empty,
    /// It is the runtime's own, such as `eval`.
    Runtime,
    /// It is the only frame of a script, without a function.
    LoneScript,
    /// A rule says that it does not count.
    Rule(RuleId),
    /// A rule limits how many count, and it is beyond.
    MaxFrames(RuleId),
    /// A rule wants more frames than the stack has.
    MinFrames(RuleId),
}

impl<'a> Stack<'a> {
    pub(crate) fn of(
        stacktrace: &'a Stacktrace<'_>,
        platform: &'a str,
        ruling: &Ruling,
        exception: Option<usize>,
    ) -> Self {
        let frames = &stacktrace.frames;
        let parts: Vec<FrameParts<'_>> = frames
            .iter()
            .map(|frame| FrameParts::of(frame, platform_of(frame, platform)))
            .collect();
        let is_lone = is_lone_script(frames, platform);
        let mut verdicts: Vec<Verdict> = (0..frames.len())
            .map(|index| {
                let why = if is_lone {
                    Some(Ignored::LoneScript)
                } else if index > 0 && is_recursion(&frames[index - 1], &frames[index]) {
                    Some(Ignored::Recursion)
                } else {
                    why_silent(&parts[index], ruling, index)
                };
                let frame = &ruling.frames[index];
                let app = (!frame.in_app).then_some(Ignored::NotInApp);
                Verdict {
                    app: why.or(app),
                    system: why,
                    app_rule: frame.app_rule,
                }
            })
            .collect();
        let app = choose(&parts, ruling, &mut verdicts, |verdict| &mut verdict.app);
        let system = choose(&parts, ruling, &mut verdicts, |verdict| &mut verdict.system);
        let leaves = |frames: Vec<usize>| {
            let of_frame = |frame: usize| {
                let leaf = move |(part, value): (_, &Cow<'a, str>)| Leaf {
                    part,
                    value: value.clone(),
                    exception,
                    frame: Some(frame),
                };
                parts[frame].leaves().map(leaf)
            };
            frames.into_iter().flat_map(of_frame).collect()
        };
        Self {
            app: leaves(app),
            system: leaves(system),
            verdicts,
        }
    }
}

fn why_silent(parts: &FrameParts<'_>, ruling: &Ruling, index: usize) -> Option<Ignored> {
    let frame = &ruling.frames[index];
    match frame.group_rule {
        Some(rule) if frame.is_ignored => Some(Ignored::Rule(rule)),
        _ if parts.is_runtime => Some(Ignored::Runtime),
        _ if parts.is_empty() => Some(Ignored::Empty),
        _ => None,
    }
}

/// The frames that count in one variant, within the limits that rules set, in the order in which they
/// are hashed.
fn choose(
    parts: &[FrameParts<'_>],
    ruling: &Ruling,
    verdicts: &mut [Verdict],
    of_variant: impl Fn(&mut Verdict) -> &mut Option<Ignored>,
) -> Vec<usize> {
    let mut chosen: Vec<usize> = (0..parts.len())
        .filter(|index| of_variant(&mut verdicts[*index]).is_none())
        .collect();
    let (beyond, why) = match (ruling.min_frames, ruling.max_frames) {
        (Some((least, rule)), _) if chosen.len() < least => {
            (chosen.len(), Ignored::MinFrames(rule))
        }
        (_, Some((most, rule))) => (chosen.len().saturating_sub(most), Ignored::MaxFrames(rule)),
        _ => return invert(chosen, ruling),
    };
    for index in chosen.drain(..beyond) {
        *of_variant(&mut verdicts[index]) = Some(why);
    }
    invert(chosen, ruling)
}

fn invert(mut frames: Vec<usize>, ruling: &Ruling) -> Vec<usize> {
    if ruling.inverted_by.is_some() {
        frames.reverse();
    }
    frames
}

/// The same call again.
fn is_recursion(before: &Frame<'_>, frame: &Frame<'_>) -> bool {
    before.function == frame.function
        && before.lineno == frame.lineno
        && before.colno == frame.colno
        && before.module == frame.module
        && before.filename == frame.filename
        && before.abs_path == frame.abs_path
        && before.package == frame.package
}

/// One frame of a script without a function, from no address: says nothing.
fn is_lone_script(frames: &[Frame<'_>], platform: &str) -> bool {
    let [frame] = frames else { return false };
    Family::of(platform_of(frame, platform)) == Family::JavaScript
        && frame.function.as_deref().is_none_or(str::is_empty)
        && !frame.abs_path.as_deref().is_some_and(is_script_url)
}
