//! The pipeline's one write: dedupe, issues and counters.

use copal_model::limits::TAG_KEYS_PER_ISSUE_MAX;
use copal_model::{Category, IssueStatus, Outcome, Timestamp, UserIdentity, UserIdentityKind};
use copal_store::access::IssueRef;
use copal_store::record::{Batch, Disposition, NewEvent, OutcomeCount, Quarantined, ReceivedCount};
use uuid::Uuid;

use crate::telemetry::{JOURNAL, at, event_id, noon, received};
use crate::world::{InProject, World, after};

conformance!(
    the_first_event_makes_an_issue_and_the_next_joins_it,
    duplicates_count_once_in_a_batch_and_across_days_and_classes,
    an_id_is_a_duplicate_whatever_the_issue,
    a_batch_recorded_again_changes_nothing,
    journals_have_positions_of_their_own,
    the_first_known_hash_decides_and_new_hashes_are_learnt,
    a_resolved_issue_regresses_once_and_an_ignored_one_stays,
    the_latest_event_sets_level_and_release_however_they_arrive,
    the_first_event_of_a_project_is_noted,
    tag_values_beyond_the_limit_are_counted_as_other,
    so_many_tag_keys_are_counted_and_no_more,
    events_of_a_deleted_project_leave_nothing,
    every_item_received_ends_once,
    texts_with_nul_are_kept_readable,
    long_texts_of_every_kind_fit,
    a_full_batch_touches_every_table,
);

async fn only_issue(world: &World, shop: &InProject) -> copal_model::Issue {
    let issue = IssueRef::Id(shop.issue(1));
    let org = shop.scope.org_scope();
    let found = world.store.find_issue(&org, &issue).await.unwrap();
    found.expect("the first issue is there").1
}

async fn the_first_event_makes_an_issue_and_the_next_joins_it(world: World) {
    let shop = world.org("Ana").await.project("shop").await;
    let dispositions = world.record(vec![shop.event(1, 1), shop.event(2, 1)]).await;
    assert_eq!(dispositions, [Disposition::New, Disposition::Joined]);
    assert_eq!(
        world.record(vec![shop.event(3, 1)]).await,
        [Disposition::Joined]
    );
    let issue = only_issue(&world, &shop).await;
    assert_eq!(issue.short_id.to_string(), "SHOP-1");
    assert_eq!((issue.events_count, issue.users_affected), (3, 3));
    assert_eq!(issue.fingerprint, "01".repeat(16));
    world.assert_sound().await;
}

async fn duplicates_count_once_in_a_batch_and_across_days_and_classes(world: World) {
    let ana = world.org("Ana").await;
    let (shop, blog) = (ana.project("shop").await, ana.project("blog").await);
    let dispositions = world.record(vec![shop.event(1, 1), shop.event(1, 1)]).await;
    assert_eq!(dispositions, [Disposition::New, Disposition::Duplicate]);
    let mut tomorrow = shop.event(1, 2);
    tomorrow.received_at = at("2026-11-21T23:59:59Z");
    tomorrow.retention_days = 90;
    assert_eq!(world.record(vec![tomorrow]).await, [Disposition::Duplicate]);
    let mut too_late = shop.event(1, 1);
    too_late.received_at = at("2026-11-22T00:00:00Z");
    let dispositions = world.record(vec![blog.event(1, 1), too_late]).await;
    // Two days on is beyond the window, and documented so.
    assert_eq!(dispositions, [Disposition::New, Disposition::Joined]);
    world.assert_sound().await;
}

