//! Bodies on their way: one that fails when it comes too slowly, one that says when it has gone.
//!
//! A request may be answered before its body is read. To close the connection then would make the
//! kernel reset it, and most clients, which write first and read later, would never see the answer.
//! So what is left of the body is drained, within limits.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::body::{Body, Bytes};
use http::HeaderMap;
use http::header::EXPECT;
use hyper::body::{Body as _, Frame, Incoming, SizeHint};
use tokio::time::Instant;

use super::Config;
use super::socket::{Alarm, UnderWay};

/// Why the body of a request broke off.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// It came in more slowly than [`Config::body_bytes_per_sec_min`].
    #[error("the body came in too slowly")]
    TooSlow,
    /// The connection or its framing broke.
    #[error("the body broke off")]
    Broken(#[from] hyper::Error),
}

/// The body of a request, as handlers get it.
pub(super) struct RequestBody {
    /// `None` only once it is dropped.
    paced: Option<PacedBody>,
}

/// A body of which every window of time must bring its share of bytes.
struct PacedBody {
    body: Incoming,
    config: Arc<Config>,
    progress: Progress,
    /// End of the window under way; none while the peer does not keep us waiting.
    window_end: Option<Instant>,
    window_bytes: u64,
    alarm: Alarm,
    _under_way: UnderWay,
}

#[derive(PartialEq, Eq)]
enum Progress {
    /// The peer waits for a `100 Continue` before it sends anything.
    Asked,
    Coming,
    Over,
}

impl RequestBody {
    pub(super) fn new(
        body: Incoming,
        config: &Arc<Config>,
        headers: &HeaderMap,
        under_way: UnderWay,
    ) -> Self {
        let paced = PacedBody {
            body,
            config: Arc::clone(config),
            progress: if headers.contains_key(EXPECT) {
                Progress::Asked
            } else {
                Progress::Coming
            },
            window_end: None,
            window_bytes: 0,
            alarm: Alarm::default(),
            _under_way: under_way,
        };
        Self { paced: Some(paced) }
    }

    fn paced(&mut self) -> &mut PacedBody {
        self.paced
            .as_mut()
            .expect("a body is not polled after it is dropped")
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        if let Some(paced) = self.paced.take()
            && paced.progress == Progress::Coming
        {
            tokio::spawn(paced.drain());
        }
    }
}

impl PacedBody {
    /// Reads what the peer still sends and throws it away, so that it comes to reading the answer.
    async fn drain(mut self) {
        let config = Arc::clone(&self.config);
        let mut left = config.linger_bytes_max;
        let draining = async {
            while let Some(Ok(frame)) = poll_fn(|cx| self.poll_next(cx)).await {
                let bytes = frame.data_ref().map_or(0, |data| data.len() as u64);
                match left.checked_sub(bytes) {
                    Some(less) => left = less,
                    None => break,
                }
            }
        };
        // Whoever still sends after that is reset.
        let _ = tokio::time::timeout(config.linger_timeout, draining).await;
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if self.progress == Progress::Asked {
            self.progress = Progress::Coming;
        }
        match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                self.window_bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(end) => {
                self.progress = Progress::Over;
                Poll::Ready(end.map(|frame| frame.map_err(BodyError::Broken)))
            }
            Poll::Pending => {
                ready!(self.poll_too_slow(cx));
                self.progress = Progress::Over;
                Poll::Ready(Some(Err(BodyError::TooSlow)))
            }
        }
    }

    /// Ready once a window has passed that brought too little.
    fn poll_too_slow(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let window = self.config.body_window;
        loop {
            let end = *self
                .window_end
                .get_or_insert_with(|| Instant::now() + window);
            ready!(self.alarm.poll(end, cx));
            let share = u128::from(self.config.body_bytes_per_sec_min) * window.as_millis();
            if u128::from(self.window_bytes) * 1_000 < share {
                return Poll::Ready(());
            }
            self.window_bytes = 0;
            self.window_end = None;
        }
    }
}

impl hyper::body::Body for RequestBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        self.paced().poll_next(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.paced
            .as_ref()
            .is_some_and(|paced| paced.body.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        self.paced
            .as_ref()
            .map_or_else(SizeHint::default, |paced| paced.body.size_hint())
    }
}

/// The body of an answer. When it is dropped, hyper has taken over its last byte.
pub(super) struct AnswerBody {
    body: Body,
    _under_way: UnderWay,
}

impl AnswerBody {
    pub(super) const fn new(body: Body, under_way: UnderWay) -> Self {
        Self {
            body,
            _under_way: under_way,
        }
    }
}

impl hyper::body::Body for AnswerBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
