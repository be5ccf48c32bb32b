//! Stack-trace rules: whose code a frame is, and which frames say nothing about an error.
//!
//! Built-in rules come first, then a project's; later ones win. Each list is compiled for itself, so
//! that projects share the built-in one.

use std::sync::LazyLock;

use super::compiled::{Matchers, PatternId};
use super::glob::{Shape, Style};
use super::pattern::{Pattern, normal_path};
use super::stack_syntax::{
    ExceptionField, FrameField, ParsedAction, ParsedMatcher, ParsedRule, ParsedTest, Range, parse,
};
use super::{Families, Origin, RuleError, RuleRef};
use crate::family::Family;

/// The built-in rules and those of a project.
#[derive(Debug, Default)]
pub struct StackRules {
    project: Option<Layer>,
}

/// A rule of [`StackRules`], by its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RuleId(u16);

/// One list of rules.
#[derive(Debug)]
pub(super) struct Layer {
    pub(super) rules: Vec<Rule>,
    /// The rules that can hold for frames of a family, in order.
    pub(super) by_family: [Vec<usize>; Family::COUNT],
    /// By family and field.
    matchers: [[Matchers; FrameField::COUNT]; Family::COUNT],
    exceptions: Vec<(ExceptionField, Pattern)>,
    /// Names of categories, those of earlier layers first.
    categories: Vec<String>,
    /// Machine words that hold one bit for each pattern.
    pub(super) words: usize,
}

#[derive(Debug)]
pub(super) struct Rule {
    line: usize,
    text: String,
    pub(super) calling: Option<Matcher>,
    pub(super) matchers: Vec<Matcher>,
    pub(super) called: Option<Matcher>,
    pub(super) actions: Vec<Action>,
}

#[derive(Debug)]
pub(super) struct Matcher {
    pub(super) is_negated: bool,
    pub(super) test: Test,
}

#[derive(Debug)]
pub(super) enum Test {
    Frame(PatternId),
    Exception(usize),
    Family(Families),
    App(Option<bool>),
    Category(Category),
}

/// A category, by its place among the names.
pub(super) type Category = u16;

#[derive(Debug)]
pub(super) enum Action {
    App(Range, bool),
    Group(Range, bool),
    Category(Category),
    MaxFrames(usize),
    MinFrames(usize),
    Invert(bool),
}

impl FrameField {
    const COUNT: usize = 4;
    const ALL: [Self; Self::COUNT] = [Self::Path, Self::Package, Self::Module, Self::Function];
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

/// The value that rules see of an exception that lacks one.
const UNKNOWN: &str = "<unknown>";

static BUILTIN: LazyLock<Layer> = LazyLock::new(|| {
    let rules =
        parse(include_str!("stack_builtin.txt")).expect("every test reads the built-in rules");
    Layer::new(rules, &[])
});

impl StackRules {
    /// The built-in rules, then those of `text`.
    ///
    /// # Errors
    /// What is wrong with `text`, line by line.
    pub fn parse(text: &str) -> Result<Self, Vec<RuleError>> {
        let rules = Some(parse(text)?).filter(|rules| !rules.is_empty());
        Ok(Self {
            project: rules.map(|rules| Layer::new(rules, &BUILTIN.categories)),
        })
    }

    /// The lists, in order.
    pub(super) fn layers(&self) -> impl Iterator<Item = &Layer> {
        std::iter::once(&*BUILTIN).chain(&self.project)
    }

    /// The rule that an id stands for.
    pub fn rule(&self, id: RuleId) -> RuleRef<'_> {
        let place = usize::from(id.0);
        let (origin, rule) = match place.checked_sub(BUILTIN.rules.len()) {
            None => (Origin::BuiltIn, &BUILTIN.rules[place]),
            Some(place) => {
                let project = self.project.as_ref();
                (
                    Origin::Project,
                    &project.expect("its id was given by these rules").rules[place],
                )
            }
        };
        RuleRef {
            origin,
            line: rule.line,
            text: &rule.text,
        }
    }
}

impl RuleId {
    /// The rule at `place` of the layer that begins at `offset`.
    pub(super) fn at(offset: usize, place: usize) -> Self {
        Self(u16::try_from(offset + place).unwrap_or(u16::MAX))
    }
}

/// Gathers what the rules of a layer share.
struct Builder {
    patterns: Vec<(FrameField, Shape, Families)>,
    exceptions: Vec<(ExceptionField, Pattern)>,
    categories: Vec<String>,
}

impl Layer {
    fn new(parsed: Vec<ParsedRule>, categories: &[String]) -> Self {
        let mut builder = Builder {
            patterns: Vec::new(),
            exceptions: Vec::new(),
            categories: categories.to_vec(),
        };
        let mut by_family: [Vec<usize>; Family::COUNT] = Default::default();
        let mut rules = Vec::with_capacity(parsed.len());
        for (index, rule) in parsed.into_iter().enumerate() {
            for family in families_of(&rule.matchers).iter() {
                by_family[family as usize].push(index);
            }
            rules.push(builder.rule(rule));
        }
        let patterns = &builder.patterns;
        let matchers = Family::ALL.map(|family| {
            FrameField::ALL.map(|field| {
                let ids = patterns
                    .iter()
                    .enumerate()
                    .filter(|(_, (of_field, _, families))| {
                        *of_field == field && families.contains(family)
                    });
                Matchers::new(ids.map(|(id, (_, shape, _))| (id, shape)))
            })
        });
        Self {
            rules,
            by_family,
            matchers,
            words: builder.patterns.len().div_ceil(64),
            exceptions: builder.exceptions,
            categories: builder.categories,
        }
    }

