//! Rules about frames: which are the application's own, and which say nothing about an error.
//!
//! The rules are text (`builtin.txt`). Their patterns are compiled into one automaton per field, so
//! that a frame is read once however many rules there are. What a rule sees of its callers' and
//! callees' frames (`[ … ] |`) is not built yet and refused as unknown.
//!
//! # Layout
//! - `parse`: text to rules
//! - `glob`: patterns to regular expressions

mod glob;
mod parse;
mod patterns;

use std::sync::LazyLock;

use regex::bytes::{RegexSet, RegexSetBuilder};

pub use self::parse::{Problem, RuleError};
use crate::family::Family;
use patterns::{Patterns, normal_path};

/// Rules, in the order in which they apply: later ones win.
#[derive(Debug)]
pub struct Rules {
    list: Vec<Rule>,
    sets: [RegexSet; Field::COUNT],
    /// The bit of each field's first pattern.
    offsets: [usize; Field::COUNT],
    /// Machine words that hold one bit for each pattern.
    words: usize,
}

/// What rules look at in a frame.
#[derive(Debug, Clone, Copy)]
pub struct FrameFacts<'a> {
    /// How the frame is read.
    pub family: Family,
    /// `abs_path`, else `filename`.
    pub path: Option<&'a str>,
    /// The module, class or namespace.
    pub module: Option<&'a str>,
    /// The function, trimmed.
    pub function: Option<&'a str>,
    /// The library.
    pub package: Option<&'a str>,
    /// What the SDK says of it.
    pub in_app: Option<bool>,
}

/// What rules look at in the exception that the stack belongs to.
#[derive(Debug, Clone, Copy, Default)]
pub struct ExceptionFacts<'a> {
    /// The type.
    pub kind: Option<&'a str>,
    /// The value.
    pub value: Option<&'a str>,
    /// The mechanism's type.
    pub mechanism: Option<&'a str>,
}

/// What the rules say about a stack.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ruling {
    /// About each frame, in order.
    pub frames: Vec<FrameRuling>,
    /// How many frames at the crash's end count, where there is a limit.
    pub max_frames: Option<usize>,
    /// How many frames must count for the stack to count at all.
    pub min_frames: Option<usize>,
    /// The stack is read from the other end.
    pub is_inverted: bool,
}

/// What the rules say about a frame.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FrameRuling {
    /// The application's own.
    pub in_app: bool,
    /// Says nothing about the error.
    pub is_ignored: bool,
    /// The rule that decided `in_app`, if one did.
    pub app_rule: Option<usize>,
    /// The rule that decided `is_ignored`, if one did.
    pub group_rule: Option<usize>,
    category: Option<usize>,
}

#[derive(Debug)]
struct Rule {
    text: String,
    matchers: Vec<Matcher>,
    actions: Vec<Action>,
}

#[derive(Debug)]
struct Matcher {
    is_negated: bool,
    test: Test,
}

#[derive(Debug)]
enum Test {
    /// A pattern of a field, by its place among the field's patterns.
    Pattern((Field, usize)),
    AnyFamily,
    Family(Vec<Family>),
    /// `None`: a value that cannot be read, which nothing is.
    App(Option<bool>),
    Category(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Path,
    Package,
    Module,
    Function,
    Type,
    Value,
    Mechanism,
}

impl Field {
    const COUNT: usize = 7;
}

#[derive(Debug)]
enum Action {
    App(Range, bool),
    Group(Range, bool),
    Category(usize),
    MaxFrames(usize),
    MinFrames(usize),
    Invert(bool),
}

/// Which frames an action is about, seen from the one that matched.
#[derive(Debug, Clone, Copy)]
enum Range {
    Here,
    Callees,
    Callers,
}

static BUILTIN: LazyLock<Rules> = LazyLock::new(|| {
    Rules::parse(&[include_str!("builtin.txt")]).expect("the built-in rules are read by every test")
});

/// The value that rules see of an exception that lacks one.
const UNKNOWN: &str = "<unknown>";

impl Rules {
    /// The rules that hold for every project.
    pub fn builtin() -> &'static Self {
        &BUILTIN
    }

