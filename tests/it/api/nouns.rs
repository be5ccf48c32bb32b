//! Shapes of what the API answers, and what can be made, changed and deleted.

use reqwest::Method;
use serde_json::{Value, json};

use super::{assert_moment, exception, fields};
use crate::support::call::{client, titled};
use crate::support::{Engine, TestApp, on_each_engine, text};

async fn a_person_reads_and_changes_their_account(engine: Engine) {
    let app = TestApp::start(engine);
    let me = |method, body| app.call(&app.token, method, "/me", body);
    let ana = me(Method::GET, None).await.json(200);
    let known = "createdAt defaultOrgId email id isInstanceAdmin name";
    assert_eq!(fields(&ana).join(" "), known);
    assert_eq!(ana["email"], "ana@example.com");
    assert_eq!(ana["isInstanceAdmin"], true, "the first user is");
    assert_moment(&ana["createdAt"]);

    let shared = json!({"name": "Acme"});
    let path = "/organizations";
    let acme = app.call(&app.token, Method::POST, path, Some(shared)).await;
    let change = json!({"name": "Ana Lima", "defaultOrgId": acme.json(201)["id"]});
    let changed = me(Method::PATCH, Some(change)).await.json(200);
    assert_eq!(changed["name"], "Ana Lima");
    assert_eq!(changed["defaultOrgId"], acme.json(201)["id"]);
    assert_eq!(me(Method::GET, None).await.json(200), changed);

    app.user("Bo");
    let bo = app.token_of("Bo", &[]);
    let theirs = app.call(&bo, Method::GET, "/me", None).await.json(200);
    assert_eq!(theirs["isInstanceAdmin"], false);
    let foreign = json!({"defaultOrgId": theirs["defaultOrgId"]});
    let refused = me(Method::PATCH, Some(foreign)).await;
    assert_eq!(refused.status, 404, "{}", refused.body);
    let unknown = me(Method::PATCH, Some(json!({"email": "x@y.z"}))).await;
    let detail = unknown.json(400)["detail"].to_string();
    assert!(detail.contains("unknown field `email`"), "{detail}");
}

async fn organizations_are_listed_made_and_changed(engine: Engine) {
    let app = TestApp::start(engine);
    let call = |method, path: String, body| {
        let app = &app;
        async move { app.call(&app.token, method, &path, body).await }
    };
    let new = Some(json!({"name": "Acme & Sons"}));
    let made = call(Method::POST, "/organizations".to_owned(), new).await;
    let acme = made.json(201);
    let known = "createdAt id isPersonal name plan role settings slug";
    assert_eq!(fields(&acme).join(" "), known);
    assert_eq!(acme["slug"], "acme-sons");
    assert_eq!(acme["plan"], "FREE");
    assert_eq!(acme["role"], "OWNER");
    assert_eq!(acme["isPersonal"], false);
    assert_moment(&acme["createdAt"]);

    let all = call(Method::GET, "/organizations".to_owned(), None).await;
    let all = all.json(200);
    let [personal, shared] = &all.as_array().unwrap()[..] else {
        panic!("two organizations: {all}")
    };
    assert_eq!(personal["isPersonal"], true);
    assert_eq!(*shared, acme);
    for name in [text(&acme["slug"]), text(&acme["id"])] {
        let path = format!("/organizations/{name}");
        assert_eq!(call(Method::GET, path, None).await.json(200), acme);
    }

    let path = format!("/organizations/{}", text(&acme["id"]));
    let change = json!({"name": "Acme", "slug": "acme", "plan": "PRO"});
    let changed = call(Method::PATCH, path.clone(), Some(change)).await;
    let changed = changed.json(200);
    assert_eq!(
        (&changed["name"], &changed["slug"], &changed["plan"]),
        (&json!("Acme"), &json!("acme"), &json!("PRO"))
    );
    app.user("Bo");
    let (bo, plan) = (app.token_of("Bo", &[]), Some(json!({"plan": "PRO"})));
    let own = "/organizations/bos-workspace";
    let refused = app.call(&bo, Method::PATCH, own, plan).await.json(403);
    assert!(text(&refused["detail"]).contains("instance administrators"));
    let taken = json!({"slug": app.org});
    let taken = call(Method::PATCH, path.clone(), Some(taken)).await;
    assert_eq!(taken.status, 409, "{}", taken.body);
    let numeric = call(Method::PATCH, path, Some(json!({"slug": "12"}))).await;
    assert!(text(&numeric.json(400)["detail"]).contains("`slug`"));

    let members = app.get("members").await;
    let known = "email id joinedAt name orgId role userId";
    assert_eq!(fields(&members[0]).join(" "), known);
    assert_eq!(members[0]["role"], "OWNER");
    assert_eq!(members[0]["orgId"], personal["id"]);
}

