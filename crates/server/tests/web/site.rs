//! A site in this process, and browsers that visit it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use copal_journal::fs::RealFs;
use copal_journal::{Folder, Journal};
use copal_model::{Clock, Entropy, Plan, Role, Timestamp};
use copal_server::app::{App, Parts, Settings, SignupMode};
use copal_server::auth::secret::Secret;
use copal_server::auth::throttle::LoginLimits;
use copal_server::auth::{form, session};
use copal_server::middleware::{Config, Stack};
use copal_server::routes;
use copal_store::sqlite::{Options, SqliteStore};
use metrics_exporter_prometheus::PrometheusBuilder;
use tempfile::TempDir;
use tower::Service as _;

/// A password that may be chosen.
pub(crate) const PASSWORD: &str = "a long walk to the sea";

/// Bytes that a site's journal takes.
pub(crate) const JOURNAL_BYTES_MAX: u64 = 1 << 16;

/// The time, as the test sets it.
#[derive(Debug)]
pub(crate) struct TestClock(AtomicI64);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.0.load(Ordering::Relaxed)).unwrap()
    }
}

/// Randomness that never repeats and is the same in every run.
#[derive(Debug)]
struct Counting(AtomicU64);

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        use sha2::Digest as _;
        for chunk in bytes.chunks_mut(32) {
            let number = self.0.fetch_add(1, Ordering::Relaxed);
            let digest = sha2::Sha256::digest(number.to_le_bytes());
            chunk.copy_from_slice(&digest[..chunk.len()]);
        }
    }
}

/// A running site, with nothing in it.
pub(crate) struct Site {
    pub(crate) app: App,
    clock: Arc<TestClock>,
    stack: Stack,
    folder: TempDir,
}

/// A journal of little room: what is appended to it stays there.
fn journal(data: &Path) -> Journal {
    let config = copal_journal::Config {
        backlog_bytes_max: JOURNAL_BYTES_MAX,
        ..copal_journal::Config::default()
    };
    let claimed = Folder::claim(&data.join("journal"), Arc::new(RealFs), &mut |_| {});
    claimed.unwrap().open(config, 0).unwrap().0
}

/// What a site answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn location(&self) -> &str {
        self.headers
            .get(header::LOCATION)
            .map_or("", |value| value.to_str().unwrap())
    }
}

fn settings() -> Settings {
    Settings {
        base_url: "http://copal.test".to_owned(),
        signup: SignupMode::Open,
        default_plan: Plan::Free,
        plans: copal_model::Plans::default(),
        billing_url: None,
        login_limits: LoginLimits::default(),
        operator_token: None,
    }
}

impl Site {
    pub(crate) fn start() -> Self {
        Self::with("http://copal.test", SignupMode::Open)
    }

    pub(crate) fn with(base_url: &str, signup: SignupMode) -> Self {
        Self::with_settings(Settings {
            base_url: base_url.to_owned(),
            signup,
            ..settings()
        })
    }

    pub(crate) fn with_operator_token(token: &str) -> Self {
        Self::with_settings(Settings {
            operator_token: Some(Secret::shown(token)),
            ..settings()
        })
    }

    fn with_settings(settings: Settings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(folder.path(), Options::default()).unwrap();
        let clock = Arc::new(TestClock(AtomicI64::new(1_800_000_000)));
        let entropy = Arc::new(Counting(AtomicU64::new(0)));
        let base_url = settings.base_url.clone();
        let app = App::new(Parts {
            store: Arc::new(store),
            journal: journal(folder.path()),
            metrics: PrometheusBuilder::new().build_recorder().handle(),
            clock: clock.clone(),
            entropy: entropy.clone(),
            settings,
        });
        let config = Config {
            base_url,
            trusted_proxies: Vec::new(),
            clock: clock.clone(),
            entropy,
        };
        let router = routes::router(routes::table(), app.clone());
        Self {
            app,
            clock,
            stack: Stack::new(router, config),
            folder,
        }
    }