async fn an_id_is_a_duplicate_whatever_the_issue(world: World) {
    let shop = world.org("Ana").await.project("shop").await;
    let dispositions = world
        .record(vec![shop.event(1, 1), shop.event(1, 2), shop.event(2, 2)])
        .await;
    let expected = [Disposition::New, Disposition::Duplicate, Disposition::New];
    assert_eq!(dispositions, expected);
    // Half of a frame's events may be duplicates.
    let dispositions = world.record(vec![shop.event(2, 2), shop.event(3, 2)]).await;
    assert_eq!(dispositions, [Disposition::Duplicate, Disposition::Joined]);
    let page = copal_store::PageRequest::default();
    let events = world
        .store
        .list_events(&shop.scope, shop.issue(2), &page)
        .await;
    assert_eq!(events.unwrap().rows.len(), 2);
    world.assert_sound().await;
}

async fn a_batch_recorded_again_changes_nothing(world: World) {
    let shop = world.org("Ana").await.project("shop").await;
    let batch = |position, number| Batch {
        journal: JOURNAL,
        position,
        events: vec![shop.event(number, 1)],
        ..Batch::default()
    };
    for (position, number, disposition) in [
        (5, 1, Disposition::New),
        (5, 2, Disposition::Duplicate),
        (4, 3, Disposition::Duplicate),
    ] {
        let recorded = world.store.record(batch(position, number)).await.unwrap();
        assert_eq!(recorded.events[0].disposition, disposition);
    }
    assert_eq!(only_issue(&world, &shop).await.events_count, 1);
    let position = world.store.journal_position(JOURNAL).await.unwrap();
    assert_eq!(position, Some(5));
}

async fn journals_have_positions_of_their_own(world: World) {
    let shop = world.org("Ana").await.project("shop").await;
    world.record(vec![shop.event(1, 1)]).await;
    let other = Uuid::from_u128(2);
    assert_eq!(world.store.journal_position(other).await.unwrap(), None);
    let events = vec![shop.event(1, 1), shop.event(2, 1)];
    let batch = Batch {
        journal: other,
        position: 1,
        received: received(&events, &[]),
        events,
        ..Batch::default()
    };
    let recorded = world.store.record(batch).await.unwrap();
    let dispositions: Vec<_> = recorded.events.iter().map(|one| one.disposition).collect();
    // An event sent to two nodes counts once.
    assert_eq!(dispositions, [Disposition::Duplicate, Disposition::Joined]);
    assert_eq!(world.store.journal_position(other).await.unwrap(), Some(1));
    world.assert_sound().await;
}

async fn the_first_known_hash_decides_and_new_hashes_are_learnt(world: World) {
    let shop = world.org("Ana").await.project("shop").await;
    let mut both = shop.event(2, 9);
    both.grouping.hashes.push([1; 16]);
    world
        .record(vec![shop.event(1, 1), both, shop.event(3, 9)])
        .await;
    assert_eq!(only_issue(&world, &shop).await.events_count, 3);
    world.assert_sound().await;
}

async fn a_resolved_issue_regresses_once_and_an_ignored_one_stays(world: World) {
    let shop = world.org("Ana").await.project("shop").await;
    world.record(vec![shop.event(1, 1), shop.event(2, 2)]).await;
    for (number, status) in [(1, IssueStatus::Resolved), (2, IssueStatus::Ignored)] {
        world.triage(&shop, number, status).await;
    }
    let dispositions = world
        .record(vec![shop.event(3, 1), shop.event(4, 1), shop.event(5, 2)])
        .await;
    assert_eq!(
        dispositions,
        [
            Disposition::Regressed,
            Disposition::Joined,
            Disposition::Joined
        ]
    );
    let issue = only_issue(&world, &shop).await;
    assert!(issue.is_regressed && issue.status == IssueStatus::Open);
    let org = shop.scope.org_scope();
    let counts = world.store.count_issues(&org).await.unwrap();
    assert_eq!((counts.open, counts.resolved, counts.ignored), (1, 0, 1));
}

