//! News of what the pipeline has just recorded, for pages that update by themselves.
//!
//! A broadcast of small values: who listens too slowly misses some and asks the store instead.
//! Nothing may depend on hearing every piece of news.

use copal_model::{IssueId, OrgId, ProjectId};
use copal_protocol::EventId;
use copal_store::record::Disposition;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, watch};

/// Pieces of news a listener may lag behind before it misses some.
const NEWS_BACKLOG_MAX: usize = 1_024;

/// An event has been recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct News {
    /// The organization; tell nobody else.
    pub org: OrgId,
    /// The project.
    pub project: ProjectId,
    /// The issue that counts the event.
    pub issue: IssueId,
    /// The event.
    pub event: EventId,
    /// Whether the issue is new, has regressed, or was there.
    pub disposition: Disposition,
}

/// Where news is told and heard. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Newsroom {
    sender: broadcast::Sender<News>,
    closed: watch::Sender<bool>,
}

/// Hears what is told from its making on.
#[derive(Debug)]
pub struct Listener {
    news: broadcast::Receiver<News>,
    closed: watch::Receiver<bool>,
}

/// What a [`Listener`] hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// An event has been recorded.
    News(News),
    /// The listener was too slow and has missed some: ask the store.
    Missed,
}

impl Newsroom {
    /// Tells who listens; nobody need.
    pub fn tell(&self, news: News) {
        // An error only says that nobody listens.
        let _ = self.sender.send(news);
    }

    /// Listens from now on.
    pub fn listen(&self) -> Listener {
        Listener {
            news: self.sender.subscribe(),
            closed: self.closed.subscribe(),
        }
    }

    /// How many listen.
    pub fn listeners(&self) -> usize {
        self.sender.receiver_count()
    }

    /// The server stops: every listener hears the end, so that its connection can close.
    pub fn close(&self) {
        self.closed.send_replace(true);
    }
}

impl Listener {
    /// Waits for what is told next; `None` when the server stops.
    pub async fn next(&mut self) -> Option<Heard> {
        tokio::select! {
            biased;
            _ = self.closed.wait_for(|closed| *closed) => None,
            heard = self.news.recv() => match heard {
                Ok(news) => Some(Heard::News(news)),
                Err(RecvError::Lagged(_)) => Some(Heard::Missed),
                Err(RecvError::Closed) => None,
            },
        }
    }
}

impl Default for Newsroom {
    fn default() -> Self {
        Self {
            sender: broadcast::Sender::new(NEWS_BACKLOG_MAX),
            closed: watch::Sender::new(false),
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn news(number: u32) -> News {
        let project = ProjectId::new(7).unwrap();
        News {
            org: OrgId::new(Uuid::nil()),
            project,
            issue: IssueId::new(project, number),
            event: EventId::new(Uuid::nil()),
            disposition: Disposition::New,
        }
    }

    #[tokio::test]
    async fn a_listener_hears_what_is_told_after_it_came_until_the_end() {
        let newsroom = Newsroom::default();
        newsroom.tell(news(1));
        let mut listener = newsroom.listen();
        newsroom.tell(news(2));
        assert_eq!(listener.next().await, Some(Heard::News(news(2))));
        newsroom.close();
        assert_eq!(listener.next().await, None);
        assert_eq!(newsroom.listen().next().await, None);
    }

    #[tokio::test]
    async fn a_slow_listener_is_told_that_it_missed_some() {
        let newsroom = Newsroom::default();
        let mut listener = newsroom.listen();
        for number in 0..=u32::try_from(NEWS_BACKLOG_MAX).unwrap() {
            newsroom.tell(news(number));
        }
        assert_eq!(listener.next().await, Some(Heard::Missed));
        assert_eq!(listener.next().await, Some(Heard::News(news(1))));
    }
}