async fn a_shared_organization_is_deleted_by_its_owner_in_a_session(engine: Engine) {
    let app = TestApp::start(engine);
    let new = Some(json!({"name": "Acme"}));
    let made = app.call(&app.token, Method::POST, "/organizations", new);
    assert_eq!(made.await.json(201)["slug"], "acme");
    let new = Some(json!({"name": "Shop"}));
    let path = "/organizations/acme/projects";
    let shop = app
        .call(&app.token, Method::POST, path, new)
        .await
        .json(201);

    let by_token = app.call(&app.token, Method::DELETE, "/organizations/acme", None);
    let detail = by_token.await.json(403)["detail"].to_string();
    assert!(detail.contains("No token may do this"), "{detail}");
    let ana = app.log_in().await;
    let personal = format!("/organizations/{}", app.org);
    let refused = ana.call(Method::DELETE, &personal).await.json(409);
    assert_eq!(refused["type"], "urn:copal:problem:personal_org");
    let gone = ana.call(Method::DELETE, "/organizations/acme").await;
    assert_eq!((gone.status, &*gone.body), (204, ""));
    let again = ana.call(Method::DELETE, "/organizations/acme").await;
    assert_eq!(again.status, 404);
    let left = app
        .call(&app.token, Method::GET, "/organizations", None)
        .await;
    assert_eq!(left.json(200).as_array().unwrap().len(), 1);

    // Nothing is let in any more.
    let (id, key) = (text(&shop["id"]), text(&shop["apiKey"]));
    let url = format!("{}/api/{id}/store/?sentry_key={key}", app.base_url);
    let status = client().post(url).json(&exception("A", "b")).send().await;
    assert_eq!(status.unwrap().status(), 403);
}

async fn projects_are_made_changed_and_deleted(engine: Engine) {
    let app = TestApp::start(engine);
    let new = json!({"name": "Web Shop", "platform": "node"});
    let made = app.ask(Method::POST, "/projects", Some(new)).await;
    let shop = made.json(201);
    let known = "allowedOrigins apiKey createdAt dsn firstEventAt id name orgId platform retentionDays slug";
    assert_eq!(fields(&shop).join(" "), known);
    assert_eq!(shop["id"], "2");
    assert_eq!(shop["slug"], "web-shop");
    assert_eq!(shop["platform"], "node");
    assert_eq!(shop["firstEventAt"], Value::Null);
    let key = text(&shop["apiKey"]);
    let host = app.base_url.strip_prefix("http://").unwrap();
    assert_eq!(shop["dsn"], format!("http://{key}@{host}/2"));
    for name in ["web-shop", "2"] {
        let path = format!("projects/{name}");
        assert_eq!(app.get(&path).await, shop, "{name}");
    }
    let listed = app.get("projects").await;
    assert_eq!(listed.as_array().unwrap().len(), 2);
    assert_eq!(listed[1], shop);

    let change = json!({"name": "Store", "slug": "store", "platform": "go"});
    let changed = app.ask(Method::PATCH, "/projects/2", Some(change)).await;
    let changed = changed.json(200);
    assert_eq!(
        (&changed["name"], &changed["slug"], &changed["platform"]),
        (&json!("Store"), &json!("store"), &json!("go"))
    );
    assert_eq!(changed["dsn"], shop["dsn"], "a DSN outlives every name");
    let taken = json!({"slug": "shop"});
    let taken = app.ask(Method::PATCH, "/projects/2", Some(taken)).await;
    assert_eq!(taken.status, 409);

    let gone = app.ask(Method::DELETE, "/projects/store", None).await;
    assert_eq!((gone.status, &*gone.body), (204, ""));
    let missing = app.ask(Method::GET, "/projects/2", None).await;
    assert_eq!(missing.status, 404);
}