async fn the_latest_event_sets_level_and_release_however_they_arrive(world: World) {
    let shop = world.org("Ana").await.project("shop").await;
    let on = |number: u128, occurred_at: Timestamp, release: &str| {
        let mut event = shop.event(number, 1);
        event.occurred_at = occurred_at;
        event.release = Some(release.to_owned());
        event
    };
    world
        .record(vec![
            on(1, after(10), "1.1"),
            on(2, after(20), "1.2"),
            on(3, after(0), "1.0"),
        ])
        .await;
    world.record(vec![on(4, after(15), "1.1.5")]).await;
    let issue = only_issue(&world, &shop).await;
    assert_eq!((issue.first_seen, issue.last_seen), (after(0), after(20)));
    assert_eq!(issue.last_release.as_deref(), Some("1.2"));
    // The first one recorded, which made the issue.
    assert_eq!(issue.first_release.as_deref(), Some("1.1"));
    world.assert_sound().await;
}

async fn the_first_event_of_a_project_is_noted(world: World) {
    let ana = world.org("Ana").await;
    let (shop, _blog) = (ana.project("shop").await, ana.project("blog").await);
    let mut later = shop.event(2, 2);
    later.received_at = at("2026-11-20T13:00:00Z");
    world.record(vec![shop.event(1, 1), later]).await;
    let projects = world.store.list_projects(&ana.scope).await.unwrap();
    let first: Vec<_> = projects
        .iter()
        .map(|project| (project.name.as_str(), project.first_event_at))
        .collect();
    assert_eq!(first, [("blog", None), ("shop", Some(noon()))]);
}

async fn tag_values_beyond_the_limit_are_counted_as_other(world: World) {
    let shop = world.org("Ana").await.project("shop").await;
    let events = (1..=1_002).map(|number| shop.event(number, 1));
    world.record(events.collect()).await;
    let mut again = shop.event(2_000, 1);
    again.tags = vec![("node".to_owned(), "1".to_owned())];
    world.record(vec![again]).await;
    let tags = world
        .store
        .list_issue_tags(&shop.scope, shop.issue(1), 2)
        .await
        .unwrap();
    let node = tags.iter().find(|tag| tag.key == "node").unwrap();
    assert_eq!(node.total, 1_003);
    assert_eq!(node.values[0], ("1".to_owned(), 2));
    assert_eq!(node.values[2], ("(other)".to_owned(), 2));
    world.assert_sound().await;
}

async fn so_many_tag_keys_are_counted_and_no_more(world: World) {
    let shop = world.org("Ana").await.project("shop").await;
    let mut event = shop.event(1, 1);
    event.tags = (1..=TAG_KEYS_PER_ISSUE_MAX + 1)
        .map(|number| (format!("key{number:04}"), "x".to_owned()))
        .collect();
    let mut again = event.clone();
    again.event_id = event_id(2);
    world.record(vec![event, again]).await;
    let tags = world
        .store
        .list_issue_tags(&shop.scope, shop.issue(1), 1)
        .await
        .unwrap();
    assert_eq!(tags.len(), TAG_KEYS_PER_ISSUE_MAX);
    assert!(tags.iter().all(|tag| tag.total == 2));
    world.assert_sound().await;
}

async fn events_of_a_deleted_project_leave_nothing(world: World) {
    let ana = world.org("Ana").await;
    let (shop, blog) = (ana.project("shop").await, ana.project("blog").await);
    world.record(vec![shop.event(1, 1)]).await;
    world.store.delete_project(&shop.scope).await.unwrap();
    let dispositions = world
        .record(vec![shop.event(1, 1), shop.event(2, 1), blog.event(2, 1)])
        .await;
    assert_eq!(
        dispositions,
        [
            Disposition::ProjectGone,
            Disposition::ProjectGone,
            Disposition::New
        ]
    );
    world.assert_sound().await;
}

