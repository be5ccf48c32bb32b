//! What `fsck` finds: each kind of damage, and no other.

use copal_store::upkeep::Violation;
use uuid::Uuid;

use crate::engines::segment_files;
use crate::telemetry::{at, event_id};
use crate::world::World;

conformance!(
    a_changed_schema_is_found,
    each_broken_invariant_is_found,
    damaged_and_lost_payloads_are_found,
    a_lost_base_is_found,
);

async fn violations(world: &World) -> Vec<Violation> {
    world.store.fsck().await.unwrap().violations
}

fn assert_finds(found: &[Violation], invariant: &str, detail: &str) {
    assert!(
        found
            .iter()
            .any(|one| one.invariant == invariant && one.detail.contains(detail)),
        "{invariant}: {detail}\nis not among {found:#?}"
    );
}

async fn a_changed_schema_is_found(world: World) {
    let surplus = "create index surplus on issues (title)";
    world.backdoor.execute(surplus).unwrap();
    let found = violations(&world).await;
    assert_finds(&found, "I-13", "the schema is not the one");
    assert_eq!(found.len(), 1);
}

/// Statements that break something. `{i1}` is the id of issue 1, `{e1}` that of event 1, `{none}`
/// that of an issue which is not there.
const DAMAGE: [&str; 16] = [
    "update issues set evicted_count = 1 where id = {i1}",
    "delete from events_p1 where event_id = {e2}",
    "update outcomes set quantity = quantity + 1 where project_id = 2",
    "update issue_hours set events = events + 1 where issue_id = {i3}",
    "update project_hours set events = events - 1 where project_id = 1",
    "update events_p2 set event_id = {e4} where event_id = {e13}",
    "update issue_users set issue_id = {none} where issue_id = {i5}",
    "update events_p1 set start = start + 1, length = length - 1 where event_id = {e6}",
    "update events_p1 set ordinal = 1 - ordinal where issue_id = {i7}",
    "update issues set project_id = 99 where id = {i8}",
    "update events_p1 set issue_id = {none} where event_id = {e9}",
    "update issues set first_seen = last_seen + 1 where id = {i10}",
    "update issues set first_seen = first_seen - 1 where id = {i11}",
    "update issue_tags set events = events + 1 where issue_id = {i12}",
    "update segments set length = length - 1 where partition_id = 2",
    "delete from received where project_id = 2",
];

/// What is told of that. `{h1}` is event 1 as a table has it.
const FOUND: [(&str, &str); 16] = [
    (
        "I-01",
        "issue {i1} counts 1 events, but 1 are stored and 1 evicted",
    ),
    (
        "I-01",
        "issue {i2} has a wrong number of events in partition 1",
    ),
    ("I-02", "project 2 accepted 2 events, its issues count 1"),
    ("I-03", "issue {i3} counts 1 events, its hours 2"),
    ("I-03", "project 1 accepted 14 events, its hours 13"),
    ("I-04", "event {h4} is in partitions 2 and 1"),
    (
        "I-05",
        "issue_users has rows of issue {none}, which is not there",
    ),
    ("I-05", "event {h6}: payload: "),
    ("I-05", "event {h7}: payload: "),
    ("I-05", "issue {i8} is of no project"),
    ("I-05", "event {h9} is of no issue of its project"),
    ("I-06", "issue {i10} was seen last before it was seen first"),
    (
        "I-06",
        "issue {i11} was not seen first or last when its events happened",
    ),
    (
        "I-07",
        "tag environment of issue {i12} has 1 events, its values 2",
    ),
    ("I-08", "event {h4} lies beyond its segment"),
    (
        "I-09",
        "project 2 received 0 items (error) in the hour from 2026-11-20T12:00:00Z, of which 2 have",
    ),
];

