//! How an event is grouped: by what it, its client, or a rule says, in this order: checksum,
//! fingerprint, the strategies.

use std::borrow::Cow;

use copal_protocol::event::Event;
use md5::{Digest, Md5};

use crate::fingerprint::{Values, Wish};
use crate::judge::Judged;
use crate::rules::{RuleRef, Rules};
use crate::stack::Verdict;
use crate::strategy::{self, Found, Leaves};

/// Version of the algorithm, stored with every event. A change of any hash takes the next number.
pub const VERSION: &str = "copal-1";

/// MD5 over the contributing values.
pub type Hash = [u8; 16];

/// How an event was grouped, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grouping<'a> {
    /// [`VERSION`].
    pub version: &'static str,
    /// Every way looked at, the deciding one first.
    pub variants: Vec<Variant<'a>>,
    /// Hashes of the contributing variants, the deciding one first; at least one.
    pub hashes: Vec<Hash>,
    /// The strategy that decided, such as `exception` or `message`.
    pub deciding: &'static str,
    /// What was taken into account, for people.
    pub reasons: Vec<&'static str>,
    /// The rule that set the fingerprint, if one did.
    pub fingerprint_rule: Option<RuleRef<'a>>,
    /// The title that the rule sets.
    pub title: Option<String>,
    /// The place of the exception that the issue is named after.
    pub main_exception: Option<usize>,
    /// Which frames count, of each stack that was looked at.
    pub stacks: Vec<StackVerdicts>,
}

/// One way to see the event, and its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variant<'a> {
    /// `app`, `system`, `default`, `checksum`, `custom` or `fallback`.
    pub name: &'static str,
    /// The hash, where the variant has one.
    pub hash: Option<Hash>,
    /// Whether its hash counts.
    pub contributes: bool,
    /// Why it does not.
    pub hint: Option<&'static str>,
    /// What is hashed, in order.
    pub leaves: Vec<Leaf<'a>>,
}

/// A value that is hashed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaf<'a> {
    /// What it is, such as `type` or `function`.
    pub part: &'static str,
    /// Its text.
    pub value: Cow<'a, str>,
    /// The place of its exception, where it is of one.
    pub exception: Option<usize>,
    /// The index of its frame in the stack trace, where it is of one.
    pub frame: Option<usize>,
}

/// Which frames of a stack count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackVerdicts {
    /// Whose stack it is.
    pub whose: Whose,
    /// About each frame, in order.
    pub frames: Vec<Verdict>,
}

/// Whose a stack is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// Of the exception at this place.
    Exception(usize),
    /// Of the thread at this place.
    Thread(usize),
    /// The event's own.
    Event,
}

pub(crate) fn decide<'a>(event: &'a Event<'_>, judged: &Judged, rules: &'a Rules) -> Grouping<'a> {
    let checksum = event
        .checksum
        .as_deref()
        .filter(|checksum| !checksum.is_empty());
    let mut grouping = match checksum {
        Some(checksum) => by_checksum(checksum),
        None => by_fingerprint(event, judged, rules),
    };
    grouping.main_exception = strategy::main_exception(event, judged);
    grouping
}

fn by_checksum(checksum: &str) -> Grouping<'_> {
    let leaf = Leaf {
        part: "checksum",
        value: Cow::Borrowed(checksum),
        exception: None,
        frame: None,
    };
    let mut variant = variant("checksum", vec![leaf]);
    if let Some(hash) = read_hash(checksum) {
        variant.hash = Some(hash);
    }
    finish("checksum", vec![variant], vec!["the client set a checksum"])
}

/// 32 lower-case hexadecimal digits are a hash themselves.
fn read_hash(text: &str) -> Option<Hash> {
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if text.len() != 32 || !text.bytes().all(is_digit) {
        return None;
    }
    u128::from_str_radix(text, 16).ok().map(u128::to_be_bytes)
}

fn by_fingerprint<'a>(event: &'a Event<'_>, judged: &Judged, rules: &'a Rules) -> Grouping<'a> {
    let setting = rules.fingerprint.find(event, judged);
    let values = Values::of(event, judged);
    let (wish, who) = match &setting {
        Some(setting) => (
            Wish::of(setting.fingerprint, &values),
            [
                "a rule set the fingerprint",
                "a rule added to the default grouping",
            ],
        ),
        None => (
            Wish::of(&event.fingerprint, &values),
            [
                "the client set the fingerprint",
                "the client added to the default grouping",
            ],
        ),
    };
    let mut grouping = match wish {
        Wish::Default => by_default(event, judged, None),
        Wish::Hybrid(parts) => by_default(event, judged, Some((&parts, who[1]))),
        Wish::Custom(parts) => {
            let leaves = parts.into_iter().map(fingerprint_leaf).collect();
            finish("fingerprint", vec![variant("custom", leaves)], vec![who[0]])
        }
    };
    if let Some(setting) = setting {
        grouping.title = setting.title.map(|title| values.fill_in(title));
        grouping.fingerprint_rule = Some(setting.rule);
    }
    grouping
}

