//! What the tenants' programs send: events with a canary in every field there is, by the real way in.

use axum::body::Body;
use axum::http::{Method, Request};
use copal_protocol::EventId;
use serde_json::{Value, json};

use crate::canary::{Owner, Tenant, mark};
use crate::site::{Site, now};

/// One event to be sent.
pub(crate) struct ToSend<'a> {
    pub(crate) tenant: Tenant,
    /// The project's number.
    pub(crate) project: u32,
    /// The key that lets it in.
    pub(crate) key: &'a str,
    pub(crate) id: EventId,
    /// Events with the same word have the same hash, in both tenants: what happens is the same, only
    /// the texts differ.
    pub(crate) kind: &'a str,
}

impl Site {
    /// Sends an event as SDKs do.
    pub(crate) async fn send_event(&self, event: &ToSend<'_>) {
        let id = event.id;
        let body = body(event).to_string();
        let envelope = format!("{{\"event_id\":\"{id}\"}}\n{{\"type\":\"event\"}}\n{body}\n");
        let request = Request::builder()
            .method(Method::POST)
            .uri(format!("/api/{}/envelope/", event.project))
            .header(
                "x-sentry-auth",
                format!("Sentry sentry_version=7, sentry_key={}", event.key),
            )
            .body(Body::from(envelope))
            .unwrap();
        let answer = self.send(request).await;
        assert!(answer.status.is_success(), "{}", answer.text());
    }
}

impl ToSend<'_> {
    /// A text with the tenant's mark.
    fn says(&self, what: &str) -> String {
        format!("{} {what}", mark(Owner::Event(self.tenant)))
    }

    /// One without blanks, which tags' keys, environments and the like take none of.
    fn word(&self, what: &str) -> String {
        format!("{}-{what}", mark(Owner::Event(self.tenant)))
    }
}

fn body(event: &ToSend<'_>) -> Value {
    let (c, w) = (|what| event.says(what), |what| event.word(what));
    let kind = event.kind;
    json!({
        "event_id": event.id.to_string(),
        "timestamp": now().as_second() - 60,
        "platform": "python",
        "level": "error",
        "logger": w("logger"),
        "transaction": w("transaction"),
        "server_name": w("server"),
        "release": w("release"),
        "dist": w("dist"),
        "environment": w("environment"),
        "logentry": {"message": c("message"), "formatted": c("formatted"), "params": [c("param")]},
        "exception": {"values": [{
            "type": format!("Error{kind}"),
            "value": c("value"),
            "mechanism": {"type": "generic", "handled": false, "data": {"at": c("mechanism")}},
            "stacktrace": {"frames": [{
                "function": format!("pay_{kind}"),
                "module": "shop.checkout",
                "filename": "shop/checkout.py",
                "abs_path": format!("/srv/{}/checkout.py", w("path")),
                "lineno": 12,
                "pre_context": [c("before")],
                "context_line": c("line"),
                "post_context": [c("after")],
                "vars": {w("name"): c("variable")},
                "in_app": true,
            }]},
        }]},
        "breadcrumbs": {"values": [breadcrumb(event)]},
        "user": user(event),
        "request": request(event),
        "contexts": {
            w("context"): {w("key"): c("context")},
            "os": {"name": c("system"), "version": w("version")},
        },
        "extra": {w("extra"): c("extra")},
        "modules": {w("module"): w("1.0")},
        "tags": {w("tag"): c("tag"), "plan": c("plan")},
        "sdk": {"name": "sentry.python", "version": "2.0.0"},
    })
}

fn breadcrumb(event: &ToSend<'_>) -> Value {
    json!({
        "timestamp": now().as_second() - 61,
        "category": event.word("category"),
        "message": event.says("breadcrumb"),
        "data": {event.word("key"): event.says("crumb-data")},
    })
}

fn user(event: &ToSend<'_>) -> Value {
    json!({
        "id": event.word("user"),
        "username": event.word("username"),
        "email": format!("{}@customers.example", event.word("mail")),
        "name": event.says("customer"),
        "data": {event.word("group"): event.says("group")},
    })
}

fn request(event: &ToSend<'_>) -> Value {
    let (c, w) = (|what| event.says(what), |what| event.word(what));
    json!({
        "url": format!("https://{}.example/pay", w("host")),
        "method": "POST",
        "headers": {"X-Shop": c("header")},
        "query_string": format!("q={}", w("query")),
        "data": {w("field"): c("form")},
        "cookies": {"shop": w("cookie")},
        "env": {w("variable"): c("environment variable")},
    })
}
