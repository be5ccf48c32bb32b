//! Which events are one group, and which variant decides.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};

use copal_grouping::group_by;
use copal_grouping::rules::{Rules, StackRules};
use copal_protocol::event::Event;
use copal_protocol::json::parse_lenient;
use serde_json::Value;

/// Share of the cases whose values were read from the current version, in percent, that must be in
/// the right group and be decided by the right variant.
const READ_PERCENT_MIN: usize = 97;
/// The same of cases whose values were derived from an earlier version, and may be wrong themselves.
const DERIVED_PERCENT_MIN: usize = 93;

struct Case {
    name: String,
    /// Recorded from the current version, rather than derived from an earlier one.
    is_read: bool,
    expected: Decision,
    ours: Decision,
}

#[derive(Debug, PartialEq, Eq)]
struct Decision {
    variant: String,
    hash: String,
}

/// The recorded decision of a case, and whether it was read from the current version.
fn expected(file: &Value, name: &str) -> Option<(bool, Decision)> {
    let read = &file["read_snapshots"][name];
    let hashes = if read.is_object() {
        &read["variant_hashes"]
    } else {
        &file["derived_all"][name]
    };
    let hashes: BTreeMap<String, String> = serde_json::from_value(hashes.clone()).ok()?;
    let (variant, hash) = ["app", "system", "default"]
        .iter()
        .find_map(|variant| hashes.get_key_value(*variant))
        .or_else(|| hashes.iter().next())?;
    // Whose fingerprint it is stands in the reasons.
    let variant = if variant.contains("custom") {
        "custom"
    } else {
        variant
    };
    Some((
        read.is_object(),
        Decision {
            variant: variant.to_owned(),
            hash: hash.clone(),
        },
    ))
}

fn decision(bytes: &[u8]) -> Decision {
    let json: Value = serde_json::from_slice(bytes).unwrap();
    let text = json["_grouping"]["enhancements"].as_str().unwrap_or("");
    let rules = Rules {
        stack: StackRules::parse(text).unwrap(),
        ..Rules::default()
    };
    let mut scratch = Vec::new();
    let event = Event::from_json(parse_lenient(bytes, &mut scratch).unwrap()).unwrap();
    let grouping = group_by(&event, &rules);
    Decision {
        variant: grouping.variants[0].name.to_owned(),
        hash: format!("{:032x}", u128::from_be_bytes(grouping.hashes[0])),
    }
}

/// Which of our groups stands for which recorded one: those that share most cases, each once.
///
/// A case that lies in another group than this is misplaced. Of groups that share as many the one with
/// the same hash is meant.
fn matches(cases: &[Case]) -> HashMap<&str, &str> {
    let mut shared: HashMap<(&str, &str), usize> = HashMap::new();
    for case in cases {
        *shared
            .entry((&case.ours.hash, &case.expected.hash))
            .or_default() += 1;
    }
    let mut pairs: Vec<_> = shared.into_iter().collect();
    pairs.sort_by_key(|&((ours, expected), count)| (Reverse(count), ours != expected, expected));
    let mut matches = HashMap::new();
    let mut taken = HashSet::new();
    for ((ours, expected), _) in pairs {
        if !matches.contains_key(ours) && taken.insert(expected) {
            matches.insert(ours, expected);
        }
    }
    matches
}

/// Whether exactly the cases of its recorded group are grouped with it.
fn is_exact(case: &Case, cases: &[Case]) -> bool {
    cases.iter().all(|other| {
        (other.ours.hash == case.ours.hash) == (other.expected.hash == case.expected.hash)
    })
}

#[test]
fn partitions_are_those_recorded() {
    let Some(folder) = crate::folder("grouping") else {
        return;
    };
    let file = std::fs::read(folder.join("expected_newstyle-2026-01-20.json")).unwrap();
    let file: Value = serde_json::from_slice(&file).unwrap();
    let cases: Vec<Case> = crate::cases(&folder.join("inputs"))
        .into_iter()
        .filter_map(|(name, bytes)| {
            let (is_read, expected) = expected(&file, &name)?;
            Some(Case {
                name,
                is_read,
                expected,
                ours: decision(&bytes),
            })
        })
        .collect();
    assert!(cases.len() > 90, "only {} cases found", cases.len());
    let matches = matches(&cases);
    let is_right = |case: &Case| {
        matches.get(&*case.ours.hash) == Some(&&*case.expected.hash)
            && case.expected.variant == case.ours.variant
    };
    for case in &cases {
        let Case {
            name,
            expected,
            ours,
            is_read,
        } = case;
        let source = if *is_read { "read" } else { "derived" };
        if !is_right(case) {
            eprintln!("misplaced ({source}): {name}: expected {expected:?}, is {ours:?}");
        } else if expected.hash != ours.hash {
            eprintln!("another hash ({source}): {name}");
        }
    }
    for (is_read, source, percent_min) in [
        (true, "read", READ_PERCENT_MIN),
        (false, "derived", DERIVED_PERCENT_MIN),
    ] {
        let of_source: Vec<&Case> = cases
            .iter()
            .filter(|case| case.is_read == is_read)
            .collect();
        let count = |is: &dyn Fn(&Case) -> bool| of_source.iter().filter(|case| is(case)).count();
        let (right, all) = (count(&is_right), of_source.len());
        let same = count(&|case| case.expected == case.ours);
        let exact = count(&|case| is_exact(case, &cases));
        eprintln!(
            "{source}: of {all} cases {right} are in the right group by the right variant, {exact} \
             with exactly the same others, {same} with the very same hash"
        );
        assert!(
            right * 100 >= percent_min * all,
            "{source}: {right} of {all}"
        );
    }
}
