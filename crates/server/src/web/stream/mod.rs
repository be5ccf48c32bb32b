//! Server-sent events, for pages that update by themselves.
//!
//! Access is not granted once: before every message, and at least every few seconds, session,
//! membership and role are looked up again, so that who loses them hears nothing more (rule D-7).

mod slots;

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, Sse};
use copal_model::policy::Action;
use copal_model::{OrgId, ProjectId, UserId};
use copal_store::access::{Credential, IssueRef, OrgAccess, OrgRef, SecretHash};
use copal_store::record::Disposition;
use copal_ui::urls::{self, route};
use futures_util::stream::{self, Stream};

pub use self::slots::StreamSlots;

use self::slots::Slot;
use crate::app::App;
use crate::auth::permit::{Permit, ReadIssues, ReadOrg};
use crate::auth::{OrgMember, ProjectMember, Refusal, member};
use crate::news::{self, Heard, News};
use crate::routes::{Route, RouteAccess};
use crate::web::Error;
use crate::web::project::first_issue_path;

/// Time between two looks at whether the listener may still hear, and between heartbeats.
const HEARTBEAT: Duration = Duration::from_secs(3);
/// Shortest time between two messages: a storm of news is one message a second.
const PAUSE: Duration = Duration::from_secs(1);

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get(
            route::GUIDE_STREAM,
            RouteAccess::Org(Action::ReadOrg),
            "tells when the first event has come",
            first_event,
        ),
        Route::get(
            route::ISSUES_STREAM,
            RouteAccess::Org(Action::ReadIssues),
            "tells when there are new issues",
            issues,
        ),
    ]
}

/// Who listens, and to what.
struct Listener {
    app: App,
    news: news::Listener,
    user: UserId,
    session: SecretHash,
    org: OrgId,
    org_slug: String,
    action: Action,
    topic: Topic,
}

/// What a listener waits for.
enum Topic {
    /// The first event of a project; the path of its issue, if it is there already.
    FirstEvent(ProjectId, Option<String>),
    /// New and regressed issues; how many there were since the page.
    Issues(u64),
    /// Nothing more: all has been said.
    Over,
}