async fn keys_let_events_in_as_long_as_they_are_active(engine: Engine) {
    let app = TestApp::start(engine);
    let keys = "/projects/shop/keys";
    let new = Some(json!({"label": "backend"}));
    let key = app.ask(Method::POST, keys, new).await.json(201);
    let known = "createdAt dsn id isActive label publicKey rateLimit";
    assert_eq!(fields(&key).join(" "), known);
    assert_eq!(text(&key["publicKey"]).len(), 32);
    assert_eq!(key["isActive"], true);
    assert_eq!(key["label"], "backend");
    let listed = app.ask(Method::GET, keys, None).await.json(200);
    assert_eq!(listed.as_array().unwrap().len(), 2);
    assert_eq!(listed[0]["publicKey"], app.key.as_str());
    assert_eq!(listed[1], key);

    let path = format!("{keys}/{}", text(&key["id"]));
    let change = json!({"isActive": false, "label": "old backend"});
    let changed = app.ask(Method::PATCH, &path, Some(change)).await.json(200);
    assert_eq!(changed["isActive"], false);
    assert_eq!(changed["label"], "old backend");
    assert_eq!(app.ask(Method::DELETE, &path, None).await.status, 204);
    assert_eq!(app.ask(Method::DELETE, &path, None).await.status, 404);

    // The last one may go too: then nothing is let in, and there is no DSN to show.
    let last = format!("{keys}/{}", text(&listed[0]["id"]));
    assert_eq!(app.ask(Method::DELETE, &last, None).await.status, 204);
    let shop = app.get("projects/shop").await;
    assert_eq!(
        (&shop["apiKey"], &shop["dsn"]),
        (&Value::Null, &Value::Null)
    );
    let none = app.ask(Method::GET, keys, None).await.json(200);
    assert_eq!(none, json!([]));
}

async fn issues_and_events_have_their_documented_shape(engine: Engine) {
    let app = TestApp::start(engine);
    let mut event = exception("ValueError", "bad discount");
    event["release"] = json!("shop@1.0");
    event["environment"] = json!("production");
    event["timestamp"] = json!(super::hours_ago(3).to_string());
    let id = app.send(&app.shop(), &event).await;
    let issues = app.issues_of(1).await;
    let issue = titled(&issues, "ValueError: bad discount");
    let known = "culprit errorType eventsCount fingerprint firstRelease firstSeen id isRegressed \
                 lastRelease lastSeen level permalink platform projectId shortId status title \
                 usersAffected";
    assert_eq!(fields(issue).join(" "), known);
    assert_eq!(issue["id"], "4294967297", "project 1, issue 1");
    assert_eq!(issue["shortId"], "SHOP-1");
    assert_eq!(issue["projectId"], "1");
    assert_eq!(issue["level"], "ERROR");
    assert_eq!(issue["status"], "OPEN");
    assert_eq!(
        (&issue["eventsCount"], &issue["usersAffected"]),
        (&json!(1), &json!(0))
    );
    assert_eq!(issue["firstSeen"], issue["lastSeen"]);
    assert_moment(&issue["firstSeen"]);
    let page = format!("{}/o/{}/issues/SHOP-1", app.base_url, app.org);
    assert_eq!(issue["permalink"], page);
    for name in ["4294967297", "SHOP-1", "shop-1"] {
        assert_eq!(app.get(&format!("issues/{name}")).await, *issue, "{name}");
    }

    let listed = app.get("issues/SHOP-1/events").await;
    let known = "environment eventId issueId occurredAt projectId receivedAt release title";
    assert_eq!(fields(&listed[0]).join(" "), known);
    assert_eq!(listed[0]["eventId"], id.as_str());
    assert_eq!(listed[0]["issueId"], issue["id"]);
    assert_eq!(listed[0]["release"], "shop@1.0");
    assert_eq!(listed[0]["environment"], "production");
    assert_eq!(listed[0]["occurredAt"], issue["firstSeen"]);
    assert_moment(&listed[0]["receivedAt"]);

    let event = app.get(&format!("projects/1/events/{id}")).await;
    assert_eq!(app.get(&format!("projects/shop/events/{id}")).await, event);
    let hyphenated = uuid::Uuid::parse_str(&id).unwrap().hyphenated();
    let by_uuid = format!("projects/1/events/{hyphenated}");
    assert_eq!(app.get(&by_uuid).await, event);
    for name in fields(&listed[0]) {
        assert_eq!(event[name], listed[0][name], "{name}");
    }
    assert_eq!(event["payload"]["event_id"], id.as_str());
    assert_eq!(
        event["payload"]["exception"]["values"][0]["type"],
        "ValueError"
    );
    let grouping = &event["grouping"];
    assert_eq!(grouping["fingerprint"], issue["fingerprint"]);
    assert_eq!(text(&grouping["fingerprint"]).len(), 32);
    assert_eq!(grouping["variants"][0]["hash"], grouping["fingerprint"]);
    assert!(!grouping["reasons"].as_array().unwrap().is_empty());
}

on_each_engine!(
    async a_person_reads_and_changes_their_account,
    async organizations_are_listed_made_and_changed,
    async a_shared_organization_is_deleted_by_its_owner_in_a_session,
    async projects_are_made_changed_and_deleted,
    async keys_let_events_in_as_long_as_they_are_active,
    async issues_and_events_have_their_documented_shape,
);
