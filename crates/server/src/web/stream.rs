//! Server-sent events, for pages that update by themselves.
//!
//! Access is not granted once: before every message, and at least every few seconds, session,
//! membership and role are looked up again, so that who loses them hears nothing more (rule D-7).

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, Sse};
use copal_model::policy::Action;
use copal_model::{OrgId, ProjectId, UserId};
use copal_store::access::{Credential, IssueRef, OrgRef, SecretHash};
use copal_store::record::Disposition;
use copal_ui::urls::{self, route};
use futures_util::stream::{self, Stream};

use crate::app::App;
use crate::auth::permit::{Permit, ReadIssues, ReadOrg};
use crate::auth::{OrgMember, ProjectMember, Refusal};
use crate::news::{self, Heard, News};
use crate::routes::{Route, RouteAccess};
use crate::web::Error;
use crate::web::project::first_issue_path;

/// Streams open at once.
const STREAMS_MAX: usize = 500;
/// Streams of one person open at once: browsers open at most six.
const STREAMS_PER_USER_MAX: usize = 12;
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

/// The streams that are open, by person. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct StreamSlots(Arc<Mutex<HashMap<UserId, usize>>>);

/// An open stream; dropping it frees its place.
#[derive(Debug)]
struct Slot {
    slots: StreamSlots,
    user: UserId,
}

impl StreamSlots {
    fn take(&self, user: UserId) -> Result<Slot, Refusal> {
        let mut open = self
            .0
            .lock()
            .expect("nothing panics while it holds this lock");
        let own = open.get(&user).copied().unwrap_or(0);
        if own >= STREAMS_PER_USER_MAX || open.values().sum::<usize>() >= STREAMS_MAX {
            return Err(Refusal::TooManyTries {
                retry_after_secs: 60,
            });
        }
        open.insert(user, own + 1);
        drop(open);
        let slots = self.clone();
        Ok(Slot { slots, user })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut open = self
            .slots
            .0
            .lock()
            .expect("nothing panics while it holds this lock");
        if let Some(count) = open.get_mut(&self.user) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.user);
            }
        }
    }
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
    _slot: Slot,
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
    let org = member.org.organization.slug.as_str();
    let there = first_issue_path(&app, &member.org.scope, org, &member.project).await?;
    listener.topic = Topic::FirstEvent(member.project.id, there);
    Ok(Sse::new(messages(listener)))
}

async fn issues(
    State(app): State<App>,
    member: OrgMember<ReadIssues>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Error> {
    let listener = Listener::new(&app, &member, Topic::Issues(0))?;
    Ok(Sse::new(messages(listener)))
}

fn messages(listener: Listener) -> impl Stream<Item = Result<Event, Infallible>> {
    stream::unfold(listener, async |mut listener| {
        let message = listener.next_message().await?;
        Some((Ok(message), listener))
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
            _slot: app.streams.take(member.signed_in.user.id)?,
            app: app.clone(),
        })
    }

    /// What to say next; `None` when the stream is over.
    async fn next_message(&mut self) -> Option<Event> {
        let has_news = match &self.topic {
            Topic::Over => return None,
            Topic::FirstEvent(_, Some(_)) => true,
            _ => match tokio::time::timeout(HEARTBEAT, self.hear()).await {
                Ok(Ok(())) => true,
                Ok(Err(Closed)) => return None,
                Err(_) => false,
            },
        };
        if has_news && matches!(self.topic, Topic::Issues(_)) {
            self.gather().await;
        }
        if !self.may_still_hear().await {
            return None;
        }
        let message = if has_news { self.tell().await } else { None };
        Some(message.unwrap_or_else(|| Event::default().comment("still here")))
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
        let access = self.open_org().await?;
        let issue = IssueRef::Id(copal_model::IssueId::new(project, 1));
        let (_, issue) = self
            .app
            .store
            .find_issue(&access.scope, &issue)
            .await
            .ok()??;
        Some(urls::issue(&self.org_slug, &issue.short_id.to_string()))
    }

    async fn may_still_hear(&self) -> bool {
        let now = self.app.clock.now();
        let session = self.app.store.find_session(&self.session, now).await;
        let is_live = session.is_ok_and(|found| found.is_some());
        is_live
            && self
                .open_org()
                .await
                .is_some_and(|access| access.member.role.may(self.action))
    }

    async fn open_org(&self) -> Option<copal_store::access::OrgAccess> {
        let org = OrgRef::Id(self.org);
        self.app
            .store
            .open_org(self.user, &org)
            .await
            .ok()
            .flatten()
    }
}

/// Nobody tells news any more: the server stops.
struct Closed;

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn places_are_bounded_per_person_and_freed() {
        let slots = StreamSlots::default();
        let ana = UserId::new(Uuid::from_u128(1));
        let bo = UserId::new(Uuid::from_u128(2));
        let mut open: Vec<_> = (0..STREAMS_PER_USER_MAX)
            .map(|_| slots.take(ana).unwrap())
            .collect();
        assert!(slots.take(ana).is_err());
        assert!(slots.take(bo).is_ok());
        open.pop();
        assert!(slots.take(ana).is_ok());
        drop(open);
        assert!(slots.0.lock().unwrap().is_empty());
    }
}
