//! Event to hashes, with the reasons. Pure and versioned: the same event always groups alike.
//!
//! An event gets up to two hashes: of its application's frames (`app`) and of all frames
//! (`system`). It joins the issue of the first hash that has one. Hashes are MD5 over the text of
//! all contributing leaves in order, so that they equal those of Sentry where the rules agree.
//!
//! # Layout
//! - [`group`]: the entry
//! - `strategy`: the ways to group, best first
//! - [`mark_own_frames`]: what the rules say of frames, written into the event
//! - `stack`, `frame`, [`function`], [`family`]: what of a stack trace counts
//! - [`rules`]: whose code a frame is, as readable rules
//! - [`message`]: messages without what changes from event to event
//! - `fingerprint`: what clients ask for

#![warn(missing_docs)]

pub mod family;
mod fingerprint;
pub mod frame;
pub mod function;
pub mod message;
mod own;
pub mod rules;
mod stack;
mod strategy;

use std::borrow::Cow;

use copal_protocol::event::Event;
use md5::{Digest, Md5};

use fingerprint::Wish;
pub use own::mark_own_frames;
use rules::Rules;
use strategy::Found;

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
    /// The index of its frame in the stack trace, where it is of one.
    pub frame: Option<usize>,
}

/// Groups an event by the built-in rules.
pub fn group<'a>(event: &'a Event<'_>) -> Grouping<'a> {
    group_by(event, Rules::builtin())
}

/// Groups an event by other rules.
pub fn group_by<'a>(event: &'a Event<'_>, rules: &Rules) -> Grouping<'a> {
    if let Some(checksum) = event
        .checksum
        .as_deref()
        .filter(|checksum| !checksum.is_empty())
    {
        return by_checksum(checksum);
    }
    match Wish::of(event) {
        Wish::Default => by_default(event, rules, None),
        Wish::Hybrid(values) => by_default(event, rules, Some(&values)),
        Wish::Custom(values) => {
            let leaves: Vec<_> = values.into_iter().map(fingerprint_leaf).collect();
            let variant = variant("custom", leaves);
            finish(
                "fingerprint",
                vec![variant],
                vec!["the client set the fingerprint"],
            )
        }
    }
}

fn by_checksum(checksum: &str) -> Grouping<'_> {
    let leaf = Leaf {
        part: "checksum",
        value: Cow::Borrowed(checksum),
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
    if text.len() != 32
        || !text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    {
        return None;
    }
    u128::from_str_radix(text, 16).ok().map(u128::to_be_bytes)
}

fn by_default<'a>(
    event: &'a Event<'_>,
    rules: &Rules,
    hybrid: Option<&[Option<Cow<'a, str>>]>,
) -> Grouping<'a> {
    let platform = event.platform.as_deref().unwrap_or("other");
    let make = |name, leaves| variant(name, splice(leaves, hybrid));
    let mut reasons = Vec::new();
    if hybrid.is_some() {
        reasons.push("the client added to the default grouping");
    }
    let (strategy, variants) = match strategy::find(event, platform, rules) {
        None => ("fallback", vec![make("fallback", Vec::new())]),
        Some(Found::Plain {
            strategy,
            variant,
            leaves,
        }) => (strategy, vec![make(variant, leaves)]),
        Some(Found::Stacks {
            strategy,
            app,
            system,
        }) if app.is_empty() => {
            let silent = Variant {
                hint: Some("no frame of the application contributes"),
                contributes: false,
                ..Variant::named("app")
            };
            (strategy, vec![make("system", system), silent])
        }
        Some(Found::Stacks {
            strategy,
            app,
            system,
        }) => {
            let (app, mut system) = (make("app", app), make("system", system));
            if system.hash == app.hash {
                system.contributes = false;
                system.hint = Some("its hash is that of app");
            }
            (strategy, vec![app, system])
        }
    };
    reasons.push(match strategy {
        "exception" => "exceptions decide",
        "threads" => "the stack of a thread decides",
        "stacktrace" => "the stack trace decides",
        "template" => "the template decides",
        "csp" => "the violated directive and what was blocked decide",
        "message" => "the message decides, with changing values replaced",
        _ => "the event has nothing to group by",
    });
    finish(strategy, variants, reasons)
}

fn fingerprint_leaf(value: Cow<'_, str>) -> Leaf<'_> {
    Leaf {
        part: "fingerprint",
        value,
        frame: None,
    }
}

fn splice<'a>(leaves: Vec<Leaf<'a>>, hybrid: Option<&[Option<Cow<'a, str>>]>) -> Vec<Leaf<'a>> {
    let Some(values) = hybrid else { return leaves };
    let mut spliced = Vec::with_capacity(leaves.len() + values.len());
    for value in values {
        match value {
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
    let hashes = variants
        .iter()
        .filter(|variant| variant.contributes)
        .filter_map(|variant| variant.hash);
    Grouping {
        version: VERSION,
        hashes: hashes.collect(),
        variants,
        deciding,
        reasons,
    }
}
