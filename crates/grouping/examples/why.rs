//! Why an event groups as it does: what is hashed, and which frames count by which rule.
//!
//! `cargo run -p copal-grouping --example why -- EVENT.json [STACK_RULES.txt]`

use std::error::Error;
use std::io::Write as _;

use copal_grouping::rules::{Rules, StackRules};
use copal_grouping::{Grouping, Ignored, group_by};
use copal_protocol::event::Event;
use copal_protocol::json::parse_lenient;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments
        .next()
        .ok_or("usage: why EVENT.json [STACK_RULES.txt]")?;
    let text = match arguments.next() {
        Some(path) => std::fs::read_to_string(path)?,
        None => String::new(),
    };
    let stack = StackRules::parse(&text).map_err(|errors| format!("{errors:#?}"))?;
    let rules = Rules {
        stack,
        ..Rules::default()
    };
    let bytes = std::fs::read(path)?;
    let mut scratch = Vec::new();
    let event = Event::from_json(parse_lenient(&bytes, &mut scratch)?)?;
    write(&group_by(&event, &rules), &rules.stack)?;
    Ok(())
}

fn write(grouping: &Grouping<'_>, rules: &StackRules) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "{} {:?} main {:?}",
        grouping.deciding, grouping.reasons, grouping.main_exception
    )?;
    for variant in &grouping.variants {
        let hash = variant.hash.map(u128::from_be_bytes).unwrap_or_default();
        let hint = variant.hint.unwrap_or_default();
        writeln!(
            out,
            "{} {hash:032x} {} {hint}",
            variant.name, variant.contributes
        )?;
        for leaf in &variant.leaves {
            let frame = leaf
                .frame
                .map(|frame| frame.to_string())
                .unwrap_or_default();
            writeln!(out, "    {:12} {frame:>3} {:?}", leaf.part, leaf.value)?;
        }
    }
    for stack in &grouping.stacks {
        writeln!(out, "{:?}", stack.whose)?;
        for (index, frame) in stack.frames.iter().enumerate() {
            let (app, system) = (named(frame.app, rules), named(frame.system, rules));
            let own = frame
                .app_rule
                .map(|rule| rules.rule(rule).text)
                .unwrap_or_default();
            writeln!(out, "    {index:3} app: {app} | system: {system} | {own}")?;
        }
    }
    Ok(())
}

fn named(why: Option<Ignored>, rules: &StackRules) -> String {
    match why {
        None => "counts".to_owned(),
        Some(Ignored::Rule(rule)) => {
            let rule = rules.rule(rule);
            format!("{} ({:?}, line {})", rule.text, rule.origin, rule.line)
        }
        Some(other) => format!("{other:?}"),
    }
}