/// The parts of a fingerprint around the default grouping, and who set them.
type Hybrid<'h, 'a> = (&'h [Option<Cow<'a, str>>], &'static str);

fn by_default<'a>(
    event: &'a Event<'_>,
    judged: &Judged,
    hybrid: Option<Hybrid<'_, 'a>>,
) -> Grouping<'a> {
    let platform = event.platform.as_deref().unwrap_or("other");
    let make = |name, leaves| variant(name, splice(leaves, hybrid));
    let (strategy, variants, verdicts) = match strategy::find(event, platform, judged) {
        Err(verdicts) => ("fallback", vec![make("fallback", Vec::new())], verdicts),
        Ok(Found {
            strategy,
            leaves,
            verdicts,
        }) => {
            let variants = match leaves {
                Leaves::Plain { variant, leaves } => vec![make(variant, leaves)],
                Leaves::Stacks { app, system } if app.is_empty() => {
                    let silent = Variant {
                        hint: Some("no frame of the application contributes"),
                        contributes: false,
                        ..Variant::named("app")
                    };
                    vec![make("system", system), silent]
                }
                Leaves::Stacks { app, system } => {
                    let (app, mut system) = (make("app", app), make("system", system));
                    if system.hash == app.hash {
                        system.contributes = false;
                        system.hint = Some("its hash is that of app");
                    }
                    vec![app, system]
                }
            };
            (strategy, variants, verdicts)
        }
    };
    let who = hybrid.map(|(_, who)| who);
    let reasons = who.into_iter().chain([reason(strategy)]).collect();
    Grouping {
        stacks: verdicts,
        ..finish(strategy, variants, reasons)
    }
}

fn reason(strategy: &str) -> &'static str {
    match strategy {
        "exception" => "exceptions decide",
        "threads" => "the stack of a thread decides",
        "stacktrace" => "the stack trace decides",
        "template" => "the template decides",
        "csp" => "the violated directive and what was blocked decide",
        "hpkp" | "expect-ct" | "expect-staple" => "the host that a browser reports decides",
        "message" => "the message decides, with changing values replaced",
        _ => "the event has nothing to group by",
    }
}

fn fingerprint_leaf(value: Cow<'_, str>) -> Leaf<'_> {
    Leaf {
        part: "fingerprint",
        value,
        exception: None,
        frame: None,
    }
}

fn splice<'a>(leaves: Vec<Leaf<'a>>, hybrid: Option<Hybrid<'_, 'a>>) -> Vec<Leaf<'a>> {
    let Some((parts, _)) = hybrid else {
        return leaves;
    };
    let mut spliced = Vec::with_capacity(leaves.len() + parts.len());
    for part in parts {
        match part {
            Some(value) => spliced.push(fingerprint_leaf(value.clone())),
            None => spliced.extend(leaves.iter().cloned()),
        }
    }
    spliced
}

impl Variant<'_> {
    const fn named(name: &'static str) -> Self {
        Self {
            name,
            hash: None,
            contributes: true,
            hint: None,
            leaves: Vec::new(),
        }
    }
}

fn variant<'a>(name: &'static str, leaves: Vec<Leaf<'a>>) -> Variant<'a> {
    let mut digest = Md5::new();
    for leaf in &leaves {
        digest.update(leaf.value.as_bytes());
    }
    Variant {
        hash: Some(digest.finalize().into()),
        leaves,
        ..Variant::named(name)
    }
}

fn finish<'a>(
    deciding: &'static str,
    variants: Vec<Variant<'a>>,
    reasons: Vec<&'static str>,
) -> Grouping<'a> {
    let counted = variants.iter().filter(|variant| variant.contributes);
    Grouping {
        version: VERSION,
        hashes: counted.filter_map(|variant| variant.hash).collect(),
        variants,
        deciding,
        reasons,
        fingerprint_rule: None,
        title: None,
        main_exception: None,
        stacks: Vec::new(),
    }
}
