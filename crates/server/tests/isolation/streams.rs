//! Streams: who listens hears news of their own organization, and nothing else.

use std::sync::Arc;
use std::time::Duration;

use axum::body::BodyDataStream;
use axum::http::{HeaderMap, Method, StatusCode};
use copal_server::middleware::audience::Audience;
use copal_server::news::News;
use copal_server::routes::RouteAccess;
use copal_store::record::Disposition;
use futures_util::StreamExt as _;

use crate::actors::Actor;
use crate::canary::Tenant;
use crate::cases::{Maker, Row, rows};
use crate::request::{Forgery, request};
use crate::run::Suite;
use crate::site::Answer;

/// Longer than the server waits before it tells what it has heard.
const HEARD_WITHIN: Duration = Duration::from_secs(3);

/// Issues that are new in each tenant; their numbers, and the sum of them, are said by nothing else.
const NEWS_OF_A: usize = 2;
const NEWS_OF_B: usize = 5;

/// Who listens, where, and what comes.
type Listening = (Actor, &'static str, BodyDataStream);

/// Routes that answer with a stream.
pub(crate) fn streams() -> Vec<Row> {
    let is_stream = |row: &Row| row.path.ends_with("/stream") && row.method == Method::GET;
    rows().into_iter().filter(is_stream).collect()
}

impl Suite {
    /// Everybody listens to their own organization while something happens in both.
    pub(crate) async fn listen(&mut self) {
        let listening = self.begin_to_listen().await;
        let listeners = listening.len();
        self.tell(Tenant::A, NEWS_OF_A);
        self.tell(Tenant::B, NEWS_OF_B);
        let heard = futures_util::future::join_all(listening.into_iter().map(hear)).await;
        let mut own = 0;
        for (actor, path, said) in heard {
            let (mine, others) = match actor.home() {
                Tenant::A => (NEWS_OF_A, NEWS_OF_B),
                Tenant::B => (NEWS_OF_B, NEWS_OF_A),
            };
            let has = |count: usize| said.contains(&format!("data: {count}\n"));
            own += usize::from(has(mine));
            if has(others) || has(NEWS_OF_A + NEWS_OF_B) {
                self.leak(format!("{path}: {} heard of others: {said}", actor.name));
            }
            let answer = Answer {
                status: StatusCode::OK,
                headers: HeaderMap::new(),
                body: said.into_bytes(),
            };
            let name = format!("{path} heard by {}", actor.name);
            self.check_words(Audience::Page, &actor, &answer, &name);
        }
        if own == 0 {
            self.leak(format!("nobody of {listeners} heard their own news"));
        }
    }

    /// Opens every stream for everybody who is let in.
    async fn begin_to_listen(&mut self) -> Vec<Listening> {
        let plan = Arc::clone(&self.plan);
        let mut listening = Vec::new();
        for row in streams() {
            let RouteAccess::Org(_) = row.access else {
                panic!(
                    "{} is no organization's stream: say here who hears it",
                    row.path
                );
            };
            for actor in &plan.actors {
                let (world, row) = (&plan.world, &row);
                let own = Maker { world, actor, row }.cases().swap_remove(0).draft;
                let response = self.site.answer(request(&own, actor, Forgery::None)).await;
                self.tally.requests += 1;
                if response.status() == StatusCode::OK {
                    let body = response.into_body().into_data_stream();
                    listening.push((actor.clone(), row.path, body));
                }
            }
        }
        listening
    }

    /// Tells that there are new issues in a tenant.
    fn tell(&self, tenant: Tenant, count: usize) {
        let things = self.plan.world.things(tenant);
        let issue = &things.projects[0].issues[0];
        for _ in 0..count {
            self.site.app.news.tell(News {
                org: things.id,
                project: things.projects[0].id,
                issue: issue.id,
                event: issue.event,
                disposition: Disposition::New,
            });
        }
    }
}

/// What a listener hears in some seconds.
async fn hear((actor, path, mut body): Listening) -> (Actor, &'static str, String) {
    let mut said = String::new();
    let listen = async {
        while let Some(Ok(chunk)) = body.next().await {
            said.push_str(&String::from_utf8_lossy(&chunk));
        }
    };
    // A stream that ends has said all.
    let _ = tokio::time::timeout(HEARD_WITHIN, listen).await;
    (actor, path, said)
}