async fn first_event(
    State(app): State<App>,
    member: ProjectMember<ReadOrg>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Error> {
    // Listening begins before the store is asked, so that no event falls in between.
    let mut listener = Listener::new(&app, &member.org, Topic::Over)?;
    let slot = app.streams.take(listener.user)?;
    let org = member.org.organization.slug.as_str();
    let there = first_issue_path(&app, &member.org.scope, org, &member.project).await?;
    listener.topic = Topic::FirstEvent(member.project.id, there);
    Ok(Sse::new(messages(listener, slot)))
}

async fn issues(
    State(app): State<App>,
    member: OrgMember<ReadIssues>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Error> {
    let listener = Listener::new(&app, &member, Topic::Issues(0))?;
    let slot = app.streams.take(listener.user)?;
    Ok(Sse::new(messages(listener, slot)))
}

fn messages(listener: Listener, slot: Slot) -> impl Stream<Item = Result<Event, Infallible>> {
    stream::unfold((listener, slot), async |(mut listener, mut slot)| {
        let message = listener.next_message(&mut slot).await?;
        Some((Ok(message), (listener, slot)))
    })
}

impl Listener {
    fn new<A: Permit>(app: &App, member: &OrgMember<A>, topic: Topic) -> Result<Self, Refusal> {
        let Credential::Session { hash, .. } = &member.signed_in.credential else {
            return Err(Refusal::SignInFirst);
        };
        Ok(Self {
            news: app.news.listen(),
            user: member.signed_in.user.id,
            session: *hash,
            org: member.organization.id,
            org_slug: member.organization.slug.to_string(),
            action: A::ACTION,
            topic,
            app: app.clone(),
        })
    }

    /// What to say next; `None` when the stream is over.
    async fn next_message(&mut self, slot: &mut Slot) -> Option<Event> {
        let has_news = match &self.topic {
            Topic::Over => return None,
            Topic::FirstEvent(_, Some(_)) => true,
            _ => match self.wait(slot).await {
                Waited::News => true,
                Waited::Nothing => false,
                Waited::Closed => return None,
                Waited::Replaced => {
                    self.topic = Topic::Over;
                    return Some(Event::default().event("replaced").data("newer"));
                }
            },
        };
        if has_news && matches!(self.topic, Topic::Issues(_)) {
            self.gather().await;
        }
        let still_here = || Event::default().comment("still here");
        match self.may_still_hear().await {
            Ok(true) => {}
            // Nobody can say: nothing is told, but the page would not come back by itself.
            Err(copal_store::Error::Unavailable(_)) => {
                tokio::time::sleep(HEARTBEAT).await;
                return Some(still_here());
            }
            Ok(false) | Err(_) => return None,
        }
        let message = if has_news { self.tell().await } else { None };
        Some(message.unwrap_or_else(still_here))
    }

    /// Waits for news, but not longer than a heartbeat.
    async fn wait(&mut self, slot: &mut Slot) -> Waited {
        tokio::select! {
            heard = self.hear() => match heard {
                Ok(()) => Waited::News,
                Err(Closed) => Waited::Closed,
            },
            () = tokio::time::sleep(HEARTBEAT) => Waited::Nothing,
            () = slot.taken() => Waited::Replaced,
        }
    }

    /// Waits for a piece of news that matters here.
    async fn hear(&mut self) -> Result<(), Closed> {
        loop {
            match self.news.next().await {
                Some(Heard::News(news)) if !self.note(&news) => {}
                // What was missed may have mattered: better once too often.
                Some(Heard::News(_) | Heard::Missed) => return Ok(()),
                None => return Err(Closed),
            }
        }
    }

    /// Takes note of what else comes within the pause, so that it is one message.
    async fn gather(&mut self) {
        let until = tokio::time::Instant::now() + PAUSE;
        while let Ok(Ok(())) = tokio::time::timeout_at(until, self.hear()).await {}
    }

    /// Takes note of a piece of news; says whether it matters here.
    fn note(&mut self, news: &News) -> bool {
        if news.org != self.org {
            return false;
        }
        match &mut self.topic {
            Topic::FirstEvent(project, _) => *project == news.project,
            Topic::Issues(count) => {
                let is_new = matches!(news.disposition, Disposition::New | Disposition::Regressed);
                *count += u64::from(is_new);
                is_new
            }
            Topic::Over => false,
        }
    }

    async fn tell(&mut self) -> Option<Event> {
        match &self.topic {
            Topic::Issues(count) => Some(Event::default().event("issues").data(count.to_string())),
            Topic::FirstEvent(project, there) => {
                let path = match there {
                    Some(path) => path.clone(),
                    None => self.find_first(*project).await?,
                };
                self.topic = Topic::Over;
                Some(Event::default().event("first-event").data(path))
            }
            Topic::Over => None,
        }
    }

    async fn find_first(&self, project: ProjectId) -> Option<String> {
        let access = self.open_org().await.ok()??;
        let issue = IssueRef::Id(copal_model::IssueId::new(project, 1));
        let (_, issue) = self
            .app
            .store
            .find_issue(&access.scope, &issue)
            .await
            .ok()??;
        Some(urls::issue(&self.org_slug, &issue.short_id.to_string()))
    }

    async fn may_still_hear(&self) -> copal_store::Result<bool> {
        let now = self.app.clock.now();
        let session = self.app.store.find_session(&self.session, now).await?;
        let access = self.open_org().await?;
        Ok(session.is_some() && access.is_some_and(|access| member::may(&access, self.action)))
    }

    async fn open_org(&self) -> copal_store::Result<Option<OrgAccess>> {
        let org = OrgRef::Id(self.org);
        self.app.store.open_org(self.user, &org).await
    }
}

/// Nobody tells news any more: the server stops.
struct Closed;

/// How waiting for news ended.
enum Waited {
    /// There is news.
    News,
    /// Long enough without any.
    Nothing,
    /// There will be none: the server stops.
    Closed,
    /// A newer stream of the same person has the place.
    Replaced,
}