    /// Which patterns of exceptions hold.
    pub(super) fn match_exception(&self, facts: &ExceptionFacts<'_>) -> Vec<bool> {
        let holds = |(field, pattern): &(ExceptionField, Pattern)| {
            let value = match field {
                ExceptionField::Type => facts.kind,
                ExceptionField::Value => facts.value,
                ExceptionField::Mechanism => facts.mechanism,
            };
            pattern.matches(value.unwrap_or(UNKNOWN))
        };
        self.exceptions.iter().map(holds).collect()
    }

    /// Sets a bit for each pattern that a frame matches.
    pub(super) fn match_frame(&self, facts: &FrameFacts<'_>, path: &mut Vec<u8>, row: &mut [u64]) {
        let [of_path, of_package, of_module, of_function] = &self.matchers[facts.family as usize];
        let mut set = |id: PatternId| row[id / 64] |= 1 << (id % 64);
        for (matchers, text) in [(of_path, facts.path), (of_package, facts.package)] {
            let Some(text) = text.filter(|_| !matchers.is_empty()) else {
                continue;
            };
            normal_path(text, path);
            matchers.find(path, &mut set);
            if !text.starts_with(['/', '\\']) {
                matchers.find(&path[1..], &mut set);
            }
        }
        for (matchers, text) in [(of_module, facts.module), (of_function, facts.function)] {
            if let Some(text) = text {
                matchers.find(text.as_bytes(), &mut set);
            }
        }
    }
}

/// The families whose frames a rule can hold for.
fn families_of(matchers: &[ParsedMatcher]) -> Families {
    matchers
        .iter()
        .fold(Families::ALL, |families, matcher| match matcher.test {
            ParsedTest::Family(named) if matcher.is_negated => families.without(named),
            ParsedTest::Family(named) => families.and(named),
            _ => families,
        })
}

impl Builder {
    fn rule(&mut self, rule: ParsedRule) -> Rule {
        let families = families_of(&rule.matchers);
        // A neighbour may be of another family.
        let calling = rule
            .calling
            .map(|matcher| self.matcher(matcher, Families::ALL));
        let called = rule
            .called
            .map(|matcher| self.matcher(matcher, Families::ALL));
        let matchers = rule
            .matchers
            .into_iter()
            .map(|matcher| self.matcher(matcher, families));
        let matchers = matchers.collect();
        let actions = rule
            .actions
            .into_iter()
            .map(|action| self.action(action))
            .collect();
        Rule {
            line: rule.line,
            text: rule.text,
            calling,
            matchers,
            called,
            actions,
        }
    }

    fn matcher(&mut self, matcher: ParsedMatcher, families: Families) -> Matcher {
        let test = match matcher.test {
            ParsedTest::Frame(field, shape) => Test::Frame(self.pattern(field, shape, families)),
            ParsedTest::Exception(field, shape) => {
                self.exceptions
                    .push((field, Pattern::of(shape, Style::Text)));
                Test::Exception(self.exceptions.len() - 1)
            }
            ParsedTest::Family(families) => Test::Family(families),
            ParsedTest::App(app) => Test::App(app),
            ParsedTest::Category(name) => Test::Category(self.category(name)),
        };
        Matcher {
            is_negated: matcher.is_negated,
            test,
        }
    }

    /// The same pattern is kept once, for all families that need it.
    fn pattern(&mut self, field: FrameField, shape: Shape, families: Families) -> PatternId {
        let known = self
            .patterns
            .iter_mut()
            .position(|(of_field, known, _)| *of_field == field && *known == shape);
        if let Some(id) = known {
            let wanted = &mut self.patterns[id].2;
            *wanted = wanted.or(families);
            return id;
        }
        self.patterns.push((field, shape, families));
        self.patterns.len() - 1
    }

    fn action(&mut self, action: ParsedAction) -> Action {
        match action {
            ParsedAction::App(range, is_app) => Action::App(range, is_app),
            ParsedAction::Group(range, counts) => Action::Group(range, counts),
            ParsedAction::Category(name) => Action::Category(self.category(name)),
            ParsedAction::MaxFrames(frames) => Action::MaxFrames(frames),
            ParsedAction::MinFrames(frames) => Action::MinFrames(frames),
            ParsedAction::Invert(is_inverted) => Action::Invert(is_inverted),
        }
    }

    fn category(&mut self, name: String) -> Category {
        let known = self.categories.iter().position(|known| *known == name);
        let place = known.unwrap_or_else(|| {
            self.categories.push(name);
            self.categories.len() - 1
        });
        Category::try_from(place).unwrap_or(Category::MAX)
    }
}
