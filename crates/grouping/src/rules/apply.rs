//! What stack-trace rules say about one stack.
//!
//! First which frames are the application's and of which category they are, then which count. A rule
//! finds all its frames before it changes any, so that it never sees its own effects; later rules do.

use super::stack::{
    Action, Category, ExceptionFacts, FrameFacts, Layer, Matcher, Rule, RuleId, StackRules, Test,
};
use super::stack_syntax::Range;

/// What the rules say about a stack.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ruling {
    /// About each frame, in order.
    pub frames: Vec<FrameRuling>,
    /// How many frames at the crash's end count, where there is a limit, and the rule that set it.
    pub max_frames: Option<(usize, RuleId)>,
    /// How many frames must count for the stack to count at all, and the rule that set it.
    pub min_frames: Option<(usize, RuleId)>,
    /// The rule by which the stack is read from the other end.
    pub inverted_by: Option<RuleId>,
}

/// What the rules say about a frame.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FrameRuling {
    /// The application's own.
    pub in_app: bool,
    /// Says nothing about the error.
    pub is_ignored: bool,
    /// The rule that decided `in_app`, if one did.
    pub app_rule: Option<RuleId>,
    /// The rule that decided `is_ignored`, if one did.
    pub group_rule: Option<RuleId>,
    category: Option<Category>,
}

/// Actions on what frames are come before those on what counts, which may ask for the former.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pass {
    App,
    Group,
}

/// Which patterns of a layer hold.
struct Matches {
    /// One row of bits for each frame, one bit for each pattern.
    rows: Vec<u64>,
    /// All rows together.
    any: Vec<u64>,
    exception: Vec<bool>,
    /// The rules worth looking at, in order.
    rules: Vec<usize>,
}

impl StackRules {
    /// What the rules say about a stack.
    pub fn apply(&self, frames: &[FrameFacts<'_>], exception: &ExceptionFacts<'_>) -> Ruling {
        let layers: Vec<(usize, &Layer, Matches)> = self
            .layers()
            .scan(0, |offset, layer| {
                let start = *offset;
                *offset += layer.rules.len();
                Some((start, layer, layer.matches(frames, exception)))
            })
            .collect();
        let as_sent = |frame: &FrameFacts<'_>| FrameRuling {
            in_app: frame.in_app.unwrap_or(false),
            ..FrameRuling::default()
        };
        let mut ruling = Ruling {
            frames: frames.iter().map(as_sent).collect(),
            ..Ruling::default()
        };
        let mut found = Vec::with_capacity(frames.len());
        for pass in [Pass::App, Pass::Group] {
            for (offset, layer, matches) in &layers {
                for &place in &matches.rules {
                    let rule = &layer.rules[place];
                    if !rule.actions.iter().any(|action| action.pass() == pass) {
                        continue;
                    }
                    found.clear();
                    layer.find(rule, frames, matches, &ruling, &mut found);
                    if found.is_empty() {
                        continue;
                    }
                    let id = RuleId::at(*offset, place);
                    for action in rule.actions.iter().filter(|action| action.pass() == pass) {
                        action.act(id, &found, &mut ruling);
                    }
                }
            }
        }
        ruling
    }
}