    /// Makes somebody who has signed up a member of Ana's organization too. There is no use case
    /// for it yet.
    pub(crate) fn join(&self, email: &str, role: Role) {
        let db = rusqlite::Connection::open(self.folder.path().join("copal.db")).unwrap();
        db.busy_timeout(Duration::from_secs(10)).unwrap();
        let joined = db.execute(
            "insert into members (org_id, user_id, role, joined_at)
             select o.id, u.id, ?2, u.created_at
             from organizations o, users u
             where o.slug = 'anas-workspace' and u.email = ?1
             on conflict do update set role = excluded.role",
            (email, role.as_str()),
        );
        assert_eq!(joined.unwrap(), 1, "{email} has signed up");
    }

    /// Lets time pass.
    pub(crate) fn wait_secs(&self, secs: i64) {
        self.clock.0.fetch_add(secs, Ordering::Relaxed);
    }

    /// A browser that has never been here.
    pub(crate) fn browser(&self) -> Browser<'_> {
        Browser {
            site: self,
            cookies: BTreeMap::new(),
        }
    }

    /// The browser of somebody who has just signed up, and the path of their dashboard.
    pub(crate) async fn member(&self, name: &str) -> (Browser<'_>, String) {
        let mut browser = self.browser();
        browser.get("/signup").await;
        let email = format!("{}@shop.example", name.to_lowercase());
        let fields = [("name", name), ("email", &*email), ("password", PASSWORD)];
        let answer = browser.post("/signup", &fields).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
        let dashboard = answer.location().to_owned();
        (browser, dashboard)
    }

    /// Answers as it comes: for streams, which do not end.
    pub(crate) async fn answer(&self, request: Request<Body>) -> Response<Body> {
        self.stack.clone().call(request).await.unwrap()
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.answer(request).await;
        let (head, body) = response.into_parts();
        let kind = head.headers.get(header::CONTENT_TYPE);
        let body = if kind.is_some_and(|kind| kind == "text/event-stream") {
            String::new()
        } else {
            let bytes = to_bytes(body, 1 << 20).await.unwrap();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        Answer {
            status: head.status,
            headers: head.headers,
            body,
        }
    }
}

/// A browser: it keeps cookies and sends the token that our forms hold.
#[derive(Clone)]
pub(crate) struct Browser<'s> {
    site: &'s Site,
    pub(crate) cookies: BTreeMap<String, String>,
}

impl Browser<'_> {
    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path, HeaderMap::new(), String::new()))
            .await
    }

    /// Sends a form with the token that its page has.
    pub(crate) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let token = self.token().await;
        let mut fields = fields.to_vec();
        fields.push((form::TOKEN_FIELD, &token));
        self.post_as_is(path, &fields, HeaderMap::new()).await
    }

    /// Sends a form just so.
    pub(crate) async fn post_as_is(
        &mut self,
        path: &str,
        fields: &[(&str, &str)],
        mut headers: HeaderMap,
    ) -> Answer {
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
        headers.insert(header::CONTENT_TYPE, kind);
        self.send(self.request(Method::POST, path, headers, body))
            .await
    }

    /// The token that forms of this browser hold now.
    pub(crate) async fn token(&self) -> String {
        let (app, headers) = (&self.site.app, self.headers());
        if let Some(secret) = session::secret_of(&headers, app) {
            let now = app.clock.now();
            if app
                .store
                .find_session(&secret.hash(), now)
                .await
                .unwrap()
                .is_some()
            {
                return form::token_of_session(&secret).expose().to_owned();
            }
        }
        form::open_token(&headers, app).0.expose().to_owned()
    }

    fn headers(&self) -> HeaderMap {
        let cookies: Vec<_> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let mut headers = HeaderMap::new();
        if !cookies.is_empty() {
            headers.insert(header::COOKIE, cookies.join("; ").parse().unwrap());
        }
        headers
    }

    fn request(&self, method: Method, path: &str, extra: HeaderMap, body: String) -> Request<Body> {
        let mut request = Request::builder().method(method).uri(path);
        let headers = request.headers_mut().unwrap();
        headers.insert(header::HOST, HeaderValue::from_static("copal.test"));
        headers.extend(self.headers());
        headers.extend(extra);
        request.body(Body::from(body)).unwrap()
    }

    async fn send(&mut self, request: Request<Body>) -> Answer {
        let answer = self.site.send(request).await;
        for cookie in answer.headers.get_all(header::SET_COOKIE) {
            let cookie = cookie.to_str().unwrap();
            let (name, rest) = cookie.split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            if cookie.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }
}