async fn every_item_received_ends_once(world: World) {
    let shop = world.org("Ana").await.project("shop").await;
    let outcome = |outcome, category, quantity| OutcomeCount {
        project: shop.project.id,
        received_at: noon(),
        category,
        outcome,
        quantity,
    };
    let ended = vec![
        outcome(Outcome::Filtered("not_kept"), Category::Session, 2),
        outcome(Outcome::ClientDiscard("x".to_owned()), Category::Error, 7),
    ];
    let events = vec![shop.event(1, 1), shop.event(1, 1)];
    world.record_with(events, ended).await;
    world.assert_sound().await;
    // An item of which nothing is heard any more.
    let batch = Batch {
        journal: JOURNAL,
        position: world.next_position(),
        received: vec![ReceivedCount {
            project: shop.project.id,
            received_at: noon(),
            category: Category::Error,
            quantity: 1,
        }],
        ..Batch::default()
    };
    world.store.record(batch).await.unwrap();
    let report = world.store.fsck().await.unwrap();
    let found: Vec<_> = report
        .violations
        .iter()
        .map(|found| (found.invariant, found.detail.as_str()))
        .collect();
    let detail = "project 1 received 3 items (error) in the hour from 2026-11-20T12:00:00Z, \
                  of which 2 have ended";
    assert_eq!(found, [("I-09", detail)]);
}

async fn texts_with_nul_are_kept_readable(world: World) {
    let ana = world.org("Ana").await;
    let shop = ana.project("shop").await;
    let mut event = shop.event(1, 1);
    let nul = |text: &str| format!("{text}\0{text}");
    event.issue.title = nul("title");
    event.issue.error_type = Some(nul("type"));
    event.issue.culprit = nul("culprit");
    event.issue.platform = nul("platform");
    event.issue.search_terms = vec![("message", nul("message"))];
    event.release = Some(nul("1.0"));
    event.environment = Some(nul("dev"));
    event.user = Some(UserIdentity {
        kind: UserIdentityKind::Id,
        value: nul("7"),
    });
    event.tags = vec![(nul("key"), nul("value"))];
    event.payload = nul("payload").into_bytes();
    let discarded = OutcomeCount {
        project: shop.project.id,
        received_at: noon(),
        category: Category::Error,
        outcome: Outcome::ClientDiscard(nul("reason")),
        quantity: 1,
    };
    let batch = Batch {
        journal: JOURNAL,
        position: world.next_position(),
        received: received(std::slice::from_ref(&event), &[]),
        events: vec![event.clone()],
        outcomes: vec![discarded],
        quarantined: vec![Quarantined {
            project: Some(shop.project.id),
            sequence: 1,
            received_at: noon(),
            error: nul("error"),
            record: nul("record").into_bytes(),
        }],
    };
    world.store.record(batch).await.unwrap();
    let issue = only_issue(&world, &shop).await;
    assert_eq!(issue.title, "title\u{fffd}title");
    assert_eq!(issue.last_release.as_deref(), Some("1.0\u{fffd}1.0"));
    // Whoever searches for what was sent finds it.
    for search in ["title\0title", "message:message\0*", "\"title\u{fffd}\""] {
        let query = copal_store::issues::IssueQuery {
            query: copal_model::search::parse(search, noon()).unwrap(),
            ..Default::default()
        };
        let page = copal_store::PageRequest::default();
        let found = world.store.list_issues(&ana.scope, &query, &page).await;
        assert_eq!(found.unwrap().rows.len(), 1, "{search:?}");
    }
    let found = world.store.find_event(&shop.scope, event_id(1)).await;
    let found = found.unwrap().expect("the event is stored");
    assert_eq!(found.payload, event.payload);
    assert_eq!(found.summary.title, issue.title);
    world.assert_sound().await;
}