impl Layer {
    fn matches(&self, frames: &[FrameFacts<'_>], exception: &ExceptionFacts<'_>) -> Matches {
        let mut rows = vec![0_u64; self.words * frames.len()];
        let mut any = vec![0_u64; self.words];
        let mut path = Vec::new();
        for (frame, row) in frames.iter().zip(rows.chunks_exact_mut(self.words.max(1))) {
            self.match_frame(frame, &mut path, row);
            for (any, row) in any.iter_mut().zip(row) {
                *any |= *row;
            }
        }
        let exception = self.match_exception(exception);
        let mut matches = Matches {
            rows,
            any,
            exception,
            rules: Vec::new(),
        };
        matches.rules = self.candidates(frames, &matches);
        matches
    }

    /// The rules that some frame could match: most are about other platforms, or other code.
    fn candidates(&self, frames: &[FrameFacts<'_>], matches: &Matches) -> Vec<usize> {
        let Some(first) = frames.first() else {
            return Vec::new();
        };
        let is_one_family = frames.iter().all(|frame| frame.family == first.family);
        let could_hold = |matcher: &Matcher| match &matcher.test {
            Test::Frame(id) => matcher.is_negated || has_bit(&matches.any, *id),
            Test::Exception(index) => matches.exception[*index] != matcher.is_negated,
            _ => true,
        };
        let could_match = |place: &usize| {
            let rule = &self.rules[*place];
            rule.matchers
                .iter()
                .chain(&rule.calling)
                .chain(&rule.called)
                .all(could_hold)
        };
        if is_one_family {
            let places = &self.by_family[first.family as usize];
            places.iter().copied().filter(could_match).collect()
        } else {
            (0..self.rules.len()).filter(could_match).collect()
        }
    }

    /// The frames that a rule matches.
    fn find(
        &self,
        rule: &Rule,
        frames: &[FrameFacts<'_>],
        matches: &Matches,
        ruling: &Ruling,
        found: &mut Vec<usize>,
    ) {
        let holds = |matcher: &Matcher, frame: usize| {
            let holds = match &matcher.test {
                Test::Frame(id) => has_bit(&matches.rows[frame * self.words..], *id),
                Test::Exception(index) => matches.exception[*index],
                Test::Family(families) => families.contains(frames[frame].family),
                Test::App(app) => *app == Some(ruling.frames[frame].in_app),
                Test::Category(category) => ruling.frames[frame].category == Some(*category),
            };
            holds != matcher.is_negated
        };
        let neighbour_holds = |wanted: &Option<Matcher>, frame: Option<usize>| match wanted {
            None => true,
            Some(wanted) => frame.is_some_and(|frame| holds(wanted, frame)),
        };
        found.extend((0..frames.len()).filter(|&frame| {
            let next = Some(frame + 1).filter(|next| *next < frames.len());
            rule.matchers.iter().all(|matcher| holds(matcher, frame))
                && neighbour_holds(&rule.calling, frame.checked_sub(1))
                && neighbour_holds(&rule.called, next)
        }));
    }
}

fn has_bit(row: &[u64], id: usize) -> bool {
    row[id / 64] & (1 << (id % 64)) != 0
}

impl Action {
    const fn pass(&self) -> Pass {
        match self {
            Self::App(..) | Self::Category(_) => Pass::App,
            Self::Group(..) | Self::MaxFrames(_) | Self::MinFrames(_) | Self::Invert(_) => {
                Pass::Group
            }
        }
    }

    /// Acts on the frames that the rule matched, of which there is one at least.
    fn act(&self, rule: RuleId, matched: &[usize], ruling: &mut Ruling) {
        match *self {
            Self::MaxFrames(frames) => ruling.max_frames = (frames > 0).then_some((frames, rule)),
            Self::MinFrames(frames) => ruling.min_frames = (frames > 0).then_some((frames, rule)),
            Self::Invert(is_inverted) => ruling.inverted_by = is_inverted.then_some(rule),
            Self::Category(category) => {
                for index in matched {
                    ruling.frames[*index].category = Some(category);
                }
            }
            Self::App(range, in_app) => range.each(matched, &mut ruling.frames, |frame| {
                frame.in_app = in_app;
                frame.app_rule = Some(rule);
            }),
            Self::Group(range, counts) => range.each(matched, &mut ruling.frames, |frame| {
                frame.is_ignored = !counts;
                frame.group_rule = Some(rule);
            }),
        }
    }
}

impl Range {
    /// Each frame of the range. Callees of several matches are those of the first, callers those of
    /// the last.
    fn each(
        self,
        matched: &[usize],
        frames: &mut [FrameRuling],
        act: impl FnMut(&mut FrameRuling),
    ) {
        match (self, matched) {
            (Self::Callees, [first, ..]) => frames[first + 1..].iter_mut().for_each(act),
            (Self::Callers, [.., last]) => frames[..*last].iter_mut().for_each(act),
            (Self::Here, _) => {
                let mut act = act;
                for index in matched {
                    act(&mut frames[*index]);
                }
            }
            _ => {}
        }
    }
}
