//! Makes the texts of a batch storable.
//!
//! PostgreSQL's texts cannot hold U+0000, and nobody can read it anyway: it becomes U+FFFD, in
//! every engine. Payloads are bytes and stay as they are.

use super::{Batch, NewEvent};

/// What a text looks like in the store.
pub(crate) fn storable(mut text: String) -> String {
    clean(&mut text);
    text
}

/// Makes all texts of a batch storable.
pub(crate) fn clean_all(batch: &mut Batch) {
    for event in &mut batch.events {
        clean_event(event);
    }
    for count in &mut batch.outcomes {
        if let copal_model::Outcome::ClientDiscard(reason) = &mut count.outcome {
            clean(reason);
        }
    }
    for quarantined in &mut batch.quarantined {
        clean(&mut quarantined.error);
    }
}

fn clean_event(event: &mut NewEvent) {
    let NewEvent {
        issue,
        user,
        release,
        environment,
        tags,
        ..
    } = event;
    let seed = [&mut issue.title, &mut issue.culprit, &mut issue.platform];
    let terms = issue.search_terms.iter_mut().map(|(_, value)| value);
    let tags = tags.iter_mut().flat_map(|(key, value)| [key, value]);
    let optional = [&mut issue.error_type, release, environment];
    let user = user.as_mut().map(|user| &mut user.value);
    seed.into_iter()
        .chain(terms)
        .chain(tags)
        .chain(optional.into_iter().flatten())
        .chain(user)
        .for_each(clean);
}

fn clean(text: &mut String) {
    if text.contains('\0') {
        *text = text.replace('\0', "\u{fffd}");
    }
}