    /// Built-in rules, then those of `text`.
    ///
    /// # Errors
    /// When a line of `text` is no rule.
    pub fn with_builtin(text: &str) -> Result<Self, RuleError> {
        Self::parse(&[include_str!("builtin.txt"), text])
    }

    fn parse(texts: &[&str]) -> Result<Self, RuleError> {
        let mut patterns = Patterns::default();
        let mut rules = Vec::new();
        for text in texts {
            for (index, line) in text.lines().enumerate() {
                let rule = parse::parse_line(line, &mut patterns).map_err(|problem| RuleError {
                    line: index + 1,
                    problem,
                })?;
                rules.extend(rule);
            }
        }
        let mut offsets = [0; Field::COUNT];
        let mut bits = 0;
        for (offset, field) in offsets.iter_mut().zip(&patterns.fields) {
            *offset = bits;
            bits += field.len();
        }
        let sets = patterns.fields.map(|field| {
            RegexSetBuilder::new(field)
                .unicode(false)
                .build()
                .expect("every pattern compiles alone, and none is large")
        });
        Ok(Self {
            list: rules,
            sets,
            offsets,
            words: bits.div_ceil(64),
        })
    }

    /// The text of a rule that a [`FrameRuling`] names.
    pub fn text(&self, rule: usize) -> Option<&str> {
        self.list.get(rule).map(|rule| rule.text.as_str())
    }