async fn each_broken_invariant_is_found(world: World) {
    let (ana, _bob) = (world.org("Ana").await, world.org("Bob").await);
    let (shop, blog) = (ana.project("shop").await, ana.project("blog").await);
    // Of an issue each; the last one in a partition of its own, one in a frame with another.
    let mut events: Vec<_> = (1..=13).map(|n: u8| shop.event(n.into(), n)).collect();
    events[12].retention_days = 90;
    events.push(shop.event(27, 7));
    events.push(blog.event(1, 1));
    world.record(events).await;
    world.assert_sound().await;
    let fill = |text: &str| {
        let mut text = text.replace("{none}", &blog.issue(900).to_i64().to_string());
        for number in 1..=13 {
            let event = Uuid::from_u128(number.into());
            let issue = shop.issue(number).to_i64().to_string();
            text = text.replace(&format!("{{i{number}}}"), &issue);
            text = text.replace(&format!("{{e{number}}}"), &world.backdoor.uuid(event));
            text = text.replace(&format!("{{h{number}}}"), &event.simple().to_string());
        }
        text
    };
    for sql in DAMAGE.map(fill) {
        let changed = world.backdoor.execute(&sql);
        assert!(matches!(changed, Ok(1..)), "{sql}: {changed:?}");
    }
    let found = violations(&world).await;
    for (invariant, detail) in FOUND {
        assert_finds(&found, invariant, &fill(detail));
    }
    assert_finds(&found, "I-08", "segment 2 has ");
    find_broken_tenancy(&world).await;
}

/// Damage to organizations and what points at them.
async fn find_broken_tenancy(world: &World) {
    let personal = |name: &str| format!("(select id from organizations where name like '{name}%')");
    let bob = "(select id from users where name = 'Bob')";
    let (of_ana, of_bob) = (personal("Ana"), personal("Bob"));
    world.backdoor.damage(
        "client_keys",
        &format!("update client_keys set org_id = {of_bob} where project_id = 2"),
    );
    for sql in [
        format!("update members set role = 'ADMIN' where org_id = {of_bob}"),
        format!(
            "insert into members (org_id, user_id, role, joined_at)
             values ({of_ana}, {bob}, 'MEMBER', 0)"
        ),
    ] {
        assert_eq!(world.backdoor.execute(&sql), Ok(1), "{sql}");
    }
    let found = violations(world).await;
    for (invariant, detail) in [
        ("I-11", "is of another organization than its project"),
        (
            "I-11",
            "a row of client_keys points at a row of projects that is not there",
        ),
        ("I-12", "organization bobs-workspace has no owner"),
        (
            "I-12",
            "personal organization anas-workspace is not its user's alone",
        ),
    ] {
        assert_finds(&found, invariant, detail);
    }
}

async fn damaged_and_lost_payloads_are_found(world: World) {
    let shop = world.org("Ana").await.project("shop").await;
    let mut other = shop.event(2, 2);
    other.retention_days = 90;
    world.record(vec![shop.event(1, 1), other]).await;
    let mut files = segment_files(world.engine.folder());
    files.sort();
    let [first, second] = &files[..] else {
        panic!("a segment in each partition: {files:?}");
    };
    let mut bytes = std::fs::read(first).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(first, bytes).unwrap();
    std::fs::remove_file(second).unwrap();
    let report = world.store.fsck().await.unwrap();
    assert_eq!(report.elsewhere, 0, "it is lost, not on another node");
    assert_eq!(report.violations.len(), 2, "{:?}", report.violations);
    let damaged = format!("event {}: payload: ", event_id(1));
    assert_finds(&report.violations, "I-05", &damaged);
    assert_finds(&report.violations, "I-05", "");
}

async fn a_lost_base_is_found(world: World) {
    let shop = world.org("Ana").await.project("shop").await;
    let noise: Vec<u64> = (0..500).map(|n| n * 0x9e37_79b9 % 0xffff_fffb).collect();
    for number in 1..=2 {
        let mut event = shop.event(number, 1);
        event.payload = format!(r#"{{"n":{number},"noise":{noise:?}}}"#).into_bytes();
        world.record(vec![event]).await;
    }
    world.assert_sound().await;
    let base = world.backdoor.uuid(Uuid::from_u128(1));
    let lost = format!("delete from events_p1 where event_id = {base}");
    assert_eq!(world.backdoor.execute(&lost), Ok(1));
    let found = violations(&world).await;
    let detail = format!("its base, event {}, is gone", event_id(1));
    assert_finds(&found, "I-05", &detail);
    // Retention takes what cannot be read along.
    let now = at("2026-12-21T00:00:00Z");
    assert_eq!(world.store.drop_expired(now).await.unwrap(), 1);
    assert_eq!(violations(&world).await, []);
}
