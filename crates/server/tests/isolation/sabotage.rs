//! Teeth: each protection is taken away, one at a time, and the suite must leak. See
//! `crates/sabotage`, and `script/sabotage`, which runs this.
//!
//! What a request passes by is learnt while everything is as it should be; a mutant is asked only the
//! requests that pass by what it breaks, until one leaks.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use copal_sabotage::mutants::{self, Mutant};
use copal_server::routes::RouteAccess;
use futures_util::FutureExt as _;

use crate::cases::{self, Row};
use crate::excused::EXCUSED;
use crate::place::{Engine, Place};
use crate::run::{Depth, Plan, Question, Suite, questions};

/// Mutants of a hundred that must be killed.
const KILLED_MIN_PERCENT: f64 = 99.0;
/// Questions that a mutant is asked at most: every route in every way comes first, by one actor each.
/// What nobody has found by then counts as survived.
const QUESTIONS_MAX: usize = 4_000;
/// A request that takes longer hangs, which nobody would overlook.
const HANGS_AFTER: Duration = Duration::from_secs(20);
/// Only mutants whose name has this text: for who looks at one.
const ONLY_VARIABLE: &str = "COPAL_SABOTAGE_ONLY";

/// What a suite does besides asking routes; numbered after the questions.
const SPECIALS: usize = 4;

/// Which questions pass by a protection, by their numbers.
type Learnt = BTreeMap<Mutant, Vec<usize>>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_protection_that_is_taken_away_is_missed() {
    let began = Instant::now();
    let place = Place::make(&Engine::Sqlite).await;
    let plan = Arc::new(Plan::prepare(&place, Depth::Everything).await);
    let rows = cases::rows();
    let asked: Vec<_> = rows
        .iter()
        .flat_map(|row| plan.actors.iter().map(move |actor| (row, actor)))
        .flat_map(|(row, actor)| questions(&plan, row, actor))
        .collect();
    let mut learnt = learn(&plan, &place, &asked).await;
    eprintln!(
        "learnt {} protections of {} questions, {:.0} s",
        learnt.len(),
        asked.len(),
        began.elapsed().as_secs_f64()
    );
    let actions: BTreeSet<_> = rows.iter().filter_map(action_of).collect();
    let only = std::env::var(ONLY_VARIABLE).unwrap_or_default();
    learnt.retain(|mutant, _| {
        // A button may ask for what no route does yet.
        let is_reached = if let Mutant::Cell { action, .. } = mutant {
            actions.contains(action)
        } else {
            true
        };
        is_reached && mutant.to_string().contains(&only)
    });
    let mut survivors = BTreeSet::new();
    for (mutant, passing) in &learnt {
        let order = most_telling_first(&asked, passing);
        let before = Instant::now();
        let killer = find_leak(&plan, &place, &asked, (mutant, &order)).await;
        let seconds = before.elapsed().as_secs_f64();
        if let Some(leak) = killer {
            eprintln!("killed in {seconds:.1} s: {mutant} by {leak}");
        } else {
            let count = order.len();
            eprintln!("SURVIVED {seconds:.1} s: {mutant} ({count} questions)");
            survivors.insert(mutant.to_string());
        }
    }
    let names: Vec<_> = learnt.keys().map(ToString::to_string).collect();
    let wrong = judge(&names, &survivors, began.elapsed().as_secs_f64());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Asks everything while nothing is broken.
async fn learn(plan: &Arc<Plan>, place: &Place, asked: &[Question<'_>]) -> Learnt {
    let place = place.copy().await;
    let mut suite = Suite::start(plan, &place).await;
    let mut learnt = Learnt::new();
    mutants::take_passed();
    for number in 0..asked.len() + SPECIALS {
        ask(&mut suite, asked, number).await;
        for mutant in mutants::take_passed() {
            learnt.entry(mutant).or_default().push(number);
        }
    }
    let leaks = &suite.tally.leaks;
    assert!(leaks.is_empty(), "mend these first: {leaks:#?}");
    learnt
}

/// Breaks one protection and asks; the first leak, in a few words.
async fn find_leak(
    plan: &Arc<Plan>,
    place: &Place,
    asked: &[Question<'_>],
    (mutant, order): (&Mutant, &[usize]),
) -> Option<String> {
    let place = place.copy().await;
    let mut suite = Suite::start(plan, &place).await;
    mutants::break_only(Some(mutant.clone()));
    let mut leak = None;
    for number in order {
        let asking = AssertUnwindSafe(ask(&mut suite, asked, *number)).catch_unwind();
        leak = match tokio::time::timeout(HANGS_AFTER, asking).await {
            Err(_) => Some("it hangs".to_owned()),
            Ok(Err(_)) => Some("the suite stops".to_owned()),
            Ok(Ok(())) => suite.tally.leaks.first().cloned(),
        };
        if leak.is_some() {
            break;
        }
    }
    mutants::break_only(None);
    leak.map(|leak| leak.chars().take(160).collect())
}

async fn ask(suite: &mut Suite, asked: &[Question<'_>], number: usize) {
    match asked.get(number) {
        Some(question) => suite.ask(question).await,
        None => match number - asked.len() {
            0 => suite.ask_for_entry().await,
            1 => suite.ask_with_two_keys().await,
            2 => suite.send_alike().await,
            _ => suite.listen().await,
        },
    }
}

/// Every route in every way by one actor, then by the next one, and so on; the specials at the end.
fn most_telling_first(asked: &[Question<'_>], passing: &[usize]) -> Vec<usize> {
    let mut counts: HashMap<_, usize> = HashMap::new();
    let mut ranked: Vec<_> = passing
        .iter()
        .map(|number| {
            let Some(question) = asked.get(*number) else {
                return (0, false, *number);
            };
            let (row, variant) = (question.row, &question.case.variant);
            let way = (&row.method, row.path, variant);
            // Others come first in another order each time, so that not one actor asks all.
            let count = counts.entry(way).or_default();
            *count += 1;
            let is_own = variant == "own";
            (*count, is_own, *number)
        })
        .collect();
    ranked.sort_unstable();
    let order = ranked.into_iter().map(|(_, _, number)| number);
    order.take(QUESTIONS_MAX).collect()
}

/// Says how it went; what is wrong with it.
fn judge(names: &[String], survivors: &BTreeSet<String>, seconds: f64) -> Vec<String> {
    let is_excused = |name: &String| EXCUSED.iter().any(|(excused, _)| excused == name);
    let (excused, survived): (Vec<_>, Vec<_>) = survivors.iter().partition(|name| is_excused(name));
    let counted = names.len() - excused.len();
    let killed = counted - survived.len();
    #[expect(clippy::cast_precision_loss, reason = "there are some hundreds")]
    let rate = 100.0 * killed as f64 / counted.max(1) as f64;
    eprintln!(
        "sabotage on SQLite: {} mutants, {killed} killed, {} survived, {} excused as equivalent; \
         kill rate {rate:.1} %, {seconds:.0} s",
        names.len(),
        survived.len(),
        excused.len()
    );
    let mut wrong = Vec::new();
    if rate < KILLED_MIN_PERCENT {
        wrong.push(format!("{rate:.1} % are killed: {survived:#?}"));
    }
    let dead = names
        .iter()
        .filter(|name| is_excused(name) && !survivors.contains(*name));
    wrong
        .extend(dead.map(|name| format!("{name} is excused in excused.rs, and killed: remove it")));
    wrong
}

fn action_of(row: &Row) -> Option<String> {
    let RouteAccess::Org(action) = row.access else {
        return None;
    };
    Some(format!("{action:?}"))
}