/// As long as the pipeline lets them be, in characters of four bytes that do not compress.
async fn long_texts_of_every_kind_fit(world: World) {
    let shop = world.org("Ana").await.project("shop").await;
    let mut state = 1_u32;
    let mut text = |chars: usize| {
        let next = |_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            char::from_u32(0x2_0000 + (state >> 16) % 0xa000).unwrap()
        };
        (0..chars).map(next).collect::<String>()
    };
    let mut event = shop.event(1, 1);
    event.issue.title = text(300);
    event.issue.culprit = text(200);
    event.issue.search_terms = vec![("message", text(1_000)), ("stack.function", text(532))];
    event.release = Some(text(50));
    event.environment = Some(text(16));
    event.user = Some(UserIdentity {
        kind: UserIdentityKind::Id,
        value: text(148),
    });
    event.tags = vec![(text(200), text(200))];
    event.grouping.hashes = (0..20).map(|hash| [hash; 16]).collect();
    world.record(vec![event.clone()]).await;
    let found = world.store.find_event(&shop.scope, event_id(1)).await;
    assert_eq!(found.unwrap().unwrap().summary.title, event.issue.title);
    world.assert_sound().await;
}

/// Five hundred events of a hundred issues: new, known, resolved, twice, of a project that is gone,
/// of two days and retention classes.
fn five_hundred(shop: &InProject, blog: &InProject, gone: &InProject) -> Vec<NewEvent> {
    let event = |number: u128| {
        let project = match number % 10 {
            0..=5 => shop,
            6..=8 => blog,
            _ => gone,
        };
        // Every hundredth is one that was just there.
        let id = if number % 100 == 50 {
            number - 10
        } else {
            number
        };
        let mut event = project.event(id, u8::try_from(number % 100).unwrap());
        event.environment = Some(format!("stage-{}", number % 4));
        event.release = Some(format!("1.{}", number % 7));
        if number.is_multiple_of(2) {
            event.received_at = at("2026-11-21T00:00:01Z");
            event.retention_days = 90;
        }
        event
    };
    (0..500).map(event).collect()
}

/// Rows that [`five_hundred`] leaves, and one event before them.
const ROWS: [(&str, i64); 15] = [
    ("issues", 89),
    ("issue_hashes", 89),
    ("groupings", 89),
    ("issue_terms", 267),
    ("issue_hours", 446),
    ("issue_tag_keys", 178),
    ("issue_tags", 535),
    ("issue_partitions", 90),
    ("partitions", 2),
    ("segments", 2),
    ("project_hours", 2),
    ("project_environments", 9),
    ("outbox", 90),
    ("quarantine", 1),
    ("journals", 1),
];

async fn a_full_batch_touches_every_table(world: World) {
    let ana = world.org("Ana").await;
    let (shop, blog) = (ana.project("shop").await, ana.project("blog").await);
    let gone = ana.project("gone").await;
    world.record(vec![shop.event(1_000, 0)]).await;
    world.triage(&shop, 1, IssueStatus::Resolved).await;
    world.store.delete_project(&gone.scope).await.unwrap();
    let events = five_hundred(&shop, &blog, &gone);
    let filtered = OutcomeCount {
        project: shop.project.id,
        received_at: noon(),
        category: Category::Session,
        outcome: Outcome::Filtered("not_kept"),
        quantity: 3,
    };
    let unreadable = Quarantined {
        project: None,
        sequence: 9,
        received_at: noon(),
        error: "no record".to_owned(),
        record: vec![0, 1, 2],
    };
    let batch = Batch {
        journal: JOURNAL,
        position: world.next_position(),
        received: received(&events, std::slice::from_ref(&filtered)),
        events,
        outcomes: vec![filtered],
        quarantined: vec![unreadable],
    };
    let recorded = world.store.record(batch).await.unwrap();
    for (wanted, events) in [
        (Disposition::ProjectGone, 50),
        (Disposition::Duplicate, 5),
        (Disposition::Regressed, 1),
        (Disposition::New, 88),
        (Disposition::Joined, 356),
    ] {
        let such = recorded.events.iter();
        let such = such.filter(|one| one.disposition == wanted).count();
        assert_eq!(such, events, "{wanted:?}");
    }
    for (table, rows) in ROWS {
        let sql = format!("select count(*) from {table}");
        assert_eq!(world.backdoor.count(&sql), rows, "{table}");
    }
    world.assert_sound().await;
}