    /// What the rules say about a stack: first which frames are the application's, then which of
    /// them count.
    pub fn apply(&self, frames: &[FrameFacts<'_>], exception: &ExceptionFacts<'_>) -> Ruling {
        let bits = self.matches(frames, exception);
        let mut ruling = Ruling {
            frames: frames
                .iter()
                .map(|frame| FrameRuling {
                    in_app: frame.in_app.unwrap_or(false),
                    ..FrameRuling::default()
                })
                .collect(),
            ..Ruling::default()
        };
        let mut found = Vec::with_capacity(frames.len());
        for pass in [Pass::App, Pass::Group] {
            for (index, rule) in self.list.iter().enumerate() {
                if !rule.acts_in(pass) || !self.can_match(rule, &bits.any) {
                    continue;
                }
                found.clear();
                found.extend((0..frames.len()).filter(|frame| {
                    let row = &bits.rows[frame * self.words..][..self.words];
                    let holds = |matcher: &Matcher| {
                        self.holds(matcher, row, frames[*frame].family, &ruling.frames[*frame])
                    };
                    rule.matchers.iter().all(holds)
                }));
                for action in rule.actions.iter().filter(|action| action.pass() == pass) {
                    act(action, index, &found, &mut ruling);
                }
            }
        }
        ruling
    }

    fn matches(&self, frames: &[FrameFacts<'_>], exception: &ExceptionFacts<'_>) -> Matches {
        let mut rows = vec![0_u64; self.words * frames.len()];
        let mut any = vec![0_u64; self.words];
        for (field, text) in [
            (Field::Type, exception.kind),
            (Field::Value, exception.value),
            (Field::Mechanism, exception.mechanism),
        ] {
            self.set_bits(field, text.unwrap_or(UNKNOWN).as_bytes(), &mut any);
        }
        let of_exception = any.clone();
        let mut path = Vec::new();
        for (frame, row) in frames.iter().zip(rows.chunks_exact_mut(self.words.max(1))) {
            row.copy_from_slice(&of_exception);
            for (field, text) in [(Field::Path, frame.path), (Field::Package, frame.package)] {
                if let Some(text) = text {
                    normal_path(text, &mut path);
                    self.set_bits(field, &path, row);
                }
            }
            for (field, text) in [
                (Field::Module, frame.module),
                (Field::Function, frame.function),
            ] {
                if let Some(text) = text {
                    self.set_bits(field, text.as_bytes(), row);
                }
            }
            for (any, row) in any.iter_mut().zip(row) {
                *any |= *row;
            }
        }
        Matches { rows, any }
    }

    fn set_bits(&self, field: Field, text: &[u8], row: &mut [u64]) {
        let set = &self.sets[field as usize];
        if set.is_empty() {
            return;
        }
        for pattern in set.matches(text) {
            let bit = self.offsets[field as usize] + pattern;
            row[bit / 64] |= 1 << (bit % 64);
        }
    }

    fn has_bit(&self, (field, pattern): (Field, usize), row: &[u64]) -> bool {
        let bit = self.offsets[field as usize] + pattern;
        row[bit / 64] & (1 << (bit % 64)) != 0
    }

    /// Whether some frame could match: most rules are about other platforms.
    fn can_match(&self, rule: &Rule, any: &[u64]) -> bool {
        rule.matchers.iter().all(|matcher| match &matcher.test {
            Test::Pattern(pattern) => matcher.is_negated || self.has_bit(*pattern, any),
            _ => true,
        })
    }

    fn holds(&self, matcher: &Matcher, row: &[u64], family: Family, ruling: &FrameRuling) -> bool {
        let holds = match &matcher.test {
            Test::Pattern(pattern) => self.has_bit(*pattern, row),
            Test::AnyFamily => true,
            Test::Family(families) => families.contains(&family),
            Test::App(app) => *app == Some(ruling.in_app),
            Test::Category(category) => ruling.category == Some(*category),
        };
        holds != matcher.is_negated
    }
}

/// One row of bits for each frame, one bit for each pattern; and all rows together.
struct Matches {
    rows: Vec<u64>,
    any: Vec<u64>,
}

/// Actions on what frames are come before those on what counts, which may ask for the former.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pass {
    App,
    Group,
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
}

impl Rule {
    fn acts_in(&self, pass: Pass) -> bool {
        self.actions.iter().any(|action| action.pass() == pass)
    }
}

fn act(action: &Action, rule: usize, matched: &[usize], ruling: &mut Ruling) {
    if matched.is_empty() {
        return;
    }
    match *action {
        Action::MaxFrames(frames) => ruling.max_frames = (frames > 0).then_some(frames),
        Action::MinFrames(frames) => ruling.min_frames = (frames > 0).then_some(frames),
        Action::Invert(is_inverted) => ruling.is_inverted = is_inverted,
        Action::Category(category) => {
            for index in matched {
                ruling.frames[*index].category = Some(category);
            }
        }
        Action::App(range, in_app) => {
            for frame in range.of(matched, &mut ruling.frames) {
                frame.in_app = in_app;
                frame.app_rule = Some(rule);
            }
        }
        Action::Group(range, counts) => {
            for frame in range.of(matched, &mut ruling.frames) {
                frame.is_ignored = !counts;
                frame.group_rule = Some(rule);
            }
        }
    }
}

impl Range {
    /// The frames of the range. Callees of several matches are those of the first, callers those of
    /// the last.
    fn of<'a>(
        self,
        matched: &'a [usize],
        frames: &'a mut [FrameRuling],
    ) -> Box<dyn Iterator<Item = &'a mut FrameRuling> + 'a> {
        let first = matched.first().copied().unwrap_or(frames.len());
        let last = matched.last().copied().unwrap_or(0);
        match self {
            Self::Callees => Box::new(frames.iter_mut().skip(first + 1)),
            Self::Callers => Box::new(frames.iter_mut().take(last)),
            Self::Here => Box::new(
                frames
                    .iter_mut()
                    .enumerate()
                    .filter(|(index, _)| matched.binary_search(index).is_ok())
                    .map(|(_, frame)| frame),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: FrameFacts<'_> = FrameFacts {
        family: Family::Other,
        path: None,
        module: None,
        function: None,
        package: None,
        in_app: Some(true),
    };

    fn functions<'a>(names: &'a [&'a str]) -> Vec<FrameFacts<'a>> {
        names
            .iter()
            .map(|name| FrameFacts {
                family: Family::Native,
                function: Some(name),
                ..FRAME
            })
            .collect()
    }

    fn rules(text: &str) -> Rules {
        Rules::parse(&[text]).unwrap()
    }

    fn in_app(facts: FrameFacts<'_>) -> bool {
        Rules::builtin()
            .apply(&[facts], &ExceptionFacts::default())
            .frames[0]
            .in_app
    }

    fn in_app_path(path: &str) -> bool {
        in_app(FrameFacts {
            path: Some(path),
            ..FRAME
        })
    }

    #[test]
    fn builtin_rules_know_whose_code_it_is() {
        assert!(in_app_path("/srv/shop/cart.py"));
        assert!(!in_app_path(
            "/srv/venv/lib/python3.12/site-packages/django/core/handlers.py"
        ));
        assert!(!in_app_path(r"C:\shop\node_modules\express\index.js"));
        assert!(!in_app_path("node:internal/process/task_queues"));
        assert!(!in_app_path(
            "/root/go/pkg/mod/github.com/gin-gonic/gin@v1.9/gin.go"
        ));
        assert!(!in_app_path("/usr/local/bundle/gems/rack-3.0/lib/rack.rb"));
        assert!(!in_app_path("/var/www/vendor/laravel/framework/Kernel.php"));
        for (module, is_own) in [
            ("com.shop.Cart", true),
            ("org.springframework.web.Filter", false),
        ] {
            assert_eq!(
                in_app(FrameFacts {
                    module: Some(module),
                    ..FRAME
                }),
                is_own
            );
        }
        for (function, is_own) in [("shop::cart::pay", true), ("std::panicking::try", false)] {
            assert_eq!(in_app(functions(&[function])[0]), is_own);
        }
    }

    #[test]
    fn an_unknown_frame_is_not_the_applications() {
        assert!(!in_app(FrameFacts {
            in_app: None,
            ..FRAME
        }));
    }

    #[test]
    fn later_rules_win_and_see_what_earlier_ones_did() {
        let rules = rules("function:a* -app\nfunction:ab +app\napp:no -group");
        let ruling = rules.apply(&functions(&["ab", "ac"]), &ExceptionFacts::default());
        let seen: Vec<_> = ruling
            .frames
            .iter()
            .map(|f| (f.in_app, f.is_ignored))
            .collect();
        assert_eq!(seen, [(true, false), (false, true)]);
        assert_eq!(
            rules.text(ruling.frames[1].group_rule.unwrap()),
            Some("app:no -group")
        );
    }

    #[test]
    fn ranges() {
        let ignored = |text: &str| -> Vec<bool> {
            let ruling =
                rules(text).apply(&functions(&["a", "b", "c"]), &ExceptionFacts::default());
            ruling.frames.iter().map(|frame| frame.is_ignored).collect()
        };
        assert_eq!(ignored("function:b ^-group"), [false, false, true]);
        assert_eq!(ignored("function:b v-group"), [true, false, false]);
        assert_eq!(ignored("function:b -group v-group"), [true, true, false]);
        assert_eq!(ignored("!function:b -group"), [true, false, true]);
        assert_eq!(ignored("!path:x -group"), [true, true, true]);
        assert_eq!(ignored("function:x ^-group"), [false, false, false]);
    }

    #[test]
    fn exceptions_and_limits() {
        let rules = rules(
            "type:Foo* value:bar max-frames=2 min-frames=1\nmechanism:<unknown> invert-stacktrace=1",
        );
        let facts = ExceptionFacts {
            kind: Some("FooError"),
            value: Some("bar"),
            mechanism: None,
        };
        let ruling = rules.apply(&functions(&["a"]), &facts);
        assert_eq!((ruling.max_frames, ruling.min_frames), (Some(2), Some(1)));
        assert!(ruling.is_inverted);
        let other = rules.apply(&functions(&["a"]), &ExceptionFacts::default());
        assert_eq!(other.max_frames, None);
    }

    #[test]
    fn bad_rules_name_the_line_and_the_problem() {
        for (text, expected) in [
            ("function:a", "line 1: a rule ends with an action"),
            ("\n# fine\n-app", "line 3: a rule begins with a matcher"),
            (
                "nonsense:a -app",
                "line 1: `nonsense:a` is neither a matcher nor an action",
            ),
            (
                "function:a -app b:c",
                "line 1: `b:c` is neither a matcher nor an action",
            ),
            ("function:\"a -app", "line 1: a quote does not end"),
            (
                "[ function:a ] | function:b -app",
                "line 1: `[` is neither a matcher nor an action",
            ),
        ] {
            assert_eq!(Rules::parse(&[text]).unwrap_err().to_string(), expected);
        }
    }
}
