//! Signing up, and changing the own account.

use copal_model::limits::ORG_NAME_CHARS_MAX;
use copal_model::{Email, OrgId, Plan, Role};
use copal_store::access::OrgRef;
use copal_store::users::UserPatch;

use crate::world::{World, conflict, not_found, slug, start};

conformance!(
    sign_up_makes_user_organization_and_membership,
    the_same_name_gets_another_slug,
    a_name_without_letters_gets_a_slug,
    the_longest_name_fits,
    an_address_has_one_account,
    a_failed_sign_up_leaves_nothing_behind,
    only_the_first_user_is_instance_administrator,
    login_finds_the_account_by_address,
    users_are_counted,
    a_user_changes_name_and_default_organization,
    a_foreign_organization_cannot_be_the_default,
    the_default_must_be_an_own_organization_in_the_schema_too,
);

async fn sign_up_makes_user_organization_and_membership(world: World) {
    let mut new = world.new_user("Ana");
    new.plan = Plan::Pro;
    let made = world.store.sign_up(new.clone()).await.unwrap();

    assert_eq!(made.user.email.as_str(), "ana@example.org");
    assert_eq!(made.user.name, "Ana");
    assert_eq!(made.user.default_org, new.org_id);
    assert_eq!(made.user.created_at, start());
    assert_eq!(made.organization.name, "Ana's Workspace");
    assert_eq!(made.organization.slug, slug("anas-workspace"));
    assert_eq!(made.organization.plan, Plan::Pro);
    assert!(made.organization.is_personal);
    assert_eq!(made.member.role, Role::Owner);

    let access = world
        .store
        .open_org(new.id, &OrgRef::Id(new.org_id))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(access.organization, made.organization);
    assert_eq!(access.member, made.member);
}

async fn the_same_name_gets_another_slug(world: World) {
    let mut slugs = Vec::new();
    for number in 1..=3 {
        let mut new = world.new_user("Ana");
        new.email = Email::parse(&format!("ana{number}@example.org")).unwrap();
        let made = world.store.sign_up(new).await.unwrap();
        assert_eq!(made.organization.name, "Ana's Workspace");
        slugs.push(made.organization.slug.to_string());
    }
    assert_eq!(
        slugs,
        ["anas-workspace", "anas-workspace-2", "anas-workspace-3"]
    );
}

async fn a_name_without_letters_gets_a_slug(world: World) {
    let mut new = world.new_user("Ana");
    "日本".clone_into(&mut new.name);
    let made = world.store.sign_up(new).await.unwrap();
    assert_eq!(made.organization.name, "日本's Workspace");
    let access = world
        .store
        .open_org(made.user.id, &OrgRef::Slug(made.organization.slug))
        .await;
    assert!(access.unwrap().is_some());
}

async fn the_longest_name_fits(world: World) {
    let mut new = world.new_user("Ana");
    new.name = "n".repeat(copal_model::limits::USER_NAME_CHARS_MAX);
    let made = world.store.sign_up(new.clone()).await.unwrap();
    assert_eq!(made.user.name, new.name);
    assert_eq!(made.organization.name.chars().count(), ORG_NAME_CHARS_MAX);
}

async fn an_address_has_one_account(world: World) {
    world.org("Ana").await;
    let again = world.store.sign_up(world.new_user("Ana")).await;
    assert_eq!(conflict(again), "email");
}

async fn a_failed_sign_up_leaves_nothing_behind(world: World) {
    let ana = world.org("Ana").await;
    // The user row goes in before the organization's does, whose id is taken.
    let mut new = world.new_user("Bob");
    new.org_id = ana.organization.id;
    assert!(world.store.sign_up(new.clone()).await.is_err());

    assert_eq!(world.store.count_users().await.unwrap(), 1);
    assert_eq!(world.store.find_login(&new.email).await.unwrap(), None);
    let list = world.store.list_organizations(new.id).await.unwrap();
    assert_eq!(list, []);
}

async fn only_the_first_user_is_instance_administrator(world: World) {
    assert!(world.org("Ana").await.user.is_instance_admin);
    assert!(!world.org("Bob").await.user.is_instance_admin);
}

async fn login_finds_the_account_by_address(world: World) {
    let ana = world.org("Ana").await;
    let found = world.store.find_login(&ana.user.email).await.unwrap();
    let found = found.expect("Ana has an account");
    assert_eq!(found.user, ana.user);
    assert!(found.password_hash.starts_with("$argon2id$"));
    let nobody = Email::parse("nobody@example.org").unwrap();
    assert_eq!(world.store.find_login(&nobody).await.unwrap(), None);
}

async fn users_are_counted(world: World) {
    assert_eq!(world.store.count_users().await.unwrap(), 0);
    world.org("Ana").await;
    world.org("Bob").await;
    assert_eq!(world.store.count_users().await.unwrap(), 2);
}

async fn a_user_changes_name_and_default_organization(world: World) {
    let ana = world.org("Ana").await;
    let shared = world.new_org(&ana, "Acme");
    let shared = world.store.create_organization(shared).await.unwrap();

    let patch = UserPatch {
        name: Some("Ana Lima".to_owned()),
        default_org: Some(shared.id),
    };
    let changed = world.store.update_user(ana.user.id, patch).await.unwrap();
    assert_eq!(changed.name, "Ana Lima");
    assert_eq!(changed.default_org, shared.id);

    let unchanged = world
        .store
        .update_user(ana.user.id, UserPatch::default())
        .await
        .unwrap();
    assert_eq!(unchanged, changed);
    let stored = world.store.find_login(&ana.user.email).await.unwrap();
    assert_eq!(stored.unwrap().user, changed);
}

async fn a_foreign_organization_cannot_be_the_default(world: World) {
    let (ana, bob) = (world.org("Ana").await, world.org("Bob").await);
    for org in [bob.organization.id, OrgId::new(world.uuid())] {
        let patch = UserPatch {
            name: Some("Mallory".to_owned()),
            default_org: Some(org),
        };
        let refused = world.store.update_user(ana.user.id, patch).await;
        assert_eq!(not_found(refused), "organization");
    }
    let stored = world.store.find_login(&ana.user.email).await.unwrap();
    assert_eq!(stored.unwrap().user, ana.user, "nothing was changed");
}

async fn the_default_must_be_an_own_organization_in_the_schema_too(world: World) {
    let (_ana, _bob) = (world.org("Ana").await, world.org("Bob").await);
    let swapped = world.backdoor.execute(
        "update users
        set default_org_id = (select org_id from members where user_id <> users.id)",
    );
    assert!(swapped.unwrap_err().contains("foreign key"));
}
