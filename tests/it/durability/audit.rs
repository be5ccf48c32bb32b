//! What is in the store, read behind the server's back, against what senders were told.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::load::Ledger;
use crate::support::TestApp;

/// Stored events of a project, with how often each is there.
pub(crate) fn stored(app: &TestApp, project: &str) -> BTreeMap<Uuid, u64> {
    app.database.stored(project.parse().unwrap())
}

/// What a project's issues count, all together.
pub(crate) fn counted(app: &TestApp, project: &str) -> u64 {
    let sum = "select coalesce(sum(events_count), 0) from issues where project_id =";
    u64::try_from(app.count(&format!("{sum} {project}"))).unwrap()
}

/// Asserts, of a stopped server, that every acknowledged event is stored once, that none is
/// counted twice, that nothing came from nowhere, that so many records are in quarantine, and that
/// the store's own invariants hold.
pub(crate) fn assert_nothing_lost(app: &TestApp, ledger: &Ledger, aside: i64, what: &str) {
    let stored = stored(app, &app.project_id);
    let acknowledged = ledger.events.iter().filter(|(_, sent)| sent.acknowledged);
    let lost: Vec<_> = acknowledged
        .filter(|(id, _)| !stored.contains_key(*id))
        .map(|(id, _)| id.simple().to_string())
        .collect();
    let twice = stored.values().filter(|times| **times > 1).count();
    let unknown = stored
        .keys()
        .filter(|id| !ledger.events.contains_key(*id))
        .count();
    let counted = counted(app, &app.project_id);
    let fsck = app.run(&["fsck"]);
    let fsck = String::from_utf8(fsck.stdout).unwrap();
    let acknowledged = ledger.acknowledged();
    assert!(
        lost.is_empty(),
        "{what}: {} of {acknowledged} acknowledged events are lost, such as {:?}\n{fsck}",
        lost.len(),
        &lost[..lost.len().min(3)]
    );
    assert_eq!(twice, 0, "{what}: events are stored twice\n{fsck}");
    assert_eq!(unknown, 0, "{what}: events that nobody sent");
    assert_eq!(counted, stored.len() as u64, "{what}: counted, and stored");
    assert!(
        fsck.ends_with(" invariants, 0 violations\n"),
        "{what}: {fsck}"
    );
    assert!(ledger.wrong.is_empty(), "{what}: {:?}", ledger.wrong);
    let quarantined = app.count("select count(*) from quarantine");
    assert_eq!(quarantined, aside, "{what}: quarantined records");
}
