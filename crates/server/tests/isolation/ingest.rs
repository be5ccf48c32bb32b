//! The way in of events: a key opens its own project and no other, and what two tenants send never
//! meets, be it of the same id or the same hash.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use copal_protocol::EventId;
use copal_server::routes::RouteAccess;

use crate::canary::Tenant;
use crate::cases::rows;
use crate::events::ToSend;
use crate::run::Suite;
use crate::site::{Answer, Site};
use crate::world::uuid;

const ENVELOPE: &str = "{}\n{\"type\":\"event\"}\n{\"message\":\"x\"}\n";
const EVENT: &str = "{\"message\":\"x\"}";

/// Where a request says its key.
#[derive(Debug, Clone, Copy)]
enum Place {
    Header,
    Query,
    Basic,
}

impl Suite {
    /// Keys × routes × places: in with the own key, out with any other.
    pub(crate) async fn ask_for_entry(&mut self) {
        let plan = std::sync::Arc::clone(&self.plan);
        let project = |tenant: Tenant| &plan.world.things(tenant).projects[0];
        let (own, strange) = (project(Tenant::A), project(Tenant::B));
        for row in rows() {
            let asks_key = row.access == RouteAccess::ClientKey && row.method == Method::POST;
            // A tunnel takes the key out of the envelope.
            if !asks_key || row.path.starts_with("/tunnel") {
                continue;
            }
            let names_project = row.path.contains("{project}");
            for place in [Place::Header, Place::Query, Place::Basic] {
                let path = row.path.replace("{project}", &own.id.to_string());
                for (key, is_let_in) in [
                    (&own.public_key, true),
                    (&strange.public_key, !names_project),
                    (&own.inactive_key, false),
                    (&uuid("no key").simple().to_string(), false),
                ] {
                    let before = self.site.taken_in();
                    let answer = send(&self.site, &path, place, key).await;
                    self.tally.requests += 1;
                    let name = format!("{path} with {key} in {place:?}");
                    if answer.status.is_success() != is_let_in {
                        self.leak(format!("{name}: {}", answer.status));
                    }
                    if (self.site.taken_in() > before) != is_let_in {
                        self.leak(format!("{name}: it was kept, or not, against the answer"));
                    }
                }
            }
        }
    }

    /// Two keys in one request, and a key against the DSN of the envelope.
    pub(crate) async fn ask_with_two_keys(&mut self) {
        let plan = std::sync::Arc::clone(&self.plan);
        let project = |tenant: Tenant| &plan.world.things(tenant).projects[0];
        let (own, strange) = (project(Tenant::A), project(Tenant::B));
        let dsn = format!("http://{}@copal.test/{}", strange.public_key, strange.id);
        let mixed = format!("http://{}@copal.test/{}", strange.public_key, own.id);
        let with_dsn = |dsn: &str| ENVELOPE.replacen("{}", &format!("{{\"dsn\":\"{dsn}\"}}"), 1);
        let own_path = format!("/api/{}/envelope/", own.id);
        let auth = |key: &str| format!("Sentry sentry_version=7, sentry_key={key}");
        for (path, key, body) in [
            (own_path.clone(), Some(&own.public_key), with_dsn(&dsn)),
            (own_path.clone(), Some(&own.public_key), with_dsn(&mixed)),
            (own_path.clone(), None, with_dsn(&dsn)),
            ("/tunnel".to_owned(), None, with_dsn(&mixed)),
            (
                format!("{own_path}?sentry_key={}", own.public_key),
                Some(&strange.public_key),
                ENVELOPE.to_owned(),
            ),
        ] {
            let mut request = Request::builder().method(Method::POST).uri(&path);
            if let Some(key) = key {
                request = request.header("x-sentry-auth", auth(key));
            }
            let before = self.site.taken_in();
            let answer = self
                .site
                .send(request.body(Body::from(body.clone())).unwrap())
                .await;
            self.tally.requests += 1;
            if answer.status.is_success() || self.site.taken_in() > before {
                self.leak(format!(
                    "{path} with {key:?} took in {body}: {}",
                    answer.status
                ));
            }
        }
    }

    /// Both tenants send events of the same id and hash: each is recorded in its own project, as one
    /// more of its own issue, and nothing of the other's moves.
    pub(crate) async fn send_alike(&mut self) {
        let plan = std::sync::Arc::clone(&self.plan);
        for tenant in Tenant::BOTH {
            let project = &plan.world.things(tenant).projects[0];
            for kind in ["Pay", "New"] {
                let event = ToSend {
                    tenant,
                    project: project.id.get(),
                    key: &project.public_key,
                    id: EventId::new(uuid(&format!("alike {kind}"))),
                    kind,
                };
                self.site.send_event(&event).await;
                // Once more: a duplicate, here and nowhere else.
                self.site.send_event(&event).await;
            }
        }
        self.site.record_all().await;
        let dump = self.database.dump().await;
        for tenant in Tenant::BOTH {
            let project = plan.world.things(tenant).projects[0].id.to_string();
            let issues: Vec<_> = dump["issues"]
                .iter()
                .filter(|row| row["project_id"].as_ref() == Some(&project))
                .map(|row| {
                    let text = |column: &str| row[column].clone().unwrap_or_default();
                    (text("error_type"), text("events_count"))
                })
                .collect();
            for (kind, count) in [("ErrorPay", "3"), ("ErrorShip", "2"), ("ErrorNew", "1")] {
                let wanted = (kind.to_owned(), count.to_owned());
                if !issues.contains(&wanted) {
                    self.leak(format!(
                        "{tenant:?}: {count} {kind} expected among {issues:?}"
                    ));
                }
            }
        }
    }
}

async fn send(site: &Site, path: &str, place: Place, key: &str) -> Answer {
    use base64::Engine as _;
    let body = if path.contains("store") {
        EVENT
    } else {
        ENVELOPE
    };
    let mut request = Request::builder().method(Method::POST);
    request = match place {
        Place::Header => {
            let auth = format!("Sentry sentry_version=7, sentry_key={key}");
            request.uri(path).header("x-sentry-auth", auth)
        }
        Place::Query => request.uri(format!("{path}?sentry_key={key}")),
        Place::Basic => {
            let basic = base64::engine::general_purpose::STANDARD.encode(format!("{key}:"));
            request
                .uri(path)
                .header("authorization", format!("Basic {basic}"))
        }
    };
    let answer = site.send(request.body(Body::from(body)).unwrap()).await;
    assert_ne!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    answer
}
